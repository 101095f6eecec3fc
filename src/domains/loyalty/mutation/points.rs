//! Points credited, debited, and entries undone.

use async_graphql::{ID, InputObject};
use c360_entities::{loyalty_transaction, redemption};
use c360_rules::access::Role;
use c360_rules::id::Kind;
use c360_rules::ledger::{Entry, TransactionKind};
use c360_rules::refund::within_ceiling;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::ledger::{Ledger, Posting, refusal};
use super::super::object::{LoyaltyAccount, LoyaltyTransaction};
use super::super::store;
use super::{in_range, keyed, owner};
use crate::auth::Actor;
use crate::domains::customers::{CustomerIdentifier, whose};
use crate::events::TimelineEntryKind;
use crate::graphql::id;
use crate::payload;
use crate::write::{self, Outcome, Problem, Refusal, Tx, Work, get};

/// Points as a gesture of goodwill.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyPointsCreditInput {
    /// The customer.
    customer: CustomerIdentifier,
    /// How many points: 1 to 10,000,000, and no more than your role may give.
    points: i32,
    /// Why, in a line of at most 500 characters; staff see it.
    reason: String,
    /// The version of the loyalty account that you have read; leave it out to credit whatever it is now.
    expected_version: Option<i32>,
    /// Makes it safe to send the request again: the points are credited once for each key.
    idempotency_key: String,
}

/// Points to be taken away.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyPointsDebitInput {
    /// The customer.
    customer: CustomerIdentifier,
    /// How many points: 1 to 10,000,000, and no more than the customer can spend.
    points: i32,
    /// Why, in a line of at most 500 characters; staff see it.
    reason: String,
    /// The version of the loyalty account that you have read; leave it out to debit whatever it is now.
    expected_version: Option<i32>,
    /// Makes it safe to send the request again: the points are debited once for each key.
    idempotency_key: String,
}

/// An entry of the ledger to be undone.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyPointsReverseInput {
    /// The entry: an accrual, an adjustment, or a redemption that bought no reward.
    transaction: ID,
    /// Why, in a line of at most 500 characters; staff see it.
    reason: String,
    /// The version of the loyalty account that you have read; leave it out to undo the entry whatever it is now.
    expected_version: Option<i32>,
    /// Makes it safe to send the request again: the entry is undone once.
    idempotency_key: String,
}

/// An account, and the entry that moved its points.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Moved {
    account: Uuid,
    transaction: Option<Uuid>,
}

payload! {
    /// What came of crediting points.
    LoyaltyPointsCreditPayload of Moved {
        /// The account, with its new balance.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
        /// The entry of the ledger.
        transaction: LoyaltyTransaction = |made| made.transaction.map(store::transaction),
    }
    LoyaltyPointsCreditUserError {
        LoyaltyPointsCreditErrorCode:
        NotFound, NotActive, OutOfRange, CeilingExceeded, Blank, TooLong, InvalidText, Conflict,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of debiting points.
    LoyaltyPointsDebitPayload of Moved {
        /// The account, with its new balance.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
        /// The entry of the ledger.
        transaction: LoyaltyTransaction = |made| made.transaction.map(store::transaction),
    }
    LoyaltyPointsDebitUserError {
        LoyaltyPointsDebitErrorCode:
        NotFound, NotActive, OutOfRange, InsufficientPoints, Blank, TooLong, InvalidText, Conflict,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of undoing an entry.
    LoyaltyPointsReversePayload of Moved {
        /// The account, with its new balance.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
        /// The entry that undoes the other one; null if its points are all spent, and are now owed instead.
        transaction: LoyaltyTransaction = |made| made.transaction.map(store::transaction),
    }
    LoyaltyPointsReverseUserError {
        LoyaltyPointsReverseErrorCode:
        NotFound, NotActive, NotReversible, AlreadyReversed, InsufficientPoints, Blank, TooLong, InvalidText, Conflict,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

keyed!(LoyaltyPointsCreditInput = "loyaltyPointsCredit");
keyed!(LoyaltyPointsDebitInput = "loyaltyPointsDebit");
keyed!(LoyaltyPointsReverseInput = "loyaltyPointsReverse");

impl Work for LoyaltyPointsCreditInput {
    type Made = Moved;

    async fn run(&self, tx: &mut Tx) -> Outcome<Moved> {
        let points = in_range(self.points)?;
        let reason = write::short_text("reason", &self.reason)?;
        let customer = whose(tx, Some(&self.customer)).await?;
        let ledger = Ledger::open(tx, customer.id, "customer").await?;
        Refusal::unless_current(self.expected_version, ledger.row.version)?;
        within_goodwill(tx, ledger.row.id, points).await?;
        adjust(tx, ledger, points, reason).await
    }
}

impl Work for LoyaltyPointsDebitInput {
    type Made = Moved;

    async fn run(&self, tx: &mut Tx) -> Outcome<Moved> {
        let points = in_range(self.points)?;
        let reason = write::short_text("reason", &self.reason)?;
        let customer = whose(tx, Some(&self.customer)).await?;
        let ledger = Ledger::open(tx, customer.id, "customer").await?;
        Refusal::unless_current(self.expected_version, ledger.row.version)?;
        adjust(tx, ledger, -points, reason).await
    }
}

impl Work for LoyaltyPointsReverseInput {
    type Made = Moved;

    async fn run(&self, tx: &mut Tx) -> Outcome<Moved> {
        let reason = write::short_text("reason", &self.reason)?;
        let id = id::parse("input.transaction", Kind::LoyaltyTransaction, &self.transaction)?;
        let customer = owner(tx, "transaction", "loyalty_transactions", false, id).await?;
        let mut ledger = Ledger::open(tx, customer.id, "transaction").await?;
        Refusal::unless_current(self.expected_version, ledger.row.version)?;
        let Some((row, entry)) = ledger.entry(tx, id).await? else {
            return Err(Refusal::not_found("transaction").into());
        };
        let entries = undo(tx, &mut ledger, &row, &entry).await?;
        let posting = Posting {
            reason: Some(reason),
            reverses_id: Some(id),
            staff_id: tx.staff_id().await?,
            told_as: Some(TimelineEntryKind::PointsReversed),
            ..Posting::default()
        };
        let ids = ledger.post(tx, entries, &posting);
        let account = ledger.save(tx).await?.id;
        Ok(Moved { account, transaction: ids.first().copied() })
    }
}

/// Credits or debits.
async fn adjust(tx: &mut Tx, mut ledger: Ledger, points: i64, reason: String) -> Outcome<Moved> {
    let lot = ledger.new_lot(tx);
    let entries = ledger.account.adjust(points, tx.now(), lot).map_err(|error| refusal(error, "points"))?;
    let posting = Posting { reason: Some(reason), staff_id: tx.staff_id().await?, ..Posting::default() };
    let ids = ledger.post(tx, entries, &posting);
    let account = ledger.save(tx).await?.id;
    Ok(Moved { account, transaction: ids.first().copied() })
}

/// The entries that undo one.
///
/// # Errors
/// `NOT_REVERSIBLE`, `ALREADY_REVERSED`, `INSUFFICIENT_POINTS`.
async fn undo(
    tx: &mut Tx,
    ledger: &mut Ledger,
    row: &loyalty_transaction::Model,
    entry: &Entry,
) -> Outcome<Vec<Entry>> {
    let refused = |problem: Problem, message: &str| Err(problem.at("transaction", message).into());
    let (now, lot) = (tx.now(), ledger.new_lot(tx));
    let entries = match entry.kind {
        TransactionKind::Accrual => ledger.account.reverse(entry, now),
        TransactionKind::Adjustment if row.reverses_id.is_some() => {
            return refused(Problem::NotReversible, "this entry undoes another one: credit or debit instead");
        }
        TransactionKind::Adjustment if undone(tx, row.id).await? != 0 => {
            return refused(Problem::AlreadyReversed, "this entry was undone before");
        }
        TransactionKind::Adjustment => ledger.account.adjust(-entry.points, now, lot),
        TransactionKind::Redemption => {
            let bought = redemption::Entity::find().filter(redemption::Column::TransactionId.eq(row.id));
            if tx.one(bought).await?.is_some() {
                return refused(Problem::NotReversible, "these points bought a reward: cancel the redemption instead");
            }
            let refunded = undone(tx, row.id).await?;
            let left = -entry.points - refunded;
            if left <= 0 {
                return refused(Problem::AlreadyReversed, "these points were given back before");
            }
            ledger.account.refund(entry, refunded, left, now, lot)
        }
        _ => return refused(Problem::NotReversible, "only accruals, adjustments and redemptions can be undone"),
    };
    entries.map_err(|error| refusal(error, "transaction"))
}

/// The points of the entries that undo one.
async fn undone(tx: &mut Tx, transaction: Uuid) -> Outcome<i64> {
    let undoing = loyalty_transaction::Entity::find().filter(loyalty_transaction::Column::ReversesId.eq(transaction));
    Ok(tx.all(undoing).await?.iter().map(|entry| entry.points).sum())
}

/// What staff may still give a customer today.
///
/// # Errors
/// `CEILING_EXCEEDED`.
async fn within_goodwill(tx: &mut Tx, account: Uuid, points: i64) -> Outcome<()> {
    let Some(Actor::Staff(role)) = tx.caller().map(|caller| &caller.actor) else { return Ok(()) };
    let ceilings = &tx.state().config.ceilings;
    let ceiling = match role {
        Role::Agent => ceilings.agent_goodwill_points,
        Role::Supervisor => ceilings.supervisor_goodwill_points,
        Role::Admin => return Ok(()),
    };
    let midnight: DateTime<Utc> = tx.state().config.retailer.midnight(tx.now());
    let mut sql = tx.sql();
    sql.push(
        "SELECT CAST(COALESCE(SUM(x.points), 0) AS bigint) AS given FROM loyalty_transactions x WHERE x.kind = 'ADJUSTMENT' \
         AND x.points > 0 AND x.reverses_id IS NULL \
         AND NOT EXISTS (SELECT 1 FROM loyalty_transactions u WHERE u.reverses_id = x.id) \
         AND (x.staff_id IS NOT NULL OR (x.reason IS NOT NULL AND x.source = ",
    );
    // Staff need not be in the directory.
    sql.bind(tx.source());
    sql.push(")) AND x.account_id = ");
    sql.bind(account);
    sql.push(" AND x.occurred_at >= ");
    sql.bind(midnight);
    let given: i64 = tx.row(sql).await?.map(|row| get(&row, "given")).transpose()?.unwrap_or_default();
    if within_ceiling(given, points, Some(ceiling)) {
        return Ok(());
    }
    let left = (ceiling - given).max(0);
    let message = format!("your role may give this customer {left} more points today: ask a supervisor");
    Err(Problem::CeilingExceeded.at("points", message).into())
}
