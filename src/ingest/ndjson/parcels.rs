//! The parcels of an order.

use std::collections::HashSet;

use c360_entities::{event, fulfillment, fulfillment_event, fulfillment_line};
use c360_rules::id::Kind;
use uuid::Uuid;

use super::draft::Draft;
use super::items::{Fulfillment, Step};
use super::orders::Making;
use super::parse::Problem;
use super::world::part_id;

/// The rows of an order's parcels.
#[derive(Default)]
pub(super) struct Parcels {
    rows: Vec<fulfillment::Model>,
    lines: Vec<fulfillment_line::Model>,
    steps: Vec<fulfillment_event::Model>,
}

/// Makes the rows.
pub(super) fn read(making: &Making<'_>) -> Result<Parcels, Problem> {
    let mut parcels = Parcels::default();
    let mut ids = HashSet::new();
    for (place, given) in making.item.fulfillments.iter().enumerate() {
        let at = |field: &str| format!("fulfillments[{place}].{field}");
        if !ids.insert(&given.id.0) {
            return Err(Problem::new(at("id"), "there twice"));
        }
        let id = part_id(making.slot.id, format_args!("fulfillment/{}", given.id.0));
        parcels.rows.push(row(making, given, id));
        let mut packed = HashSet::new();
        for (nth, part) in given.lines.iter().enumerate() {
            let field = || at(&format!("lines[{nth}].line"));
            let line = making.line(field, part.line.0)?;
            if !packed.insert(line.id) {
                return Err(Problem::new(field(), "there twice"));
            }
            parcels.lines.push(fulfillment_line::Model {
                fulfillment_id: id,
                order_line_id: line.id,
                customer_id: making.slot.customer_id,
                quantity: i32::try_from(part.quantity.0).unwrap_or(i32::MAX),
            });
        }
        let mut steps = HashSet::new();
        for (nth, given) in given.events.iter().enumerate() {
            if !steps.insert(&given.id.0) {
                return Err(Problem::new(at(&format!("events[{nth}].id")), "there twice"));
            }
            parcels.steps.push(step(making, given, id));
        }
    }
    Ok(parcels)
}

fn row(making: &Making<'_>, given: &Fulfillment, id: Uuid) -> fulfillment::Model {
    fulfillment::Model {
        id,
        order_id: making.slot.id,
        customer_id: making.slot.customer_id,
        status: given.status.0.into(),
        carrier: given.carrier.as_ref().map(|text| text.0.clone()),
        tracking_number: given.tracking_number.as_ref().map(|text| text.0.clone()),
        tracking_url: given.tracking_url.as_ref().map(|text| text.0.clone()),
        shipped_at: given.shipped_at.map(|at| at.0),
        estimated_delivery_at: given.estimated_delivery_at.map(|at| at.0),
        delivered_at: given.delivered_at.map(|at| at.0),
        source: making.item.source.0.clone(),
        created_at: given.created_at.0,
    }
}

fn step(making: &Making<'_>, given: &Step, fulfillment_id: Uuid) -> fulfillment_event::Model {
    fulfillment_event::Model {
        id: part_id(fulfillment_id, format_args!("step/{}", given.id.0)),
        fulfillment_id,
        customer_id: making.slot.customer_id,
        status: given.status.0.into(),
        message: given.message.as_ref().map(|text| text.0.clone()),
        city: given.city.as_ref().map(|text| text.0.clone()),
        country: given.country.as_ref().map(|country| country.0.clone()),
        source: making.item.source.0.clone(),
        external_id: given.id.0.clone(),
        happened_at: given.happened_at.0,
    }
}

/// Writes the rows; parcels and steps that are there and not given stay.
pub(super) fn save(draft: &mut Draft<'_>, making: &Making<'_>, parcels: Parcels) {
    let is_new = making.slot.is_new;
    for row in &parcels.rows {
        if is_new {
            draft.batch.push(row);
        } else {
            draft.batch.clear("fulfillment_lines", "fulfillment_id", row.id);
            draft.batch.put(row);
        }
    }
    draft.batch.extend(&parcels.lines);
    for row in &parcels.steps {
        if is_new { draft.batch.push(row) } else { draft.batch.put(row) }
    }
    for row in &parcels.rows {
        let step = |status: &str| {
            let steps = parcels.steps.iter().filter(|step| step.fulfillment_id == row.id && step.status == status);
            steps.map(|step| step.happened_at).min()
        };
        let happened = [
            ("FULFILLMENT_SHIPPED", row.shipped_at.or_else(|| step("CARRIER_PICKED_UP"))),
            ("FULFILLMENT_DELAYED", step("DELAYED")),
            ("FULFILLMENT_DELIVERED", row.delivered_at.or_else(|| step("DELIVERED")).or_else(|| step("PICKED_UP"))),
            ("FULFILLMENT_FAILED", step("FAILURE")),
        ];
        for (kind, at) in happened.into_iter().filter_map(|(kind, at)| Some((kind, at?))) {
            let parcel = (Kind::Fulfillment, row.id);
            let event = draft.world.event(&row.source, row.customer_id, (kind, "ORDERS"), parcel, at);
            draft.log(is_new, event::Model { label: Some(making.number.to_owned()), ..event });
        }
    }
}
