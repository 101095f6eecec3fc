//! Requests that mean harm, or look as if they did.

pub mod requests;

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Actor, App, on_both};
use requests::{Hostile, Sent};

/// How soon each has to be refused. The tests' own build is a tenth as fast as a release.
const SOON: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1_500 } else { 50 });

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
    let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {status} {text}"));
    Refusal { status, body, took: started.elapsed() }
}

/// The request by each transport that can carry it.
fn ways(app: &App, actor: &Actor<'_>, hostile: &Hostile) -> Vec<reqwest::RequestBuilder> {
    let url = format!("{}/graphql", app.url);
    let post = || app.http.post(&url).bearer_auth(&actor.token);
    match &hostile.sent {
        Sent::Document(text, variables) => {
            let body = format!("{{\"query\":{},\"variables\":{variables}}}", json!(text));
            let chunked =
                body.as_bytes().chunks(1_000).map(<[u8]>::to_vec).map(Ok::<_, std::io::Error>).collect::<Vec<_>>();
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(body.as_bytes()).unwrap();
            let json = |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
            let mut ways = vec![
                json(post()).body(body),
                json(post()).body(reqwest::Body::wrap_stream(futures_util::stream::iter(chunked))),
                json(post()).header("content-encoding", "gzip").body(packed.finish().unwrap()),
            ];
            if text.len() + variables.len() < 10_000 {
                let query = [("query", text), ("variables", variables)];
                ways.push(app.http.get(&url).query(&query).bearer_auth(&actor.token));
            }
            ways
        }
        Sent::Body(kind, headers, bytes) => {
            let request = post().header("content-type", *kind).body(bytes.clone());
            vec![headers.iter().fold(request, |request, (name, value)| request.header(*name, value))]
        }
        Sent::Address(query) => vec![app.http.get(format!("{url}?{query}")).bearer_auth(&actor.token)],
    }
}

on_both! {
    async fn each_hostile_request_is_refused_soon_and_the_gateway_lives_on(app: App::demo) {
        let agent = app.agent();
        let mut count = 0;
        for hostile in requests::all() {
            for (way, request) in ways(&app, &agent, &hostile).into_iter().enumerate() {
                let Refusal { status, body, took } = refusal(request).await;
                let what = format!("{} ({way}): {status} {body}", hostile.name);
                assert!(status < 500, "{what}");
                assert!(body["errors"][0]["extensions"]["code"].is_string(), "{what}");
                assert!(body["errors"].as_array().unwrap().len() <= 100, "{what}");
                assert!(body.get("data").is_none() || body["data"].is_null(), "{what}");
                assert_ne!(body["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{what}");
                assert!(took < SOON, "{what}: {took:?}");
                count += 1;
            }
            agent.ask("{ __typename }").await.data();
        }
        assert!(count > 200, "only {count}");
    }
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
        assert!(refusal.took < SOON, "{:?}", refusal.took);
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
