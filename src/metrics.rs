//! Figures for operators, in the words of Prometheus. What each means stands in `docs/operations.md`.

mod process;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Most operations that have a name of their own in the figures; the others are `other`.
const MOST_OPERATIONS: usize = 200;
const LONGEST_NAME: usize = 100;

/// Upper bounds of the classes of requests and of statements, in seconds.
const REQUESTS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
const STATEMENTS: [f64; 10] = [0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

type Timings<L> = Family<L, Histogram, fn() -> Histogram>;

/// All figures of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<ByOutcome, Counter>,
    durations: Timings<ByOperation>,
    errors: Family<ByCode, Counter>,
    names: RwLock<HashSet<Arc<str>>>,
    other: Arc<str>,
    statements: Histogram,
    statements_failed: Family<ByReason, Counter>,
    pool: Family<ByState, Gauge>,
    in_flight: Gauge,
    pool_waits: Counter,
    pool_timeouts: Counter,
    refusals: Family<ByReason, Counter>,
    throttled: Family<ByCaller, Counter>,
    admitted: Family<ByState, Gauge>,
    shed: Family<ByReason, Counter>,
    tokens: Family<ByResult, Counter>,
    jwks_fetches: Family<ByResult, Counter>,
    cached: Family<ByCached, Counter>,
    cached_bytes: Gauge,
    connections: Gauge,
    connections_taken: Counter,
    job_lag: Family<ByJob, Gauge<f64, AtomicU64>>,
    job_led: Family<ByJob, Gauge>,
    job_runs: Family<ByJobResult, Counter>,
    job_done: Family<ByJob, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    r#type: &'static str,
    status: u16,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOperation {
    operation: Arc<str>,
    r#type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCached {
    result: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByState {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCaller {
    caller: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByJob {
    job: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByJobResult {
    job: &'static str,
    result: &'static str,
}

/// What an operation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// It was refused before that was known, or the request is not GraphQL.
    #[default]
    None,
    /// A query.
    Query,
    /// A mutation.
    Mutation,
    /// A subscription.
    Subscription,
}

impl Kind {
    /// As it stands in figures, logs and traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered in full.
    Ok,
    /// It ran, and at least one field is missing from the answer.
    Errors,
    /// It did not run.
    Refused,
    /// The client left before it was answered.
    Gone,
}

impl Outcome {
    /// As it stands in figures and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Errors => "errors",
            Self::Refused => "refused",
            Self::Gone => "gone",
        }
    }
}

/// The database's connections, at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pool {
    /// Most connections that it may hold.
    pub max: u32,
    /// Connections that it holds.
    pub size: u32,
    /// Those that nobody uses.
    pub idle: u32,
}

impl Pool {
    /// The same with more that nobody uses.
    #[must_use]
    pub fn and_idle(self, more: u32) -> Self {
        // The driver's own count is below nothing for a moment, now and then.
        Self { idle: self.idle.saturating_add(more).min(self.size), ..self }
    }

    /// Whether whoever comes next has to wait.
    pub fn is_exhausted(self) -> bool {
        self.idle == 0 && self.size >= self.max
    }
}

impl Metrics {
    /// All figures at zero, of a process that started at `started`.
    pub fn new(started: DateTime<Utc>) -> Self {
        let requests: fn() -> Histogram = || Histogram::new(REQUESTS);
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(requests),
            errors: Family::default(),
            names: RwLock::default(),
            other: "other".into(),
            statements: Histogram::new(STATEMENTS),
            statements_failed: Family::default(),
            pool: Family::default(),
            in_flight: Gauge::default(),
            pool_waits: Counter::default(),
            pool_timeouts: Counter::default(),
            refusals: Family::default(),
            throttled: Family::default(),
            admitted: Family::default(),
            shed: Family::default(),
            tokens: Family::default(),
            jwks_fetches: Family::default(),
            cached: Family::default(),
            cached_bytes: Gauge::default(),
            connections: Gauge::default(),
            connections_taken: Counter::default(),
            job_lag: Family::default(),
            job_led: Family::default(),
            job_runs: Family::default(),
            job_done: Family::default(),
        };
        metrics.register();
        metrics.registry.register_collector(Box::new(process::Process::new(started)));
        metrics
    }

    fn register(&mut self) {
        let c360 = self.registry.sub_registry_with_prefix("c360");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        c360.register("build", "The build that runs", build);
        c360.register("requests", "Requests answered, by type, HTTP status and outcome", self.requests.clone());
        c360.register_with_unit(
            "request_duration",
            "Time from a request's head to its answer, by operation",
            Unit::Seconds,
            self.durations.clone(),
        );
        c360.register("errors", "Errors in answers, by code", self.errors.clone());
        c360.register_with_unit(
            "statement_duration",
            "Time of a statement with the wait for a connection",
            Unit::Seconds,
            self.statements.clone(),
        );
        c360.register("statement_failures", "Statements that failed, by reason", self.statements_failed.clone());
        c360.register("pool_connections", "Connections to the database, by state", self.pool.clone());
        c360.register("statements_in_flight", "Statements that run or wait for a connection", self.in_flight.clone());
        c360.register("pool_waits", "Statements that found every connection in use", self.pool_waits.clone());
        c360.register("pool_timeouts", "Statements that got no connection in time", self.pool_timeouts.clone());
        c360.register("guard_refusals", "Documents refused before they ran, by reason", self.refusals.clone());
        c360.register("throttled", "Requests refused for their caller's cost, by caller", self.throttled.clone());
        c360.register("requests_now", "Requests in flight and waiting for their turn", self.admitted.clone());
        c360.register("shed", "Requests refused because the gateway has enough to do, by reason", self.shed.clone());
        c360.register("tokens", "Tokens that were shown, by what became of them", self.tokens.clone());
        c360.register("jwks_fetches", "Fetches of signing keys, by result", self.jwks_fetches.clone());
        c360.register("cache_answers", "Answers about a customer, by where they are from", self.cached.clone());
        c360.register_with_unit("cache", "Memory of answers that are kept", Unit::Bytes, self.cached_bytes.clone());
        c360.register("connections", "Clients' connections that are open", self.connections.clone());
        c360.register("connections_taken", "Clients' connections taken", self.connections_taken.clone());
        c360.register_with_unit("job_lag", "For how long something has been due", Unit::Seconds, self.job_lag.clone());
        c360.register("job_led", "Whether this gateway leads a job", self.job_led.clone());
        c360.register("job_runs", "Batches of jobs, by what became of them", self.job_runs.clone());
        c360.register("job_done", "Things that jobs have done", self.job_done.clone());
    }

    /// A request was answered. `operation` is the name in a document that was found good to run.
    pub fn request(&self, operation: Option<&str>, kind: Kind, status: u16, outcome: Outcome, elapsed: Duration) {
        let r#type = kind.as_str();
        self.requests.get_or_create(&ByOutcome { r#type, status, outcome: outcome.as_str() }).inc();
        let labels = ByOperation { operation: self.name(operation), r#type };
        self.durations.get_or_create(&labels).observe(elapsed.as_secs_f64());
    }

    /// The operation's name, as long as there is room for it.
    fn name(&self, operation: Option<&str>) -> Arc<str> {
        let operation = operation.unwrap_or("anonymous");
        {
            let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(name) = names.get(operation) {
                return name.clone();
            }
            if names.len() >= MOST_OPERATIONS || operation.len() > LONGEST_NAME {
                return self.other.clone();
            }
        }
        let name: Arc<str> = operation.into();
        self.names.write().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        name
    }

    /// An error stands in an answer.
    pub fn error(&self, code: &'static str) {
        self.errors.get_or_create(&ByCode { code }).inc();
    }

    /// A statement starts, over this pool. What is given back counts its end.
    pub fn statement(&self, pool: Pool) -> Statement<'_> {
        if pool.is_exhausted() {
            self.pool_waits.inc();
        }
        self.in_flight.inc();
        Statement { metrics: self, started: std::time::Instant::now() }
    }

    /// A statement failed, perhaps before it began: `timeout`, `unavailable`, `pool` (no connection in time) or `other`.
    pub fn statement_failed(&self, reason: &'static str) {
        if reason == "pool" {
            self.pool_timeouts.inc();
        }
        self.statements_failed.get_or_create(&ByReason { reason }).inc();
    }

    /// A document was refused before it ran.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&ByReason { reason }).inc();
    }

    /// A request was refused for what its caller had used up: `staff`, `customer`, `partner`.
    pub fn throttled(&self, caller: &'static str) {
        self.throttled.get_or_create(&ByCaller { caller }).inc();
    }

    /// An answer about a customer was had: `hit`, `miss` or `bypass`, the last with the reason.
    pub fn cached(&self, result: &'static str, reason: &'static str) {
        self.cached.get_or_create(&ByCached { result, reason }).inc();
    }

    /// How much memory the answers take that are kept.
    pub fn cached_bytes(&self, bytes: u64) {
        self.cached_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// A request was refused because the gateway has enough to do.
    pub fn shed(&self, reason: &'static str) {
        self.shed.get_or_create(&ByReason { reason }).inc();
    }

    /// How many requests are worked on, wait for a place, and wait at the door.
    pub fn load(&self, in_flight: usize, waiting: usize, at_the_door: usize) {
        for (state, number) in [("in_flight", in_flight), ("waiting", waiting), ("at_the_door", at_the_door)] {
            self.admitted.get_or_create(&ByState { state }).set(i64::try_from(number).unwrap_or(i64::MAX));
        }
    }

    /// A client connected. It is counted as open until what is given back is dropped.
    pub fn connected(&self) -> Connected {
        self.connections_taken.inc();
        self.connections.inc();
        Connected(self.connections.clone())
    }

    /// How many clients' connections are open.
    pub fn connections(&self) -> i64 {
        self.connections.get()
    }

    /// Whether this gateway leads a job.
    pub fn job_led(&self, job: &'static str, led: bool) {
        self.job_led.get_or_create(&ByJob { job }).set(led.into());
    }

    /// For how many seconds something has been due.
    pub fn job_lag(&self, job: &'static str, seconds: f64) {
        self.job_lag.get_or_create(&ByJob { job }).set(seconds);
    }

    /// A batch of a job went well, and did so many things.
    pub fn job_ran(&self, job: &'static str, done: usize) {
        self.job_runs.get_or_create(&ByJobResult { job, result: "ok" }).inc();
        self.job_done.get_or_create(&ByJob { job }).inc_by(u64::try_from(done).unwrap_or(u64::MAX));
    }

    /// A batch of a job failed.
    pub fn job_failed(&self, job: &'static str) {
        self.job_runs.get_or_create(&ByJobResult { job, result: "failed" }).inc();
    }

    /// What has been counted elsewhere: tokens and fetches of keys, by result.
    pub fn trust(&self, tokens: &[(&'static str, u64)], fetches: &[(&'static str, u64)]) {
        for (family, counted) in [(&self.tokens, tokens), (&self.jwks_fetches, fetches)] {
            for (result, count) in counted {
                family.get_or_create(&ByResult { result }).inner().store(*count, Ordering::Relaxed);
            }
        }
    }

    /// Everything as text, in the OpenMetrics format.
    ///
    /// # Errors
    /// A collector fails.
    pub fn text(&self, pool: Pool) -> Result<String, std::fmt::Error> {
        let gauge = |state, value: u32| self.pool.get_or_create(&ByState { state }).set(i64::from(value));
        gauge("max", pool.max);
        gauge("idle", pool.idle);
        gauge("in_use", pool.size.saturating_sub(pool.idle));
        let mut out = String::with_capacity(16 * 1024);
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

/// A statement that runs.
#[derive(Debug)]
pub struct Statement<'m> {
    metrics: &'m Metrics,
    started: std::time::Instant,
}

impl Statement<'_> {
    /// It failed: `timeout`, `unavailable`, `pool` (no connection in time) or `other`.
    pub fn failed(&self, reason: &'static str) {
        self.metrics.statement_failed(reason);
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        self.metrics.statements.observe(self.started.elapsed().as_secs_f64());
    }
}

/// A client's connection that is open.
#[derive(Debug)]
pub struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_the_driver_that_is_below_nothing_hurts_nobody() {
        let pool = Pool { max: 8, size: 3, idle: u32::MAX };
        assert_eq!(pool.and_idle(2).idle, 3);
    }

    #[test]
    fn only_so_many_operations_have_a_name_of_their_own() {
        let metrics = Metrics::new(DateTime::UNIX_EPOCH);
        for number in 0..2 * MOST_OPERATIONS {
            let name = format!("operation{number}");
            metrics.request(Some(&name), Kind::Query, 200, Outcome::Ok, Duration::from_millis(3));
        }
        let text = metrics.text(Pool::default()).unwrap();
        let named = text.lines().filter(|line| line.starts_with("c360_request_duration_seconds_count")).count();
        assert_eq!(named, MOST_OPERATIONS + 1, "{text}");
        assert!(text.contains(r#"c360_request_duration_seconds_count{operation="other",type="query"} 200"#), "{text}");
    }

    #[test]
    fn what_has_no_connection_yet_is_seen() {
        let metrics = Metrics::new(DateTime::UNIX_EPOCH);
        let pool = Pool { max: 2, size: 2, idle: 0 };
        {
            let statement = metrics.statement(pool);
            statement.failed("pool");
            assert!(metrics.text(pool).unwrap().contains("c360_statements_in_flight 1"));
        }
        let text = metrics.text(pool).unwrap();
        for line in [
            "c360_statements_in_flight 0",
            "c360_pool_waits_total 1",
            "c360_pool_timeouts_total 1",
            r#"c360_pool_connections{state="in_use"} 2"#,
            "c360_statement_duration_seconds_count 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
