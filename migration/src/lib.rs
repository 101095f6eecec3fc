//! The schema of c360, step by step.
//!
//! Each step is one file of SQL, written once in PostgreSQL's words; `step` maps the column types
//! to SQLite's. Steps only go forward. `c360 migrate` runs them under a lock, so that any number of
//! processes may start at once.

mod m20261122_000001_create_reference;
mod m20261122_000002_create_customers;
mod m20261122_000003_create_orders;
mod m20261122_000004_create_tickets;
mod m20261122_000005_create_loyalty;
mod m20261122_000006_create_feedback;
mod m20261122_000007_create_events;
mod m20261122_000008_create_statistics;
mod m20261122_000012_create_search;
mod m20261122_000030_create_ingested_items;
mod m20261122_000031_create_trust;
mod m20261122_000040_extend_writing;
mod m20261122_000041_seal_events;
mod m20261122_000042_extend_tickets;
mod m20261122_000043_extend_loyalty;
mod m20261122_000044_create_verifications;
mod m20261122_000045_project_tiers;
mod m20261129_000050_create_cache_state;
mod m20261130_000051_close_cache_state;
mod step;

use sea_orm_migration::prelude::*;

/// The ordered list of steps.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_create_reference::STEP),
            Box::new(m20261122_000002_create_customers::STEP),
            Box::new(m20261122_000003_create_orders::STEP),
            Box::new(m20261122_000004_create_tickets::STEP),
            Box::new(m20261122_000005_create_loyalty::STEP),
            Box::new(m20261122_000006_create_feedback::STEP),
            Box::new(m20261122_000007_create_events::STEP),
            Box::new(m20261122_000008_create_statistics::STEP),
            Box::new(m20261122_000012_create_search::STEP),
            Box::new(m20261122_000030_create_ingested_items::STEP),
            Box::new(m20261122_000031_create_trust::STEP),
            Box::new(m20261122_000040_extend_writing::STEP),
            Box::new(m20261122_000041_seal_events::STEP),
            Box::new(m20261122_000042_extend_tickets::STEP),
            Box::new(m20261122_000043_extend_loyalty::STEP),
            Box::new(m20261122_000044_create_verifications::STEP),
            Box::new(m20261122_000045_project_tiers::STEP),
            Box::new(m20261129_000050_create_cache_state::STEP),
            Box::new(m20261130_000051_close_cache_state::STEP),
        ]
    }
}
