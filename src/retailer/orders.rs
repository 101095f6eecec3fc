//! What a customer bought: orders, lines, discounts, payments.

use std::ops::Range;

use c360_entities::{coupon, order, order_discount, order_line, payment};
use c360_rules::id::Kind;
use chrono::{DateTime, TimeDelta, Utc};

use super::person::{Actor, Happening, Person};

/// An order that was made, by the places of its rows.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) order: usize,
    pub(super) lines: Range<usize>,
    /// The discount that waits for a voucher bought with points.
    pub(super) voucher: Option<usize>,
    pub(super) delivered_at: Option<DateTime<Utc>>,
}

/// Channel, source, prefix of the number.
const CHANNELS: [(&str, &str, &str); 10] = [
    ("WEB", "shop", "WEB"),
    ("WEB", "shop", "WEB"),
    ("WEB", "shop", "WEB"),
    ("MOBILE_APP", "shop", "APP"),
    ("MOBILE_APP", "shop", "APP"),
    ("POS", "pos", "POS"),
    ("POS", "pos", "POS"),
    ("SOCIAL", "shop", "SOC"),
    ("PHONE", "shop", "TEL"),
    ("PARTNER", "marketplace", "MKT"),
];

/// Most orders of one customer, so that numbers never meet.
const NUMBERS: u64 = 64;

impl Person<'_> {
    pub(super) fn make_orders(&mut self) -> Vec<Placed> {
        let mut placed = Vec::with_capacity(self.traits.orders + 2);
        for at in self.order_times() {
            let order = self.make_order(at, placed.len());
            placed.push(order);
        }
        placed
    }

    /// When the orders were placed, oldest first.
    fn order_times(&mut self) -> Vec<DateTime<Utc>> {
        let mut end = self.as_of();
        let mut special = Vec::new();
        if self.traits.late_parcel {
            special.push(end - TimeDelta::days(9) - TimeDelta::minutes(self.rng.i64(0..600)));
            end -= TimeDelta::days(12);
        }
        if self.traits.points_owed {
            special.push(self.as_of() - TimeDelta::days(26));
            end = self.as_of() - TimeDelta::days(60);
        }
        let span = (end - self.since).num_seconds().max(7_200);
        let mut times: Vec<_> =
            (0..self.traits.orders).map(|_| self.since + TimeDelta::seconds(self.rng.i64(600..span - 3_600))).collect();
        times.extend(special);
        times.sort_unstable();
        times
    }

    fn make_order(&mut self, at: DateTime<Utc>, count: usize) -> Placed {
        let age = self.as_of() - at;
        let special =
            (self.traits.late_parcel && age.num_days() == 9) || (self.traits.points_owed && age.num_days() == 26);
        let (channel, source, prefix) = if special { CHANNELS[0] } else { self.pick(&CHANNELS) };
        let number = format!("{prefix}-{}", 1_000_000 + self.index * NUMBERS + count as u64 % NUMBERS);
        let id = self.id_at(at);
        let cancelled = !special && self.chance(3);
        let shops = &self.world.shops[self.home_index()];
        let store_id = if channel == "POS" { self.pick(shops) } else { self.world.web_shop };
        let lines = self.make_lines(id, at);
        let voucher = self.make_discounts(id, at, &number, lines.clone(), count, !special && !cancelled);
        let (subtotal, discount_total) = self.rows.order_lines[lines.clone()]
            .iter()
            .fold((0, 0), |(all, off), line| (all + line.subtotal, off + line.discount_total));
        let home = self.traits.home;
        // Members have free shipping, and prices hold all taxes but the sales tax of the United States.
        let guest = !self.traits.member;
        let shipping_total = if guest && channel != "POS" { home.price(490) } else { 0 };
        let tax_total = if guest && home.country == "US" { (subtotal - discount_total) * 8 / 100 } else { 0 };
        let total = subtotal - discount_total + shipping_total + tax_total;
        let fresh = channel != "POS" && age < TimeDelta::hours(20);
        let status = if cancelled {
            "CANCELLED"
        } else if fresh || (channel != "POS" && age < TimeDelta::days(2)) {
            "OPEN"
        } else {
            "FULFILLED"
        };
        let cancelled_at = cancelled.then(|| self.later(at, 1..20));
        let paid_total = self.make_payments(id, at, total, source, cancelled, fresh);
        let ships = channel != "POS";
        let address = &self.rows.addresses[0];
        let ship = |value: &str| ships.then(|| value.to_owned());
        let row = order::Model {
            id,
            customer_id: self.id,
            source: source.to_owned(),
            number: number.clone(),
            channel: channel.to_owned(),
            status: status.to_owned(),
            store_id: Some(store_id),
            currency: home.currency.to_owned(),
            subtotal,
            discount_total,
            shipping_total,
            tax_total,
            total,
            paid_total,
            refunded_total: 0,
            ship_recipient: ship(&self.traits.name),
            ship_line1: ship(&address.line1),
            ship_city: ship(&address.city),
            ship_region: address.region.as_deref().and_then(ship),
            ship_postal_code: address.postal_code.as_deref().and_then(ship),
            ship_country: ship(&address.country),
            placed_at: at,
            cancelled_at,
            version: 1 + self.rng.i64(0..4),
            updated_at: cancelled_at.unwrap_or(at),
        };
        self.rows.orders.push(row);
        let order = self.rows.orders.len() - 1;
        let placed = Happening::new("ORDER_PLACED", "ORDERS", at, (Kind::Order, id));
        let (amount, actor) = (Some(total), Actor::Partner(source));
        self.happened(Happening { label: Some(number.clone()), amount, channel: Some(channel), actor, ..placed });
        if let Some(at) = cancelled_at {
            let gone = Happening::new("ORDER_CANCELLED", "ORDERS", at, (Kind::Order, id));
            self.happened(Happening { label: Some(number), channel: Some(channel), actor: Actor::Customer, ..gone });
        }
        let mut placed = Placed { order, lines, voucher, delivered_at: None };
        if cancelled {
            return placed;
        }
        placed.delivered_at = if channel == "POS" { Some(at) } else { self.make_shipping(&placed) };
        placed
    }

    fn home_index(&self) -> usize {
        super::homes::HOMES.iter().position(|home| home == self.traits.home).unwrap_or(0)
    }

    fn make_lines(&mut self, order_id: uuid::Uuid, at: DateTime<Utc>) -> Range<usize> {
        let first = self.rows.order_lines.len();
        let count = [1, 1, 2, 2, 2, 2, 3, 3, 4, 5][self.rng.usize(..10)];
        for position in 1..=count {
            let item = &self.world.items[self.rng.usize(..self.world.items.len())];
            let unit_price = self.traits.home.price(item.cents);
            let quantity = if item.cents < 3_000 { self.pick(&[1, 1, 1, 2, 2, 3]) } else { 1 };
            let subtotal = unit_price * i64::from(quantity);
            let unit_cost = Some(unit_price * self.rng.i64(42..68) / 100);
            let id = self.id_at(at);
            self.rows.order_lines.push(order_line::Model {
                id,
                order_id,
                customer_id: self.id,
                position,
                product_id: Some(item.id),
                sku: item.sku.clone(),
                title: item.title.clone(),
                quantity,
                returned_quantity: 0,
                unit_price,
                unit_cost,
                currency: self.traits.home.currency.to_owned(),
                subtotal,
                discount_total: 0,
                total: subtotal,
            });
        }
        first..self.rows.order_lines.len()
    }

    /// Makes discounts and spreads them over the lines. Returns the one that a voucher may still pay for.
    fn make_discounts(
        &mut self,
        order_id: uuid::Uuid,
        at: DateTime<Utc>,
        number: &str,
        lines: Range<usize>,
        count: usize,
        may_use_voucher: bool,
    ) -> Option<usize> {
        for line in lines.clone() {
            if self.chance(12) {
                let percent = self.pick(&[10, 15, 20, 30]);
                let row = &self.rows.order_lines[line];
                let (off, line_id) = (row.subtotal * percent / 100, row.id);
                self.discount(order_id, at, Some(line_id), "PROMOTION", None, off, line..line + 1);
            }
        }
        let left: i64 = self.rows.order_lines[lines.clone()].iter().map(|line| line.total).sum();
        match self.rng.u8(..100) {
            0..8 => {
                let offer = &self.world.programme.offers[if self.chance(70) { 0 } else { 2 }];
                let code = format!("{}-{number}", offer.prefix);
                let (definition_id, off) = (offer.id, left * offer.percentage_bp / 10_000);
                self.discount(order_id, at, None, "COUPON", Some(code.clone()), off, lines);
                let issued_at = (at - TimeDelta::days(self.rng.i64(1..20))).max(self.since);
                let id = self.id_at(issued_at);
                self.rows.coupons.push(coupon::Model {
                    id,
                    definition_id,
                    customer_id: self.id,
                    code,
                    status: "REDEEMED".to_owned(),
                    order_id: Some(order_id),
                    issued_at,
                    expires_at: Some(issued_at + TimeDelta::days(60)),
                    redeemed_at: Some(at),
                });
                None
            }
            8..10 => {
                self.discount(order_id, at, None, "MANUAL", None, left / 20, lines);
                None
            }
            10..11 => {
                self.discount(order_id, at, None, "COUPON_MATCH", Some("PRICE-MATCH".to_owned()), left / 25, lines);
                None
            }
            11..22 if may_use_voucher && self.traits.member && count > 1 => {
                let currency = self.traits.home.currency;
                let value = self.world.programme.prizes.iter().find_map(|prize| {
                    prize.value.filter(|(_, of)| *of == currency && prize.kind == "DISCOUNT").map(|(minor, _)| minor)
                })?;
                if left <= value * 2 {
                    return None;
                }
                self.discount(order_id, at, None, "LOYALTY", None, value, lines);
                Some(self.rows.order_discounts.len() - 1)
            }
            _ => None,
        }
    }

    /// One discount, taken off lines in proportion to what is left of them.
    #[expect(clippy::too_many_arguments, reason = "the columns of one row, in their order")]
    fn discount(
        &mut self,
        order_id: uuid::Uuid,
        at: DateTime<Utc>,
        order_line_id: Option<uuid::Uuid>,
        kind: &str,
        code: Option<String>,
        amount: i64,
        lines: Range<usize>,
    ) {
        if amount <= 0 {
            return;
        }
        let id = self.id_at(at);
        let kind = kind.to_owned();
        let (customer_id, currency) = (self.id, self.currency());
        self.rows.order_discounts.push(order_discount::Model {
            id,
            order_id,
            customer_id,
            order_line_id,
            kind,
            code,
            amount,
            currency,
        });
        let (mut off, mut base) =
            (amount, self.rows.order_lines[lines.clone()].iter().map(|line| line.total).sum::<i64>());
        for line in &mut self.rows.order_lines[lines] {
            let share = if base == 0 { 0 } else { off * line.total / base };
            (off, base) = (off - share, base - line.total);
            line.discount_total += share;
            line.total -= share;
        }
    }

    /// Makes the payments and returns what was captured.
    fn make_payments(
        &mut self,
        order_id: uuid::Uuid,
        at: DateTime<Utc>,
        total: i64,
        source: &str,
        cancelled: bool,
        fresh: bool,
    ) -> i64 {
        let method = match source {
            "pos" => self.pick(&["CARD", "CARD", "CASH", "WALLET"]),
            _ => self.pick(&["CARD", "CARD", "CARD", "WALLET", "BANK_TRANSFER", "STORE_CREDIT"]),
        };
        if self.chance(3) {
            self.payment(order_id, at, method, "FAILED", total);
        }
        if cancelled {
            self.payment(order_id, at, method, "VOIDED", total);
            return 0;
        }
        if fresh && method == "CARD" {
            self.payment(order_id, at, method, "AUTHORIZED", total);
            return 0;
        }
        let gift = if self.chance(3) { self.traits.home.price(1_000).min(total / 2) } else { 0 };
        if gift > 0 {
            self.payment(order_id, at, "GIFT_CARD", "CAPTURED", gift);
        }
        self.payment(order_id, at, method, "CAPTURED", total - gift);
        total
    }

    fn payment(&mut self, order_id: uuid::Uuid, at: DateTime<Utc>, method: &str, status: &str, amount: i64) {
        let paid_at = at + TimeDelta::seconds(self.rng.i64(1..90));
        let id = self.id_at(paid_at);
        let online = matches!(method, "CARD" | "WALLET" | "BANK_TRANSFER");
        let reference = online.then(|| format!("pay_{:012x}", self.rng.u64(..1 << 48)));
        self.rows.payments.push(payment::Model {
            id,
            order_id,
            customer_id: self.id,
            method: method.to_owned(),
            status: status.to_owned(),
            amount,
            currency: self.currency(),
            provider: online.then(|| "payments".to_owned()),
            reference,
            paid_at,
        });
    }
}
