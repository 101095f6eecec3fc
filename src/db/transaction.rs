//! Statements with a time to end by: one alone, or several in a transaction.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement,
};
use tokio::time::{Instant, timeout};

use super::begin_writing;
use super::session::{RETURN, Session, met_a_dead_connection, silent};
use crate::config;

/// How long the answer of a statement is waited for: the database ends it a moment before.
pub(super) fn patience(settings: &config::Database) -> Duration {
    Duration::from_millis(settings.statement_timeout_ms) + RETURN
}

/// What the driver itself answers, if it comes in time.
///
/// # Errors
/// The database fails, or does not answer in time.
pub async fn in_time<T>(settings: &config::Database, run: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    in_time_and(settings, Duration::ZERO, run).await
}

/// The same for what also rests for a while.
///
/// # Errors
/// The database fails, or does not answer in time.
pub async fn in_time_and<T>(
    settings: &config::Database,
    rest: Duration,
    run: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let patience = rest + Duration::from_millis(settings.acquire_timeout_ms) + patience(settings);
    timeout(patience, run).await.unwrap_or_else(|_| Err(DbErr::Query(silent())))
}

/// A transaction. When it is dropped, nothing of it remains.
pub struct Transaction(Kind);

enum Kind {
    Postgres { session: Session, patience: Duration, until: Option<Instant> },
    Sqlite(DatabaseTransaction),
}

impl Transaction {
    /// Begins one. PostgreSQL ends its statements when `until` has come.
    ///
    /// # Errors
    /// The database fails, or does not answer in time.
    pub async fn begin(
        db: &DatabaseConnection,
        settings: &config::Database,
        until: Option<Instant>,
    ) -> Result<Self, DbErr> {
        if db.get_database_backend() != DbBackend::Postgres {
            return begin_writing(db).await.map(Kind::Sqlite).map(Self);
        }
        let patience = patience(settings);
        let mut others = settings.max_connections;
        loop {
            let mut session = Session::take(db.get_postgres_connection_pool()).await?;
            let limit = Duration::from_millis(settings.statement_timeout_ms);
            let limit = until.map_or(limit, |until| limit.min(until.saturating_duration_since(Instant::now())));
            match session.begin(limit, Instant::now() + limit + RETURN).await {
                Err(error) if others > 0 && met_a_dead_connection(&error) => others -= 1,
                begun => return begun.map(|()| Self(Kind::Postgres { session, patience, until })),
            }
        }
    }

    /// In whose words statements are written.
    pub fn backend(&self) -> DbBackend {
        match &self.0 {
            Kind::Postgres { .. } => DbBackend::Postgres,
            Kind::Sqlite(transaction) => transaction.get_database_backend(),
        }
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// The database fails, or does not answer in time.
    pub async fn rows(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &mut self.0 {
            Kind::Postgres { session, patience, until } => {
                let (text, values) = (statement.sql.into(), statement.values.map_or_else(Vec::new, |values| values.0));
                session.rows(&text, &values, end(*patience, *until)).await
            }
            Kind::Sqlite(transaction) => transaction.query_all_raw(statement).await,
        }
    }

    /// Runs a statement, and says how many rows it changed.
    ///
    /// # Errors
    /// The database fails, or does not answer in time.
    pub async fn execute(&mut self, statement: Statement) -> Result<u64, DbErr> {
        match &mut self.0 {
            Kind::Postgres { session, patience, until } => {
                session.execute(&statement, end(*patience, *until)).await.map(|done| done.rows_affected())
            }
            Kind::Sqlite(transaction) => transaction.execute_raw(statement).await.map(|done| done.rows_affected()),
        }
    }

    /// Makes what was changed durable.
    ///
    /// # Errors
    /// The database fails, or does not answer in time: then the changes may be durable all the same.
    pub async fn commit(self) -> Result<(), DbErr> {
        match self.0 {
            // Whether or not anybody waits for it: what was asked for is known only when it is answered.
            Kind::Postgres { session, patience, .. } => session.commit(Instant::now() + patience).await,
            Kind::Sqlite(transaction) => transaction.commit().await,
        }
    }
}

fn end(patience: Duration, until: Option<Instant>) -> Instant {
    let end = Instant::now() + patience;
    until.map_or(end, |until| end.min(until + RETURN))
}
