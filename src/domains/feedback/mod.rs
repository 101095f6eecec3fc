//! Feedback: what customers say about the retailer, asked or not, and what is done about it.
//!
//! All kinds of feedback are rows of one table and one interface. A score belongs to a metric, which says its range.

pub mod object;
pub mod satisfaction;
pub mod store;

pub use object::CustomerFeedback;
