//! A connection to PostgreSQL in the hands of one request, and how it comes back.
//!
//! sqlx asks a connection whether it is ready before it lies in the pool again, for as long as that takes. After a
//! request that nobody waits for any more that is as long as its statement runs; over a network that has swallowed the
//! connection it is minutes. Here a connection has a moment to be ready. One that is not is closed: PostgreSQL looks
//! every [`LOOKED_AFTER`] whether whoever asked is still there, and ends the statement of one who is not.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm::sqlx::error::Error as DriverError;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::postgres::PgQueryResult;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool, Postgres};
use sea_orm::{ConnAcquireErr, DbErr, QueryResult, RuntimeErr, Statement, Value, Values};
use sea_query_sqlx::SqlxValues;
use tokio::time::{Instant, timeout, timeout_at};

use super::WRITERS;

/// How long a connection that comes back may take to be ready.
pub(super) const RETURN: Duration = Duration::from_millis(250);

/// How often PostgreSQL looks whether the other end of a connection is still there while a statement runs.
pub(super) const LOOKED_AFTER: &str = "500ms";

/// How long a transaction may wait for its next statement, in milliseconds: nobody else gets its locks before, and whoever
/// began it may be beyond reach.
const STANDSTILL: u32 = 3000;

/// A connection of the pool.
#[derive(Debug)]
pub(super) struct Session {
    connection: Option<PoolConnection<Postgres>>,
    /// From the moment at which a transaction may have begun.
    in_transaction: bool,
}

impl Session {
    /// Waits for a connection, as long as the pool lets anybody wait.
    pub(super) async fn take(pool: &PgPool) -> Result<Self, DbErr> {
        let connection = pool.acquire().await.map_err(|error| match error {
            DriverError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            DriverError::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))),
        })?;
        Ok(Self { connection: Some(connection), in_transaction: false })
    }

    /// The rows of a statement, if they come in time.
    pub(super) async fn rows(
        &mut self,
        text: &Arc<str>,
        values: &[Value],
        until: Instant,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let connection = self.connection()?;
        let query = sqlx::query_with(AssertSqlSafe(text.clone()), SqlxValues(Values(values.to_vec())));
        let rows = in_time(until, query.fetch_all(&mut **connection)).await.map_err(DbErr::Query)?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    /// Runs a statement, if it ends in time.
    pub(super) async fn execute(&mut self, statement: &Statement, until: Instant) -> Result<PgQueryResult, DbErr> {
        let connection = self.connection()?;
        in_time(until, prepared(statement).execute(&mut **connection)).await.map_err(DbErr::Exec)
    }

    /// Begins a transaction whose statements the database ends after `limit`, in one round trip. It also ends a
    /// transaction that stands still.
    pub(super) async fn begin(&mut self, limit: Duration, until: Instant) -> Result<(), DbErr> {
        let limit = limit.as_millis().max(1);
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {limit}; \
             SET LOCAL idle_in_transaction_session_timeout = {STANDSTILL}; SELECT pg_advisory_xact_lock_shared({WRITERS})"
        );
        // Before it is sent: whoever stops waiting for the answer has to roll back all the same.
        self.in_transaction = true;
        self.simply(begin, until).await
    }

    /// Makes what was changed durable. When it fails, it may have been done all the same.
    pub(super) async fn commit(mut self, until: Instant) -> Result<(), DbErr> {
        self.simply("COMMIT".into(), until).await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn simply(&mut self, sql: String, until: Instant) -> Result<(), DbErr> {
        let connection = self.connection()?;
        in_time(until, connection.execute(AssertSqlSafe(sql))).await.map(drop).map_err(DbErr::Exec)
    }

    /// It is there until the session is dropped.
    fn connection(&mut self) -> Result<&mut PoolConnection<Postgres>, DbErr> {
        self.connection.as_mut().ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => _ = runtime.spawn(give_back(connection, self.in_transaction)),
            Err(_) => drop(connection.detach()),
        }
    }
}

async fn give_back(mut connection: PoolConnection<Postgres>, in_transaction: bool) {
    if in_transaction && !matches!(timeout(RETURN, connection.execute("ROLLBACK")).await, Ok(Ok(_))) {
        drop(connection.detach());
        return;
    }
    // Dropped before it is done, it closes the connection and makes room for another.
    _ = timeout(RETURN, connection.return_to_pool()).await;
}

/// Whether a connection that comes back is ready. It costs nothing when every answer has been read.
pub(super) fn ready(connection: &mut PgConnection) -> BoxFuture<'_, Result<bool, DriverError>> {
    Box::pin(async { Ok(matches!(timeout(RETURN, connection.flush()).await, Ok(Ok(())))) })
}

/// Whether a connection that comes back answers: a round trip, for connections that must not be lost whatever happens.
pub(super) fn answers(connection: &mut PgConnection) -> BoxFuture<'_, Result<bool, DriverError>> {
    Box::pin(async { Ok(matches!(timeout(RETURN, connection.ping()).await, Ok(Ok(())))) })
}

fn prepared(statement: &Statement) -> sqlx::query::Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone().unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

async fn in_time<T>(until: Instant, run: impl Future<Output = Result<T, DriverError>>) -> Result<T, RuntimeErr> {
    let answer = timeout_at(until, run).await.map_err(|_| silent())?;
    answer.map_err(|error| RuntimeErr::SqlxError(Arc::new(error)))
}

/// The database did not answer in time.
pub(super) fn silent() -> RuntimeErr {
    RuntimeErr::SqlxError(Arc::new(DriverError::Io(io::ErrorKind::TimedOut.into())))
}

/// Whether a statement met a connection that had died while it lay in the pool, as all do when the database is started
/// anew. Another connection may serve.
pub(super) fn met_a_dead_connection(error: &DbErr) -> bool {
    let (DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    match error.as_ref() {
        DriverError::Io(error) => error.kind() != io::ErrorKind::TimedOut,
        // Ended by an administrator, or because another process of the server crashed.
        DriverError::Database(error) => matches!(error.code().as_deref(), Some("57P01" | "57P02")),
        _ => false,
    }
}
