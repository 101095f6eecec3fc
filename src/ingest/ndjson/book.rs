//! An account while items move its points: the rules of the ledger in between, and rows before and after.

use std::collections::HashMap;

use c360_entities::{loyalty_account, loyalty_transaction, points_allocation, points_lot};
use c360_rules::ledger::{Account, Entry, LedgerError, Lot, NewLot, TransactionKind};
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use super::lookup::by_ids;
use crate::bulk::Batch;
use crate::clock::derived_id;
use crate::domains::loyalty::ledger::{lot, lot_row};

/// A redemption that may be given back, and how much of it was.
#[derive(Clone, Debug)]
pub(super) struct Redeemed {
    pub(super) entry: Entry,
    pub(super) refunded: i64,
}

/// What a transaction says besides its points.
#[derive(Clone, Debug, Default)]
pub(super) struct Posting<'a> {
    pub(super) source: &'a str,
    /// What the entries are called, once in the account.
    pub(super) name: String,
    pub(super) reason: Option<String>,
    pub(super) reverses_id: Option<Uuid>,
    /// The id of the first entry, if it is given.
    pub(super) id: Option<Uuid>,
}

/// An entry that was appended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posted {
    pub(super) id: Uuid,
    pub(super) kind: TransactionKind,
    pub(super) points: i64,
    pub(super) at: DateTime<Utc>,
}

/// An account and its books.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) row: loyalty_account::Model,
    pub(super) redeemed: HashMap<Uuid, Redeemed>,
    is_new: bool,
    read_version: i64,
    account: Account,
    /// Active, pending and held points in lots that were not read, because nothing is taken from them.
    before: [i64; 3],
    balance: i64,
    /// The lots as they were read.
    stored: HashMap<Uuid, Lot>,
    origins: HashMap<Uuid, Uuid>,
    transactions: Vec<loyalty_transaction::Model>,
    allocations: Vec<points_allocation::Model>,
}

impl Book {
    /// A new account.
    pub(super) fn new(row: loyalty_account::Model) -> Self {
        Self { is_new: true, ..Self::stored(row, None) }
    }

    /// An account that is there, with its open lots if they may be needed.
    pub(super) fn stored(row: loyalty_account::Model, lots: Option<Vec<points_lot::Model>>) -> Self {
        let mut account = Account {
            owed: row.owed_points,
            spent: row.spent_points,
            expired: row.expired_points,
            lifetime: row.lifetime_points,
            ..Account::default()
        };
        let whole = [row.active_points, row.pending_points, row.held_points];
        let before = if lots.is_some() { [0; 3] } else { whole };
        let lots = lots.unwrap_or_default();
        let origins = lots.iter().map(|lot| (lot.id, lot.transaction_id)).collect();
        account.lots = lots.into_iter().map(lot).collect();
        let stored = account.lots.iter().map(|lot| (lot.id, lot.clone())).collect();
        Self {
            balance: whole.iter().sum(),
            before,
            account,
            stored,
            origins,
            read_version: row.version,
            row,
            is_new: false,
            redeemed: HashMap::new(),
            transactions: Vec::new(),
            allocations: Vec::new(),
        }
    }

    /// Whether orders earn points for it.
    pub(super) fn earns_by_orders(&self) -> bool {
        self.row.earning == "ORDERS" && self.row.status != "CLOSED"
    }

    /// What an order earned: active at once, and without an end.
    pub(super) fn accrue(
        &mut self,
        points: i64,
        at: DateTime<Utc>,
        order_id: Option<Uuid>,
        posting: &Posting<'_>,
    ) -> Result<Vec<Posted>, LedgerError> {
        let lot_id = self.lot_id(at, posting);
        let entries = self.account.accrue(points, at, at, None, order_id, lot_id)?;
        Ok(self.post(entries, posting))
    }

    /// Takes back what an order earned; what is spent becomes owed.
    pub(super) fn take_back(
        &mut self,
        points: i64,
        at: DateTime<Utc>,
        order_id: Option<Uuid>,
        posting: &Posting<'_>,
    ) -> Result<Vec<Posted>, LedgerError> {
        let mut entries = self.account.take_back_order(order_id.unwrap_or_default(), points, at)?;
        entries.iter_mut().for_each(|entry| entry.order_id = order_id);
        // What becomes owed appends no entry, and is a change all the same.
        self.row.version += i64::from(entries.is_empty());
        Ok(self.post(entries, posting))
    }

    /// Credits or debits.
    pub(super) fn adjust(
        &mut self,
        points: i64,
        at: DateTime<Utc>,
        posting: &Posting<'_>,
    ) -> Result<Vec<Posted>, LedgerError> {
        let lot = NewLot { id: self.lot_id(at, posting), expires_at: None };
        let entries = self.account.adjust(points, at, lot)?;
        Ok(self.post(entries, posting))
    }

    /// Spends.
    pub(super) fn redeem(
        &mut self,
        points: i64,
        at: DateTime<Utc>,
        posting: &Posting<'_>,
    ) -> Result<Vec<Posted>, LedgerError> {
        let entries = self.account.redeem(points, at)?;
        Ok(self.post(entries, posting))
    }

    /// Points that the source let expire. Its lots are not known here: the oldest go first.
    pub(super) fn expire(
        &mut self,
        points: i64,
        at: DateTime<Utc>,
        posting: &Posting<'_>,
    ) -> Result<Vec<Posted>, LedgerError> {
        let lot = NewLot { id: self.lot_id(at, posting), expires_at: None };
        let mut entries = self.account.adjust(-points, at, lot)?;
        entries.iter_mut().for_each(|entry| entry.kind = TransactionKind::Expiration);
        self.account.expired += points;
        Ok(self.post(entries, posting))
    }

    /// Gives points of a redemption back; `None` if it is not known.
    pub(super) fn refund(
        &mut self,
        redemption: Uuid,
        points: i64,
        at: DateTime<Utc>,
        posting: &Posting<'_>,
    ) -> Option<Result<Vec<Posted>, LedgerError>> {
        let lot = NewLot { id: self.lot_id(at, posting), expires_at: None };
        let Redeemed { entry, refunded } = self.redeemed.get(&redemption)?.clone();
        let entries = match self.account.refund(&entry, refunded, points, at, lot) {
            Ok(entries) => entries,
            Err(error) => return Some(Err(error)),
        };
        if let Some(redeemed) = self.redeemed.get_mut(&redemption) {
            redeemed.refunded += points;
        }
        Some(Ok(self.post(entries, posting)))
    }

    fn lot_id(&self, at: DateTime<Utc>, posting: &Posting<'_>) -> Uuid {
        derived_id(at, posting.source, &format!("lot/{}/{}", self.row.id, posting.name))
    }

    fn post(&mut self, entries: Vec<Entry>, posting: &Posting<'_>) -> Vec<Posted> {
        let customer_id = self.row.customer_id;
        let mut posted = Vec::with_capacity(entries.len());
        for (place, entry) in entries.into_iter().enumerate() {
            let name = format!("points/{}/{}/{place}", self.row.id, posting.name);
            let id = posting.id.filter(|_| place == 0).unwrap_or_else(|| derived_id(entry.at, posting.source, &name));
            for &(lot_id, points) in &entry.allocations {
                self.origins.entry(lot_id).or_insert(id);
                self.allocations.push(points_allocation::Model { transaction_id: id, lot_id, customer_id, points });
            }
            self.balance += entry.points;
            self.row.version += 1;
            self.transactions.push(loyalty_transaction::Model {
                id,
                account_id: self.row.id,
                customer_id,
                kind: entry.kind.as_str().into(),
                points: entry.points,
                balance_after: self.balance,
                reason: posting.reason.clone(),
                order_id: entry.order_id,
                reverses_id: posting.reverses_id.filter(|_| place == 0),
                staff_id: None,
                source: posting.source.into(),
                occurred_at: entry.at,
            });
            posted.push(Posted { id, kind: entry.kind, points: entry.points, at: entry.at });
            if entry.kind == TransactionKind::Redemption {
                self.redeemed.insert(id, Redeemed { entry, refunded: 0 });
            }
        }
        posted
    }

    /// Adds the rows of what has changed; the account's id if anything has.
    pub(super) fn finish(mut self, batch: &mut Batch) -> Option<Uuid> {
        let balance = self.account.balance();
        let [active, pending, held] = self.before;
        let figures = [
            (&mut self.row.active_points, active + balance.active),
            (&mut self.row.pending_points, pending + balance.pending),
            (&mut self.row.held_points, held + balance.held),
            (&mut self.row.owed_points, balance.owed),
            (&mut self.row.spent_points, balance.spent),
            (&mut self.row.expired_points, balance.expired),
            (&mut self.row.lifetime_points, balance.lifetime),
        ];
        for (stored, now) in figures {
            *stored = now;
        }
        if self.row.version == self.read_version && !self.is_new {
            return None;
        }
        if self.is_new {
            batch.push(&self.row);
        } else {
            batch.expect("loyalty_accounts", self.row.id, self.read_version);
            batch.put(&self.row);
        }
        batch.extend(&self.transactions);
        batch.extend(&self.allocations);
        for lot in &self.account.lots {
            let Some(origin) = self.origins.get(&lot.id) else { continue };
            match self.stored.get(&lot.id) {
                Some(before) if before == lot => {}
                Some(_) => batch.put(&lot_row(lot, &self.row, *origin)),
                None => batch.push(&lot_row(lot, &self.row, *origin)),
            }
        }
        Some(self.row.id)
    }

    /// A lot that is used up, but may get points back.
    pub(super) fn add_lot(&mut self, row: points_lot::Model) {
        let (id, transaction_id) = (row.id, row.transaction_id);
        let lot = lot(row);
        if self.stored.insert(id, lot.clone()).is_none() {
            self.origins.insert(id, transaction_id);
            self.account.lots.push(lot);
        }
    }
}

/// The lots that have points left, by account.
pub(super) async fn open_lots(
    db: &DatabaseConnection,
    accounts: &[Uuid],
) -> Result<HashMap<Uuid, Vec<points_lot::Model>>, DbErr> {
    let mut lots: HashMap<Uuid, Vec<points_lot::Model>> = HashMap::new();
    for lot in by_ids::<points_lot::Entity>(db, "points_lots", "remaining > 0 AND account_id", accounts).await? {
        lots.entry(lot.account_id).or_default().push(lot);
    }
    Ok(lots)
}
