//! From rows in memory to rows in a database, while the next ones are made.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, TransactionTrait};
use tokio::sync::mpsc;

use super::{Plan, Retailer};
use crate::bulk::{Batch, Loader};
use crate::cache::lease;

/// Rows that are written in one transaction, about.
const CHUNK: usize = 40_000;

/// How far the load has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Customers made and handed over; all are written when [`load`] returns.
    pub customers: u64,
    /// Customers to write in all.
    pub of: u64,
    /// Rows handed over.
    pub rows: u64,
    /// Since the start.
    pub elapsed: Duration,
}

/// What was loaded.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Customers written.
    pub customers: u64,
    /// Rows written, over all tables.
    pub rows: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Whether the database holds nothing that a retailer brings.
///
/// # Errors
/// The database cannot be read.
pub async fn is_empty(db: &DatabaseConnection) -> Result<bool, DbErr> {
    for table in ["customers", "stores", "products", "staff", "partners", "loyalty_programmes"] {
        let statement =
            sea_orm::Statement::from_string(db.get_database_backend(), format!("SELECT 1 FROM {table} LIMIT 1"));
        if db.query_one_raw(statement).await?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes a retailer and writes it into an empty database, chunk by chunk; `report` is called when one is handed over.
///
/// # Errors
/// The database refuses a row or cannot be reached. Chunks that were written before stay.
pub async fn load(db: &DatabaseConnection, plan: Plan, mut report: impl FnMut(Progress)) -> Result<Summary, DbErr> {
    let start = Instant::now();
    // Chunks are written while the next one is made; another may wait.
    let (sender, mut receiver) = mpsc::channel(1);
    let maker = tokio::task::spawn_blocking({
        let db = db.clone();
        move || make(&db, plan, &sender)
    });
    let mut loader = Loader::open(db).await?;
    let (mut customers, mut rows) = (0, 0);
    while let Some((through, batch)) = receiver.recv().await {
        rows += batch.len() as u64;
        loader.write(batch).await?;
        customers = through;
        report(Progress { customers, of: plan.customers, rows, elapsed: start.elapsed() });
    }
    maker.await.map_err(|error| DbErr::Custom(format!("making the rows stopped: {error}")))?;
    loader.finish().await?;
    lease::reopen(db).await?;
    if db.get_database_backend() == DbBackend::Postgres {
        let transaction = db.begin().await?;
        transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        transaction.execute_unprepared(ANALYZE).await?;
        transaction.commit().await?;
    }
    Ok(Summary { customers, rows, elapsed: start.elapsed() })
}

/// A plan that was made over empty tables would be kept. Tables that are empty still are left out: PostgreSQL takes one that it
/// has not looked at for larger than it is, and one that it has found empty is read from end to end, however much it grows.
const ANALYZE: &str = "DO $$ DECLARE name regclass; BEGIN \
    FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace \
        AND pg_relation_size(oid) > 0 \
    LOOP EXECUTE format('ANALYZE %s', name); END LOOP; END $$";

/// Sends batches, each with the last customer in it, until all are made or nobody listens.
fn make(db: &DatabaseConnection, plan: Plan, sender: &mpsc::Sender<(u64, Batch)>) {
    let retailer = Retailer::new(plan);
    let mut batch = Batch::new(db);
    retailer.reference().push_into(&mut batch);
    for index in 1..=plan.customers {
        retailer.customer(index).push_into(&mut batch);
        if batch.len() >= CHUNK || index == plan.customers {
            let full = std::mem::replace(&mut batch, Batch::new(db));
            if sender.blocking_send((index, full)).is_err() {
                return;
            }
        }
    }
    if !batch.is_empty() {
        let _ = sender.blocking_send((plan.customers, batch));
    }
}
