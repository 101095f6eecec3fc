//! Orders from every channel: what was bought, paid, sent, taken back and refunded.
//!
//! An order never refunds more than was paid; its totals are the sums of its lines. All amounts are in minor
//! units of the order's currency.

pub mod object;
pub mod query;
pub mod store;
mod which;

pub use object::{CustomerOrders, Order};
pub use query::OrdersQuery;
pub(crate) use which::which;
