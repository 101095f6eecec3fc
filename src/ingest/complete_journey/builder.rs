//! What the rows of a household are, from its baskets and the facts about it.

use c360_entities::{
    campaign_member, coupon, customer, customer_identity, customer_tag, event, loyalty_transaction, order,
    order_discount, order_line, payment,
};
use c360_rules::earning::Rule;
use c360_rules::money::{Currency, Money};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::catalogue::Catalogue;
use super::households::{Facts, Redemption};
use super::offers::Offers;
use super::points::Points;
use super::rows::Rows;
use super::sales::{Basket, Sale};
use super::values::{CURRENCY, SOURCE, customer_number, id};
use crate::domains::customers::search;
use crate::ingest::programme::Programme;

/// What every household's rows refer to.
#[derive(Debug)]
pub(super) struct World {
    pub(super) catalogue: Catalogue,
    pub(super) offers: Offers,
    pub(super) programme: Programme,
    pub(super) currency: Currency,
    pub(super) now: DateTime<Utc>,
}

/// The household whose rows are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) household: u64,
    pub(super) customer_id: Uuid,
    pub(super) account_id: Uuid,
}

/// What a basket came to: sums of its lines, in cents.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) subtotal: i64,
    pub(super) discount: i64,
    pub(super) total: i64,
}

impl World {
    /// What an order of this net total earns, by the rule for imported orders.
    pub(super) fn points(&self, total: i64) -> i64 {
        Rule::default().points(Money::new(total, self.currency))
    }

    /// A customer who is new: who they are, and how they are recognised.
    pub(super) fn customer(&self, owner: &Owner, since: DateTime<Utc>, tags: &Facts, rows: &mut Rows) {
        let number = customer_number(owner.household);
        rows.identities.push(customer_identity::Model {
            id: id(since, "identity", owner.household),
            customer_id: owner.customer_id,
            kind: "EXTERNAL".into(),
            namespace: SOURCE.into(),
            value: owner.household.to_string(),
            normalized: owner.household.to_string(),
            verified_at: Some(since),
            source: SOURCE.into(),
            created_at: since,
        });
        rows.tags.extend(tags.tags.iter().map(|tag| customer_tag::Model {
            customer_id: owner.customer_id,
            tag: tag.clone(),
            staff_id: None,
            created_at: self.now,
        }));
        rows.events.push(event::Model {
            label: Some(number.clone()),
            ..self.event(owner, "CUSTOMER_CREATED", "CUSTOMERS", ("customer", owner.customer_id), since)
        });
        rows.search_entries
            .extend(search::entries(owner.customer_id, &[search::Record { number: &number, name: None }]));
        rows.customers.push(customer::Model {
            id: owner.customer_id,
            number,
            status: "ACTIVE".into(),
            merged_into_id: None,
            name: None,
            name_folded: None,
            locale: None,
            birthday: None,
            preferred_channel: None,
            member_since: Some(since),
            vip: false,
            risk: "LOW".into(),
            source: SOURCE.into(),
            version: 1,
            created_at: since,
            updated_at: self.now,
        });
    }

    /// A basket that is new, with what it earned.
    pub(super) fn basket(&mut self, owner: &Owner, basket: &Basket, points: &mut Points, rows: &mut Rows) -> Sums {
        let order_id = order_id(basket);
        let sums = self.lines(owner, basket, order_id, (0, &basket.sales), rows);
        let stores = &mut rows.stores;
        let store_id = self.catalogue.store(basket.store, |store| stores.push(store));
        rows.payments.push(payment::Model {
            id: id(basket.placed_at, "payment", basket.number),
            order_id,
            customer_id: owner.customer_id,
            method: "UNKNOWN".into(),
            status: "CAPTURED".into(),
            amount: sums.total,
            currency: CURRENCY.into(),
            provider: None,
            reference: None,
            paid_at: basket.placed_at,
        });
        rows.orders.push(order_row(owner, basket, order_id, store_id, sums, self.now));
        rows.events.push(self.order_event(owner, "ORDER_PLACED", basket, order_id, sums.total));
        self.accrue(owner, basket, (order_id, self.points(sums.total)), "", points, rows);
        sums
    }

    /// Lines of a basket, from position `after` + 1 on.
    pub(super) fn lines(
        &self,
        owner: &Owner,
        basket: &Basket,
        order_id: Uuid,
        (after, sales): (i32, &[Sale]),
        rows: &mut Rows,
    ) -> Sums {
        let mut sums = Sums::default();
        let mut position = after;
        for sale in sales {
            position += 1;
            let (subtotal, discount) = (sale.total + sale.discount(), sale.discount());
            sums.subtotal += subtotal;
            sums.discount += discount;
            sums.total += sale.total;
            let line_id = id(basket.placed_at, "line", format_args!("{}/{position}", basket.number));
            let product = self.catalogue.product(sale.product);
            rows.lines.push(order_line::Model {
                id: line_id,
                order_id,
                customer_id: owner.customer_id,
                position,
                product_id: product.map(|product| product.id),
                sku: sale.product.to_string(),
                title: product.map_or_else(|| format!("Product {}", sale.product), |product| product.title.to_string()),
                quantity: sale.quantity,
                returned_quantity: 0,
                unit_price: unit_price(subtotal, sale.quantity),
                unit_cost: None,
                currency: CURRENCY.into(),
                subtotal,
                discount_total: discount,
                total: sale.total,
            });
            let discounts = [
                ("LOYALTY", sale.loyalty_discount),
                ("COUPON", sale.coupon_discount),
                ("COUPON_MATCH", sale.match_discount),
            ];
            rows.discounts.extend(discounts.into_iter().filter(|(_, amount)| *amount > 0).map(|(kind, amount)| {
                order_discount::Model {
                    id: id(basket.placed_at, "discount", format_args!("{}/{position}/{kind}", basket.number)),
                    order_id,
                    customer_id: owner.customer_id,
                    order_line_id: Some(line_id),
                    kind: kind.into(),
                    code: None,
                    amount,
                    currency: CURRENCY.into(),
                }
            }));
        }
        sums
    }

    /// What an order earned, through the ledger; `nth` tells several entries of one order apart.
    pub(super) fn accrue(
        &self,
        owner: &Owner,
        basket: &Basket,
        (order_id, earned): (Uuid, i64),
        nth: &str,
        points: &mut Points,
        rows: &mut Rows,
    ) {
        let name = format!("{}{nth}", basket.number);
        for transaction in points.accrue(owner, &name, (order_id, earned), basket.placed_at) {
            if transaction.kind == "ACCRUAL" {
                rows.events.push(self.points_event(owner, &transaction, basket));
            }
            rows.transactions.push(transaction);
        }
    }

    /// A campaign that a household got.
    pub(super) fn member(&self, owner: &Owner, campaign: u64, rows: &mut Rows) {
        if let Some(campaign) = self.offers.campaign(campaign) {
            let (campaign_id, customer_id) = (campaign.id, owner.customer_id);
            rows.members.push(campaign_member::Model { campaign_id, customer_id });
        }
    }

    /// A coupon that came with a campaign and was handed in. The data does not say with which basket.
    pub(super) fn redemption(&self, owner: &Owner, redemption: &Redemption, rows: &mut Rows) {
        let Some(campaign) = self.offers.campaign(redemption.campaign) else { return };
        let code = coupon_code(owner.household, redemption);
        let coupon_id = id(redemption.at, "coupon", &code);
        rows.events.push(event::Model {
            label: Some(format!("Manufacturer's coupon {}", redemption.upc)),
            channel: Some("POS".into()),
            ..self.event(owner, "COUPON_REDEEMED", "LOYALTY", ("coupon", coupon_id), redemption.at)
        });
        rows.coupons.push(coupon::Model {
            id: coupon_id,
            definition_id: redemption.definition,
            customer_id: owner.customer_id,
            code,
            status: "REDEEMED".into(),
            order_id: None,
            issued_at: campaign.starts_at.min(redemption.at),
            expires_at: Some(campaign.ends_at.max(redemption.at)),
            redeemed_at: Some(redemption.at),
        });
    }

    pub(super) fn order_event(
        &self,
        owner: &Owner,
        kind: &str,
        basket: &Basket,
        order_id: Uuid,
        total: i64,
    ) -> event::Model {
        event::Model {
            label: Some(basket.number.to_string()),
            amount: Some(total),
            currency: Some(CURRENCY.into()),
            channel: Some("POS".into()),
            ..self.event(owner, kind, "ORDERS", ("order", order_id), basket.placed_at)
        }
    }

    fn points_event(&self, owner: &Owner, accrual: &loyalty_transaction::Model, basket: &Basket) -> event::Model {
        event::Model {
            label: Some(basket.number.to_string()),
            points: Some(accrual.points),
            channel: Some("POS".into()),
            ..self.event(owner, "POINTS_EARNED", "LOYALTY", ("loyalty_transaction", accrual.id), accrual.occurred_at)
        }
    }

    fn event(
        &self,
        owner: &Owner,
        kind: &str,
        domain: &str,
        (subject_kind, subject_id): (&str, Uuid),
        occurred_at: DateTime<Utc>,
    ) -> event::Model {
        event::Model {
            id: id(occurred_at, kind, subject_id),
            customer_id: Some(owner.customer_id),
            kind: kind.into(),
            domain: domain.into(),
            visibility: "CUSTOMER".into(),
            subject_kind: Some(subject_kind.into()),
            subject_id: Some(subject_id),
            label: None,
            amount: None,
            currency: None,
            points: None,
            channel: None,
            actor_kind: "IMPORT".into(),
            actor_id: None,
            source: SOURCE.into(),
            reason: None,
            occurred_at,
            recorded_at: self.now,
            position: None,
            hash: None,
            client_id: None,
            request_id: None,
        }
    }
}

pub(super) fn order_id(basket: &Basket) -> Uuid {
    id(basket.placed_at, "order", basket.number)
}

/// The same coupon is handed in more than once by some households, on different days.
pub(super) fn coupon_code(household: u64, redemption: &Redemption) -> String {
    let Redemption { at, campaign, upc, .. } = redemption;
    format!("CJ-{household}-{campaign}-{upc}-{}", at.format("%Y%m%d"))
}

/// To the nearest cent; nothing for weighed goods and coupons that count no pieces.
fn unit_price(subtotal: i64, quantity: i32) -> i64 {
    let quantity = i64::from(quantity);
    if quantity == 0 { 0 } else { (subtotal + quantity / 2) / quantity }
}

fn order_row(owner: &Owner, basket: &Basket, id: Uuid, store_id: Uuid, sums: Sums, now: DateTime<Utc>) -> order::Model {
    order::Model {
        id,
        customer_id: owner.customer_id,
        source: SOURCE.into(),
        number: basket.number.to_string(),
        channel: "POS".into(),
        status: "FULFILLED".into(),
        store_id: Some(store_id),
        currency: CURRENCY.into(),
        subtotal: sums.subtotal,
        discount_total: sums.discount,
        shipping_total: 0,
        tax_total: 0,
        total: sums.total,
        paid_total: sums.total,
        refunded_total: 0,
        ship_recipient: None,
        ship_line1: None,
        ship_city: None,
        ship_region: None,
        ship_postal_code: None,
        ship_country: None,
        placed_at: basket.placed_at,
        cancelled_at: None,
        version: 1,
        updated_at: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_price_is_rounded_and_none_without_pieces() {
        assert_eq!(unit_price(598, 2), 299);
        assert_eq!((unit_price(100, 3), unit_price(200, 3)), (33, 67));
        assert_eq!((unit_price(100, 0), unit_price(0, 5)), (0, 0));
    }
}
