//! The figures that are kept per customer.

use c360_entities::customer_statistics;
use chrono::{DateTime, Utc};

use super::builder::Owner;
use super::values::CURRENCY;

/// The figures of a customer without an order.
pub(super) fn empty(owner: &Owner, now: DateTime<Utc>) -> customer_statistics::Model {
    customer_statistics::Model {
        customer_id: owner.customer_id,
        currency: CURRENCY.into(),
        order_count: 0,
        spent_total: 0,
        refunded_total: 0,
        return_count: 0,
        first_order_at: None,
        last_order_at: None,
        ticket_count: 0,
        open_ticket_count: 0,
        feedback_count: 0,
        last_nps: None,
        last_nps_at: None,
        previous_nps: None,
        last_csat: None,
        last_csat_at: None,
        previous_csat: None,
        last_ces: None,
        last_ces_at: None,
        previous_ces: None,
        updated_at: now,
    }
}

/// Counts an order.
pub(super) fn add_order(row: &mut customer_statistics::Model, at: DateTime<Utc>, total: i64) {
    row.order_count += 1;
    row.spent_total += total;
    row.first_order_at = Some(row.first_order_at.map_or(at, |first| first.min(at)));
    row.last_order_at = Some(row.last_order_at.map_or(at, |last| last.max(at)));
}
