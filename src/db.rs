//! The database: connecting, and bringing its schema up to date.

use std::time::Duration;

use c360_migration::Migrator;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::config;

/// An arbitrary but fixed key: whoever holds this advisory lock migrates.
const MIGRATION_LOCK: i64 = 0x6333_3630_6d69_6772;

/// Opens the pool.
///
/// # Errors
/// The database cannot be reached or refuses the user.
pub async fn connect(settings: &config::Database) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .max_connections(settings.max_connections)
        .acquire_timeout(Duration::from_millis(settings.acquire_timeout_ms))
        .test_before_acquire(false)
        .sqlx_logging(false);
    let timeout = settings.statement_timeout_ms.to_string();
    options.map_sqlx_postgres_opts(move |postgres| {
        // The hot statements have few shapes and many parameters: planning them each time costs more than running them.
        postgres.options([("plan_cache_mode", "force_generic_plan"), ("jit", "off"), ("statement_timeout", &timeout)])
    });
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

/// Applies the pending migrations. Any number of processes may call this at once.
///
/// # Errors
/// A migration fails; then nothing of any is left behind.
pub async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    // SQLite takes its one write lock at once, PostgreSQL an advisory lock: whoever comes second finds nothing to do.
    let immediate = Some(SqliteTransactionMode::Immediate);
    let transaction =
        db.begin_with_options(TransactionOptions { sqlite_transaction_mode: immediate, ..Default::default() }).await?;
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
