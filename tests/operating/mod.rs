//! What operators rely on, seen from outside of a real process.

mod connections;
mod deadlines;
mod deploying;
mod health;
pub mod process;
pub mod proxy;
mod seen;
mod silence;
mod stopping;
