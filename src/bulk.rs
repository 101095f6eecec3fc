//! Bulk load: rows of any table, gathered and then written together, by `COPY` on PostgreSQL.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions as _, Connection as _};
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DbBackend, DbErr, EntityName, EntityTrait, IdenStatic as _, Iterable as _,
    ModelTrait, PrimaryKeyToColumn as _, RuntimeErr,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::cache::lease;

mod change;
mod copy;
mod insert;

pub use change::Afterwards;
use change::Changes;
use insert::Inserts;

/// The tables in an order in which every foreign key finds its row.
const ORDER: &[&str] = &[
    "stores",
    "products",
    "teams",
    "staff",
    "partners",
    "segments",
    "customers",
    "customer_search_entries",
    "ingested_items",
    "customer_identities",
    "addresses",
    "consents",
    "customer_notes",
    "customer_tags",
    "customer_segments",
    "customer_merges",
    "orders",
    "order_lines",
    "order_discounts",
    "payments",
    "fulfillments",
    "fulfillment_lines",
    "fulfillment_events",
    "returns",
    "return_lines",
    "exchange_lines",
    "refunds",
    "business_calendars",
    "business_hours",
    "business_holidays",
    "sla_policies",
    "sla_targets",
    "tickets",
    "ticket_messages",
    "ticket_tags",
    "ticket_links",
    "sla_clocks",
    "macros",
    "loyalty_programmes",
    "loyalty_tiers",
    "campaigns",
    "campaign_members",
    "earning_rules",
    "loyalty_accounts",
    "loyalty_cards",
    "loyalty_transactions",
    "points_lots",
    "points_allocations",
    "points_holds",
    "points_hold_allocations",
    "rewards",
    "coupon_definitions",
    "coupon_products",
    "coupons",
    "redemptions",
    "referrals",
    "surveys",
    "survey_invitations",
    "feedback",
    "survey_answers",
    "follow_ups",
    "interactions",
    "events",
    "event_values",
    "customer_statistics",
];

/// SQLite's page cache while it loads, 64 MiB, as the pragma takes it. Rows go to every corner of the indexes: what
/// does not fit is written many times over.
const CACHE_KIB: &str = "-65536";

/// Pages (of 4 KiB) after which a loader moves what it wrote from the log to the database: each time it writes the
/// pages of the indexes once more.
const WAL_PAGES: &str = "65536";

/// Rows to be written in one transaction.
#[derive(Debug)]
pub struct Batch {
    backend: DbBackend,
    tables: BTreeMap<(usize, Way), Rows>,
    rows: usize,
    changes: Changes,
}

/// How rows get into their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// There is none with their key.
    Add,
    /// They take the place of those with their key.
    Put,
}

#[derive(Debug)]
struct Rows {
    name: &'static str,
    columns: Vec<&'static str>,
    keys: Vec<&'static str>,
    way: Way,
    encoded: Encoded,
}

/// Rows as their database takes them: encoded when they come, so that writing is nothing but sending.
#[derive(Debug)]
enum Encoded {
    Copy { bytes: Vec<u8>, json: Vec<bool> },
    Inserts(Inserts),
}

impl Rows {
    fn new<E: EntityTrait>(backend: DbBackend, name: &'static str, way: Way) -> Self {
        let columns: Vec<_> = E::Column::iter().map(|column| column.as_str()).collect();
        let keys = E::PrimaryKey::iter().map(|key| key.into_column().as_str()).collect();
        let encoded = if backend == DbBackend::Postgres {
            let json = E::Column::iter().map(|column| copy::is_json(column.def().get_column_type())).collect();
            Encoded::Copy { bytes: copy::header(), json }
        } else {
            Encoded::Inserts(Inserts::new(columns.len()))
        };
        Self { name, columns, keys, way, encoded }
    }

    /// What comes after the values of rows that take the place of others.
    fn replacing(&self) -> String {
        if self.way == Way::Add {
            return String::new();
        }
        let others = self.columns.iter().filter(|column| !self.keys.contains(column));
        let set: Vec<_> = others.map(|column| format!("{column} = excluded.{column}")).collect();
        format!(" ON CONFLICT ({}) DO UPDATE SET {}", self.keys.join(", "), set.join(", "))
    }

    fn add<M: ModelTrait>(&mut self, model: &M) {
        let columns = <M::Entity as EntityTrait>::Column::iter();
        match &mut self.encoded {
            Encoded::Copy { bytes, json } => {
                copy::begin_row(bytes, json.len());
                for (column, json) in columns.zip(json) {
                    copy::field(bytes, &model.get(column), *json);
                }
            }
            Encoded::Inserts(inserts) => inserts.add(columns.map(|column| model.get(column))),
        }
    }
}

impl Batch {
    /// An empty batch for `db`.
    pub fn new(db: &DatabaseConnection) -> Self {
        Self { backend: db.get_database_backend(), tables: BTreeMap::new(), rows: 0, changes: Changes::default() }
    }

    /// How many rows wait to be written.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether nothing waits to be written.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a row. The tables may come in any order.
    pub fn push<M: ModelTrait>(&mut self, model: &M)
    where
        M::Entity: EntityTrait + EntityName + Default,
    {
        self.extend(std::slice::from_ref(model));
    }

    /// Adds rows of one table. The tables may come in any order.
    pub fn extend<M: ModelTrait>(&mut self, models: &[M])
    where
        M::Entity: EntityTrait + EntityName + Default,
    {
        self.gather(models, Way::Add);
    }

    /// Adds a row that takes the place of the one with its key, if there is one.
    pub fn put<M: ModelTrait>(&mut self, model: &M)
    where
        M::Entity: EntityTrait + EntityName + Default,
    {
        self.gather(std::slice::from_ref(model), Way::Put);
    }

    /// Takes away the rows of a table in which a column has this value, before any is added.
    pub fn clear(&mut self, table: &'static str, column: &'static str, id: Uuid) {
        self.changes.clear(table, column, id);
    }

    /// Relies on a row still having this version: if it has not, nothing is written ([`is_conflict`]).
    pub fn expect(&mut self, table: &'static str, id: Uuid, version: i64) {
        self.changes.expect(table, id, version);
    }

    /// Runs a statement for some rows once all are written.
    pub fn afterwards(&mut self, what: Afterwards, ids: Vec<Uuid>, now: DateTime<Utc>) {
        self.changes.afterwards(what, ids, now);
    }

    fn gather<M: ModelTrait>(&mut self, models: &[M], way: Way)
    where
        M::Entity: EntityTrait + EntityName + Default,
    {
        if models.is_empty() {
            return;
        }
        let name = M::Entity::default().table_name();
        let rank = ORDER.iter().position(|table| *table == name).unwrap_or(ORDER.len());
        let backend = self.backend;
        let rows = self.tables.entry((rank, way)).or_insert_with(|| Rows::new::<M::Entity>(backend, name, way));
        for model in models {
            rows.add(model);
        }
        self.rows += models.len();
    }

    /// Writes all rows in one transaction and leaves the batch empty; on an error nothing is written.
    ///
    /// # Errors
    /// A constraint that a row breaks, or a lost connection.
    pub async fn write(&mut self, db: &DatabaseConnection) -> Result<(), DbErr> {
        if self.backend == DbBackend::Postgres {
            return write_postgres(db, self.take()).await;
        }
        let mut connection = open_sqlite(db, |options| options).await?;
        write_sqlite(db, &mut connection, self.take()).await?;
        connection.close().await.map_err(failed)
    }

    fn take(&mut self) -> Self {
        let empty = Self { backend: self.backend, tables: BTreeMap::new(), rows: 0, changes: Changes::default() };
        std::mem::replace(self, empty)
    }
}

/// Batches that PostgreSQL takes at once. The driver waits for an acknowledgement after each table, some 40 ms that
/// another connection can use.
const AT_ONCE: usize = 4;

/// Writes batches into a database that nobody else writes to. The first may hold what the others refer to; those
/// must not refer to each other.
#[derive(Debug)]
pub struct Loader(Target);

#[derive(Debug)]
enum Target {
    Postgres { db: DatabaseConnection, begun: bool, at_once: usize, writing: JoinSet<Result<(), DbErr>> },
    Sqlite { db: DatabaseConnection, connection: Box<SqliteConnection> },
}

impl Loader {
    /// A loader for `db`.
    ///
    /// # Errors
    /// The database cannot be opened once more.
    pub async fn open(db: &DatabaseConnection) -> Result<Self, DbErr> {
        if db.get_database_backend() == DbBackend::Postgres {
            let connections = db.get_postgres_connection_pool().options().get_max_connections();
            let at_once = AT_ONCE.min(connections as usize);
            return Ok(Self(Target::Postgres { db: db.clone(), begun: false, at_once, writing: JoinSet::new() }));
        }
        // What rows refer to is looked up once, at the end, and the disk is waited for once, too.
        let relaxed = |options: SqliteConnectOptions| {
            options.foreign_keys(false).synchronous(SqliteSynchronous::Off).pragma("wal_autocheckpoint", WAL_PAGES)
        };
        let connection = Box::new(open_sqlite(db, relaxed).await?);
        Ok(Self(Target::Sqlite { db: db.clone(), connection }))
    }

    /// Writes the rows of a batch in one transaction, some time before [`Loader::finish`] returns; on an error nothing
    /// of it is written.
    ///
    /// # Errors
    /// A constraint that a row of this batch or of an earlier one breaks, or a lost connection.
    pub async fn write(&mut self, mut batch: Batch) -> Result<(), DbErr> {
        match &mut self.0 {
            Target::Sqlite { db, connection } => write_sqlite(db, connection, batch.take()).await?,
            Target::Postgres { db, begun, at_once, writing } => {
                if writing.len() == *at_once {
                    next(writing).await?;
                }
                let db = db.clone();
                writing.spawn(async move { batch.write(&db).await });
                if !std::mem::replace(begun, true) {
                    next(writing).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits until all is written, on the disk, and known to refer to rows that are there.
    ///
    /// # Errors
    /// A constraint that a row breaks, or a lost connection.
    pub async fn finish(self) -> Result<(), DbErr> {
        match self.0 {
            Target::Postgres { mut writing, .. } => {
                while !writing.is_empty() {
                    next(&mut writing).await?;
                }
                Ok(())
            }
            Target::Sqlite { connection, .. } => settle(*connection).await,
        }
    }
}

async fn next(writing: &mut JoinSet<Result<(), DbErr>>) -> Result<(), DbErr> {
    match writing.join_next().await {
        Some(Ok(written)) => written,
        Some(Err(error)) => Err(DbErr::Custom(format!("writing stopped: {error}"))),
        None => Ok(()),
    }
}

async fn settle(mut connection: SqliteConnection) -> Result<(), DbErr> {
    let broken: Option<(String, String)> =
        sqlx::query_as("SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1")
            .fetch_optional(&mut connection)
            .await
            .map_err(failed)?;
    if let Some((child, parent)) = broken {
        return Err(DbErr::Custom(format!("a row of {child} refers to a row of {parent} that is not there")));
    }
    sqlx::query("PRAGMA synchronous = FULL").execute(&mut connection).await.map_err(failed)?;
    let (busy, _, _): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut connection).await.map_err(failed)?;
    if busy != 0 {
        return Err(DbErr::Custom(
            "somebody reads the database: what was loaded could not be brought to the disk".into(),
        ));
    }
    connection.close().await.map_err(failed)
}

/// A connection of its own: its cache and what it is told are gone with it, and so is whatever an error leaves behind.
async fn open_sqlite(
    db: &DatabaseConnection,
    with: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions,
) -> Result<SqliteConnection, DbErr> {
    let options = SqliteConnectOptions::clone(&db.get_sqlite_connection_pool().connect_options());
    with(options.pragma("cache_size", CACHE_KIB)).connect().await.map_err(failed)
}

async fn write_postgres(db: &DatabaseConnection, batch: Batch) -> Result<(), DbErr> {
    let pool = db.get_postgres_connection_pool();
    let mut transaction = loop {
        lease::close_for_much(db).await?;
        let mut transaction = pool.begin().await.map_err(failed)?;
        sqlx::raw_sql(AssertSqlSafe(lease::joining())).execute(&mut *transaction).await.map_err(failed)?;
        let closed = sqlx::query(lease::IS_CLOSED).fetch_optional(&mut *transaction).await.map_err(failed)?;
        if closed.is_some() {
            break transaction;
        }
    };
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *transaction).await.map_err(failed)?;
    if !batch.changes.prepare_postgres(&mut transaction).await.map_err(failed)? {
        return Err(DbErr::RecordNotUpdated);
    }
    for rows in batch.tables.into_values() {
        copy_rows(&mut transaction, rows).await.map_err(failed)?;
    }
    batch.changes.finish_postgres(&mut transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

async fn copy_rows(db: &mut PgConnection, rows: Rows) -> Result<(), sqlx::Error> {
    let (columns, replacing) = (rows.columns.join(", "), rows.replacing());
    let Rows { name, way, encoded: Encoded::Copy { mut bytes, .. }, .. } = rows else { return Ok(()) };
    copy::finish(&mut bytes);
    let into = if way == Way::Add { name } else { "replacing" };
    if way == Way::Put {
        let text = format!("CREATE TEMPORARY TABLE replacing (LIKE {name} INCLUDING DEFAULTS) ON COMMIT DROP");
        sqlx::query(AssertSqlSafe(text)).execute(&mut *db).await?;
    }
    let mut sink = db.copy_in_raw(&format!("COPY {into} ({columns}) FROM STDIN (FORMAT binary)")).await?;
    sink.send(bytes).await?;
    sink.finish().await?;
    if way == Way::Put {
        let text = format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM replacing{replacing}");
        sqlx::query(AssertSqlSafe(text)).execute(&mut *db).await?;
        sqlx::query("DROP TABLE replacing").execute(&mut *db).await?;
    }
    Ok(())
}

async fn write_sqlite(db: &DatabaseConnection, connection: &mut SqliteConnection, batch: Batch) -> Result<(), DbErr> {
    let mut transaction = loop {
        lease::close_for_much(db).await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let closed = sqlx::query(lease::IS_CLOSED).fetch_optional(&mut *transaction).await.map_err(failed)?;
        if closed.is_some() {
            break transaction;
        }
        transaction.rollback().await.map_err(failed)?;
    };
    if !batch.changes.prepare_sqlite(&mut transaction).await.map_err(failed)? {
        return Err(DbErr::RecordNotUpdated);
    }
    for rows in batch.tables.into_values() {
        let (columns, replacing) = (rows.columns.join(", "), rows.replacing());
        let Rows { name, way, encoded: Encoded::Inserts(inserts), .. } = rows else { continue };
        // Whatever fails rolls all back: no statement has to be undone by itself, so SQLite keeps no journal for that.
        let insert = if way == Way::Add { "INSERT OR ROLLBACK" } else { "INSERT" };
        let into = format!("{insert} INTO {name} ({columns})");
        inserts.write(&mut transaction, &into, &replacing).await.map_err(failed)?;
    }
    batch.changes.finish_sqlite(&mut transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

/// Whether somebody else has changed what a batch relied on: read anew, and try again.
pub fn is_conflict(error: &DbErr) -> bool {
    // Serialization failures and deadlocks.
    let retry = |cause: &sqlx::Error| {
        let code = cause.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| matches!(&*code, "40001" | "40P01"))
    };
    matches!(error, DbErr::RecordNotUpdated) || cause(error).is_some_and(retry)
}

/// Why the database refused a batch because of what is in its rows, if that is what it did.
pub fn refusal(error: &DbErr) -> Option<String> {
    let cause = cause(error)?.as_database_error()?;
    let code = cause.code().unwrap_or_default();
    let by_rows = if cause.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        code.starts_with("22") || code.starts_with("23")
    } else {
        // SQLITE_CONSTRAINT is the lowest byte of each of its kinds.
        code.parse::<i32>().is_ok_and(|code| code & 0xff == 19)
    };
    let named = cause.constraint().map(str::to_owned);
    by_rows.then(|| named.unwrap_or_else(|| cause.message().to_owned()))
}

fn cause(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}
