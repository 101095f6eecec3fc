//! The vocabulary that all domains share: scalars, money, ids, choices.

pub mod choice;
pub mod id;
pub mod money;
pub mod time;

pub use id::gid;
pub use money::Money;
pub use time::{Date, DateTime};
