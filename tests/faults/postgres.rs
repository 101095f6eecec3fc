//! Whatever becomes of PostgreSQL: nothing hangs, the gateway says how it is, it recovers by itself, and what it has
//! acknowledged is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use crate::harness::database::connect;
use crate::harness::servers::PostgresServer;
use crate::harness::{Backend, Database};
use crate::load::traffic::{SMALL, Tally, Traffic, Volume, is_kept, members};
use crate::operating::process::Gateway;
use crate::operating::proxy::Proxy;
use crate::proofs::size;

const CONNECTIONS: usize = 4;
const SETTINGS: &[(&str, &str)] = &[
    ("C360_DATABASE_MAX_CONNECTIONS", "4"),
    ("C360_DATABASE_STATEMENT_TIMEOUT_MS", "1000"),
    ("C360_LIMITS_DEADLINE_MS", "2500"),
    ("C360_ADMISSION_AT_ONCE", "0"),
    ("C360_THROTTLE_STAFF_MAXIMUM", "0"),
    ("C360_JOBS_ENABLED", "true"),
    ("C360_LOG_FILTER", "warn,c360=info,c360::access=off"),
];
const VOLUME: Volume = Volume { readers: 6, writers: 4, mixed: 0, document: SMALL, pause: Duration::from_millis(10) };

/// Nobody waits longer than the deadline, and what a busy machine adds to it.
const LONGEST: Duration = Duration::from_millis(2_500 + 1_500);
/// In what time everything is as before.
const RECOVERY: Duration = Duration::from_secs(5);
/// For how long a transaction may stand still.
const STANDSTILL: Duration = Duration::from_secs(3);

/// A gateway, asked by many.
struct Scene {
    gateway: Arc<Gateway>,
    traffic: Traffic,
    /// The longest that `/livez` took.
    watch: tokio::task::JoinHandle<Duration>,
    watching: Arc<std::sync::atomic::AtomicBool>,
}

impl Scene {
    /// `database` is looked at from here, `url` is how the gateway reaches it.
    async fn start(database: &Database, url: &str) -> Self {
        let gateway = Arc::new(Gateway::start(url, SETTINGS).await);
        let traffic = Traffic::start(&gateway, &members(&database.connection, 20).await, VOLUME);
        let watching = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let watch = tokio::spawn({
            let (gateway, watching) = (gateway.clone(), watching.clone());
            async move {
                let mut slowest = Duration::ZERO;
                while watching.load(std::sync::atomic::Ordering::SeqCst) {
                    let (status, _, took) = gateway.get("/livez").await;
                    assert_eq!(status, 200);
                    slowest = slowest.max(took);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                slowest
            }
        });
        traffic.goes_on(40).await;
        Self { gateway, traffic, watch, watching }
    }

    async fn becomes(&self, ready: u16, within: Duration) {
        let started = Instant::now();
        while self.gateway.get("/readyz").await.0 != ready {
            assert!(started.elapsed() < within, "/readyz is not {ready}\n{}", self.gateway.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// It says that it is not ready, and every client has met the fault.
    async fn is_out(&self) {
        let failed = failures(&self.traffic.tally);
        self.becomes(503, Duration::from_secs(10)).await;
        let clients = VOLUME.readers + VOLUME.writers;
        self.traffic.until("nobody is refused", |tally| failures(tally) >= failed + clients).await;
    }

    /// The database serves again: so does the gateway, with all of its connections, and nothing is lost.
    async fn recovers(self, database: &Database, within: Duration) {
        let back = Instant::now();
        self.becomes(200, within).await;
        let writes = self.traffic.tally.writes();
        self.traffic.until("nothing is written", |tally| tally.writes() >= writes + 10).await;
        assert!(back.elapsed() < within, "recovered after {:?}\n{}", back.elapsed(), self.gateway.log());
        self.traffic.goes_on(40).await;
        let tally = self.traffic.stop().await;
        tally.is_clean();
        assert!(tally.slowest() < LONGEST, "somebody waited {:?}", tally.slowest());
        self.watching.store(false, std::sync::atomic::Ordering::SeqCst);
        let slowest = self.watch.await.unwrap();
        assert!(slowest < Duration::from_secs(1), "/livez took {slowest:?}");
        let db = connect(&database.url).await;
        is_kept(&tally, &db).await;
        // The jobs go on, too.
        let (started, unsealed) = (Instant::now(), "SELECT COUNT(*) FROM events WHERE position IS NULL");
        while crate::log::number_of(&db, unsealed).await > 0 {
            assert!(started.elapsed() < Duration::from_secs(30), "events are not sealed\n{}", self.gateway.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        every_connection_serves(&self.gateway, &db).await;
    }
}

fn failures(tally: &Tally) -> usize {
    use std::sync::atomic::Ordering::SeqCst;
    tally.failed.load(SeqCst) + tally.shed.load(SeqCst)
}

/// As many statements run at once as there are connections, and all of them end well; then none of these connections is
/// left in the middle of anything. (Connections that were lost may be, until PostgreSQL ends what stands still.)
async fn every_connection_serves(gateway: &Gateway, db: &sea_orm::DatabaseConnection) {
    let lock = db.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await.unwrap();
    // Half of them are for readers. No two ask for the same, because one answer would serve both.
    let ask = |n| match n % 2 {
        0 => format!("{{ of{n}: customer360(by: {{customerNumber: \"C-000001\"}}) {{ id }} }}"),
        _ => format!(
            "mutation {{ of{n}: customerTagsAdd(input: {{customer: {{customerNumber: \"C-00000{n}\"}}, tags: [\"served\"]}}) \
             {{ customer {{ id }} }} }}"
        ),
    };
    let asked: Vec<_> = (0..CONNECTIONS).map(|n| tokio::spawn(gateway.asks(&ask(n)).send())).collect();
    let blocked = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
        AND query LIKE '%customers%'";
    let started = Instant::now();
    let serving = loop {
        let serving = backends(db, blocked).await;
        if serving.len() >= CONNECTIONS {
            break serving.join(", ");
        }
        assert!(started.elapsed() < Duration::from_millis(900), "connections are missing\n{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    lock.rollback().await.unwrap();
    for answer in asked {
        let answer: serde_json::Value = answer.await.unwrap().unwrap().json().await.unwrap();
        let of = answer["data"].as_object().and_then(|data| data.values().next()).unwrap_or_else(|| panic!("{answer}"));
        assert!(of["id"].is_string() || of["customer"]["id"].is_string(), "{answer}");
    }
    // The jobs use them, too: what had begun by now ends soon, and before PostgreSQL would end it.
    let answered = Instant::now();
    loop {
        let since = answered.elapsed().as_secs_f64();
        let open = format!(
            "SELECT pid FROM pg_stat_activity WHERE pid IN ({serving}) AND state LIKE 'idle in transaction%' \
             AND xact_start < clock_timestamp() - make_interval(secs => {since})"
        );
        if backends(db, &open).await.is_empty() {
            return;
        }
        assert!(answered.elapsed() < STANDSTILL / 2, "a connection is left in a transaction\n{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn backends(db: &sea_orm::DatabaseConnection, sql: &str) -> Vec<String> {
    let found = db.query_all_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    found.iter().map(|row| row.try_get_by_index::<i32>(0).unwrap().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again() {
    let mut server = PostgresServer::start().await;
    let database = Database::demo_at(&server.url).await;
    let scene = Scene::start(&database, &database.url).await;
    server.kill();
    scene.is_out().await;
    server.start_again().await;
    scene.recovers(&database, RECOVERY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_and_started_again() {
    let mut server = PostgresServer::start().await;
    let database = Database::demo_at(&server.url).await;
    let scene = Scene::start(&database, &database.url).await;
    server.stop();
    server.start_again().await;
    scene.recovers(&database, RECOVERY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_for_longer_than_any_request_may_take() {
    let server = PostgresServer::start().await;
    let database = Database::demo_at(&server.url).await;
    let scene = Scene::start(&database, &database.url).await;
    server.pause();
    scene.is_out().await;
    server.resume();
    scene.recovers(&database, RECOVERY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_for_a_while() {
    let database = Database::demo(Backend::Postgres).await;
    let proxy = Proxy::before(&database.url).await;
    let scene = Scene::start(&database, &proxy.url).await;
    proxy.cut();
    let cut = Instant::now();
    scene.is_out().await;
    let whole = Duration::from_secs(size("C360_TEST_CUT_SECONDS", 0) as u64);
    tokio::time::sleep(whole.saturating_sub(cut.elapsed())).await;
    scene.becomes(503, Duration::ZERO).await;
    proxy.mend();
    scene.recovers(&database, RECOVERY).await;
}

/// As when a machine is replaced: those who were connected hear nothing any more, and nobody tells them.
#[tokio::test(flavor = "multi_thread")]
async fn every_connection_swallowed() {
    let database = Database::demo(Backend::Postgres).await;
    let proxy = Proxy::before(&database.url).await;
    let scene = Scene::start(&database, &proxy.url).await;
    proxy.lose();
    // The locks of transactions that were lost with them are held until PostgreSQL ends what stands still.
    scene.recovers(&database, STANDSTILL + RECOVERY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_for_a_while() {
    let database = Database::demo(Backend::Postgres).await;
    let proxy = Proxy::before(&database.url).await;
    let scene = Scene::start(&database, &proxy.url).await;
    proxy.delay(Duration::from_millis(400));
    let (failed, slow) = (failures(&scene.traffic.tally), Instant::now());
    scene
        .traffic
        .until("a slow database refuses nobody", |tally| failures(tally) > failed || slow.elapsed() > RECOVERY)
        .await;
    proxy.delay(Duration::ZERO);
    scene.recovers(&database, RECOVERY).await;
}
