//! What the database says about cached answers: which generation counts, and who keeps the versions.
//!
//! One row for all gateways. A gateway serves cached answers only while what it has read of this row is younger than
//! [`TERM`]; so whoever changes the row and then waits that long knows that nobody serves by the old one any more. That is
//! how caching is closed, before a change of which the authority cannot be told.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement};
use tokio::time::{Instant, sleep};

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
/// No authority, nor that there is none, is held for so long, in milliseconds.
const FAR_MS: i64 = 60_000;
/// For how long caching is closed: after [`TERM`], there is time left for a change that has waited for it.
pub const CLOSED: Duration = Duration::from_secs(3);
/// The same for whoever changes much, from the last time that it is said.
const CLOSED_FOR_MUCH: Duration = Duration::from_secs(30);

/// What the row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Answers of another generation do not count.
    pub generation: String,
    /// Who keeps the versions, if anybody does.
    pub authority: Option<String>,
    /// Whether it is time to renew the authority.
    is_ageing: bool,
    /// Whether another may take the authority's place: it was not renewed, or need not stay away any longer.
    is_vacant: bool,
    /// When the reading began.
    read_at: Instant,
}

impl Lease {
    /// Whether answers that `authority` finds unchanged may be served at this moment.
    pub fn lets(&self, authority: &str) -> bool {
        self.is_current() && self.authority.as_deref() == Some(authority)
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
             CASE WHEN {} THEN 1 ELSE 0 END AS is_vacant FROM cache_state WHERE id = 1",
            vacant(now)
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
            None => self.is_vacant,
        }
    }
}

/// Makes `name` the authority, or renews it. A new one begins when nobody serves by the old one any more, with a new
/// generation, and waits for the writers that are under way.
///
/// # Errors
/// The database fails.
pub async fn hold(db: &DatabaseConnection, name: &str, found: &Lease) -> Result<(), DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    let now = milliseconds(&sql);
    sql.push(&format!("UPDATE cache_state SET held_until = {now} + {HELD_MS} WHERE id = 1 AND authority = "));
    sql.bind(name);
    if db.execute_raw(sql.finish()).await?.rows_affected() == 1 {
        return Ok(());
    }
    close(db, &found.authority.clone().map_or(Serving::Lapsing, Serving::By), Duration::ZERO).await?;
    if Lease::read(db).await?.authority.is_some() {
        return Ok(()); // Somebody was faster.
    }
    let transaction = begin_writing(db).await?;
    let mut sql = Sql::new(db.get_database_backend());
    if sql.is_postgres() {
        // Writers that come meanwhile wait behind this. Who does not get it tries again with the next reading.
        transaction.execute_unprepared("SET LOCAL lock_timeout = '200ms'").await?;
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({WRITERS})")).await?;
    }
    sql.push("UPDATE cache_state SET generation = ");
    sql.bind(clock::random_id().simple().to_string());
    sql.push(", authority = ");
    sql.bind(name);
    sql.push(&format!(
        ", held_until = {now} + {HELD_MS} WHERE id = 1 AND authority IS NULL AND is_settled AND {}",
        vacant(now)
    ));
    transaction.execute_raw(sql.finish()).await?;
    transaction.commit().await
}

/// By whom kept answers are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serving {
    /// By nobody, whatever they have read of the row.
    Nobody,
    /// By whoever has read the row less than a term ago; from now on by nobody else.
    Lapsing,
    /// By those who ask this authority.
    By(String),
}

impl Serving {
    /// What the row says to whoever is not within a transaction: it may be otherwise at once.
    async fn read(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let sql = format!("SELECT {COLUMNS} FROM cache_state WHERE id = 1");
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
        Self::of(&row.ok_or_else(|| DbErr::RecordNotFound("cache_state".into()))?)
    }

    fn of(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(match (row.try_get::<Option<String>>("", "authority")?, row.try_get::<i32>("", "settled")?) {
            (Some(authority), _) => Self::By(authority),
            (None, 0) => Self::Lapsing,
            (None, _) => Self::Nobody,
        })
    }
}

/// What a [`Serving`] is read from.
const COLUMNS: &str = "authority, CASE WHEN is_settled THEN 1 ELSE 0 END AS settled";

/// What a writer finds, within its transaction. As writers share a lock, there is no new authority until it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the transaction is called; empty where nobody outlives it who would ask.
    pub transaction: String,
    /// Who may be serving kept answers when it is committed.
    pub serving: Serving,
}

impl Standing {
    /// Reads the row, and has the transaction named.
    ///
    /// # Errors
    /// The database fails.
    pub async fn read(transaction: &mut Transaction) -> Result<Self, DbErr> {
        let mut sql = Sql::new(transaction.backend());
        let name = if sql.is_postgres() { "CAST(pg_current_xact_id() AS text)" } else { "''" };
        sql.push(&format!("SELECT {name} AS name, {COLUMNS} FROM cache_state WHERE id = 1"));
        let rows = transaction.rows(sql.finish()).await?;
        let row = rows.first().ok_or_else(|| DbErr::RecordNotFound("cache_state".into()))?;
        Ok(Self { transaction: row.try_get("", "name")?, serving: Serving::of(row)? })
    }
}

/// Closes caching, for somebody who found `serving` and cannot tell all of them: when this returns, nobody serves kept
/// answers. For `pause` from its beginning on there is no new authority. One that has come meanwhile stays.
///
/// # Errors
/// The database fails.
pub async fn close(db: &DatabaseConnection, serving: &Serving, pause: Duration) -> Result<(), DbErr> {
    if let Serving::By(held) = serving {
        let mut sql = Sql::new(db.get_database_backend());
        let (now, pause) = (milliseconds(&sql), pause.as_millis());
        sql.push("UPDATE cache_state SET generation = ");
        sql.bind(clock::random_id().simple().to_string());
        sql.push(&format!(
            ", authority = NULL, is_settled = false, held_until = {now} + {pause} WHERE id = 1 AND authority = "
        ));
        sql.bind(held.as_str());
        db.execute_raw(sql.finish()).await?;
    }
    let lapsing = "SELECT generation FROM cache_state WHERE id = 1 AND authority IS NULL AND NOT is_settled";
    let lapsing = Statement::from_string(db.get_database_backend(), lapsing);
    let Some(row) = db.query_one_raw(lapsing).await? else { return Ok(()) };
    // Whoever serves has read the row before now.
    sleep(TERM).await;
    let mut sql = Sql::new(db.get_database_backend());
    sql.push("UPDATE cache_state SET is_settled = true WHERE id = 1 AND authority IS NULL AND generation = ");
    sql.bind(row.try_get::<String>("", "generation")?);
    db.execute_raw(sql.finish()).await.map(drop)
}

/// Closes caching for whoever changes much, until half a minute after this was last called.
///
/// # Errors
/// The database fails.
pub async fn close_for_much(db: &DatabaseConnection) -> Result<(), DbErr> {
    loop {
        match Serving::read(db).await? {
            Serving::Nobody => return stay_closed(db, CLOSED_FOR_MUCH).await,
            serving => close(db, &serving, CLOSED_FOR_MUCH).await?,
        }
    }
}

/// Begins a transaction of somebody who changes much, while caching is closed.
///
/// # Errors
/// The database fails.
pub async fn begin_closed(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    loop {
        close_for_much(db).await?;
        let transaction = begin_writing(db).await?;
        if db.get_database_backend() == DbBackend::Postgres {
            transaction.execute_unprepared(&joining()).await?;
        }
        if Serving::read(&transaction).await? == Serving::Nobody {
            return Ok(transaction);
        }
    }
}

/// The statements by which a transaction on PostgreSQL, which may be long, joins the writers: until it ends there is no new
/// authority. What it reads afterwards is of that moment, and it does not stand still for ever.
pub fn joining() -> String {
    format!(
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '20s'; \
         SELECT pg_advisory_xact_lock_shared({WRITERS})"
    )
}

/// The query that finds a row if caching is closed.
pub const IS_CLOSED: &str = "SELECT id FROM cache_state WHERE id = 1 AND authority IS NULL AND is_settled";

/// Lets gateways keep answers again, after [much was changed](close_for_much).
///
/// # Errors
/// The database fails.
pub async fn reopen(db: &DatabaseConnection) -> Result<(), DbErr> {
    stay_closed(db, Duration::ZERO).await
}

async fn stay_closed(db: &DatabaseConnection, pause: Duration) -> Result<(), DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    let (now, pause) = (milliseconds(&sql), pause.as_millis());
    sql.push(&format!("UPDATE cache_state SET held_until = {now} + {pause} WHERE id = 1 AND authority IS NULL"));
    db.execute_raw(sql.finish()).await.map(drop)
}

/// Whether the row may be taken, as SQL. What lies far ahead was written before the database's clock was set back.
fn vacant(now: &str) -> String {
    format!("(held_until <= {now} OR held_until > {now} + {FAR_MS})")
}

/// What became of a transaction of this name: `false` while it may still be committed.
///
/// # Errors
/// The database fails.
pub async fn is_over(db: &DatabaseConnection, transaction: u64) -> Result<bool, DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    // Of one that is too old to be remembered, there is no status.
    sql.push(&format!("SELECT COALESCE(pg_xact_status('{transaction}'), 'aborted') AS status"));
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
