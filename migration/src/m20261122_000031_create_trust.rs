//! Partners' secrets, and what is revoked.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000031_create_trust",
    ddl: "
CREATE TABLE partner_secrets (
  id uuid PRIMARY KEY,
  partner_id uuid NOT NULL REFERENCES partners (id),
  hash text NOT NULL CONSTRAINT partner_secrets_hash UNIQUE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz
);

CREATE INDEX partner_secrets_partner ON partner_secrets (partner_id);

CREATE TABLE revocations (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('TOKEN','TOKEN_ID','CLIENT','KEY')),
  issuer text NOT NULL,
  subject text NOT NULL,
  revoked_at timestamptz NOT NULL,
  expires_at timestamptz,
  CONSTRAINT revocations_subject UNIQUE (kind, issuer, subject)
);

CREATE INDEX revocations_expiry ON revocations (expires_at);

CREATE TABLE trust_version (
  id smallint PRIMARY KEY CHECK (id = 1),
  version bigint NOT NULL
);

INSERT INTO trust_version (id, version) VALUES (1, 1);
",
};
