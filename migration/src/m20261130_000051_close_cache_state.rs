//! Caching is closed before a change of which the authority cannot be told: whether that has reached everybody.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261130_000051_close_cache_state",
    ddl: "
ALTER TABLE cache_state DROP COLUMN settled_at;

ALTER TABLE cache_state ADD COLUMN is_settled boolean NOT NULL DEFAULT true;
",
};
