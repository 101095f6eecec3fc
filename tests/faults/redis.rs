//! Whatever becomes of Redis, nobody who asks notices.

use std::time::Duration;

use crate::harness::servers::RedisServer;
use crate::harness::{Backend, Database};
use crate::load::traffic::{SMALL, Traffic, Volume, is_kept, members};
use crate::operating::process::Gateway;

const VOLUME: Volume = Volume { readers: 4, writers: 2, document: SMALL, pause: Duration::from_millis(10) };

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_be_killed_paused_or_reset_and_every_request_is_answered() {
    let database = Database::demo(Backend::Postgres).await;
    let mut redis = RedisServer::start().await;
    let settings = [
        ("REDIS_URL", redis.url.as_str()),
        ("C360_CACHE_ENABLED", "true"),
        ("C360_THROTTLE_STAFF_MAXIMUM", "1000000"),
        ("C360_THROTTLE_STAFF_RESTORE_RATE", "1000000"),
        ("C360_LOG_FILTER", "warn,c360=info,c360::access=off"),
    ];
    let gateway = Gateway::start(&database.url, &settings).await;
    let traffic = Traffic::start(&gateway, &members(&database.connection).await, VOLUME);
    traffic.goes_on(30).await;
    for _ in 0..crate::proofs::size("C360_TEST_REDIS_FAULTS", 2) {
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
