//! The write path: the one way of a mutation.
//!
//! | step | where |
//! | --- | --- |
//! | may the caller do this at all? | `auth::policy`, before the document runs |
//! | a task that nobody can cancel; repetitions told apart and made to wait without a connection | [`perform`] |
//! | one transaction: customer locked, rules applied, rows written, events noted | [`Work::run`], through a [`Tx`] |
//! | events and idempotency record written, commit, jobs woken | [`Tx`] |
//! | the payload, read anew with the caller's eyes | [`crate::payload!`] |
//!
//! An action is an input, a rule, a store function and a payload; `docs/adding-a-mutation.md` shows one.

mod idempotency;
mod payload;
mod perform;
mod problem;
mod queue;
mod setbacks;
mod text;
mod tx;

pub use idempotency::prune;
pub use payload::Payload;
pub use perform::{Action, Work, Writers, perform, system};
pub(crate) use problem::codes;
pub use problem::{Problem, Refusal, Stop};
pub use setbacks::Setbacks;
pub use text::{key, line, long_text, short_text};
pub(crate) use tx::get;
pub use tx::{Author, Locked, Tx};

/// What a step of an action gives: a value, or why the action stops.
pub type Outcome<T> = Result<T, Stop>;
