//! The ledger of an account in a transaction: the rules in between, rows before and after.

use std::collections::HashMap;

use c360_entities::{loyalty_account, loyalty_programme, loyalty_transaction, points_allocation, points_lot};
use c360_rules::earning;
use c360_rules::id::Kind;
use c360_rules::ledger::{Account, Entry, LedgerError, Lot, LotState, NewLot, TransactionKind};
use chrono::TimeDelta;
use sea_orm::sea_query::{ExprTrait as _, SimpleExpr};
use sea_orm::{ColumnTrait as _, EntityTrait as _, JoinType, QueryFilter as _, QuerySelect as _};
use uuid::Uuid;

use super::holds::{self, Held, PointsHoldStatus};
use super::standing;

use crate::error::Fault;
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::write::{Outcome, Problem, Refusal, Stop, Tx};

/// An account whose customer is locked: its open lots, its holds, and what has been done to them.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The account as it is stored; [`Ledger::save`] brings its figures up to date.
    pub(crate) row: loyalty_account::Model,
    /// Its programme.
    pub(crate) programme: loyalty_programme::Model,
    /// The account as the rules see it.
    pub(crate) account: Account,
    /// The holds that are open, or were until now.
    pub(super) holds: Vec<Held>,
    /// Everything as it was read, and the entries that made the lots.
    before: loyalty_account::Model,
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
    /// What the first entry is in the timeline, if its kind does not say it.
    pub(crate) told_as: Option<TimelineEntryKind>,
    /// The number or name of what it is about.
    pub(crate) label: Option<String>,
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
        let of_customer = loyalty_account::Column::CustomerId.eq(customer_id);
        Self::find(tx, of_customer.and(super::store::in_active_programme())).await
    }

    /// An account of a locked customer, as it is.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn of(tx: &mut Tx, account_id: Uuid) -> Outcome<Option<Self>> {
        Self::find(tx, loyalty_account::Column::Id.eq(account_id)).await
    }

    async fn find(tx: &mut Tx, which: SimpleExpr) -> Outcome<Option<Self>> {
        use loyalty_account::{Column, Entity};

        let programme = Entity::belongs_to(loyalty_programme::Entity)
            .from(Column::ProgrammeId)
            .to(loyalty_programme::Column::Id)
            .into();
        let found = Entity::find().filter(which).select_also(loyalty_programme::Entity);
        let Some((row, programme)) = tx.pairs(found.join(JoinType::InnerJoin, programme)).await?.pop() else {
            return Ok(None);
        };
        let mut ledger = Self {
            account: Account {
                owed: row.owed_points,
                spent: row.spent_points,
                expired: row.expired_points,
                lifetime: row.lifetime_points,
                ..Account::default()
            },
            programme: programme.ok_or_else(Fault::internal)?,
            holds: if row.held_points > 0 { holds::open(tx, row.id).await? } else { Vec::new() },
            before: row.clone(),
            row,
            stored: HashMap::new(),
            origins: HashMap::new(),
            transactions: Vec::new(),
            allocations: Vec::new(),
        };
        ledger.account.holds = ledger.holds.iter().map(Held::rule).collect();
        ledger.load(tx, points_lot::Column::Remaining.gt(0)).await?;
        Ok(Some(ledger))
    }

    /// Lists lots of the account that are not listed yet: those that are closed are read only where they may matter.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn load(&mut self, tx: &mut Tx, which: SimpleExpr) -> Outcome<()> {
        let lots = points_lot::Entity::find().filter(points_lot::Column::AccountId.eq(self.row.id)).filter(which);
        for row in tx.all(lots).await? {
            if self.stored.contains_key(&row.id) {
                continue;
            }
            self.origins.insert(row.id, row.transaction_id);
            let lot = lot(row);
            self.stored.insert(lot.id, lot.clone());
            self.account.lots.push(lot);
        }
        Ok(())
    }

    /// An entry of the account, with the lots that it is about listed.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn entry(
        &mut self,
        tx: &mut Tx,
        id: Uuid,
    ) -> Outcome<Option<(loyalty_transaction::Model, Entry)>> {
        let find = loyalty_transaction::Entity::find_by_id(id);
        let Some(row) = tx.one(find.filter(loyalty_transaction::Column::AccountId.eq(self.row.id))).await? else {
            return Ok(None);
        };
        let parts = points_allocation::Entity::find().filter(points_allocation::Column::TransactionId.eq(id));
        let allocations: Vec<_> = tx.all(parts).await?.into_iter().map(|part| (part.lot_id, part.points)).collect();
        self.load(tx, points_lot::Column::Id.is_in(allocations.iter().map(|(lot, _)| *lot))).await?;
        let Some(kind) = TransactionKind::named(&row.kind) else { return Err(Fault::internal().into()) };
        let entry = Entry { kind, points: row.points, at: row.occurred_at, order_id: row.order_id, allocations };
        Ok(Some((row, entry)))
    }

    /// Carries out what is due: holds lapse, pending points become active, points past their expiry leave.
    pub(crate) fn sweep(&mut self, tx: &mut Tx) {
        let now = tx.now();
        let lapsed = self.holds.iter().filter(|held| held.is_open() && held.row.lapses_at <= now);
        for hold in lapsed.map(|held| held.row.id).collect::<Vec<_>>() {
            // It is listed, and open: the rules do not refuse it.
            let _ = self.close(tx, hold, 0, PointsHoldStatus::Lapsed, &Posting::default());
        }
        let active = self.account.activate(now);
        let points = self.account.lots.iter().filter(|lot| active.contains(&lot.id)).map(|lot| lot.remaining).sum();
        if !active.is_empty() {
            let event = Event::of(TimelineEntryKind::PointsActivated, TimelineDomain::Loyalty);
            tx.tell(event.customer(self.row.customer_id).about(Kind::LoyaltyAccount, self.row.id).points(points));
        }
        let entries = self.account.expire(now);
        self.post(tx, entries, &Posting::default());
    }

    /// A lot for points that need a new one: they expire as if they were earned now.
    pub(crate) fn new_lot(&self, tx: &Tx) -> NewLot {
        let (_, expires_at) = earning::times(tx.now(), 0, self.programme.expiry_days);
        NewLot { id: tx.new_id(), expires_at }
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
            // Entries of one moment keep their order, so that each balance follows from the one before.
            let place = i64::try_from(self.transactions.len()).unwrap_or_default();
            tx.tell(event(&entry, id, customer_id, posting, ids.is_empty()));
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
                occurred_at: entry.at + TimeDelta::microseconds(place),
            });
            ids.push(id);
        }
        ids
    }

    /// The entry that made a lot.
    pub(super) fn origin(&self, lot: Uuid) -> Option<Uuid> {
        self.origins.get(&lot).copied()
    }

    /// What the stored account holds in all.
    fn balance(&self) -> i64 {
        self.row.active_points + self.row.pending_points + self.row.held_points
    }

    /// Whether an entry that counts for the tier was appended.
    pub(super) fn has_earned(&self) -> bool {
        self.transactions.iter().any(|entry| standing::COUNTED.contains(&entry.kind.as_str()))
    }

    /// Writes what has changed, and reviews the tier if that is due; the account has a new version if anything has.
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
        let owed = balance.owed - self.before.owed_points;
        if owed > 0 {
            let event = Event::of(TimelineEntryKind::PointsOwed, TimelineDomain::Loyalty);
            tx.tell(event.customer(self.row.customer_id).about(Kind::LoyaltyAccount, self.row.id).points(owed));
        }
        let is_due = standing::is_due(&self, tx.now());
        tx.insert(std::mem::take(&mut self.transactions)).await?;
        let lots = self.account.lots.iter().filter(|lot| self.stored.get(&lot.id) != Some(lot));
        let lots = lots.filter_map(|lot| Some(lot_row(lot, &self.row, *self.origins.get(&lot.id)?)));
        let lots: Vec<_> = lots.collect();
        let mut changed = !lots.is_empty();
        tx.save(lots).await?;
        tx.insert(std::mem::take(&mut self.allocations)).await?;
        changed |= holds::save(tx, &self.holds).await?;
        if is_due {
            standing::review(tx, &mut self).await?;
        }
        if changed || self.row != self.before {
            self.row.version += 1;
            tx.put(self.row.clone()).await?;
        }
        Ok(self.row)
    }
}

/// What the timeline says of an entry.
fn event(entry: &Entry, id: Uuid, customer_id: Uuid, posting: &Posting, is_first: bool) -> Event {
    let kind = posting.told_as.filter(|_| is_first).unwrap_or(match entry.kind {
        TransactionKind::Accrual => TimelineEntryKind::PointsEarned,
        TransactionKind::Adjustment => TimelineEntryKind::PointsAdjusted,
        TransactionKind::Redemption => TimelineEntryKind::PointsRedeemed,
        TransactionKind::Refund => TimelineEntryKind::PointsRefunded,
        TransactionKind::Reversal => TimelineEntryKind::PointsTakenBack,
        TransactionKind::Expiration => TimelineEntryKind::PointsExpired,
        TransactionKind::TransferIn | TransactionKind::TransferOut => TimelineEntryKind::PointsTransferred,
    });
    let mut event = Event::of(kind, TimelineDomain::Loyalty)
        .customer(customer_id)
        .about(Kind::LoyaltyTransaction, id)
        .points(entry.points)
        .because(posting.reason.clone());
    event.label.clone_from(&posting.label);
    event.channel = posting.channel.map(str::to_owned);
    event
}

/// What the rules refuse, in the words of the mutations. `field` is the one with the points.
pub(crate) fn refusal(error: LedgerError, field: &'static str) -> Stop {
    let problem = match error {
        LedgerError::OutOfRange => Problem::OutOfRange,
        LedgerError::Insufficient { .. } => Problem::InsufficientPoints,
        LedgerError::Exceeds { .. } => Problem::ExceedsHold,
        LedgerError::UnknownHold => Problem::HoldClosed,
        LedgerError::AlreadyTakenBack => Problem::AlreadyReversed,
        LedgerError::WrongKind => Problem::NotReversible,
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
        taken_back: row.taken_back,
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
        taken_back: lot.taken_back,
    }
}
