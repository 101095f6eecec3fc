//! The books of one account: the ledger's entries as rows.

use c360_entities::{loyalty_transaction, points_allocation};
use c360_rules::ledger::{Account, Entry, TransactionKind};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::reference::Programme;
use super::rows::Rows;
use crate::clock;

/// An account in the making.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) id: Uuid,
    pub(super) account: Account,
    /// Which transaction brought each lot.
    pub(super) origins: Vec<(Uuid, Uuid)>,
    /// Which transaction recorded what an order earned.
    pub(super) earned: Vec<(Uuid, Uuid)>,
    pub(super) posted: usize,
    pub(super) rank: i32,
    pub(super) tier_until: DateTime<Utc>,
    balance: i64,
    last: DateTime<Utc>,
    /// What orders earned, less what was taken back, and when.
    qualifying: Vec<(DateTime<Utc>, i64)>,
}

/// What a transaction says besides its points.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Posting<'a> {
    pub(super) reason: Option<&'a str>,
    pub(super) reverses_id: Option<Uuid>,
    pub(super) staff_id: Option<Uuid>,
    pub(super) source: Option<&'a str>,
}

impl Book {
    pub(super) fn new(id: Uuid) -> Self {
        Self {
            id,
            account: Account::default(),
            origins: Vec::new(),
            earned: Vec::new(),
            posted: 0,
            rank: 1,
            tier_until: DateTime::UNIX_EPOCH,
            balance: 0,
            last: DateTime::UNIX_EPOCH,
            qualifying: Vec::new(),
        }
    }

    /// When the next points expire, if they do until an instant.
    pub(super) fn next_expiry(&self, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let open = self.account.lots.iter().filter(|lot| lot.is_open() && lot.free() > 0);
        open.filter_map(|lot| lot.expires_at).filter(|expiry| *expiry <= until).min()
    }

    /// The points that count for a tier, since an instant.
    pub(super) fn gained(&self, since: DateTime<Utc>) -> i64 {
        self.qualifying.iter().filter(|(at, _)| *at > since).map(|(_, points)| points).sum()
    }

    /// When the tier is looked at again because of time alone: when it ends, or points leave the qualification period.
    pub(super) fn next_review(
        &self,
        tier_until: Option<DateTime<Utc>>,
        programme: &Programme,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let since = now - programme.qualification;
        let counted = self.qualifying.iter().map(|(at, _)| *at).filter(|at| *at > since).min();
        counted.map(|at| at + programme.qualification).into_iter().chain(tier_until).min()
    }

    /// Appends an entry, and its part of each lot. Returns the transaction's id.
    pub(super) fn post(
        &mut self,
        customer_id: Uuid,
        entry: &Entry,
        posting: Posting<'_>,
        rng: &mut fastrand::Rng,
        rows: &mut Rows,
    ) -> Uuid {
        // Two entries of one moment keep their order, so that each balance follows from the one before.
        let at = entry.at.max(self.last + TimeDelta::milliseconds(1));
        let id = clock::id_at(at, rng);
        self.last = at;
        self.posted += 1;
        self.balance += entry.points;
        if matches!(entry.kind, TransactionKind::Accrual | TransactionKind::Reversal) {
            self.qualifying.push((at, entry.points));
        }
        rows.loyalty_transactions.push(loyalty_transaction::Model {
            id,
            account_id: self.id,
            customer_id,
            kind: entry.kind.as_str().to_owned(),
            points: entry.points,
            balance_after: self.balance,
            reason: posting.reason.map(str::to_owned),
            order_id: entry.order_id,
            reverses_id: posting.reverses_id,
            staff_id: posting.staff_id,
            source: posting.source.unwrap_or("c360").to_owned(),
            occurred_at: at,
        });
        for &(lot_id, points) in &entry.allocations {
            if points > 0 && !self.origins.iter().any(|(lot, _)| *lot == lot_id) {
                self.origins.push((lot_id, id));
            }
            rows.points_allocations.push(points_allocation::Model { transaction_id: id, lot_id, customer_id, points });
        }
        id
    }
}
