//! More than a gateway can bear.

pub mod client;
mod overload;
pub mod traffic;
