//! No stale answer: three gateways over one PostgreSQL and one Redis, writers and readers on all of them, pauses and deaths
//! anywhere in the protocol, and a Redis to which everything happens. Each answer is held against all that anybody had been
//! answered before it was asked for: by a mutation, by its repetition, or by another read on another gateway.
//!
//! The short form runs with the other tests; `scripts/prove freshness` runs the long one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use c360::cache::Point;
use c360::retailer::demo;
use c360::write::{self, Outcome, Tx, Work};
use c360_rules::access::Role;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Kept;
use crate::harness::servers::RedisServer;
use crate::harness::{App, actor::customer_gid};
use crate::proofs::size;

const CREDIT: &str = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    account { balance { active } } userErrors { code } } }";
const READ: &str = "query($id: ID!) { customer360(by: { id: $id }) { loyalty { balance { active } tier { name } } \
    orders(first: 3) { nodes { source lines(first: 2) { nodes { product { title } } } } } \
    tickets(first: 3) { nodes { subject assignee { displayName } } } } }";
const CUSTOMERS: usize = 6;
const WRITERS: usize = 8;

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

/// A text that is a number, which only grows: where it lies, and where it stands in an answer's data.
struct Fact {
    table: &'static str,
    column: &'static str,
    /// A part of the path is a field, or `*` for all items.
    path: &'static str,
    /// Whether each customer has its own.
    is_own: bool,
}

const FACTS: [Fact; 5] = [
    Fact { table: "loyalty_tiers", column: "name", path: "loyalty.tier.name", is_own: false },
    Fact { table: "products", column: "title", path: "orders.nodes.*.lines.nodes.*.product.title", is_own: false },
    Fact { table: "staff", column: "display_name", path: "tickets.nodes.*.assignee.displayName", is_own: false },
    Fact { table: "orders", column: "source", path: "orders.nodes.*.source", is_own: true },
    Fact { table: "tickets", column: "subject", path: "tickets.nodes.*.subject", is_own: true },
];

/// Everything at a path.
fn gather<'v>(value: &'v Value, path: &str, found: &mut Vec<&'v Value>) {
    match path.split_once('.').unwrap_or((path, "")) {
        ("", _) => found.extend(Some(value).filter(|value| !value.is_null())),
        ("*", rest) => value.as_array().into_iter().flatten().for_each(|item| gather(item, rest, found)),
        (field, rest) => gather(&value[field], rest, found),
    }
}

struct World {
    gateways: Vec<App>,
    uuids: Vec<Uuid>,
    ids: Vec<String>,
    balances: Vec<Floor>,
    /// Of each fact, for each customer.
    facts: Vec<[Floor; CUSTOMERS]>,
    /// How often each fact was seen.
    seen: [AtomicUsize; FACTS.len()],
    next: AtomicI64,
    is_over: AtomicBool,
    reads: AtomicUsize,
    hits: AtomicUsize,
    writes: AtomicUsize,
    failed: AtomicUsize,
}

/// Gives a fact another number, unless a later one has come first.
struct Renumber<'f>(&'f Fact, i64, Option<Uuid>);

impl Work for Renumber<'_> {
    type Made = ();

    async fn run(&self, tx: &mut Tx) -> Outcome<()> {
        let Self(Fact { table, column, .. }, number, customer) = self;
        if let Some(customer) = customer {
            tx.lock_customer(*customer).await?;
        }
        let mut sql = tx.sql();
        sql.push(&format!("UPDATE {table} SET {column} = "));
        sql.bind(number.to_string());
        sql.push(&format!(" WHERE (CASE WHEN {column} ~ '^[0-9]+$' THEN CAST({column} AS bigint) ELSE -1 END) < "));
        sql.bind(*number);
        if let Some(customer) = customer {
            sql.push(" AND customer_id = ");
            sql.bind(*customer);
        }
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
        let customer = random.usize(..CUSTOMERS);
        let which = random.usize(..20);
        if let Some(fact) = FACTS.get(which) {
            // A number that does not return may be there or not; one that returns or is seen is there, or a later one.
            let number = world.next.fetch_add(1, Ordering::SeqCst) + 1;
            let own = fact.is_own.then(|| world.uuids[customer]);
            if write::system(&gateway.state, "test", &Renumber(fact, number, own)).await.is_ok() {
                let customers = if fact.is_own { customer..customer + 1 } else { 0..CUSTOMERS };
                customers.for_each(|customer| world.facts[which][customer].raise(number));
                world.writes.fetch_add(1, Ordering::Relaxed);
            }
            continue;
        }
        let input = json!({ "input": { "customer": { "id": world.ids[customer] }, "points": 1, "reason": "Test", "idempotencyKey": format!("{at}-{n}") } });
        // Whoever gets no answer tries again, somewhere else.
        for attempt in 0..20 {
            let gateway = &world.gateways[(n + attempt) % world.gateways.len()];
            let answer = gateway.staff(Role::Admin).ask_with(CREDIT, input.clone()).await;
            if let Some(balance) = answer.body["data"]["loyaltyPointsCredit"]["account"]["balance"]["active"].as_i64() {
                world.balances[customer].raise(balance);
                world.writes.fetch_add(1, Ordering::Relaxed);
                break;
            }
            world.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn read(world: Arc<World>, at: usize, most: usize) {
    let mut random = fastrand::Rng::with_seed(1_000 + at as u64);
    while world.reads.fetch_add(1, Ordering::Relaxed) < most {
        let (customer, gateway) = (random.usize(..CUSTOMERS), &world.gateways[random.usize(..world.gateways.len())]);
        let balance = world.balances[customer].now();
        let numbers: Vec<i64> = world.facts.iter().map(|fact| fact[customer].now()).collect();
        let answer = gateway.agent().ask_with(READ, json!({ "id": world.ids[customer] })).await;
        let found = &answer.body["data"]["customer360"];
        let from = &answer.body["extensions"]["cache"];
        let seen = found["loyalty"]["balance"]["active"].as_i64().unwrap_or_else(|| panic!("{:#}", answer.body));
        assert!(seen >= balance, "a balance of {seen}, after one of {balance} was seen: {from}");
        world.balances[customer].raise(seen);
        for (((fact, floors), least), seen_of) in FACTS.iter().zip(&world.facts).zip(numbers).zip(&world.seen) {
            let mut values = Vec::new();
            gather(found, fact.path, &mut values);
            for value in values {
                let seen: i64 = value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value}"));
                assert!(seen >= least, "{} is {seen}, after {least} was seen: {from}", fact.path);
                seen_of.fetch_add(1, Ordering::Relaxed);
                let who_sees_it = if fact.is_own { customer..customer + 1 } else { 0..CUSTOMERS };
                who_sees_it.for_each(|customer| floors[customer].raise(seen));
            }
        }
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
    // Everybody has a ticket that somebody works on, and all facts are numbers.
    let staff = "UPDATE tickets SET assignee_id = (SELECT id FROM staff ORDER BY id LIMIT 1)";
    app.state.db.execute_unprepared(staff).await.unwrap();
    for fact in &FACTS {
        let zero = format!("UPDATE {} SET {} = '0'", fact.table, fact.column);
        app.state.db.execute_unprepared(&zero).await.unwrap();
    }
    let mut gateways = vec![app.beside(|_| {}).await, app.beside(|_| {}).await];
    gateways.push(app);
    let numbers = ["C-000001", "C-000002", "C-000004", "C-000007", "C-000010", "C-000012"];
    let mut uuids = Vec::new();
    for number in numbers {
        uuids.push(gateways[0].id_of(number).await);
    }
    let ids: Vec<String> = uuids.iter().map(|id| customer_gid(*id)).collect();
    let mut balances = Vec::new();
    for id in &ids {
        let answer = gateways[0].agent().ask_with(READ, json!({ "id": id })).await;
        let loyalty = &answer.body["data"]["customer360"]["loyalty"];
        balances.push(Floor(AtomicI64::new(loyalty["balance"]["active"].as_i64().unwrap())));
    }
    assert_eq!(demo::DEMO_CUSTOMER.number, numbers[0]);
    let points = Arc::new(AtomicUsize::new(0));
    for (seed, gateway) in (0..).zip(&gateways) {
        disturb(gateway, seed, dies, points.clone());
    }
    let world = Arc::new(World {
        balances,
        gateways,
        uuids,
        ids,
        facts: FACTS.iter().map(|_| Default::default()).collect(),
        seen: Default::default(),
        next: AtomicI64::new(0),
        is_over: AtomicBool::new(false),
        reads: AtomicUsize::new(0),
        hits: AtomicUsize::new(0),
        writes: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
    });
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..WRITERS {
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
    assert!(world.seen.iter().all(|seen| of(seen) > 0), "{:?}", world.seen);
    // In trouble nothing is kept for seconds at a time.
    let fewest = if troubles { 0 } else { of(&world.reads) / 50 };
    assert!(of(&world.hits) > fewest && of(&world.writes) > 0, "{world_says}");
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
