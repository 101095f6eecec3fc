//! What came back of an order, and the money that was given back.

use std::collections::HashSet;

use c360_entities::{event, exchange_line, order_return, refund, return_line};
use c360_rules::id::Kind;
use uuid::Uuid;

use super::draft::Draft;
use super::items::Return;
use super::orders::{Making, amount};
use super::parse::Problem;
use super::world::part_id;

/// The rows of an order's returns.
#[derive(Default)]
pub(super) struct Returns {
    rows: Vec<order_return::Model>,
    lines: Vec<return_line::Model>,
    exchanges: Vec<exchange_line::Model>,
    /// How many of each line came back, those included that were not brought in.
    pub(super) quantities: Vec<i64>,
}

/// Makes the rows.
pub(super) fn read(draft: &Draft<'_>, making: &Making<'_>) -> Result<Returns, Problem> {
    let mut returns = Returns { quantities: vec![0; making.lines.len()], ..Returns::default() };
    let before = draft.known.returns.get(&making.slot.id).map(Vec::as_slice).unwrap_or_default();
    let mut numbers = HashSet::new();
    for (place, given) in making.item.returns.iter().enumerate() {
        let at = |field: &str| format!("returns[{place}].{field}");
        if !numbers.insert(&given.number.0) {
            return Err(Problem::new(at("number"), "there twice"));
        }
        if given.lines.is_empty() {
            return Err(Problem::new(at("lines"), "a return has at least one line"));
        }
        let id = return_id(making, &given.number.0);
        let version = before.iter().find(|(row, _)| row.id == id).map_or(1, |(row, _)| row.version + 1);
        returns.rows.push(row(making, given, id, version));
        for (nth, part) in given.lines.iter().enumerate() {
            let line = making.line(|| at(&format!("lines[{nth}].line")), part.line.0)?;
            if is_approved(given.status.0)
                && let Some(quantity) = returns.quantities.get_mut(usize::try_from(line.position - 1).unwrap_or(0))
            {
                *quantity += part.quantity.0;
            }
            returns.lines.push(return_line::Model {
                id: part_id(id, format_args!("line/{nth}")),
                return_id: id,
                customer_id: making.slot.customer_id,
                order_line_id: line.id,
                quantity: i32::try_from(part.quantity.0).unwrap_or(i32::MAX),
                reason: part.reason.0.into(),
                note: part.note.as_ref().map(|note| note.0.clone()),
            });
        }
        for (nth, out) in given.exchange_lines.iter().enumerate() {
            returns.exchanges.push(exchange_line::Model {
                id: part_id(id, format_args!("exchange/{nth}")),
                return_id: id,
                customer_id: making.slot.customer_id,
                product_id: draft.known.products.get(&(making.item.source.0.clone(), out.sku.0.clone())).copied(),
                sku: out.sku.0.clone(),
                title: out.title.0.clone(),
                quantity: i32::try_from(out.quantity.0).unwrap_or(i32::MAX),
            });
        }
    }
    // Returns that were made here count, too.
    let given: HashSet<Uuid> = returns.rows.iter().map(|row| row.id).collect();
    for (row, lines) in before.iter().filter(|(row, _)| !given.contains(&row.id)) {
        if row.id == return_id(making, &row.number) {
            return Err(Problem::new("returns", format!("return {} of an older version is gone", row.number)));
        }
        for back in lines.iter().filter(|_| is_approved(&row.status)) {
            let place = making.lines.iter().position(|line| line.id == back.order_line_id);
            if let Some(quantity) = place.and_then(|place| returns.quantities.get_mut(place)) {
                *quantity += i64::from(back.quantity);
            }
        }
    }
    Ok(returns)
}

fn return_id(making: &Making<'_>, number: &str) -> Uuid {
    part_id(making.slot.id, format_args!("return/{number}"))
}

fn is_approved(status: &str) -> bool {
    matches!(status, "OPEN" | "CLOSED")
}

fn row(making: &Making<'_>, given: &Return, id: Uuid, version: i64) -> order_return::Model {
    order_return::Model {
        id,
        order_id: making.slot.id,
        customer_id: making.slot.customer_id,
        number: given.number.0.clone(),
        status: given.status.0.into(),
        requested_at: given.requested_at.0,
        decided_at: given.decided_at.map(|at| at.0),
        closed_at: given.closed_at.map(|at| at.0),
        decline_reason: given.decline_reason.as_ref().map(|reason| reason.0.clone()),
        version,
    }
}

/// All refunds of the order: those given, and those that were granted here.
pub(super) fn refunds(
    draft: &Draft<'_>,
    making: &Making<'_>,
    returns: &Returns,
) -> Result<Vec<refund::Model>, Problem> {
    let mut refunds: Vec<refund::Model> = Vec::with_capacity(making.item.refunds.len());
    for (place, given) in making.item.refunds.iter().enumerate() {
        let at = |field: &str| format!("refunds[{place}].{field}");
        let id = part_id(making.slot.id, format_args!("refund/{}", given.id.0));
        if refunds.iter().any(|row| row.id == id) {
            return Err(Problem::new(at("id"), "there twice"));
        }
        let minor = amount(at("amount"), Some(&given.amount), making.item.currency.0)?;
        if minor == 0 {
            return Err(Problem::new(at("amount"), "a refund is more than 0"));
        }
        if (given.status.0 == "SETTLED") != given.settled_at.is_some() {
            return Err(Problem::new(at("settledAt"), "SETTLED needs it, and nothing else has it"));
        }
        let back = match &given.r#return {
            Some(number) => {
                let id = return_id(making, &number.0);
                let there = returns.rows.iter().any(|row| row.id == id);
                Some(id)
                    .filter(|_| there)
                    .map(Some)
                    .ok_or_else(|| Problem::new(at("return"), "the order has no such return"))?
            }
            None => None,
        };
        refunds.push(refund::Model {
            id,
            order_id: making.slot.id,
            return_id: back,
            customer_id: making.slot.customer_id,
            amount: minor,
            currency: making.item.currency.0.code().into(),
            status: given.status.0.into(),
            reason: given.reason.as_ref().map(|reason| reason.0.clone()),
            staff_id: None,
            provider_reference: given.provider_reference.as_ref().map(|reference| reference.0.clone()),
            granted_at: given.granted_at.0,
            settled_at: given.settled_at.map(|at| at.0),
        });
    }
    let before = draft.known.refunds.get(&making.slot.id).map(Vec::as_slice).unwrap_or_default();
    let others: Vec<_> = before.iter().filter(|row| !refunds.iter().any(|given| given.id == row.id)).cloned().collect();
    refunds.extend(others);
    Ok(refunds)
}

/// Writes the rows.
pub(super) fn save(draft: &mut Draft<'_>, making: &Making<'_>, returns: Returns, refunds: &[refund::Model]) {
    let is_new = making.slot.is_new;
    for row in &returns.rows {
        if is_new {
            draft.batch.push(row);
        } else {
            draft.batch.clear("return_lines", "return_id", row.id);
            draft.batch.clear("exchange_lines", "return_id", row.id);
            draft.batch.put(row);
        }
        log_return(draft, making, row);
    }
    draft.batch.extend(&returns.lines);
    draft.batch.extend(&returns.exchanges);
    // Those that were granted here come after those given, and are not the source's to write.
    for row in refunds.iter().take(making.item.refunds.len()) {
        if is_new {
            draft.batch.push(row)
        } else {
            draft.batch.put(row)
        }
        log_refund(draft, making, row);
    }
}

fn log_return(draft: &mut Draft<'_>, making: &Making<'_>, row: &order_return::Model) {
    let decided = row.decided_at.unwrap_or(row.requested_at);
    let mut happened = vec![("RETURN_REQUESTED", row.requested_at)];
    match row.status.as_str() {
        "DECLINED" => happened.push(("RETURN_DECLINED", decided)),
        "CANCELED" => happened.push(("RETURN_CANCELED", row.closed_at.unwrap_or(decided))),
        status if is_approved(status) => happened.push(("RETURN_APPROVED", decided)),
        _ => {}
    }
    if row.status == "CLOSED" {
        happened.push(("RETURN_CLOSED", row.closed_at.unwrap_or(decided)));
    }
    for (kind, at) in happened {
        let subject = (Kind::Return, row.id);
        let event = draft.world.event(&making.item.source.0, row.customer_id, (kind, "ORDERS"), subject, at);
        draft.log(making.slot.is_new, event::Model { label: Some(row.number.clone()), ..event });
    }
}

fn log_refund(draft: &mut Draft<'_>, making: &Making<'_>, row: &refund::Model) {
    let mut happened = vec![("REFUND_GRANTED", row.granted_at)];
    match (row.status.as_str(), row.settled_at) {
        (_, Some(at)) => happened.push(("REFUND_SETTLED", at)),
        ("FAILED", _) => happened.push(("REFUND_FAILED", row.granted_at)),
        _ => {}
    }
    for (kind, at) in happened {
        let subject = (Kind::Refund, row.id);
        let event = draft.world.event(&making.item.source.0, row.customer_id, (kind, "ORDERS"), subject, at);
        let (amount, currency) = (Some(row.amount), Some(row.currency.clone()));
        draft
            .log(making.slot.is_new, event::Model { label: Some(making.number.to_owned()), amount, currency, ..event });
    }
}
