//! Asked for more than it can do, a gateway does what it can, refuses the rest cleanly, and is itself again at once.
//!
//! `C360_TEST_OVERLOAD_SECONDS`, `C360_TEST_CROWD` (clients) and `C360_TEST_GOODPUT` (percent of the peak); `scripts/prove
//! overload` is the long form, with a release build and a core for each side.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use super::traffic::{SCREEN, Tally, Traffic, Volume, is_kept, members};
use crate::harness::{Backend, Database};
use crate::operating::process::Gateway;
use crate::proofs::size;

/// As many as are worked on at once.
const PEAK: Volume = Volume { readers: 0, writers: 0, mixed: 32, document: SCREEN, pause: Duration::ZERO };
const ROUNDS: usize = 3;
const SETTINGS: &[(&str, &str)] =
    &[("C360_ADMISSION_AT_ONCE", "32"), ("C360_THROTTLE_STAFF_MAXIMUM", "0"), ("C360_LOG_FILTER", "warn,c360=info")];

/// Goes to one core, and with it whatever is started from now on.
fn move_to(core: &str) {
    let process = std::process::id().to_string();
    let moved = Command::new("taskset").args(["--all-tasks", "--cpu-list", "--pid", core, &process]).output();
    assert!(moved.is_ok_and(|output| output.status.success()), "taskset does not work");
}

/// A gateway that has one core; those who ask have another, if there is one.
async fn on_one_core(url: &str) -> Gateway {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1) {
        return Gateway::start(url, SETTINGS).await;
    }
    move_to("1");
    let gateway = Gateway::start(url, SETTINGS).await;
    move_to("0");
    gateway
}

/// What became of requests in a time, and how many of them were answered well in a second. The time begins when some are
/// refused, where that is to be.
async fn load(
    gateway: &Gateway,
    customers: &[String],
    volume: Volume,
    refuses: bool,
    time: Duration,
) -> (f64, Arc<Tally>) {
    let traffic = Traffic::start(gateway, customers, volume);
    traffic.goes_on(50).await;
    if refuses {
        traffic.until("nobody is refused", |tally| tally.shed.load(SeqCst) > 0).await;
    }
    let (from, started) = (traffic.tally.good.load(SeqCst), Instant::now());
    tokio::time::sleep(time).await;
    let good = traffic.tally.good.load(SeqCst) - from;
    let rate = good as f64 / started.elapsed().as_secs_f64();
    (rate, traffic.stop().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_for_five_times_what_it_can_do_it_does_what_it_can() {
    let seconds = Duration::from_secs(size("C360_TEST_OVERLOAD_SECONDS", 2) as u64);
    let many = size("C360_TEST_CROWD", 500);
    let least = size("C360_TEST_GOODPUT", 50) as f64 / 100.0;
    let database = Database::demo(Backend::Postgres).await;
    let customers = members(&database.connection, 1000).await;
    let gateway = on_one_core(&database.url).await;
    load(&gateway, &customers, PEAK, false, seconds).await;
    let memory = gateway.memory();
    let (mut peak, tally) = load(&gateway, &customers, PEAK, false, seconds).await;
    let (mut shares, mut tallies) = (Vec::new(), vec![tally]);
    for _ in 0..ROUNDS {
        // Each would ask so often that all together ask for five times the peak; who is not answered yet cannot ask.
        let pause = Duration::from_secs_f64(many as f64 / (5.0 * peak));
        let (good, crowd) = load(&gateway, &customers, Volume { mixed: many, pause, ..PEAK }, true, seconds).await;
        // Who is answered is answered soon, whoever else waits.
        assert!(crowd.quantile(0.5) < Duration::from_millis(400), "half of them waited {:?}", crowd.quantile(0.5));
        assert!(crowd.slowest() < Duration::from_secs(5), "somebody waited {:?}", crowd.slowest());
        // Normal again at once: one after the other is answered.
        let (_, quiet) =
            load(&gateway, &customers, Volume { mixed: 1, ..PEAK }, false, Duration::from_millis(200)).await;
        assert_eq!(quiet.shed.load(SeqCst), 0, "it refuses when it has nothing to do");
        // The machine's speed changes, and the data grows: what it could do is what it could do before and after.
        let (after, tally) = load(&gateway, &customers, PEAK, false, seconds).await;
        assert_eq!(tally.shed.load(SeqCst), 0, "as many as it can work on at once are not too many");
        let share = good / ((peak + after) / 2.0);
        println!(
            "peak {peak:.0}/s; many more: {good:.0}/s, p50 {:.1?}, p99 {:.1?}, {} refused; peak {after:.0}/s, p50 {:.1?}: {:.0} %",
            crowd.quantile(0.5),
            crowd.quantile(0.99),
            crowd.shed.load(SeqCst),
            tally.quantile(0.5),
            100.0 * share
        );
        shares.push(share);
        tallies.extend([crowd, quiet, tally]);
        peak = after;
    }
    for tally in &tallies {
        tally.is_clean();
        let others = tally.failed.load(SeqCst) + tally.cut.load(SeqCst) + tally.not_connected.load(SeqCst);
        assert_eq!(others, 0, "{tally:?}");
        is_kept(tally, &database.connection).await;
    }
    let share = median(shares);
    let more = gateway.memory().saturating_sub(memory) / 1_000_000;
    println!("with many more than it can bear {:.0} % of the peak, {more} MB more memory", 100.0 * share);
    assert!(share >= least, "{share:.2} of the peak");
    assert!(more < 24 + many as u64 / 25, "{more} MB more than before");
    let figures = gateway.figures().await;
    assert!(figures.contains("c360_shed_total{reason=\"waited\"}"), "{figures}");
    for state in ["in_flight", "waiting", "at_the_door"] {
        assert!(figures.contains(&format!("c360_requests_now{{state=\"{state}\"}} 0\n")), "{figures}");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
