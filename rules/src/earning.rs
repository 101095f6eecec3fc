//! How many points an order earns, from when on they can be spent, and until when.
//!
//! What multiplies the points of an order: the best rule of its channel × the best campaign that it is part of × the
//! tier of its customer. Rules of one kind do not add up: of two campaigns the better one counts. The product is
//! rounded down once, at the end.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ledger::MAX_POINTS;
use crate::money::Money;

/// One (`10_000` basis points): no multiplier.
pub const ONE: u32 = 10_000;

/// What turns an order's net total into points. All in basis points: 15,000 is one and a half.
///
/// The default is one point for each whole unit, and no multiplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Points for each whole unit (euro, yen) of the order's net total.
    pub points_per_unit: u32,
    /// The multiplier of the order's channel.
    pub channel: u32,
    /// The multiplier of a campaign.
    pub campaign: u32,
    /// The multiplier of the customer's tier.
    pub tier: u32,
}

impl Default for Rule {
    fn default() -> Rule {
        Rule { points_per_unit: ONE, channel: ONE, campaign: ONE, tier: ONE }
    }
}

impl Rule {
    /// The points that an order of this net total earns: never negative, zero for a negative total, at most
    /// [`MAX_POINTS`].
    pub fn points(&self, net: Money) -> i64 {
        let units = i128::from(net.minor.max(0) / net.currency.unit());
        let factors = [self.points_per_unit, self.channel, self.campaign, self.tier];
        // Where this saturates, the points are far beyond the most that there can be.
        let points = factors.iter().fold(units, |points, factor| points.saturating_mul(i128::from(*factor)));
        i64::try_from(points / i128::from(ONE).pow(4)).unwrap_or(MAX_POINTS).min(MAX_POINTS)
    }
}

/// From when on something holds, and until when (that instant not included); `None` is without a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// From when on.
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    pub ends_at: Option<DateTime<Utc>>,
}

impl Period {
    /// Whether it holds at an instant.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.starts_at.is_none_or(|starts| starts <= at) && self.ends_at.is_none_or(|ends| at < ends)
    }
}

/// A rule of a programme that multiplies points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiplier<C> {
    /// By how much, in basis points.
    pub by: u32,
    /// The channel that it is for; `None` for all.
    pub channel: Option<C>,
    /// When it holds.
    pub period: Period,
    /// The campaign that it is part of.
    pub campaign: Option<Campaign>,
}

/// A campaign, as one customer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// When it runs.
    pub period: Period,
    /// Whether the customer takes part.
    pub takes_part: bool,
}

impl<C: PartialEq> Multiplier<C> {
    /// Whether an order placed then, on this channel, is multiplied.
    pub fn applies(&self, channel: &C, at: DateTime<Utc>) -> bool {
        self.channel.as_ref().is_none_or(|only| only == channel)
            && self.period.contains(at)
            && self.campaign.is_none_or(|campaign| campaign.takes_part && campaign.period.contains(at))
    }
}

/// What an order earns by: the best rule of its channel, the best campaign, and the customer's tier.
pub fn rule<C: PartialEq>(
    points_per_unit: u32,
    multipliers: &[Multiplier<C>],
    tier: u32,
    channel: &C,
    at: DateTime<Utc>,
) -> Rule {
    let best = |of_campaigns: bool| {
        let of_kind = multipliers.iter().filter(|multiplier| multiplier.campaign.is_some() == of_campaigns);
        of_kind.filter(|multiplier| multiplier.applies(channel, at)).map(|multiplier| multiplier.by).max()
    };
    Rule { points_per_unit, channel: best(false).unwrap_or(ONE), campaign: best(true).unwrap_or(ONE), tier }
}

/// What of an order's points stays when goods come back: in proportion to the whole units of money, rounded down.
/// Without multipliers that is what the rest would have earned by itself.
pub fn kept(earned: i64, units_before: i64, units_after: i64) -> i64 {
    let (before, after) = (i128::from(units_before.max(0)), i128::from(units_after.clamp(0, units_before.max(0))));
    let kept = (i128::from(earned.max(0)) * after).checked_div(before).unwrap_or(0);
    i64::try_from(kept).unwrap_or(earned)
}

/// When points can be spent that are earned at an instant: from when on, and until when.
///
/// Points are pending until the order can no longer be returned. They expire so many days after they were earned, or
/// after they could be spent first if that was later.
pub fn times(at: DateTime<Utc>, pending_days: i32, expiry_days: Option<i32>) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
    let later = |from: DateTime<Utc>, days: i32| from.checked_add_signed(TimeDelta::days(days.max(0).into()));
    let available = later(at, pending_days).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let expires = expiry_days.and_then(|days| later(if days > pending_days { at } else { available }, days.max(1)));
    (available, expires)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str, code: &str) -> Money {
        Money::parse(text, code.parse().unwrap()).unwrap()
    }

    fn day(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn between(from: i64, until: i64) -> Period {
        Period { starts_at: Some(day(from)), ends_at: Some(day(until)) }
    }

    fn times_of(by: u32, channel: Option<&'static str>) -> Multiplier<&'static str> {
        Multiplier { by, channel, period: Period::default(), campaign: None }
    }

    #[test]
    fn one_point_for_each_whole_unit_whatever_its_digits() {
        let rule = Rule::default();
        for (text, code, points) in
            [("19.99", "EUR", 19), ("0.99", "EUR", 0), ("-19.99", "EUR", 0), ("1500", "JPY", 1500), ("1.999", "KWD", 1)]
        {
            assert_eq!(rule.points(money(text, code)), points, "{text} {code}");
        }
    }

    #[test]
    fn multipliers_act_on_whole_units_and_are_rounded_down_once() {
        let rule = Rule { channel: 15_000, ..Rule::default() };
        assert_eq!(rule.points(money("19.99", "EUR")), 28);
        // 5 × 1.5 × 1.5 is 11.25; rounded down in between as well, it would be 10.
        let rule = Rule { channel: 15_000, tier: 15_000, ..Rule::default() };
        assert_eq!(rule.points(money("5", "EUR")), 11);
        assert_eq!(Rule { points_per_unit: 5_000, ..rule }.points(money("5", "EUR")), 5);
        assert_eq!(Rule { campaign: 0, ..rule }.points(money("7", "EUR")), 0);
        assert_eq!(Rule { tier: u32::MAX, ..rule }.points(Money::new(i64::MAX, "JPY".parse().unwrap())), MAX_POINTS);
    }

    #[test]
    fn the_best_rule_of_the_channel_and_the_best_campaign_multiply_each_other() {
        let campaign = |by, period, takes_part| Multiplier {
            campaign: Some(Campaign { period, takes_part }),
            ..times_of(by, None)
        };
        let multipliers = [
            times_of(11_000, None),
            times_of(20_000, Some("POS")),
            Multiplier { period: between(0, 5), ..times_of(90_000, None) },
            campaign(30_000, between(10, 20), true),
            campaign(15_000, between(10, 20), true),
            campaign(99_000, between(10, 20), false),
        ];
        let of = |channel, at| rule(ONE, &multipliers, 12_000, &channel, day(at));
        let expected = |channel, campaign| Rule { points_per_unit: ONE, channel, campaign, tier: 12_000 };
        assert_eq!(of("WEB", 9), expected(11_000, ONE));
        assert_eq!(of("POS", 10), expected(20_000, 30_000));
        assert_eq!(of("POS", 20), expected(20_000, ONE));
        assert_eq!(of("POS", 4), expected(90_000, ONE));
        assert_eq!(of("WEB", 5), expected(11_000, ONE));
        assert_eq!(rule(ONE, &[times_of(5_000, Some("POS"))], ONE, &"POS", day(0)).channel, 5_000);
        assert_eq!(rule::<&str>(ONE, &[], ONE, &"POS", day(0)), Rule::default());
    }

    #[test]
    fn points_are_pending_until_the_return_window_closes_and_never_expire_before() {
        assert_eq!(times(day(0), 14, Some(365)), (day(14), Some(day(365))));
        assert_eq!(times(day(0), 0, None), (day(0), None));
        assert_eq!(times(day(0), 30, Some(30)), (day(30), Some(day(60))));
        assert_eq!(times(day(0), i32::MAX, Some(1)), (DateTime::<Utc>::MAX_UTC, None));
    }

    proptest! {
        #[test]
        fn points_are_never_negative_and_grow_with_the_total(
            a: i64, b: i64, points_per_unit: u32, channel: u32, campaign: u32, tier: u32,
        ) {
            let rule = Rule { points_per_unit, channel, campaign, tier };
            let eur = "EUR".parse().unwrap();
            let (low, high) = (rule.points(Money::new(a.min(b), eur)), rule.points(Money::new(a.max(b), eur)));
            prop_assert!(0 <= low && low <= high && high <= MAX_POINTS);
        }

        #[test]
        fn one_more_rule_never_takes_points_away(
            some in prop::collection::vec(ONE..5 * ONE, 0..5), more in ONE..5 * ONE, net in 0_i64..1_000_000,
        ) {
            let mut multipliers: Vec<_> = some.into_iter().map(|by| times_of(by, None)).collect();
            let net = Money::new(net, "EUR".parse().unwrap());
            let before = rule(ONE, &multipliers, ONE, &"POS", day(0)).points(net);
            multipliers.push(times_of(more, Some("POS")));
            prop_assert!(before <= rule(ONE, &multipliers, ONE, &"POS", day(0)).points(net));
        }

        #[test]
        fn what_stays_of_an_order_is_what_the_rest_would_have_earned(
            before in 0_i64..1_000_000, part in 0_i64..1_000_000, by in 1..5 * ONE,
        ) {
            let (after, eur) = (part.min(before), "EUR".parse().unwrap());
            let points = |rule: Rule, net| rule.points(Money::new(net, eur));
            let earned = points(Rule::default(), before);
            prop_assert_eq!(kept(earned, before / 100, after / 100), points(Rule::default(), after));
            let rule = Rule { campaign: by, ..Rule::default() };
            let kept = kept(points(rule, before), before / 100, after / 100);
            prop_assert!((points(rule, after) - 1..=points(rule, after)).contains(&kept));
        }

        #[test]
        fn points_can_be_spent_for_at_least_a_day(pending in 0..4000_i32, expiry in 1..4000_i32) {
            let (available, expires) = times(day(0), pending, Some(expiry));
            prop_assert!(available + TimeDelta::days(1) <= expires.unwrap());
        }
    }
}
