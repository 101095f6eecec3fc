//! A database of its own for each test.

use c360::retailer::{self, demo};
use c360::{config, db};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

pub struct Database {
    pub url: String,
    pub connection: DatabaseConnection,
    _folder: Option<tempfile::TempDir>,
}

/// Customers of the small demo: the cast, and some more.
pub const CUSTOMERS: u64 = 60;

impl Database {
    /// A new database without a schema.
    pub async fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}", folder.path().join("c360.db").display());
                Self { connection: connect(&url).await, url, _folder: Some(folder) }
            }
            Backend::Postgres => {
                let server = std::env::var("C360_TEST_POSTGRES")
                    .expect("C360_TEST_POSTGRES is not set: run the tests by ./scripts/test");
                Self::at(&server).await
            }
        }
    }

    /// A new database of a PostgreSQL, without a schema.
    async fn at(server: &str) -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let admin = connect(server).await;
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
        let (before, _) = server.rsplit_once('/').unwrap();
        let url = format!("{before}/{name}");
        Self { connection: connect(&url).await, url, _folder: None }
    }

    /// A new database with the schema and nothing in it.
    pub async fn migrated(backend: Backend) -> Self {
        let database = Self::new(backend).await;
        db::migrate(&database.connection).await.unwrap();
        database
    }

    /// A new database with the demo's retailer.
    pub async fn demo(backend: Backend) -> Self {
        Self::new(backend).await.with_demo().await
    }

    /// The same in a PostgreSQL of the test's own.
    pub async fn demo_at(server: &str) -> Self {
        Self::at(server).await.with_demo().await
    }

    async fn with_demo(self) -> Self {
        let database = self;
        db::migrate(&database.connection).await.unwrap();
        retailer::load(&database.connection, demo::plan(CUSTOMERS, super::now()), |_| {}).await.unwrap();
        // The shop may have any scope, so that it is its token that says what it may do.
        let all = c360_rules::access::Scopes::ALL;
        let allow = format!("UPDATE partners SET scopes = '{all}' WHERE client_id = 'shop-partner'");
        database.connection.execute_unprepared(&allow).await.unwrap();
        database
    }
}

pub async fn connect(url: &str) -> DatabaseConnection {
    let mut settings = super::config(url).database;
    settings.max_connections = 4;
    settings.acquire_timeout_ms = 20_000;
    settings.statement_timeout_ms = 60_000;
    let settings: config::Database = settings;
    db::connect(&settings).await.unwrap()
}
