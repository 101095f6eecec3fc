//! Whatever becomes of Redis, nobody who asks notices.

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crate::harness::servers::RedisServer;
use crate::harness::{Backend, Database};
use crate::load::traffic::{SCREEN, SMALL, Traffic, Volume, is_kept, members};
use crate::operating::process::Gateway;
use crate::proofs::size;

const SETTINGS: &[(&str, &str)] = &[
    ("C360_THROTTLE_STAFF_MAXIMUM", "1000000"),
    ("C360_THROTTLE_STAFF_RESTORE_RATE", "1000000"),
    ("C360_LOG_FILTER", "warn,c360=info,c360::access=off"),
];
const VOLUME: Volume = Volume { readers: 4, writers: 2, mixed: 0, document: SMALL, pause: Duration::from_millis(10) };

fn with(redis: &RedisServer) -> Vec<(&str, &str)> {
    [("REDIS_URL", redis.url.as_str()), ("C360_CACHE_ENABLED", "true")].iter().chain(SETTINGS).copied().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_be_killed_paused_or_reset_and_every_request_is_answered() {
    let database = Database::demo(Backend::Postgres).await;
    let mut redis = RedisServer::start().await;
    let gateway = Gateway::start(&database.url, &with(&redis)).await;
    let traffic = Traffic::start(&gateway, &members(&database.connection, 20).await, VOLUME);
    traffic.goes_on(30).await;
    for _ in 0..size("C360_TEST_REDIS_FAULTS", 2) {
        redis.pause();
        traffic.goes_on(60).await;
        redis.resume();
        traffic.goes_on(30).await;
        redis.reset().await;
        traffic.goes_on(30).await;
        redis.kill();
        traffic.goes_on(60).await;
        assert_eq!(gateway.get("/readyz").await.0, 200);
        redis.start_again().await;
        traffic.goes_on(30).await;
    }
    let tally = traffic.stop().await;
    tally.is_clean();
    let (good, others) = tally.outcome();
    assert!(good > 0 && others == 0, "{tally:?}");
    assert!(tally.slowest() < Duration::from_secs(2), "somebody waited {:?}", tally.slowest());
    is_kept(&tally, &database.connection).await;
}

/// How many kept answers were served so far.
async fn hits(gateway: &Gateway) -> u64 {
    let figures = gateway.figures().await;
    let line =
        figures.lines().find_map(|line| line.strip_prefix("c360_cache_answers_total{result=\"hit\",reason=\"\"} "));
    line.map_or(0, |count| count.parse().unwrap())
}

/// `C360_TEST_REDIS_ROUNDS`, `C360_TEST_REDIS_SLOWER` (times); `scripts/prove faults` is the long form, with a release build.
#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_in_trouble_requests_take_little_longer_than_without_a_cache() {
    let rounds = size("C360_TEST_REDIS_ROUNDS", 1);
    let database = Database::demo(Backend::Postgres).await;
    let customers = members(&database.connection, 20).await;
    let busy = Volume { readers: 16, writers: 1, mixed: 0, document: SCREEN, pause: Duration::ZERO };
    let plain = Gateway::start(&database.url, SETTINGS).await;
    let traffic = Traffic::start(&plain, &customers, busy);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let without = traffic.stop().await;
    drop(plain);
    let mut redis = RedisServer::start().await;
    let kept = Gateway::start(&database.url, &with(&redis)).await;
    let traffic = Traffic::start(&kept, &customers, busy);
    let mut back = Vec::new();
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match round % 3 {
            0 => {
                redis.kill();
                tokio::time::sleep(Duration::from_secs(2)).await;
                redis.start_again().await;
            }
            1 => {
                redis.pause();
                tokio::time::sleep(Duration::from_secs(2)).await;
                redis.resume();
            }
            _ => redis.reset().await,
        }
        // Full speed: most answers are ones that were kept.
        let returned = Instant::now();
        loop {
            let (good, served) = (traffic.tally.good.load(SeqCst), hits(&kept).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
            let (good, served) = (traffic.tally.good.load(SeqCst) - good, hits(&kept).await - served);
            if good > 0 && served * 2 > good as u64 {
                break;
            }
            assert!(returned.elapsed() < Duration::from_secs(15), "nothing is kept\n{}", kept.log());
        }
        back.push(returned.elapsed());
    }
    let tally = traffic.stop().await;
    drop(kept);
    let (good, others) = tally.outcome();
    tally.is_clean();
    assert!(good > 0 && others == 0, "{tally:?}");
    is_kept(&tally, &database.connection).await;
    let (p99, plain) = (tally.quantile(0.99), without.quantile(0.99));
    let longest = back.iter().max().unwrap();
    println!(
        "{rounds} faults: {good} answers, p99 {p99:?} (without a cache {plain:?}), slowest {:?}, full speed after {longest:?}",
        tally.slowest()
    );
    assert!(p99 <= plain * size("C360_TEST_REDIS_SLOWER", 10) as u32, "{p99:?}, and {plain:?} without a cache");
    assert!(*longest < Duration::from_secs(5), "full speed after {back:?}");
}
