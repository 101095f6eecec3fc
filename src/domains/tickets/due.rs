//! What happens to tickets because time passes: promises are broken, solved tickets are closed.

use std::collections::BTreeSet;
use std::sync::Arc;

use c360_rules::ticket::Action as Step;
use chrono::TimeDelta;
use uuid::Uuid;

use super::desk::Desk;
use crate::config::Config;
use crate::error::Fault;
use crate::events::TimelineEntryKind;
use crate::read::Sql;
use crate::state::State;
use crate::write::{Outcome, Tx, Work, get, system};

/// Records promises that were broken: at least `limit` of them, as long as there are as many. How many that were.
///
/// # Errors
/// The database fails.
pub async fn sla(state: &Arc<State>, limit: usize) -> Result<usize, Fault> {
    system(state, "sla", &Break { limit }).await
}

/// Closes tickets that were solved as many days ago as the settings say: at most `limit`. How many that were.
///
/// # Errors
/// The database fails.
pub async fn close(state: &Arc<State>, limit: usize) -> Result<usize, Fault> {
    match rest_of_solved(&state.config) {
        None => Ok(0),
        Some(after) => system(state, "close", &Close { limit, after }).await,
    }
}

/// How long a solved ticket can still be reopened; `None` if it always can.
pub fn rest_of_solved(config: &Config) -> Option<TimeDelta> {
    let days = config.tickets.close_after_days;
    (days > 0).then(|| TimeDelta::days(days.into()))
}

/// Records promises whose time is over.
struct Break {
    limit: usize,
}

impl Work for Break {
    type Made = usize;

    async fn run(&self, tx: &mut Tx) -> Outcome<usize> {
        let mut sql = tx.sql();
        sql.push(
            "SELECT d.ticket_id, x.id AS customer_id FROM sla_clocks d JOIN customers x ON x.id = d.customer_id \
             WHERE d.status = 'RUNNING' AND x.status = 'ACTIVE' AND d.due_at < ",
        );
        sql.bind(tx.now());
        sql.push(" ORDER BY d.due_at");
        let mut broken = 0;
        for (customer_id, ticket_id) in due(tx, sql, self.limit).await? {
            let Some(mut desk) = take(tx, customer_id, ticket_id).await? else { continue };
            match desk.breach(tx) {
                0 => {}
                clocks => {
                    desk.put(tx).await?;
                    broken += clocks;
                }
            }
        }
        Ok(broken)
    }
}

/// Closes tickets that were solved long ago.
struct Close {
    limit: usize,
    after: TimeDelta,
}

impl Work for Close {
    type Made = usize;

    async fn run(&self, tx: &mut Tx) -> Outcome<usize> {
        let before = tx.now() - self.after;
        let mut sql = tx.sql();
        sql.push(
            "SELECT d.id AS ticket_id, x.id AS customer_id FROM tickets d JOIN customers x ON x.id = d.customer_id \
             WHERE d.status = 'SOLVED' AND x.status = 'ACTIVE' AND d.solved_at < ",
        );
        sql.bind(before);
        sql.push(" ORDER BY d.solved_at");
        let mut closed = 0;
        for (customer_id, ticket_id) in due(tx, sql, self.limit).await? {
            let Some(mut desk) = take(tx, customer_id, ticket_id).await? else { continue };
            if desk.row.status == "SOLVED" && desk.row.solved_at.is_some_and(|at| at < before) {
                desk.act(tx, Step::Close).await?;
                let event = desk.event(TimelineEntryKind::TicketClosed);
                desk.save(tx, event).await?;
                closed += 1;
            }
        }
        Ok(closed)
    }
}

/// The customers and tickets that a statement finds. Customers whom somebody else works on are left for the next time,
/// so that the job never waits while others wait for it.
async fn due(tx: &mut Tx, mut sql: Sql, limit: usize) -> Outcome<BTreeSet<(Uuid, Uuid)>> {
    sql.push(&format!(" LIMIT {limit}"));
    if sql.is_postgres() {
        sql.push(" FOR NO KEY UPDATE OF x SKIP LOCKED");
    }
    tx.rows(sql).await?.iter().map(|row| Ok((get(row, "customer_id")?, get(row, "ticket_id")?))).collect()
}

/// A ticket as it is now that its customer is locked.
async fn take(tx: &mut Tx, customer_id: Uuid, ticket_id: Uuid) -> Outcome<Option<Desk>> {
    match tx.lock_customer(customer_id).await? {
        Some(_) => Desk::find(tx, ticket_id).await,
        None => Ok(None),
    }
}
