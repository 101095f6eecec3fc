//! The schema of the database.

use c360::db;
use sea_orm::{ConnectionTrait as _, Statement};

use crate::harness::{Backend, Database, database::connect};

async fn ten_at_once(backend: Backend) {
    let database = Database::new(backend).await;
    let url = database.url.clone();
    let others = (0..10).map(|_| {
        let url = url.clone();
        tokio::spawn(async move {
            let connection = connect(&url).await;
            db::migrate(&connection).await.unwrap();
        })
    });
    for other in others.collect::<Vec<_>>() {
        other.await.unwrap();
    }
    assert_eq!(db::pending_migrations(&database.connection).await.unwrap(), 0);
}

#[tokio::test]
async fn ten_migrate_at_once_sqlite() {
    ten_at_once(Backend::Sqlite).await;
}

#[tokio::test]
async fn ten_migrate_at_once_postgres() {
    ten_at_once(Backend::Postgres).await;
}

async fn everything_of_a_customer_says_whose_it_is(backend: Backend) {
    // Business data and what hangs from it; everything else belongs to a customer.
    let business = [
        "stores",
        "products",
        "teams",
        "staff",
        "partners",
        "partner_secrets",
        "revocations",
        "trust_version",
        "segments",
        "business_calendars",
        "business_hours",
        "business_holidays",
        "sla_policies",
        "sla_targets",
        "macros",
        "loyalty_programmes",
        "loyalty_tiers",
        "campaigns",
        "earning_rules",
        "rewards",
        "coupon_definitions",
        "coupon_products",
        "surveys",
        "cache_state",
        "event_heads",
        "idempotency_records",
        "job_leases",
        "customers",
        "seaql_migrations",
    ];
    let database = Database::migrated(backend).await;
    let db = &database.connection;
    let (tables, columns) = match backend {
        Backend::Sqlite => (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            "SELECT m.name || '.' || c.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c",
        ),
        Backend::Postgres => (
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'",
            "SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = 'public'",
        ),
    };
    let names = async |sql: &str| -> Vec<String> {
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
    };
    let columns = names(columns).await;
    for table in names(tables).await {
        let says = columns.contains(&format!("{table}.customer_id"));
        assert_ne!(says, business.contains(&table.as_str()), "{table}");
    }
}

#[tokio::test]
async fn everything_of_a_customer_says_whose_it_is_sqlite() {
    everything_of_a_customer_says_whose_it_is(Backend::Sqlite).await;
}

#[tokio::test]
async fn everything_of_a_customer_says_whose_it_is_postgres() {
    everything_of_a_customer_says_whose_it_is(Backend::Postgres).await;
}
