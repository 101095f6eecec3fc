//! What came from where: the key of each item that a source brought in, and the row that it became.
//!
//! The id comes first in the key: many are looked up at once, and an index that begins with the source would be read
//! from end to end for them while the planner takes the table for empty.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000030_create_ingested_items",
    ddl: "
CREATE TABLE ingested_items (
  source text NOT NULL,
  kind text NOT NULL,
  external_id text NOT NULL,
  customer_id uuid NOT NULL REFERENCES customers (id),
  subject_id uuid NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  content_hash bytea NOT NULL,
  PRIMARY KEY (external_id, source, kind)
);

CREATE INDEX ingested_items_customer ON ingested_items (customer_id);

ALTER TABLE loyalty_accounts ADD COLUMN earning text NOT NULL DEFAULT 'ORDERS' CHECK (earning IN ('ORDERS','LEDGER'));
",
};
