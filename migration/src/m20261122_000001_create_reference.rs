//! What belongs to the business and to no customer: stores, products, staff, partners.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000001_create_reference",
    ddl: "
CREATE TABLE stores (
  id uuid PRIMARY KEY,
  number text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('STORE','WEB_SHOP','WAREHOUSE')),
  country text,
  timezone text NOT NULL,
  source text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT stores_source_number UNIQUE (source, number)
);

CREATE TABLE products (
  id uuid PRIMARY KEY,
  sku text NOT NULL,
  title text NOT NULL,
  brand text,
  department text,
  category text,
  package_size text,
  source text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT products_source_sku UNIQUE (source, sku)
);

CREATE TABLE teams (
  id uuid PRIMARY KEY,
  name text NOT NULL CONSTRAINT teams_name UNIQUE,
  serves_vip boolean NOT NULL
);

CREATE TABLE staff (
  id uuid PRIMARY KEY,
  subject text NOT NULL CONSTRAINT staff_subject UNIQUE,
  display_name text NOT NULL,
  email text,
  role text NOT NULL CHECK (role IN ('AGENT','SUPERVISOR','ADMIN')),
  team_id uuid REFERENCES teams (id),
  active boolean NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE partners (
  id uuid PRIMARY KEY,
  client_id text NOT NULL CONSTRAINT partners_client_id UNIQUE,
  name text NOT NULL,
  source text NOT NULL CONSTRAINT partners_source UNIQUE,
  kind text NOT NULL CHECK (kind IN ('POS','SHOP','CARRIER','REVIEW_SITE','SURVEY_TOOL','MARKETING','PAYMENT_PROVIDER','OTHER')),
  scopes text NOT NULL,
  purposes text NOT NULL,
  disabled_at timestamptz,
  created_at timestamptz NOT NULL
);
",
};
