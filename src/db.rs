//! The database: connecting, and bringing its schema up to date.

mod kept;
mod session;
mod transaction;
mod watch;

use std::time::Duration;

use c360_migration::Migrator;
use sea_orm::sqlx::Postgres;
use sea_orm::sqlx::error::Error as DriverError;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{
    ConnAcquireErr, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::config;
use crate::metrics::Pool;
pub use kept::{Kept, Query};
pub use transaction::{Transaction, in_time, in_time_and};
pub use watch::{Probe, Verdict, Watch};

/// An arbitrary but fixed key: whoever holds this advisory lock migrates.
const MIGRATION_LOCK: i64 = 0x6333_3630_6d69_6772;

/// The same, for those who write: all share it, and whoever changes what they have to tell takes it alone.
pub const WRITERS: i64 = 0x6333_3630_6361_6368;

/// Opens the pool.
///
/// # Errors
/// The database cannot be reached or refuses the user.
pub async fn connect(settings: &config::Database) -> Result<DatabaseConnection, DbErr> {
    let timeout = settings.statement_timeout_ms.to_string();
    open(settings, &[("statement_timeout", timeout.as_str())], returned).await
}

/// Opens the pool for a command that fills tables. Nobody waits for one of its statements, and all of them go by keys:
/// a plan that PostgreSQL made while a table was small would read all of it, for as long as the connection lasts.
///
/// # Errors
/// As [`connect`].
pub async fn connect_to_fill(settings: &config::Database) -> Result<DatabaseConnection, DbErr> {
    open(settings, &[("statement_timeout", "0"), ("enable_seqscan", "off")], returned).await
}

/// What is not borrowed as a session comes back the driver's way; it may not wait long, either.
fn returned(pool: PoolOptions<Postgres>) -> PoolOptions<Postgres> {
    pool.after_release(|connection, _| session::ready(connection))
}

/// Opens the pool, with more settings of PostgreSQL's.
async fn open(
    settings: &config::Database,
    more: &[(&str, &str)],
    pool: fn(PoolOptions<Postgres>) -> PoolOptions<Postgres>,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .max_connections(settings.max_connections)
        .acquire_timeout(Duration::from_millis(settings.acquire_timeout_ms))
        .test_before_acquire(false)
        .sqlx_logging(false);
    let more: Vec<(String, String)> = more.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    options.map_sqlx_postgres_opts(move |postgres| {
        let always = [
            // The hot statements have few shapes and many parameters: planning them each time costs more than running
            // them.
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
            ("client_connection_check_interval", session::LOOKED_AFTER),
        ];
        postgres.options(always).options(more.clone())
    });
    options.map_sqlx_postgres_pool_opts(pool);
    options.map_sqlx_sqlite_opts(|sqlite| {
        use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5))
    });
    Database::connect(options).await
}

/// Begins a transaction that writes. SQLite's has the write lock from the first: one that reads before it writes would fail
/// if somebody else wrote in between.
///
/// # Errors
/// The database cannot be reached.
pub async fn begin_writing(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    db.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() }).await
}

/// Applies the pending migrations. Any number of processes may call this at once.
///
/// # Errors
/// A migration fails; then nothing of any is left behind.
pub async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    // SQLite takes its one write lock at once, PostgreSQL an advisory lock: whoever comes second finds nothing to do.
    let transaction = begin_writing(db).await?;
    if db.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await
}

/// How many migrations this build knows that the database lacks.
///
/// # Errors
/// The database cannot be read.
pub async fn pending_migrations(db: &DatabaseConnection) -> Result<usize, DbErr> {
    Ok(Migrator::get_pending_migrations_read_only(db).await?.len())
}

/// The time by the database's own clock, so many seconds from now, as SQL: the clocks of gateways may differ.
pub fn clock(backend: DbBackend, seconds: u64) -> String {
    match backend {
        DbBackend::Postgres => format!("clock_timestamp() + interval '{seconds} seconds'"),
        _ => format!("strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '+{seconds} seconds')"),
    }
}

/// The pool's connections at this moment.
pub fn pool(db: &DatabaseConnection, settings: &config::Database) -> Pool {
    let (size, idle) = match db.get_database_backend() {
        DbBackend::Postgres => {
            let pool = db.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        }
        DbBackend::Sqlite => {
            let pool = db.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        }
        _ => (0, 0),
    };
    Pool { max: settings.max_connections, size, idle: u32::try_from(idle).unwrap_or(u32::MAX) }
}

/// What a failure of the database means to whoever waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection became free in time.
    Pool,
    /// The database cannot be reached, or is stopping or starting.
    Unavailable,
    /// The statement ran longer than it may.
    Timeout,
    /// Another transaction was in the way.
    Clash,
    /// Anything else.
    Other,
}

impl Trouble {
    /// As it stands in figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Clash => "clash",
            Self::Other => "other",
        }
    }
}

/// What a failure of the database means.
pub fn trouble(error: &DbErr) -> Trouble {
    let (DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner))) = error else {
        return match error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Trouble::Pool,
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Trouble::Unavailable,
            _ => Trouble::Other,
        };
    };
    match inner.as_ref() {
        DriverError::PoolTimedOut => Trouble::Pool,
        DriverError::Io(_) | DriverError::Tls(_) | DriverError::PoolClosed | DriverError::WorkerCrashed => {
            Trouble::Unavailable
        }
        DriverError::Database(error) => match error.code().as_deref().unwrap_or_default() {
            // Canceled, which is what a statement's time limit does.
            "57014" => Trouble::Timeout,
            // Connections lost; shutting down, crashed, starting up; too many connections; SQLite's "busy" and "locked".
            "57P01" | "57P02" | "57P03" | "53300" | "5" | "6" | "261" | "517" => Trouble::Unavailable,
            // Serialization failure, deadlock, lock not available.
            "40001" | "40P01" | "55P03" => Trouble::Clash,
            code if code.starts_with("08") => Trouble::Unavailable,
            _ => Trouble::Other,
        },
        _ => Trouble::Other,
    }
}

/// A database's error for the log. The texts of databases repeat the values at fault, which may be personal: what is
/// written is the code and what it is about.
pub fn describe(error: &DbErr) -> String {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => "no connection became free in time".into(),
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => "the connections are closed".into(),
        DbErr::Conn(error) => format!("connecting: {}", driver(error)),
        DbErr::Exec(error) | DbErr::Query(error) => driver(error),
        DbErr::Type(_) | DbErr::TryIntoErr { .. } | DbErr::Json(_) => "a value is not of the type that is read".into(),
        DbErr::RecordNotFound(_) => "a row is missing".into(),
        DbErr::Migration(_) => "a migration failed".into(),
        _ => "the statement could not be run".into(),
    }
}

fn driver(error: &RuntimeErr) -> String {
    let RuntimeErr::SqlxError(error) = error else { return "inside the gateway".into() };
    match error.as_ref() {
        DriverError::Database(error) => {
            let mut text = format!("code {}", error.code().as_deref().unwrap_or("unknown"));
            let mut add = |what: &str, value: Option<&str>| {
                if let Some(value) = value {
                    text += &format!(", {what} {value}");
                }
            };
            add("constraint", error.constraint());
            add("table", error.table());
            if let Some(postgres) = error.try_downcast_ref::<PgDatabaseError>() {
                add("column", postgres.column());
                add("in", postgres.routine());
                // Class 42 is about the statement itself, which has no values in it.
                add("message", postgres.code().starts_with("42").then(|| postgres.message()));
            }
            text
        }
        DriverError::Io(error) => format!("connection: {}", error.kind()),
        DriverError::Tls(_) => "connection: TLS failed".into(),
        DriverError::Protocol(_) => "connection: the protocol was broken".into(),
        DriverError::PoolTimedOut => "no connection became free in time".into(),
        DriverError::PoolClosed => "the connections are closed".into(),
        DriverError::ColumnNotFound(column) => format!("no column {column} in the answer"),
        DriverError::ColumnDecode { index, .. } => format!("column {index} cannot be read"),
        DriverError::RowNotFound => "a row is missing".into(),
        _ => "the statement could not be run".into(),
    }
}
