//! A gateway of its own for each test, over either database, and callers who are ready to ask.

pub mod actor;
pub mod database;
pub mod servers;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use c360::auth::issue::{NewKey, Signer};
use c360::auth::token::Verifier;
use c360::clock::Clock;
use c360::config::{Config, ConfigError};
use c360::state::State;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseConnection;

pub use actor::{Actor, Answer};
pub use database::{Backend, Database};

pub const ISSUER: &str = "https://issuer.test";
pub const AUDIENCE: &str = "c360";

/// A gateway that listens on a port of its own.
pub struct App {
    pub url: String,
    pub state: Arc<State>,
    pub signer: Signer,
    pub http: reqwest::Client,
    key: NewKey,
    _database: Arc<Database>,
    _keys: Arc<tempfile::TempDir>,
}

/// The present, in every test.
pub fn now() -> DateTime<Utc> {
    "2026-11-01T12:00:00Z".parse().unwrap()
}

impl App {
    /// Over an empty database.
    pub async fn empty(backend: Backend) -> Self {
        Self::over(Database::migrated(backend).await).await
    }

    /// Over the demo's retailer, small.
    pub async fn demo(backend: Backend) -> Self {
        Self::over(Database::demo(backend).await).await
    }

    pub async fn over(database: Database) -> Self {
        Self::with_key(database).await.0
    }

    /// Over an empty database, with other settings.
    pub async fn with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        Self::start(Database::migrated(backend).await, change).await.unwrap().0
    }

    /// What is wrong with settings.
    pub async fn refusal(change: impl FnOnce(&mut Config)) -> String {
        let started = Self::start(Database::migrated(Backend::Sqlite).await, change).await;
        started.map(|_| ()).expect_err("it starts").to_string()
    }

    /// Also gives the key that it trusts.
    pub async fn with_key(database: Database) -> (Self, NewKey) {
        Self::start(database, |_| {}).await.unwrap()
    }

    /// Another gateway over the same database, with the same keys and the same time, and other settings.
    pub async fn beside(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.state.config.clone();
        change(&mut config);
        let connection = database::connect(&config.database.url).await;
        let (url, state) = try_serve(config, self.state.clock.clone(), connection).await.unwrap();
        let signer = Signer::from_pem(self.key.private_pem.as_bytes()).unwrap();
        let _database = self._database.clone();
        Self {
            url,
            state,
            signer,
            key: self.key.clone(),
            http: self.http.clone(),
            _database,
            _keys: self._keys.clone(),
        }
    }

    /// Over a database, with other settings.
    pub async fn set_up(database: Database, change: impl FnOnce(&mut Config)) -> (Self, NewKey) {
        Self::start(database, change).await.unwrap()
    }

    async fn start(database: Database, change: impl FnOnce(&mut Config)) -> Result<(Self, NewKey), ConfigError> {
        let keys = tempfile::tempdir().unwrap();
        let key = NewKey::generate().unwrap();
        let jwks = keys.path().join("jwks.json");
        std::fs::write(&jwks, &key.jwks).unwrap();
        let mut config = config(&database.url);
        config.auth.main.jwks_file = jwks;
        change(&mut config);
        let (url, state) = try_serve(config, Clock::fixed(now()), database.connection.clone()).await?;
        let signer = Signer::from_pem(key.private_pem.as_bytes()).unwrap();
        let http = reqwest::Client::new();
        let (_database, _keys) = (Arc::new(database), Arc::new(keys));
        Ok((Self { url, state, signer, key: key.clone(), http, _database, _keys }, key))
    }

    /// How many statements have been run so far.
    pub fn statements(&self) -> u64 {
        self.state.statements.load(Ordering::Relaxed)
    }
}

/// A gateway on a port of its own; its address, and what its requests share.
pub async fn serve(config: Config, clock: Clock, db: DatabaseConnection) -> (String, Arc<State>) {
    try_serve(config, clock, db).await.unwrap()
}

async fn try_serve(config: Config, clock: Clock, db: DatabaseConnection) -> Result<(String, Arc<State>), ConfigError> {
    let verifier = Verifier::new(&config)?;
    let state = Arc::new(State::new(config, clock, db, verifier, c360::schema::relations())?);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = c360::http::router(state.clone())?;
    tokio::spawn(c360::http::server::serve(listener, router, state.clone()));
    Ok((url, state))
}

pub fn config(url: &str) -> Config {
    let mut config = Config::load(None, &|_| None).unwrap();
    config.database.url = url.to_owned();
    config.auth.main.issuer = ISSUER.into();
    config.auth.main.audience = AUDIENCE.into();
    // Many tests change the database by hand. Those of `freshness` turn it on.
    config.cache.enabled = false;
    // Many ask at once where races are tried.
    config.admission.at_once = 1000;
    config
}

/// Runs a test over SQLite and over PostgreSQL.
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($app:ident: App::$start:ident) $body:block) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every test names what is around it")]
            use super::*;

            async fn run($app: $crate::harness::App) $body

            $(#[$meta])*
            #[tokio::test]
            async fn sqlite() {
                run($crate::harness::App::$start($crate::harness::Backend::Sqlite).await).await;
            }

            $(#[$meta])*
            #[tokio::test]
            async fn postgres() {
                run($crate::harness::App::$start($crate::harness::Backend::Postgres).await).await;
            }
        }
    };
}
pub(crate) use on_both;
