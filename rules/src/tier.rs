//! Loyalty tiers: what points give, and what the next tier takes.
//!
//! Tiers need not be sorted. Points below every threshold give no tier.
//!
//! A customer rises as soon as the points of the qualification period reach a better tier, and is safe in it for one
//! such period. Only a review after that, and after the programme's days of grace, takes a tier away.

use chrono::{DateTime, TimeDelta, Utc};

/// A tier of a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its place among the tiers: a higher one is better.
    pub rank: i32,
    /// The points from which on it is reached.
    pub threshold: i64,
}

/// A customer's tier, and until when it is safe; `None` if it does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The rank of the tier.
    pub rank: i32,
    /// Until when.
    pub until: Option<DateTime<Utc>>,
}

/// For how long a tier is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The period whose points count, which is also how long a tier is safe once it is reached.
    pub qualification: TimeDelta,
    /// How long a tier outlives its end.
    pub grace: TimeDelta,
}

impl Terms {
    /// The terms of a programme, in days.
    pub fn days(qualification: i32, grace: i32) -> Terms {
        let days = |days: i32| TimeDelta::days(days.max(0).into());
        Terms { qualification: days(qualification), grace: days(grace) }
    }
}

/// Where a customer stands who has gained so many points in the qualification period.
///
/// - A better tier is reached: at once, and for one period.
/// - The tier's end has come and its points are there: for one more period.
/// - They are not there: the tier stays for the days of grace, in which they can still be gained; then it falls to
///   the one that they reach.
///
/// The lowest tier does not end, nor does one that was given without an end.
pub fn review(standing: Standing, gained: i64, tiers: &[Tier], terms: Terms, now: DateTime<Utc>) -> Standing {
    let lowest = tiers.iter().min_by_key(|tier| (tier.threshold, tier.rank));
    let Some(reached) = projected(gained, tiers).or(lowest) else { return standing };
    let ends = Some(reached) != lowest;
    let anew = Standing { rank: reached.rank, until: now.checked_add_signed(terms.qualification).filter(|_| ends) };
    let Some(until) = standing.until else {
        return if reached.rank > standing.rank { anew } else { standing };
    };
    let falls_at = until.checked_add_signed(terms.grace).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let renewed = reached.rank == standing.rank && until <= now;
    if reached.rank > standing.rank || renewed || falls_at <= now { anew } else { standing }
}

/// When a standing has to be reviewed because of time alone: at its end, and at the end of its grace.
pub fn next_review(standing: Standing, terms: Terms, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let until = standing.until?;
    let falls_at = until.checked_add_signed(terms.grace)?;
    [until, falls_at].into_iter().find(|at| *at > now)
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

    const TERMS: Terms = Terms { qualification: TimeDelta::days(365), grace: TimeDelta::days(30) };

    fn day(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn at(rank: i32, until: Option<i64>) -> Standing {
        Standing { rank, until: until.map(day) }
    }

    #[test]
    fn a_tier_is_reached_at_once_and_lost_only_after_its_grace() {
        let review = |standing, gained, now| review(standing, gained, &TIERS, TERMS, day(now));
        assert_eq!(review(at(1, None), 999, 0), at(1, None));
        assert_eq!(review(at(1, None), 1000, 0), at(2, Some(365)));
        assert_eq!(review(at(2, Some(365)), 5000, 10), at(3, Some(375)));
        // What is gained meanwhile neither shortens nor lengthens it.
        assert_eq!(review(at(2, Some(365)), 0, 364), at(2, Some(365)));
        assert_eq!(review(at(2, Some(365)), 1000, 364), at(2, Some(365)));
        assert_eq!(review(at(2, Some(365)), 1000, 365), at(2, Some(730)));
        assert_eq!(review(at(2, Some(365)), 999, 394), at(2, Some(365)));
        assert_eq!(review(at(2, Some(365)), 1000, 394), at(2, Some(759)));
        assert_eq!(review(at(2, Some(365)), 999, 395), at(1, None));
        assert_eq!(review(at(3, Some(365)), 1000, 395), at(2, Some(760)));
        assert_eq!(review(at(3, None), 0, 9999), at(3, None));
        assert_eq!(super::review(at(3, None), 0, &[], TERMS, day(0)), at(3, None));
    }

    #[test]
    fn the_next_review_is_at_the_end_and_then_at_the_end_of_its_grace() {
        let next = |standing, now| next_review(standing, TERMS, day(now));
        assert_eq!(next(at(1, None), 0), None);
        assert_eq!(next(at(2, Some(365)), 0), Some(day(365)));
        assert_eq!(next(at(2, Some(365)), 365), Some(day(395)));
        assert_eq!(next(at(2, Some(365)), 395), None);
    }

    proptest! {
        #[test]
        fn a_review_finds_nothing_more_to_do_at_the_same_moment(
            rank in 1..4, until in prop::option::of(0_i64..900), gained in -9..9999_i64, now in 0_i64..900,
        ) {
            let once = review(at(rank, until), gained, &TIERS, TERMS, day(now));
            prop_assert_eq!(review(once, gained, &TIERS, TERMS, day(now)), once);
            prop_assert!(next_review(once, TERMS, day(now)).is_none_or(|next| next > day(now)));
        }

        #[test]
        fn a_tier_is_never_below_what_is_reached_nor_lost_while_it_is_safe(
            rank in 1..4, until in prop::option::of(0_i64..900), gained in -9..9999_i64, now in 0_i64..900,
        ) {
            let before = at(rank, until);
            let after = review(before, gained, &TIERS, TERMS, day(now));
            prop_assert!(projected(gained, &TIERS).is_some_and(|reached| after.rank >= reached.rank));
            if after.rank < before.rank {
                prop_assert!(until.is_some_and(|until| until + 30 <= now));
            }
        }

        #[test]
        fn reviews_by_time_alone_come_to_what_daily_reviews_do(
            gains in prop::collection::vec((0_i64..800, 1..3000_i64), 0..12),
        ) {
            let gained = |now: i64| {
                gains.iter().filter(|(on, _)| now - 365 < *on && *on <= now).map(|(_, points)| points).sum::<i64>()
            };
            let (mut daily, mut sparse) = (at(1, None), at(1, None));
            for now in 0..900 {
                daily = review(daily, gained(now), &TIERS, TERMS, day(now));
                let due = next_review(sparse, TERMS, day(now - 1)) == Some(day(now));
                if due || gains.iter().any(|(on, _)| *on == now) {
                    sparse = review(sparse, gained(now), &TIERS, TERMS, day(now));
                }
                prop_assert_eq!(daily, sparse);
            }
        }

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
