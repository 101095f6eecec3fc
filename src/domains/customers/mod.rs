//! Customers: who they are, what they are recognised by, and what they agreed to.
//!
//! An identifier that is verified belongs to one customer; one that is not may be shared, as by a household. A
//! customer who was merged into another is found as that other one.

pub mod identity;
pub mod mutation;
pub mod object;
pub mod query;
pub mod search;
pub mod store;
pub mod verification;
mod whose;

pub use mutation::CustomersMutation;
pub use object::CustomerProfile;
pub use query::CustomerIdentifier;
pub use search::{CustomerFilter, CustomerSort, Search};
pub(crate) use verification::verified;
pub(crate) use whose::{on_behalf, seen, whose};
