//! How a gateway goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::Value;

use super::process::Gateway;
use crate::harness::{Backend, Database};
use crate::load::traffic::{SMALL, Traffic, Volume, is_kept, members};
use crate::proofs::size;

const QUERY: &str = "{ customer360(by: {customerNumber: \"C-000001\"}) { id } }";

#[tokio::test]
async fn no_request_is_cut_off_when_a_gateway_goes() {
    let database = Database::demo(Backend::Postgres).await;
    let settings = [("C360_SHUTDOWN_GRACE_MS", "1500"), ("C360_DATABASE_STATEMENT_TIMEOUT_MS", "20000")];
    let mut gateway = Gateway::start(&database.url, &settings).await;
    let answered = Arc::new(AtomicUsize::new(0));
    // Clients that keep their connections, as behind a load balancer: told to close, they look whether it is ready.
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (request, ready) = (gateway.asks(QUERY), format!("{}/readyz", gateway.url));
            let (http, answered) = (gateway.http.clone(), answered.clone());
            tokio::spawn(async move {
                loop {
                    let answer = request.try_clone().unwrap().send().await.expect("a request is cut off");
                    let says_close = answer.headers().get("connection").is_some_and(|value| value == "close");
                    let body: Value = answer.json().await.expect("an answer is cut off");
                    assert!(body["data"]["customer360"]["id"].is_string(), "{body}");
                    answered.fetch_add(1, Ordering::SeqCst);
                    if says_close {
                        assert_eq!(http.get(&ready).send().await.unwrap().status(), 503);
                        return;
                    }
                }
            })
        })
        .collect();
    while answered.load(Ordering::SeqCst) < 40 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gateway.signal("-TERM");
    for client in clients {
        client.await.unwrap();
    }
    // It is not ready, and still answers whoever has not heard of it; one of them waits for the database.
    assert_eq!(gateway.get("/readyz").await.1, "not ready: stopping\n");
    let lock = database.connection.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let slow = tokio::spawn(gateway.asks(QUERY).send());
    gateway.wait_for_line("no connection is taken").await;
    let address = gateway.url.strip_prefix("http://").unwrap().to_owned();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the port is still open");
    assert!(!slow.is_finished());
    lock.rollback().await.unwrap();
    let answer: Value = slow.await.unwrap().expect("the slow request is cut off").json().await.unwrap();
    assert!(answer["data"]["customer360"]["id"].is_string(), "{answer}");
    let (status, took) = gateway.ended().await;
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}\n{}", gateway.log());
    assert!(gateway.log().contains("everything was answered"));
}

/// `C360_TEST_STOPS`; `scripts/prove stopping` is the long form.
#[tokio::test(flavor = "multi_thread")]
async fn at_500_requests_a_second_no_request_is_cut_off_and_no_write_is_lost() {
    let database = Database::demo(Backend::Postgres).await;
    let customers = members(&database.connection, 20).await;
    let settings = [
        ("C360_SHUTDOWN_GRACE_MS", "1500"),
        ("C360_ADMISSION_AT_ONCE", "0"),
        ("C360_THROTTLE_STAFF_MAXIMUM", "0"),
        ("C360_LOG_FILTER", "warn,c360=info,c360::access=off"),
    ];
    for _ in 0..size("C360_TEST_STOPS", 1) {
        let mut gateway = Gateway::start(&database.url, &settings).await;
        let volume = Volume {
            readers: 36,
            writers: 4,
            mixed: 0,
            document: SMALL,
            pause: Duration::from_millis(40 * 1000 / 500),
        };
        let traffic = Traffic::start(&gateway, &customers, volume);
        traffic.goes_on(250).await;
        let from = traffic.tally.good.load(Ordering::SeqCst);
        let started = std::time::Instant::now();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let rate = (traffic.tally.good.load(Ordering::SeqCst) - from) as f64 / started.elapsed().as_secs_f64();
        gateway.signal("-TERM");
        let tally = traffic.left().await;
        let (status, took) = gateway.ended().await;
        assert!(status.success() && took < Duration::from_secs(30), "{status} after {took:?}\n{}", gateway.log());
        assert!(gateway.log().contains("everything was answered"), "{}", gateway.log());
        tally.is_clean();
        let lost = [&tally.cut, &tally.not_connected, &tally.failed].map(|counter| counter.load(Ordering::SeqCst));
        assert_eq!(lost, [0; 3], "{tally:?}");
        assert!(tally.writes() > 0);
        is_kept(&tally, &database.connection).await;
        println!("{rate:.0} requests a second, {} writes, gone after {took:?}", tally.writes());
    }
}

#[tokio::test]
async fn what_takes_too_long_does_not_keep_it() {
    let database = Database::demo(Backend::Postgres).await;
    let settings = [("C360_SHUTDOWN_DRAIN_MS", "500"), ("C360_DATABASE_STATEMENT_TIMEOUT_MS", "20000")];
    let mut gateway = Gateway::start(&database.url, &settings).await;
    let lock = database.connection.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let slow = tokio::spawn(gateway.asks(QUERY).send());
    while !gateway.figures().await.contains("c360_statements_in_flight 1\n") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    gateway.signal("-TERM");
    let (status, took) = gateway.ended().await;
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    assert!(gateway.log().contains("some took too long"), "{}", gateway.log());
    assert!(slow.await.unwrap().is_err());
    lock.rollback().await.unwrap();
}

#[tokio::test]
async fn asked_a_second_time_it_goes_at_once() {
    let database = Database::migrated(Backend::Sqlite).await;
    let mut gateway = Gateway::start(&database.url, &[("C360_SHUTDOWN_GRACE_MS", "30000")]).await;
    gateway.signal("-INT");
    gateway.wait_for_line("not ready any more").await;
    gateway.signal("-TERM");
    let (status, took) = gateway.ended().await;
    assert!(!status.success() && took < Duration::from_secs(3), "{status} after {took:?}");
}
