//! Points at a till: held, then captured or released.

use async_graphql::{ID, InputObject};
use c360_rules::id::Kind;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::holds::PointsHoldStatus;
use super::super::ledger::{Ledger, Posting, refusal};
use super::super::object::{LoyaltyAccount, LoyaltyTransaction, PointsHold};
use super::super::store;
use super::{in_range, keyed, owner, spender};
use crate::config::MOST_HOLD_MINUTES;
use crate::domains::customers::{CustomerIdentifier, on_behalf, verified};
use crate::graphql::id;
use crate::payload;
use crate::write::{self, Outcome, Problem, Tx, Work};

/// Points to be reserved.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyPointsHoldInput {
    /// The customer. By `loyaltyNumber`, a card that was stopped is refused.
    customer: CustomerIdentifier,
    /// How many points: 1 to 10,000,000, and no more than the customer can spend.
    points: i32,
    /// For how many minutes: 1 to 1,440 (a day). What the retailer has set, usually 15, if left out.
    minutes: Option<i32>,
    /// What they are reserved for, such as the number of the receipt: at most 500 characters.
    reference: Option<String>,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: the points are reserved once for each key.
    idempotency_key: String,
}

/// Reserved points to be spent.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyPointsCaptureInput {
    /// The hold.
    hold: ID,
    /// How many of its points are spent; all of them if left out. The rest is given back.
    points: Option<i32>,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: the hold is captured once.
    idempotency_key: String,
}

/// Reserved points to be given back.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyPointsReleaseInput {
    /// The hold.
    hold: ID,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: the hold is released once.
    idempotency_key: String,
}

/// An account, one of its holds, and the entry that spent points of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Reserved {
    account: Uuid,
    hold: Uuid,
    transaction: Option<Uuid>,
}

payload! {
    /// What came of reserving points.
    LoyaltyPointsHoldPayload of Reserved {
        /// The hold; its id is what captures or releases it.
        hold: PointsHold = |made| Some(store::hold(made.hold)),
        /// The account, with its new balance; null for partners that may not read accounts.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
    }
    LoyaltyPointsHoldUserError {
        LoyaltyPointsHoldErrorCode:
        NotFound, NotActive, CallerNotVerified, CardBlocked, OutOfRange, InsufficientPoints, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of spending reserved points.
    LoyaltyPointsCapturePayload of Reserved {
        /// The hold, which is closed now.
        hold: PointsHold = |made| Some(store::hold(made.hold)),
        /// The account, with its new balance; null for partners that may not read accounts.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
        /// The entry of the ledger.
        transaction: LoyaltyTransaction = |made| made.transaction.map(store::transaction),
    }
    LoyaltyPointsCaptureUserError {
        LoyaltyPointsCaptureErrorCode:
        NotFound, NotActive, CallerNotVerified, HoldClosed, OutOfRange, ExceedsHold, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of giving reserved points back.
    LoyaltyPointsReleasePayload of Reserved {
        /// The hold, which is closed now.
        hold: PointsHold = |made| Some(store::hold(made.hold)),
        /// The account, with its new balance; null for partners that may not read accounts.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
    }
    LoyaltyPointsReleaseUserError {
        LoyaltyPointsReleaseErrorCode:
        NotFound, HoldClosed, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

keyed!(LoyaltyPointsHoldInput = "loyaltyPointsHold");
keyed!(LoyaltyPointsCaptureInput = "loyaltyPointsCapture");
keyed!(LoyaltyPointsReleaseInput = "loyaltyPointsRelease");

impl Work for LoyaltyPointsHoldInput {
    type Made = Reserved;

    async fn run(&self, tx: &mut Tx) -> Outcome<Reserved> {
        let points = in_range(self.points)?;
        let minutes = self.minutes.unwrap_or(tx.state().config.loyalty.hold_minutes);
        if !(1..=MOST_HOLD_MINUTES).contains(&minutes) {
            return Err(Problem::OutOfRange.at("minutes", format!("from 1 to {MOST_HOLD_MINUTES} minutes")).into());
        }
        let reference = self.reference.as_deref().map(|text| write::short_text("reference", text)).transpose()?;
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let customer = spender(tx, Some(&self.customer)).await?;
        let mut ledger = Ledger::open(tx, customer.id, "customer").await?;
        let lapses_at = tx.now() + TimeDelta::minutes(minutes.into());
        let hold = ledger.hold(tx, points, lapses_at, reference, reason).map_err(|error| refusal(error, "points"))?;
        Ok(Reserved { account: ledger.save(tx).await?.id, hold, transaction: None })
    }
}

impl Work for LoyaltyPointsCaptureInput {
    type Made = Reserved;

    async fn run(&self, tx: &mut Tx) -> Outcome<Reserved> {
        let points = self.points.map(in_range).transpose()?;
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let (mut ledger, hold, held) = held(tx, &self.hold).await?;
        verified(tx, ledger.row.customer_id).await?;
        if ledger.row.status != "ACTIVE" {
            return Err(Problem::NotActive.at("hold", "the loyalty account is blocked or closed").into());
        }
        let posting = Posting { reason: reason.or_else(|| Some("Paid at the till".to_owned())), ..Posting::default() };
        let transaction = ledger.close(tx, hold, points.unwrap_or(held), PointsHoldStatus::Captured, &posting);
        let transaction = transaction.map_err(|error| refusal(error, "points"))?;
        Ok(Reserved { account: ledger.save(tx).await?.id, hold, transaction })
    }
}

impl Work for LoyaltyPointsReleaseInput {
    type Made = Reserved;

    async fn run(&self, tx: &mut Tx) -> Outcome<Reserved> {
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let (mut ledger, hold, _) = held(tx, &self.hold).await?;
        let posting = Posting { reason, ..Posting::default() };
        let closed = ledger.close(tx, hold, 0, PointsHoldStatus::Released, &posting);
        closed.map_err(|error| refusal(error, "hold"))?;
        Ok(Reserved { account: ledger.save(tx).await?.id, hold, transaction: None })
    }
}

/// The account of an open hold that the caller may act on, the hold, and its points.
///
/// # Errors
/// `NOT_FOUND`, `HOLD_CLOSED`.
async fn held(tx: &mut Tx, hold: &ID) -> Outcome<(Ledger, Uuid, i64)> {
    let id = id::parse("input.hold", Kind::PointsHold, hold)?;
    let customer = owner(tx, "hold", "points_holds", true, id).await?;
    let closed = || Problem::HoldClosed.at("hold", "it was captured or released, or its time is up: hold points anew");
    let mut ledger = Ledger::read(tx, customer.id).await?.ok_or_else(closed)?;
    ledger.sweep(tx);
    let points = ledger.reserved(id).ok_or_else(closed)?;
    Ok((ledger, id, points))
}
