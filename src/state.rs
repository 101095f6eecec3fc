//! What every request shares.

use std::sync::atomic::AtomicU64;

use sea_orm::DatabaseConnection;

use crate::auth::token::Verifier;
use crate::clock::Clock;
use crate::config::Config;
use crate::read::plan::Relations;
use crate::throttle::Throttle;

/// What every request shares, frozen at start.
#[derive(Debug)]
pub struct State {
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub db: DatabaseConnection,
    /// Verifies tokens.
    pub verifier: Verifier,
    /// The edges of the schema.
    pub relations: Relations,
    /// How much callers have asked for.
    pub throttle: Throttle,
    /// How many statements have been run.
    pub statements: AtomicU64,
}

impl State {
    /// What is given, and everything else as it is at the start.
    pub fn new(config: Config, clock: Clock, db: DatabaseConnection, verifier: Verifier, relations: Relations) -> Self {
        let throttle = Throttle::new(&config);
        Self { config, clock, db, verifier, relations, throttle, statements: AtomicU64::new(0) }
    }
}
