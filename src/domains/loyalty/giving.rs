//! Coupons given, called off, and used up.

use c360_entities::{coupon, coupon_definition, redemption, reward};
use c360_rules::id::Kind;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::numbers;
use crate::clock::derived_id;
use crate::error::Fault;
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::write::{Outcome, Tx};

/// How often a code is made anew that somebody has already. With 60 random bits, once is rare.
const ATTEMPTS: usize = 5;

/// Until when a coupon can be used that is given now and does not say otherwise.
pub(super) fn usual_expiry(tx: &Tx) -> Option<DateTime<Utc>> {
    let days = tx.state().config.loyalty.coupon_days;
    (days > 0).then(|| tx.now() + TimeDelta::days(days.into()))
}

/// Gives a customer a coupon with a new code; its id.
pub(super) async fn give(
    tx: &mut Tx,
    customer_id: Uuid,
    definition: &coupon_definition::Model,
    expires_at: Option<DateTime<Utc>>,
    reason: Option<String>,
) -> Outcome<Uuid> {
    for _ in 0..ATTEMPTS {
        let row = coupon::Model {
            id: tx.new_id(),
            definition_id: definition.id,
            customer_id,
            code: numbers::coupon_code()?,
            status: "ISSUED".to_owned(),
            order_id: None,
            issued_at: tx.now(),
            expires_at,
            redeemed_at: None,
        };
        if tx.insert_new(row.clone()).await? {
            let event = event(TimelineEntryKind::CouponIssued, &row).label(definition.title.clone()).because(reason);
            tx.tell(event);
            return Ok(row.id);
        }
    }
    Err(Fault::internal().into())
}

/// The coupon that a reward comes as; none if it does not come as one.
pub(super) async fn for_reward(tx: &mut Tx, customer_id: Uuid, reward: &reward::Model) -> Outcome<Option<Uuid>> {
    let (Some(value), Some(currency), "DISCOUNT" | "GIFT_CARD") =
        (reward.value_minor, reward.currency.as_deref(), reward.kind.as_str())
    else {
        return Ok(None);
    };
    let definition = definition_of(tx, reward, value, currency).await?;
    let expires_at = usual_expiry(tx);
    give(tx, customer_id, &definition, expires_at, None).await.map(Some)
}

/// What the coupons of a reward are worth: made when the first one is given, and anew when the reward's worth changes.
async fn definition_of(
    tx: &mut Tx,
    reward: &reward::Model,
    value: i64,
    currency: &str,
) -> Outcome<coupon_definition::Model> {
    use coupon_definition::{Column, Entity, Model};

    let code = format!("REWARD-{}", reward.code);
    let known = Entity::find()
        .filter(Column::Source.eq("c360"))
        .filter(Column::CampaignId.is_null())
        .filter(Column::Code.eq(code.clone()))
        .filter(Column::ValueMinor.eq(value))
        .filter(Column::Currency.eq(currency));
    if let Some(known) = tx.one(known).await? {
        return Ok(known);
    }
    let name = format!("reward/{}/{value}/{currency}", reward.id);
    let row = Model {
        // Two who make it at the same moment make the same.
        id: derived_id(DateTime::UNIX_EPOCH, "c360", &name),
        campaign_id: None,
        source: "c360".to_owned(),
        code,
        title: reward.name.clone(),
        kind: "AMOUNT".to_owned(),
        value_minor: Some(value),
        percentage_bp: None,
        currency: Some(currency.to_owned()),
    };
    tx.insert_new(row.clone()).await?;
    Ok(row)
}

/// Calls a coupon off that was not used.
pub(super) async fn cancel(tx: &mut Tx, mut row: coupon::Model) -> Outcome<()> {
    row.status = "CANCELLED".to_owned();
    let event = event(TimelineEntryKind::CouponCancelled, &row);
    tx.tell(event);
    tx.put(row).await
}

/// Uses a coupon up. The redemption that it came from is done with that.
pub(super) async fn use_up(
    tx: &mut Tx,
    mut row: coupon::Model,
    title: &str,
    order_id: Option<Uuid>,
    reason: Option<String>,
) -> Outcome<()> {
    row.status = "REDEEMED".to_owned();
    row.redeemed_at = Some(tx.now());
    row.order_id = order_id;
    let event = event(TimelineEntryKind::CouponRedeemed, &row).label(title).because(reason);
    tx.tell(event);
    let bought = redemption::Entity::find().filter(redemption::Column::CouponId.eq(row.id));
    if let Some(mut bought) = tx.one(bought).await? {
        bought.status = "FULFILLED".to_owned();
        tx.put(bought).await?;
    }
    tx.put(row).await
}

fn event(kind: TimelineEntryKind, row: &coupon::Model) -> Event {
    Event::of(kind, TimelineDomain::Loyalty).customer(row.customer_id).about(Kind::Coupon, row.id)
}
