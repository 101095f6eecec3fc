//! What c360 promises, over HTTP and from the command line, on both databases.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, reason = "tests")]

mod harness;

mod architecture;
mod commands;
mod customers;
mod documents;
mod edge;
mod faults;
mod finding;
mod freshness;
mod fuzzed;
mod graphiql;
mod hostile;
mod import_ndjson;
mod load;
mod log;
mod loyalty;
mod masking;
mod migrations;
mod operating;
mod pages;
mod policy;
mod proofs;
mod reading;
mod remembering;
mod schema;
mod search;
mod sharing;
mod story;
mod swapping;
mod throttling;
mod tickets;
mod tokens;
mod writing;
