//! No stale answer while gateways, real processes, are killed and started again, and Redis with them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use c360::auth::revocations::{Revoked, revoke};
use c360::clock::Clock;
use c360_rules::access::Role;
use serde_json::{Value, json};

use crate::harness::servers::RedisServer;
use crate::proofs::fleet::Fleet;
use crate::proofs::size;

const CREDIT: &str = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    account { balance { active } } userErrors { code message } } }";
const READ: &str = "query($by: CustomerIdentifier!) { customer360(by: $by) { loyalty { balance { active } } } }";
const CUSTOMERS: [&str; 4] = ["C-000001", "C-000002", "C-000004", "C-000007"];
/// After this, a revoked token works nowhere.
const REVOKED: Duration = Duration::from_secs(5);

struct World {
    fleet: Arc<Fleet>,
    balances: [AtomicI64; CUSTOMERS.len()],
    is_over: AtomicBool,
    reads: AtomicUsize,
    hits: AtomicUsize,
    writes: AtomicUsize,
    refusals: AtomicUsize,
}

fn body(at: usize) -> Value {
    json!({ "query": READ, "variables": { "by": { "customerNumber": CUSTOMERS[at] } } })
}

async fn write(world: Arc<World>, at: usize) {
    let token = world.fleet.staff(Role::Admin, &format!("admin-{at}"));
    for n in 0.. {
        if world.is_over.load(SeqCst) {
            break;
        }
        let customer = fastrand::usize(..CUSTOMERS.len());
        let input = json!({ "input": { "customer": { "customerNumber": CUSTOMERS[customer] }, "points": 1, "reason": "Test",
            "idempotencyKey": format!("{at}-{n}") } });
        // Sent again and again until it is answered, so that some answers are of repetitions.
        let made = world.fleet.ask(&token, CREDIT, input).await;
        let balance = made["account"]["balance"]["active"].as_i64().unwrap_or_else(|| panic!("{made}"));
        world.balances[customer].fetch_max(balance, SeqCst);
        world.writes.fetch_add(1, SeqCst);
    }
}

async fn read(world: Arc<World>, at: usize) {
    let token = world.fleet.staff(Role::Agent, &format!("agent-{at}"));
    while !world.is_over.load(SeqCst) {
        let customer = fastrand::usize(..CUSTOMERS.len());
        let least = world.balances[customer].load(SeqCst);
        let Some((_, answer)) = world.fleet.send(&token, &body(customer)).await else { continue };
        if answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE" {
            continue;
        }
        let from = &answer["extensions"]["cache"];
        let seen = answer["data"]["customer360"]["loyalty"]["balance"]["active"].as_i64();
        let seen = seen.unwrap_or_else(|| panic!("{answer}"));
        assert!(seen >= least, "a balance of {seen}, after one of {least} was seen: {from}");
        world.balances[customer].fetch_max(seen, SeqCst);
        world.reads.fetch_add(1, SeqCst);
        if from["status"] == "HIT" {
            world.hits.fetch_add(1, SeqCst);
        }
    }
}

/// Tokens are revoked while answers to them are kept; five seconds later each is refused everywhere.
async fn take_back(world: Arc<World>) {
    let mut revoked = VecDeque::new();
    for n in 0.. {
        if world.is_over.load(SeqCst) {
            break;
        }
        let token = world.fleet.staff(Role::Agent, &format!("leaver-{n}"));
        for _ in 0..6 {
            if let Some((status, answer)) = world.fleet.send(&token, &body(0)).await {
                assert!(status == 200 || status == 503, "{answer}");
            }
        }
        let (what, ends) = Revoked::token(&token).unwrap();
        revoke(&world.fleet.database.connection, &what, ends, Clock::System.now()).await.unwrap();
        revoked.push_back((token, Instant::now()));
        tokio::time::sleep(Duration::from_millis(500)).await;
        while let Some((token, at)) = revoked.pop_front() {
            if at.elapsed() < REVOKED {
                revoked.push_front((token, at));
                break;
            }
            for _ in 0..6 {
                if let Some((status, answer)) = world.fleet.send(&token, &body(0)).await {
                    assert!(status == 401 || status == 503, "{status} {:?} after: {answer}", at.elapsed());
                    world.refusals.fetch_add(1, SeqCst);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_stale_although_gateways_and_redis_are_killed() {
    let mut redis = RedisServer::start().await;
    let fleet = Fleet::with(&[("REDIS_URL", &redis.url), ("C360_CACHE_ENABLED", "true")]).await;
    // What has expired since the demo's present is booked with the first write; here balances only grow.
    fleet.run("UPDATE points_lots SET expires_at = NULL").await;
    let world = Arc::new(World {
        fleet: fleet.clone(),
        balances: Default::default(),
        is_over: AtomicBool::new(false),
        reads: AtomicUsize::new(0),
        hits: AtomicUsize::new(0),
        writes: AtomicUsize::new(0),
        refusals: AtomicUsize::new(0),
    });
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..8 {
        tasks.spawn(write(world.clone(), at));
        tasks.spawn(read(world.clone(), at));
    }
    tasks.spawn(take_back(world.clone()));
    for kill in 0..size("C360_TEST_KILLS", 4) {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        fleet.kill(kill % 3).await;
        match kill % 4 {
            0 => redis.tell(&["FLUSHALL"]).await,
            1 => {
                redis.kill();
                tokio::time::sleep(Duration::from_millis(400)).await;
                redis.start_again().await;
            }
            2 => {
                redis.pause();
                tokio::time::sleep(Duration::from_millis(800)).await;
                redis.resume();
            }
            _ => redis.reset().await,
        }
    }
    // Until what was revoked last is refused.
    tokio::time::sleep(REVOKED + Duration::from_secs(1)).await;
    world.is_over.store(true, SeqCst);
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let of = |count: &AtomicUsize| count.load(SeqCst);
    let (reads, hits, writes) = (of(&world.reads), of(&world.hits), of(&world.writes));
    eprintln!("{reads} reads, {hits} hits, {writes} writes, {} refusals", of(&world.refusals));
    assert!(reads > hits && hits > 0 && writes > 0 && of(&world.refusals) > 0);
}
