//! GraphQL over HTTP, as its specification has it.

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::harness::{App, Backend, on_both};

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";
const SIMPLE: &str = "{ __typename }";

/// A response with all that a test may look at.
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }
}

async fn see(request: RequestBuilder) -> Seen {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Seen { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

fn with(app: &App, method: Method) -> RequestBuilder {
    app.http.request(method, format!("{}/graphql", app.url)).bearer_auth(app.agent().token)
}

fn post(app: &App, body: &Value) -> RequestBuilder {
    with(app, Method::POST).json(body)
}

fn get(app: &App, query: &[(&str, &str)]) -> RequestBuilder {
    with(app, Method::GET).query(query)
}

on_both! {
    async fn an_answer_comes_in_the_media_type_that_is_asked_for(app: App::empty) {
        for (accept, kind) in [(GRAPHQL, GRAPHQL), (JSON, JSON), ("*/*", JSON)] {
            let seen = see(post(&app, &json!({ "query": SIMPLE })).header("accept", accept)).await;
            assert_eq!((seen.status, seen.header("content-type")), (200, format!("{kind}; charset=utf-8").as_str()));
            assert_eq!(seen.header("cache-control"), "private, no-store");
            assert_eq!(seen.body["data"]["__typename"], "Query");
        }
        let seen = see(post(&app, &json!({ "query": SIMPLE })).header("accept", "text/html")).await;
        assert_eq!((seen.status, seen.code()), (406, "BAD_USER_INPUT"));
    }
}

on_both! {
    async fn what_did_not_run_has_no_data_and_the_status_of_its_media_type(app: App::empty) {
        for (document, code) in [
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("query($a: Int!) { tickets(first: $a) { nodes { id } } }", "BAD_USER_INPUT"),
            ("query a { __typename } query b { __typename }", "BAD_USER_INPUT"),
        ] {
            for (accept, status) in [(GRAPHQL, 400), (JSON, 200)] {
                let seen = see(post(&app, &json!({ "query": document })).header("accept", accept)).await;
                assert_eq!((seen.status, seen.code()), (status, code), "{document}");
                assert_eq!(seen.body.get("data"), None, "{document}");
            }
        }
    }
}

on_both! {
    async fn validation_says_where_and_all_at_once_but_not_without_end(app: App::empty) {
        let seen = see(post(&app, &json!({ "query": "{\n  nothing\n  nowhere\n}" }))).await;
        let places: Vec<_> = seen.body["errors"].as_array().unwrap().iter().map(|e| e["locations"][0].clone()).collect();
        assert_eq!(places, [json!({"line": 2, "column": 3}), json!({"line": 3, "column": 3})]);
        let many = (0..100).map(|n| format!(" nothing{n}")).collect::<String>();
        let seen = see(post(&app, &json!({ "query": format!("{{ tickets {{ nodes {{ {many} }} }} }}") }))).await;
        assert_eq!(seen.body["errors"].as_array().unwrap().len(), 10);
    }
}

on_both! {
    async fn queries_may_be_asked_by_get_and_mutations_may_not(app: App::empty) {
        let seen = see(get(&app, &[("query", SIMPLE)])).await;
        assert_eq!((seen.status, seen.body["data"]["__typename"].as_str()), (200, Some("Query")));
        assert_eq!(seen.header("cache-control"), "private, no-store");
        let document = "query a($id: ID!) { node(id: $id) { id } } query b { __typename }";
        let id = r#"{"id":"customer_01h455vb4pex5vsknk084sn02q"}"#;
        let seen = see(get(&app, &[("query", document), ("operationName", "a"), ("variables", id)])).await;
        assert_eq!((seen.status, &seen.body["data"]), (200, &json!({ "node": null })));
        let document = "query a { __typename } mutation b { __typename }";
        let seen = see(get(&app, &[("query", document), ("operationName", "b")])).await;
        // There is nothing to write yet: the schema has no mutations, so that the document is not valid.
        assert!(matches!((seen.status, seen.code()), (200, "GRAPHQL_VALIDATION_FAILED") | (405, _)), "{}", seen.body);
        assert_eq!(seen.body.get("data"), None);
    }
}

on_both! {
    async fn other_methods_and_paths_are_told_so_in_json(app: App::empty) {
        let seen = see(with(&app, Method::PUT).json(&json!({ "query": SIMPLE }))).await;
        assert_eq!((seen.status, seen.code()), (405, "BAD_USER_INPUT"));
        assert!(seen.header("allow").contains("POST"), "{}", seen.header("allow"));
        let seen = see(app.http.get(format!("{}/nowhere", app.url))).await;
        assert_eq!((seen.status, seen.code()), (404, "BAD_USER_INPUT"));
    }
}

on_both! {
    async fn only_json_in_utf_8_is_read(app: App::empty) {
        let body = json!({ "query": SIMPLE }).to_string();
        for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
            let seen = see(with(&app, Method::POST).header("content-type", kind).body(body.clone())).await;
            assert_eq!(seen.status, 200, "{kind}");
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/graphql", "application/json; charset=utf-16", "multipart/form-data"] {
            let seen = see(with(&app, Method::POST).header("content-type", kind).body(body.clone())).await;
            assert_eq!((seen.status, seen.code()), (415, "BAD_USER_INPUT"), "{kind}");
        }
        let seen = see(with(&app, Method::POST).body(body)).await;
        assert_eq!(seen.status, 415);
    }
}

on_both! {
    async fn a_header_that_says_one_thing_stands_once(app: App::empty) {
        let own = app.url.strip_prefix("http://").unwrap();
        let body = json!({ "query": SIMPLE }).to_string();
        for (name, values) in [
            ("content-type", [JSON, "text/plain"]),
            ("content-type", ["text/plain", JSON]),
            ("content-encoding", ["identity", "br"]),
            ("origin", [app.url.as_str(), "https://evil.example"]),
            ("host", [own, "evil.example"]),
        ] {
            let request = with(&app, Method::POST).body(body.clone());
            let mut request = values.iter().fold(request, |request, value| request.header(name, *value));
            if name != "content-type" {
                request = request.header("content-type", JSON);
            }
            let seen = see(request).await;
            assert_eq!((seen.status, seen.code()), (400, "BAD_USER_INPUT"), "{name}: {values:?}: {}", seen.body);
            assert!(seen.body["errors"][0]["message"].as_str().unwrap().contains(name), "{}", seen.body);
        }
    }
}

on_both! {
    async fn what_is_wrong_with_a_body_is_said_in_words_of_json(app: App::empty) {
        for body in ["null", "1", "\"{}\"", "{\"query\":1}", "{\"query\":\"{a}\",\"extensions\":[]}", "{\"extensions\":{\"persistedQuery\":1}}"] {
            let seen = see(with(&app, Method::POST).header("content-type", JSON).body(body)).await;
            let message = seen.body["errors"][0]["message"].as_str().unwrap();
            assert!(seen.status == 400 && !message.contains("struct") && !message.contains("Parameters"), "{message}");
        }
    }
}

on_both! {
    async fn packed_requests_are_unpacked_however_it_is_said(app: App::empty) {
        use std::io::Write as _;
        let body = json!({ "query": SIMPLE }).to_string().into_bytes();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&body).unwrap();
        let packed = packed.finish().unwrap();
        for (how, bytes, status) in [
            ("gzip", &packed, 200), ("GZIP", &packed, 200), ("x-gzip", &packed, 200), ("Identity", &body, 200),
            ("gzip", &body, 400), ("br", &packed, 415), ("gzip, gzip", &packed, 415),
        ] {
            let request = with(&app, Method::POST).header("content-type", JSON).header("content-encoding", how);
            let seen = see(request.body(bytes.clone())).await;
            assert_eq!(seen.status, status, "{how}: {}", seen.body);
            assert!(status == 200 || seen.code() == "BAD_USER_INPUT", "{how}: {}", seen.body);
        }
    }
}

on_both! {
    async fn large_answers_are_packed_for_those_who_can_unpack_them(app: App::empty) {
        let query = json!({ "query": "{ __schema { types { name } } }" });
        let seen = post(&app, &query).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(seen.headers()["content-encoding"], "gzip");
        assert_eq!(post(&app, &query).send().await.unwrap().headers().get("content-encoding"), None);
        let small = post(&app, &json!({ "query": SIMPLE })).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(small.headers().get("content-encoding"), None);
    }
}

on_both! {
    async fn every_answer_has_the_name_of_its_request(app: App::empty) {
        let named = see(post(&app, &json!({ "query": SIMPLE })).header("x-request-id", "67e55044-10b1-426f-9247-bb680e5fe0c8")).await;
        assert_eq!(named.header("x-request-id"), "67e55044-10b1-426f-9247-bb680e5fe0c8");
        for bad in ["", "a b", "call-17", "491512345678", &"a".repeat(65)] {
            let seen = see(post(&app, &json!({ "query": SIMPLE })).header("x-request-id", bad)).await;
            let id = seen.header("x-request-id");
            assert!(id.len() == 36 && id != bad, "{id}");
        }
        let first = see(app.http.get(format!("{}/nowhere", app.url))).await;
        let second = see(app.http.get(format!("{}/nowhere", app.url))).await;
        assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    }
}

async fn allowing(origin: &str) -> App {
    App::with(Backend::Sqlite, |config| config.cors.allowed_origins = vec![origin.into()]).await
}

#[tokio::test]
async fn pages_ask_only_from_origins_that_are_allowed() {
    let app = allowing("https://console.example").await;
    let ask = |origin: &str| post(&app, &json!({ "query": SIMPLE })).header("origin", origin);
    let seen = see(ask("https://console.example")).await;
    assert_eq!((seen.status, seen.header("access-control-allow-origin")), (200, "https://console.example"));
    assert!(seen.header("vary").to_lowercase().contains("origin"));
    assert!(seen.header("access-control-expose-headers").contains("retry-after"));
    for stranger in ["https://evil.example", "http://console.example", "null", "https://console.example.evil.example"] {
        let seen = see(ask(stranger)).await;
        assert_eq!((seen.status, seen.code()), (403, "FORBIDDEN"), "{stranger}");
        assert_eq!(seen.header("access-control-allow-origin"), "", "{stranger}");
        let seen = see(get(&app, &[("query", SIMPLE)]).header("origin", stranger)).await;
        assert_eq!(seen.status, 403, "{stranger}");
    }
    let own = see(ask(&app.url)).await;
    assert_eq!(own.status, 200);
}

#[tokio::test]
async fn browsers_are_told_beforehand_what_a_page_may_send() {
    let app = allowing("https://console.example").await;
    let before = |origin: &'static str| {
        let request = app.http.request(Method::OPTIONS, format!("{}/graphql", app.url)).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        request.header("access-control-request-headers", HeaderValue::from_static("authorization,content-type"))
    };
    let seen = see(before("https://console.example")).await;
    assert_eq!((seen.status, seen.header("access-control-allow-origin")), (200, "https://console.example"));
    assert!(seen.header("access-control-allow-headers").contains("authorization"));
    assert_eq!(see(before("https://evil.example")).await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn an_origin_that_is_none_stops_the_start() {
    for wrong in ["console.example", "https://console.example/", "ftp://console.example", "https://"] {
        let error = App::refusal(|config| config.cors.allowed_origins = vec![wrong.into()]).await;
        assert!(error.contains("cors.allowed_origins"), "{error}");
    }
}
