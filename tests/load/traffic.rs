//! Readers and writers who go on whatever happens, and what became of all that they asked.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use c360::auth::issue::Subject;
use c360_rules::access::Role;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::client::{Answer, Client, Reply};
use crate::operating::process::Gateway;

/// A small read.
pub const SMALL: &str = "query Read($by: CustomerIdentifier!) { customer360(by: $by) { id name loyalty { number } \
    orders(first: 3) { nodes { id } } } }";
/// What an agent sees first.
pub const SCREEN: &str = include_str!("../../examples/agent-first-screen.graphql");
const CREDIT: &str = "mutation Credit($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    transaction { id } userErrors { code message } } }";

/// What became of requests.
#[derive(Default)]
pub struct Tally {
    /// Answered as they should be.
    pub good: AtomicUsize,
    /// Refused because the gateway had enough to do.
    pub shed: AtomicUsize,
    /// Answered with a fault that is nobody's.
    pub failed: AtomicUsize,
    /// Not answered: the connection ended.
    pub cut: AtomicUsize,
    /// Not sent: nobody took the connection.
    pub not_connected: AtomicUsize,
    slowest: AtomicU64,
    /// How long each that was answered as it should be took, in microseconds.
    times: Mutex<Vec<u32>>,
    /// Keys of writes that were acknowledged.
    acknowledged: Mutex<BTreeSet<String>>,
    /// Whatever should never be.
    wrong: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wrong = self.wrong.lock().unwrap();
        f.debug_struct("Tally")
            .field("good", &self.good)
            .field("writes", &self.writes())
            .field("shed", &self.shed)
            .field("failed", &self.failed)
            .field("cut", &self.cut)
            .field("not_connected", &self.not_connected)
            .field("slowest", &self.slowest())
            .field("wrong", &(wrong.len(), wrong.first()))
            .finish()
    }
}

impl Tally {
    pub fn writes(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// The longest that anybody had to wait for an answer.
    pub fn slowest(&self) -> Duration {
        Duration::from_millis(self.slowest.load(SeqCst))
    }

    /// In what time this share of those answered as they should be was answered.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut times = self.times.lock().unwrap().clone();
        times.sort_unstable();
        let at = (times.len() as f64 * share) as usize;
        Duration::from_micros(u64::from(times[at.min(times.len() - 1)]))
    }

    /// How many were answered as they should be, and how many were not.
    pub fn outcome(&self) -> (usize, usize) {
        let others = [&self.shed, &self.failed, &self.cut, &self.not_connected];
        (self.good.load(SeqCst), others.iter().map(|counter| counter.load(SeqCst)).sum())
    }

    /// Nothing came that should never come.
    pub fn is_clean(&self) {
        let wrong = self.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} wrong answers, such as {}", wrong.len(), wrong[0]);
    }

    /// Counts what became of a request; whether it was answered as it should be.
    fn count(&self, reply: &Reply, took: Duration) -> bool {
        self.slowest.fetch_max(took.as_millis() as u64, SeqCst);
        let counter = match reply {
            Reply::Cut => &self.cut,
            Reply::NotConnected => &self.not_connected,
            Reply::Answered(answer) => match class(answer) {
                Class::Good => &self.good,
                Class::Shed => &self.shed,
                Class::Failed => &self.failed,
                Class::Wrong => {
                    self.wrong.lock().unwrap().push(format!("{answer:?}"));
                    return false;
                }
            },
        };
        counter.fetch_add(1, SeqCst);
        let is_good = std::ptr::eq(counter, &self.good);
        if is_good {
            self.times.lock().unwrap().push(took.as_micros() as u32);
        }
        is_good
    }
}

enum Class {
    Good,
    Shed,
    Failed,
    Wrong,
}

fn class(answer: &Answer) -> Class {
    let body = answer.body();
    match (answer.status, body.code(), body.problem()) {
        (200, None, None) if body.data.is_some() => Class::Good,
        (200, None, Some("IDEMPOTENCY_CONCURRENT_REQUEST")) | (200, Some("UNAVAILABLE" | "TIMEOUT"), _) => {
            Class::Failed
        }
        (503, Some("UNAVAILABLE"), _) if answer.says("retry-after: 1") => Class::Shed,
        _ => Class::Wrong,
    }
}

/// Clients at work.
pub struct Traffic {
    pub tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    pub readers: usize,
    pub writers: usize,
    /// Who write once for every fifteen reads, so that the share of writes does not depend on what is refused.
    pub mixed: usize,
    /// What readers ask.
    pub document: &'static str,
    /// How often each client asks, unless it waits for an answer; at once when it is zero.
    pub pause: Duration,
}

impl Traffic {
    /// Clients of a gateway, who ask for customers of the demo.
    pub fn start(gateway: &Gateway, customers: &[String], volume: Volume) -> Self {
        let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
        let token = gateway.token(&Subject::Staff { subject: "admin-1".into(), role: Role::Admin });
        let clients = (0..volume.readers + volume.writers + volume.mixed).map(|at| {
            let work = Work {
                client: Client::new(&gateway.url, &token),
                tally: tally.clone(),
                stop: stop.clone(),
                customers: customers.to_vec(),
                at,
                document: volume.document,
                pause: volume.pause,
                writes_of: match at.checked_sub(volume.readers) {
                    None => 0,
                    Some(at) if at < volume.writers => 1,
                    Some(_) => 16,
                },
            };
            tokio::spawn(work.go())
        });
        Self { clients: clients.collect(), tally, stop }
    }

    /// Waits until so many more reads and writes are answered well.
    pub async fn goes_on(&self, good: usize) {
        self.until("nothing is answered", {
            let from = self.tally.good.load(SeqCst);
            move |t| t.good.load(SeqCst) >= from + good
        })
        .await;
    }

    /// Waits until something holds.
    pub async fn until(&self, complaint: &str, holds: impl Fn(&Tally) -> bool) {
        let started = Instant::now();
        while !holds(&self.tally) {
            assert!(started.elapsed() < Duration::from_secs(40), "{complaint}: {:?}", self.tally);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Everybody has gone elsewhere, because the gateway asked for it.
    pub async fn left(self) -> Arc<Tally> {
        for client in self.clients {
            client.await.unwrap();
        }
        self.tally
    }

    /// Everybody stops when their last request has become what it becomes.
    pub async fn stop(self) -> Arc<Tally> {
        self.stop.store(true, SeqCst);
        self.left().await
    }
}

/// One client.
struct Work {
    client: Client,
    tally: Arc<Tally>,
    stop: Arc<AtomicBool>,
    customers: Vec<String>,
    at: usize,
    document: &'static str,
    pause: Duration,
    /// Of how many rounds one writes; 0 for none.
    writes_of: usize,
}

impl Work {
    fn customer(&self, round: usize) -> String {
        self.customers[(self.at * 7 + round) % self.customers.len()].clone()
    }

    fn is_over(&self) -> bool {
        self.stop.load(SeqCst) || self.client.is_sent_away
    }

    /// Whether it was answered well.
    async fn ask(&mut self, query: &str, variables: &Value) -> bool {
        let started = Instant::now();
        let reply = self.client.ask(query, variables).await;
        let good = self.tally.count(&reply, started.elapsed());
        // Who was not answered comes back a moment later, as any client does.
        let rest =
            if matches!(reply, Reply::NotConnected | Reply::Cut) { Duration::from_millis(20) } else { self.pause };
        if !rest.is_zero() {
            tokio::time::sleep(rest.saturating_sub(started.elapsed())).await;
        }
        good
    }

    /// Asks one thing after the other, each until it is answered well; a write with the same key.
    async fn go(mut self) {
        let run = uuid::Uuid::new_v4().simple();
        for round in 0.. {
            let (customer, writes) = (self.customer(round), (round + self.at).checked_rem(self.writes_of) == Some(0));
            let key = format!("write-{run}-{}-{round}", self.at);
            let (document, variables) = if writes {
                let input = json!({ "customer": { "customerNumber": customer }, "points": 1, "reason": key,
                    "idempotencyKey": key });
                (CREDIT, json!({ "input": input }))
            } else {
                (self.document, json!({ "by": { "customerNumber": customer } }))
            };
            loop {
                if self.is_over() {
                    return;
                }
                if self.ask(document, &variables).await {
                    break;
                }
            }
            if writes {
                self.tally.acknowledged.lock().unwrap().insert(key);
            }
        }
    }
}

/// Customers who have a loyalty account, but no more than so many.
pub async fn members(db: &DatabaseConnection, most: usize) -> Vec<String> {
    let sql = format!(
        "SELECT c.number FROM customers c JOIN loyalty_accounts a ON a.customer_id = c.id \
        WHERE a.status = 'ACTIVE' AND c.status = 'ACTIVE' ORDER BY c.number LIMIT {most}"
    );
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get("", "number").unwrap()).collect()
}

/// What was acknowledged is there, and nothing is there twice.
pub async fn is_kept(tally: &Tally, db: &DatabaseConnection) {
    let sql = "SELECT reason FROM loyalty_transactions WHERE reason LIKE 'write-%'";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let all: Vec<String> = rows.iter().map(|row| row.try_get("", "reason").unwrap()).collect();
    let kept: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(all.len(), kept.len(), "a key had more than one effect");
    let acknowledged = tally.acknowledged.lock().unwrap();
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}
