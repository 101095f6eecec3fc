//! One bucket, counted by one gateway.

use chrono::{DateTime, Utc};

use crate::config::Bucket;

/// How full a bucket is, in millionths, so that what comes back in microseconds is not lost. Below nothing, what was used
/// beyond it is owed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    millionths: i64,
    at: DateTime<Utc>,
}

/// A cost in millionths.
fn millionths(cost: u64) -> i64 {
    i64::try_from(cost).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

impl Level {
    pub(super) fn full(bucket: Bucket, now: DateTime<Utc>) -> Self {
        Self { millionths: millionths(bucket.maximum), at: now }
    }

    fn restore(&mut self, bucket: Bucket, now: DateTime<Utc>) {
        let passed = (now - self.at).num_microseconds().unwrap_or(i64::MAX).max(0);
        let rate = i64::try_from(bucket.restore_rate).unwrap_or(i64::MAX);
        let restored = self.millionths.saturating_add(passed.saturating_mul(rate));
        self.millionths = restored.min(millionths(bucket.maximum));
        self.at = self.at.max(now);
    }

    /// Takes `cost`, or says how much is missing.
    pub(super) fn take(&mut self, cost: u64, bucket: Bucket, now: DateTime<Utc>) -> Result<(), u64> {
        self.restore(bucket, now);
        let rest = self.millionths.saturating_sub(millionths(cost));
        if rest < 0 {
            return Err(rest.unsigned_abs().div_ceil(1_000_000));
        }
        self.millionths = rest;
        Ok(())
    }

    /// Gives back what was taken and not used, or takes what was used beyond; tells what is left.
    pub(super) fn settle(&mut self, taken: u64, used: u64, bucket: Bucket, now: DateTime<Utc>) -> u64 {
        self.millionths = self.millionths.saturating_add(millionths(taken)).saturating_sub(millionths(used));
        self.restore(bucket, now);
        u64::try_from(self.millionths).unwrap_or(0) / 1_000_000
    }
}

/// After how many whole seconds so much has come back.
pub(super) fn seconds(missing: u64, bucket: Bucket) -> u64 {
    missing.div_ceil(bucket.restore_rate.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    const BUCKET: Bucket = Bucket { maximum: 1_000, restore_rate: 100 };

    proptest! {
        /// Whoever asks however often and in whatever steps gets the bucket once, and what comes back meanwhile.
        #[test]
        fn no_more_is_taken_than_the_bucket_held_and_got_back(steps in prop::collection::vec((0_i64..3_000_000, 1_u64..400, 0_u64..800), 1..200)) {
            let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
            let mut level = Level::full(BUCKET, start);
            let (mut now, mut used, mut overdraft) = (start, 0, 0);
            for (wait, cost, uses) in steps {
                now += TimeDelta::microseconds(wait);
                if level.take(cost, BUCKET, now).is_ok() {
                    level.settle(cost, uses, BUCKET, now);
                    used += uses;
                    overdraft = uses.saturating_sub(cost);
                }
                let passed = u64::try_from((now - start).num_milliseconds()).unwrap_or(0);
                // The last one may have used more than it took; nobody gets anything until that is back.
                prop_assert!(used <= BUCKET.maximum + passed * BUCKET.restore_rate / 1_000 + 1 + overdraft);
            }
        }

        /// Who waits as long as was said gets what was asked for.
        #[test]
        fn waiting_as_long_as_was_said_is_enough(first in 1_u64..=1_000, second in 1_u64..=1_000) {
            let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
            let mut level = Level::full(BUCKET, start);
            prop_assert!(level.take(first, BUCKET, start).is_ok());
            if let Err(missing) = level.take(second, BUCKET, start) {
                let wait = i64::try_from(seconds(missing, BUCKET)).unwrap_or(i64::MAX);
                prop_assert!(level.take(second, BUCKET, start + TimeDelta::seconds(wait)).is_ok());
            }
        }
    }
}
