//! What every request shares.

use std::sync::atomic::AtomicU64;

use sea_orm::DatabaseConnection;

use crate::auth::token::Verifier;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::db::{Kept, Probe, Watch};
use crate::events::heads::HeadKeys;
use crate::metrics::Metrics;
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
    /// Connections to the database that no request uses.
    pub watch: Watch,
    /// Whether the database answers.
    pub probe: Probe,
    /// Verifies tokens.
    pub verifier: Verifier,
    /// The edges of the schema.
    pub relations: Relations,
    /// How much callers have asked for.
    pub throttle: Throttle,
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
            watch: Watch::new(&config.database),
            probe: Probe::default(),
            metrics: Metrics::new(clock.now()),
            throttle: Throttle::new(&config),
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
}
