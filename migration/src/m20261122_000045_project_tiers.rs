//! What an account's tier will rest on at its next review.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000045_project_tiers",
    ddl: "
ALTER TABLE loyalty_accounts ADD COLUMN kept_points bigint;
",
};
