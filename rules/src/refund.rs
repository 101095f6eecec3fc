//! How much may still be refunded. All amounts are minor units of one currency.

/// What can still be refunded of an order: never negative.
///
/// `refunded_or_granted` counts every refund that has not failed, settled or not.
pub fn refundable(paid: i64, refunded_or_granted: i64) -> i64 {
    paid.saturating_sub(refunded_or_granted.max(0)).max(0)
}

/// What a ceiling leaves after what was used of it; `None` is without limit.
pub fn left_of_ceiling(used: i64, ceiling: Option<i64>) -> Option<i64> {
    ceiling.map(|ceiling| ceiling.saturating_sub(used.max(0)).max(0))
}

/// Whether one more amount stays within a ceiling, exactly on it included; `None` is without limit.
///
/// `used` is what the same customer was given on the same day. A negative amount is never within.
pub fn within_ceiling(used: i64, amount: i64, ceiling: Option<i64>) -> bool {
    amount >= 0 && left_of_ceiling(used, ceiling).is_none_or(|left| amount <= left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ceiling_includes_itself() {
        assert!(within_ceiling(60, 40, Some(100)));
        assert!(!within_ceiling(60, 41, Some(100)));
        assert!(within_ceiling(i64::MAX, i64::MAX, None));
        assert!(!within_ceiling(0, -1, None));
    }

    proptest! {
        #[test]
        fn refunds_never_exceed_what_was_paid(paid in 0_i64.., wishes in prop::collection::vec(0_i64.., 0..20)) {
            let refunded = wishes.iter().fold(0_i64, |refunded, wish| refunded + (*wish).min(refundable(paid, refunded)));
            prop_assert!(refunded <= paid);
        }

        #[test]
        fn what_is_left_is_never_negative(a: i64, b: i64) {
            prop_assert!(refundable(a, b) >= 0);
            prop_assert!(left_of_ceiling(a, Some(b)).is_some_and(|left| left >= 0));
        }

        #[test]
        fn what_is_left_of_a_ceiling_is_within_it_and_one_more_is_not(used in 0_i64..1000, ceiling in 0_i64..1000) {
            let left = (ceiling - used).max(0);
            prop_assert!(within_ceiling(used, left, Some(ceiling)));
            prop_assert!(!within_ceiling(used, left + 1, Some(ceiling)));
        }
    }
}
