//! What the database says about cached answers: which generation counts, and who keeps the versions.
//!
//! One row for all gateways. A gateway serves cached answers only while what it has read of this row is younger than
//! [`TERM`]; so whoever changes the row and then waits that long knows that nobody serves by the old one any more.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};
use tokio::time::Instant;

use crate::clock;
use crate::db::{Transaction, WRITERS, begin_writing};
use crate::read::Sql;

/// How long what was read of the row counts.
pub const TERM: Duration = Duration::from_secs(1);
/// The same, less what two clocks may differ by meanwhile.
const COUNTS_FOR: Duration = Duration::from_millis(950);
/// After this, it is read again before it runs out.
const OLD: Duration = Duration::from_millis(400);

/// How long an authority is held without being renewed, and when it is, in milliseconds.
const HELD_MS: i64 = 5_000;
const RENEWED_MS: i64 = 3_000;
/// After how long nobody can be serving by an authority that was not renewed, in milliseconds.
const FORGOTTEN_MS: i64 = 60_000;

/// What the row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Answers of another generation do not count.
    pub generation: String,
    /// Who keeps the versions, if anybody does.
    pub authority: Option<String>,
    /// Whether it is time to renew the authority.
    is_ageing: bool,
    /// Whether the authority was not renewed: it must not be used, and may be taken by another.
    is_vacant: bool,
    /// When the reading began.
    read_at: Instant,
}

impl Lease {
    /// Whether answers that `authority` finds unchanged may be served at this moment.
    pub fn lets(&self, authority: &str) -> bool {
        self.is_current() && !self.is_vacant && self.authority.as_deref() == Some(authority)
    }

    /// Whether what it says still counts.
    pub fn is_current(&self) -> bool {
        self.read_at.elapsed() < COUNTS_FOR
    }

    /// Whether it should be read again soon.
    pub fn is_old(&self) -> bool {
        self.read_at.elapsed() >= OLD
    }

    /// Reads the row.
    ///
    /// # Errors
    /// The database fails.
    pub async fn read(db: &DatabaseConnection) -> Result<Self, DbErr> {
        let read_at = Instant::now();
        let mut sql = Sql::new(db.get_database_backend());
        let now = milliseconds(&sql);
        // A standby that was promoted may lack what was committed last: answers made before that do not count.
        let timeline = match sql.is_postgres() {
            true => "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)",
            false => "''",
        };
        sql.push(&format!(
            "SELECT generation || {timeline} AS generation, authority, \
             CASE WHEN held_until < {now} + {RENEWED_MS} THEN 1 ELSE 0 END AS is_ageing, \
             CASE WHEN held_until < {now} THEN 1 ELSE 0 END AS is_vacant FROM cache_state WHERE id = 1"
        ));
        let row = db.query_one_raw(sql.finish()).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("cache_state".into()))?;
        Ok(Self {
            generation: row.try_get("", "generation")?,
            authority: row.try_get("", "authority")?,
            is_ageing: row.try_get::<i32>("", "is_ageing")? != 0,
            is_vacant: row.try_get::<i32>("", "is_vacant")? != 0,
            read_at,
        })
    }

    /// Whether `name` should be made the authority, or be renewed as such: another that is held is replaced only by one of
    /// the same kind, because a Redis that was restarted is another one.
    pub fn wants(&self, name: &str, backend: DbBackend) -> bool {
        match self.authority.as_deref() {
            Some(held) if held == name => self.is_ageing,
            Some(held) => {
                let is_alone = backend == DbBackend::Sqlite;
                let kind = |name: &str| name.split(':').next().map(str::to_owned);
                self.is_vacant || is_alone || (kind(held) == kind(name) && name.starts_with("redis"))
            }
            None => true,
        }
    }
}

/// Makes `name` the authority, or renews it. A new one begins with a new generation, and waits for the writers that are
/// under way; until the leases that name the old one have run out, writers do without it.
///
/// # Errors
/// The database fails.
pub async fn hold(db: &DatabaseConnection, name: &str) -> Result<(), DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    let now = milliseconds(&sql);
    sql.push(&format!(
        "UPDATE cache_state SET held_until = {now} + {HELD_MS} WHERE id = 1 AND held_until >= {now} AND authority = "
    ));
    sql.bind(name);
    if db.execute_raw(sql.finish()).await?.rows_affected() == 1 {
        return Ok(());
    }
    let transaction = begin_writing(db).await?;
    let mut sql = Sql::new(db.get_database_backend());
    if sql.is_postgres() {
        // Writers that come meanwhile wait behind this.
        transaction.execute_unprepared("SET LOCAL lock_timeout = '1s'").await?;
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({WRITERS})")).await?;
    }
    let term = TERM.as_millis();
    sql.push("UPDATE cache_state SET generation = ");
    sql.bind(clock::random_id().simple().to_string());
    sql.push(", authority = ");
    sql.bind(name);
    sql.push(&format!(
        ", held_until = {now} + {HELD_MS}, settled_at = {now} + CASE WHEN authority IS NULL THEN 0 ELSE {term} END \
         WHERE id = 1"
    ));
    transaction.execute_raw(sql.finish()).await?;
    transaction.commit().await
}

/// What a writer finds, within its transaction. As writers share the lock, it stays so until the transaction ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the transaction is called; empty where nobody outlives it who would ask.
    pub transaction: String,
    /// Who keeps the versions, unless nobody can be serving by them.
    held: Option<String>,
    /// Whether no lease names another one any more.
    is_settled: bool,
}

impl Standing {
    /// Reads the row, and has the transaction named.
    ///
    /// # Errors
    /// The database fails.
    pub async fn read(transaction: &mut Transaction) -> Result<Self, DbErr> {
        let mut sql = Sql::new(transaction.backend());
        let now = milliseconds(&sql);
        let name = if sql.is_postgres() { "CAST(pg_current_xact_id() AS text)" } else { "''" };
        sql.push(&format!(
            "SELECT {name} AS name, CASE WHEN held_until + {FORGOTTEN_MS} < {now} THEN NULL ELSE authority END AS held, \
             CASE WHEN settled_at <= {now} THEN 1 ELSE 0 END AS is_settled FROM cache_state WHERE id = 1"
        ));
        let rows = transaction.rows(sql.finish()).await?;
        let row = rows.first().ok_or_else(|| DbErr::RecordNotFound("cache_state".into()))?;
        Ok(Self {
            transaction: row.try_get("", "name")?,
            held: row.try_get("", "held")?,
            is_settled: row.try_get::<i32>("", "is_settled")? != 0,
        })
    }

    /// Whether all who may serve kept answers ask `told`, to whom the writer has told its change.
    pub fn is_enough(&self, told: Option<&str>) -> bool {
        self.held.is_none() || (self.is_settled && self.held.as_deref() == told)
    }
}

/// Begins a new generation, as part of a transaction: from its commit on, and once [`TERM`] has passed, no answer that was
/// made before is served by anybody.
///
/// # Errors
/// The database fails.
pub async fn raise(transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
    transaction.execute_unprepared(&raising()).await.map(drop)
}

/// The statement that begins a new generation.
pub fn raising() -> String {
    format!("UPDATE cache_state SET generation = '{}' WHERE id = 1", clock::random_id().simple())
}

/// Waits, after a transaction has [begun a new generation](raise), until nobody serves the old one any more.
///
/// # Errors
/// The database fails.
pub async fn wait_out(db: &DatabaseConnection) -> Result<(), DbErr> {
    if Lease::read(db).await?.authority.is_some() {
        tokio::time::sleep(TERM).await;
    }
    Ok(())
}

/// What became of a transaction of this name: `false` while it may still be committed, or if that cannot be said.
///
/// # Errors
/// The database fails.
pub async fn is_over(db: &DatabaseConnection, transaction: u64) -> Result<bool, DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    sql.push(&format!("SELECT COALESCE(pg_xact_status('{transaction}'), 'in progress') AS status"));
    let row = db.query_one_raw(sql.finish()).await?;
    let status: String = row.map_or_else(|| Ok(String::new()), |row| row.try_get("", "status"))?;
    Ok(matches!(status.as_str(), "committed" | "aborted"))
}

/// The time of the database's own clock in milliseconds, as SQL.
fn milliseconds(sql: &Sql) -> &'static str {
    match sql.is_postgres() {
        true => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
        false => "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    }
}
