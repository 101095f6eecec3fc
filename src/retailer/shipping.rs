//! How an order reaches the customer: shipments and their steps.

use std::ops::Range;

use c360_entities::{fulfillment, fulfillment_event, fulfillment_line};
use c360_rules::id::Kind;
use chrono::{DateTime, TimeDelta, Utc};

use super::orders::Placed;
use super::person::{Actor, Happening, Person};

/// What becomes of a parcel, and the hours after the order at which it does.
type Journey = &'static [(&'static str, i64, Option<&'static str>)];

const USUAL: Journey = &[
    ("CONFIRMED", 2, None),
    ("CARRIER_PICKED_UP", 10, None),
    ("IN_TRANSIT", 20, None),
    ("OUT_FOR_DELIVERY", 44, None),
    ("DELIVERED", 50, None),
];
const SHORT: Journey = &[("CARRIER_PICKED_UP", 8, None), ("IN_TRANSIT", 20, None), ("DELIVERED", 46, None)];
const LABELLED: Journey =
    &[("LABEL_PURCHASED", 1, None), ("LABEL_PRINTED", 2, None), ("IN_TRANSIT", 26, None), ("DELIVERED", 60, None)];
const SECOND_TRY: Journey = &[
    ("CARRIER_PICKED_UP", 9, None),
    ("IN_TRANSIT", 20, None),
    ("OUT_FOR_DELIVERY", 42, None),
    ("ATTEMPTED_DELIVERY", 48, Some("Nobody at home")),
    ("OUT_FOR_DELIVERY", 66, None),
    ("DELIVERED", 72, None),
];
const COLLECTED: Journey =
    &[("CONFIRMED", 1, None), ("READY_FOR_PICKUP", 6, Some("Ready at the store")), ("PICKED_UP", 30, None)];
const LATE: Journey = &[
    ("CONFIRMED", 3, None),
    ("CARRIER_PICKED_UP", 20, None),
    ("IN_TRANSIT", 30, None),
    ("DELAYED", 150, Some("Held up at the sorting centre")),
];
const LATE_THEN_THERE: Journey = &[
    ("CARRIER_PICKED_UP", 12, None),
    ("IN_TRANSIT", 30, None),
    ("DELAYED", 90, Some("Missed the connection")),
    ("OUT_FOR_DELIVERY", 160, None),
    ("DELIVERED", 168, None),
];
const LOST: Journey = &[
    ("CARRIER_PICKED_UP", 10, None),
    ("IN_TRANSIT", 28, None),
    ("FAILURE", 120, Some("Damaged in transit, returned to sender")),
];

impl Person<'_> {
    /// Makes the parcels of an order and returns when the last of them was delivered, if all were.
    pub(super) fn make_shipping(&mut self, placed: &Placed) -> Option<DateTime<Utc>> {
        let at = self.rows.orders[placed.order].placed_at;
        let late = self.traits.late_parcel && (self.as_of() - at).num_days() == 9;
        let lines = placed.lines.clone();
        if lines.len() > 2 && self.chance(14) {
            let middle = lines.start + lines.len() / 2;
            let first = self.make_parcel(placed, at, lines.start..middle, 0, late);
            let second = self.make_parcel(placed, at + TimeDelta::hours(20), middle..lines.end, 1, late);
            return Some(first?.max(second?));
        }
        self.make_parcel(placed, at, lines, 0, late)
    }

    fn journey(&mut self, late: bool) -> Journey {
        if late {
            return LATE;
        }
        if self.traits.points_owed {
            return USUAL;
        }
        match self.rng.u8(..100) {
            0..40 => USUAL,
            40..65 => SHORT,
            65..78 => LABELLED,
            78..84 => SECOND_TRY,
            84..94 => COLLECTED,
            94..98 => LATE_THEN_THERE,
            98 => LOST,
            _ => USUAL,
        }
    }

    fn make_parcel(
        &mut self,
        placed: &Placed,
        at: DateTime<Utc>,
        lines: Range<usize>,
        place: usize,
        late: bool,
    ) -> Option<DateTime<Utc>> {
        let as_of = self.as_of();
        let (order_id, number) = {
            let order = &self.rows.orders[placed.order];
            (order.id, order.number.clone())
        };
        if at > as_of {
            return None;
        }
        let id = self.id_at(at);
        let journey = self.journey(late);
        // The same journey, a little faster or slower.
        let pace = self.rng.i64(80..130);
        let hours = |hours: i64| at + TimeDelta::seconds(hours * 36 * if late { 100 } else { pace });
        let past: Vec<_> = journey
            .iter()
            .map(|&(status, h, message)| (status, hours(h), message))
            .filter(|step| step.1 < as_of)
            .collect();
        let last = past.last().map(|step| step.0);
        let step = |names: &[&str]| past.iter().find(|step| names.contains(&step.0)).map(|step| step.1);
        let collected = std::ptr::eq(journey, COLLECTED);
        let shipped_at = step(&["CARRIER_PICKED_UP", "READY_FOR_PICKUP", "IN_TRANSIT"]);
        let delivered_at = step(&["DELIVERED", "PICKED_UP"]);
        let status = match last {
            Some("DELIVERED" | "PICKED_UP") => "SUCCESS",
            Some("FAILURE") => "FAILURE",
            None => "PENDING",
            _ => "OPEN",
        };
        let carrier = self.pick(self.traits.home.carriers);
        let tracking = (!collected && shipped_at.is_some())
            .then(|| format!("{:02}{:010}", self.rng.u8(10..99), self.rng.u64(..10_000_000_000)));
        let promised = if late { at + TimeDelta::days(7) } else { hours(56).max(at + TimeDelta::days(3)) };
        let source = if collected { "pos" } else { "carrier" };
        self.rows.fulfillments.push(fulfillment::Model {
            id,
            order_id,
            customer_id: self.id,
            status: status.to_owned(),
            carrier: (!collected).then(|| carrier.to_owned()),
            tracking_url: tracking.as_ref().map(|code| format!("https://tracking.example.com/{code}")),
            tracking_number: tracking,
            shipped_at,
            estimated_delivery_at: Some(promised),
            delivered_at,
            source: source.to_owned(),
            created_at: at,
        });
        for line in lines {
            let line = &self.rows.order_lines[line];
            let row = fulfillment_line::Model {
                fulfillment_id: id,
                order_line_id: line.id,
                customer_id: self.id,
                quantity: line.quantity,
            };
            self.rows.fulfillment_lines.push(row);
        }
        for (position, (status, at, message)) in past.into_iter().enumerate() {
            self.make_step(id, &number, (place, position), status, at, message, source);
        }
        delivered_at
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row, in their order")]
    fn make_step(
        &mut self,
        fulfillment_id: uuid::Uuid,
        number: &str,
        (place, position): (usize, usize),
        status: &'static str,
        at: DateTime<Utc>,
        message: Option<&str>,
        source: &'static str,
    ) {
        let id = self.id_at(at);
        // The carrier says where the parcel is once it is near.
        let near = matches!(
            status,
            "OUT_FOR_DELIVERY" | "ATTEMPTED_DELIVERY" | "DELIVERED" | "READY_FOR_PICKUP" | "PICKED_UP"
        );
        let city = near.then(|| self.rows.addresses[0].city.clone());
        self.rows.fulfillment_events.push(fulfillment_event::Model {
            id,
            fulfillment_id,
            customer_id: self.id,
            status: status.to_owned(),
            message: message.map(str::to_owned),
            city,
            country: Some(self.traits.home.country.to_owned()),
            source: source.to_owned(),
            external_id: format!("{number}-{place}-{position}"),
            happened_at: at,
        });
        let kind = match status {
            "CARRIER_PICKED_UP" | "READY_FOR_PICKUP" => "FULFILLMENT_SHIPPED",
            "DELIVERED" | "PICKED_UP" => "FULFILLMENT_DELIVERED",
            "DELAYED" => "FULFILLMENT_DELAYED",
            "FAILURE" => "FULFILLMENT_FAILED",
            _ => return,
        };
        let step = Happening::new(kind, "ORDERS", at, (Kind::Fulfillment, fulfillment_id));
        self.happened(Happening { label: Some(number.to_owned()), actor: Actor::Partner(source), ..step });
    }
}
