//! What nobody waits for any more does not go on in the database.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, TransactionTrait as _};
use serde_json::{Value, json};

use super::process::Gateway;
use crate::harness::{Backend, Database};

const QUERY: &str = "{ customer360(by: {customerNumber: \"C-000001\"}) { id } }";
const CREDIT: &str = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    transaction { id } userErrors { code } } }";

/// Statements and transactions of others that are under way.
const UNDER_WAY: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND pid <> pg_backend_pid() AND (wait_event_type = 'Lock' OR state LIKE 'idle in transaction (aborted)%')";

/// Two connections, statements that may run for long, and a deadline that comes soon.
const SETTINGS: &[(&str, &str)] = &[
    // Two of them for readers.
    ("C360_DATABASE_MAX_CONNECTIONS", "4"),
    ("C360_DATABASE_STATEMENT_TIMEOUT_MS", "20000"),
    ("C360_LIMITS_DEADLINE_MS", "800"),
];

async fn locked(database: &Database) -> DatabaseTransaction {
    let lock = database.connection.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await.unwrap();
    lock
}

/// Waits until so many are under way.
async fn under_way(database: &Database, number: i64, within: Duration) {
    let started = Instant::now();
    loop {
        let found = crate::log::number_of(&database.connection, UNDER_WAY).await;
        if found == number {
            return;
        }
        assert!(started.elapsed() < within, "{found} statements are under way, not {number}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Both connections serve, at the same time.
async fn both_serve(gateway: &Gateway, database: &Database) {
    let lock = locked(database).await;
    let asked: Vec<_> = (0..2).map(|_| tokio::spawn(gateway.asks(QUERY).send())).collect();
    under_way(database, 2, Duration::from_millis(700)).await;
    lock.rollback().await.unwrap();
    for answer in asked {
        let answer: Value = answer.await.unwrap().unwrap().json().await.unwrap();
        assert!(answer["data"]["customer360"]["id"].is_string(), "{answer}");
    }
}

/// Sent alone: a server that has just been asked for the first time prepares its statements.
async fn warm(gateway: &Gateway) {
    let asked = (0..4).map(|_| gateway.asks(QUERY).send());
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.unwrap().status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_ends_with_its_deadline() {
    let database = Database::demo(Backend::Postgres).await;
    let gateway = Gateway::start(&database.url, SETTINGS).await;
    warm(&gateway).await;
    let lock = locked(&database).await;
    let (asked, started) = (tokio::spawn(gateway.asks(QUERY).send()), Instant::now());
    under_way(&database, 1, Duration::from_millis(700)).await;
    let answer: Value = asked.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TIMEOUT", "{answer}");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    under_way(&database, 0, Duration::from_millis(1_500)).await;
    lock.rollback().await.unwrap();
    both_serve(&gateway, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_ends_with_its_deadline_and_leaves_nothing_behind() {
    let database = Database::demo(Backend::Postgres).await;
    let gateway = Gateway::start(&database.url, SETTINGS).await;
    warm(&gateway).await;
    let input =
        json!({ "customer": { "customerNumber": "C-000001" }, "points": 7, "reason": "late", "idempotencyKey": "k" });
    let credit = || {
        let body = json!({ "query": CREDIT, "variables": { "input": input } });
        gateway.http.post(format!("{}/graphql", gateway.url)).bearer_auth(gateway.agent()).json(&body).send()
    };
    let lock = locked(&database).await;
    let asked = tokio::spawn(credit());
    under_way(&database, 1, Duration::from_millis(700)).await;
    let answer: Value = asked.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TIMEOUT", "{answer}");
    under_way(&database, 0, Duration::from_millis(1_500)).await;
    lock.rollback().await.unwrap();
    let effects = "SELECT COUNT(*) FROM loyalty_transactions WHERE reason = 'late'";
    assert_eq!(crate::log::number_of(&database.connection, effects).await, 0);
    // The same key has its one effect when it is sent again.
    let answer: Value = credit().await.unwrap().json().await.unwrap();
    assert!(answer["data"]["loyaltyPointsCredit"]["transaction"]["id"].is_string(), "{answer}");
    assert_eq!(crate::log::number_of(&database.connection, effects).await, 1);
    both_serve(&gateway, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_who_left_had_asked_ends_soon_and_hurts_no_connection() {
    let database = Database::demo(Backend::Postgres).await;
    let gateway = Gateway::start(&database.url, SETTINGS).await;
    warm(&gateway).await;
    let lock = locked(&database).await;
    let asked = tokio::spawn(gateway.asks(QUERY).send());
    under_way(&database, 1, Duration::from_millis(700)).await;
    asked.abort();
    under_way(&database, 0, Duration::from_millis(1_500)).await;
    lock.rollback().await.unwrap();
    // At every moment of a read and of a write.
    let input = |n: u64| json!({ "customer": { "customerNumber": "C-000001" }, "points": 1, "reason": "gone", "idempotencyKey": format!("gone-{n}") });
    for n in 0..60 {
        let body = if n % 2 == 0 {
            json!({ "query": QUERY })
        } else {
            json!({ "query": CREDIT, "variables": { "input": input(n) } })
        };
        let request = gateway.http.post(format!("{}/graphql", gateway.url)).bearer_auth(gateway.agent()).json(&body);
        let _ = tokio::time::timeout(Duration::from_micros(200 * n), request.send()).await;
    }
    // What had begun is finished.
    gateway.shows("c360_requests_now{state=\"in_flight\"} 0\n").await;
    both_serve(&gateway, &database).await;
}
