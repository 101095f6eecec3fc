//! No stale answer: three gateways over one PostgreSQL and one Redis, writers and readers on all of them, pauses and deaths
//! anywhere in the protocol, and a Redis to which everything happens. Each answer is held against what had returned before
//! it was asked for.
//!
//! The short form runs with the other tests; `scripts/prove freshness` runs the long one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use c360::cache::Point;
use c360::retailer::demo;
use c360::write::{self, Outcome, Tx, Work};
use c360_rules::access::Role;
use serde_json::json;

use super::Kept;
use crate::harness::servers::RedisServer;
use crate::harness::{App, actor::customer_gid};
use crate::proofs::size;

const CREDIT: &str = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    account { balance { active } } userErrors { code } } }";
const READ: &str = "query($id: ID!) { customer360(by: { id: $id }) { loyalty { balance { active } tier { name } } } }";
const CUSTOMERS: usize = 6;

/// What must be seen from now on, at least.
#[derive(Default)]
struct Floor(AtomicI64);

impl Floor {
    fn raise(&self, to: i64) {
        self.0.fetch_max(to, Ordering::SeqCst);
    }

    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct World {
    gateways: Vec<App>,
    ids: Vec<String>,
    balances: Vec<Floor>,
    /// The number in the tiers' names: a table that belongs to nobody.
    tiers: Floor,
    next_tier: AtomicI64,
    is_over: AtomicBool,
    reads: AtomicUsize,
    hits: AtomicUsize,
    writes: AtomicUsize,
    failed: AtomicUsize,
}

/// Names all tiers anew, unless a later name has come first.
struct Rename(i64);

impl Work for Rename {
    type Made = ();

    async fn run(&self, tx: &mut Tx) -> Outcome<()> {
        let mut sql = tx.sql();
        sql.push("UPDATE loyalty_tiers SET name = ");
        sql.bind(self.0.to_string());
        sql.push(" WHERE (CASE WHEN name ~ '^[0-9]+$' THEN CAST(name AS bigint) ELSE -1 END) < ");
        sql.bind(self.0);
        tx.execute(sql).await.map(drop)
    }
}

/// Pauses now and then at every point, and dies rarely at those where a writer can.
fn disturb(app: &App, seed: u64, dies: bool, points: Arc<AtomicUsize>) {
    let random = std::sync::Mutex::new(fastrand::Rng::with_seed(seed));
    app.state.cache.points.set(Box::new(move |point| {
        points.fetch_add(1, Ordering::Relaxed);
        let (pause, dead) = {
            let mut random = random.lock().unwrap();
            let pause = random.u32(..100) < 30;
            let dead = dies && random.u32(..100) < 3 && matches!(point, Point::BeforeCommit | Point::BeforeSettle);
            (pause.then(|| Duration::from_micros(random.u64(..4_000))), dead)
        };
        Box::pin(async move {
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
            !dead
        })
    }));
}

async fn write(world: Arc<World>, at: usize) {
    let mut random = fastrand::Rng::with_seed(at as u64);
    let mut n = 0;
    while !world.is_over.load(Ordering::Relaxed) {
        n += 1;
        let gateway = &world.gateways[random.usize(..world.gateways.len())];
        if random.u32(..10) == 0 {
            // Names that do not return may be there or not; one that returns is there, or a later one.
            let name = world.next_tier.fetch_add(1, Ordering::SeqCst) + 1;
            if write::system(&gateway.state, "test", &Rename(name)).await.is_ok() {
                world.tiers.raise(name);
            }
            continue;
        }
        let customer = random.usize(..CUSTOMERS);
        let input = json!({ "input": { "customer": { "id": world.ids[customer] }, "points": 1, "reason": "Test", "idempotencyKey": format!("{at}-{n}") } });
        let answer = gateway.staff(Role::Admin).ask_with(CREDIT, input).await;
        match answer.body["data"]["loyaltyPointsCredit"]["account"]["balance"]["active"].as_i64() {
            Some(active) => {
                world.balances[customer].raise(active);
                world.writes.fetch_add(1, Ordering::Relaxed);
            }
            None => drop(world.failed.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

async fn read(world: Arc<World>, at: usize, most: usize) {
    let mut random = fastrand::Rng::with_seed(1_000 + at as u64);
    while world.reads.fetch_add(1, Ordering::Relaxed) < most {
        let (customer, gateway) = (random.usize(..CUSTOMERS), &world.gateways[random.usize(..world.gateways.len())]);
        let (balance, tiers) = (world.balances[customer].now(), world.tiers.now());
        let answer = gateway.agent().ask_with(READ, json!({ "id": world.ids[customer] })).await;
        let loyalty = &answer.body["data"]["customer360"]["loyalty"];
        let from = &answer.body["extensions"]["cache"];
        let seen = loyalty["balance"]["active"].as_i64().unwrap_or_else(|| panic!("{:#}", answer.body));
        assert!(seen >= balance, "a balance of {seen}, after a change to {balance} had returned: {from}");
        let tier: i64 = loyalty["tier"]["name"].as_str().unwrap().parse().unwrap();
        assert!(tier >= tiers, "a tier called {tier}, after it was named {tiers}: {from}");
        if from["status"] == "HIT" {
            world.hits.fetch_add(1, Ordering::Relaxed);
        }
    }
    world.is_over.store(true, Ordering::Relaxed);
}

/// Everything that can happen to a Redis, in turn.
async fn trouble(world: Arc<World>, mut redis: RedisServer) {
    let mut turn = 0;
    while !world.is_over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(700)).await;
        match turn % 5 {
            0 => redis.tell(&["FLUSHALL"]).await,
            1 => redis.reset().await,
            2 => {
                redis.pause();
                tokio::time::sleep(Duration::from_millis(600)).await;
                redis.resume();
            }
            3 => {
                redis.kill();
                redis.start_again().await;
            }
            _ => {
                // It comes back with what it knew a while ago.
                redis.tell(&["SAVE"]).await;
                tokio::time::sleep(Duration::from_millis(300)).await;
                redis.kill();
                redis.start_again().await;
            }
        }
        turn += 1;
    }
}

/// Reads until `most` are done, with or without trouble.
async fn run(most: usize, dies: bool, troubles: bool) -> Arc<World> {
    let Kept { app, redis } = Kept::postgres().await;
    let redis = redis.unwrap();
    for gateway in [&app] {
        write::system(&gateway.state, "test", &Rename(0)).await.unwrap();
    }
    let mut gateways = vec![app.beside(|_| {}).await, app.beside(|_| {}).await];
    gateways.push(app);
    let numbers = ["C-000001", "C-000002", "C-000004", "C-000007", "C-000010", "C-000012"];
    let mut ids = Vec::new();
    for number in numbers {
        ids.push(customer_gid(gateways[0].id_of(number).await));
    }
    assert_eq!(demo::DEMO_CUSTOMER.number, numbers[0]);
    let points = Arc::new(AtomicUsize::new(0));
    for (seed, gateway) in (0..).zip(&gateways) {
        disturb(gateway, seed, dies, points.clone());
    }
    let world = Arc::new(World {
        balances: ids.iter().map(|_| Floor::default()).collect(),
        gateways,
        ids,
        tiers: Floor::default(),
        next_tier: AtomicI64::new(0),
        is_over: AtomicBool::new(false),
        reads: AtomicUsize::new(0),
        hits: AtomicUsize::new(0),
        writes: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
    });
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..if troubles { 3 } else { 4 } {
        tasks.spawn(write(world.clone(), at));
    }
    for at in 0..8 {
        tasks.spawn(read(world.clone(), at, most));
    }
    if troubles {
        tasks.spawn(trouble(world.clone(), redis));
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    } else {
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        drop(redis);
    }
    let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let world_says = format!(
        "{} reads, {} hits, {} writes, {} stopped, {} points",
        of(&world.reads),
        of(&world.hits),
        of(&world.writes),
        of(&world.failed),
        of(&points)
    );
    eprintln!("{world_says}");
    assert!(of(&world.hits) * 50 > of(&world.reads) && of(&world.writes) > 0, "{world_says}");
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_answer_is_older_than_a_change_that_has_returned() {
    run(size("C360_TEST_READS", 3_000), false, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_answer_is_stale_although_writers_die_between_mark_commit_and_version() {
    let world = run(size("C360_TEST_READS", 3_000), true, false).await;
    assert!(world.failed.load(Ordering::Relaxed) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_answer_is_stale_although_redis_is_emptied_stopped_cut_off_and_restored() {
    run(size("C360_TEST_READS", 6_000), true, true).await;
}
