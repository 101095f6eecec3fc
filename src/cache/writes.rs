//! What a change touches, told to all gateways: that it comes, and that it has come.

use std::collections::BTreeSet;
use std::sync::Arc;

use sea_orm::DbErr;
use tokio::time::sleep;
use uuid::Uuid;

use super::Point;
use super::lease::{self, Serving, Standing, TERM};
use super::tables::{Rows, Tables};
use super::versions::{Authority, Key};
use crate::clock;
use crate::db::Transaction;
use crate::state::State;

/// What a transaction has written.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    tables: Tables,
}

impl Touched {
    /// Notes a statement that writes.
    pub fn statement(&mut self, text: &str) {
        self.tables = self.tables.and(Tables::in_text(text));
    }

    /// What has another version afterwards; `None` if that cannot be said: rows of customers were written, and it is not
    /// known of which.
    fn keys(&self, customers: &[Uuid]) -> Option<Vec<Key>> {
        if customers.is_empty() && self.tables.any(|rows| matches!(rows, Rows::OfCustomer | Rows::Finding)) {
            return None;
        }
        let customers: BTreeSet<Uuid> = customers.iter().copied().collect();
        Some(customers.into_iter().map(Key::Customer).chain(self.tables.versioned().map(Key::Table)).collect())
    }
}

/// What comes of telling that a change is about to be committed.
#[derive(Debug)]
pub enum Telling {
    /// It may be committed: from then on nobody serves what was before it.
    Told(Told),
    /// Not all who may serve what was before it could be told: [close caching](lease::close), and begin anew.
    Unheard(Serving),
}

/// A change of which everybody knows who has to, before its commit.
#[derive(Debug)]
pub struct Told(Option<Marks>);

/// The marks of a change. Where they are dropped, those in Redis stay, and whoever finds them looks into what has become
/// of the change.
#[derive(Debug)]
struct Marks {
    state: Arc<State>,
    authority: Authority,
    keys: Vec<Key>,
    mark: String,
    /// The transaction, until it is known that it is over.
    transaction: Option<u64>,
}

impl Drop for Marks {
    fn drop(&mut self) {
        let Authority::Memory(memory) = &self.authority else { return };
        let (memory, keys) = (memory.clone(), std::mem::take(&mut self.keys));
        let Some(transaction) = self.transaction.take() else { return memory.settle(&keys) };
        // The commit was not answered: it may still come.
        let state = self.state.clone();
        tokio::spawn(async move {
            while !has_ended(&state, transaction).await {
                sleep(TERM).await;
            }
            memory.settle(&keys);
        });
    }
}

async fn has_ended(state: &State, transaction: u64) -> bool {
    let Ok(db) = state.watch.connection().await else { return false };
    lease::is_over(db, transaction).await.unwrap_or(false)
}

/// Tells that a transaction is about to be committed.
///
/// # Errors
/// The database fails.
pub async fn tell(
    state: &Arc<State>,
    transaction: &mut Transaction,
    touched: &Touched,
    customers: &[Uuid],
) -> Result<Telling, DbErr> {
    let keys = touched.keys(customers);
    let marks = if keys.as_ref().is_some_and(Vec::is_empty) {
        None
    } else {
        let Standing { transaction: name, serving } = Standing::read(transaction).await?;
        let marks = match (&serving, keys) {
            (Serving::By(authority), Some(keys)) => mark(state, authority, keys, &name).await,
            _ => None,
        };
        if marks.is_none() && serving != Serving::Nobody {
            return Ok(Telling::Unheard(serving));
        }
        marks
    };
    match state.cache.points.pass(Point::BeforeCommit).await {
        true => Ok(Telling::Told(Told(marks))),
        false => Err(DbErr::Custom("stopped before the commit".into())),
    }
}

/// Marks what changes, if this gateway can tell that authority.
async fn mark(state: &Arc<State>, held: &str, keys: Vec<Key>, name: &str) -> Option<Marks> {
    let authority = state.cache.authority().await.filter(|authority| authority.name() == held)?;
    let mark = format!("{name}:{}", clock::random_id().simple());
    authority.mark(&keys, &mark).await.ok()?;
    Some(Marks { state: state.clone(), authority, keys, mark, transaction: name.parse().ok() })
}

impl Told {
    /// The transaction is over: gives what it touched new versions, so that answers are kept again.
    ///
    /// # Errors
    /// The protocol was stopped here.
    pub async fn settle(self, state: &State) -> Result<(), DbErr> {
        if !state.cache.points.pass(Point::BeforeSettle).await {
            return Err(DbErr::Custom("stopped after the commit".into()));
        }
        if let Some(mut marks) = self.0 {
            marks.transaction = None;
            if let Authority::Redis(link) = &marks.authority {
                _ = link.settle(&marks.keys, &marks.mark).await;
            }
        }
        state.cache.points.pass(Point::BeforeReturn).await;
        Ok(())
    }
}

/// Takes a mark away if the transaction that it names is over.
pub(super) async fn bury(state: &Arc<State>, authority: &Authority, key: Key, mark: &str) {
    let Some(transaction) = mark.split(':').next().and_then(|name| name.parse().ok()) else { return };
    let Ok(db) = state.watch.connection().await else { return };
    match lease::is_over(db, transaction).await {
        Ok(true) => {
            tracing::info!("a writer has died: what it changed is read anew");
            if let Authority::Redis(link) = authority {
                _ = link.settle(&[key], mark).await;
            }
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(error = crate::db::describe(&error), "a mark cannot be looked into"),
    }
}
