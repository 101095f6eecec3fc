//! Bulk load: rows of any table, gathered and then written together, by `COPY` on PostgreSQL.

use std::collections::BTreeMap;

use sea_orm::sqlx;
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DbBackend, DbErr, EntityName, EntityTrait, IdenStatic as _, Iterable as _,
    ModelTrait, RuntimeErr,
};

mod copy;
mod insert;

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

/// SQLite's page cache while it loads, in KiB; connections of the pool keep it, and only fill it when they must.
const CACHE_PAGES: &str = "PRAGMA cache_size = -65536";

/// Rows to be written in one transaction.
#[derive(Debug)]
pub struct Batch {
    backend: DbBackend,
    tables: BTreeMap<usize, Rows>,
    rows: usize,
}

#[derive(Debug)]
struct Rows {
    name: &'static str,
    columns: Vec<&'static str>,
    encoded: Encoded,
}

/// Rows as their database takes them: encoded when they come, so that writing is nothing but sending.
#[derive(Debug)]
enum Encoded {
    Copy { bytes: Vec<u8>, json: Vec<bool> },
    Inserts(Inserts),
}

impl Rows {
    fn new<E: EntityTrait>(backend: DbBackend, name: &'static str) -> Self {
        let columns: Vec<_> = E::Column::iter().map(|column| column.as_str()).collect();
        let encoded = if backend == DbBackend::Postgres {
            let json = E::Column::iter().map(|column| copy::is_json(column.def().get_column_type())).collect();
            Encoded::Copy { bytes: copy::header(), json }
        } else {
            Encoded::Inserts(Inserts::new(columns.len()))
        };
        Self { name, columns, encoded }
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
        Self { backend: db.get_database_backend(), tables: BTreeMap::new(), rows: 0 }
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
        if models.is_empty() {
            return;
        }
        let name = M::Entity::default().table_name();
        let rank = ORDER.iter().position(|table| *table == name).unwrap_or(ORDER.len());
        let backend = self.backend;
        let rows = self.tables.entry(rank).or_insert_with(|| Rows::new::<M::Entity>(backend, name));
        for model in models {
            rows.add(model);
        }
        self.rows += models.len();
    }

    /// Writes all rows in one transaction and leaves the batch empty; on an error nothing is written.
    ///
    /// # Errors
    /// A constraint that a row breaks, or a lost connection.
    pub async fn write(&mut self, db: &DatabaseConnection) -> Result<usize, DbErr> {
        let tables = std::mem::take(&mut self.tables);
        let rows = std::mem::take(&mut self.rows);
        match self.backend {
            DbBackend::Postgres => write_postgres(db, tables).await.map_err(failed)?,
            _ => write_sqlite(db, tables).await.map_err(failed)?,
        }
        Ok(rows)
    }
}

async fn write_postgres(db: &DatabaseConnection, tables: BTreeMap<usize, Rows>) -> Result<(), sqlx::Error> {
    let mut transaction = db.get_postgres_connection_pool().begin().await?;
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *transaction).await?;
    for Rows { name, columns, encoded } in tables.into_values() {
        let Encoded::Copy { mut bytes, .. } = encoded else { continue };
        copy::finish(&mut bytes);
        let text = format!("COPY {name} ({}) FROM STDIN (FORMAT binary)", columns.join(", "));
        let mut sink = transaction.copy_in_raw(&text).await?;
        sink.send(bytes).await?;
        sink.finish().await?;
    }
    transaction.commit().await
}

async fn write_sqlite(db: &DatabaseConnection, tables: BTreeMap<usize, Rows>) -> Result<(), sqlx::Error> {
    let mut transaction = db.get_sqlite_connection_pool().begin_with("BEGIN IMMEDIATE").await?;
    // Rows go to every corner of the indexes: what does not fit in the page cache is written many times over.
    sqlx::query(CACHE_PAGES).execute(&mut *transaction).await?;
    for Rows { name, columns, encoded } in tables.into_values() {
        let Encoded::Inserts(inserts) = encoded else { continue };
        inserts.write(&mut transaction, &format!("INSERT INTO {name} ({})", columns.join(", "))).await?;
    }
    transaction.commit().await
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}
