//! Who says whether a cached answer still holds: one row for all gateways.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261129_000050_create_cache_state",
    ddl: "
CREATE TABLE cache_state (
  id smallint PRIMARY KEY CHECK (id = 1),
  generation text NOT NULL,
  authority text,
  held_until bigint NOT NULL,
  settled_at bigint NOT NULL
);

INSERT INTO cache_state (id, generation, authority, held_until, settled_at) VALUES (1, 'first', NULL, 0, 0);
",
};
