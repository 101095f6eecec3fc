//! Buckets in Redis, shared by all gateways.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::Script;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::sync::OnceCell;

use crate::config::Bucket;

/// How long a request waits for Redis before its gateway counts alone.
const PATIENCE: Duration = Duration::from_millis(100);

/// For how long a gateway counts alone after Redis did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Restores the bucket by Redis' own clock, then takes between ARGV[3] and ARGV[4] from it if it holds that much.
/// Gives what was taken and what is left; a bucket that is full again by itself is forgotten.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local maximum, rate, least, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(bucket[1]) or maximum
local at = tonumber(bucket[2]) or now
level = math.min(maximum, level + math.max(0, now - at) * rate)
local taken = 0
if level >= least then
  taken = math.floor(math.min(level, most))
end
level = level - taken
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((maximum - level) / math.max(rate, 0.001) * 1000) + 1000)
return {taken, math.floor(level)}
",
    )
});

/// The connection, opened when it is first needed.
pub(super) struct Shared {
    client: redis::Client,
    connection: OnceCell<ConnectionManager>,
    is_paused: Arc<AtomicBool>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    /// `None` for an address that is not one; the settings are checked at the start.
    pub(super) fn new(url: &str) -> Option<Self> {
        let client = redis::Client::open(url).ok()?;
        Some(Self { client, connection: OnceCell::new(), is_paused: Arc::default() })
    }

    /// Takes up to `most` if at least `least` is there: what was taken and what is left, or only what is there.
    /// `None` when Redis does not answer in time.
    pub(super) async fn take(
        &self,
        key: &str,
        bucket: Bucket,
        least: u64,
        most: u64,
    ) -> Option<Result<(u64, u64), u64>> {
        if self.is_paused.load(Ordering::Relaxed) {
            return None;
        }
        let asked = tokio::time::timeout(PATIENCE, self.ask(key, bucket, least, most)).await;
        match asked {
            Ok(Ok((0, left))) => Some(Err(left.min(least))),
            Ok(Ok((taken, left))) => Some(Ok((taken, left))),
            Ok(Err(_)) | Err(_) => {
                self.pause();
                None
            }
        }
    }

    async fn ask(&self, key: &str, bucket: Bucket, least: u64, most: u64) -> redis::RedisResult<(u64, u64)> {
        let settings = ConnectionManagerConfig::new().set_number_of_retries(0);
        let open = || ConnectionManager::new_with_config(self.client.clone(), settings);
        let mut connection = self.connection.get_or_try_init(open).await?.clone();
        let mut call = TAKE.prepare_invoke();
        call.key(key).arg(bucket.maximum).arg(bucket.restore_rate).arg(least).arg(most);
        call.invoke_async(&mut connection).await
    }

    /// Counts alone for a moment, so that not every request waits for a server that is gone.
    fn pause(&self) {
        if self.is_paused.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!("Redis does not answer: callers are throttled by each gateway alone");
        let is_paused = self.is_paused.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PAUSE).await;
            is_paused.store(false, Ordering::Relaxed);
        });
    }
}
