//! Loyalty: the programme with its tiers and rewards, and each member's account, points and coupons.
//!
//! The ledger of points is append-only; pending, active and held are states of lots. Points are spent and
//! expire oldest first, and nothing is ever negative. Whatever moves points does so through a [`ledger::Ledger`].

pub mod due;
pub mod earning;
mod giving;
pub(crate) mod holds;
pub(crate) mod ledger;
pub mod mutation;
mod numbers;
pub mod object;
pub mod query;
pub mod quote;
mod standing;
pub mod store;

pub use mutation::LoyaltyMutation;
pub use object::CustomerLoyalty;
pub use query::LoyaltyQuery;
