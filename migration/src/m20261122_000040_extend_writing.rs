//! What the writing path needs: an order of each customer's changes, and where an event came from.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000040_extend_writing",
    ddl: "
ALTER TABLE customers ADD COLUMN event_clock bigint NOT NULL DEFAULT 0;

ALTER TABLE events ADD COLUMN client_id text;

ALTER TABLE events ADD COLUMN request_id uuid;
",
};
