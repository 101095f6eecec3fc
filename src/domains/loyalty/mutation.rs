//! What can be done with points: inputs, what they do, payloads.

use async_graphql::{Context, InputObject, Object, Result};
use c360_rules::access::Role;
use c360_rules::refund::within_ceiling;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ledger::{Ledger, Posting, refusal};
use super::object::{LoyaltyAccount, LoyaltyTransaction};
use super::store;
use crate::auth::Actor;
use crate::domains::customers::{CustomerIdentifier, whose};
use crate::payload;
use crate::write::{self, Action, Outcome, Problem, Refusal, Tx, Work, get};

/// Most points that one mutation moves.
const MOST_POINTS: i32 = 10_000_000;

/// Root writes of loyalty.
#[derive(Debug, Default)]
pub struct LoyaltyMutation;

#[Object]
impl LoyaltyMutation {
    /// Credits points as a gesture of goodwill. A member of staff may give one customer as many points on one day as the
    /// role allows, with those that others have given on that day counted in.
    async fn loyalty_points_credit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, to whom, and why.")] input: LoyaltyPointsCreditInput,
    ) -> Result<Option<LoyaltyPointsCreditPayload>> {
        write::perform(ctx, input).await
    }
}

/// Points as a gesture of goodwill.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyPointsCreditInput {
    /// The customer.
    customer: CustomerIdentifier,
    /// How many points: 1 to 10,000,000, and no more than your role may give.
    points: i32,
    /// Why, in a line; the customer sees it not, the audit does.
    reason: String,
    /// The version of the loyalty account that you have read; leave it out to credit whatever it is now.
    expected_version: Option<i32>,
    /// Makes it safe to send the request again: the points are credited once for each key.
    idempotency_key: String,
}

/// An account, and the entry that moved its points.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Moved {
    account: Uuid,
    transaction: Uuid,
}

payload! {
    /// What came of crediting points.
    LoyaltyPointsCreditPayload of Moved {
        /// The account, with its new balance.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
        /// The entry of the ledger.
        transaction: LoyaltyTransaction = |made| Some(store::transaction(made.transaction)),
    }
    LoyaltyPointsCreditUserError {
        LoyaltyPointsCreditErrorCode:
        NotFound, NotActive, OutOfRange, CeilingExceeded, Blank, TooLong, InvalidText, Conflict,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

impl Action for LoyaltyPointsCreditInput {
    const NAME: &'static str = "loyaltyPointsCredit";

    fn idempotency_key(&self) -> Option<&str> {
        Some(&self.idempotency_key)
    }
}

impl Work for LoyaltyPointsCreditInput {
    type Made = Moved;

    async fn run(&self, tx: &mut Tx) -> Outcome<Moved> {
        let points = in_range(self.points)?;
        let reason = write::short_text("reason", &self.reason)?;
        let customer = whose(tx, Some(&self.customer)).await?;
        let mut ledger = Ledger::open(tx, customer.id, "customer").await?;
        Refusal::unless_current(self.expected_version, ledger.row.version)?;
        within_goodwill(tx, ledger.row.id, points).await?;
        let lot = Ledger::new_lot(tx);
        let entries = ledger.account.adjust(points, tx.now(), lot).map_err(|error| refusal(error, "points"))?;
        let posting = Posting { reason: Some(reason), staff_id: tx.staff_id().await?, ..Posting::default() };
        let ids = ledger.post(tx, entries, &posting);
        let account = ledger.save(tx).await?.id;
        Ok(Moved { account, transaction: ids[0] })
    }
}

/// The points of an input.
///
/// # Errors
/// `OUT_OF_RANGE`.
fn in_range(points: i32) -> Outcome<i64> {
    if (1..=MOST_POINTS).contains(&points) {
        return Ok(points.into());
    }
    Err(Problem::OutOfRange.at("points", format!("from 1 to {MOST_POINTS} points")).into())
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
    sql.push("SELECT CAST(COALESCE(SUM(points), 0) AS bigint) AS given FROM loyalty_transactions WHERE kind = 'ADJUSTMENT' AND points > 0 AND reason IS NOT NULL AND source = ");
    sql.bind(tx.source());
    sql.push(" AND account_id = ");
    sql.bind(account);
    sql.push(" AND occurred_at >= ");
    sql.bind(midnight);
    let given: i64 = tx.row(sql).await?.map(|row| get(&row, "given")).transpose()?.unwrap_or_default();
    if within_ceiling(given, points, Some(ceiling)) {
        return Ok(());
    }
    let left = (ceiling - given).max(0);
    let message = format!("your role may give this customer {left} more points today: ask a supervisor");
    Err(Problem::CeilingExceeded.at("points", message).into())
}
