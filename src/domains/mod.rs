//! The business, one folder per domain, with the same files in each.

pub mod customers;
pub mod orders;
