//! How much one caller may ask for: a leaky bucket of cost for each (the algorithm of Shopify's Admin API).
//!
//! A bucket holds `maximum` and gets `restore_rate` back each second. An operation takes what it may cost before it runs,
//! and gives back what it did not use. With Redis the buckets are shared by all gateways; a gateway takes credit in
//! portions, so that most requests need no round trip. Without Redis, or while it does not answer, each counts alone.

mod bucket;
mod shared;

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::auth::{Actor, Caller};
use crate::config::{self, Config};
use bucket::Level;
use shared::Shared;

/// Callers whose buckets are remembered; a bucket that is forgotten is full.
const REMEMBERED: u64 = 200_000;

/// The part of a bucket that a gateway takes at once.
const PORTIONS: u64 = 20;

/// Counts what callers ask for.
#[derive(Debug)]
pub struct Throttle {
    settings: config::Throttle,
    purses: moka::sync::Cache<String, Arc<Mutex<Purse>>>,
    shared: Option<Shared>,
}

/// What this gateway knows of one caller's bucket.
#[derive(Debug)]
struct Purse {
    /// The bucket, where this gateway counts alone.
    own: Level,
    /// What was taken from the shared bucket and is not spent.
    credit: u64,
    /// What was left in the shared bucket when credit was last taken.
    left: u64,
    credited_at: DateTime<Utc>,
    /// Whose turn it is to ask for more.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// How full a caller's bucket is, as in `extensions.cost.throttle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttled {
    /// What the bucket holds.
    pub maximum: u64,
    /// What is left in it.
    pub available: u64,
    /// What comes back each second.
    pub restore_rate: u64,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Enough will be there after so many seconds.
    Wait(u64),
    /// The bucket can never hold so much.
    TooMuch(u64),
}

/// What was taken for an operation, until it is known what it used.
#[derive(Debug)]
pub struct Taken {
    purse: Arc<Mutex<Purse>>,
    bucket: config::Bucket,
    cost: u64,
    is_shared: bool,
}

impl Throttle {
    /// With the settings of a gateway.
    pub fn new(config: &Config) -> Self {
        let shared = (!config.redis.url.is_empty()).then(|| Shared::new(&config.redis.url)).flatten();
        Self { settings: config.throttle.clone(), purses: moka::sync::Cache::new(REMEMBERED), shared }
    }

    fn bucket(&self, caller: &Caller) -> config::Bucket {
        match caller.actor {
            Actor::Staff(_) => self.settings.staff,
            Actor::Customer(_) => self.settings.customer,
            Actor::Partner(_) => self.settings.partner,
        }
    }

    /// Takes what an operation may cost; `None` where there is no limit.
    ///
    /// # Errors
    /// The bucket does not hold so much.
    pub async fn take(&self, caller: &Caller, cost: u64, now: DateTime<Utc>) -> Result<Option<Taken>, Refusal> {
        let bucket = self.bucket(caller);
        let cost = cost.max(1);
        if bucket.maximum == 0 {
            return Ok(None);
        }
        if cost > bucket.maximum {
            return Err(Refusal::TooMuch(bucket.maximum));
        }
        let key = format!("c360:throttle:{}", caller.name());
        let purse = self.purses.get_with_by_ref(&key, || {
            let own = Level::full(bucket, now);
            Arc::new(Mutex::new(Purse { own, credit: 0, left: bucket.maximum, credited_at: now, turn: Arc::default() }))
        });
        if let Some(shared) = &self.shared {
            if lock(&purse).spend(cost, now) {
                return Ok(Some(Taken { purse, bucket, cost, is_shared: true }));
            }
            // One asks, the others spend of that: what is granted and not heard of is lost.
            let turn = lock(&purse).turn.clone();
            let _turn = turn.lock().await;
            if lock(&purse).spend(cost, now) {
                return Ok(Some(Taken { purse, bucket, cost, is_shared: true }));
            }
            let portion = cost.max(bucket.maximum / PORTIONS);
            if let Some(granted) = shared.take(&key, bucket, cost, portion).await {
                return match granted {
                    Ok((credit, left)) => {
                        lock(&purse).add(credit - cost, left, now);
                        Ok(Some(Taken { purse, bucket, cost, is_shared: true }))
                    }
                    Err(left) => Err(Refusal::Wait(bucket::seconds(cost - left, bucket))),
                };
            }
        }
        let taken = lock(&purse).own.take(cost, bucket, now);
        taken.map_err(|missing| Refusal::Wait(bucket::seconds(missing, bucket)))?;
        Ok(Some(Taken { purse, bucket, cost, is_shared: false }))
    }
}

impl Taken {
    /// Settles what the operation used, and tells how full the bucket is.
    pub fn settle(self, used: u64, now: DateTime<Utc>) -> Throttled {
        let mut purse = lock(&self.purse);
        let available = if self.is_shared {
            purse.credit = (purse.credit + self.cost).saturating_sub(used);
            purse.left + purse.credit
        } else {
            purse.own.settle(self.cost, used, self.bucket, now)
        };
        let config::Bucket { maximum, restore_rate } = self.bucket;
        Throttled { maximum, available: available.min(maximum), restore_rate }
    }
}

impl Purse {
    /// Credit is good for a moment only: what lies here, other gateways cannot use.
    const GOOD_FOR: chrono::TimeDelta = chrono::TimeDelta::seconds(2);

    fn spend(&mut self, cost: u64, now: DateTime<Utc>) -> bool {
        if now - self.credited_at > Self::GOOD_FOR {
            self.credit = 0;
        }
        let enough = self.credit >= cost;
        if enough {
            self.credit -= cost;
        }
        enough
    }

    fn add(&mut self, credit: u64, left: u64, now: DateTime<Utc>) {
        self.credit += credit;
        self.left = left;
        self.credited_at = now;
    }
}

fn lock(purse: &Mutex<Purse>) -> std::sync::MutexGuard<'_, Purse> {
    purse.lock().unwrap_or_else(PoisonError::into_inner)
}
