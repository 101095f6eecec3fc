//! The recency–frequency–monetary group of a customer, under the names that Shopify gives the groups
//! (`CustomerRfmGroup` of its Admin API: <https://shopify.dev/docs/api/admin-graphql/latest/enums/customerrfmgroup>).
//!
//! Shopify scores each dimension by a shop's own quintiles, and groups by recency R and FM = (F + M) / 2. Here
//! the scores come from fixed [`Thresholds`], so that a customer's group depends on that customer only; the
//! grid over R and FM is this project's reading of the groups' descriptions:
//!
//! | R | FM 1–2 | FM 2.5–3.5 | FM 4–5 |
//! | --- | --- | --- | --- |
//! | 5 | New | Active | Champions |
//! | 4 | Promising | Active | Loyal |
//! | 3 | Promising | Needs attention | Loyal |
//! | 2 | Almost lost | At risk | Previously loyal |
//! | 1 | Dormant | At risk | Previously loyal |
//!
//! A customer without an order is a prospect.

/// A group, from no order at all to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
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

/// Three scores, each from 1 (worst) to 5 (best).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scores {
    /// How recent the last order is.
    pub recency: u8,
    /// How many orders there are.
    pub frequency: u8,
    /// How much was spent.
    pub monetary: u8,
}

/// Where each score begins. Each list goes from score 5 down to score 2; what misses all is a 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Most days since the last order.
    pub days: [i64; 4],
    /// Fewest orders.
    pub orders: [i64; 4],
    /// Least spend, in minor units of the main currency.
    pub spend: [i64; 4],
}

impl Default for Thresholds {
    /// 30, 90, 180, 365 days; 10, 6, 3, 2 orders; 1,000, 500, 200, 50 units of a currency with cents.
    fn default() -> Thresholds {
        Thresholds { days: [30, 90, 180, 365], orders: [10, 6, 3, 2], spend: [100_000, 50_000, 20_000, 5_000] }
    }
}

impl Thresholds {
    /// The scores of a customer who has ordered: days since the last order, number of orders, and spend in
    /// minor units of the main currency.
    pub fn scores(&self, days: i64, orders: i64, spend: i64) -> Scores {
        Scores {
            recency: score(|place| days <= self.days[place]),
            frequency: score(|place| orders >= self.orders[place]),
            monetary: score(|place| spend >= self.spend[place]),
        }
    }

    /// The group of a customer; `days` is the time since the last order, `None` if there is none.
    pub fn group(&self, days: Option<i64>, orders: i64, spend: i64) -> Group {
        match days {
            Some(days) if orders > 0 => self.scores(days, orders, spend).group(),
            _ => Group::Prospects,
        }
    }
}

impl Scores {
    /// The group by the table above. Scores beyond 1 to 5 count as the nearest of them.
    pub const fn group(self) -> Group {
        let twice_fm = self.frequency.saturating_add(self.monetary);
        match (self.recency, twice_fm) {
            (5.., 8..) => Group::Champions,
            (3 | 4, 8..) => Group::Loyal,
            (_, 8..) => Group::PreviouslyLoyal,
            (4.., 5..) => Group::Active,
            (3, 5..) => Group::NeedsAttention,
            (_, 5..) => Group::AtRisk,
            (5.., _) => Group::New,
            (3 | 4, _) => Group::Promising,
            (2, _) => Group::AlmostLost,
            (_, _) => Group::Dormant,
        }
    }
}

/// 5 for the first place that is reached, down to 2 for the last of the four; else 1.
fn score(reached: impl Fn(usize) -> bool) -> u8 {
    [5, 4, 3, 2].into_iter().enumerate().find(|&(place, _)| reached(place)).map_or(1, |(_, score)| score)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_grid_is_the_table_of_the_documentation() {
        use Group::{
            Active, AlmostLost, AtRisk, Champions, Dormant, Loyal, NeedsAttention, New, PreviouslyLoyal, Promising,
        };
        let rows = [
            (5, [New, Active, Champions]),
            (4, [Promising, Active, Loyal]),
            (3, [Promising, NeedsAttention, Loyal]),
            (2, [AlmostLost, AtRisk, PreviouslyLoyal]),
            (1, [Dormant, AtRisk, PreviouslyLoyal]),
        ];
        for (recency, row) in rows {
            for (frequency, monetary) in (1..=5).flat_map(|f| (1..=5).map(move |m| (f, m))) {
                let column = match frequency + monetary {
                    ..=4 => 0,
                    5..=7 => 1,
                    _ => 2,
                };
                assert_eq!(Scores { recency, frequency, monetary }.group(), row[column]);
            }
        }
    }

    #[test]
    fn a_customer_without_orders_is_a_prospect() {
        let thresholds = Thresholds::default();
        assert_eq!(thresholds.group(None, 0, 0), Group::Prospects);
        assert_eq!(thresholds.group(Some(1), 0, 0), Group::Prospects);
        assert_eq!(thresholds.group(Some(30), 10, 100_000), Group::Champions);
        assert_eq!(thresholds.group(Some(366), 1, 0), Group::Dormant);
    }

    proptest! {
        #[test]
        fn scores_lie_between_1_and_5_and_never_fall_when_a_customer_does_better(
            days: i64, orders: i64, spend: i64, more in 0_i64..1_000_000,
        ) {
            let thresholds = Thresholds::default();
            let scores = thresholds.scores(days, orders, spend);
            let better = thresholds.scores(
                days.saturating_sub(more), orders.saturating_add(more), spend.saturating_add(more),
            );
            for (before, after) in [
                (scores.recency, better.recency),
                (scores.frequency, better.frequency),
                (scores.monetary, better.monetary),
            ] {
                prop_assert!((1..=5).contains(&before) && before <= after);
            }
        }
    }
}
