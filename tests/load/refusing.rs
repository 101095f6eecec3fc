//! How a gateway refuses whoever it has no place for.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, TransactionTrait as _};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;

use crate::harness::{Backend, Database};
use crate::operating::process::Gateway;

const QUERY: &str = "{ customer360(by: {customerNumber: \"C-000001\"}) { id } }";

/// Mutations that have begun, and what they wait for, in all places that the gateway has.
async fn take_the_places(
    database: &Database,
    gateway: &Gateway,
    places: usize,
) -> (DatabaseTransaction, Vec<JoinHandle<reqwest::Result<reqwest::Response>>>) {
    let lock = database.connection.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let credit = || {
        let key = c360::clock::random_id();
        format!(
            "mutation {{ loyaltyPointsCredit(input: {{customer: {{customerNumber: \"C-000001\"}}, points: 1, \
             reason: \"begun\", idempotencyKey: \"{key}\"}}) {{ transaction {{ id }} userErrors {{ code }} }} }}"
        )
    };
    let begun = (0..places).map(|_| tokio::spawn(gateway.asks(&credit()).send())).collect();
    gateway.shows(&format!("c360_requests_now{{state=\"in_flight\"}} {places}\n")).await;
    (lock, begun)
}

async fn are_finished(begun: Vec<JoinHandle<reqwest::Result<reqwest::Response>>>) {
    for credit in begun {
        let body: Value = credit.await.unwrap().unwrap().json().await.unwrap();
        assert!(body["data"]["loyaltyPointsCredit"]["transaction"]["id"].is_string(), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_place_is_told_when_to_come_back_and_what_has_begun_is_finished() {
    let database = Database::demo(Backend::Postgres).await;
    let settings = [
        ("C360_ADMISSION_AT_ONCE", "1"),
        ("C360_ADMISSION_WAITING", "1"),
        ("C360_ADMISSION_AT_THE_DOOR", "0"),
        ("C360_ADMISSION_WAIT_MS", "1500"),
        ("C360_DATABASE_STATEMENT_TIMEOUT_MS", "9000"),
        ("C360_CORS_ALLOWED_ORIGINS", "https://app.example"),
    ];
    let gateway = Gateway::start(&database.url, &settings).await;
    let (lock, begun) = take_the_places(&database, &gateway, 1).await;
    let waits = tokio::spawn(gateway.asks(QUERY).header("accept", "application/graphql-response+json").send());
    gateway.shows("c360_requests_now{state=\"waiting\"} 1\n").await;
    let refused = gateway.asks(QUERY).send().await.unwrap();
    let of_page = gateway.asks(QUERY).header("origin", "https://app.example").send().await.unwrap();
    assert_eq!(of_page.headers()["access-control-allow-origin"], "https://app.example");
    gateway.shows("c360_shed_total{reason=\"full\"} 2\n").await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(gateway.get(path).await.0, 200, "{path}");
    }
    let waited = waits.await.unwrap().unwrap();
    gateway.shows("c360_shed_total{reason=\"waited\"} 1\n").await;
    assert_eq!(waited.headers()["content-type"], "application/graphql-response+json; charset=utf-8");
    for answer in [refused, of_page, waited] {
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"1".parse().unwrap()));
        assert!(answer.headers().contains_key("x-request-id"));
        let body: Value = answer.json().await.unwrap();
        let extensions = json!({ "code": "UNAVAILABLE", "reason": "OVERLOADED" });
        assert_eq!((body.get("data"), &body["errors"][0]["extensions"]), (None, &extensions), "{body}");
    }
    let figures = gateway.figures().await;
    assert!(figures.contains("c360_errors_total{code=\"UNAVAILABLE\"} 3\n"), "{figures}");
    assert!(!gateway.log().contains("OVERLOADED"));
    lock.rollback().await.unwrap();
    are_finished(begun).await;
    assert_eq!(gateway.asks(QUERY).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_at_the_door_is_served_when_there_is_room_and_refused_when_there_is_none_in_time() {
    let database = Database::demo(Backend::Postgres).await;
    let settings = [
        ("C360_ADMISSION_AT_ONCE", "2"),
        ("C360_ADMISSION_WAITING", "2"),
        ("C360_ADMISSION_WAIT_MS", "1500"),
        ("C360_DATABASE_STATEMENT_TIMEOUT_MS", "9000"),
    ];
    let gateway = Gateway::start(&database.url, &settings).await;
    let (lock, begun) = take_the_places(&database, &gateway, 2).await;
    let crowd = async || {
        let since = Instant::now();
        let asked: Vec<_> = (0..50).map(|_| tokio::spawn(gateway.asks(QUERY).send())).collect();
        loop {
            let figures = gateway.figures().await;
            let of = |state| {
                let name = format!("c360_requests_now{{state=\"{state}\"}} ");
                let line = figures.lines().find_map(|line| line.strip_prefix(&name)).unwrap();
                line.parse::<usize>().unwrap()
            };
            if of("waiting") + of("at_the_door") == 50 {
                assert!(of("at_the_door") > 0, "{figures}");
                return asked;
            }
            assert!(since.elapsed() < Duration::from_secs(10), "{figures}");
        }
    };
    for answer in crowd().await {
        assert_eq!(answer.await.unwrap().unwrap().status(), 503);
    }
    let asked = crowd().await;
    lock.rollback().await.unwrap();
    for answer in asked {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    are_finished(begun).await;
    gateway.shows("c360_requests_now{state=\"at_the_door\"} 0\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_an_answer_that_somebody_else_makes_is_refused_with_it() {
    let database = Database::demo(Backend::Postgres).await;
    let settings = [
        ("C360_CACHE_ENABLED", "true"),
        ("C360_ADMISSION_AT_ONCE", "1"),
        ("C360_ADMISSION_WAIT_MS", "1500"),
        ("C360_DATABASE_STATEMENT_TIMEOUT_MS", "9000"),
    ];
    let gateway = Gateway::start(&database.url, &settings).await;
    let (lock, begun) = take_the_places(&database, &gateway, 1).await;
    let started = Instant::now();
    let refused = futures_util::future::join_all((0..20).map(|_| gateway.asks(QUERY).send())).await;
    assert!(started.elapsed() < Duration::from_millis(2_900), "they waited twice: {:?}", started.elapsed());
    assert!(refused.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 503)), "{refused:?}");
    gateway.shows("c360_shed_total{reason=\"waited\"} 20\n").await;
    lock.rollback().await.unwrap();
    are_finished(begun).await;
    assert_eq!(gateway.asks(QUERY).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn whoever_sends_a_request_slowly_or_without_a_token_takes_no_place() {
    let database = Database::demo(Backend::Sqlite).await;
    let settings =
        [("C360_ADMISSION_AT_ONCE", "1"), ("C360_ADMISSION_WAITING", "0"), ("C360_ADMISSION_AT_THE_DOOR", "0")];
    let gateway = Gateway::start(&database.url, &settings).await;
    let mut slow = tokio::net::TcpStream::connect(gateway.url.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 99\r\n\r\n{{",
        gateway.agent()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    gateway.shows("c360_tokens_total{result=\"verified\"} 1\n").await;
    assert_eq!(gateway.asks(QUERY).send().await.unwrap().status(), 200);
    assert!(gateway.figures().await.contains("c360_requests_now{state=\"in_flight\"} 0\n"));
}
