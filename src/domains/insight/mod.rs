//! Insight: figures about a customer, and what they say.
//!
//! The figures are kept at write time, one row per customer; what depends on the day, such as the RFM group, is
//! worked out when it is read.

pub mod object;
pub mod store;

pub use object::CustomerInsight;
