//! Rows of insight and the edges between them.

use chrono::{DateTime, Utc};

use crate::auth::Domain;
use crate::read::{Access, Join, Order, Relation, RowType, Shape};
use crate::row;

row! {
    /// The figures of a customer.
    pub struct StatisticsRow {
        order_count: i64 = "x.order_count",
        spent_total: i64 = "x.spent_total",
        refunded_total: i64 = "x.refunded_total" for ["refundedTotal"],
        return_count: i64 = "x.return_count" for ["returnCount"],
        ticket_count: i64 = "x.ticket_count" for ["ticketCount"],
        open_ticket_count: i64 = "x.open_ticket_count" for ["openTicketCount"],
        feedback_count: i64 = "x.feedback_count" for ["feedbackCount"],
        currency: String = "x.currency",
        first_order_at: Option<DateTime<Utc>> = "x.first_order_at" for ["firstOrderAt"],
        last_order_at: Option<DateTime<Utc>> = "x.last_order_at",
    }
}

/// The figures count all sources: a partner that sees only its own source's records sees none of them.
const STATISTICS: &str = "(SELECT s.customer_id AS id, CAST(NULL AS text) AS source, s.* FROM customer_statistics s)";

/// The edges of this domain.
pub static RELATIONS: &[Relation] = &[Relation {
    on: "Customer",
    fields: &["statistics"],
    to: "CustomerStatistics",
    table: STATISTICS,
    rows: RowType::of::<StatisticsRow>(),
    join: Join::by("customer_id"),
    shape: Shape::One,
    order: Order::oldest("", "x.id"),
    only: "",
    filter: None,
    access: Access::Records(Domain::Orders),
}];
