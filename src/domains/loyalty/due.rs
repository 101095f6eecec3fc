//! What happens to points because of time alone. Each job takes the accounts that are due longest, one transaction for
//! each: whatever is due there is carried out, so that a job that runs twice, or beside another one, does nothing more.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use super::ledger::Ledger;
use crate::db;
use crate::error::Fault;
use crate::read::Sql;
use crate::state::State;
use crate::write::{Outcome, Tx, Work, system};

/// What is due: since when, of which account, in which rows. `{now}` stands for the time.
macro_rules! due {
    ($name:ident, $since:literal, $account:literal, $rows:literal) => {
        #[doc = concat!("Since when something is due, as `due`: the earliest `", $since, "`.")]
pub const $name: &str = concat!("SELECT MIN(", $since, ") AS due FROM ", due!(@ $rows));

        impl Queue {
            const $name: Self = Self(
                concat!(
                    "SELECT ",
                    $account,
                    " AS account, x.customer_id FROM ",
                    due!(@ $rows),
                    " AND NOT ({resting}) ORDER BY ",
                    $since,
                    " LIMIT "
                ),
                $account,
            );
        }
    };
    (@ $rows:literal) => {
        concat!(
            $rows,
            " <= {now} AND EXISTS (SELECT 1 FROM customers c WHERE c.id = x.customer_id AND c.status = 'ACTIVE')"
        )
    };
}

/// A statement of the accounts that are due, but for their number, and its column of accounts. `{resting}` stands for a
/// condition that an account is left alone.
#[derive(Clone, Copy, Debug)]
struct Queue(&'static str, &'static str);

due!(ACTIVATION, "x.available_at", "x.account_id", "points_lots x WHERE x.state = 'PENDING' AND x.available_at");
due!(
    EXPIRY,
    "x.expires_at",
    "x.account_id",
    "points_lots x WHERE x.remaining > 0 AND x.remaining > x.held AND x.expires_at IS NOT NULL AND x.expires_at"
);
due!(LAPSE, "x.lapses_at", "x.account_id", "points_holds x WHERE x.status = 'HELD' AND x.lapses_at");
due!(TIERS, "x.review_at", "x.id", "loyalty_accounts x WHERE x.review_at IS NOT NULL AND x.review_at");

/// Makes pending points active whose orders can no longer be returned. How many lots were due, up to the limit.
///
/// # Errors
/// The database fails.
pub async fn activation(state: &Arc<State>, limit: usize) -> Result<usize, Fault> {
    run(state, "activation", Queue::ACTIVATION, limit).await
}

/// Lets points expire, the oldest first. How many lots were due, up to the limit.
///
/// # Errors
/// The database fails.
pub async fn expiry(state: &Arc<State>, limit: usize) -> Result<usize, Fault> {
    run(state, "expiry", Queue::EXPIRY, limit).await
}

/// Gives points back whose hold was neither captured nor released in time. How many holds were due, up to the limit.
///
/// # Errors
/// The database fails.
pub async fn lapse(state: &Arc<State>, limit: usize) -> Result<usize, Fault> {
    run(state, "lapse", Queue::LAPSE, limit).await
}

/// Reviews tiers whose end has come, or the end of their grace, and those of members whose points have left the
/// qualification period. How many accounts were due, up to the limit.
///
/// # Errors
/// The database fails.
pub async fn tiers(state: &Arc<State>, limit: usize) -> Result<usize, Fault> {
    run(state, "tiers", Queue::TIERS, limit).await
}

/// An account for which something is due.
#[derive(Clone, Copy, Debug)]
struct Due {
    account: Uuid,
    customer: Uuid,
}

impl Work for Due {
    type Made = ();

    async fn run(&self, tx: &mut Tx) -> Outcome<()> {
        if tx.lock_customer(self.customer).await?.is_none() {
            return Ok(());
        }
        let Some(mut ledger) = Ledger::of(tx, self.account).await? else { return Ok(()) };
        ledger.sweep(tx);
        ledger.save(tx).await.map(drop)
    }
}

/// Carries out what is due. An account that fails is left alone for a while, and does not keep the others waiting.
async fn run(state: &Arc<State>, job: &'static str, queue: Queue, limit: usize) -> Result<usize, Fault> {
    let setbacks = &state.writers.setbacks;
    let time = state.clock.now();
    let mut sql = Sql::new(state.db.get_database_backend());
    let now = sql.parameter(time);
    let resting = sql.one_of(queue.1, &setbacks.resting(job, time));
    sql.push(&queue.0.replace("{now}", &now).replace("{resting}", &resting));
    sql.push(&limit.to_string());
    let rows = db::in_time(&state.config.database, state.db.query_all_raw(sql.finish())).await?;
    let (mut tried, mut count) = (HashMap::new(), 0);
    let mut failure = None;
    for row in rows {
        let due = Due { account: row.try_get("", "account")?, customer: row.try_get("", "customer_id")? };
        let done = match tried.get(&due.account) {
            Some(done) => *done,
            None => {
                let outcome = system(state, job, &due).await;
                let done = outcome.is_ok();
                match done {
                    true => setbacks.mended(job, due.account),
                    false => setbacks.failed(job, due.account, time),
                }
                failure = failure.or(outcome.err());
                tried.insert(due.account, done);
                done
            }
        };
        count += usize::from(done);
    }
    match failure {
        Some(fault) if count == 0 => Err(fault),
        _ => Ok(count),
    }
}
