//! Orders: what they came to, and the row itself. Their parts are in `parcels` and `returns`.

use std::collections::HashSet;

use c360_entities::{event, order, order_discount, order_line, payment, refund};
use c360_rules::earning::Rule;
use c360_rules::id::Kind;
use c360_rules::ledger::MAX_POINTS;
use c360_rules::money::{Currency, Money};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::book::Posting;
use super::draft::{Draft, Slot};
use super::form::Amount;
use super::items::{Discount, Line, Order};
use super::parse::Problem;
use super::world::part_id;
use super::{loyalty, parcels, returns};

/// An order in the making.
pub(super) struct Making<'a> {
    pub(super) item: &'a Order,
    pub(super) slot: Slot,
    pub(super) number: &'a str,
    pub(super) lines: Vec<order_line::Model>,
}

impl Making<'_> {
    /// The id of the line at a place.
    pub(super) fn line(&self, field: impl FnOnce() -> String, place: i64) -> Result<&order_line::Model, Problem> {
        let line = usize::try_from(place - 1).ok().and_then(|place| self.lines.get(place));
        line.ok_or_else(|| Problem::new(field(), format!("the order has {} lines", self.lines.len())))
    }
}

/// An order, new or changed.
pub(super) fn apply(draft: &mut Draft<'_>, item: &Order, slot: Slot, version: i64) -> Result<(), Problem> {
    let currency = item.currency.0;
    let number = item.number.as_ref().unwrap_or(&item.id).0.as_str();
    let (lines, mut discounts) = lines(draft, item, slot)?;
    let gone = draft.known.order_lines.get(&slot.id).is_some_and(|before| before.len() > lines.len());
    if gone {
        return Err(Problem::new("lines", "a line of an older version is gone"));
    }
    let mut making = Making { item, slot, number, lines };
    for (place, given) in item.discounts.iter().enumerate() {
        discounts.push(discount(&making, given, None, format!("discounts[{place}]"))?);
    }
    let payments = payments(&making)?;
    let parcels = parcels::read(&making)?;
    let returns = returns::read(draft, &making)?;
    for (line, back) in making.lines.iter_mut().zip(&returns.quantities) {
        if *back > i64::from(line.quantity) {
            return Err(Problem::new("returns", format!("more came back of line {} than it has", line.position)));
        }
        line.returned_quantity = i32::try_from(*back).unwrap_or(i32::MAX);
    }
    let refunds = returns::refunds(draft, &making, &returns)?;
    let row = row(draft, &making, &discounts, &payments, &refunds)?;
    let earned = steps(&row, &refunds);
    if Rule::default().points(Money::new(net(&row), currency)) > MAX_POINTS {
        return Err(Problem::new("lines", "the order is too large"));
    }

    // All is sound from here on.
    let before = draft.known.orders.get(&slot.id).cloned();
    let old_refunds = draft.known.refunds.get(&slot.id).cloned().unwrap_or_default();
    // Without an account then, it has earned nothing yet.
    let accrued = before.as_ref().filter(|_| draft.known.accrued.contains(&slot.id));
    let earned_before = accrued.map(|row| steps(row, &old_refunds)).unwrap_or_default();
    match &before {
        Some(before) => {
            draft.batch.expect("orders", slot.id, before.version);
            draft.batch.clear("order_discounts", "order_id", slot.id);
            draft.batch.clear("payments", "order_id", slot.id);
            draft.batch.put(&row);
            making.lines.iter().for_each(|line| draft.batch.put(line));
        }
        None => {
            draft.batch.push(&row);
            draft.batch.extend(&making.lines);
        }
    }
    draft.batch.extend(&discounts);
    draft.batch.extend(&payments);
    for line in &making.lines {
        draft.known.lines.insert((slot.id, line.position), line.id);
    }
    log(draft, &making, &row, version);
    parcels::save(draft, &making, parcels);
    returns::save(draft, &making, returns, &refunds);
    move_points(draft, &making, earned, earned_before, version);
    draft.touched.orders.insert(slot.customer_id);
    Ok(())
}

/// An amount; 0 if there is none.
pub(super) fn amount(field: impl Into<String>, text: Option<&Amount>, currency: Currency) -> Result<i64, Problem> {
    match text {
        Some(text) => text.minor(currency).map_err(|reason| Problem::new(field, reason)),
        None => Ok(0),
    }
}

fn lines(
    draft: &Draft<'_>,
    item: &Order,
    slot: Slot,
) -> Result<(Vec<order_line::Model>, Vec<order_discount::Model>), Problem> {
    if item.lines.is_empty() {
        return Err(Problem::new("lines", "an order has at least one line"));
    }
    let (mut lines, mut discounts) = (Vec::with_capacity(item.lines.len()), Vec::new());
    for (place, given) in item.lines.iter().enumerate() {
        let (line, mut of_line) = line(draft, item, slot, place, given)?;
        lines.push(line);
        discounts.append(&mut of_line);
    }
    Ok((lines, discounts))
}

fn line(
    draft: &Draft<'_>,
    item: &Order,
    slot: Slot,
    place: usize,
    given: &Line,
) -> Result<(order_line::Model, Vec<order_discount::Model>), Problem> {
    let (currency, at) = (item.currency.0, |field: &str| format!("lines[{place}].{field}"));
    let unit_price = amount(at("unitPrice"), Some(&given.unit_price), currency)?;
    let subtotal = match &given.subtotal {
        Some(text) => amount(at("subtotal"), Some(text), currency)?,
        None => unit_price.saturating_mul(given.quantity.0),
    };
    // Far above any amount that can be written, and far below what sums can hold.
    if subtotal > 1_000_000_000_000_000 {
        return Err(Problem::new(at("quantity"), "the line's amount is too large"));
    }
    let id = part_id(slot.id, format_args!("line/{}", place + 1));
    let making = Making { item, slot, number: "", lines: Vec::new() };
    let mut discounts = Vec::new();
    for (nth, one) in given.discounts.iter().enumerate() {
        discounts.push(discount(&making, one, Some(id), format!("lines[{place}].discounts[{nth}]"))?);
    }
    let discount_total: i64 = discounts.iter().map(|discount| discount.amount).sum();
    if discount_total > subtotal {
        return Err(Problem::new(at("discounts"), "more than the line comes to"));
    }
    let product = (item.source.0.clone(), given.sku.0.clone());
    let row = order_line::Model {
        id,
        order_id: slot.id,
        customer_id: slot.customer_id,
        position: i32::try_from(place + 1).unwrap_or(i32::MAX),
        product_id: draft.known.products.get(&product).copied(),
        sku: given.sku.0.clone(),
        title: given.title.0.clone(),
        quantity: i32::try_from(given.quantity.0).unwrap_or(i32::MAX),
        returned_quantity: 0,
        unit_price,
        unit_cost: match &given.unit_cost {
            Some(cost) => Some(amount(at("unitCost"), Some(cost), currency)?),
            None => None,
        },
        currency: currency.code().into(),
        subtotal,
        discount_total,
        total: subtotal - discount_total,
    };
    Ok((row, discounts))
}

fn discount(
    making: &Making<'_>,
    given: &Discount,
    order_line_id: Option<Uuid>,
    field: String,
) -> Result<order_discount::Model, Problem> {
    let currency = making.item.currency.0;
    let minor = amount(format!("{field}.amount"), Some(&given.amount), currency)?;
    if minor == 0 {
        return Err(Problem::new(format!("{field}.amount"), "a discount is more than 0"));
    }
    Ok(order_discount::Model {
        id: part_id(making.slot.id, &field),
        order_id: making.slot.id,
        customer_id: making.slot.customer_id,
        order_line_id,
        kind: given.kind.0.into(),
        code: given.code.as_ref().map(|code| code.0.clone()),
        amount: minor,
        currency: currency.code().into(),
    })
}

fn payments(making: &Making<'_>) -> Result<Vec<payment::Model>, Problem> {
    let currency = making.item.currency.0;
    let mut payments = Vec::with_capacity(making.item.payments.len());
    for (place, given) in making.item.payments.iter().enumerate() {
        payments.push(payment::Model {
            id: part_id(making.slot.id, format_args!("payment/{place}")),
            order_id: making.slot.id,
            customer_id: making.slot.customer_id,
            method: given.method.0.into(),
            status: given.status.0.into(),
            amount: amount(format!("payments[{place}].amount"), Some(&given.amount), currency)?,
            currency: currency.code().into(),
            provider: given.provider.as_ref().map(|provider| provider.0.clone()),
            reference: given.reference.as_ref().map(|reference| reference.0.clone()),
            paid_at: given.paid_at.0,
        });
    }
    Ok(payments)
}

fn row(
    draft: &Draft<'_>,
    making: &Making<'_>,
    discounts: &[order_discount::Model],
    payments: &[payment::Model],
    refunds: &[refund::Model],
) -> Result<order::Model, Problem> {
    let Making { item, slot, number, lines } = making;
    let currency = item.currency.0;
    let subtotal: i64 = lines.iter().map(|line| line.subtotal).sum();
    let discount_total: i64 = discounts.iter().map(|discount| discount.amount).sum();
    let shipping_total = amount("shippingTotal", item.shipping_total.as_ref(), currency)?;
    let tax_total = amount("taxTotal", item.tax_total.as_ref(), currency)?;
    if discount_total > subtotal {
        return Err(Problem::new("discounts", "more than the lines come to"));
    }
    let total = subtotal - discount_total + shipping_total + tax_total;
    if let Some(given) = &item.total
        && amount("total", Some(given), currency)? != total
    {
        let sum = Money::new(total, currency).decimal();
        return Err(Problem::new("total", format!("lines, discounts, shipping and tax come to {sum}")));
    }
    let captured = payments.iter().filter(|payment| payment.status == "CAPTURED");
    let paid_total: i64 = captured.map(|payment| payment.amount).sum();
    let kept = refunds.iter().filter(|refund| refund.status != "FAILED");
    let refunded_total: i64 = kept.map(|refund| refund.amount).sum();
    if refunded_total > paid_total {
        return Err(Problem::new("refunds", "more than was paid"));
    }
    if (item.status.0 == "CANCELLED") != item.cancelled_at.is_some() {
        return Err(Problem::new("cancelledAt", "CANCELLED needs it, and nothing else has it"));
    }
    let before = draft.known.orders.get(&slot.id);
    let store_id = match &item.store {
        Some(store) => {
            let store = draft.world.stores.get(&(item.source.0.clone(), store.0.clone())).copied();
            Some(store.ok_or_else(|| Problem::new("store", "unknown store"))?)
        }
        None => None,
    };
    let to = item.shipping_address.as_ref();
    Ok(order::Model {
        id: slot.id,
        customer_id: slot.customer_id,
        source: item.source.0.clone(),
        number: (*number).to_owned(),
        channel: item.channel.0.into(),
        status: item.status.0.into(),
        store_id,
        currency: currency.code().into(),
        subtotal,
        discount_total,
        shipping_total,
        tax_total,
        total,
        paid_total,
        refunded_total,
        ship_recipient: to.and_then(|to| to.recipient.as_ref()).map(|text| text.0.clone()),
        ship_line1: to.map(|to| to.line1.0.clone()),
        ship_city: to.map(|to| to.city.0.clone()),
        ship_region: to.and_then(|to| to.region.as_ref()).map(|text| text.0.clone()),
        ship_postal_code: to.and_then(|to| to.postal_code.as_ref()).map(|text| text.0.clone()),
        ship_country: to.map(|to| to.country.0.clone()),
        placed_at: item.placed_at.0,
        cancelled_at: item.cancelled_at.map(|at| at.0),
        version: before.map_or(1, |row| row.version + 1),
        updated_at: draft.world.now,
    })
}

fn log(draft: &mut Draft<'_>, making: &Making<'_>, row: &order::Model, version: i64) {
    let Slot { customer_id, id, is_new } = making.slot;
    let (source, order) = (&making.item.source.0, (Kind::Order, id));
    let about = |event: event::Model| event::Model { label: Some(making.number.to_owned()), ..event };
    let placed = draft.world.event(source, customer_id, ("ORDER_PLACED", "ORDERS"), order, row.placed_at);
    let (amount, currency) = (Some(row.total), Some(row.currency.clone()));
    let channel = Some(row.channel.clone());
    draft.log(is_new, event::Model { amount, currency, channel, ..about(placed) });
    if let Some(at) = row.cancelled_at {
        let gone = draft.world.event(source, customer_id, ("ORDER_CANCELLED", "ORDERS"), order, at);
        draft.log(is_new, about(gone));
    }
    if !is_new {
        let updated = draft.world.event(source, customer_id, ("ORDER_UPDATED", "ORDERS"), order, draft.world.now);
        let id = part_id(id, format_args!("ORDER_UPDATED/{version}"));
        draft.log(is_new, event::Model { id, ..about(updated) });
    }
}

/// Something that an order does to the points of its customer.
#[derive(Clone, Debug)]
struct Step {
    name: String,
    at: DateTime<Utc>,
    points: i64,
}

/// The goods' value after discounts, without shipping and tax.
fn net(row: &order::Model) -> i64 {
    row.subtotal - row.discount_total
}

/// What an order earns, and what its returns and its cancelling take back; a function of the rows alone.
fn steps(row: &order::Model, refunds: &[refund::Model]) -> Vec<Step> {
    let Ok(currency) = row.currency.parse::<Currency>() else { return Vec::new() };
    let worth = |minor: i64| Rule::default().points(Money::new(minor.max(0), currency));
    if row.paid_total == 0 {
        return Vec::new();
    }
    let mut left = net(row);
    let mut steps = vec![Step { name: "order".into(), at: row.placed_at, points: worth(left) }];
    let mut back: Vec<_> =
        refunds.iter().filter(|refund| refund.return_id.is_some() && refund.status != "FAILED").collect();
    back.sort_unstable_by_key(|refund| (refund.granted_at, refund.id));
    for refund in back {
        let before = worth(left);
        left -= refund.amount;
        steps.push(Step { name: refund.id.to_string(), at: refund.granted_at, points: worth(left) - before });
    }
    if let Some(at) = row.cancelled_at {
        steps.push(Step { name: "cancelled".into(), at, points: -worth(left) });
    }
    steps.retain(|step| step.points != 0);
    steps
}

/// Posts what is new among an order's steps, and corrects what has changed.
fn move_points(draft: &mut Draft<'_>, making: &Making<'_>, now: Vec<Step>, before: Vec<Step>, version: i64) {
    let (source, order_id) = (&making.item.source.0, making.slot.id);
    let Some(book) = draft.known.books.get_mut(&making.slot.customer_id) else { return };
    if !book.earns_by_orders() {
        return;
    }
    let names: HashSet<&str> = now.iter().map(|step| step.name.as_str()).collect();
    let gone = before.iter().filter(|step| !names.contains(step.name.as_str()));
    let gone: Vec<_> = gone.map(|step| Step { points: 0, ..step.clone() }).collect();
    let mut posted = Vec::new();
    for step in now.into_iter().chain(gone) {
        let old = before.iter().find(|other| other.name == step.name);
        let points = step.points - old.map_or(0, |old| old.points);
        let name = match old {
            Some(_) => format!("{order_id}/{}/{version}", step.name),
            None => format!("{order_id}/{}", step.name),
        };
        let posting = Posting { source, name, ..Posting::default() };
        // Within the range of the ledger, as was checked: neither is refused.
        let entries = match points {
            0 => continue,
            1.. => book.accrue(points, step.at, Some(order_id), &posting),
            _ => book.take_back(-points, step.at, Some(order_id), &posting),
        };
        posted.extend(entries.unwrap_or_default());
    }
    let (customer_id, number) = (making.slot.customer_id, making.number.to_owned());
    loyalty::log(draft, source, customer_id, &posted, Some(&number));
}
