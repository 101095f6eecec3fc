//! Repetitions: what a key stood for the first time.

use std::sync::Arc;

use c360_entities::idempotency_record;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::QueryResult;
use serde::de::DeserializeOwned;

use super::perform::{Action, Work, system};
use super::queue::{Clash, Write};
use super::tx::{Tx, get};
use super::{Outcome, Problem, text};
use crate::auth::Caller;
use crate::digest::sha256;
use crate::error::Fault;
use crate::read::Sql;
use crate::state::State;

/// How long a key is remembered.
const KEPT: TimeDelta = TimeDelta::hours(48);
/// What is read of a record `r`.
const RECORD: &str = "r.operation, r.input_hash, CAST(r.result_ids AS text) AS result_ids";

/// A request that must have one effect, however often it is sent.
#[derive(Clone, Debug)]
pub(super) struct Keyed {
    caller: String,
    key: String,
    operation: &'static str,
    input: Vec<u8>,
}

/// What is known of a key.
pub(super) enum Known<T> {
    /// Nothing: it is this transaction's now.
    New,
    /// It was used, and this was made.
    Made(T),
    /// Somebody else's transaction is using it at this moment.
    Busy,
}

impl Keyed {
    /// The key of an action, if it has one.
    ///
    /// # Errors
    /// `INVALID_IDEMPOTENCY_KEY`.
    pub(super) fn of<A: Action>(caller: &Caller, action: &A) -> Outcome<Option<Self>> {
        let Some(key) = action.idempotency_key() else { return Ok(None) };
        text::key(key)?;
        let input = action.to_value().into_json().map_err(|_| Fault::internal())?;
        let named = format!("{}\0{input}", A::NAME);
        Ok(Some(Self {
            caller: caller.name(),
            key: key.to_owned(),
            operation: A::NAME,
            input: sha256(named.as_bytes()).to_vec(),
        }))
    }

    /// What it is called among the requests that this gateway is working on.
    pub(super) fn in_flight(&self) -> String {
        format!("{}\0{}", self.caller, self.key)
    }

    /// Takes the key for this transaction, unless somebody has it.
    ///
    /// Where it has to be locked, it is looked up by the same statement, and so as it was before the lock was had. Whoever
    /// wrote it down in between is found when this transaction does, or by [`Keyed::known`].
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_PARAMETER_MISMATCH`; the database fails.
    pub(super) async fn take<T: DeserializeOwned>(&self, tx: &mut Tx) -> Outcome<Known<T>> {
        let mut sql = tx.sql();
        if !sql.is_postgres() {
            return Ok(self.known(tx).await?.map_or(Known::New, Known::Made));
        }
        sql.push("SELECT CASE WHEN pg_try_advisory_xact_lock(");
        sql.bind(self.lock());
        sql.push(&format!(
            ") THEN 1 ELSE 0 END AS mine, {RECORD} FROM (SELECT 1) one LEFT JOIN idempotency_records r ON "
        ));
        self.is_it(tx, &mut sql);
        let row = tx.row(sql).await?.ok_or_else(Fault::internal)?;
        if get::<i32>(&row, "mine")? == 0 {
            return Ok(Known::Busy);
        }
        Ok(self.made(&row)?.map_or(Known::New, Known::Made))
    }

    /// What was made with the key.
    ///
    /// # Errors
    /// As [`Keyed::take`].
    pub(super) async fn known<T: DeserializeOwned>(&self, tx: &mut Tx) -> Outcome<Option<T>> {
        let mut sql = tx.sql();
        sql.push(&format!("SELECT {RECORD} FROM idempotency_records r WHERE "));
        self.is_it(tx, &mut sql);
        match tx.row(sql).await? {
            Some(row) => self.made(&row),
            None => Ok(None),
        }
    }

    /// A condition that the record `r` is of this key, and still counts.
    fn is_it(&self, tx: &Tx, sql: &mut Sql) {
        sql.push("r.caller = ");
        sql.bind(self.caller.clone());
        sql.push(" AND r.idempotency_key = ");
        sql.bind(self.key.clone());
        sql.push(" AND r.expires_at > ");
        sql.bind(tx.now());
    }

    /// What a record says was made, if there is one.
    fn made<T: DeserializeOwned>(&self, row: &QueryResult) -> Outcome<Option<T>> {
        let Some(operation) = get::<Option<String>>(row, "operation")? else { return Ok(None) };
        let input: Vec<u8> = get(row, "input_hash")?;
        if operation != self.operation || input != self.input {
            let message = "this key was used for another request: take a new one for each thing you want to happen";
            return Err(Problem::IdempotencyKeyParameterMismatch.at("idempotencyKey", message).into());
        }
        let ids: String = get(row, "result_ids")?;
        serde_json::from_str(&ids).map(Some).map_err(|_| Fault::internal().into())
    }

    /// The record of what was made. It changes one row, or somebody was faster; a key that has run out is used again.
    ///
    /// # Errors
    /// What was made cannot be written down.
    pub(super) fn record(&self, tx: &Tx, made: &impl serde::Serialize) -> Outcome<Write> {
        let now: DateTime<Utc> = tx.now();
        let record = idempotency_record::Model {
            caller: self.caller.clone(),
            idempotency_key: self.key.clone(),
            operation: self.operation.to_owned(),
            input_hash: self.input.clone(),
            result_ids: serde_json::to_value(made).map_err(|_| Fault::internal())?,
            created_at: now,
            expires_at: now + KEPT,
        };
        let has_run_out = "idempotency_records.expires_at <= excluded.created_at";
        Ok(Write::insert(vec![record], Clash::ReplaceIf(has_run_out)))
    }

    /// A number for the lock. Two keys that share one wait for each other, and nothing worse.
    fn lock(&self) -> i64 {
        let mut first = [0; 8];
        first.copy_from_slice(&sha256(self.in_flight().as_bytes())[..8]);
        i64::from_be_bytes(first)
    }
}

/// Forgets at most `limit` keys that have run out; how many it forgot.
///
/// # Errors
/// The database fails.
pub async fn prune(state: &Arc<State>, limit: usize) -> Result<usize, Fault> {
    system(state, "prune", &Prune { limit }).await
}

struct Prune {
    limit: usize,
}

impl Work for Prune {
    type Made = usize;

    async fn run(&self, tx: &mut Tx) -> Outcome<usize> {
        let mut sql = tx.sql();
        sql.push(
            "DELETE FROM idempotency_records WHERE (caller, idempotency_key) IN \
             (SELECT caller, idempotency_key FROM idempotency_records WHERE expires_at <= ",
        );
        sql.bind(tx.now());
        sql.push(" ORDER BY expires_at LIMIT ");
        sql.bind(i64::try_from(self.limit).unwrap_or(i64::MAX));
        sql.push(")");
        Ok(usize::try_from(tx.execute(sql).await?).unwrap_or(usize::MAX))
    }
}
