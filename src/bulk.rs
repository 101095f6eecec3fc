//! Bulk load: rows of any table, gathered and then written together, by `COPY` on PostgreSQL.

use std::collections::BTreeMap;

use sea_orm::sqlx;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityName, EntityTrait, IdenStatic as _,
    Iterable, ModelTrait, RuntimeErr, Statement, TransactionTrait, Value,
};

mod copy;

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

/// Most parameters that one SQLite statement takes.
const SQLITE_PARAMETERS: usize = 32_000;

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
    bytes: Vec<u8>,
    values: Vec<Value>,
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
        let name = static_name::<M::Entity>();
        let rank = ORDER.iter().position(|table| *table == name).unwrap_or(ORDER.len());
        let rows = self.tables.entry(rank).or_insert_with(|| Rows {
            name,
            columns: <M::Entity as EntityTrait>::Column::iter().map(|column| column.as_str()).collect(),
            bytes: copy::header(),
            values: Vec::new(),
        });
        let columns = <M::Entity as EntityTrait>::Column::iter();
        if self.backend == DbBackend::Postgres {
            copy::begin_row(&mut rows.bytes, rows.columns.len());
            for column in columns {
                copy::field(&mut rows.bytes, &model.get(column), column.def().get_column_type());
            }
        } else {
            rows.values.extend(columns.map(|column| model.get(column)));
        }
        self.rows += 1;
    }

    /// Writes all rows in one transaction and leaves the batch empty; on an error nothing is written.
    ///
    /// # Errors
    /// A constraint that a row breaks, or a lost connection.
    pub async fn write(&mut self, db: &DatabaseConnection) -> Result<usize, DbErr> {
        let tables = std::mem::take(&mut self.tables);
        let rows = std::mem::take(&mut self.rows);
        match self.backend {
            DbBackend::Postgres => write_postgres(db, tables).await?,
            _ => write_sqlite(db, tables).await?,
        }
        Ok(rows)
    }
}

fn static_name<E: EntityName + Default>() -> &'static str {
    let entity = E::default();
    ORDER.iter().find(|table| **table == entity.table_name()).copied().unwrap_or("")
}

async fn write_postgres(db: &DatabaseConnection, tables: BTreeMap<usize, Rows>) -> Result<(), DbErr> {
    let pool = db.get_postgres_connection_pool();
    let mut transaction = pool.begin().await.map_err(failed)?;
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *transaction).await.map_err(failed)?;
    for mut rows in tables.into_values() {
        copy::finish(&mut rows.bytes);
        let text = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", rows.name, rows.columns.join(", "));
        let mut sink = transaction.copy_in_raw(&text).await.map_err(failed)?;
        sink.send(rows.bytes).await.map_err(failed)?;
        sink.finish().await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

async fn write_sqlite(db: &DatabaseConnection, tables: BTreeMap<usize, Rows>) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    for rows in tables.into_values() {
        let width = rows.columns.len();
        let row = format!("({})", vec!["?"; width].join(","));
        for chunk in rows.values.chunks(SQLITE_PARAMETERS / width * width) {
            let all = vec![row.as_str(); chunk.len() / width].join(",");
            let text = format!("INSERT INTO {} ({}) VALUES {all}", rows.name, rows.columns.join(", "));
            transaction.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, text, chunk.to_vec())).await?;
        }
    }
    transaction.commit().await
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}
