//! GraphQL types of insight, and this domain's part of `Customer`.

use async_graphql::{Enum, Object, Result, SimpleObject};
use c360_rules::rfm::{self, Thresholds};

use super::store::StatisticsRow;
use crate::auth::{Domain, Reach};
use crate::domains::customers::store::CustomerRow;
use crate::graphql::{DateTime, Money, int};
use crate::objects;
use crate::read::{Eager, Handle};

objects! {
    /// The figures of a customer.
    CustomerStatistics(StatisticsRow);
}

/// What is known about a customer beyond records.
#[derive(Clone, Debug)]
pub struct CustomerInsight(pub(crate) Handle<CustomerRow>);

/// Insight into a customer.
#[Object]
impl CustomerInsight {
    /// The customer in figures, over all channels and the whole time; null where nothing has been counted yet.
    async fn statistics(&self) -> Result<Option<Eager<CustomerStatistics>>> {
        Ok(self.0.one::<StatisticsRow, _>("statistics", Some(self.0.id))?)
    }
}

/// A customer in figures, over all channels and the whole time.
#[Object]
impl CustomerStatistics {
    /// How many orders the customer has placed, without those that were cancelled.
    async fn order_count(&self) -> i32 {
        int(self.0.order_count)
    }

    /// What those orders came to. What was refunded is not taken off; see `refundedTotal`.
    async fn total_spent(&self) -> Eager<Money> {
        self.money(self.0.spent_total)
    }

    /// `totalSpent` by `orderCount`, rounded half up to the currency's smallest unit; null without orders.
    async fn average_order_value(&self) -> Option<Eager<Money>> {
        average(self.0.spent_total, self.0.order_count).map(|minor| self.money(minor))
    }

    /// What went back to the customer, or is granted to.
    async fn refunded_total(&self) -> Eager<Money> {
        self.money(self.0.refunded_total)
    }

    /// How many returns the customer has asked for.
    async fn return_count(&self) -> i32 {
        int(self.0.return_count)
    }

    /// When the first order was placed.
    async fn first_order_at(&self) -> Option<DateTime> {
        self.0.first_order_at.map(Into::into)
    }

    /// When the last order was placed.
    async fn last_order_at(&self) -> Option<DateTime> {
        self.0.last_order_at.map(Into::into)
    }

    /// How many tickets the customer has had. Null for a partner that may read only its own tickets.
    async fn ticket_count(&self) -> Option<i32> {
        self.counted(Domain::Tickets, self.0.ticket_count)
    }

    /// How many of them are not solved yet. Null for a partner that may read only its own tickets.
    async fn open_ticket_count(&self) -> Option<i32> {
        self.counted(Domain::Tickets, self.0.open_ticket_count)
    }

    /// How often the customer has given feedback. Null for a partner that may read only its own feedback.
    async fn feedback_count(&self) -> Option<i32> {
        self.counted(Domain::Feedback, self.0.feedback_count)
    }

    /// How recently, how often and for how much the customer buys, as of now. Staff only.
    async fn rfm(&self) -> Option<CustomerRfm> {
        let row = &self.0;
        let days = row.last_order_at.map(|at| row.scope().days_since(at));
        Some(CustomerRfm::new(days, row.order_count, row.spent_total))
    }
}

impl CustomerStatistics {
    fn money(&self, minor: i64) -> Eager<Money> {
        Eager::of(Money::new(minor, &self.0.currency))
    }

    /// A number over all sources, for those who may read all of them.
    fn counted(&self, domain: Domain, number: i64) -> Option<i32> {
        (self.0.scope().caller().reach(domain) == Reach::All).then(|| int(number))
    }
}

/// A total by a number, rounded half up.
fn average(total: i64, number: i64) -> Option<i64> {
    let (total, number) = (i128::from(total), i128::from(number));
    let rounded = (2 * total + number).checked_div_euclid(2 * number)?;
    i64::try_from(rounded).ok()
}

/// How recently, how often and for how much a customer buys: each score is from 1, the worst, to 5, the best.
#[derive(Clone, Debug, SimpleObject)]
pub struct CustomerRfm {
    /// The score for how recent the last order is; null without orders.
    recency: Option<i32>,
    /// The score for how many orders there are; null without orders.
    frequency: Option<i32>,
    /// The score for how much was spent; null without orders.
    monetary: Option<i32>,
    /// The group that the scores put the customer in.
    group: CustomerRfmGroup,
}

impl CustomerRfm {
    fn new(days: Option<i64>, orders: i64, spend: i64) -> Self {
        let thresholds = Thresholds::default();
        let scores = days.filter(|_| orders > 0).map(|days| thresholds.scores(days, orders, spend));
        let score = |of: fn(&rfm::Scores) -> u8| scores.as_ref().map(|scores| i32::from(of(scores)));
        Self {
            recency: score(|scores| scores.recency),
            frequency: score(|scores| scores.frequency),
            monetary: score(|scores| scores.monetary),
            group: thresholds.group(days, orders, spend).into(),
        }
    }
}

/// A group of customers who buy alike (as in Shopify's `CustomerRfmGroup`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rfm::Group")]
pub enum CustomerRfmGroup {
    /// No order yet.
    Prospects,
    /// Without a recent order; few orders, low spend.
    Dormant,
    /// Not seen for a while; few orders, low spend.
    AlmostLost,
    /// Without a recent order, after a strong history.
    AtRisk,
    /// Without a recent order, after a very strong history.
    PreviouslyLoyal,
    /// Some orders and spend, and the last one is a while ago.
    NeedsAttention,
    /// Recent, with few orders and low spend.
    Promising,
    /// Very recent, with few orders and low spend.
    New,
    /// Recent, with some orders and moderate spend.
    Active,
    /// Recent, with many orders and high spend.
    Loyal,
    /// Very recent, with many orders and the highest spend.
    Champions,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_rounded_half_up() {
        for (total, number, average_of) in
            [(10, 4, Some(3)), (9, 4, Some(2)), (0, 3, Some(0)), (7, 0, None), (i64::MAX, 1, Some(i64::MAX))]
        {
            assert_eq!(average(total, number), average_of, "{total} by {number}");
        }
    }

    #[test]
    fn a_customer_without_orders_has_no_scores() {
        let prospect = CustomerRfm::new(None, 0, 0);
        assert_eq!((prospect.recency, prospect.group), (None, CustomerRfmGroup::Prospects));
        let champion = CustomerRfm::new(Some(3), 12, 200_000);
        assert_eq!((champion.monetary, champion.group), (Some(5), CustomerRfmGroup::Champions));
    }
}
