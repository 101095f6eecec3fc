//! Coupons given and used.

use async_graphql::InputObject;
use c360_entities::{campaign, coupon, coupon_definition};
use c360_rules::earning::Period;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::object::Coupon;
use super::super::{giving, store};
use super::{keyed, owner};
use crate::domains::customers::{CustomerIdentifier, on_behalf, verified, whose};
use crate::domains::orders::query::OrderIdentifier;
use crate::domains::orders::which;
use crate::error::Fault;
use crate::graphql::DateTime;
use crate::payload;
use crate::write::{self, Outcome, Problem, Refusal, Tx, Work};

/// A coupon to be given.
#[derive(Clone, Debug, InputObject)]
pub struct CouponIssueInput {
    /// The customer.
    customer: CustomerIdentifier,
    /// Which kind of coupon: the code of its definition, such as `WARM`.
    definition: String,
    /// The code of its campaign, where several campaigns have a coupon of this code.
    campaign: Option<String>,
    /// Until when it can be used: a time to come. What the retailer has set, usually 90 days from now, if left out.
    expires_at: Option<DateTime>,
    /// Why, in a line of at most 500 characters; staff see it.
    reason: String,
    /// Makes it safe to send the request again: the customer gets one coupon for each key.
    idempotency_key: String,
}

/// A coupon to be used.
#[derive(Clone, Debug, InputObject)]
pub struct CouponRedeemInput {
    /// The code on the coupon.
    code: String,
    /// The order that it is used for, one of the coupon's customer; leave it out at a till that knows it later.
    order: Option<OrderIdentifier>,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: the coupon is used once.
    idempotency_key: String,
}

/// A coupon.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Given {
    coupon: Uuid,
}

payload! {
    /// What came of giving a coupon.
    CouponIssuePayload of Given {
        /// The coupon.
        coupon: Coupon = |made| Some(store::coupon(made.coupon)),
    }
    CouponIssueUserError {
        CouponIssueErrorCode:
        NotFound, Ambiguous, CampaignOver, OutOfRange, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of using a coupon.
    CouponRedeemPayload of Given {
        /// The coupon.
        coupon: Coupon = |made| Some(store::coupon(made.coupon)),
    }
    CouponRedeemUserError {
        CouponRedeemErrorCode:
        NotFound, CallerNotVerified, Ambiguous, AlreadyUsed, AlreadyCancelled, Expired, CurrencyMismatch, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

keyed!(CouponIssueInput = "couponIssue");
keyed!(CouponRedeemInput = "couponRedeem");

impl Work for CouponIssueInput {
    type Made = Given;

    async fn run(&self, tx: &mut Tx) -> Outcome<Given> {
        let reason = write::short_text("reason", &self.reason)?;
        let customer = whose(tx, Some(&self.customer)).await?;
        let definition = self.definition(tx).await?;
        let expires_at = match self.expires_at {
            Some(DateTime(at)) if at <= tx.now() => {
                return Err(Problem::OutOfRange.at("expiresAt", "give a time that is still to come").into());
            }
            Some(DateTime(at)) => Some(at),
            None => giving::usual_expiry(tx),
        };
        let coupon = giving::give(tx, customer.id, &definition, expires_at, Some(reason)).await?;
        Ok(Given { coupon })
    }
}

impl CouponIssueInput {
    /// The definition that the input names, of a campaign that is not over.
    async fn definition(&self, tx: &mut Tx) -> Outcome<coupon_definition::Model> {
        let (code, campaign) = (self.definition.trim(), self.campaign.as_deref().map(str::trim));
        let found = coupon_definition::Entity::find().filter(coupon_definition::Column::Code.eq(code));
        let mut fitting = Vec::new();
        for definition in tx.all(found).await? {
            let of = match definition.campaign_id {
                Some(id) => tx.one(campaign::Entity::find_by_id(id)).await?,
                None => None,
            };
            if campaign.is_none_or(|code| of.as_ref().is_some_and(|of| of.code == code)) {
                fitting.push((definition, of));
            }
        }
        if fitting.len() > 1 {
            return Err(Problem::Ambiguous
                .at("definition", "several campaigns have such a coupon: name the campaign")
                .into());
        }
        let Some((definition, of)) = fitting.pop() else { return Err(Refusal::not_found("definition").into()) };
        let runs = |of: &campaign::Model| Period { starts_at: None, ends_at: Some(of.ends_at) }.contains(tx.now());
        if of.as_ref().is_some_and(|of| !runs(of)) {
            return Err(Problem::CampaignOver.at("definition", "the campaign of this coupon is over").into());
        }
        Ok(definition)
    }
}

impl Work for CouponRedeemInput {
    type Made = Given;

    async fn run(&self, tx: &mut Tx) -> Outcome<Given> {
        let code = write::short_text("code", &self.code)?;
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let find = || coupon::Entity::find().filter(coupon::Column::Code.eq(code.clone()));
        let missing = || Refusal::not_found("code");
        let id = tx.one(find()).await?.ok_or_else(missing)?.id;
        let customer = owner(tx, "code", "coupons", false, id).await?;
        verified(tx, customer.id).await?;
        // As it is now that nobody else changes it.
        let coupon = tx.one(find()).await?.ok_or_else(missing)?;
        check(tx, &coupon)?;
        let definition = tx.one(coupon_definition::Entity::find_by_id(coupon.definition_id)).await?;
        let definition = definition.ok_or_else(Fault::internal)?;
        let order = match &self.order {
            Some(order) => Some(which(tx, order, coupon.customer_id).await?),
            None => None,
        };
        if let (Some(order), Some(currency)) = (&order, &definition.currency)
            && order.currency != *currency
        {
            let message = format!("the coupon is good for {currency}, but the order is in {}", order.currency);
            return Err(Problem::CurrencyMismatch.at("order", message).into());
        }
        giving::use_up(tx, coupon, &definition.title, order.map(|order| order.id), reason).await?;
        Ok(Given { coupon: id })
    }
}

/// Whether a coupon can still be used.
///
/// # Errors
/// `ALREADY_USED`, `ALREADY_CANCELLED`, `EXPIRED`.
fn check(tx: &Tx, coupon: &coupon::Model) -> Outcome<()> {
    let (problem, message) = match coupon.status.as_str() {
        "REDEEMED" => (Problem::AlreadyUsed, "this coupon was used before"),
        "CANCELLED" => (Problem::AlreadyCancelled, "this coupon was called off"),
        "ISSUED" if coupon.expires_at.is_none_or(|expiry| tx.now() < expiry) => return Ok(()),
        _ => (Problem::Expired, "this coupon has expired"),
    };
    Err(problem.at("code", message).into())
}
