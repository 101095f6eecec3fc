//! The vocabulary that all domains share: scalars, money, ids, choices.

pub mod choice;
pub mod id;
pub mod money;
pub mod number;
pub mod text;
pub mod time;

pub use id::gid;
pub use money::{Decimal, Money, MoneyInput};
pub use number::int;
pub use text::free_text;
pub use time::{Date, DateTime};
