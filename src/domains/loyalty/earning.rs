//! What orders earn, and what their returns take back. Other domains call these in their own transactions.

use c360_entities::{loyalty_tier, order, points_lot};
use c360_rules::earning::{self, Campaign, Multiplier, ONE, Period, Rule};
use c360_rules::money::{Currency, Money};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, DbBackend, DbErr, EntityTrait as _, QueryResult};
use uuid::Uuid;

use super::ledger::{Ledger, Posting, refusal};
use crate::error::Fault;
use crate::read::Sql;
use crate::write::{Outcome, Tx};

/// The value of an order's goods, less discounts: what earns points. Shipping and tax do not.
pub fn net_total(order: &order::Model) -> i64 {
    order.subtotal - order.discount_total
}

/// Records what an order of a locked customer earns: pending until it can no longer be returned. It is recorded once,
/// however often this is called, and not at all for those who are not members or whose points are kept elsewhere.
///
/// # Errors
/// The database fails.
pub async fn earn_for_order(tx: &mut Tx, order: &order::Model) -> Outcome<()> {
    let Some(mut ledger) = Ledger::read(tx, order.customer_id).await? else { return Ok(()) };
    if ledger.row.earning != "ORDERS" || ledger.row.status == "CLOSED" {
        return Ok(());
    }
    ledger.load(tx, points_lot::Column::OrderId.eq(order.id)).await?;
    let Ok(currency) = order.currency.parse::<Currency>() else { return Err(Fault::internal().into()) };
    if ledger.account.lots.iter().any(|lot| lot.order_id == Some(order.id)) {
        return Ok(());
    }
    ledger.sweep(tx);
    let rule = rule(tx, &ledger, &order.channel, order.placed_at).await?;
    let points = rule.points(Money::new(net_total(order), currency));
    let (available, expires) = earning::times(tx.now(), ledger.programme.pending_days, ledger.programme.expiry_days);
    let lot = tx.new_id();
    let entries = ledger.account.accrue(points, tx.now(), available, expires, Some(order.id), lot);
    let posting = Posting { label: Some(order.number.clone()), ..Posting::default() };
    ledger.post(tx, entries.map_err(|error| refusal(error, ""))?, &posting);
    ledger.save(tx).await.map(drop)
}

/// Takes back what an order of a locked customer has earned for goods that came back; `net_after` is the value, less
/// discounts, of what the customer keeps, in minor units. What is spent already becomes owed: this is never refused.
/// Called again with the same value, it takes nothing more.
///
/// # Errors
/// The database fails.
pub async fn take_back(tx: &mut Tx, order: &order::Model, net_after: i64) -> Outcome<()> {
    let Some(mut ledger) = Ledger::read(tx, order.customer_id).await? else { return Ok(()) };
    ledger.load(tx, points_lot::Column::OrderId.eq(order.id)).await?;
    let lots: Vec<_> = ledger.account.lots.iter().filter(|lot| lot.order_id == Some(order.id)).collect();
    let sum = |of: fn(&c360_rules::ledger::Lot) -> i64| lots.iter().map(|lot| of(lot)).sum::<i64>();
    let (earned, taken) = (sum(|lot| lot.points), sum(|lot| lot.taken_back));
    let unit = order.currency.parse::<Currency>().map_or(1, |currency| currency.unit());
    let kept = earning::kept(earned, net_total(order) / unit, net_after.max(0) / unit);
    let points = (earned - kept - taken).max(0);
    if points == 0 {
        return Ok(());
    }
    let reverses_id = lots.first().and_then(|lot| ledger.origin(lot.id));
    ledger.sweep(tx);
    let entries = ledger.account.take_back_order(order.id, points, tx.now()).map_err(|error| refusal(error, ""))?;
    let label = Some(order.number.clone());
    let posting = Posting { reason: Some("Return".to_owned()), reverses_id, label, ..Posting::default() };
    ledger.post(tx, entries, &posting);
    ledger.save(tx).await.map(drop)
}

/// What an order of this account earns by, on a channel and at a time.
async fn rule(tx: &mut Tx, ledger: &Ledger, channel: &str, at: DateTime<Utc>) -> Outcome<Rule> {
    let statement = multipliers(tx.backend(), ledger.row.programme_id, ledger.row.customer_id);
    let rows = tx.rows(statement).await?;
    let multipliers = rows.iter().map(multiplier).collect::<Result<Vec<_>, _>>().map_err(Fault::from)?;
    let tier = tx.one(loyalty_tier::Entity::find_by_id(ledger.row.tier_id)).await?.ok_or_else(Fault::internal)?;
    let basis = |points: i32| u32::try_from(points).unwrap_or(ONE);
    let per_unit = basis(ledger.programme.points_per_unit_bp);
    Ok(earning::rule(per_unit, &multipliers, basis(tier.multiplier_bp), &channel.to_owned(), at))
}

/// The rules of a programme that multiply points, each with its campaign as a customer sees it. A campaign without
/// members is for everybody.
pub(super) fn multipliers(backend: DbBackend, programme_id: Uuid, customer_id: Uuid) -> Sql {
    let mut sql = Sql::new(backend);
    sql.push(
        "SELECT e.multiplier_bp, e.channel, e.starts_at, e.ends_at, c.starts_at AS runs_from, c.ends_at AS runs_until, \
         CASE WHEN NOT EXISTS (SELECT 1 FROM campaign_members m WHERE m.campaign_id = c.id) \
           OR EXISTS (SELECT 1 FROM campaign_members m WHERE m.campaign_id = c.id AND m.customer_id = ",
    );
    sql.bind(customer_id);
    sql.push(") THEN 1 ELSE 0 END AS takes_part FROM earning_rules e LEFT JOIN campaigns c ON c.id = e.campaign_id WHERE e.active AND e.programme_id = ");
    sql.bind(programme_id);
    sql
}

/// A row of [`multipliers`].
pub(super) fn multiplier(row: &QueryResult) -> Result<Multiplier<String>, DbErr> {
    let by: i32 = row.try_get("", "multiplier_bp")?;
    let runs_from: Option<DateTime<Utc>> = row.try_get("", "runs_from")?;
    let takes_part: i32 = row.try_get("", "takes_part")?;
    let campaign = match runs_from {
        Some(_) => Some(Campaign {
            period: Period { starts_at: runs_from, ends_at: row.try_get("", "runs_until")? },
            takes_part: takes_part != 0,
        }),
        None => None,
    };
    Ok(Multiplier {
        by: u32::try_from(by).unwrap_or(ONE),
        channel: row.try_get("", "channel")?,
        period: Period { starts_at: row.try_get("", "starts_at")?, ends_at: row.try_get("", "ends_at")? },
        campaign,
    })
}
