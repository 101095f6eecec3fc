//! Gateways that die and come back, and clients who try until they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use c360::auth::issue::Subject;
use c360_rules::access::Role;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::harness::{Backend, Database};
use crate::operating::process::{Gateway, Keys};

const SETTINGS: &[(&str, &str)] = &[
    ("C360_THROTTLE_STAFF_MAXIMUM", "0"),
    ("C360_THROTTLE_PARTNER_MAXIMUM", "0"),
    ("C360_LOG_FILTER", "warn,c360=info,c360::access=off"),
];
/// How long a client tries.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Fleet {
    pub database: Database,
    pub keys: Arc<Keys>,
    settings: Vec<(String, String)>,
    gateways: Vec<Mutex<Gateway>>,
    urls: Vec<std::sync::RwLock<String>>,
    http: reqwest::Client,
    next: AtomicUsize,
    /// Answers that said that the gateway could not have a connection.
    pub(super) unavailable: AtomicUsize,
}

impl Fleet {
    /// Three gateways over the demo's retailer.
    pub(super) async fn start() -> Arc<Self> {
        Self::with(&[("C360_JOBS_ENABLED", "true")]).await
    }

    /// With more settings.
    pub async fn with(more: &[(&str, &str)]) -> Arc<Self> {
        let settings: Vec<(String, String)> =
            SETTINGS.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let database = Database::demo(Backend::Postgres).await;
        let keys = Keys::new();
        let mut gateways = Vec::new();
        for _ in 0..3 {
            gateways.push(start(&keys, &database.url, &settings).await);
        }
        let urls = gateways.iter().map(|gateway| gateway.url.clone().into()).collect();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let gateways = gateways.into_iter().map(Mutex::new).collect();
        let (next, unavailable) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { database, keys, settings, gateways, urls, http, next, unavailable })
    }

    /// Kills a gateway as the system does when memory runs out, and starts another in its place.
    pub async fn kill(&self, at: usize) {
        let mut gateway = self.gateways[at].lock().await;
        gateway.signal("-KILL");
        gateway.ended().await;
        *gateway = start(&self.keys, &self.database.url, &self.settings).await;
        self.urls[at].write().unwrap().clone_from(&gateway.url);
    }

    /// The gateway of a process, unless it is dead.
    pub(super) async fn place_of(&self, process: u32) -> Option<usize> {
        for (at, gateway) in self.gateways.iter().enumerate() {
            if gateway.lock().await.id() == process {
                return Some(at);
            }
        }
        None
    }

    pub fn staff(&self, role: Role, subject: &str) -> String {
        self.keys.token(&Subject::Staff { subject: subject.into(), role })
    }

    /// What the next gateway answers: the status and the body; `None` if it died meanwhile.
    pub async fn send(&self, token: &str, body: &Value) -> Option<(u16, Value)> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.urls.len();
        let url = format!("{}/graphql", self.urls[at].read().unwrap());
        let answer = self.http.post(url).bearer_auth(token).json(body).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    /// One attempt, at the next gateway; `None` if it died meanwhile or asks to be tried again.
    async fn attempt(&self, token: &str, body: &Value) -> Option<Value> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.urls.len();
        let url = format!("{}/graphql", self.urls[at].read().unwrap());
        let answer = self.http.post(url).bearer_auth(token).json(body).send().await.ok()?;
        let answer: Value = answer.json().await.ok()?;
        let fault = answer["errors"][0]["extensions"]["code"].as_str();
        if fault == Some("UNAVAILABLE") {
            self.unavailable.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(fault, Some("UNAVAILABLE" | "TIMEOUT")) {
            return None;
        }
        if fault.is_some() {
            let log = self.gateways[at].lock().await.log();
            let lines: Vec<_> = log
                .lines()
                .filter(|line| ["ERROR", "WARN", "panicked", "src/"].iter().any(|word| line.contains(word)))
                .collect();
            panic!("{answer}\n{}", lines.join("\n"));
        }
        let data = answer["data"].as_object().unwrap_or_else(|| panic!("{answer}")).values().next().cloned().unwrap();
        let busy = data["userErrors"][0]["code"] == "IDEMPOTENCY_CONCURRENT_REQUEST";
        (!busy).then_some(data)
    }

    /// What the only root field is answered in the end.
    pub async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let started = Instant::now();
        loop {
            if let Some(data) = self.attempt(token, &body).await {
                return data;
            }
            assert!(started.elapsed() < PATIENCE, "no answer to {body}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    pub async fn number(&self, sql: &str) -> i64 {
        crate::log::number_of(&self.database.connection, sql).await
    }

    pub async fn run(&self, sql: &str) {
        self.database.connection.execute_unprepared(sql).await.unwrap();
    }

    /// Who leads a job: the process.
    pub(super) async fn leader(&self, job: &str) -> Option<u32> {
        let db = &self.database.connection;
        let sql = format!("SELECT holder FROM job_leases WHERE name = '{job}' AND leased_until > clock_timestamp()");
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap()?;
        let holder: String = row.try_get("", "holder").unwrap();
        Some(holder.split(':').nth(1).unwrap().parse().unwrap())
    }

    /// Waits until every event is sealed.
    pub(super) async fn sealed(&self) {
        let started = Instant::now();
        while self.number("SELECT COUNT(*) FROM events WHERE position IS NULL").await > 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "events are not sealed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every law of the books, and the event log. The gateways' jobs may go on to write meanwhile.
    pub(super) async fn holds(&self) {
        let sealed_before = self.number("SELECT COUNT(*) FROM events WHERE position IS NOT NULL").await;
        let mut broken = Vec::new();
        let found = c360::verify::verify(&self.database.connection, |line| broken.push(line)).await.unwrap();
        assert_eq!((found.violations, broken), (0, Vec::new()));
        let written_after = self.number("SELECT COUNT(*) FROM events").await;
        assert!((sealed_before..=written_after).contains(&found.sealed), "{sealed_before} {found:?} {written_after}");
    }

    /// Statements that got no connection in time, in the gateways that live.
    pub(super) async fn pool_timeouts(&self) -> Vec<String> {
        let mut found = Vec::new();
        for gateway in &self.gateways {
            let figures = gateway.lock().await.figures().await;
            let lines = figures.lines().filter(|line| line.starts_with("c360_pool_timeouts_total"));
            found.extend(lines.map(str::to_owned));
        }
        found
    }
}

async fn start(keys: &Arc<Keys>, database_url: &str, settings: &[(String, String)]) -> Gateway {
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Gateway::believing(keys.clone(), database_url, &settings).await
}

pub(super) const CREDIT: &str = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    transaction { id balanceAfter } userErrors { code message } } }";

pub(super) fn credit(customer: &str, points: i64, reason: &str, key: &str) -> Value {
    json!({ "input": { "customer": { "customerNumber": customer }, "points": points, "reason": reason, "idempotencyKey": key } })
}
