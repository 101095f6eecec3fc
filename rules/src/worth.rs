//! What points pay at a till.

use crate::money::{Currency, Money};

/// Parts of a whole unit of money in which the worth of one point is told: 100 is a cent of a euro.
const PARTS: i128 = 10_000;

/// What a number of points pays, at so many basis points of a whole unit for each: rounded down.
pub fn worth(points: i64, point_value: u32, currency: Currency) -> Money {
    let minor = i128::from(points.max(0)) * i128::from(point_value) * i128::from(currency.unit()) / PARTS;
    Money::new(i64::try_from(minor).unwrap_or(i64::MAX), currency)
}

/// The fewest points that pay an amount in full; `None` if no number of points does.
pub fn points_for(amount: Money, point_value: u32) -> Option<i64> {
    let each = i128::from(point_value) * i128::from(amount.currency.unit());
    let amount = i128::from(amount.minor.max(0)) * PARTS;
    let points = amount.checked_div(each)? + i128::from(amount % each > 0);
    i64::try_from(points).ok()
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
    fn a_point_of_a_cent_pays_a_cent_in_every_currency() {
        assert_eq!(worth(250, 100, "EUR".parse().unwrap()), money("2.50", "EUR"));
        assert_eq!(worth(250, 10_000, "JPY".parse().unwrap()), money("250", "JPY"));
        assert_eq!(worth(3, 33, "EUR".parse().unwrap()), money("0.00", "EUR"));
        assert_eq!(worth(-3, 100, "EUR".parse().unwrap()), money("0.00", "EUR"));
        assert_eq!(points_for(money("2.50", "EUR"), 100), Some(250));
        assert_eq!(points_for(money("2.51", "EUR"), 200), Some(126));
        assert_eq!(points_for(money("2.51", "EUR"), 0), None);
        assert_eq!(points_for(money("-1.00", "EUR"), 100), Some(0));
    }

    proptest! {
        #[test]
        fn the_fewest_points_that_pay_are_enough_and_one_less_is_not(
            minor in 1..i64::from(u32::MAX), value in 1..1_000_000_u32,
            code in prop_oneof![Just("EUR"), Just("JPY"), Just("KWD")],
        ) {
            let amount = Money::new(minor, code.parse().unwrap());
            let points = points_for(amount, value).unwrap();
            prop_assert!(worth(points, value, amount.currency).minor >= minor);
            prop_assert!(worth(points - 1, value, amount.currency).minor < minor);
        }
    }
}
