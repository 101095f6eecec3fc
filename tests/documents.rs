//! Which documents run: by their text, by their name, by a manifest.

mod random;

use c360::config::{Config, Introspection};
use c360::digest::{self, to_hex};
use serde_json::{Value, json};

use crate::harness::{App, Backend, on_both};

const DOCUMENT: &str = "query($n: Int) { tickets(first: $n) { nodes { id } } }";

fn sha256(text: &str) -> String {
    to_hex(&digest::sha256(text.as_bytes()))
}

fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn send(app: &App, token: &str, body: Value) -> Value {
    let request = app.http.post(format!("{}/graphql", app.url)).bearer_auth(token);
    request.json(&body).send().await.unwrap().json().await.unwrap()
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

on_both! {
    async fn a_document_that_was_sent_once_is_known_by_its_hash(app: App::empty) {
        let token = app.agent().token;
        let hash = sha256(DOCUMENT);
        let by_hash = json!({ "extensions": persisted(&hash), "variables": { "n": 3 } });
        let answer = send(&app, &token, by_hash.clone()).await;
        assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND");
        // What clients of automatic persisted queries look for.
        assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotFound");
        let both = json!({ "query": DOCUMENT, "extensions": persisted(&hash) });
        assert_eq!(send(&app, &token, both).await["data"], json!({ "tickets": { "nodes": [] } }));
        assert_eq!(send(&app, &token, by_hash).await["data"], json!({ "tickets": { "nodes": [] } }));
        let extensions = persisted(&hash).to_string();
        let request = app.http.get(format!("{}/graphql", app.url)).query(&[("extensions", extensions.as_str())]);
        let answer: Value = request.bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["data"], json!({ "tickets": { "nodes": [] } }));
    }
}

on_both! {
    async fn a_hash_of_something_else_is_refused(app: App::empty) {
        let token = app.agent().token;
        for hash in [sha256("something else"), String::new(), "zz".repeat(32), "0".repeat(63)] {
            let answer = send(&app, &token, json!({ "query": DOCUMENT, "extensions": persisted(&hash) })).await;
            assert_eq!(code(&answer), "BAD_USER_INPUT", "{hash}");
        }
        let other = json!({ "persistedQuery": { "version": 2, "sha256Hash": sha256(DOCUMENT) } });
        assert_eq!(code(&send(&app, &token, json!({ "query": DOCUMENT, "extensions": other })).await), "BAD_USER_INPUT");
    }
}

on_both! {
    async fn however_a_valid_document_is_written_it_runs(app: App::demo) {
        for query in [
            "{ customer360(by: {customerNumber: \"C-000001\"}) { ...on#c\nCustomer { number } } }",
            "query($by: CustomerIdentifier ! = {customerNumber: \"C-000001\"}) { customer360(by: $by) { number } }",
            "query($ids: [ ID! ] ! = []) { nodes(ids: $ids) { id } customer360(by: {customerNumber: \"C-000001\"}) { number } }",
            "{ customer360(by: {customerNumber: \"\\u{43}-00000\\u0031\"}) { number } }",
            "{ customer360(by: {customerNumber: \"\"\"\n    C-000001\r\n  \"\"\"}) { number } }",
            "{ customer360(by: {customerNumber: \"C-000001\"}) { number } customers(query: \"\\uD83D\\uDE00a\") { nodes { id } } }",
            "{ customer360(by: {customerNumber: \"C-000001\"}) { number } loyaltyProgramme(code: \"\"\" \\\"\"\" \"\"\") { id } }",
            "\u{feff}{ customer360(by: {customerNumber: \"C-000001\"}) { number } }",
        ] {
            assert_eq!(app.agent().ask(query).await.data()["customer360"]["number"], "C-000001", "{query}");
        }
    }
}

on_both! {
    async fn what_fails_says_where_it_stands(app: App::demo) {
        let query = "{\r\n  # é\r  a: tickets(first: 1) { nodes { id } } b: tickets(first: 0) { nodes { id } }\n}";
        let answer = app.agent().ask(query).await;
        assert_eq!(answer.body["errors"][0]["locations"], json!([{ "line": 3, "column": 41 }]), "{}", answer.body);
        assert_eq!(answer.body["errors"][0]["path"], json!(["b"]));
    }
}

#[tokio::test]
async fn null_comes_nowhere_where_it_may_not() {
    let app = App::with(Backend::Sqlite, |_| {}).await;
    let ask = async |text: &str, variables: Value| app.agent().ask_with(text, variables).await;
    for wrong in [
        "{ __typename @include(if: null) }",
        "{ __typename @skip(if: null) }",
        "query($a: Boolean) { __typename @include(if: $a) }",
        "query($a: Boolean = null) { __typename @skip(if: $a) }",
        "query($a: Boolean) { ... @include(if: $a) { __typename } }",
        "query($a: Boolean = null) { ...f @skip(if: $a) } fragment f on Query { __typename }",
        "query($a: Boolean) { ...f } fragment f on Query { __typename @skip(if: $a) }",
        "query($a: [ID!]) { nodes(ids: $a) { id } }",
        "query($a: [ID!] = null) { nodes(ids: $a) { id } }",
        "query($a: ID) { nodes(ids: [$a]) { id } }",
        "query($a: ID!) { nodes(ids: [[$a]]) { id } }",
        "query($a: String) { order(by: {number: {number: $a}}) { id } }",
        "query($a: ID) { order(by: {id: $a}) { id } }",
    ] {
        let answer = ask(wrong, json!({ "a": null })).await;
        assert_eq!(
            answer.body["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED",
            "{wrong}: {}",
            answer.body
        );
        assert_eq!(answer.body.get("data"), None);
    }
    let with_default = "query($a: Boolean = true) { __typename @include(if: $a) }";
    for (variables, data) in [
        (json!({}), json!({ "__typename": "Query" })),
        (json!({ "a": true }), json!({ "__typename": "Query" })),
        (json!({ "a": false }), json!({})),
    ] {
        assert_eq!(ask(with_default, variables).await.data(), &data);
    }
    let answer = ask(with_default, json!({ "a": null })).await;
    assert_eq!((answer.code(), answer.body.get("data")), ("BAD_USER_INPUT", None));
}

on_both! {
    async fn a_document_that_may_not_run_is_not_remembered(app: App::empty) {
        let token = app.agent().token;
        let wrong = "{ nothing }";
        let answer = send(&app, &token, json!({ "query": wrong, "extensions": persisted(&sha256(wrong)) })).await;
        assert_eq!(code(&answer), "GRAPHQL_VALIDATION_FAILED");
        let answer = send(&app, &token, json!({ "extensions": persisted(&sha256(wrong)) })).await;
        assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND");
    }
}

/// A gateway that runs only what stands in a manifest, and the folder of the manifest.
async fn trusting(backend: Backend, manifest: Value) -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    std::fs::write(&path, manifest.to_string()).unwrap();
    (App::with(backend, move |config: &mut Config| config.documents.manifest = path).await, folder)
}

#[tokio::test]
async fn with_a_manifest_nothing_else_runs() {
    let apollo = json!({
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{ "id": "tickets-1", "name": "Tickets", "type": "query", "body": DOCUMENT }],
    });
    for manifest in [apollo, json!({ "tickets-1": DOCUMENT })] {
        let (app, _folder) = trusting(Backend::Sqlite, manifest).await;
        let token = app.agent().token;
        for known in [
            json!({ "documentId": "tickets-1" }),
            json!({ "documentId": format!("sha256:{}", sha256(DOCUMENT)) }),
            json!({ "extensions": persisted("tickets-1") }),
            json!({ "extensions": persisted(&sha256(DOCUMENT)) }),
            json!({ "query": DOCUMENT }),
        ] {
            let answer = send(&app, &token, known.clone()).await;
            assert_eq!(answer["data"], json!({ "tickets": { "nodes": [] } }), "{known}: {answer}");
        }
        assert_eq!(code(&send(&app, &token, json!({ "query": "{ __typename }" })).await), "FORBIDDEN");
        assert_eq!(code(&send(&app, &token, json!({ "query": format!("{DOCUMENT} ") })).await), "FORBIDDEN");
        let unknown = json!({ "documentId": "tickets-2" });
        assert_eq!(code(&send(&app, &token, unknown).await), "PERSISTED_QUERY_NOT_FOUND");
        let hash = persisted(&sha256("{ __typename }"));
        let answer = send(&app, &token, json!({ "query": "{ __typename }", "extensions": hash })).await;
        assert_eq!(code(&answer), "FORBIDDEN");
    }
}

#[tokio::test]
async fn a_manifest_that_cannot_run_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    for (text, says) in [("{", "neither"), ("{\"a\": \"{ nothing }\"}", "\"a\" cannot run"), ("[]", "neither")] {
        std::fs::write(&path, text).unwrap();
        let error = App::refusal(|config| config.documents.manifest.clone_from(&path)).await;
        assert!(error.contains("documents.manifest") && error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn who_may_look_at_the_schema_is_a_setting() {
    let look = "{ __schema { queryType { name } } }";
    for (setting, staff, partner) in
        [(Introspection::All, true, true), (Introspection::Staff, true, false), (Introspection::None, false, false)]
    {
        let app = App::with(Backend::Sqlite, |config| config.documents.introspection = setting).await;
        let customer = app.customer(uuid::Uuid::nil());
        for (caller, may) in [(app.agent(), staff), (customer, partner)] {
            let answer = caller.ask(look).await;
            assert_eq!(answer.body.get("data").is_some(), may, "{setting:?}: {}", answer.body);
            assert_eq!(caller.ask("{ __typename }").await.status, 200);
            if !may {
                assert_eq!(answer.code(), "FORBIDDEN");
            }
        }
    }
}
