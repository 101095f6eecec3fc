//! c360: one view of each customer of a retailer, as a GraphQL gateway.

pub mod auth;
pub mod bulk;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod domains;
pub mod error;
pub mod graphql;
pub mod http;
pub mod ingest;
pub mod node;
pub mod read;
pub mod reindex;
pub mod retailer;
pub mod schema;
pub mod scope;
pub mod state;
pub mod verify;
pub mod view360;
