//! Repetitions: what a key stood for the first time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;

use super::perform::{Action, Work, system};
use super::tx::{Tx, get};
use super::{Outcome, Problem, Stop, text};
use crate::auth::Caller;
use crate::digest::sha256;
use crate::error::Fault;
use crate::state::State;

/// How long a key is remembered.
const KEPT: TimeDelta = TimeDelta::hours(48);

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
    /// # Errors
    /// `IDEMPOTENCY_KEY_PARAMETER_MISMATCH`; the database fails.
    pub(super) async fn take<T: DeserializeOwned>(&self, tx: &mut Tx) -> Outcome<Known<T>> {
        let mut sql = tx.sql();
        if sql.is_postgres() {
            sql.push("SELECT CASE WHEN pg_try_advisory_xact_lock(");
            sql.bind(self.lock());
            sql.push(") THEN 1 ELSE 0 END AS mine");
            let row = tx.row(sql).await?.ok_or_else(Fault::internal)?;
            if get::<i32>(&row, "mine")? == 0 {
                return Ok(Known::Busy);
            }
            sql = tx.sql();
        }
        sql.push("SELECT operation, input_hash, CAST(result_ids AS text) AS result_ids FROM idempotency_records WHERE caller = ");
        sql.bind(self.caller.clone());
        sql.push(" AND idempotency_key = ");
        sql.bind(self.key.clone());
        sql.push(" AND expires_at > ");
        sql.bind(tx.now());
        let Some(row) = tx.row(sql).await? else { return Ok(Known::New) };
        let operation: String = get(&row, "operation")?;
        let input: Vec<u8> = get(&row, "input_hash")?;
        if operation != self.operation || input != self.input {
            let message = "this key was used for another request: take a new one for each thing you want to happen";
            return Err(Problem::IdempotencyKeyParameterMismatch.at("idempotencyKey", message).into());
        }
        let ids: String = get(&row, "result_ids")?;
        serde_json::from_str(&ids).map(Known::Made).map_err(|_| Fault::internal().into())
    }

    /// Remembers what was made. A key that has run out is used again.
    ///
    /// # Errors
    /// Somebody was faster; the database fails.
    pub(super) async fn remember(&self, tx: &mut Tx, made: &impl serde::Serialize) -> Outcome<()> {
        let ids = serde_json::to_value(made).map_err(|_| Fault::internal())?;
        let now: DateTime<Utc> = tx.now();
        let mut sql = tx.sql();
        sql.push("INSERT INTO idempotency_records (caller, idempotency_key, operation, input_hash, result_ids, created_at, expires_at) VALUES (");
        sql.bind(self.caller.clone());
        sql.push(", ");
        sql.bind(self.key.clone());
        sql.push(", ");
        sql.bind(self.operation);
        sql.push(", ");
        sql.bind(self.input.clone());
        sql.push(", ");
        sql.bind(ids);
        sql.push(", ");
        sql.bind(now);
        sql.push(", ");
        sql.bind(now + KEPT);
        sql.push(
            ") ON CONFLICT (caller, idempotency_key) DO UPDATE SET operation = excluded.operation, \
             input_hash = excluded.input_hash, result_ids = excluded.result_ids, created_at = excluded.created_at, \
             expires_at = excluded.expires_at WHERE idempotency_records.expires_at <= excluded.created_at",
        );
        match tx.execute(sql).await? {
            1 => Ok(()),
            _ => Err(Stop::Again),
        }
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
