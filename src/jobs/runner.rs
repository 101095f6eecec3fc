//! Running jobs: in a gateway, for as long as it serves; or one of them by hand.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, DbErr};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::lease::{Lease, RENEWAL, held};
use super::{JOBS, Job, Turn};
use crate::db;
use crate::error::Fault;
use crate::read::Sql;
use crate::state::State;

/// How long events are gathered before a job that they wake begins: many commits, one batch.
const GATHERING: Duration = Duration::from_millis(20);
/// The rest after a failure, doubled with each that follows, up to the longest.
const SHORTEST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// Runs all jobs until the gateway finishes: then each ends its batch and gives its lease back.
pub async fn run(state: Arc<State>) {
    let mut presence = state.shutdown.join();
    let (stop, stopping) = watch::channel(false);
    let attended: Vec<_> = JOBS.iter().map(|job| tokio::spawn(attend(job, state.clone(), stopping.clone()))).collect();
    presence.draining().await;
    stop.send_replace(true);
    join_all(attended).await;
}

/// One job, led by this gateway whenever no other does.
async fn attend(job: &'static Job, state: Arc<State>, stopping: watch::Receiver<bool>) {
    let lease = Lease::on(job.name);
    let (good_until, mut leads) = watch::channel(None);
    let (finished, mut end) = watch::channel(false);
    let working = async {
        work(job, &state, &lease.holder, &mut leads, stopping).await;
        finished.send_replace(true);
    };
    let keeping = async {
        while !*end.borrow() {
            keep(job, &state, &lease, &good_until).await;
            tokio::select! {
                () = sleep(RENEWAL) => {}
                () = is_set(&mut end) => {}
            }
        }
    };
    // Apart from one another: the lease goes on while a batch is being done.
    tokio::join!(working, keeping);
    if good_until.borrow().is_some()
        && let Err(error) = lease.give_back(&state).await
    {
        tracing::warn!(job = job.name, error = db::describe(&error), "a lease could not be given back");
    }
    state.metrics.job_led(job.name, false);
}

/// Takes or renews the lease, and looks how late the job is.
async fn keep(job: &Job, state: &State, lease: &Lease, good_until: &watch::Sender<Option<Instant>>) {
    let led = good_until.borrow().is_some();
    let until = match lease.take(state).await {
        Ok(until) => until,
        Err(error) => {
            tracing::warn!(job = job.name, error = db::describe(&error), "whether this gateway leads cannot be known");
            good_until.borrow().filter(|until| *until > Instant::now())
        }
    };
    match (led, until.is_some()) {
        (false, true) => tracing::info!(job = job.name, holder = lease.holder, "this gateway leads"),
        (true, false) => tracing::warn!(job = job.name, "this gateway does not lead any more"),
        _ => {}
    }
    good_until.send_replace(until);
    state.metrics.job_led(job.name, until.is_some());
    match lag(job, state).await {
        Ok(lag) => state.metrics.job_lag(job.name, lag),
        Err(error) => tracing::warn!(job = job.name, error = db::describe(&error), "how late it is cannot be known"),
    }
}

/// Does what is due whenever this gateway leads, until it is time to stop.
async fn work(
    job: &'static Job,
    state: &Arc<State>,
    holder: &str,
    leads: &mut watch::Receiver<Option<Instant>>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut committed = state.writers.committed.subscribe();
    let mut failures = 0;
    loop {
        tokio::select! {
            biased;
            () = is_set(&mut stopping) => return,
            _ = leads.wait_for(|until| until.is_some_and(|until| until > Instant::now())) => {}
        }
        committed.mark_unchanged();
        let rest = match batch(job, state, holder).await {
            Ok(done) if done >= job.limit => {
                failures = 0;
                continue;
            }
            Ok(_) => {
                failures = 0;
                job.pause
            }
            Err(_) => {
                failures += 1;
                backoff(failures)
            }
        };
        tokio::select! {
            biased;
            () = is_set(&mut stopping) => return,
            () = gathered(&mut committed), if job.woken && failures == 0 => {}
            () = sleep(rest) => {}
        }
    }
}

/// Ends when the flag is set.
async fn is_set(flag: &mut watch::Receiver<bool>) {
    // Without a sender there is nobody left to go on for.
    let _ = flag.wait_for(|set| *set).await;
}

/// Ends a moment after events were committed.
async fn gathered(committed: &mut watch::Receiver<()>) {
    let _ = committed.changed().await;
    sleep(GATHERING).await;
}

fn backoff(failures: u32) -> Duration {
    LONGEST_BACKOFF.min(SHORTEST_BACKOFF * 2_u32.pow(failures.min(10).saturating_sub(1)))
}

/// One batch, counted. It runs in a task of its own: a panic ends nothing but the batch.
async fn batch(job: &'static Job, state: &Arc<State>, holder: &str) -> Result<usize, Fault> {
    let (own, holder) = (state.clone(), holder.to_owned());
    let task = tokio::spawn(async move { (job.run)(Turn { state: &own, holder: &holder, limit: job.limit }).await });
    let outcome = task.await.unwrap_or_else(|_| {
        tracing::error!(job = job.name, "a job panicked");
        Err(Fault::internal())
    });
    match &outcome {
        Ok(done) => state.metrics.job_ran(job.name, *done),
        Err(fault) => {
            state.metrics.job_failed(job.name);
            tracing::error!(job = job.name, code = fault.code.as_str(), "a job failed; it is tried again");
        }
    }
    outcome
}

/// For how many seconds the oldest thing has been due.
///
/// # Errors
/// The database fails.
pub async fn lag(job: &Job, state: &State) -> Result<f64, DbErr> {
    let Some(delay) = (job.delay)(&state.config) else { return Ok(0.0) };
    let now = state.clock.now() - delay;
    let mut sql = Sql::new(state.db.get_database_backend());
    let parts: Vec<&str> = job.due.split("{now}").collect();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            sql.bind(now);
        }
        sql.push(part);
    }
    let row = db::in_time(&state.config.database, state.db.query_one_raw(sql.finish())).await?;
    let due: Option<DateTime<Utc>> = row.map(|row| row.try_get("", "due")).transpose()?.flatten();
    Ok(due.map_or(0.0, |due| (now - due).as_seconds_f64().max(0.0)))
}

/// What came of running a job by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// All that was due is done: so many things.
    Done(usize),
    /// Somebody else leads it.
    Led(super::Held),
}

/// Does all that is due of one job, unless a gateway leads it.
///
/// # Errors
/// The job fails.
pub async fn by_hand(state: &Arc<State>, job: &'static Job) -> Result<Ran, Fault> {
    let lease = Lease::on(job.name);
    let mut all = 0;
    loop {
        if lease.take(state).await?.is_none() {
            if let Some(other) = held(state).await?.into_iter().find(|held| held.job == job.name) {
                return Ok(Ran::Led(other));
            }
            continue;
        }
        match batch(job, state, &lease.holder).await {
            Ok(done) => {
                all += done;
                if done >= job.limit {
                    continue;
                }
                lease.give_back(state).await?;
                return Ok(Ran::Done(all));
            }
            Err(fault) => {
                lease.give_back(state).await?;
                return Err(fault);
            }
        }
    }
}
