//! Tickets, the clocks that run on them, and how the work is shared out.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000004_create_tickets",
    ddl: "
CREATE TABLE business_calendars (
  id uuid PRIMARY KEY,
  name text NOT NULL CONSTRAINT business_calendars_name UNIQUE,
  timezone text NOT NULL
);

CREATE TABLE business_hours (
  calendar_id uuid NOT NULL REFERENCES business_calendars (id),
  weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
  opens_minute smallint NOT NULL CHECK (opens_minute BETWEEN 0 AND 1439),
  closes_minute smallint NOT NULL CHECK (closes_minute BETWEEN 1 AND 1440),
  PRIMARY KEY (calendar_id, weekday, opens_minute),
  CONSTRAINT business_hours_order CHECK (opens_minute < closes_minute)
);

CREATE TABLE business_holidays (
  calendar_id uuid NOT NULL REFERENCES business_calendars (id),
  day date NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (calendar_id, day)
);

CREATE TABLE sla_policies (
  id uuid PRIMARY KEY,
  name text NOT NULL CONSTRAINT sla_policies_name UNIQUE,
  calendar_id uuid REFERENCES business_calendars (id),
  serves_vip boolean NOT NULL,
  position integer NOT NULL CONSTRAINT sla_policies_position UNIQUE,
  active boolean NOT NULL
);

CREATE TABLE sla_targets (
  policy_id uuid NOT NULL REFERENCES sla_policies (id),
  priority text NOT NULL CHECK (priority IN ('LOW','NORMAL','HIGH','URGENT')),
  metric text NOT NULL CHECK (metric IN ('FIRST_REPLY','NEXT_REPLY','RESOLUTION')),
  target_minutes integer NOT NULL CHECK (target_minutes > 0),
  PRIMARY KEY (policy_id, priority, metric)
);

CREATE TABLE tickets (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  number text NOT NULL CONSTRAINT tickets_number UNIQUE,
  status text NOT NULL CHECK (status IN ('NEW','OPEN','PENDING','ON_HOLD','SOLVED','CLOSED')),
  priority text NOT NULL CHECK (priority IN ('LOW','NORMAL','HIGH','URGENT')),
  priority_rank smallint NOT NULL CHECK (priority_rank BETWEEN 1 AND 4),
  kind text NOT NULL CHECK (kind IN ('QUESTION','INCIDENT','PROBLEM','TASK')),
  channel text NOT NULL CHECK (channel IN ('EMAIL','PHONE','CHAT','WEB','MOBILE_APP','SOCIAL','POS','PARTNER')),
  source text NOT NULL,
  subject text NOT NULL,
  assignee_id uuid REFERENCES staff (id),
  team_id uuid REFERENCES teams (id),
  sla_policy_id uuid REFERENCES sla_policies (id),
  sla_due_at timestamptz,
  sla_breached boolean NOT NULL,
  escalated_at timestamptz,
  merged_into_id uuid REFERENCES tickets (id),
  first_replied_at timestamptz,
  solved_at timestamptz,
  version bigint NOT NULL CHECK (version > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT tickets_solved CHECK ((status IN ('SOLVED','CLOSED')) = (solved_at IS NOT NULL)),
  CONSTRAINT tickets_priority CHECK (priority_rank = CASE priority WHEN 'LOW' THEN 1 WHEN 'NORMAL' THEN 2 WHEN 'HIGH' THEN 3 ELSE 4 END)
);

CREATE INDEX tickets_customer ON tickets (customer_id, created_at, id);

CREATE INDEX tickets_customer_open ON tickets (customer_id, created_at, id) WHERE status IN ('NEW','OPEN','PENDING','ON_HOLD');

CREATE INDEX tickets_queue_created ON tickets (created_at, id);

CREATE INDEX tickets_queue_updated ON tickets (updated_at, id);

CREATE INDEX tickets_queue_priority ON tickets ((-priority_rank), id);

CREATE INDEX tickets_queue_due ON tickets (sla_due_at, id) WHERE sla_due_at IS NOT NULL;

CREATE INDEX tickets_open_created ON tickets (created_at, id) WHERE status IN ('NEW','OPEN','PENDING','ON_HOLD');

CREATE INDEX tickets_open_priority ON tickets ((-priority_rank), id) WHERE status IN ('NEW','OPEN','PENDING','ON_HOLD');

CREATE INDEX tickets_assignee ON tickets (assignee_id, created_at, id);

CREATE INDEX tickets_team ON tickets (team_id, created_at, id);

CREATE TABLE ticket_messages (
  id uuid PRIMARY KEY,
  ticket_id uuid NOT NULL REFERENCES tickets (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  visibility text NOT NULL CHECK (visibility IN ('PUBLIC','INTERNAL')),
  author_kind text NOT NULL CHECK (author_kind IN ('CUSTOMER','STAFF','PARTNER','SYSTEM')),
  staff_id uuid REFERENCES staff (id),
  channel text NOT NULL CHECK (channel IN ('EMAIL','PHONE','CHAT','WEB','MOBILE_APP','SOCIAL','POS','PARTNER')),
  body text NOT NULL,
  source text NOT NULL,
  external_id text,
  created_at timestamptz NOT NULL,
  CONSTRAINT ticket_messages_once UNIQUE (source, external_id),
  CONSTRAINT ticket_messages_author CHECK (staff_id IS NULL OR author_kind = 'STAFF'),
  CONSTRAINT ticket_messages_internal CHECK (visibility = 'PUBLIC' OR author_kind IN ('STAFF','SYSTEM'))
);

CREATE INDEX ticket_messages_page ON ticket_messages (ticket_id, visibility, created_at, id);

CREATE TABLE ticket_tags (
  ticket_id uuid NOT NULL REFERENCES tickets (id),
  tag text NOT NULL,
  customer_id uuid NOT NULL REFERENCES customers (id),
  PRIMARY KEY (ticket_id, tag)
);

CREATE TABLE ticket_links (
  id uuid PRIMARY KEY,
  ticket_id uuid NOT NULL REFERENCES tickets (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  order_id uuid REFERENCES orders (id),
  return_id uuid REFERENCES returns (id),
  CONSTRAINT ticket_links_one CHECK ((order_id IS NULL) <> (return_id IS NULL)),
  CONSTRAINT ticket_links_order UNIQUE (ticket_id, order_id),
  CONSTRAINT ticket_links_return UNIQUE (ticket_id, return_id)
);

CREATE TABLE sla_clocks (
  id uuid PRIMARY KEY,
  ticket_id uuid NOT NULL REFERENCES tickets (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  metric text NOT NULL CHECK (metric IN ('FIRST_REPLY','NEXT_REPLY','RESOLUTION')),
  status text NOT NULL CHECK (status IN ('RUNNING','PAUSED','MET','BREACHED')),
  target_minutes integer NOT NULL CHECK (target_minutes > 0),
  elapsed_seconds bigint NOT NULL CHECK (elapsed_seconds >= 0),
  started_at timestamptz NOT NULL,
  due_at timestamptz,
  stopped_at timestamptz,
  breached_at timestamptz,
  CONSTRAINT sla_clocks_running CHECK (status <> 'RUNNING' OR due_at IS NOT NULL),
  CONSTRAINT sla_clocks_breached CHECK ((status = 'BREACHED') = (breached_at IS NOT NULL))
);

CREATE INDEX sla_clocks_ticket ON sla_clocks (ticket_id, started_at, id);

CREATE INDEX sla_clocks_due ON sla_clocks (due_at) WHERE status = 'RUNNING';

CREATE TABLE macros (
  id uuid PRIMARY KEY,
  name text NOT NULL CONSTRAINT macros_name UNIQUE,
  description text,
  actions jsonb NOT NULL,
  active boolean NOT NULL
);
",
};
