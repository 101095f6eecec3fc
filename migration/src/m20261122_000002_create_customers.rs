//! Customers, what they are recognised by, and what they agreed to.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000002_create_customers",
    ddl: "
CREATE TABLE customers (
  id uuid PRIMARY KEY,
  number text NOT NULL CONSTRAINT customers_number UNIQUE,
  status text NOT NULL CHECK (status IN ('ACTIVE','MERGED','ERASED')),
  merged_into_id uuid REFERENCES customers (id),
  name text,
  name_folded text COLLATE \"C\",
  locale text,
  birthday date,
  preferred_channel text CHECK (preferred_channel IN ('EMAIL','SMS','PHONE','PUSH','POST','CHAT')),
  member_since timestamptz,
  vip boolean NOT NULL,
  risk text NOT NULL CHECK (risk IN ('LOW','MEDIUM','HIGH')),
  source text NOT NULL,
  version bigint NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT customers_merged CHECK ((status = 'MERGED') = (merged_into_id IS NOT NULL))
);

CREATE TABLE customer_identities (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  kind text NOT NULL CHECK (kind IN ('EMAIL','PHONE','LOYALTY_CARD','SOCIAL','DEVICE','EXTERNAL')),
  namespace text NOT NULL,
  value text NOT NULL,
  normalized text COLLATE \"C\" NOT NULL,
  verified_at timestamptz,
  source text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT customer_identities_once UNIQUE (customer_id, kind, namespace, normalized)
);

CREATE INDEX customer_identities_lookup ON customer_identities (kind, normalized, namespace);

CREATE UNIQUE INDEX customer_identities_verified ON customer_identities (kind, namespace, normalized) WHERE verified_at IS NOT NULL;

CREATE TABLE addresses (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  kind text NOT NULL CHECK (kind IN ('HOME','SHIPPING','BILLING')),
  recipient text,
  line1 text NOT NULL,
  line2 text,
  city text NOT NULL,
  region text,
  postal_code text,
  country text NOT NULL,
  is_default boolean NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE INDEX addresses_customer ON addresses (customer_id, id);

CREATE TABLE consents (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  purpose text NOT NULL CHECK (purpose IN ('SERVICE','MARKETING','PROFILING','RESEARCH','DELIVERY','THIRD_PARTY_SHARING')),
  channel text NOT NULL CHECK (channel IN ('ANY','EMAIL','SMS','PHONE','PUSH','POST')),
  status text NOT NULL CHECK (status IN ('GRANTED','DENIED','REVOKED')),
  source text NOT NULL,
  decided_at timestamptz NOT NULL,
  CONSTRAINT consents_once UNIQUE (customer_id, purpose, channel)
);

CREATE TABLE customer_notes (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  staff_id uuid REFERENCES staff (id),
  body text NOT NULL,
  pinned boolean NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE INDEX customer_notes_customer ON customer_notes (customer_id, created_at, id);

CREATE TABLE customer_tags (
  customer_id uuid NOT NULL REFERENCES customers (id),
  tag text NOT NULL,
  staff_id uuid REFERENCES staff (id),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (customer_id, tag)
);

CREATE TABLE segments (
  id uuid PRIMARY KEY,
  code text NOT NULL CONSTRAINT segments_code UNIQUE,
  name text NOT NULL,
  description text,
  source text NOT NULL
);

CREATE TABLE customer_segments (
  customer_id uuid NOT NULL REFERENCES customers (id),
  segment_id uuid NOT NULL REFERENCES segments (id),
  since timestamptz NOT NULL,
  PRIMARY KEY (customer_id, segment_id)
);

CREATE TABLE customer_merges (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  merged_customer_id uuid NOT NULL REFERENCES customers (id),
  rule text NOT NULL,
  evidence jsonb NOT NULL,
  staff_id uuid REFERENCES staff (id),
  merged_at timestamptz NOT NULL,
  undone_at timestamptz,
  CONSTRAINT customer_merges_two CHECK (customer_id <> merged_customer_id)
);

CREATE INDEX customer_merges_customer ON customer_merges (customer_id, merged_at);
",
};
