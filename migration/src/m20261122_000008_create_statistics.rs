//! Figures per customer that are kept at write time, so that reading them costs one row.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000008_create_statistics",
    ddl: "
CREATE TABLE customer_statistics (
  customer_id uuid PRIMARY KEY REFERENCES customers (id),
  currency text NOT NULL,
  order_count bigint NOT NULL CHECK (order_count >= 0),
  spent_total bigint NOT NULL CHECK (spent_total >= 0),
  refunded_total bigint NOT NULL CHECK (refunded_total >= 0),
  return_count bigint NOT NULL CHECK (return_count >= 0),
  first_order_at timestamptz,
  last_order_at timestamptz,
  ticket_count bigint NOT NULL CHECK (ticket_count >= 0),
  open_ticket_count bigint NOT NULL CHECK (open_ticket_count >= 0),
  feedback_count bigint NOT NULL CHECK (feedback_count >= 0),
  last_nps smallint,
  last_nps_at timestamptz,
  previous_nps smallint,
  last_csat smallint,
  last_csat_at timestamptz,
  previous_csat smallint,
  last_ces smallint,
  last_ces_at timestamptz,
  previous_ces smallint,
  updated_at timestamptz NOT NULL,
  CONSTRAINT customer_statistics_orders CHECK ((order_count = 0) = (first_order_at IS NULL) AND (order_count = 0) = (last_order_at IS NULL)),
  CONSTRAINT customer_statistics_open CHECK (open_ticket_count <= ticket_count)
);
",
};
