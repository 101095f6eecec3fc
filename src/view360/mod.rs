//! The customer as a whole: the domains' parts, merged into one `Customer`, and the two ways to reach it.

pub mod customer;
pub mod query;

pub use customer::Customer;
pub use query::CustomerQuery;
