//! What customers answer to "how was it?": three metrics, their ranges, figures and trends.
//!
//! NPS: Reichheld, "The One Number You Need to Grow", Harvard Business Review, December 2003.

use std::ops::RangeInclusive;

/// A metric of satisfaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// "Would you recommend us?", 0 to 10.
    Nps,
    /// "How satisfied are you?", 1 to 5.
    Csat,
    /// "Was it easy?", 1 (not at all) to 7 (very).
    Ces,
}

/// A score outside its metric's range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a score of {metric:?} lies between {} and {}, not {score}", .metric.range().start(), .metric.range().end())]
pub struct ScoreError {
    /// The metric.
    pub metric: Metric,
    /// What was given.
    pub score: i32,
}

/// What a score of an NPS question makes of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NpsClass {
    /// 0 to 6.
    Detractor,
    /// 7 and 8.
    Passive,
    /// 9 and 10.
    Promoter,
}

/// Where a customer's satisfaction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trend {
    /// The last score is above the one before.
    Improving,
    /// Both are the same.
    Stable,
    /// The last score is below the one before.
    Declining,
}

impl Metric {
    /// The scores that can be given.
    pub const fn range(self) -> RangeInclusive<i32> {
        match self {
            Metric::Nps => 0..=10,
            Metric::Csat => 1..=5,
            Metric::Ces => 1..=7,
        }
    }

    /// The score, if it is one.
    ///
    /// # Errors
    /// [`ScoreError`] outside the range.
    pub fn validate(self, score: i32) -> Result<i32, ScoreError> {
        if self.range().contains(&score) { Ok(score) } else { Err(ScoreError { metric: self, score }) }
    }

    /// Whether a score calls for a follow-up: an NPS detractor, CSAT 1–2, CES 1–3.
    pub const fn is_bad(self, score: i32) -> bool {
        match self {
            Metric::Nps => score <= 6,
            Metric::Csat => score <= 2,
            Metric::Ces => score <= 3,
        }
    }
}

/// The class of a valid NPS score.
pub const fn nps_class(score: i32) -> NpsClass {
    match score {
        ..=6 => NpsClass::Detractor,
        7 | 8 => NpsClass::Passive,
        9.. => NpsClass::Promoter,
    }
}

/// The net promoter score, −100 to 100: share of promoters less share of detractors, in percent, rounded half
/// away from zero. `None` without answers.
pub fn nps(promoters: u64, passives: u64, detractors: u64) -> Option<i32> {
    let [p, n, d] = [promoters, passives, detractors].map(i128::from);
    rounded(100 * (p - d), p + n + d).and_then(|score| i32::try_from(score).ok())
}

/// Whether a CSAT score counts as satisfied: 4 or 5.
pub const fn satisfied(score: i32) -> bool {
    score >= 4
}

/// A share in hundredths of a percent (CSAT is the share of satisfied answers); `None` without answers.
pub fn share_hundredths(part: u64, whole: u64) -> Option<i64> {
    rounded(10_000 * i128::from(part), whole.into())
}

/// A mean in hundredths (437 is 4.37), rounded half away from zero; `None` without answers.
pub fn average_hundredths(sum: i64, count: u64) -> Option<i64> {
    rounded(100 * i128::from(sum), count.into())
}

/// The direction from the previous score to the last one.
pub fn trend(last: i32, previous: i32) -> Trend {
    match last.cmp(&previous) {
        std::cmp::Ordering::Greater => Trend::Improving,
        std::cmp::Ordering::Equal => Trend::Stable,
        std::cmp::Ordering::Less => Trend::Declining,
    }
}

/// A quotient rounded half away from zero; `None` when divided by zero, or too large.
fn rounded(dividend: i128, divisor: i128) -> Option<i64> {
    let half = dividend.signum() * divisor;
    (2 * dividend + half).checked_div(2 * divisor).and_then(|quotient| i64::try_from(quotient).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn classes_and_ranges_are_those_of_the_field() {
        assert_eq!(
            [0, 6, 7, 8, 9, 10].map(nps_class),
            [
                NpsClass::Detractor,
                NpsClass::Detractor,
                NpsClass::Passive,
                NpsClass::Passive,
                NpsClass::Promoter,
                NpsClass::Promoter
            ]
        );
        assert!(Metric::Nps.validate(0).is_ok() && Metric::Nps.validate(11).is_err());
        assert!(Metric::Csat.validate(0).is_err() && Metric::Ces.validate(7).is_ok());
        assert!(satisfied(4) && !satisfied(3));
        assert!(Metric::Nps.is_bad(6) && !Metric::Csat.is_bad(3));
        assert_eq!(
            ScoreError { metric: Metric::Nps, score: 11 }.to_string(),
            "a score of Nps lies between 0 and 10, not 11"
        );
    }

    #[test]
    fn figures_are_rounded_half_away_from_zero() {
        assert_eq!(nps(0, 0, 0), None);
        assert_eq!(nps(1, 1, 1), Some(0));
        assert_eq!(nps(1, 7, 0), Some(13));
        assert_eq!(nps(0, 7, 1), Some(-13));
        assert_eq!(average_hundredths(13, 3), Some(433));
        assert_eq!(average_hundredths(1, 0), None);
        assert_eq!(share_hundredths(2, 3), Some(6667));
        assert_eq!(trend(7, 9), Trend::Declining);
    }

    proptest! {
        #[test]
        fn nps_lies_between_its_bounds(p: u64, n: u64, d: u64) {
            prop_assert!(nps(p, n, d).is_none_or(|score| (-100..=100).contains(&score)));
        }

        #[test]
        fn swapping_promoters_and_detractors_turns_the_sign(p: u64, n: u64, d: u64) {
            prop_assert_eq!(nps(p, n, d), nps(d, n, p).map(|score| -score));
        }
    }
}
