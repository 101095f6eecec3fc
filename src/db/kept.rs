//! Connections to PostgreSQL that go from one reader to the next.
//!
//! The pool asks each connection that comes back whether it still answers, which is a round trip for every statement. A
//! connection that has answered in full does: it is kept here for the next who reads. One whose answer was not taken to its
//! end goes back to the pool, which makes it ready or closes it. Half of the pool's connections at most are kept, so
//! that those who write always have the others.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::sqlx::error::Error as DriverError;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Executor as _, Postgres};
use sea_orm::{
    ConnAcquireErr, ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement,
    Value, Values,
};
use sea_query_sqlx::SqlxValues;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Trouble, trouble};
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
pub struct Kept {
    idle: Mutex<Vec<PoolConnection<Postgres>>>,
    most: u32,
    /// As many readers as connections may be kept.
    room: Semaphore,
    patience: Duration,
}

impl Kept {
    /// None yet, of the pool of `db`.
    pub fn new(db: &DatabaseConnection, settings: &config::Database) -> Self {
        let most = match db.get_database_backend() {
            DbBackend::Postgres => db.get_postgres_connection_pool().options().get_max_connections() / 2,
            _ => 0,
        };
        Self {
            idle: Mutex::default(),
            most,
            room: Semaphore::new(most as usize),
            patience: Duration::from_millis(settings.acquire_timeout_ms),
        }
    }

    /// How many wait.
    pub fn idle(&self) -> u32 {
        self.connections(|idle| u32::try_from(idle.len()).unwrap_or(u32::MAX))
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// No connection becomes free in time, or the database fails.
    pub async fn rows(&self, db: &DatabaseConnection, query: Query) -> Result<Vec<QueryResult>, DbErr> {
        let Query { text, values } = query;
        let backend = db.get_database_backend();
        if self.most == 0 {
            // SQLite, or the only connection, which belongs to all.
            return db.query_all_raw(Statement::from_sql_and_values(backend, &*text, values)).await;
        }
        let room = timeout(self.patience, self.room.acquire()).await;
        let Ok(Ok(_room)) = room else { return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) };
        let mut connection = match self.connections(Vec::pop) {
            Some(connection) => connection,
            None => db.get_postgres_connection_pool().acquire().await.map_err(not_acquired)?,
        };
        let query = sqlx::query_with(AssertSqlSafe(text), SqlxValues(Values(values)));
        match connection.fetch_all(query).await {
            Ok(rows) => {
                self.connections(|idle| idle.push(connection));
                Ok(rows.into_iter().map(QueryResult::from).collect())
            }
            Err(error) => {
                let error = DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)));
                if trouble(&error) == Trouble::Unavailable {
                    // What ended this connection has ended the others, too.
                    self.close();
                }
                Err(error)
            }
        }
    }

    fn connections<T>(&self, with: impl FnOnce(&mut Vec<PoolConnection<Postgres>>) -> T) -> T {
        with(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn close(&self) {
        self.connections(std::mem::take).into_iter().for_each(|connection| drop(connection.detach()));
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // The pool would need a runtime to take them back.
        self.close();
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("idle", &self.idle()).finish_non_exhaustive()
    }
}

fn not_acquired(error: DriverError) -> DbErr {
    match error {
        DriverError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        DriverError::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
    }
}
