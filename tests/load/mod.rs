//! More than a gateway can bear.

pub mod client;
mod overload;
mod refusing;
pub mod traffic;
