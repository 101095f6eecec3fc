//! Asked for more than it can do, a gateway does what it can, refuses the rest cleanly, and is itself again at once.
//!
//! `C360_TEST_OVERLOAD_SECONDS` and `C360_TEST_GOODPUT` (percent of the peak); `scripts/prove overload` is the long form,
//! with a release build and a core for each side.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use super::traffic::{SCREEN, Tally, Traffic, Volume, is_kept, members};
use crate::harness::{Backend, Database};
use crate::operating::process::Gateway;
use crate::proofs::size;

/// As many as are worked on at once.
const PEAK: Volume = Volume { readers: 15, writers: 1, document: SCREEN, pause: Duration::ZERO };
/// Many times as many, of whom nobody waits.
const CROWD: usize = 150;
const SETTINGS: &[(&str, &str)] = &[
    ("C360_DATABASE_MAX_CONNECTIONS", "8"),
    ("C360_ADMISSION_AT_ONCE", "16"),
    ("C360_THROTTLE_STAFF_MAXIMUM", "0"),
    ("C360_LOG_FILTER", "warn,c360=info"),
];

/// One core for the gateway, the other for those who ask.
fn pin(gateway: &Gateway) {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= 2) {
        for (core, process) in [("0", std::process::id()), ("1", gateway.id())] {
            let process = process.to_string();
            let pinned = Command::new("taskset").args(["--all-tasks", "--cpu-list", "--pid", core, &process]).output();
            assert!(pinned.is_ok_and(|output| output.status.success()), "taskset does not work");
        }
    }
}

/// What became of requests in a time, and how many of them were answered well in a second.
async fn load(gateway: &Gateway, customers: &[String], volume: Volume, time: Duration) -> (f64, Arc<Tally>) {
    let traffic = Traffic::start(gateway, customers, volume);
    traffic.goes_on(50).await;
    let (from, started) = (traffic.tally.good.load(SeqCst), Instant::now());
    tokio::time::sleep(time).await;
    let good = traffic.tally.good.load(SeqCst) - from;
    let rate = good as f64 / started.elapsed().as_secs_f64();
    (rate, traffic.stop().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_for_five_times_what_it_can_do_it_does_what_it_can() {
    let seconds = Duration::from_secs(size("C360_TEST_OVERLOAD_SECONDS", 2) as u64);
    let least = size("C360_TEST_GOODPUT", 50) as f64 / 100.0;
    let database = Database::demo(Backend::Postgres).await;
    let customers = members(&database.connection).await;
    let gateway = Gateway::start(&database.url, SETTINGS).await;
    pin(&gateway);
    load(&gateway, &customers, PEAK, seconds).await;
    let memory = gateway.memory();
    let (mut peaks, mut goods, mut tallies) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let (peak, tally) = load(&gateway, &customers, PEAK, seconds).await;
        assert_eq!(tally.shed.load(SeqCst), 0, "as many as it can work on at once are not too many");
        peaks.push(peak);
        tallies.push(tally);
        // Each asks so often that all together ask for five times the peak; who is not answered yet cannot ask.
        let pause = Duration::from_secs_f64(CROWD as f64 / (5.0 * peak));
        let crowd = Volume { readers: CROWD - 10, writers: 10, document: SCREEN, pause };
        let (good, tally) = load(&gateway, &customers, crowd, seconds).await;
        goods.push(good);
        assert!(tally.shed.load(SeqCst) > 0, "nobody is refused: {tally:?}");
        assert!(tally.slowest() < Duration::from_secs(5), "somebody waited {:?}", tally.slowest());
        tallies.push(tally);
        // Normal again at once: one after the other is answered.
        let quiet = Volume { readers: 1, writers: 0, document: SCREEN, pause: Duration::ZERO };
        let (_, tally) = load(&gateway, &customers, quiet, Duration::from_millis(200)).await;
        assert_eq!(tally.shed.load(SeqCst), 0, "it refuses when it has nothing to do");
    }
    for tally in &tallies {
        tally.is_clean();
        let others = tally.failed.load(SeqCst) + tally.cut.load(SeqCst) + tally.not_connected.load(SeqCst);
        assert_eq!(others, 0, "{tally:?}");
        is_kept(tally, &database.connection).await;
    }
    println!("peaks {peaks:.0?}/s, at five times that {goods:.0?}/s");
    let (peak, good) = (median(peaks), median(goods));
    let shed: usize = tallies.iter().map(|tally| tally.shed.load(SeqCst)).sum();
    let more = gateway.memory().saturating_sub(memory) / 1_000_000;
    println!(
        "peak {peak:.0}/s, at five times that {good:.0}/s ({:.0} %), {shed} refused, {more} MB more memory",
        100.0 * good / peak
    );
    assert!(good >= least * peak, "{good:.0}/s of {peak:.0}/s");
    assert!(more < 64, "{more} MB more than before");
    let figures = gateway.figures().await;
    assert!(figures.contains("c360_shed_total{reason=\"waited\"}"), "{figures}");
    assert!(figures.contains("c360_requests_now{state=\"in_flight\"} 0\n"), "{figures}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
