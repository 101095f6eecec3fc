//! What a job failed at lately, and leaves alone for a while, so that it keeps nothing else waiting.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// The first rest, doubled with each failure that follows, up to the longest.
const SHORTEST: TimeDelta = TimeDelta::minutes(1);
const LONGEST: TimeDelta = TimeDelta::hours(6);
/// How many are remembered of each job. With more, something is wrong with all of them.
const MOST: usize = 1_000;

/// Failures of jobs in this gateway. Another one that takes a job over begins anew.
#[derive(Debug, Default)]
pub struct Setbacks(Mutex<HashMap<&'static str, HashMap<Uuid, Setback>>>);

#[derive(Clone, Copy, Debug)]
struct Setback {
    failures: u32,
    until: DateTime<Utc>,
}

impl Setbacks {
    /// What a job leaves alone at this moment.
    pub fn resting(&self, job: &'static str, now: DateTime<Utc>) -> Vec<Uuid> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_job = all.get(job).into_iter().flatten();
        of_job.filter(|(_, setback)| setback.until > now).map(|(id, _)| *id).collect()
    }

    /// A job failed at something once more: it is tried again after a rest.
    pub fn failed(&self, job: &'static str, id: Uuid, now: DateTime<Utc>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_job = all.entry(job).or_default();
        if of_job.len() >= MOST && !of_job.contains_key(&id) {
            return;
        }
        let setback = of_job.entry(id).or_insert(Setback { failures: 0, until: now });
        let rest = SHORTEST * 2_i32.pow(setback.failures.min(10));
        setback.failures += 1;
        setback.until = now + rest.min(LONGEST);
        tracing::warn!(job, id = %id, failures = setback.failures, until = %setback.until, "a job leaves something alone that fails");
    }

    /// A job succeeded at something.
    pub fn mended(&self, job: &'static str, id: Uuid) {
        if let Some(of_job) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(job) {
            of_job.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_rests_longer_and_what_is_mended_not_at_all() {
        let (setbacks, id, start) = (Setbacks::default(), Uuid::from_u128(1), DateTime::UNIX_EPOCH);
        let rests = |minutes: i64| setbacks.resting("job", start + TimeDelta::minutes(minutes)) == [id];
        assert!(!rests(0));
        setbacks.failed("job", id, start);
        assert!(rests(0) && !rests(1));
        setbacks.failed("job", id, start);
        assert!(rests(1) && !rests(2));
        assert!(setbacks.resting("other", start).is_empty());
        for _ in 0..40 {
            setbacks.failed("job", id, start);
        }
        assert!(rests(359) && !rests(360));
        setbacks.mended("job", id);
        assert!(!rests(0));
    }
}
