//! Time and randomness. Nothing else in the gateway reads a clock or makes a random number.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use crate::digest::sha256;

/// Where the time comes from: the system, or a hand that a test moves.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Microseconds since 1970, set by [`Clock::set`].
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `at`.
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// The time, in whole microseconds (what both databases can hold).
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => {
                let now = Utc::now();
                now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
            }
            Self::Fixed(micros) => DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default(),
        }
    }

    /// Moves a fixed clock; the system's clock stays as it is.
    pub fn set(&self, at: DateTime<Utc>) {
        if let Self::Fixed(micros) = self {
            micros.store(at.timestamp_micros(), Ordering::SeqCst);
        }
    }
}

/// A new id of the time `at`: a UUIDv7. Nothing is derived from it, so it need not repeat.
pub fn new_id(at: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, at.timestamp_subsec_nanos()))
}

/// Bits that nobody can guess, for a secret.
///
/// # Errors
/// The machine has no randomness to give.
pub fn random_bytes() -> Result<[u8; 32], aws_lc_rs::error::Unspecified> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// An id that nothing can be told from.
pub fn random_id() -> Uuid {
    Uuid::new_v4()
}

/// A UUIDv7 of the time `at` whose random part comes from `random`: the same seed gives the same ids.
pub fn id_at(at: DateTime<Utc>, random: &mut fastrand::Rng) -> Uuid {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    v7(at, &bytes)
}

/// A UUIDv7 of the time `at` that is derived from what the record is called in its source, so that bringing
/// the same record in again gives the same id.
pub fn derived_id(at: DateTime<Utc>, source: &str, name: &str) -> Uuid {
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&sha256(format!("{source}\0{name}").as_bytes())[..10]);
    v7(at, &bytes)
}

fn v7(at: DateTime<Utc>, random: &[u8; 10]) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid()
}
