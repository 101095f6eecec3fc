//! The business, one folder per domain, with the same files in each.

pub mod audit;
pub mod customers;
pub mod feedback;
pub mod insight;
pub mod loyalty;
pub mod orders;
pub mod tickets;
pub mod timeline;
