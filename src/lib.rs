//! c360: one view of each customer of a retailer, as a GraphQL gateway.

pub mod bulk;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
