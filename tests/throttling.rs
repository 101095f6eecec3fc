//! How much one caller may ask for.

use std::sync::Arc;

use c360::config::{Bucket, Config};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Actor, App, Backend, now};

const BUCKET: Bucket = Bucket { maximum: 100, restore_rate: 10 };

/// Costs 21: a statement, and a page of twenty rows.
const TICKETS: &str = "{ tickets(first: 20) { nodes { id } } }";

fn small(config: &mut Config) {
    config.throttle.staff = BUCKET;
    config.throttle.customer = BUCKET;
    config.throttle.partner = BUCKET;
}

fn cost(answer: &Value) -> &Value {
    &answer["extensions"]["cost"]
}

async fn until_throttled(caller: &Actor<'_>) -> (u64, reqwest::Response) {
    for n in 0..1_000 {
        let response = caller.post(json!({ "query": TICKETS })).send().await.unwrap();
        if response.status() == 429 {
            return (n, response);
        }
        assert_eq!(response.status(), 200);
    }
    panic!("never throttled");
}

#[tokio::test]
async fn an_answer_says_what_it_cost_and_what_is_left() {
    let app = App::with(Backend::Sqlite, small).await;
    let answer = app.agent().ask(TICKETS).await;
    let cost = cost(&answer.body);
    assert_eq!(cost["requested"], 21);
    let actual = cost["actual"].as_u64().unwrap();
    assert!((1..=2).contains(&actual), "nothing is there to read: {cost}");
    assert_eq!(cost["throttle"], json!({ "maximum": 100, "available": 100 - actual, "restoreRate": 10 }));
}

#[tokio::test]
async fn who_asks_for_more_is_told_when_to_come_back_and_then_gets_it() {
    let app = App::with(Backend::Sqlite, small).await;
    let agent = app.agent();
    let (n, response) = until_throttled(&agent).await;
    assert!(n > 20, "what was not used is given back: {n}");
    let wait: i64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "THROTTLED");
    assert_eq!(body.get("data"), None);
    app.state.clock.set(now() + TimeDelta::seconds(wait));
    assert_eq!(agent.ask(TICKETS).await.status, 200);
}

#[tokio::test]
async fn whoever_sends_a_new_document_pays_for_its_check_once() {
    let app = App::with(Backend::Sqlite, |config| {
        small(config);
        config.throttle.staff.maximum = 2_000;
    })
    .await;
    let agent = app.agent();
    let available = |answer: &Value| cost(answer)["throttle"]["available"].as_u64().unwrap();
    let document = format!("{{ __typename }} #{}", "x".repeat(6_400));
    let first = available(&agent.ask(&document).await.body);
    assert!((1_800..1_950).contains(&first), "{first}");
    // One row at least is what everything costs.
    assert_eq!(available(&agent.ask(&document).await.body), first - 1);
    for n in 0..100 {
        let wrong = agent.ask(&format!("{{ nothing }} #{n}{}", "x".repeat(6_400))).await;
        if wrong.status == 429 {
            return assert!((15..25).contains(&n), "{n}");
        }
        assert_eq!(wrong.code(), "GRAPHQL_VALIDATION_FAILED");
    }
    panic!("never throttled");
}

#[tokio::test]
async fn callers_do_not_share_a_bucket() {
    let app = App::with(Backend::Sqlite, small).await;
    until_throttled(&app.agent()).await;
    let other = app.customer(Uuid::from_u128(7));
    assert_eq!(other.ask("{ me { id } }").await.status, 200);
}

#[tokio::test]
async fn what_no_bucket_can_hold_is_refused_for_good() {
    let app = App::with(Backend::Sqlite, small).await;
    let answer = app.agent().ask("{ tickets(first: 100) { nodes { customer { id } } } }").await;
    assert_eq!((answer.code(), answer.extension("reason")), ("QUERY_TOO_COMPLEX", "TOO_EXPENSIVE"));
}

#[tokio::test]
async fn a_row_of_which_very_much_is_asked_costs_more_than_one() {
    let app = App::with(Backend::Sqlite, |_| {}).await;
    let costs = async |fields: usize| {
        let inner = "... { id }".repeat(fields);
        cost(&app.agent().ask(&format!("{{ tickets(first: 100) {{ nodes {{ {inner} }} }} }}")).await.body)["requested"]
            .clone()
    };
    assert_eq!((costs(1).await, costs(30).await), (json!(101), json!(101)));
    assert_eq!(costs(1_000).await, json!(101 + 100 * (1_000 / 32)));
    let counted = "{ tickets(first: 100) { totalCount { value } nodes { id } } }";
    assert_eq!(cost(&app.agent().ask(counted).await.body)["requested"], 121);
}

#[tokio::test]
async fn without_a_maximum_nobody_is_throttled() {
    let app = App::with(Backend::Sqlite, |config| config.throttle.staff = Bucket { maximum: 0, restore_rate: 0 }).await;
    let answer = app.agent().ask(TICKETS).await;
    assert_eq!(cost(&answer.body).get("throttle"), None);
}

/// Three gateways over one Redis; the names of their callers are used by no other test.
async fn three(redis: &str) -> Vec<App> {
    let mut apps = Vec::new();
    for _ in 0..3 {
        let redis = redis.to_owned();
        apps.push(
            App::with(Backend::Sqlite, |config| {
                small(config);
                config.redis.url = redis;
            })
            .await,
        );
    }
    apps
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_share_the_buckets_in_redis() {
    let redis = std::env::var("C360_TEST_REDIS").expect("C360_TEST_REDIS: run ./scripts/test");
    let apps = Arc::new(three(&redis).await);
    let customer = Uuid::new_v4();
    let started = std::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..6 {
        let apps = apps.clone();
        tasks.spawn(async move {
            let caller = apps[n % 3].customer(customer);
            let mut through = 0;
            for _ in 0..50 {
                let response = caller.post(json!({ "query": "{ me { id } }" })).send().await.unwrap();
                through += u64::from(response.status() == 200);
            }
            through
        });
    }
    let mut through = 0;
    while let Some(n) = tasks.join_next().await {
        through += n.unwrap();
    }
    // Each costs one row at least. What comes back meanwhile counts, and what each gateway may hold besides.
    let restored = (started.elapsed().as_secs() + 1) * BUCKET.restore_rate;
    assert!((20..=BUCKET.maximum + restored).contains(&through), "{through} of 300 in {:?}", started.elapsed());
}

#[tokio::test]
async fn without_redis_each_gateway_counts_alone() {
    // A port on which nothing listens.
    let apps = three("redis://127.0.0.1:1").await;
    for app in &apps {
        let (n, _) = until_throttled(&app.agent()).await;
        assert!(n > 20);
    }
}
