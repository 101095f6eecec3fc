//! `GET /graphiql`: a page to explore the API with. All that it needs comes from here, compressed as it was built from
//! `web/graphiql/`, and its policy lets it reach nothing else.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Gateway;
use crate::config::Graphiql;
use crate::digest::to_hex;
use crate::examples::EXAMPLES;

/// Scripts and styles from the gateway's own files only, requests to the gateway only, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page, compressed with gzip.
#[derive(Clone, Copy, Debug)]
struct File {
    media: &'static str,
    bytes: &'static [u8],
}

const INDEX: File = File { media: "text/html; charset=utf-8", bytes: include_bytes!("graphiql/index.html.gz") };
const SCRIPT: File = File { media: "text/javascript; charset=utf-8", bytes: include_bytes!("graphiql/page.js.gz") };
const STYLE: File = File { media: "text/css; charset=utf-8", bytes: include_bytes!("graphiql/page.css.gz") };
const ICON: File = File { media: "image/svg+xml", bytes: include_bytes!("graphiql/icon.svg.gz") };
const LICENCES: File = File { media: "text/plain; charset=utf-8", bytes: include_bytes!("graphiql/licences.txt.gz") };

/// The page's routes; none where it is off.
pub(super) fn routes(settings: &Graphiql) -> Router<Gateway> {
    if !settings.enabled {
        return Router::new();
    }
    let file = |file: File| get(async move |headers: HeaderMap| file.answer(&headers));
    Router::new()
        .route("/graphiql", file(INDEX))
        .route("/graphiql/page.js", file(SCRIPT))
        .route("/graphiql/page.css", file(STYLE))
        .route("/graphiql/icon.svg", file(ICON))
        .route("/graphiql/licences.txt", file(LICENCES))
        .route("/graphiql/setup.json", get(setup))
}

impl File {
    /// The file, or that the browser's copy still holds. It is asked each time, so that no old script meets a new page.
    fn answer(self, headers: &HeaderMap) -> Response {
        let tag = self.tag();
        let mut response = if has(headers, header::IF_NONE_MATCH, |known| known == tag || known == "*") {
            StatusCode::NOT_MODIFIED.into_response()
        } else if has(headers, header::ACCEPT_ENCODING, takes_gzip) {
            ([(header::CONTENT_TYPE, self.media), (header::CONTENT_ENCODING, "gzip")], self.bytes).into_response()
        } else {
            (StatusCode::NOT_ACCEPTABLE, "this page is sent compressed: accept the encoding gzip\n").into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    /// The checksum and the length with which gzip ends.
    fn tag(self) -> String {
        let end = self.bytes.len().saturating_sub(8);
        format!("\"{}\"", to_hex(&self.bytes[end..]))
    }
}

/// Whether an entry of a header's comma-separated list is as asked.
fn has(headers: &HeaderMap, name: header::HeaderName, is: impl Fn(&str) -> bool) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|entry| is(entry.trim().trim_start_matches("W/"))))
}

/// `gzip`, or any encoding, with a weight that is not nought.
fn takes_gzip(entry: &str) -> bool {
    let (coding, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
    let weight = weight.trim().trim_start_matches("q=").parse().unwrap_or(0.0_f32);
    matches!(coding.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip" | "*") && weight > 0.0
}

/// Whether the browser knows this gateway by a name of its own machine. A stranger's page that has its own name point
/// here would otherwise be told the demo's tokens.
fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// What the page offers: the callers' documents and, in a demo, its callers with their tokens.
async fn setup(State(gateway): State<Gateway>, headers: HeaderMap) -> Response {
    let demo = gateway.state.config.graphiql.demo.as_ref().filter(|_| is_local(&headers));
    let email = demo.map_or("name@example.com", |demo| demo.email.as_str());
    let documents = EXAMPLES.map(|example| {
        let variables = example.variables(email);
        json!({ "name": example.name, "title": example.title, "document": example.document, "variables": variables })
    });
    let callers: Vec<Value> = demo
        .map(|demo| demo.tokens.iter().map(|(name, token)| json!({ "name": name, "token": token })).collect())
        .unwrap_or_default();
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, Json(json!({ "documents": documents, "callers": callers }))).into_response()
}
