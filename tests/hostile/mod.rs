//! Requests that mean harm, or look as if they did.

pub mod requests;

use std::io::Write as _;
use std::time::{Duration, Instant};

use c360::auth::issue::Subject;
use c360_rules::access::Role;
use serde_json::{Value, json};

use crate::harness::{Backend, Database, on_both};
use crate::operating::process::Gateway;
use requests::{Hostile, Sent};

/// How soon each has to be refused, by a release build and by the tests' own, which is a tenth as fast.
const SOON: Duration = Duration::from_millis(50);
const SOON_IN_TESTS: Duration = Duration::from_millis(1_500);

/// How much more memory a gateway may have taken after all of them, in bytes.
const MEMORY: u64 = 50 << 20;

/// How a request was refused.
struct Refusal {
    status: u16,
    body: Value,
    took: Duration,
}

async fn refusal(request: reqwest::RequestBuilder) -> Refusal {
    let started = Instant::now();
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let took = started.elapsed();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {status} {text}"));
    Refusal { status, body, took }
}

/// Asks a gateway, for somebody.
struct Asking<'a> {
    http: &'a reqwest::Client,
    /// Of `/graphql`.
    url: String,
    token: String,
}

impl Asking<'_> {
    fn post(&self) -> reqwest::RequestBuilder {
        self.http.post(&self.url).bearer_auth(&self.token)
    }

    fn get(&self, query: &impl serde::Serialize) -> reqwest::RequestBuilder {
        self.http.get(&self.url).query(query).bearer_auth(&self.token)
    }

    /// The request by each transport that can carry it.
    fn ways(&self, hostile: &Hostile) -> Vec<reqwest::RequestBuilder> {
        match &hostile.sent {
            Sent::Document(text, variables) => {
                let body = format!("{{\"query\":{},\"variables\":{variables}}}", json!(text));
                let chunked =
                    body.as_bytes().chunks(1_000).map(<[u8]>::to_vec).map(Ok::<_, std::io::Error>).collect::<Vec<_>>();
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(body.as_bytes()).unwrap();
                let json = || self.post().header("content-type", "application/json");
                let mut ways = vec![
                    json().body(body),
                    json().body(reqwest::Body::wrap_stream(futures_util::stream::iter(chunked))),
                    json().header("content-encoding", "gzip").body(packed.finish().unwrap()),
                ];
                if text.len() + variables.len() < 10_000 {
                    ways.push(self.get(&[("query", text), ("variables", variables)]));
                }
                ways
            }
            Sent::Body(kind, headers, bytes) => {
                let request = self.post().header("content-type", *kind).body(bytes.clone());
                vec![headers.iter().fold(request, |request, (name, value)| request.header(*name, value))]
            }
            Sent::Address(query) => vec![self.http.get(format!("{}?{query}", self.url)).bearer_auth(&self.token)],
        }
    }

    /// Sends a hostile request by each transport; how long each took to be refused.
    async fn is_refused(&self, hostile: &Hostile, soon: Duration) -> Vec<Duration> {
        let mut times = Vec::new();
        for (way, request) in self.ways(hostile).into_iter().enumerate() {
            let Refusal { status, body, took } = refusal(request).await;
            let what = format!("{} ({way}): {status} {body}", hostile.name);
            assert!(status < 500 && status != 429, "{what}");
            assert!(body["errors"][0]["extensions"]["code"].is_string(), "{what}");
            assert!(body["errors"].as_array().unwrap().len() <= 100, "{what}");
            assert!(body.get("data").is_none() || body["data"].is_null(), "{what}");
            assert_ne!(body["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{what}");
            assert!(took < soon, "{what}: {took:?}");
            times.push(took);
        }
        let body = json!({ "query": "{ __typename }" });
        assert_eq!(self.post().json(&body).send().await.unwrap().status(), 200, "after {}", hostile.name);
        times
    }
}

/// Each comes from somebody else: whoever sent them all would be throttled.
fn stranger(n: usize) -> Subject {
    Subject::Staff { subject: format!("stranger-{n}"), role: Role::Agent }
}

on_both! {
    async fn each_hostile_request_is_refused_soon_and_the_gateway_lives_on(app: App::demo) {
        let url = format!("{}/graphql", app.url);
        let mut count = 0;
        for (n, hostile) in requests::all().iter().enumerate() {
            let asking = Asking { http: &app.http, url: url.clone(), token: app.actor(&stranger(n)).token };
            count += asking.is_refused(hostile, SOON_IN_TESTS).await.len();
        }
        assert!(count > 200, "only {count}");
    }
}

/// `scripts/hostile` runs this against a release build.
#[tokio::test]
#[ignore = "is about a release build: scripts/hostile"]
async fn a_release_refuses_each_within_50_ms_and_takes_less_than_50_mb_for_all() {
    let database = Database::demo(Backend::Sqlite).await;
    let gateway = Gateway::start(&database.url, &[]).await;
    let url = format!("{}/graphql", gateway.url);
    // What is needed once, for the first document of all.
    let warm = gateway.asks("{ customer360(by: {customerNumber: \"C-000001\"}) { id } }").send().await.unwrap();
    assert_eq!(warm.status(), 200);
    let before = gateway.memory();
    let (mut slowest, mut count) = ((Duration::ZERO, ""), 0);
    for (n, hostile) in requests::all().iter().enumerate() {
        let asking = Asking { http: &gateway.http, url: url.clone(), token: gateway.token(&stranger(n)) };
        for took in asking.is_refused(hostile, SOON).await {
            slowest = slowest.max((took, hostile.name));
            count += 1;
        }
    }
    let more = gateway.memory().saturating_sub(before);
    println!("{count} requests refused; the slowest in {:.1} ms: {}", slowest.0.as_secs_f64() * 1e3, slowest.1);
    println!("memory: at most {:.1} MB more than before", more as f64 / f64::from(1 << 20));
    assert!(more < MEMORY, "{more} bytes");
}

on_both! {
    async fn a_packed_body_counts_as_what_it_unpacks_to(app: App::empty) {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..1_000 {
            packed.write_all(&[b' '; 100_000]).unwrap();
        }
        let request = app.http.post(format!("{}/graphql", app.url)).bearer_auth(app.agent().token);
        let request = request.header("content-type", "application/json").header("content-encoding", "gzip");
        let refusal = refusal(request.body(packed.finish().unwrap())).await;
        assert_eq!((refusal.status, &refusal.body["errors"][0]["extensions"]["code"]), (413, &json!("QUERY_TOO_COMPLEX")));
        assert!(refusal.took < SOON_IN_TESTS, "{:?}", refusal.took);
    }
}

on_both! {
    async fn what_breaks_a_limit_is_told_which(app: App::empty) {
        for (name, reason) in [
            ("lists within lists", "TOO_DEEP"),
            ("fragments that double", "TOO_MANY_SELECTIONS"),
            ("a long chain of fragments", "TOO_DEEP"),
            ("thousands of aliases", "TOO_MANY_TOKENS"),
            ("a hundred aliases more than allowed", "TOO_MANY_ALIASES"),
            ("many roots", "TOO_MANY_ROOTS"),
            ("many roots by fragments", "TOO_MANY_ROOTS"),
            ("hundreds of directives", "TOO_MANY_DIRECTIVES"),
            ("hundreds of variables", "TOO_MANY_VARIABLES"),
            ("pages that multiply", "TOO_EXPENSIVE"),
            ("pages that multiply beside a null", "TOO_EXPENSIVE"),
            ("operations that spread the same", "TOO_MANY_SELECTIONS"),
            ("a look at the schema that explodes", "TOO_DEEP"),
            ("a look at the schema under many names", "TOO_EXPENSIVE"),
        ] {
            let hostile = requests::all().into_iter().find(|hostile| hostile.name == name).unwrap();
            let Sent::Document(text, _) = hostile.sent else { panic!("{name}") };
            let answer = app.agent().ask(&text).await;
            assert_eq!((answer.code(), answer.extension("reason")), ("QUERY_TOO_COMPLEX", reason), "{name}: {}", answer.body);
        }
    }
}

on_both! {
    async fn a_text_with_a_nul_matches_nothing(app: App::demo) {
        for query in [
            "{ customer360(by: {order: {number: \"a\\u0000b\"}}) { id } }",
            "{ order(by: {number: {number: \"a\\u0000\"}}) { id } }",
            "{ loyaltyProgramme(code: \"\\u0000\") { id } }",
        ] {
            let answer = app.agent().ask(query).await;
            assert!(answer.data().as_object().unwrap().values().all(Value::is_null), "{query}");
        }
    }
}
