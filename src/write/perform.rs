//! Carrying an action out: once, whole, and whatever becomes of whoever asked for it.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_graphql::{Context, InputType};
use sea_orm::{DatabaseConnection, DbBackend};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::idempotency::{Keyed, Known};
use super::queue::Write;
use super::setbacks::Setbacks;
use super::tx::{Author, Tx, stop};
use super::{Outcome, Payload, Problem, Stop};
use crate::db;
use crate::error::Fault;
use crate::scope::Scope;
use crate::state::State;

/// How long a repetition waits for the first one.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(15);
/// How often an action is tried anew after it got in another one's way.
const ATTEMPTS: u32 = 8;

/// Changes that belong together.
pub trait Work: Send + Sync {
    /// The ids of what was made or changed.
    type Made: Send + Sync + 'static;

    /// Makes the changes. It may be run several times, each time in a new transaction.
    ///
    /// # Errors
    /// A refusal or a fault; then nothing is changed.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Outcome<Self::Made>> + Send;
}

/// What a mutation does; implemented by its input.
pub trait Action: Work<Made: Serialize + DeserializeOwned> + InputType + 'static {
    /// The mutation's name in the schema.
    const NAME: &'static str;

    /// What makes a repetition known.
    fn idempotency_key(&self) -> Option<&str> {
        None
    }
}

/// What those who write share.
#[derive(Debug, Default)]
pub struct Writers {
    /// SQLite has one writer at a time: the others wait here, without a connection.
    turn: Mutex<()>,
    /// The keys that this gateway is working on.
    keys: std::sync::Mutex<HashSet<String>>,
    /// What jobs failed at.
    pub setbacks: Setbacks,
    /// Changes when events were committed.
    pub committed: watch::Sender<()>,
}

impl Writers {
    /// The turn to write, where there is one writer at a time.
    pub(crate) async fn turn(&self, db: &DatabaseConnection) -> Option<MutexGuard<'_, ()>> {
        match db.get_database_backend() {
            DbBackend::Sqlite => Some(self.turn.lock().await),
            _ => None,
        }
    }
}

/// Carries out a mutation, and makes its payload.
///
/// It runs in a task of its own: when the client leaves or the deadline passes, it is finished all the same.
///
/// # Errors
/// A fault.
pub async fn perform<A: Action, P: Payload<A::Made>>(ctx: &Context<'_>, action: A) -> async_graphql::Result<Option<P>> {
    let scope = ctx.data_unchecked::<Scope>().clone();
    let presence = scope.state().shutdown.join();
    let task = tokio::spawn(
        async move {
            let _presence = presence;
            once(&scope, &action).await
        }
        .in_current_span(),
    );
    let outcome = task.await.unwrap_or_else(|_| {
        tracing::error!(mutation = A::NAME, "a mutation panicked");
        Err(Stop::Fault(Fault::internal()))
    });
    Ok(Some(P::of(match outcome {
        Ok(made) => Ok(made),
        Err(Stop::Refused(refusal)) => Err(*refusal),
        Err(Stop::Again) => return Err(too_busy().into()),
        Err(Stop::Fault(fault)) => return Err(fault.into()),
    })?))
}

/// Carries out changes that nobody has asked for but the time.
///
/// # Errors
/// A fault; a refusal is one, too, because nobody is there to read it.
pub async fn system<W: Work>(state: &Arc<State>, job: &'static str, work: &W) -> Result<W::Made, Fault> {
    for _ in 0..ATTEMPTS {
        let mut tx = begin(state, Author::Job(job)).await.map_err(fault)?;
        let done = match work.run(&mut tx.tx).await {
            Ok(made) => tx.commit(None).await.map(|()| made),
            Err(stop) => Err(stop),
        };
        match done {
            Err(Stop::Again) => sleep(PAUSE).await,
            done => return done.map_err(fault),
        }
    }
    Err(too_busy())
}

fn fault(stop: Stop) -> Fault {
    match stop {
        Stop::Fault(fault) => fault,
        Stop::Again => too_busy(),
        Stop::Refused(refusal) => {
            tracing::error!(problem = ?refusal.problem, "a job was refused");
            Fault::internal()
        }
    }
}

fn too_busy() -> Fault {
    Fault::new(crate::error::Code::Unavailable, "others change the same at this moment; try again")
}

/// Has one effect for each key. A repetition waits for the first one in memory, and gets what that has made.
async fn once<A: Action>(scope: &Scope, action: &A) -> Outcome<A::Made> {
    let keyed = Keyed::of(scope.caller(), action)?;
    let (started, mut clashes) = (Instant::now(), 0);
    loop {
        match attempt(scope, action, keyed.as_ref()).await {
            Ok(Some(made)) => return Ok(made),
            Ok(None) if started.elapsed() < PATIENCE => {}
            Ok(None) => {
                let message = "the first request with this key is still under way: send it again in a moment";
                return Err(Problem::IdempotencyConcurrentRequest.at("idempotencyKey", message).into());
            }
            Err(Stop::Again) if clashes < ATTEMPTS => clashes += 1,
            Err(stop) => return Err(stop),
        }
        sleep(PAUSE).await;
    }
}

/// One transaction; `None` if somebody else is at it.
async fn attempt<A: Action>(scope: &Scope, action: &A, keyed: Option<&Keyed>) -> Outcome<Option<A::Made>> {
    let state = scope.state();
    let Some(keyed) = keyed else {
        let mut tx = begin(state, Author::Caller(scope.clone())).await?;
        let made = action.run(&mut tx.tx).await?;
        return tx.commit(None).await.map(|()| Some(made));
    };
    let Some(_mine) = InFlight::enter(state, keyed.in_flight()) else { return Ok(None) };
    let mut tx = begin(state, Author::Caller(scope.clone())).await?;
    match keyed.take(&mut tx.tx).await? {
        Known::Busy => Ok(None),
        Known::Made(made) => Ok(Some(made)),
        Known::New => match action.run(&mut tx.tx).await {
            Ok(made) => {
                let record = keyed.record(&tx.tx, &made)?;
                tx.commit(Some(record)).await.map(|()| Some(made))
            }
            // What was made just before the key was this transaction's may be why nothing more can be made.
            Err(Stop::Refused(refusal)) => {
                tx.tx.forget();
                match keyed.known(&mut tx.tx).await? {
                    Some(made) => Ok(Some(made)),
                    None => Err(Stop::Refused(refusal)),
                }
            }
            Err(stop) => Err(stop),
        },
    }
}

/// A transaction, and the turn that SQLite's only writer has.
struct Begun<'s> {
    tx: Tx,
    state: &'s Arc<State>,
    _turn: Option<MutexGuard<'s, ()>>,
}

impl Begun<'_> {
    async fn commit(self, record: Option<Write>) -> Outcome<()> {
        if self.tx.commit(record).await? {
            self.state.writers.committed.send_replace(());
        }
        Ok(())
    }
}

async fn begin(state: &Arc<State>, author: Author) -> Outcome<Begun<'_>> {
    let turn = state.writers.turn(&state.db).await;
    let until = match &author {
        Author::Caller(scope) => Some(scope.until()),
        Author::Job(_) => None,
    };
    let transaction = db::Transaction::begin(&state.db, &state.config.database, until).await.map_err(stop)?;
    Ok(Begun { tx: Tx::new(state.clone(), author, transaction), state, _turn: turn })
}

/// A key that this gateway is working on, until it is dropped.
struct InFlight<'s> {
    state: &'s State,
    key: String,
}

impl<'s> InFlight<'s> {
    fn enter(state: &'s State, key: String) -> Option<Self> {
        let mut keys = state.writers.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone()).then(|| Self { state, key })
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.state.writers.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
