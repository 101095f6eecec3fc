//! c360: one view of each customer of a retailer, as a GraphQL gateway.

pub mod auth;
pub mod bulk;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod document;
pub mod domains;
pub mod error;
pub mod examples;
pub mod graphql;
pub mod http;
pub mod ingest;
pub mod metrics;
pub mod node;
pub mod read;
pub mod reindex;
pub mod retailer;
pub mod schema;
pub mod scope;
pub mod shutdown;
pub mod state;
pub mod telemetry;
pub mod throttle;
pub mod verify;
pub mod view360;
