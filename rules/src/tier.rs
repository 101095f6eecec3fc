//! Loyalty tiers: what points give, and what the next tier takes.
//!
//! Tiers need not be sorted. Points below every threshold give no tier.

/// A tier of a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its place among the tiers: a higher one is better.
    pub rank: i32,
    /// The points from which on it is reached.
    pub threshold: i64,
}

/// The best tier that these points reach: the highest threshold, then the highest rank.
pub fn current(points: i64, tiers: &[Tier]) -> Option<&Tier> {
    tiers.iter().filter(|tier| tier.threshold <= points).max_by_key(|tier| (tier.threshold, tier.rank))
}

/// The nearest tier that these points do not reach yet.
pub fn next(points: i64, tiers: &[Tier]) -> Option<&Tier> {
    tiers.iter().filter(|tier| tier.threshold > points).min_by_key(|tier| (tier.threshold, tier.rank))
}

/// How many points are missing to the next tier; `None` at the top.
pub fn points_to_next(points: i64, tiers: &[Tier]) -> Option<i64> {
    next(points, tiers).map(|tier| tier.threshold.saturating_sub(points))
}

/// The tier that the next review would give if the customer gained nothing more in the qualification period.
///
/// `gained` counts the points of that period only, less those taken back.
pub fn projected(gained: i64, tiers: &[Tier]) -> Option<&Tier> {
    current(gained.max(0), tiers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIERS: [Tier; 3] =
        [Tier { rank: 2, threshold: 1000 }, Tier { rank: 1, threshold: 0 }, Tier { rank: 3, threshold: 5000 }];

    #[test]
    fn a_threshold_is_reached_by_exactly_its_points() {
        assert_eq!(current(999, &TIERS).map(|tier| tier.rank), Some(1));
        assert_eq!(current(1000, &TIERS).map(|tier| tier.rank), Some(2));
        assert_eq!(points_to_next(999, &TIERS), Some(1));
        assert_eq!(points_to_next(5000, &TIERS), None);
        assert_eq!(current(-1, &TIERS), None);
        assert_eq!(projected(-1, &TIERS).map(|tier| tier.rank), Some(1));
        assert_eq!(current(7, &[]), None);
    }

    proptest! {
        #[test]
        fn the_points_to_the_next_tier_reach_exactly_it(points in -10_i64..9999) {
            if let Some(missing) = points_to_next(points, &TIERS) {
                prop_assert_eq!(current(points + missing, &TIERS), next(points, &TIERS));
                prop_assert_eq!(current(points + missing - 1, &TIERS), current(points, &TIERS));
            }
        }

        #[test]
        fn more_points_never_mean_a_worse_tier(a: i64, b: i64) {
            let threshold = |points| current(points, &TIERS).map(|tier| tier.threshold);
            prop_assert!(threshold(a.min(b)) <= threshold(a.max(b)));
        }
    }
}
