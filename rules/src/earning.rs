//! How many points an order earns.

use crate::money::Money;

/// One (`10_000` basis points): no multiplier.
pub const ONE: u32 = 10_000;

/// A rule of a programme: points for each whole unit of money, times a multiplier, up to a cap.
///
/// The default is one point for each whole unit, with neither multiplier nor cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Points for each whole unit (euro, yen) of the order's net total.
    pub points_per_unit: u32,
    /// The multiplier of a campaign, a channel or a tier, in basis points: 15,000 is one and a half.
    pub multiplier: u32,
    /// The most points that one order can earn.
    pub cap: Option<i64>,
}

impl Default for Rule {
    fn default() -> Rule {
        Rule { points_per_unit: 1, multiplier: ONE, cap: None }
    }
}

impl Rule {
    /// The points that an order of this net total earns: never negative, zero for a negative total.
    ///
    /// `floor(floor(total) × points_per_unit × multiplier / 10,000)`, at most the cap.
    pub fn points(&self, net: Money) -> i64 {
        let units = i128::from(net.minor.max(0) / net.currency.unit());
        let points = units * i128::from(self.points_per_unit) * i128::from(self.multiplier) / i128::from(ONE);
        let cap = self.cap.unwrap_or(i64::MAX).max(0);
        i64::try_from(points).unwrap_or(i64::MAX).min(cap)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(text: &str, code: &str) -> Money {
        Money::parse(text, code.parse().unwrap()).unwrap()
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
    fn the_multiplier_acts_on_whole_units_and_the_cap_comes_last() {
        let rule = Rule { multiplier: 15_000, ..Rule::default() };
        assert_eq!(rule.points(money("19.99", "EUR")), 28);
        assert_eq!(Rule { cap: Some(20), ..rule }.points(money("19.99", "EUR")), 20);
        assert_eq!(Rule { cap: Some(-1), ..rule }.points(money("19.99", "EUR")), 0);
    }

    proptest! {
        #[test]
        fn points_are_never_negative_and_grow_with_the_total(
            a: i64, b: i64, points_per_unit: u32, multiplier: u32, cap: Option<i64>,
        ) {
            let rule = Rule { points_per_unit, multiplier, cap };
            let eur = "EUR".parse().unwrap();
            let (low, high) = (rule.points(Money::new(a.min(b), eur)), rule.points(Money::new(a.max(b), eur)));
            prop_assert!(0 <= low && low <= high);
        }
    }
}
