//! Audit: the event log for those who answer for it, whole and newest first.
//!
//! It reads what every change has written in its own transaction: who, what, when, why, from where, before and after.

pub mod object;
pub mod query;
pub mod store;

pub use query::AuditQuery;
