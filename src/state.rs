//! What every request shares.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{DatabaseConnection, DbErr, QueryResult};

use crate::admission::Admission;
use crate::auth::token::Verifier;
use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::db::{self, Kept, Probe, Query, Watch};
use crate::events::heads::HeadKeys;
use crate::metrics::{Metrics, Pool};
use crate::read::Batches;
use crate::read::plan::Relations;
use crate::shutdown::Shutdown;
use crate::throttle::Throttle;
use crate::write::Writers;

/// What every request shares, frozen at start.
#[derive(Debug)]
pub struct State {
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub db: DatabaseConnection,
    /// Connections to it that are kept for those who read.
    pub kept: Kept,
    /// Those who wait for a statement that they share.
    pub batches: Batches,
    /// Connections to the database that no request uses.
    pub watch: Watch,
    /// Whether the database answers.
    pub probe: Probe,
    /// Verifies tokens.
    pub verifier: Verifier,
    /// The edges of the schema.
    pub relations: Relations,
    /// How many requests are worked on at once.
    pub admission: Admission,
    /// How much callers have asked for.
    pub throttle: Throttle,
    /// Finished answers.
    pub cache: Cache,
    /// What those who write share.
    pub writers: Writers,
    /// The keys with which the end of the event log is signed.
    pub heads: HeadKeys,
    /// How many statements have been run.
    pub statements: AtomicU64,
    /// Figures for operators.
    pub metrics: Metrics,
    /// How far the process is on its way out.
    pub shutdown: Shutdown,
}

impl State {
    /// What is given, and everything else as it is at the start.
    ///
    /// # Errors
    /// A setting that is wrong; the message names it.
    pub fn new(
        config: Config,
        clock: Clock,
        db: DatabaseConnection,
        verifier: Verifier,
        relations: Relations,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            kept: Kept::new(&db, &config.database),
            batches: Batches::default(),
            watch: Watch::new(&config.database),
            probe: Probe::default(),
            metrics: Metrics::new(clock.now()),
            admission: Admission::new(&config),
            throttle: Throttle::new(&config),
            cache: Cache::new(&config),
            writers: Writers::default(),
            heads: HeadKeys::read(&config.events.signing_key_files)?,
            config,
            clock,
            db,
            verifier,
            relations,
            statements: AtomicU64::new(0),
            shutdown: Shutdown::default(),
        })
    }

    /// The database's connections at this moment, as those who read find them.
    pub fn pool(&self) -> Pool {
        db::pool(&self.db, &self.config.database).and_idle(self.kept.idle())
    }

    /// The rows of a statement that reads.
    ///
    /// # Errors
    /// As the database fails.
    pub(crate) async fn read(&self, query: Query) -> Result<Vec<QueryResult>, DbErr> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let running = self.metrics.statement(self.pool());
        let rows = self.kept.rows(&self.db, query).await;
        rows.inspect_err(|error| running.failed(db::trouble(error).as_str()))
    }
}
