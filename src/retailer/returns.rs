//! What came back, and the money that was given back for it.

use c360_entities::{exchange_line, order_return, refund, return_line};
use c360_rules::id::Kind;
use c360_rules::refund::refundable;
use chrono::{DateTime, TimeDelta, Utc};

use super::orders::Placed;
use super::person::{Actor, Happening, Person};

/// Value that was given back, for which an order has earned points before.
#[derive(Clone, Copy, Debug)]
pub(super) struct TakenBack {
    pub(super) order: usize,
    pub(super) at: DateTime<Utc>,
    /// What the order's goods are still worth after it, in minor units.
    pub(super) net_after: i64,
}

const REASONS: [&str; 10] = [
    "SIZE_TOO_SMALL",
    "SIZE_TOO_LARGE",
    "DEFECTIVE",
    "NOT_AS_DESCRIBED",
    "COLOR",
    "STYLE",
    "UNWANTED",
    "WRONG_ITEM",
    "OTHER",
    "UNKNOWN",
];

impl Person<'_> {
    pub(super) fn make_returns(&mut self, placed: &[Placed]) -> Vec<TakenBack> {
        let mut taken = Vec::new();
        for (place, order) in placed.iter().enumerate() {
            let Some(delivered) = order.delivered_at else { continue };
            let owed =
                self.traits.points_owed && (self.as_of() - self.rows.orders[order.order].placed_at).num_days() == 26;
            if owed {
                let requested = self.as_of() - TimeDelta::days(5);
                taken.extend(self.make_return(order, requested, "OPEN", true));
            } else if self.traits.returns && place + 4 == placed.len() {
                let requested = self.later(delivered, 24..24 * 9);
                taken.extend(self.make_return(order, requested, "CLOSED", false));
            } else if self.chance(if self.as_of() - delivered < TimeDelta::days(10) { 20 } else { 5 }) {
                let requested = delivered + TimeDelta::hours(self.rng.i64(12..24 * 13));
                if requested > self.as_of() - TimeDelta::minutes(30) {
                    continue;
                }
                let status = match (self.as_of() - requested).num_days() {
                    ..3 => self.pick(&["REQUESTED", "REQUESTED", "OPEN"]),
                    3..12 => self.pick(&["REQUESTED", "OPEN", "OPEN", "CLOSED"]),
                    _ => {
                        self.pick(&["CLOSED", "CLOSED", "CLOSED", "CLOSED", "CLOSED", "CLOSED", "DECLINED", "CANCELED"])
                    }
                };
                taken.extend(self.make_return(order, requested, status, false));
            } else if self.chance(1) {
                let granted = self.later(delivered, 10..300);
                let amount = self.rows.orders[order.order].total / 10;
                self.make_refund(order.order, None, amount, granted, Some("Goodwill: late or damaged"));
            }
        }
        taken
    }

    fn make_return(
        &mut self,
        placed: &Placed,
        requested: DateTime<Utc>,
        status: &'static str,
        whole: bool,
    ) -> Option<TakenBack> {
        let (order_id, number) = {
            let order = &self.rows.orders[placed.order];
            (order.id, format!("R-{}", order.number))
        };
        let id = self.id_at(requested);
        let decided = self.later(requested, 2..40);
        let decided_at = (!matches!(status, "REQUESTED")).then_some(decided);
        let closed_at = match status {
            "CLOSED" => Some(self.later(decided, 24..24 * 7)),
            "CANCELED" | "DECLINED" => Some(decided),
            _ => None,
        };
        let decline = ["Worn, and not in its original state", "Outside of the return window"];
        let decline_reason = (status == "DECLINED").then(|| self.pick(&decline).to_owned());
        self.rows.returns.push(order_return::Model {
            id,
            order_id,
            customer_id: self.id,
            number: number.clone(),
            status: status.to_owned(),
            requested_at: requested,
            decided_at,
            closed_at,
            decline_reason,
            version: 1 + i64::from(decided_at.is_some()) + i64::from(closed_at.is_some()),
        });
        let requested = Happening::new("RETURN_REQUESTED", "ORDERS", requested, (Kind::Return, id));
        self.happened(Happening { label: Some(number.clone()), actor: Actor::Customer, ..requested });
        let approved = matches!(status, "OPEN" | "CLOSED");
        let value = self.make_return_lines(placed, id, decided, approved, whole);
        let kind = match status {
            "REQUESTED" => return None,
            "DECLINED" => "RETURN_DECLINED",
            "CANCELED" => "RETURN_CANCELED",
            _ => "RETURN_APPROVED",
        };
        let actor = Actor::Staff(self.colleague(Some(self.world.service.teams.returns)).subject);
        let happened = Happening::new(kind, "ORDERS", decided, (Kind::Return, id));
        self.happened(Happening { label: Some(number.clone()), actor, ..happened });
        if let Some(at) = closed_at.filter(|_| approved) {
            let closed = Happening::new("RETURN_CLOSED", "ORDERS", at, (Kind::Return, id));
            self.happened(Happening { label: Some(number), ..closed });
        }
        if !approved {
            return None;
        }
        if !whole && !self.traits.returns && self.chance(25) {
            self.make_exchange(placed, id, decided);
            return None;
        }
        self.make_refund(placed.order, Some(id), value, decided, None)
    }

    /// Makes the lines of a return and says what they are worth.
    fn make_return_lines(
        &mut self,
        placed: &Placed,
        return_id: uuid::Uuid,
        at: DateTime<Utc>,
        approved: bool,
        whole: bool,
    ) -> i64 {
        let mut value = 0;
        let only = placed.lines.start + self.rng.usize(..placed.lines.len());
        for line in placed.lines.clone().filter(|line| whole || *line == only) {
            let id = self.id_at(at);
            let reason = self.pick(&REASONS);
            let note = (reason == "OTHER").then(|| "A gift that was there twice".to_owned());
            let row = &mut self.rows.order_lines[line];
            let quantity = if whole { row.quantity } else { 1 };
            if approved {
                row.returned_quantity = quantity;
            }
            value += row.total * i64::from(quantity) / i64::from(row.quantity);
            let (customer_id, order_line_id, reason) = (self.id, row.id, reason.to_owned());
            self.rows.return_lines.push(return_line::Model {
                id,
                return_id,
                customer_id,
                order_line_id,
                quantity,
                reason,
                note,
            });
        }
        value
    }

    fn make_exchange(&mut self, placed: &Placed, return_id: uuid::Uuid, at: DateTime<Utc>) {
        let id = self.id_at(at);
        let wanted = &self.rows.order_lines[placed.lines.start];
        // Another size of the same thing, where there is one.
        let family = wanted.sku.rsplit_once('-').map_or(wanted.sku.as_str(), |(family, _)| family);
        let other = self.world.items.iter().find(|item| item.sku.starts_with(family) && item.sku != wanted.sku);
        let (product_id, sku, title) = match other {
            Some(item) => (Some(item.id), item.sku.clone(), item.title.clone()),
            None => (wanted.product_id, wanted.sku.clone(), wanted.title.clone()),
        };
        let customer_id = self.id;
        self.rows.exchange_lines.push(exchange_line::Model {
            id,
            return_id,
            customer_id,
            product_id,
            sku,
            title,
            quantity: 1,
        });
    }

    /// Grants money back, as far as it was paid. Some refunds fail at the provider and are made again.
    fn make_refund(
        &mut self,
        order: usize,
        return_id: Option<uuid::Uuid>,
        amount: i64,
        at: DateTime<Utc>,
        reason: Option<&str>,
    ) -> Option<TakenBack> {
        let row = &self.rows.orders[order];
        let amount = amount.min(refundable(row.paid_total, row.refunded_total));
        if amount <= 0 {
            return None;
        }
        let age = self.as_of() - at;
        if age > TimeDelta::days(1) && self.chance(8) {
            self.refund(order, return_id, amount, at, "FAILED", Some("The card is closed"));
        }
        let status = match age.num_days() {
            ..2 => "GRANTED",
            2..6 => "PENDING",
            _ => "SETTLED",
        };
        self.refund(order, return_id, amount, at + TimeDelta::minutes(2), status, reason);
        let row = &mut self.rows.orders[order];
        row.refunded_total += amount;
        row.updated_at = row.updated_at.max(at);
        let net_after = (row.subtotal - row.discount_total - row.refunded_total).max(0);
        return_id.map(|_| TakenBack { order, at: at + TimeDelta::minutes(2), net_after })
    }

    fn refund(
        &mut self,
        order: usize,
        return_id: Option<uuid::Uuid>,
        amount: i64,
        at: DateTime<Utc>,
        status: &str,
        reason: Option<&str>,
    ) {
        let (order_id, number) = (self.rows.orders[order].id, self.rows.orders[order].number.clone());
        let id = self.id_at(at);
        let colleague = self.colleague(Some(self.world.service.teams.returns));
        let settled_at = (status == "SETTLED").then(|| self.later(at, 24..96));
        let provider_reference = (status != "GRANTED").then(|| format!("re_{:012x}", self.rng.u64(..1 << 48)));
        let currency = self.currency();
        self.rows.refunds.push(refund::Model {
            id,
            order_id,
            return_id,
            customer_id: self.id,
            amount,
            currency,
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            staff_id: Some(colleague.id),
            provider_reference,
            granted_at: at,
            settled_at,
        });
        let actor = Actor::Staff(colleague.subject);
        let granted = Happening::new("REFUND_GRANTED", "ORDERS", at, (Kind::Refund, id));
        self.happened(Happening { label: Some(number.clone()), amount: Some(amount), actor, ..granted });
        let (kind, at) = match (status, settled_at) {
            (_, Some(at)) => ("REFUND_SETTLED", at),
            ("FAILED", _) => ("REFUND_FAILED", at + TimeDelta::minutes(1)),
            _ => return,
        };
        let actor = Actor::Partner("payments");
        let after = Happening::new(kind, "ORDERS", at, (Kind::Refund, id));
        self.happened(Happening { label: Some(number), amount: Some(amount), actor, ..after });
    }
}
