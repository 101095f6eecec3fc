//! What can be done with points, rewards, coupons and cards: inputs, what they do, payloads.

pub mod coupons;
pub mod holds;
pub mod membership;
pub mod points;
pub mod rewards;

use async_graphql::{Context, Object, Result};
use c360_rules::identifier;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use self::coupons::{CouponIssueInput, CouponIssuePayload, CouponRedeemInput, CouponRedeemPayload};
use self::holds::{
    LoyaltyPointsCaptureInput, LoyaltyPointsCapturePayload, LoyaltyPointsHoldInput, LoyaltyPointsHoldPayload,
    LoyaltyPointsReleaseInput, LoyaltyPointsReleasePayload,
};
use self::membership::{
    LoyaltyCardBlockInput, LoyaltyCardBlockPayload, LoyaltyCardReplaceInput, LoyaltyCardReplacePayload,
    LoyaltyEnrollInput, LoyaltyEnrollPayload,
};
use self::points::{
    LoyaltyPointsCreditInput, LoyaltyPointsCreditPayload, LoyaltyPointsDebitInput, LoyaltyPointsDebitPayload,
    LoyaltyPointsReverseInput, LoyaltyPointsReversePayload,
};
use self::rewards::{RedemptionCancelInput, RedemptionCancelPayload, RewardRedeemInput, RewardRedeemPayload};
use crate::auth::Actor;
use crate::domains::customers::{CustomerIdentifier, verified, whose};
use crate::read::{Access, Sql};
use crate::write::{self, Locked, Outcome, Problem, Refusal, Tx};

/// Most points that one mutation moves.
const MOST_POINTS: i32 = 10_000_000;

/// Names the mutation of an input that has a required key.
macro_rules! keyed {
    ($input:ty = $name:literal) => {
        impl $crate::write::Action for $input {
            const NAME: &'static str = $name;

            fn idempotency_key(&self) -> Option<&str> {
                Some(&self.idempotency_key)
            }
        }
    };
}
use keyed;

/// Root writes of loyalty.
#[derive(Debug, Default)]
pub struct LoyaltyMutation;

#[Object]
impl LoyaltyMutation {
    /// Makes a customer a member of the loyalty programme, with an account and a card.
    async fn loyalty_enroll(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: LoyaltyEnrollInput,
    ) -> Result<Option<LoyaltyEnrollPayload>> {
        write::perform(ctx, input).await
    }

    /// Credits points as a gesture of goodwill. A member of staff may give one customer as many points on one day as the
    /// role allows, with those that others have given on that day counted in.
    async fn loyalty_points_credit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, to whom, and why.")] input: LoyaltyPointsCreditInput,
    ) -> Result<Option<LoyaltyPointsCreditPayload>> {
        write::perform(ctx, input).await
    }

    /// Takes points away that the customer should not have; no more than can be spent. Staff only.
    async fn loyalty_points_debit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from whom, and why.")] input: LoyaltyPointsDebitInput,
    ) -> Result<Option<LoyaltyPointsDebitPayload>> {
        write::perform(ctx, input).await
    }

    /// Undoes an entry of the ledger by another one: takes back what an order earned or staff credited, gives back what
    /// staff debited or a till captured. Each entry can be undone once, and what undoes an entry not at all. Staff only.
    async fn loyalty_points_reverse(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entry, and why.")] input: LoyaltyPointsReverseInput,
    ) -> Result<Option<LoyaltyPointsReversePayload>> {
        write::perform(ctx, input).await
    }

    /// Reserves points at a till, until they are captured, released, or the time is up. Staff and partners.
    async fn loyalty_points_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, of whom, and for how long.")] input: LoyaltyPointsHoldInput,
    ) -> Result<Option<LoyaltyPointsHoldPayload>> {
        write::perform(ctx, input).await
    }

    /// Spends points that were reserved, all or some; the rest is given back. A partner can capture its own holds only.
    async fn loyalty_points_capture(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which hold, and how many of its points.")] input: LoyaltyPointsCaptureInput,
    ) -> Result<Option<LoyaltyPointsCapturePayload>> {
        write::perform(ctx, input).await
    }

    /// Gives points back that were reserved. A partner can release its own holds only.
    async fn loyalty_points_release(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which hold.")] input: LoyaltyPointsReleaseInput,
    ) -> Result<Option<LoyaltyPointsReleasePayload>> {
        write::perform(ctx, input).await
    }

    /// Buys a reward with points. A discount or a gift card comes as a coupon.
    async fn reward_redeem(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which reward, and for whom.")] input: RewardRedeemInput,
    ) -> Result<Option<RewardRedeemPayload>> {
        write::perform(ctx, input).await
    }

    /// Calls a redemption off, as long as the customer has neither the reward nor used its coupon: the points come back.
    async fn redemption_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which redemption.")] input: RedemptionCancelInput,
    ) -> Result<Option<RedemptionCancelPayload>> {
        write::perform(ctx, input).await
    }

    /// Gives a customer a coupon. Staff only.
    async fn coupon_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which coupon, to whom, and why.")] input: CouponIssueInput,
    ) -> Result<Option<CouponIssuePayload>> {
        write::perform(ctx, input).await
    }

    /// Uses a coupon up; each can be used once. Staff and partners.
    async fn coupon_redeem(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which coupon, and for which order.")] input: CouponRedeemInput,
    ) -> Result<Option<CouponRedeemPayload>> {
        write::perform(ctx, input).await
    }

    /// Stops a card that is lost: nobody can spend points by its number any more. The account goes on.
    async fn loyalty_card_block(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which card.")] input: LoyaltyCardBlockInput,
    ) -> Result<Option<LoyaltyCardBlockPayload>> {
        write::perform(ctx, input).await
    }

    /// Hands out a new card for one that is lost or broken, which is stopped if it is not yet.
    async fn loyalty_card_replace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which card, and the number of the new one.")] input: LoyaltyCardReplaceInput,
    ) -> Result<Option<LoyaltyCardReplacePayload>> {
        write::perform(ctx, input).await
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

/// The customer that an input names, locked, for spending points: not by a card that was stopped, and by staff only for a
/// caller whom they have checked.
///
/// # Errors
/// As [`whose`], `CALLER_NOT_VERIFIED` and `CARD_BLOCKED`.
async fn spender(tx: &mut Tx, by: Option<&CustomerIdentifier>) -> Outcome<Locked> {
    use c360_entities::loyalty_card::{Column, Entity};

    let customer = whose(tx, by).await?;
    verified(tx, customer.id).await?;
    let number = match by {
        Some(CustomerIdentifier::LoyaltyNumber(text)) => identifier::loyalty_number(text).ok(),
        _ => None,
    };
    if let Some(number) = number {
        let card = tx.one(Entity::find().filter(Column::Number.eq(number))).await?;
        if card.is_some_and(|card| card.status != "ACTIVE") {
            let message = "this card was stopped: ask the customer for another one, or find them by something else";
            return Err(Problem::CardBlocked.at("customer", message).into());
        }
    }
    Ok(customer)
}

/// The customer of a row, locked. Partners find what is of their own source, if the table has one.
///
/// # Errors
/// `NOT_FOUND` for what the caller may not act on.
async fn owner(tx: &mut Tx, field: &'static str, table: &str, has_source: bool, id: Uuid) -> Outcome<Locked> {
    let find = |tx: &Tx, sql: &mut Sql| {
        sql.push(&format!("SELECT x.customer_id FROM {table} x WHERE x.id = "));
        sql.bind(id);
        let conditions = tx.conditions(Access::Customer, sql);
        sql.push(&conditions);
        if has_source && matches!(tx.caller().map(|caller| &caller.actor), Some(Actor::Partner(_))) {
            sql.push(" AND x.source = ");
            sql.bind(tx.source());
        }
        Ok(())
    };
    tx.lock_found(find).await?.pop().ok_or_else(|| Refusal::not_found(field).into())
}
