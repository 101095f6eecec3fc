//! Jobs: what is due at a time, and nobody asks for.
//!
//! Each job has one leader among the gateways ([`lease`]), which does what is due in batches ([`runner`]). A job is a line
//! of [`JOBS`]: a function that does at most so many of the things that are due and says how many it did, and a
//! statement that finds since when something is due. Nothing relies on a job having one leader but what says so: two
//! that do the same thing at the same time find it done.

mod lease;
mod runner;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;

use crate::config::Config;
use crate::domains::loyalty::due;
use crate::domains::tickets;
use crate::error::Fault;
use crate::events::seal;
use crate::state::State;
use crate::write;

pub use lease::{Held, Lease, held};
pub use runner::{Ran, by_hand, lag, run};

/// What is done when it is due.
#[derive(Debug)]
pub struct Job {
    /// What it is called, in figures and on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// How long it rests when nothing is left to do.
    pub pause: Duration,
    /// Whether events that were committed by this gateway end its rest.
    pub woken: bool,
    /// Most things that are done in one batch.
    pub limit: usize,
    /// A statement that gives since when something is due, as `due`; null if nothing is. `{now}` stands for the time.
    pub due: &'static str,
    /// How much later than the statement says things are due, by the settings; `None` if they never are.
    pub delay: fn(&Config) -> Option<TimeDelta>,
    /// Does a batch, and says how many things it did; as many as the limit if there may be more.
    pub run: for<'t> fn(Turn<'t>) -> Batch<'t>,
}

/// A batch that is being done.
pub type Batch<'t> = BoxFuture<'t, Result<usize, Fault>>;

/// A leader's turn to do a batch.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'t> {
    /// What all requests share.
    pub state: &'t Arc<State>,
    /// Under what name the lease is held, for jobs that must not go on when another leads.
    pub holder: &'t str,
    /// Most things to do.
    pub limit: usize,
}

/// What is due is due at once.
fn at_once(_: &Config) -> Option<TimeDelta> {
    Some(TimeDelta::zero())
}

/// All jobs.
pub static JOBS: &[Job] = &[
    Job {
        name: seal::JOB,
        about: "gives events their positions, and links each to the one before",
        // Other gateways commit, too, and nothing tells of it.
        pause: Duration::from_millis(250),
        woken: true,
        limit: 1_000,
        due: "SELECT MIN(recorded_at) AS due FROM events WHERE position IS NULL",
        delay: at_once,
        run: |turn| Box::pin(seal::seal(turn.state, turn.holder, turn.limit)),
    },
    Job {
        name: "prune",
        about: "forgets idempotency keys that have run out",
        pause: Duration::from_secs(60),
        woken: false,
        limit: 1_000,
        due: "SELECT MIN(expires_at) AS due FROM idempotency_records WHERE expires_at <= {now}",
        delay: at_once,
        run: |turn| Box::pin(write::prune(turn.state, turn.limit)),
    },
    Job {
        name: "activation",
        about: "makes pending points active whose orders can no longer be returned",
        pause: Duration::from_secs(30),
        woken: false,
        limit: 200,
        due: due::ACTIVATION,
        delay: at_once,
        run: |turn| Box::pin(due::activation(turn.state, turn.limit)),
    },
    Job {
        name: "expiry",
        about: "lets points expire",
        pause: Duration::from_secs(30),
        woken: false,
        limit: 200,
        due: due::EXPIRY,
        delay: at_once,
        run: |turn| Box::pin(due::expiry(turn.state, turn.limit)),
    },
    Job {
        name: "lapse",
        about: "gives points back that were held at a till and neither captured nor released",
        pause: Duration::from_secs(5),
        woken: false,
        limit: 200,
        due: due::LAPSE,
        delay: at_once,
        run: |turn| Box::pin(due::lapse(turn.state, turn.limit)),
    },
    Job {
        name: "tiers",
        about: "reviews the tiers of members",
        pause: Duration::from_secs(60),
        woken: false,
        limit: 200,
        due: due::TIERS,
        delay: at_once,
        run: |turn| Box::pin(due::tiers(turn.state, turn.limit)),
    },
    Job {
        name: "sla",
        about: "records promises to customers that were broken, and tells staff of them",
        pause: Duration::from_secs(5),
        woken: false,
        limit: 100,
        due: "SELECT MIN(due_at) AS due FROM sla_clocks WHERE status = 'RUNNING' AND due_at < {now}",
        delay: at_once,
        run: |turn| Box::pin(tickets::sla(turn.state, turn.limit)),
    },
    Job {
        name: "close",
        about: "closes tickets that were solved long ago",
        pause: Duration::from_secs(60),
        woken: false,
        limit: 100,
        due: "SELECT MIN(x.solved_at) AS due FROM tickets x JOIN customers c ON c.id = x.customer_id \
              WHERE x.status = 'SOLVED' AND c.status = 'ACTIVE' AND x.solved_at < {now}",
        delay: tickets::rest_of_solved,
        run: |turn| Box::pin(tickets::close(turn.state, turn.limit)),
    },
];

/// The job of a name.
pub fn named(name: &str) -> Option<&'static Job> {
    JOBS.iter().find(|job| job.name == name)
}
