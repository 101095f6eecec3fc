//! What holds although gateways die: three real ones over one PostgreSQL, which are killed and started again.
//!
//! Each proof has a short form, which runs with the other tests, and a long one: `scripts/prove`.

pub(crate) mod fleet;
mod keys;
mod leading;
mod racing;
mod sealing;

/// How much a proof tries: what the environment says, or its short form.
pub(crate) fn size(name: &str, short: usize) -> usize {
    std::env::var(name).map_or(short, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}
