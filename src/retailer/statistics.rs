//! The figures that are kept for a customer, counted from their rows.

use c360_entities::{customer_statistics, feedback};
use chrono::{DateTime, Utc};

use super::person::Person;

/// The last two scores of a metric, and when the last one was given.
type Scores = (Option<i16>, Option<DateTime<Utc>>, Option<i16>);

impl Person<'_> {
    pub(super) fn make_statistics(&mut self) {
        let kept = || self.rows.orders.iter().filter(|order| order.status != "CANCELLED");
        let (last_nps, last_nps_at, previous_nps) = scores(&self.rows.feedback, "NPS");
        let (last_csat, last_csat_at, previous_csat) = scores(&self.rows.feedback, "CSAT");
        let (last_ces, last_ces_at, previous_ces) = scores(&self.rows.feedback, "CES");
        let open = self.rows.tickets.iter().filter(|ticket| ticket.solved_at.is_none());
        let row = customer_statistics::Model {
            customer_id: self.id,
            currency: self.currency(),
            order_count: count(kept().count()),
            spent_total: kept().map(|order| order.total).sum(),
            refunded_total: self.rows.orders.iter().map(|order| order.refunded_total).sum(),
            return_count: count(self.rows.returns.len()),
            first_order_at: kept().map(|order| order.placed_at).min(),
            last_order_at: kept().map(|order| order.placed_at).max(),
            ticket_count: count(self.rows.tickets.len()),
            open_ticket_count: count(open.count()),
            feedback_count: count(self.rows.feedback.len()),
            last_nps,
            last_nps_at,
            previous_nps,
            last_csat,
            last_csat_at,
            previous_csat,
            last_ces,
            last_ces_at,
            previous_ces,
            updated_at: self.rows.customers[0].updated_at,
        };
        self.rows.customer_statistics.push(row);
    }
}

fn scores(feedback: &[feedback::Model], metric: &str) -> Scores {
    let mut given: Vec<_> = feedback
        .iter()
        .filter(|row| row.metric.as_deref() == Some(metric))
        .map(|row| (row.given_at, row.id, row.score))
        .collect();
    given.sort_unstable();
    let mut latest = given.into_iter().rev();
    let last = latest.next();
    (last.and_then(|(.., score)| score), last.map(|(at, ..)| at), latest.next().and_then(|(.., score)| score))
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
