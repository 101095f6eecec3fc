//! Servers that die, stand still, cannot be reached or are slow, while a gateway is asked.

mod postgres;
mod redis;
