//! Sealing: committed events get a position and a link to the one before, by one leader, in batches.
//!
//! Events of one customer have times in the order of their commits, because whoever changes a customer has it locked. A
//! batch takes what is committed in the order of those times; so no event of a customer gets a position before an earlier
//! one, and a reader by position misses nothing that is committed late.

use std::sync::Arc;

use c360_entities::event_value;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, FromQueryResult as _};
use serde_json::json;
use uuid::Uuid;

use super::chain::{COLUMNS, Entry, GENESIS};
use super::heads;
use crate::clock;
use crate::db;
use crate::digest::to_hex;
use crate::error::{Code, Fault};
use crate::read::Sql;
use crate::state::State;
use crate::write::{self, Outcome, Stop, Tx, Work, get};

/// What the job is called, whose leader alone seals.
pub const JOB: &str = "seal";

/// Seals at most `limit` events, and signs the head when it is time; how many were sealed.
///
/// # Errors
/// The database fails, or another leads meanwhile.
pub async fn seal(state: &Arc<State>, holder: &str, limit: usize) -> Result<usize, Fault> {
    let sealed = match db::in_time(&state.config.database, is_any_unsealed(&state.db)).await? {
        true => write::system(state, JOB, &Seal { holder, limit }).await?,
        false => 0,
    };
    heads::sign_when_due(state).await?;
    Ok(sealed)
}

async fn is_any_unsealed(db: &DatabaseConnection) -> Result<bool, DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    sql.push("SELECT id FROM events WHERE position IS NULL ORDER BY recorded_at, id LIMIT 1");
    Ok(db.query_one_raw(sql.finish()).await?.is_some())
}

struct Seal<'h> {
    holder: &'h str,
    limit: usize,
}

impl Work for Seal<'_> {
    type Made = usize;

    async fn run(&self, tx: &mut Tx) -> Outcome<usize> {
        if !tx.leads(JOB, self.holder).await? {
            return Err(Fault::new(Code::Unavailable, "another gateway seals").into());
        }
        let (mut position, mut hash) = end(tx).await?;
        let entries = unsealed(tx, self.limit).await?;
        let values = values(tx, &entries).await?;
        let mut sealed = Vec::with_capacity(entries.len());
        for entry in &entries {
            let first = values.partition_point(|value| value.event_id < entry.id);
            let count = values[first..].partition_point(|value| value.event_id == entry.id);
            let own = &values[first..first + count];
            let salt = clock::random_id().into_bytes();
            let words = entry.has_words(own).then(|| entry.words(&salt, own));
            position += 1;
            hash = entry.link(position, &hash, words.as_ref().map(|words| &words[..])).to_vec();
            sealed.push(json!({
                "id": entry.id.simple().to_string(),
                "position": position,
                "hash": to_hex(&hash),
                "salt": words.map(|_| to_hex(&salt)),
                "digest": words.map(|words| to_hex(&words)),
            }));
        }
        write_down(tx, sealed).await?;
        Ok(entries.len())
    }
}

/// Where the chain ends.
async fn end(tx: &mut Tx) -> Outcome<(i64, Vec<u8>)> {
    let mut sql = tx.sql();
    sql.push("SELECT position, hash FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1");
    match tx.row(sql).await? {
        Some(row) => Ok((get(&row, "position")?, get(&row, "hash")?)),
        None => Ok((0, GENESIS.to_vec())),
    }
}

/// The next events, locked: nobody empties their words meanwhile.
async fn unsealed(tx: &mut Tx, limit: usize) -> Outcome<Vec<Entry>> {
    let mut sql = tx.sql();
    sql.push(&format!("SELECT {COLUMNS} FROM events x WHERE x.position IS NULL ORDER BY x.recorded_at, x.id LIMIT "));
    sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    tx.for_update(&mut sql);
    let rows = tx.rows(sql).await?;
    rows.iter().map(|row| Ok(Entry::from_query_result(row, "").map_err(Fault::from)?)).collect()
}

/// What changed with these events, by event and field.
async fn values(tx: &mut Tx, entries: &[Entry]) -> Outcome<Vec<event_value::Model>> {
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    let mut sql = tx.sql();
    let condition = sql.one_of("event_id", &ids);
    sql.push(&format!(
        "SELECT event_id, customer_id, field, before_value, after_value FROM event_values WHERE {condition}"
    ));
    let rows = tx.rows(sql).await?;
    let read = |row| Ok(event_value::Model::from_query_result(row, "").map_err(Fault::from)?);
    let mut values: Vec<event_value::Model> = rows.iter().map(read).collect::<Outcome<_>>()?;
    // Not in the order of a database: their ways with letters differ.
    values.sort_unstable_by(|a, b| (a.event_id, &a.field).cmp(&(b.event_id, &b.field)));
    Ok(values)
}

async fn write_down(tx: &mut Tx, sealed: Vec<serde_json::Value>) -> Outcome<()> {
    let count = sealed.len();
    let mut sql = tx.sql();
    sql.push(match sql.is_postgres() {
        true => {
            "UPDATE events SET position = v.position, hash = decode(v.hash, 'hex'), \
             words_salt = decode(v.salt, 'hex'), words_digest = decode(v.digest, 'hex') FROM json_to_recordset(CAST("
        }
        false => {
            "UPDATE events SET position = v.position, hash = unhex(v.hash), words_salt = unhex(v.salt), \
             words_digest = unhex(v.digest) FROM (SELECT unhex(value ->> 'id') AS id, value ->> 'position' AS position, \
             value ->> 'hash' AS hash, value ->> 'salt' AS salt, value ->> 'digest' AS digest FROM json_each("
        }
    });
    sql.bind(serde_json::Value::Array(sealed).to_string());
    sql.push(match sql.is_postgres() {
        true => {
            " AS json)) AS v (id uuid, position bigint, hash text, salt text, digest text) \
             WHERE events.id = v.id AND events.position IS NULL"
        }
        // The sign keeps SQLite from looking for each event among all that have no position.
        false => ")) AS v WHERE events.id = v.id AND +events.position IS NULL",
    });
    match tx.execute_unseen(sql).await? {
        changed if usize::try_from(changed) == Ok(count) => Ok(()),
        _ => Err(Stop::Again),
    }
}
