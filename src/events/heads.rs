//! Heads: the end of the chain at a moment, signed. Who keeps one elsewhere can tell that the end was cut off, or that
//! all of the chain was written anew.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use c360_entities::event_head;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use jsonwebtoken::jwk::Jwk;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult as _, QueryOrder as _, QuerySelect as _};
use serde::{Deserialize, Serialize};

use super::chain::Hash;
use crate::auth::issue::{Signer, verifies};
use crate::config::ConfigError;
use crate::db;
use crate::error::Fault;
use crate::read::Sql;
use crate::state::State;

/// How many heads are exported: the newest.
const EXPORTED: u64 = 100;

/// The keys with which heads are signed.
#[derive(Debug, Default)]
pub struct HeadKeys {
    signer: Option<Signer>,
    keys: Vec<Jwk>,
}

/// What is to be said of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It is that of a key that is believed.
    Good,
    /// It is not what the key that it names has signed.
    Bad,
    /// It names a key that is not known here.
    Unknown,
}

impl HeadKeys {
    /// The keys of these files (PEM, Ed25519 or P-256): the first signs, all are believed.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else.
    pub fn read(files: &[PathBuf]) -> Result<Self, ConfigError> {
        let mut all = Self::default();
        for path in files {
            let wrong = |text: String| ConfigError(format!("events.signing_key_files: {}: {text}", path.display()));
            let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot read: {error}")))?;
            let signer = Signer::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
            let (signer, jwk) = signer.named().map_err(|error| wrong(error.to_string()))?;
            all.keys.push(jwk);
            all.signer.get_or_insert(signer);
        }
        Ok(all)
    }

    /// Whether heads can be signed.
    pub fn can_sign(&self) -> bool {
        self.signer.is_some()
    }

    /// These keys, and those that a file brings along.
    #[must_use]
    pub fn and(&self, others: &[Jwk]) -> Self {
        Self { signer: None, keys: self.keys.iter().chain(others).cloned().collect() }
    }

    fn sign(&self, position: i64, hash: &[u8], at: DateTime<Utc>) -> Result<Option<event_head::Model>, Fault> {
        let Some(signer) = &self.signer else { return Ok(None) };
        let failed = |error: crate::auth::issue::IssueError| {
            tracing::error!(%error, "a head cannot be signed");
            Fault::internal()
        };
        let signature = signer.signature(&message(position, hash, at)).map_err(failed)?;
        let key_id = signer.kid().unwrap_or_default().to_owned();
        Ok(Some(event_head::Model { position, hash: hash.to_vec(), key_id, signature, signed_at: at }))
    }

    /// What is to be said of a head's signature.
    pub fn check(&self, head: &event_head::Model) -> Signature {
        let named = self.keys.iter().find(|key| key.common.key_id.as_deref() == Some(&head.key_id));
        let Some(key) = named else { return Signature::Unknown };
        match verifies(key, &message(head.position, &head.hash, head.signed_at), &head.signature) {
            true => Signature::Good,
            false => Signature::Bad,
        }
    }
}

/// What is signed.
fn message(position: i64, hash: &[u8], at: DateTime<Utc>) -> [u8; 32] {
    let mut message = Hash::of("c360 head 1");
    message.number(Some(position)).bytes(Some(hash)).number(Some(at.timestamp_micros()));
    message.finish()
}

/// Signs the end of the chain when it has grown by enough, or some time ago.
///
/// # Errors
/// The database fails.
pub(super) async fn sign_when_due(state: &State) -> Result<(), Fault> {
    if !state.heads.can_sign() {
        return Ok(());
    }
    let (Some(end), last) = db::in_time(&state.config.database, ends(&state.db)).await? else { return Ok(()) };
    let (settings, now) = (&state.config.events, state.clock.now());
    let is_due = last.is_none_or(|(position, signed_at)| {
        end.0 - position >= settings.head_every
            || (end.0 > position && now - signed_at >= TimeDelta::seconds(settings.head_seconds))
    });
    if is_due { sign(state, end).await } else { Ok(()) }
}

/// Signs the end of the chain now, unless that was done.
///
/// # Errors
/// The database fails.
pub async fn sign_now(state: &State) -> Result<(), Fault> {
    match ends(&state.db).await? {
        (Some(end), last) if last.is_none_or(|(position, _)| position < end.0) => sign(state, end).await,
        _ => Ok(()),
    }
}

async fn sign(state: &State, (position, hash): (i64, Vec<u8>)) -> Result<(), Fault> {
    let Some(head) = state.heads.sign(position, &hash, state.clock.now())? else { return Ok(()) };
    let mut sql = Sql::new(state.db.get_database_backend());
    sql.push("INSERT INTO event_heads (position, hash, key_id, signature, signed_at) VALUES (");
    sql.bind(head.position);
    sql.push(", ");
    sql.bind(head.hash);
    sql.push(", ");
    sql.bind(head.key_id);
    sql.push(", ");
    sql.bind(head.signature);
    sql.push(", ");
    sql.bind(head.signed_at);
    sql.push(") ON CONFLICT (position) DO NOTHING");
    let _turn = state.writers.turn(&state.db).await;
    db::in_time(&state.config.database, state.db.execute_raw(sql.finish())).await?;
    Ok(())
}

type Place = (i64, Vec<u8>);

/// Where the chain ends, and the last head.
async fn ends<C: ConnectionTrait>(db: &C) -> Result<(Option<Place>, Option<(i64, DateTime<Utc>)>), DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    sql.push(
        "SELECT e.position, e.hash, h.position AS signed, h.signed_at FROM \
         (SELECT position, hash FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1) e LEFT JOIN \
         (SELECT position, signed_at FROM event_heads ORDER BY position DESC LIMIT 1) h ON 1 = 1",
    );
    let Some(row) = db.query_one_raw(sql.finish()).await? else { return Ok((None, None)) };
    let signed: Option<i64> = row.try_get("", "signed")?;
    let at: Option<DateTime<Utc>> = row.try_get("", "signed_at")?;
    Ok((Some((row.try_get("", "position")?, row.try_get("", "hash")?)), signed.zip(at)))
}

/// The heads at positions above `after` and up to `until`.
pub(super) async fn between<C: ConnectionTrait>(
    db: &C,
    after: i64,
    until: i64,
) -> Result<Vec<event_head::Model>, DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    sql.push("SELECT position, hash, key_id, signature, signed_at FROM event_heads WHERE position > ");
    sql.bind(after);
    sql.push(" AND position <= ");
    sql.bind(until);
    sql.push(" ORDER BY position");
    let rows = db.query_all_raw(sql.finish()).await?;
    rows.iter().map(|row| event_head::Model::from_query_result(row, "")).collect()
}

/// Heads as they are kept elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// The keys that verify them, as far as they are known where they are exported (RFC 7517).
    pub keys: Vec<Jwk>,
    /// The heads, oldest first.
    pub heads: Vec<ExportedHead>,
}

/// A head as it is kept elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExportedHead {
    /// The position of the event that was the last one.
    pub position: i64,
    /// Its hash, in base64.
    pub hash: String,
    /// The thumbprint of the key (RFC 7638).
    pub key_id: String,
    /// In base64.
    pub signature: String,
    /// When it was signed.
    pub signed_at: String,
}

/// The newest heads, with the keys that verify them.
///
/// # Errors
/// The database fails.
pub async fn export(state: &State) -> Result<Exported, DbErr> {
    let newest = event_head::Entity::find().order_by_desc(event_head::Column::Position).limit(EXPORTED);
    let heads = newest.all(&state.db).await?;
    let heads = heads.into_iter().rev().map(|head| ExportedHead {
        position: head.position,
        hash: STANDARD.encode(&head.hash),
        key_id: head.key_id,
        signature: STANDARD.encode(&head.signature),
        signed_at: head.signed_at.to_rfc3339_opts(SecondsFormat::Micros, true),
    });
    Ok(Exported { keys: state.heads.keys.clone(), heads: heads.collect() })
}

impl Exported {
    /// The heads as they were in the log.
    ///
    /// # Errors
    /// Which head is not one.
    pub fn read(&self) -> Result<Vec<event_head::Model>, String> {
        let read = |head: &ExportedHead| {
            Some(event_head::Model {
                position: head.position,
                hash: STANDARD.decode(&head.hash).ok()?,
                key_id: head.key_id.clone(),
                signature: STANDARD.decode(&head.signature).ok()?,
                signed_at: DateTime::parse_from_rfc3339(&head.signed_at).ok()?.to_utc(),
            })
        };
        let all =
            self.heads.iter().map(|head| read(head).ok_or(format!("the head at {} cannot be read", head.position)));
        all.collect()
    }
}
