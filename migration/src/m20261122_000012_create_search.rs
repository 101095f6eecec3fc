//! What customers are found by, and the orders in which all of them are listed.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000012_create_search",
    ddl: "
CREATE TABLE customer_search_entries (
  text text COLLATE \"C\" NOT NULL,
  kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 3),
  names text COLLATE \"C\" NOT NULL,
  customer_id uuid NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  PRIMARY KEY (text, kind, names, customer_id)
);

CREATE INDEX customer_search_entries_customer ON customer_search_entries (customer_id);

CREATE INDEX customers_by_name ON customers (COALESCE(name_folded, ''), id) WHERE status = 'ACTIVE';

CREATE INDEX customers_vip ON customers (COALESCE(name_folded, ''), id) WHERE status = 'ACTIVE' AND vip;

CREATE INDEX customers_by_member_since ON customers (member_since, id) WHERE status = 'ACTIVE' AND member_since IS NOT NULL;

CREATE INDEX customers_merged_into ON customers (merged_into_id) WHERE merged_into_id IS NOT NULL;
",
};
