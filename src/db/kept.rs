//! Connections to PostgreSQL that go from one reader to the next.
//!
//! The pool asks each connection that comes back whether it still answers, which is a round trip for every statement. A
//! connection that has answered in full does: it is kept here for the next who reads. One whose answer was not taken to its
//! end goes back to the pool, which makes it ready or closes it. Half of the pool's connections at most are kept, so
//! that those who write always have the others.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{
    ConnAcquireErr, ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, Value,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::session::{Session, met_a_dead_connection};
use super::transaction::patience;
use crate::config;

/// A statement that reads.
#[derive(Clone, Debug)]
pub struct Query {
    /// Its text, which many share.
    pub text: Arc<str>,
    /// Its parameters.
    pub values: Vec<Value>,
}

impl From<Statement> for Query {
    fn from(statement: Statement) -> Self {
        Self { text: statement.sql.into(), values: statement.values.map_or_else(Vec::new, |values| values.0) }
    }
}

/// Connections that wait for a reader.
#[derive(Debug)]
pub struct Kept {
    idle: Mutex<Vec<Session>>,
    most: u32,
    /// As many readers as connections may be kept.
    room: Semaphore,
    settings: config::Database,
}

impl Kept {
    /// None yet, of the pool of `db`.
    pub fn new(db: &DatabaseConnection, settings: &config::Database) -> Self {
        let most = match db.get_database_backend() {
            DbBackend::Postgres => db.get_postgres_connection_pool().options().get_max_connections() / 2,
            _ => 0,
        };
        Self { idle: Mutex::default(), most, room: Semaphore::new(most as usize), settings: settings.clone() }
    }

    /// How many wait.
    pub fn idle(&self) -> u32 {
        self.connections(|idle| u32::try_from(idle.len()).unwrap_or(u32::MAX))
    }

    /// How many ask at once for those who share statements: a quarter of the pool's connections. The
    /// fewer they are, the more share one; a single one would let the database wait for the gateway.
    pub fn readers(&self) -> usize {
        (self.most / 2).max(2).min(self.most.max(1)) as usize
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// No connection becomes free in time, or the database fails.
    pub async fn rows(&self, db: &DatabaseConnection, query: Query) -> Result<Vec<QueryResult>, DbErr> {
        let Query { text, values } = query;
        let backend = db.get_database_backend();
        if backend != DbBackend::Postgres {
            return db.query_all_raw(Statement::from_sql_and_values(backend, &*text, values)).await;
        }
        // A pool's only connection belongs to all.
        let keeps = self.most > 0;
        let wait = Duration::from_millis(self.settings.acquire_timeout_ms);
        let room = timeout(wait, async { if keeps { self.room.acquire().await.ok() } else { None } }).await;
        let Ok(_room) = room else { return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) };
        // Those that died while they lay here or in the pool, as all do when the database is started anew.
        let mut dead = self.settings.max_connections;
        loop {
            let mut session = match self.connections(Vec::pop) {
                Some(session) => session,
                None => Session::take(db.get_postgres_connection_pool()).await?,
            };
            match session.rows(&text, &values, Instant::now() + patience(&self.settings)).await {
                Ok(rows) => {
                    if keeps {
                        self.connections(|idle| idle.push(session));
                    }
                    return Ok(rows);
                }
                Err(error) if dead > 0 && met_a_dead_connection(&error) => dead -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn connections<T>(&self, with: impl FnOnce(&mut Vec<Session>) -> T) -> T {
        with(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
