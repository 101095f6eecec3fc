//! Checks of who is calling.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000044_create_verifications",
    ddl: "
CREATE TABLE customer_verifications (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  staff_id uuid REFERENCES staff (id),
  method text NOT NULL CHECK (method IN ('KNOWLEDGE','ONE_TIME_CODE','CALLBACK','DOCUMENT','VOICE')),
  outcome text NOT NULL CHECK (outcome IN ('PASSED','FAILED')),
  checked_at timestamptz NOT NULL
);

CREATE INDEX customer_verifications_customer ON customer_verifications (customer_id, checked_at, id);
",
};
