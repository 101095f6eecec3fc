//! The ledger of an account in a transaction: the rules in between, rows before and after.

use std::collections::HashMap;

use c360_entities::{
    loyalty_account, loyalty_transaction, points_allocation, points_hold, points_hold_allocation, points_lot,
};
use c360_rules::id::Kind;
use c360_rules::ledger::{Account, Entry, Hold, LedgerError, Lot, LotState, NewLot, TransactionKind};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use crate::error::Fault;
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::write::{Outcome, Problem, Refusal, Stop, Tx};

/// An account whose customer is locked: its open lots, its holds, and what has been done to them.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The account as it is stored; [`Ledger::save`] brings its figures up to date.
    pub(crate) row: loyalty_account::Model,
    /// The account as the rules see it.
    pub(crate) account: Account,
    /// The lots as they were read, and the entries that made them.
    stored: HashMap<Uuid, Lot>,
    origins: HashMap<Uuid, Uuid>,
    transactions: Vec<loyalty_transaction::Model>,
    allocations: Vec<points_allocation::Model>,
}

/// What entries say besides their points.
#[derive(Clone, Debug, Default)]
pub(crate) struct Posting {
    /// Why, in words.
    pub(crate) reason: Option<String>,
    /// The entry that is undone.
    pub(crate) reverses_id: Option<Uuid>,
    /// The member of staff who did it.
    pub(crate) staff_id: Option<Uuid>,
    /// On which channel.
    pub(crate) channel: Option<&'static str>,
}

impl Ledger {
    /// The account of a locked customer in the active programme, with all that is due carried out.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, `NOT_ACTIVE` if it is blocked or closed.
    pub(crate) async fn open(tx: &mut Tx, customer_id: Uuid, field: &'static str) -> Outcome<Self> {
        let mut ledger = Self::read(tx, customer_id).await?.ok_or_else(|| {
            Problem::NotFound.at(field, "the customer is not a member of the loyalty programme: enrol them first")
        })?;
        if ledger.row.status != "ACTIVE" {
            return Err(Problem::NotActive.at(field, "the loyalty account is blocked or closed").into());
        }
        ledger.sweep(tx);
        Ok(ledger)
    }

    /// The account of a locked customer in the active programme, as it is.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn read(tx: &mut Tx, customer_id: Uuid) -> Outcome<Option<Self>> {
        let accounts = loyalty_account::Entity::find()
            .filter(loyalty_account::Column::CustomerId.eq(customer_id))
            .filter(super::store::in_active_programme());
        let Some(row) = tx.one(accounts).await? else { return Ok(None) };
        let lots = points_lot::Entity::find()
            .filter(points_lot::Column::AccountId.eq(row.id))
            .filter(points_lot::Column::Remaining.gt(0));
        let lots = tx.all(lots).await?;
        let mut account = Account {
            owed: row.owed_points,
            spent: row.spent_points,
            expired: row.expired_points,
            lifetime: row.lifetime_points,
            ..Account::default()
        };
        if row.held_points > 0 {
            account.holds = holds(tx, row.id).await?;
        }
        let origins = lots.iter().map(|lot| (lot.id, lot.transaction_id)).collect();
        account.lots = lots.into_iter().map(lot).collect();
        let stored = account.lots.iter().map(|lot| (lot.id, lot.clone())).collect();
        Ok(Some(Self { row, account, stored, origins, transactions: Vec::new(), allocations: Vec::new() }))
    }

    /// Carries out what is due: pending points become active, points past their expiry leave.
    pub(crate) fn sweep(&mut self, tx: &mut Tx) {
        let entries = self.account.sweep(tx.now());
        self.post(tx, entries, &Posting::default());
    }

    /// A lot for points that need a new one.
    pub(crate) fn new_lot(tx: &Tx) -> NewLot {
        NewLot { id: tx.new_id(), expires_at: None }
    }

    /// Appends entries, and tells of them; their ids.
    pub(crate) fn post(&mut self, tx: &mut Tx, entries: Vec<Entry>, posting: &Posting) -> Vec<Uuid> {
        let (account_id, customer_id) = (self.row.id, self.row.customer_id);
        let balance = self.transactions.last().map_or_else(|| self.balance(), |last| last.balance_after);
        let mut balance = balance;
        let mut ids = Vec::with_capacity(entries.len());
        for entry in entries {
            let id = tx.new_id();
            for &(lot_id, points) in &entry.allocations {
                self.origins.entry(lot_id).or_insert(id);
                self.allocations.push(points_allocation::Model { transaction_id: id, lot_id, customer_id, points });
            }
            balance += entry.points;
            tx.tell(event(&entry, id, customer_id, posting));
            self.transactions.push(loyalty_transaction::Model {
                id,
                account_id,
                customer_id,
                kind: entry.kind.as_str().into(),
                points: entry.points,
                balance_after: balance,
                reason: posting.reason.clone(),
                order_id: entry.order_id,
                reverses_id: posting.reverses_id.filter(|_| ids.is_empty()),
                staff_id: posting.staff_id,
                source: tx.source(),
                occurred_at: entry.at,
            });
            ids.push(id);
        }
        ids
    }

    /// What the stored account holds in all.
    fn balance(&self) -> i64 {
        self.row.active_points + self.row.pending_points + self.row.held_points
    }

    /// Writes what has changed; the account has a new version then.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn save(mut self, tx: &mut Tx) -> Outcome<loyalty_account::Model> {
        let balance = self.account.balance();
        self.row.active_points = balance.active;
        self.row.pending_points = balance.pending;
        self.row.held_points = balance.held;
        self.row.owed_points = balance.owed;
        self.row.spent_points = balance.spent;
        self.row.expired_points = balance.expired;
        self.row.lifetime_points = balance.lifetime;
        self.row.version += 1;
        tx.put(self.row.clone()).await?;
        tx.insert(self.transactions).await?;
        let mut made = Vec::new();
        for lot in &self.account.lots {
            let Some(origin) = self.origins.get(&lot.id) else { continue };
            match self.stored.get(&lot.id) {
                Some(before) if before == lot => {}
                Some(_) => tx.put(lot_row(lot, &self.row, *origin)).await?,
                None => made.push(lot_row(lot, &self.row, *origin)),
            }
        }
        tx.insert(made).await?;
        tx.insert(self.allocations).await?;
        Ok(self.row)
    }
}

/// The points that are held at this moment.
async fn holds(tx: &mut Tx, account_id: Uuid) -> Outcome<Vec<Hold>> {
    let open = points_hold::Entity::find()
        .filter(points_hold::Column::AccountId.eq(account_id))
        .filter(points_hold::Column::Status.eq("HELD"));
    let mut holds: HashMap<Uuid, Hold> =
        tx.all(open).await?.into_iter().map(|row| (row.id, Hold { id: row.id, allocations: Vec::new() })).collect();
    let parts = points_hold_allocation::Entity::find()
        .filter(points_hold_allocation::Column::HoldId.is_in(holds.keys().copied()));
    for part in tx.all(parts).await? {
        if let Some(hold) = holds.get_mut(&part.hold_id) {
            hold.allocations.push((part.lot_id, part.points));
        }
    }
    Ok(holds.into_values().collect())
}

/// What the timeline says of an entry.
fn event(entry: &Entry, id: Uuid, customer_id: Uuid, posting: &Posting) -> Event {
    let kind = match entry.kind {
        TransactionKind::Accrual => TimelineEntryKind::PointsEarned,
        TransactionKind::Adjustment => TimelineEntryKind::PointsAdjusted,
        TransactionKind::Redemption => TimelineEntryKind::PointsRedeemed,
        TransactionKind::Refund => TimelineEntryKind::PointsRefunded,
        TransactionKind::Reversal => TimelineEntryKind::PointsTakenBack,
        TransactionKind::Expiration => TimelineEntryKind::PointsExpired,
        TransactionKind::TransferIn | TransactionKind::TransferOut => TimelineEntryKind::PointsTransferred,
    };
    let event = Event::of(kind, TimelineDomain::Loyalty)
        .customer(customer_id)
        .about(Kind::LoyaltyTransaction, id)
        .points(entry.points)
        .because(posting.reason.clone());
    match posting.channel {
        Some(channel) => event.channel(channel),
        None => event,
    }
}

/// What the rules refuse, in the words of the mutations. `field` is the one with the points.
pub(crate) fn refusal(error: LedgerError, field: &'static str) -> Stop {
    let problem = match error {
        LedgerError::OutOfRange => Problem::OutOfRange,
        LedgerError::Insufficient { .. } => Problem::InsufficientPoints,
        other => {
            tracing::error!(%other, "the ledger refuses what was checked before");
            return Fault::internal().into();
        }
    };
    let refusal: Refusal = problem.at(field, error.to_string());
    refusal.into()
}

/// A lot of the books, for the rules.
pub(crate) fn lot(row: points_lot::Model) -> Lot {
    Lot {
        id: row.id,
        order_id: row.order_id,
        points: row.points,
        remaining: row.remaining,
        held: row.held,
        state: match row.state.as_str() {
            "PENDING" => LotState::Pending,
            "ACTIVE" => LotState::Active,
            "EXPIRED" => LotState::Expired,
            _ => LotState::Spent,
        },
        earned_at: row.earned_at,
        available_at: row.available_at,
        expires_at: row.expires_at,
    }
}

/// A lot as it stands in the books.
pub(crate) fn lot_row(lot: &Lot, account: &loyalty_account::Model, transaction_id: Uuid) -> points_lot::Model {
    let state = match lot.state {
        LotState::Pending => "PENDING",
        LotState::Active => "ACTIVE",
        LotState::Spent => "SPENT",
        LotState::Expired => "EXPIRED",
    };
    points_lot::Model {
        id: lot.id,
        account_id: account.id,
        customer_id: account.customer_id,
        transaction_id,
        order_id: lot.order_id,
        state: state.into(),
        points: lot.points,
        remaining: lot.remaining,
        held: lot.held,
        earned_at: lot.earned_at,
        available_at: lot.available_at,
        expires_at: lot.expires_at,
    }
}
