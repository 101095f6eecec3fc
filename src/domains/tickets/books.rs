//! The books: a ticket and its clocks as they are stored, and what keeping them takes.

use c360_entities::{sla_clock, ticket};
use c360_rules::id::{Kind, encode};
use c360_rules::sla::Clock;
use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use uuid::Uuid;

use super::desk::Desk;
use super::store::{SlaClockStatus, SlaMetric};
use super::words::read;
use crate::clock::random_bytes;
use crate::error::Fault;
use crate::events::{Event, TimelineEntryKind};
use crate::write::{Outcome, Tx};

/// How many numbers are drawn for a ticket, before something must be wrong.
const MOST_DRAWS: u32 = 50;

impl Desk {
    /// Tells of what was done, with all that has changed, and puts the ticket back.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn save(self, tx: &mut Tx, event: Event) -> Outcome<Uuid> {
        tx.tell(self.with_changes(event));
        self.put(tx).await
    }

    /// Puts the ticket back, with its clocks and a new version. Promises that turned out to be broken are told of.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn put(mut self, tx: &mut Tx) -> Outcome<Uuid> {
        self.row.version += 1;
        self.row.updated_at = tx.now();
        self.total();
        tx.put(self.row.clone()).await?;
        self.save_clocks(tx).await?;
        let (was, is) = (is_open(&self.before), is_open(&self.row));
        count(tx, self.row.customer_id, 0, i64::from(is) - i64::from(was)).await?;
        Ok(self.row.id)
    }

    /// Brings a new ticket into the books, under a number of its own.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn enter(mut self, tx: &mut Tx) -> Outcome<Self> {
        self.total();
        for _ in 0..MOST_DRAWS {
            self.row.number = number()?;
            if tx.insert_new(self.row.clone()).await? {
                self.save_clocks(tx).await?;
                count(tx, self.row.customer_id, 1, i64::from(is_open(&self.row))).await?;
                return Ok(self);
            }
        }
        tracing::error!("no free number for a ticket was drawn");
        Err(Fault::internal().into())
    }

    /// What the clocks say of the ticket as a whole.
    fn total(&mut self) {
        self.row.sla_due_at = self.clocks.due_at();
        self.row.sla_breached |= self.clocks.is_breached();
    }

    async fn save_clocks(&self, tx: &mut Tx) -> Outcome<()> {
        let mut changed = Vec::new();
        for (place, clock) in self.clocks.0.iter().enumerate() {
            let stored = self.stored.get(place);
            let row = clock_row(stored.map_or_else(|| tx.new_id(), |stored| stored.id), &self.row, clock);
            if row.breached_at.is_some() && stored.is_some_and(|stored| stored.breached_at.is_none()) {
                let event = self.staff_event(TimelineEntryKind::SlaBreached);
                tx.tell(event.change("metric", None, Some(row.metric.clone())));
            }
            if stored != Some(&row) {
                changed.push(row);
            }
        }
        tx.save(changed).await
    }

    fn with_changes(&self, event: Event) -> Event {
        let (was, is) = (&self.before, &self.row);
        let staff = |row: &ticket::Model| row.assignee_id.map(|id| encode(Kind::Staff, id));
        let team = |row: &ticket::Model| row.team_id.map(|id| encode(Kind::Team, id));
        event
            .change("status", Some(&was.status), Some(&is.status))
            .change("priority", Some(&was.priority), Some(&is.priority))
            .change("type", Some(&was.kind), Some(&is.kind))
            .change("subject", Some(&was.subject), Some(&is.subject))
            .change("assignee", staff(was), staff(is))
            .change("team", team(was), team(is))
    }
}

/// A number to tell the customer: short enough for the phone, and nothing can be told from it.
fn number() -> Outcome<String> {
    let bytes = random_bytes().map_err(|_| Fault::internal())?;
    let drawn = bytes.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(257).wrapping_add(u64::from(*byte)));
    Ok(format!("T-{}", 100_000_000 + drawn % 900_000_000))
}

fn is_open(row: &ticket::Model) -> bool {
    !matches!(row.status.as_str(), "SOLVED" | "CLOSED")
}

/// Counts tickets of a customer: how many more there are, and how many more are open.
async fn count(tx: &mut Tx, customer_id: Uuid, more: i64, more_open: i64) -> Outcome<()> {
    if more == 0 && more_open == 0 {
        return Ok(());
    }
    let added = |column: &'static str, more: i64| (column, Expr::col(column).add(more));
    let changes = [added("ticket_count", more), added("open_ticket_count", more_open), ("updated_at", tx.now().into())];
    tx.set("customer_statistics", ("customer_id", customer_id), changes).await
}

/// A clock of the books, for the rules.
pub(super) fn clock(row: &sla_clock::Model) -> Outcome<Clock> {
    Ok(Clock {
        metric: read(SlaMetric::from_column(&row.metric))?.into(),
        state: read(SlaClockStatus::from_column(&row.status))?.into(),
        target: TimeDelta::minutes(row.target_minutes.into()),
        elapsed: TimeDelta::seconds(row.elapsed_seconds),
        started_at: row.started_at,
        due_at: row.due_at,
        stopped_at: row.stopped_at,
        breached_at: row.breached_at,
    })
}

fn clock_row(id: Uuid, ticket: &ticket::Model, clock: &Clock) -> sla_clock::Model {
    sla_clock::Model {
        id,
        ticket_id: ticket.id,
        customer_id: ticket.customer_id,
        metric: SlaMetric::from(clock.metric).as_str().to_owned(),
        status: SlaClockStatus::from(clock.state).as_str().to_owned(),
        target_minutes: i32::try_from(clock.target.num_minutes()).unwrap_or(i32::MAX),
        elapsed_seconds: clock.elapsed.num_seconds(),
        started_at: clock.started_at,
        due_at: clock.due_at,
        stopped_at: clock.stopped_at,
        breached_at: clock.breached_at,
    }
}
