//! The event log, its personal values apart, and what makes a mutation safe to repeat.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000007_create_events",
    ddl: "
CREATE TABLE events (
  id uuid PRIMARY KEY,
  customer_id uuid REFERENCES customers (id),
  kind text NOT NULL,
  domain text NOT NULL CHECK (domain IN ('CUSTOMERS','ORDERS','TICKETS','LOYALTY','FEEDBACK','PRIVACY','BUSINESS')),
  visibility text NOT NULL CHECK (visibility IN ('CUSTOMER','STAFF','AUDIT')),
  subject_kind text,
  subject_id uuid,
  label text,
  amount bigint,
  currency text,
  points bigint,
  channel text,
  actor_kind text NOT NULL CHECK (actor_kind IN ('STAFF','CUSTOMER','PARTNER','SYSTEM','IMPORT')),
  actor_id text,
  source text NOT NULL,
  reason text,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  position bigint CONSTRAINT events_position UNIQUE,
  hash bytea,
  CONSTRAINT events_sealed CHECK ((position IS NULL) = (hash IS NULL)),
  CONSTRAINT events_subject CHECK ((subject_kind IS NULL) = (subject_id IS NULL)),
  CONSTRAINT events_amount CHECK ((amount IS NULL) = (currency IS NULL))
);

CREATE INDEX events_timeline ON events (customer_id, occurred_at, id) WHERE visibility <> 'AUDIT';

CREATE INDEX events_unsealed ON events (id) WHERE position IS NULL;

CREATE TABLE event_values (
  event_id uuid NOT NULL REFERENCES events (id),
  customer_id uuid REFERENCES customers (id),
  field text NOT NULL,
  before_value text,
  after_value text,
  PRIMARY KEY (event_id, field)
);

CREATE INDEX event_values_customer ON event_values (customer_id);

CREATE TABLE event_heads (
  position bigint PRIMARY KEY,
  hash bytea NOT NULL,
  key_id text NOT NULL,
  signature bytea NOT NULL,
  signed_at timestamptz NOT NULL
);

CREATE TABLE idempotency_records (
  caller text NOT NULL,
  idempotency_key text NOT NULL,
  operation text NOT NULL,
  input_hash bytea NOT NULL,
  result_ids jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (caller, idempotency_key)
);

CREATE INDEX idempotency_records_expiry ON idempotency_records (expires_at);

CREATE TABLE job_leases (
  name text PRIMARY KEY,
  holder text NOT NULL,
  leased_until timestamptz NOT NULL,
  progress text
);
",
};
