//! Whether a gateway says that it can answer, and only then.

use std::process::Command;
use std::time::Duration;

use super::process::Gateway;
use super::proxy::Proxy;
use crate::harness::{Backend, Database};

#[tokio::test]
async fn without_the_database_it_lives_but_is_not_ready_and_says_so_in_time() {
    let database = Database::migrated(Backend::Postgres).await;
    let proxy = Proxy::before(&database.url).await;
    let gateway = Gateway::start(&proxy.url, &[]).await;
    assert_eq!(gateway.get("/readyz").await.0, 200);

    proxy.cut();
    tokio::time::sleep(Duration::from_millis(900)).await;
    let (status, text, took) = gateway.get("/readyz").await;
    assert_eq!((status, text.as_str()), (503, "not ready: the database does not answer\n"));
    assert!(took < Duration::from_millis(1_900), "{took:?}");
    let (status, _, took) = gateway.get("/livez").await;
    assert!(status == 200 && took < Duration::from_millis(500), "{status} after {took:?}");

    proxy.mend();
    let started = std::time::Instant::now();
    while gateway.get("/readyz").await.0 != 200 {
        assert!(started.elapsed() < Duration::from_secs(15), "never ready again:\n{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn asking_whether_it_is_ready_does_not_load_the_database() {
    let database = Database::migrated(Backend::Postgres).await;
    let proxy = Proxy::before(&database.url).await;
    let gateway = Gateway::start(&proxy.url, &[]).await;
    assert_eq!(gateway.get("/readyz").await.0, 200);
    let (before, started) = (proxy.sent(), std::time::Instant::now());
    for _ in 0..20 {
        let asked = (0..20).map(|_| gateway.get("/readyz"));
        assert!(futures_util::future::join_all(asked).await.iter().all(|(status, ..)| *status == 200));
    }
    let checks = started.elapsed().as_millis() as usize / 800 + 1;
    let sent = proxy.sent() - before;
    assert!(sent <= 20 * checks, "{sent} messages for {checks} checks");
}

#[tokio::test]
async fn a_gateway_whose_connections_are_all_busy_stays_ready() {
    use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
    let database = Database::demo(Backend::Postgres).await;
    let settings = [("C360_DATABASE_MAX_CONNECTIONS", "1"), ("C360_DATABASE_ACQUIRE_TIMEOUT_MS", "300")];
    let gateway = Gateway::start(&database.url, &settings).await;
    let lock = database.connection.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let ask = || gateway.asks("{ customer360(by: {customerNumber: \"C-000001\"}) { id } }").send();
    let waiting = tokio::spawn(ask());
    while !gateway.figures().await.contains("c360_statements_in_flight 1\n") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let late: serde_json::Value = ask().await.unwrap().json().await.unwrap();
    assert_eq!(late["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{late}");
    assert_eq!(gateway.get("/readyz").await.0, 200);
    lock.rollback().await.unwrap();
    let answer: serde_json::Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert!(answer["data"]["customer360"]["id"].is_string(), "{answer}");
    let figures = gateway.figures().await;
    for line in [
        "c360_pool_timeouts_total 1\n",
        "c360_statement_failures_total{reason=\"pool\"} 1\n",
        "c360_errors_total{code=\"UNAVAILABLE\"} 1\n",
        "c360_pool_connections{state=\"max\"} 1\n",
    ] {
        assert!(figures.contains(line), "{line} is not in\n{figures}");
    }
    // The first may have had to wait, too: for the look at what is revoked.
    assert!(!figures.contains("c360_pool_waits_total 0\n"), "{figures}");
}

#[tokio::test]
async fn a_container_can_ask_with_the_program_itself() {
    let database = Database::migrated(Backend::Sqlite).await;
    let mut gateway = Gateway::start(&database.url, &[]).await;
    let address = gateway.url.strip_prefix("http://").unwrap().to_owned();
    let ask = |arguments: &[&str]| {
        let mut health = Command::new(env!("CARGO_BIN_EXE_c360"));
        health.arg("health").args(arguments).env_clear().env("C360_LISTEN", &address).output().unwrap()
    };
    assert_eq!(String::from_utf8_lossy(&ask(&[]).stdout), "ready\n");
    assert_eq!(String::from_utf8_lossy(&ask(&["--live"]).stdout), "live\n");
    let everywhere = format!("0.0.0.0:{}", address.rsplit_once(':').unwrap().1);
    assert!(ask(&["--address", &everywhere]).status.success());
    gateway.signal("-TERM");
    gateway.ended().await;
    let gone = ask(&[]);
    assert!(!gone.status.success() && String::from_utf8_lossy(&gone.stderr).contains("nobody answers"));
}
