//! The points of a household, as the ledger rules say, and the rows that record them.

use c360_entities::{loyalty_account, loyalty_card, loyalty_transaction, points_allocation, points_lot};
use c360_rules::ledger::{Account, Entry, LedgerError, LotState, TransactionKind};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::builder::Owner;
use super::rows::Rows;
use super::values::{SOURCE, id};
use crate::ingest::programme::Programme;

/// The account of a household while its baskets are brought in.
///
/// New points go to new lots, and what is owed is met from these: the lots that are there already need not be read.
#[derive(Debug, Default)]
pub(super) struct Points {
    account: Account,
    /// Active, pending and held points in lots that were there before.
    before: [i64; 3],
    /// The sum of the ledger so far.
    balance: i64,
    /// The accrual that made each of the account's lots.
    accruals: Vec<Uuid>,
    allocations: Vec<points_allocation::Model>,
    failure: Option<LedgerError>,
}

impl Points {
    /// Goes on from an account as it stands.
    pub(super) fn of(row: &loyalty_account::Model) -> Self {
        let account = Account {
            owed: row.owed_points,
            spent: row.spent_points,
            expired: row.expired_points,
            lifetime: row.lifetime_points,
            ..Account::default()
        };
        let before = [row.active_points, row.pending_points, row.held_points];
        Self { account, before, balance: before.iter().sum(), ..Self::default() }
    }

    /// What an order earned, as ledger entries: active at once, and without an end.
    pub(super) fn accrue(
        &mut self,
        owner: &Owner,
        name: &str,
        (order_id, points): (Uuid, i64),
        at: DateTime<Utc>,
    ) -> Vec<loyalty_transaction::Model> {
        let lot_id = id(at, "lot", name);
        match self.account.accrue(points, at, at, None, Some(order_id), lot_id) {
            Ok(entries) => entries.into_iter().map(|entry| self.record(owner, name, entry)).collect(),
            Err(error) => {
                self.failure = Some(error);
                Vec::new()
            }
        }
    }

    fn record(&mut self, owner: &Owner, name: &str, entry: Entry) -> loyalty_transaction::Model {
        let kind = match entry.kind {
            TransactionKind::Accrual => "ACCRUAL",
            _ => "REVERSAL",
        };
        let transaction_id = id(entry.at, kind, name);
        if entry.kind == TransactionKind::Accrual {
            self.accruals.push(transaction_id);
        }
        let customer_id = owner.customer_id;
        self.allocations.extend(entry.allocations.into_iter().map(|(lot_id, points)| points_allocation::Model {
            transaction_id,
            lot_id,
            customer_id,
            points,
        }));
        self.balance += entry.points;
        loyalty_transaction::Model {
            id: transaction_id,
            account_id: owner.account_id,
            customer_id,
            kind: kind.into(),
            points: entry.points,
            balance_after: self.balance,
            reason: None,
            order_id: entry.order_id,
            reverses_id: None,
            staff_id: None,
            source: SOURCE.into(),
            occurred_at: entry.at,
        }
    }

    /// Points accrued in the programme's qualification period before the last accrual.
    pub(super) fn qualifying(&self, programme: &Programme) -> i64 {
        let last = self.account.lots.iter().map(|lot| lot.earned_at).max().unwrap_or_default();
        let since = last - TimeDelta::days(programme.qualification_days);
        self.account.lots.iter().filter(|lot| lot.earned_at > since).map(|lot| lot.points).sum()
    }

    /// Adds the rows of new lots, and sets the account's balance to what it is now.
    ///
    /// # Errors
    /// What the ledger refused, if it refused anything.
    pub(super) fn finish(
        self,
        owner: &Owner,
        account: &mut loyalty_account::Model,
        rows: &mut Rows,
    ) -> Result<(), LedgerError> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let balance = self.account.balance();
        let [active, pending, held] = self.before;
        account.active_points = active + balance.active;
        account.pending_points = pending + balance.pending;
        account.held_points = held + balance.held;
        account.owed_points = balance.owed;
        account.spent_points = balance.spent;
        account.expired_points = balance.expired;
        account.lifetime_points = balance.lifetime;
        rows.lots.extend(self.account.lots.into_iter().zip(self.accruals).map(|(lot, transaction_id)| {
            points_lot::Model {
                id: lot.id,
                account_id: owner.account_id,
                customer_id: owner.customer_id,
                transaction_id,
                order_id: lot.order_id,
                state: state(lot.state).into(),
                points: lot.points,
                remaining: lot.remaining,
                held: lot.held,
                earned_at: lot.earned_at,
                available_at: lot.available_at,
                expires_at: lot.expires_at,
                taken_back: lot.taken_back,
            }
        }));
        rows.allocations.extend(self.allocations);
        Ok(())
    }
}

fn state(state: LotState) -> &'static str {
    match state {
        LotState::Pending => "PENDING",
        LotState::Active => "ACTIVE",
        LotState::Spent => "SPENT",
        LotState::Expired => "EXPIRED",
    }
}

/// An account without points, of a household that is enrolled, and its card.
pub(super) fn enrol(
    owner: &Owner,
    programme: &Programme,
    since: DateTime<Utc>,
    rows: &mut Rows,
) -> loyalty_account::Model {
    rows.cards.push(loyalty_card::Model {
        id: id(since, "card", owner.household),
        account_id: owner.account_id,
        customer_id: owner.customer_id,
        number: format!("CJC-{}", owner.household),
        status: "ACTIVE".into(),
        issued_at: since,
        blocked_at: None,
    });
    let number = format!("CJA-{}", owner.household);
    programme.account(owner.account_id, owner.customer_id, number, since, "ORDERS")
}
