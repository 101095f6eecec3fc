//! The page at `/graphiql`, as far as it can be seen without a browser; `scripts/browser` opens it in one.

use axum::http::header;
use c360::config::Demo;
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::harness::{App, Backend, Database};

const FILES: [(&str, &str); 5] = [
    ("/graphiql", "text/html"),
    ("/graphiql/page.js", "text/javascript"),
    ("/graphiql/page.css", "text/css"),
    ("/graphiql/icon.svg", "image/svg+xml"),
    ("/graphiql/licences.txt", "text/plain"),
];

async fn app(demo: Option<Demo>) -> App {
    let database = Database::migrated(Backend::Sqlite).await;
    App::set_up(database, |config| {
        config.graphiql.enabled = true;
        config.graphiql.demo = demo;
    })
    .await
    .0
}

async fn get(app: &App, path: &str, headers: &[(header::HeaderName, &str)]) -> Response {
    let request = app.http.get(format!("{}{path}", app.url));
    headers.iter().fold(request, |request, (name, value)| request.header(name, *value)).send().await.unwrap()
}

fn value(response: &Response, name: header::HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn is_off_unless_it_is_set_on() {
    let app = App::empty(Backend::Sqlite).await;
    for (path, _) in FILES.into_iter().chain([("/graphiql/setup.json", "")]) {
        assert_eq!(get(&app, path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn is_small_and_may_reach_nothing_but_the_gateway() {
    let app = app(None).await;
    let mut total = 0;
    for (path, media) in FILES {
        let response = get(&app, path, &[(header::ACCEPT_ENCODING, "br, gzip;q=0.8")]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(value(&response, header::CONTENT_TYPE).starts_with(media), "{path}");
        assert_eq!(value(&response, header::CONTENT_ENCODING), "gzip", "{path}");
        assert_eq!(value(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        let policy = value(&response, header::CONTENT_SECURITY_POLICY).to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        for loophole in ["unsafe", "http:", "https:", "*", "blob:"] {
            assert!(!policy.contains(loophole), "{policy}");
        }
        let bytes = response.bytes().await.unwrap();
        assert_eq!(bytes[..2], [0x1f, 0x8b], "{path}");
        total += bytes.len();
    }
    assert!(total < 500_000, "{total} bytes");
}

#[tokio::test]
async fn is_sent_once_and_then_only_confirmed() {
    let app = app(None).await;
    let mut tags = std::collections::BTreeSet::new();
    for (path, _) in FILES {
        let first = get(&app, path, &[(header::ACCEPT_ENCODING, "gzip")]).await;
        let tag = value(&first, header::ETAG).to_owned();
        let known = format!("\"other\", W/{tag}");
        let again = get(&app, path, &[(header::ACCEPT_ENCODING, "gzip"), (header::IF_NONE_MATCH, &known)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(again.bytes().await.unwrap().len(), 0);
        let stale = get(&app, path, &[(header::ACCEPT_ENCODING, "gzip"), (header::IF_NONE_MATCH, "\"other\"")]).await;
        assert_eq!(stale.status(), StatusCode::OK, "{path}");
        tags.insert(tag);
    }
    assert_eq!(tags.len(), FILES.len());
}

#[tokio::test]
async fn says_that_it_is_compressed_to_who_cannot_read_that() {
    let app = app(None).await;
    for accepts in ["identity", "br", "gzip;q=0", "*;q=0"] {
        let response = get(&app, "/graphiql", &[(header::ACCEPT_ENCODING, accepts)]).await;
        assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE, "{accepts}");
        assert!(response.text().await.unwrap().contains("gzip"), "{accepts}");
    }
    for accepts in ["*", "GZIP", "deflate, gzip; q=0.1"] {
        let response = get(&app, "/graphiql", &[(header::ACCEPT_ENCODING, accepts)]).await;
        assert_eq!(response.status(), StatusCode::OK, "{accepts}");
    }
}

#[tokio::test]
async fn offers_every_document_of_the_callers() {
    let app = app(None).await;
    let setup: Value = get(&app, "/graphiql/setup.json", &[]).await.json().await.unwrap();
    assert_eq!(setup["callers"], serde_json::json!([]));
    let offered = setup["documents"].as_array().unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "graphql") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let one = offered.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} is not offered"));
        assert_eq!(one["document"], std::fs::read_to_string(&path).unwrap());
        files += 1;
    }
    assert_eq!(files, offered.len());
}

#[tokio::test]
async fn a_demo_gives_its_tokens_to_this_machine_only() {
    let demo = Demo { email: "somebody@example.com".into(), tokens: vec![("agent", "its-token".into())] };
    let app = app(Some(demo)).await;
    for (host, told) in [
        ("localhost:8360", true),
        ("127.0.0.1:1", true),
        ("127.0.0.1", true),
        ("[::1]", true),
        ("[::1]:8360", true),
        ("localhost.attacker.example", false),
        ("attacker.example:8360", false),
        ("", false),
    ] {
        let text = get(&app, "/graphiql/setup.json", &[(header::HOST, host)]).await.text().await.unwrap();
        assert_eq!(text.contains("its-token"), told, "{host}");
        assert_eq!(text.contains("somebody@example.com"), told, "{host}");
    }
}
