//! Points reserved at a till, as rows.

use c360_entities::{points_hold, points_hold_allocation};
use c360_rules::id::Kind;
use c360_rules::ledger::{Hold, LedgerError};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, JoinType, QueryFilter as _, QuerySelect as _};
use uuid::Uuid;

use super::ledger::{Ledger, Posting};
use crate::choice;
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::write::{Outcome, Tx};

choice! {
    /// What has become of points that were reserved at a till.
    pub enum PointsHoldStatus {
        /// Reserved.
        Held = "HELD",
        /// Spent, all or some; the rest was given back.
        Captured = "CAPTURED",
        /// Given back.
        Released = "RELEASED",
        /// Given back because the time was up.
        Lapsed = "LAPSED",
    }
}

/// A hold: its row, and how much of which lot it reserves.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) row: points_hold::Model,
    allocations: Vec<(Uuid, i64)>,
    state: State,
}

/// Whether a hold has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Stored,
    New,
    Closed,
}

impl Held {
    /// As the rules see it.
    pub(super) fn rule(&self) -> Hold {
        Hold { id: self.row.id, allocations: self.allocations.clone() }
    }

    /// Whether its points are still reserved.
    pub(super) fn is_open(&self) -> bool {
        self.state != State::Closed
    }
}

impl Ledger {
    /// Reserves points until an instant; the hold's id.
    ///
    /// # Errors
    /// What the rules refuse.
    pub(crate) fn hold(
        &mut self,
        tx: &mut Tx,
        points: i64,
        lapses_at: DateTime<Utc>,
        reference: Option<String>,
        reason: Option<String>,
    ) -> Result<Uuid, LedgerError> {
        let now = tx.now();
        let Hold { id, allocations } = self.account.hold(tx.new_id(), points, now)?;
        let row = points_hold::Model {
            id,
            account_id: self.row.id,
            customer_id: self.row.customer_id,
            status: PointsHoldStatus::Held.as_str().to_owned(),
            points,
            captured_points: 0,
            source: tx.source(),
            lapses_at,
            created_at: now,
            closed_at: None,
            reference,
            transaction_id: None,
        };
        tell(tx, TimelineEntryKind::PointsHeld, &row, points, reason);
        self.holds.push(Held { row, allocations, state: State::New });
        Ok(id)
    }

    /// How many points an open hold of the account reserves.
    pub(crate) fn reserved(&self, hold_id: Uuid) -> Option<i64> {
        self.holds.iter().find(|held| held.row.id == hold_id && held.is_open()).map(|held| held.row.points)
    }

    /// Ends a hold: spends the first of its points, and gives the rest back; the entry that spends them.
    ///
    /// # Errors
    /// What the rules refuse.
    pub(crate) fn close(
        &mut self,
        tx: &mut Tx,
        hold_id: Uuid,
        captured: i64,
        status: PointsHoldStatus,
        posting: &Posting,
    ) -> Result<Option<Uuid>, LedgerError> {
        let lot = self.new_lot(tx);
        let entries = match captured {
            0 => self.account.release(hold_id, tx.now(), lot)?,
            points => self.account.capture(hold_id, points, tx.now(), lot)?,
        };
        let spent = self.post(tx, entries, posting).first().copied().filter(|_| captured > 0);
        let Some(held) = self.holds.iter_mut().find(|held| held.row.id == hold_id) else {
            return Err(LedgerError::UnknownHold);
        };
        held.state = State::Closed;
        held.row.status = status.as_str().to_owned();
        held.row.captured_points = captured;
        held.row.closed_at = Some(tx.now());
        held.row.transaction_id = spent;
        let back = held.row.points - captured;
        if back > 0 {
            tell(tx, TimelineEntryKind::PointsReleased, &held.row, back, posting.reason.clone());
        }
        Ok(spent)
    }
}

fn tell(tx: &mut Tx, kind: TimelineEntryKind, row: &points_hold::Model, points: i64, reason: Option<String>) {
    let mut event = Event::of(kind, TimelineDomain::Loyalty)
        .customer(row.customer_id)
        .about(Kind::PointsHold, row.id)
        .points(points)
        .because(reason);
    event.label.clone_from(&row.reference);
    tx.tell(event);
}

/// The points of an account that are reserved at this moment.
pub(super) async fn open(tx: &mut Tx, account_id: Uuid) -> Outcome<Vec<Held>> {
    let open = points_hold::Entity::find()
        .filter(points_hold::Column::AccountId.eq(account_id))
        .filter(points_hold::Column::Status.eq(PointsHoldStatus::Held.as_str()));
    let parts = points_hold::Entity::belongs_to(points_hold_allocation::Entity)
        .from(points_hold::Column::Id)
        .to(points_hold_allocation::Column::HoldId)
        .into();
    let open = open.select_also(points_hold_allocation::Entity).join(JoinType::LeftJoin, parts);
    let mut holds: Vec<Held> = Vec::new();
    for (row, part) in tx.pairs(open).await? {
        let part = part.map(|part| (part.lot_id, part.points));
        match holds.iter_mut().find(|held| held.row.id == row.id) {
            Some(held) => held.allocations.extend(part),
            None => holds.push(Held { row, allocations: part.into_iter().collect(), state: State::Stored }),
        }
    }
    Ok(holds)
}

/// Writes the holds that have changed; whether any has.
pub(super) async fn save(tx: &mut Tx, holds: &[Held]) -> Outcome<bool> {
    let mut changed = false;
    for Held { row, allocations, state } in holds.iter().filter(|held| held.state != State::Stored) {
        changed = true;
        if *state == State::Closed {
            tx.put(row.clone()).await?;
            continue;
        }
        tx.insert([row.clone()]).await?;
        let part = |&(lot_id, points): &(Uuid, i64)| points_hold_allocation::Model {
            hold_id: row.id,
            lot_id,
            customer_id: row.customer_id,
            points,
        };
        tx.insert(allocations.iter().map(part)).await?;
    }
    Ok(changed)
}
