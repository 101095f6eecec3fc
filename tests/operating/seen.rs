//! What operators see of a request: in the figures, in the log, in a trace.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use serde_json::{Value, json};

use super::process::Gateway;
use crate::harness::{Backend, Database};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A collector that keeps what it gets.
async fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    let take = move |bytes: Bytes| async move {
        keep.lock().unwrap().extend_from_slice(&bytes);
        Bytes::new()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
    (url, kept)
}

fn hold(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

async fn a_request_is_seen(backend: Backend, system: &str) {
    let database = Database::demo(backend).await;
    let (endpoint, sent) = collector().await;
    let mut gateway = Gateway::start(&database.url, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    let query = "query Screen { customer360(by: {customerNumber: \"C-000001\"}) { id } }";
    let request = gateway.asks(query).header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.json::<Value>().await.unwrap()["errors"], Value::Null);

    let line = gateway.wait_for_line("c360::access").await;
    for (field, value) in [
        ("operation", json!("Screen")),
        ("kind", json!("query")),
        ("status", json!(200)),
        ("outcome", json!("ok")),
        ("route", json!("/graphql")),
        ("method", json!("POST")),
        ("caller", json!("staff")),
        ("subject", json!("agent-7")),
    ] {
        assert_eq!(line[field], value, "{line:#}");
    }
    assert_eq!(line["span"]["request_id"], id.as_str(), "{line:#}");
    assert_eq!(line["span"]["trace_id"], TRACE, "{line:#}");
    assert!(line["ms"].as_f64().unwrap() > 0.0);

    let refused = gateway.asks("{ customer360(").send().await.unwrap();
    assert_eq!(refused.json::<Value>().await.unwrap()["errors"][0]["extensions"]["code"], "GRAPHQL_PARSE_FAILED");
    let figures = gateway.figures().await;
    for line in [
        "c360_requests_total{type=\"query\",status=\"200\",outcome=\"ok\"} 1\n",
        "c360_requests_total{type=\"none\",status=\"200\",outcome=\"refused\"} 1\n",
        "c360_request_duration_seconds_count{operation=\"Screen\",type=\"query\"} 1\n",
        "c360_errors_total{code=\"GRAPHQL_PARSE_FAILED\"} 1\n",
        "c360_guard_refusals_total{reason=\"PARSE_FAILED\"} 1\n",
        "c360_statement_duration_seconds_count 1\n",
        "c360_connections ",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
        "process_open_fds ",
        "c360_build_info{version=",
    ] {
        assert!(figures.contains(line), "{line} is not in\n{figures}");
    }
    assert!(figures.ends_with("# EOF\n"));
    assert_eq!(gateway.get("/metrics").await.0, 404, "clients can read the figures");

    gateway.signal("-TERM");
    assert!(gateway.ended().await.0.success(), "{}", gateway.log());
    let sent = sent.lock().unwrap().clone();
    for part in ["POST /graphql", "statement", system, "c360", "graphql.operation.name", "Screen"] {
        assert!(hold(&sent, part.as_bytes()), "no {part} among {} bytes", sent.len());
    }
    assert!(hold(&sent, &from_hex(TRACE)) && hold(&sent, &from_hex(CALLER)), "not in the caller's trace");
    assert!(!hold(&sent, b"C-000001"));
}

#[tokio::test]
async fn a_request_is_seen_sqlite() {
    a_request_is_seen(Backend::Sqlite, "sqlite").await;
}

#[tokio::test]
async fn a_request_is_seen_postgres() {
    a_request_is_seen(Backend::Postgres, "postgresql").await;
}

#[tokio::test]
async fn a_collector_that_is_gone_hurts_nobody() {
    let database = Database::demo(Backend::Sqlite).await;
    let mut gateway = Gateway::start(&database.url, &[("C360_TRACING_OTLP_ENDPOINT", "http://127.0.0.1:1")]).await;
    let answer = gateway.asks("{ customer360(by: {customerNumber: \"C-000001\"}) { id } }").send().await.unwrap();
    assert!(answer.json::<Value>().await.unwrap()["data"]["customer360"]["id"].is_string());
    let line = gateway.wait_for_line("c360::access").await;
    assert_eq!(line["span"]["trace_id"].as_str().map(str::len), Some(32), "{line:#}");
    gateway.signal("-TERM");
    let (status, took) = gateway.ended().await;
    assert!(status.success() && took.as_secs() < 10, "{status} after {took:?}");
}
