//! Tickets: what customers ask for help with, what is said about it, and what they are promised.
//!
//! A ticket is open until it is solved. Its notes, its clocks and who works on it are for staff only. A clock that
//! has run out counts as breached from that moment, whether or not anything has recorded it yet.

pub mod object;
pub mod query;
pub mod store;

pub use object::{CustomerTickets, Ticket};
pub use query::TicketsQuery;
