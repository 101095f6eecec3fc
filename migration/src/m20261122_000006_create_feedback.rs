//! What customers say, asked or not, and what was done about it; and every other contact.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000006_create_feedback",
    ddl: "
CREATE TABLE surveys (
  id uuid PRIMARY KEY,
  code text NOT NULL CONSTRAINT surveys_code UNIQUE,
  name text NOT NULL,
  metric text NOT NULL CHECK (metric IN ('NPS','CSAT','CES')),
  trigger_on text NOT NULL CHECK (trigger_on IN ('DELIVERY','TICKET_SOLVED','RETURN','CAMPAIGN')),
  questions jsonb NOT NULL,
  active boolean NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE survey_invitations (
  id uuid PRIMARY KEY,
  survey_id uuid NOT NULL REFERENCES surveys (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  order_id uuid REFERENCES orders (id),
  ticket_id uuid REFERENCES tickets (id),
  channel text NOT NULL CHECK (channel IN ('EMAIL','SMS','PHONE','PUSH','POST','CHAT')),
  locale text NOT NULL,
  token_hash text NOT NULL CONSTRAINT survey_invitations_token UNIQUE,
  sent_at timestamptz NOT NULL,
  answered_at timestamptz,
  expires_at timestamptz NOT NULL
);

CREATE INDEX survey_invitations_customer ON survey_invitations (customer_id, sent_at, id);

CREATE TABLE feedback (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  kind text NOT NULL CHECK (kind IN ('SURVEY_RESPONSE','REVIEW','SOCIAL_MENTION','SUGGESTION')),
  channel text NOT NULL CHECK (channel IN ('EMAIL','SMS','PHONE','PUSH','POST','CHAT','WEB','MOBILE_APP','SOCIAL','POS','PARTNER')),
  language text,
  metric text CHECK (metric IN ('NPS','CSAT','CES','STARS')),
  score smallint,
  sentiment text CHECK (sentiment IN ('POSITIVE','NEUTRAL','NEGATIVE')),
  title text,
  body text,
  survey_id uuid REFERENCES surveys (id),
  invitation_id uuid REFERENCES survey_invitations (id),
  order_id uuid REFERENCES orders (id),
  order_line_id uuid REFERENCES order_lines (id),
  ticket_id uuid REFERENCES tickets (id),
  store_id uuid REFERENCES stores (id),
  network text,
  author_handle text,
  url text,
  source text NOT NULL,
  external_id text,
  given_at timestamptz NOT NULL,
  CONSTRAINT feedback_once UNIQUE (source, external_id),
  CONSTRAINT feedback_score CHECK (CASE metric WHEN 'NPS' THEN score BETWEEN 0 AND 10 WHEN 'CSAT' THEN score BETWEEN 1 AND 5 WHEN 'CES' THEN score BETWEEN 1 AND 7 WHEN 'STARS' THEN score BETWEEN 1 AND 5 ELSE score IS NULL END),
  CONSTRAINT feedback_kind CHECK (CASE kind WHEN 'SURVEY_RESPONSE' THEN survey_id IS NOT NULL AND metric IS NOT NULL AND metric <> 'STARS' WHEN 'REVIEW' THEN metric = 'STARS' WHEN 'SOCIAL_MENTION' THEN network IS NOT NULL AND metric IS NULL ELSE metric IS NULL END)
);

CREATE INDEX feedback_customer ON feedback (customer_id, given_at, id);

CREATE TABLE survey_answers (
  feedback_id uuid NOT NULL REFERENCES feedback (id),
  question_code text NOT NULL,
  customer_id uuid NOT NULL REFERENCES customers (id),
  position smallint NOT NULL,
  question text NOT NULL,
  answer text NOT NULL,
  PRIMARY KEY (feedback_id, question_code)
);

CREATE TABLE follow_ups (
  id uuid PRIMARY KEY,
  feedback_id uuid NOT NULL REFERENCES feedback (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  status text NOT NULL CHECK (status IN ('OPEN','IN_PROGRESS','DONE','CANCELLED')),
  owner_id uuid REFERENCES staff (id),
  due_at timestamptz NOT NULL,
  outcome text,
  created_at timestamptz NOT NULL,
  closed_at timestamptz,
  CONSTRAINT follow_ups_feedback UNIQUE (feedback_id),
  CONSTRAINT follow_ups_closed CHECK ((status IN ('DONE','CANCELLED')) = (closed_at IS NOT NULL)),
  CONSTRAINT follow_ups_outcome CHECK (status <> 'DONE' OR outcome IS NOT NULL)
);

CREATE INDEX follow_ups_customer ON follow_ups (customer_id, due_at);

CREATE INDEX follow_ups_due ON follow_ups (due_at) WHERE closed_at IS NULL;

CREATE TABLE interactions (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  kind text NOT NULL CHECK (kind IN ('CALL','EMAIL','CHAT','SMS','PUSH','VISIT','BROWSE','SOCIAL')),
  direction text NOT NULL CHECK (direction IN ('INBOUND','OUTBOUND')),
  channel text NOT NULL CHECK (channel IN ('EMAIL','SMS','PHONE','PUSH','POST','CHAT','WEB','MOBILE_APP','SOCIAL','POS','PARTNER')),
  subject text,
  duration_seconds integer CHECK (duration_seconds >= 0),
  staff_id uuid REFERENCES staff (id),
  store_id uuid REFERENCES stores (id),
  source text NOT NULL,
  external_id text,
  occurred_at timestamptz NOT NULL,
  CONSTRAINT interactions_once UNIQUE (source, external_id)
);

CREATE INDEX interactions_customer ON interactions (customer_id, occurred_at, id);
",
};
