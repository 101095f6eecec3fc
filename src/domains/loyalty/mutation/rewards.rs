//! Rewards bought with points, and called off.

use async_graphql::{ID, InputObject};
use c360_entities::{coupon, redemption, reward};
use c360_rules::earning::Period;
use c360_rules::id::Kind;
use sea_orm::EntityTrait as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::ledger::{Ledger, Posting, refusal};
use super::super::object::{Coupon, LoyaltyAccount, Redemption};
use super::super::{giving, standing, store};
use super::{keyed, owner, spender};
use crate::domains::customers::{CustomerIdentifier, on_behalf};
use crate::error::Fault;
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::graphql::id;
use crate::payload;
use crate::write::{Outcome, Problem, Refusal, Tx, Work};

/// A reward to be bought.
#[derive(Clone, Debug, InputObject)]
pub struct RewardRedeemInput {
    /// The reward.
    reward: ID,
    /// The customer; a customer's own token may leave it out. By `loyaltyNumber`, a card that was stopped is refused.
    customer: Option<CustomerIdentifier>,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: the reward is bought once for each key.
    idempotency_key: String,
}

/// A redemption to be called off.
#[derive(Clone, Debug, InputObject)]
pub struct RedemptionCancelInput {
    /// The redemption.
    redemption: ID,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: the redemption is called off once.
    idempotency_key: String,
}

/// A redemption, with what it changed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Bought {
    redemption: Uuid,
    account: Uuid,
    coupon: Option<Uuid>,
}

payload! {
    /// What came of buying a reward.
    RewardRedeemPayload of Bought {
        /// The redemption.
        redemption: Redemption = |made| Some(store::redemption(made.redemption)),
        /// The coupon that the reward comes as; null if it comes otherwise.
        coupon: Coupon = |made| made.coupon.map(store::coupon),
        /// The account, with its new balance; null for partners that may not read accounts.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
    }
    RewardRedeemUserError {
        RewardRedeemErrorCode:
        NotFound, NotActive, CallerNotVerified, CardBlocked, RewardUnavailable, OutOfStock, TierTooLow, InsufficientPoints, Blank, TooLong,
        InvalidText, InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of calling a redemption off.
    RedemptionCancelPayload of Bought {
        /// The redemption.
        redemption: Redemption = |made| Some(store::redemption(made.redemption)),
        /// The account, with its new balance.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
    }
    RedemptionCancelUserError {
        RedemptionCancelErrorCode:
        NotFound, NotActive, AlreadyCancelled, AlreadyUsed, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

keyed!(RewardRedeemInput = "rewardRedeem");
keyed!(RedemptionCancelInput = "redemptionCancel");

impl Work for RewardRedeemInput {
    type Made = Bought;

    async fn run(&self, tx: &mut Tx) -> Outcome<Bought> {
        let reward = id::parse("input.reward", Kind::Reward, &self.reward)?;
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let customer = spender(tx, self.customer.as_ref()).await?;
        let mut ledger = Ledger::open(tx, customer.id, "customer").await?;
        let reward = on_offer(tx, &ledger, reward).await?;
        let points = reward.cost_points;
        let entries = ledger.account.redeem(points, tx.now()).map_err(|error| refusal(error, "reward"))?;
        take_from_stock(tx, &reward).await?;
        let coupon_id = giving::for_reward(tx, customer.id, &reward).await?;
        let posting =
            Posting { reason: Some(reward.name.clone()), label: Some(reward.name.clone()), ..Posting::default() };
        let transaction_id = ledger.post(tx, entries, &posting).first().copied().ok_or_else(Fault::internal)?;
        let account = ledger.save(tx).await?;
        let status = if reward.kind == "DONATION" { "FULFILLED" } else { "ISSUED" };
        let row = redemption::Model {
            id: tx.new_id(),
            account_id: account.id,
            customer_id: customer.id,
            reward_id: reward.id,
            transaction_id,
            coupon_id,
            status: status.to_owned(),
            points,
            redeemed_at: tx.now(),
            cancelled_at: None,
        };
        tell(tx, TimelineEntryKind::RewardRedeemed, &row, &reward, reason);
        let made = Bought { redemption: row.id, account: account.id, coupon: coupon_id };
        tx.insert([row]).await?;
        Ok(made)
    }
}

impl Work for RedemptionCancelInput {
    type Made = Bought;

    async fn run(&self, tx: &mut Tx) -> Outcome<Bought> {
        let id = id::parse("input.redemption", Kind::Redemption, &self.redemption)?;
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let customer = owner(tx, "redemption", "redemptions", false, id).await?;
        let missing = || Refusal::not_found("redemption");
        let mut row = tx.one(redemption::Entity::find_by_id(id)).await?.ok_or_else(missing)?;
        let mut ledger = Ledger::open(tx, customer.id, "redemption").await?;
        let (transaction, entry) = ledger.entry(tx, row.transaction_id).await?.ok_or_else(missing)?;
        let coupon = unused(tx, &row).await?;
        let lot = ledger.new_lot(tx);
        let entries = ledger.account.refund(&entry, 0, row.points, tx.now(), lot);
        let reward = tx.one(reward::Entity::find_by_id(row.reward_id)).await?.ok_or_else(Fault::internal)?;
        let posting = Posting {
            reason: Some("Reward cancelled".to_owned()),
            reverses_id: Some(transaction.id),
            label: Some(reward.name.clone()),
            ..Posting::default()
        };
        ledger.post(tx, entries.map_err(|error| refusal(error, "redemption"))?, &posting);
        if let Some(coupon) = coupon {
            giving::cancel(tx, coupon).await?;
        }
        put_into_stock(tx, &reward).await?;
        row.status = "CANCELLED".to_owned();
        row.cancelled_at = Some(tx.now());
        tell(tx, TimelineEntryKind::RewardCancelled, &row, &reward, reason);
        let made = Bought { redemption: row.id, account: row.account_id, coupon: row.coupon_id };
        tx.put(row).await?;
        ledger.save(tx).await?;
        Ok(made)
    }
}

/// A reward of the account's programme that the customer can have now.
///
/// # Errors
/// `NOT_FOUND`, `REWARD_UNAVAILABLE`, `OUT_OF_STOCK`, `TIER_TOO_LOW`.
async fn on_offer(tx: &mut Tx, ledger: &Ledger, id: Uuid) -> Outcome<reward::Model> {
    let refused = |problem: Problem, message: &str| Err(problem.at("reward", message).into());
    let found = tx.one(reward::Entity::find_by_id(id)).await?;
    let Some(reward) = found.filter(|reward| reward.programme_id == ledger.row.programme_id) else {
        return Err(Refusal::not_found("reward").into());
    };
    let period = Period { starts_at: reward.starts_at, ends_at: reward.ends_at };
    if !reward.active || !period.contains(tx.now()) {
        return refused(Problem::RewardUnavailable, "this reward is not offered now");
    }
    if reward.stock == Some(0) {
        return sold_out();
    }
    if standing::rank(tx, &ledger.row).await? < reward.min_tier_rank {
        return refused(Problem::TierTooLow, "this reward is for higher tiers");
    }
    Ok(reward)
}

/// Takes one piece, if there is one: of several who want the last one, the first gets it.
async fn take_from_stock(tx: &mut Tx, reward: &reward::Model) -> Outcome<()> {
    if reward.stock.is_none() {
        return Ok(());
    }
    let mut sql = tx.sql();
    sql.push("UPDATE rewards SET stock = stock - 1 WHERE stock > 0 AND id = ");
    sql.bind(reward.id);
    if tx.execute(sql).await? == 1 { Ok(()) } else { sold_out() }
}

fn sold_out<T>() -> Outcome<T> {
    Err(Problem::OutOfStock.at("reward", "none of these is left").into())
}

async fn put_into_stock(tx: &mut Tx, reward: &reward::Model) -> Outcome<()> {
    let mut sql = tx.sql();
    sql.push("UPDATE rewards SET stock = stock + 1 WHERE stock IS NOT NULL AND id = ");
    sql.bind(reward.id);
    tx.execute(sql).await.map(drop)
}

/// The coupon of a redemption that can be called off, if it came as one.
///
/// # Errors
/// `ALREADY_CANCELLED`, `ALREADY_USED`.
async fn unused(tx: &mut Tx, row: &redemption::Model) -> Outcome<Option<coupon::Model>> {
    let refused = |problem: Problem, message: &str| Err(problem.at("redemption", message).into());
    match row.status.as_str() {
        "ISSUED" => {}
        "CANCELLED" => return refused(Problem::AlreadyCancelled, "this redemption was called off before"),
        _ => return refused(Problem::AlreadyUsed, "the customer has the reward already"),
    }
    let Some(id) = row.coupon_id else { return Ok(None) };
    let coupon = tx.one(coupon::Entity::find_by_id(id)).await?.ok_or_else(Fault::internal)?;
    if coupon.status == "ISSUED" && coupon.expires_at.is_none_or(|expiry| tx.now() < expiry) {
        return Ok(Some(coupon));
    }
    refused(Problem::AlreadyUsed, "its coupon was used, or has expired")
}

fn tell(tx: &mut Tx, kind: TimelineEntryKind, row: &redemption::Model, reward: &reward::Model, reason: Option<String>) {
    let event = Event::of(kind, TimelineDomain::Loyalty)
        .customer(row.customer_id)
        .about(Kind::Redemption, row.id)
        .label(reward.name.clone())
        .because(reason);
    tx.tell(event);
}
