//! What operators rely on, seen from outside of a real process.

mod connections;
mod deploying;
mod health;
pub mod process;
mod proxy;
mod seen;
mod silence;
mod stopping;
