//! What sealing adds to an event, and the ways in which the audit log is read.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000041_seal_events",
    ddl: "
ALTER TABLE events ADD COLUMN words_salt bytea;

ALTER TABLE events ADD COLUMN words_digest bytea;

DROP INDEX events_unsealed;

CREATE INDEX events_unsealed ON events (recorded_at, id) WHERE position IS NULL;

CREATE INDEX events_recorded ON events (recorded_at, id);

CREATE INDEX events_recorded_customer ON events (customer_id, recorded_at, id);

CREATE INDEX events_recorded_actor ON events (actor_id, recorded_at, id);

CREATE INDEX events_recorded_kind ON events (kind, recorded_at, id);

CREATE INDEX events_recorded_domain ON events (domain, recorded_at, id);

CREATE INDEX events_subject ON events (subject_id);
",
};
