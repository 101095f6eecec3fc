//! Tickets: what customers ask for help with, what is said about it, and what they are promised.
//!
//! A ticket is open until it is solved. Its notes, its clocks and who works on it are for staff only. A clock that
//! has run out counts as breached from that moment, whether or not anything has recorded it yet.
//!
//! A mutation takes a ticket on the desk (`desk.rs`), where the rules say what becomes of its status and its clocks, and
//! puts it back into the books (`books.rs`).

mod books;
mod desk;
mod due;
pub mod macros;
pub mod mutation;
pub mod object;
pub mod query;
mod service;
pub mod store;
mod words;

pub use due::{close, rest_of_solved, sla};
pub use macros::MacrosQuery;
pub use mutation::TicketsMutation;
pub use object::{CustomerTickets, Ticket};
pub use query::TicketsQuery;
