//! Timeline: everything that happened with a customer, on every channel, newest first.
//!
//! It is read from the event log, which every change is written to in the same transaction. What is kept for an
//! audit only does not appear; customers and partners do not see what is for staff.

pub mod object;
pub mod store;

pub use object::CustomerTimeline;
