//! Households that the database has already, and of which the files know more: one transaction for each.
//!
//! The gateway may be serving meanwhile, and the account may have been used since: rows that change are locked
//! and read within the transaction.

use std::collections::HashMap;

use c360_entities::{customer, customer_statistics, loyalty_account, loyalty_transaction, order, order_line, payment};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DatabaseConnection, DatabaseTransaction, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::builder::{Owner, Sums, World};
use super::households::Facts;
use super::known::KnownOrder;
use super::points::{self, Points};
use super::rows::Rows;
use super::sales::{Basket, FILE, Sale};
use super::statistics;
use super::values::id;
use super::writer::conflict;
use crate::cache::lease;
use crate::ingest::{Error, Report};

/// What the files know of a household that the database does not.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Orders that are new.
    pub(super) baskets: Vec<Basket>,
    /// Orders that lack lines.
    pub(super) partial: Vec<(Basket, KnownOrder)>,
    /// Campaigns and coupons.
    pub(super) facts: Facts,
}

impl News {
    pub(super) fn is_empty(&self) -> bool {
        let Facts { campaigns, redemptions, .. } = &self.facts;
        self.baskets.is_empty() && self.partial.is_empty() && campaigns.is_empty() && redemptions.is_empty()
    }
}

/// What was added to a household.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Added {
    pub(super) orders: u64,
    pub(super) lines: u64,
}

/// Adds to a household what is new.
pub(super) async fn extend(
    db: &DatabaseConnection,
    world: &mut World,
    mut owner: Owner,
    news: &News,
    report: &mut Report,
) -> Result<Added, Error> {
    let transaction = lease::begin_closed(db).await?;
    let mut rows = Rows::default();
    let mut added = Added::default();
    let stored = account(&transaction, world, &owner).await?;
    let since = news.baskets.first().map_or(world.now, |basket| basket.placed_at);
    let is_new = stored.is_none();
    let mut account = match stored {
        Some(account) => account,
        None => points::enrol(&owner, &world.programme, since, &mut rows),
    };
    owner.account_id = account.id;
    let mut points = Points::of(&account);
    let mut statistics = match locked_statistics(&transaction, &owner).await? {
        Some(row) => row,
        None => {
            let empty = statistics::empty(&owner, world.now);
            rows.statistics.push(empty.clone());
            empty
        }
    };
    for basket in &news.baskets {
        let sums = world.basket(&owner, basket, &mut points, &mut rows);
        statistics::add_order(&mut statistics, basket.placed_at, sums.total);
        added.orders += 1;
        added.lines += basket.sales.len() as u64;
    }
    for (basket, known) in &news.partial {
        let completed = complete(&transaction, world, &owner, (basket, known), &mut points, &mut rows).await?;
        match completed {
            Some((sums, lines)) => {
                statistics.spent_total += sums.total;
                added.lines += lines;
            }
            None => report.note(FILE, basket.line, conflict(basket.number)),
        }
    }
    news.facts.campaigns.iter().for_each(|campaign| world.member(&owner, *campaign, &mut rows));
    news.facts.redemptions.iter().for_each(|redemption| world.redemption(&owner, redemption, &mut rows));
    points.finish(&owner, &mut account, &mut rows)?;
    if is_new {
        rows.accounts.push(account.clone());
    }
    rows.insert(&transaction).await?;
    if !is_new {
        account.version += 1;
    }
    qualify(&transaction, world, &mut account).await?;
    account.into_active_model().reset_all().update(&transaction).await?;
    statistics.updated_at = world.now;
    statistics.into_active_model().reset_all().update(&transaction).await?;
    touch_customer(&transaction, &owner, world.now).await?;
    transaction.commit().await?;
    Ok(added)
}

async fn account(
    transaction: &DatabaseTransaction,
    world: &World,
    owner: &Owner,
) -> Result<Option<loyalty_account::Model>, Error> {
    let query = loyalty_account::Entity::find()
        .filter(loyalty_account::Column::CustomerId.eq(owner.customer_id))
        .filter(loyalty_account::Column::ProgrammeId.eq(world.programme.id));
    Ok(query.lock_exclusive().one(transaction).await?)
}

async fn locked_statistics(
    transaction: &DatabaseTransaction,
    owner: &Owner,
) -> Result<Option<customer_statistics::Model>, Error> {
    Ok(customer_statistics::Entity::find_by_id(owner.customer_id).lock_exclusive().one(transaction).await?)
}

async fn touch_customer(transaction: &DatabaseTransaction, owner: &Owner, now: DateTime<Utc>) -> Result<(), Error> {
    customer::Entity::update_many()
        .col_expr(customer::Column::Version, Expr::col(customer::Column::Version).add(1))
        .col_expr(customer::Column::UpdatedAt, Expr::value(now))
        .filter(customer::Column::Id.eq(owner.customer_id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// The points of the qualification period before the last accrual, and the tier if they reach a better one.
async fn qualify(
    transaction: &DatabaseTransaction,
    world: &World,
    account: &mut loyalty_account::Model,
) -> Result<(), Error> {
    let accruals = || {
        loyalty_transaction::Entity::find()
            .filter(loyalty_transaction::Column::AccountId.eq(account.id))
            .filter(loyalty_transaction::Column::Kind.eq("ACCRUAL"))
    };
    let newest = accruals().order_by_desc(loyalty_transaction::Column::OccurredAt).one(transaction).await?;
    let Some(newest) = newest else { return Ok(()) };
    let since = newest.occurred_at - TimeDelta::days(world.programme.qualification_days);
    let period = accruals().filter(loyalty_transaction::Column::OccurredAt.gt(since));
    let points = period.select_only().column(loyalty_transaction::Column::Points).into_tuple::<i64>();
    account.qualifying_points = points.all(transaction).await?.into_iter().sum();
    let tier = world.programme.tier(account.qualifying_points);
    if world.programme.is_better(tier, account.tier_id) {
        account.tier_id = tier;
    }
    Ok(())
}

/// Adds the lines that an order lacks, because its file was cut off or a row was broken when it was brought in.
/// `None` if it has lines that the basket does not have: then it is not for this import to change.
async fn complete(
    transaction: &DatabaseTransaction,
    world: &World,
    owner: &Owner,
    (basket, known): (&Basket, &KnownOrder),
    points: &mut Points,
    rows: &mut Rows,
) -> Result<Option<(Sums, u64)>, Error> {
    let Some(mut order) = order::Entity::find_by_id(known.id).lock_exclusive().one(transaction).await? else {
        return Ok(None);
    };
    let lines = order_line::Entity::find().filter(order_line::Column::OrderId.eq(order.id)).all(transaction).await?;
    let last = lines.iter().map(|line| line.position).max().unwrap_or_default();
    let Some(missing) = missing_sales(&basket.sales, &lines) else { return Ok(None) };
    if order.customer_id != owner.customer_id || order.status == "CANCELLED" || missing.is_empty() {
        return Ok(None);
    }
    let earned = world.points(order.total);
    let sums = world.lines(owner, basket, order.id, (last, &missing), rows);
    order.subtotal += sums.subtotal;
    order.discount_total += sums.discount;
    order.total += sums.total;
    order.paid_total += sums.total;
    order.version += 1;
    order.updated_at = world.now;
    let nth = format!("/{last}");
    let more = world.points(order.total) - earned;
    world.accrue(owner, basket, (order.id, more), &nth, points, rows);
    let mut event = world.order_event(owner, "ORDER_UPDATED", basket, order.id, order.total);
    event.id = id(event.occurred_at, "ORDER_UPDATED", format_args!("{}{nth}", basket.number));
    rows.events.push(event);
    payment::Entity::update_many()
        .col_expr(payment::Column::Amount, Expr::col(payment::Column::Amount).add(sums.total))
        .filter(payment::Column::Id.eq(id(basket.placed_at, "payment", basket.number)))
        .exec(transaction)
        .await?;
    order.into_active_model().reset_all().update(transaction).await?;
    Ok(Some((sums, missing.len() as u64)))
}

/// The sales that no line stands for; `None` if a line stands for none of the sales.
fn missing_sales(sales: &[Sale], lines: &[order_line::Model]) -> Option<Vec<Sale>> {
    let mut stored: HashMap<_, usize> = HashMap::new();
    for line in lines {
        *stored.entry((line.sku.clone(), line.quantity, line.discount_total, line.total)).or_default() += 1;
    }
    let mut missing = Vec::new();
    for sale in sales {
        match stored.get_mut(&(sale.product.to_string(), sale.quantity, sale.discount(), sale.total)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => missing.push(*sale),
        }
    }
    stored.values().all(|count| *count == 0).then_some(missing)
}
