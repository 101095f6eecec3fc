//! Reads that differ in nothing but the id that they start from share a statement.
//!
//! To set up a wide statement costs PostgreSQL a good part of what running it does, and so do the round trip and the wake-ups
//! around it. So whoever finds all readers busy joins those who wait for the same statement, and the next free reader
//! asks for all of them at once. Nobody waits in order to be joined. Each row says for which of them it is.
//! Nobody waits longer for a reader than for a connection.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use sea_orm::{ConnAcquireErr, DbErr, QueryResult, Value};
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use super::row;
use super::statement::ROOT_PARAMETER;
use crate::db::{self, Query, Trouble};
use crate::state::State;

/// Most ids of one statement: the first of them waits for the last.
const MOST: usize = 8;

/// Those who wait for a statement, in the order in which they came.
#[derive(Debug, Default)]
pub struct Batches(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Batch>,
    /// How many readers are at work.
    readers: usize,
}

/// Those who wait for the same statement.
#[derive(Debug)]
struct Batch {
    query: Query,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    id: Uuid,
    /// Told when a reader begins with it.
    begun: oneshot::Sender<()>,
    answer: Answer,
}

/// To whom the rows go.
type Answer = oneshot::Sender<Result<Vec<QueryResult>, Failed>>;

/// Why a statement failed, and for how many.
#[derive(Debug)]
struct Failed {
    error: DbErr,
    number: usize,
}

/// The rows of a statement that [takes ids](super::statement), for one of them.
///
/// # Errors
/// As the database fails.
pub(crate) async fn rows(state: &Arc<State>, query: &Query, id: Uuid) -> Result<Vec<QueryResult>, DbErr> {
    let (begun, begins) = oneshot::channel();
    let (answer, answered) = oneshot::channel();
    state.batches.join(state, query, Waiting { id, begun, answer });
    // As long as anybody waits for a connection.
    if timeout(Duration::from_millis(state.config.database.acquire_timeout_ms), begins).await.is_err() {
        let error = DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        state.metrics.statement_failed(db::trouble(&error).as_str());
        return Err(error);
    }
    match answered.await {
        Ok(Err(Failed { error, number: 2.. })) if is_for_one(db::trouble(&error)) => {
            state.read(asking(query, &[id])).await
        }
        Ok(rows) => rows.map_err(|failed| failed.error),
        Err(_) => Err(DbErr::Custom("a reader was lost".to_owned())),
    }
}

/// Whether what failed for several may be good for each of them alone: together they took too long, or one of them is
/// too much for the database.
fn is_for_one(trouble: Trouble) -> bool {
    !matches!(trouble, Trouble::Pool | Trouble::Unavailable)
}

/// The statement for these ids.
fn asking(query: &Query, ids: &[Uuid]) -> Query {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let mut query = query.clone();
    query.values[ROOT_PARAMETER] = Value::from(format!("{{{}}}", ids.join(",")));
    query
}

impl Batches {
    fn join(&self, state: &Arc<State>, query: &Query, waiting: Waiting) {
        let mut queue = self.queue();
        // Those who have left make room.
        queue.waiting.iter_mut().for_each(|batch| batch.waiting.retain(|one| !one.answer.is_closed()));
        queue.waiting.retain(|batch| !batch.waiting.is_empty());
        let same = |batch: &&mut Batch| Arc::ptr_eq(&batch.query.text, &query.text) && batch.waiting.len() < MOST;
        if let Some(batch) = queue.waiting.iter_mut().find(same) {
            return batch.waiting.push(waiting);
        }
        queue.waiting.push_back(Batch { query: query.clone(), waiting: vec![waiting] });
        if queue.readers < state.kept.readers() {
            queue.readers += 1;
            tokio::spawn(read(state.clone()));
        }
    }

    /// Whom a reader asks for next; without anybody, there is one reader less.
    fn next(&self) -> Option<Batch> {
        let mut queue = self.queue();
        let next = queue.waiting.pop_front();
        queue.readers -= usize::from(next.is_none());
        next
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader: asks the database for those who wait, until nobody does.
async fn read(state: Arc<State>) {
    while let Some(batch) = state.batches.next() {
        // Whatever becomes of one batch, the reader goes on. Those whose answer is lost hear of that.
        if AssertUnwindSafe(batch.run(&state)).catch_unwind().await.is_err() {
            tracing::error!("a reader panicked");
        }
    }
}

impl Batch {
    async fn run(self, state: &State) {
        let Self { query, waiting } = self;
        let mut there = Vec::with_capacity(waiting.len());
        for Waiting { id, begun, answer } in waiting {
            if begun.send(()).is_ok() {
                there.push((id, answer));
            }
        }
        if there.is_empty() {
            return;
        }
        let ids: Vec<Uuid> = there.iter().map(|(id, _)| *id).collect();
        let rows = tokio::select! {
            rows = state.read(asking(&query, &ids)) => rows,
            // Nobody waits any more: the connection comes back with what it was asked unfinished, which ends that.
            () = all_gone(&mut there) => return,
        };
        let number = there.len();
        match rows.and_then(|rows| sorted(rows, number)) {
            Ok(parts) => there.into_iter().zip(parts).for_each(|((_, answer), rows)| _ = answer.send(Ok(rows))),
            Err(error) => {
                let failed = || Failed { error: error.clone(), number };
                there.into_iter().for_each(|(_, answer)| _ = answer.send(Err(failed())));
            }
        }
    }
}

async fn all_gone(there: &mut [(Uuid, Answer)]) {
    for (_, answer) in there {
        answer.closed().await;
    }
}

/// The rows for each of so many.
fn sorted(rows: Vec<QueryResult>, number: usize) -> Result<Vec<Vec<QueryResult>>, DbErr> {
    let mut parts: Vec<Vec<QueryResult>> = (0..number).map(|_| Vec::with_capacity(rows.len() / number)).collect();
    for row in rows {
        let part = usize::try_from(row::place(&row)?).ok().and_then(|place| parts.get_mut(place.checked_sub(1)?));
        part.ok_or_else(row::cut_off)?.push(row);
    }
    Ok(parts)
}
