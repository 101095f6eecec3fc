//! The loyalty programme and its ledger. Points are integers; the ledger is append-only.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000005_create_loyalty",
    ddl: "
CREATE TABLE loyalty_programmes (
  id uuid PRIMARY KEY,
  code text NOT NULL CONSTRAINT loyalty_programmes_code UNIQUE,
  name text NOT NULL,
  currency text NOT NULL,
  points_per_unit_bp integer NOT NULL CHECK (points_per_unit_bp >= 0),
  pending_days integer NOT NULL CHECK (pending_days >= 0),
  expiry_days integer CHECK (expiry_days > 0),
  qualification_days integer NOT NULL CHECK (qualification_days > 0),
  active boolean NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE loyalty_tiers (
  id uuid PRIMARY KEY,
  programme_id uuid NOT NULL REFERENCES loyalty_programmes (id),
  code text NOT NULL,
  name text NOT NULL,
  rank smallint NOT NULL CHECK (rank > 0),
  threshold_points bigint NOT NULL CHECK (threshold_points >= 0),
  multiplier_bp integer NOT NULL CHECK (multiplier_bp >= 0),
  benefits text,
  CONSTRAINT loyalty_tiers_rank UNIQUE (programme_id, rank),
  CONSTRAINT loyalty_tiers_code UNIQUE (programme_id, code)
);

CREATE TABLE campaigns (
  id uuid PRIMARY KEY,
  source text NOT NULL,
  code text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  CONSTRAINT campaigns_once UNIQUE (source, code),
  CONSTRAINT campaigns_period CHECK (starts_at <= ends_at)
);

CREATE TABLE campaign_members (
  campaign_id uuid NOT NULL REFERENCES campaigns (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  PRIMARY KEY (customer_id, campaign_id)
);

CREATE TABLE earning_rules (
  id uuid PRIMARY KEY,
  programme_id uuid NOT NULL REFERENCES loyalty_programmes (id),
  campaign_id uuid REFERENCES campaigns (id),
  channel text CHECK (channel IN ('POS','WEB','MOBILE_APP','SOCIAL','PHONE','PARTNER')),
  multiplier_bp integer NOT NULL CHECK (multiplier_bp >= 0),
  starts_at timestamptz,
  ends_at timestamptz,
  active boolean NOT NULL
);

CREATE TABLE loyalty_accounts (
  id uuid PRIMARY KEY,
  programme_id uuid NOT NULL REFERENCES loyalty_programmes (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  number text NOT NULL CONSTRAINT loyalty_accounts_number UNIQUE,
  status text NOT NULL CHECK (status IN ('ACTIVE','BLOCKED','CLOSED')),
  tier_id uuid NOT NULL REFERENCES loyalty_tiers (id),
  tier_until timestamptz,
  active_points bigint NOT NULL CHECK (active_points >= 0),
  pending_points bigint NOT NULL CHECK (pending_points >= 0),
  held_points bigint NOT NULL CHECK (held_points >= 0),
  owed_points bigint NOT NULL CHECK (owed_points >= 0),
  spent_points bigint NOT NULL CHECK (spent_points >= 0),
  expired_points bigint NOT NULL CHECK (expired_points >= 0),
  lifetime_points bigint NOT NULL CHECK (lifetime_points >= 0),
  qualifying_points bigint NOT NULL CHECK (qualifying_points >= 0),
  version bigint NOT NULL CHECK (version > 0),
  enrolled_at timestamptz NOT NULL,
  CONSTRAINT loyalty_accounts_once UNIQUE (customer_id, programme_id)
);

CREATE TABLE loyalty_cards (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES loyalty_accounts (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  number text NOT NULL CONSTRAINT loyalty_cards_number UNIQUE,
  status text NOT NULL CHECK (status IN ('ACTIVE','BLOCKED','REPLACED')),
  issued_at timestamptz NOT NULL,
  blocked_at timestamptz
);

CREATE INDEX loyalty_cards_account ON loyalty_cards (account_id, issued_at);

CREATE TABLE loyalty_transactions (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES loyalty_accounts (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  kind text NOT NULL CHECK (kind IN ('ACCRUAL','ADJUSTMENT','REDEMPTION','REFUND','REVERSAL','EXPIRATION','TRANSFER_IN','TRANSFER_OUT')),
  points bigint NOT NULL,
  balance_after bigint NOT NULL CHECK (balance_after >= 0),
  reason text,
  order_id uuid REFERENCES orders (id),
  reverses_id uuid REFERENCES loyalty_transactions (id),
  staff_id uuid REFERENCES staff (id),
  source text NOT NULL,
  occurred_at timestamptz NOT NULL,
  CONSTRAINT loyalty_transactions_sign CHECK (CASE WHEN kind IN ('ACCRUAL','REFUND','TRANSFER_IN') THEN points > 0 WHEN kind IN ('REDEMPTION','EXPIRATION','TRANSFER_OUT') THEN points < 0 ELSE points <> 0 END)
);

CREATE INDEX loyalty_transactions_page ON loyalty_transactions (account_id, occurred_at, id);

CREATE INDEX loyalty_transactions_order ON loyalty_transactions (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE points_lots (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES loyalty_accounts (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  transaction_id uuid NOT NULL REFERENCES loyalty_transactions (id),
  order_id uuid REFERENCES orders (id),
  state text NOT NULL CHECK (state IN ('PENDING','ACTIVE','SPENT','EXPIRED')),
  points bigint NOT NULL CHECK (points > 0),
  remaining bigint NOT NULL CHECK (remaining >= 0),
  held bigint NOT NULL CHECK (held >= 0),
  earned_at timestamptz NOT NULL,
  available_at timestamptz NOT NULL,
  expires_at timestamptz,
  CONSTRAINT points_lots_remaining CHECK (remaining <= points AND held <= remaining),
  CONSTRAINT points_lots_state CHECK (CASE WHEN state IN ('SPENT','EXPIRED') THEN remaining = 0 WHEN state = 'PENDING' THEN remaining > 0 AND held = 0 ELSE remaining > 0 END)
);

CREATE INDEX points_lots_account ON points_lots (account_id, earned_at, id);

CREATE INDEX points_lots_open ON points_lots (account_id, expires_at) WHERE remaining > 0;

CREATE INDEX points_lots_activation ON points_lots (available_at) WHERE state = 'PENDING';

CREATE INDEX points_lots_expiry ON points_lots (expires_at) WHERE remaining > 0 AND expires_at IS NOT NULL;

CREATE TABLE points_allocations (
  transaction_id uuid NOT NULL REFERENCES loyalty_transactions (id),
  lot_id uuid NOT NULL REFERENCES points_lots (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  points bigint NOT NULL CHECK (points <> 0),
  PRIMARY KEY (transaction_id, lot_id)
);

CREATE TABLE points_holds (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES loyalty_accounts (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  status text NOT NULL CHECK (status IN ('HELD','CAPTURED','RELEASED','LAPSED')),
  points bigint NOT NULL CHECK (points > 0),
  captured_points bigint NOT NULL CHECK (captured_points >= 0),
  source text NOT NULL,
  lapses_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  closed_at timestamptz,
  CONSTRAINT points_holds_captured CHECK (captured_points <= points),
  CONSTRAINT points_holds_closed CHECK ((status = 'HELD') = (closed_at IS NULL))
);

CREATE INDEX points_holds_account ON points_holds (account_id, created_at);

CREATE INDEX points_holds_lapse ON points_holds (lapses_at) WHERE status = 'HELD';

CREATE TABLE points_hold_allocations (
  hold_id uuid NOT NULL REFERENCES points_holds (id),
  lot_id uuid NOT NULL REFERENCES points_lots (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  points bigint NOT NULL CHECK (points > 0),
  PRIMARY KEY (hold_id, lot_id)
);

CREATE TABLE rewards (
  id uuid PRIMARY KEY,
  programme_id uuid NOT NULL REFERENCES loyalty_programmes (id),
  code text NOT NULL,
  name text NOT NULL,
  description text,
  kind text NOT NULL CHECK (kind IN ('DISCOUNT','GIFT','EXPERIENCE','DONATION','GIFT_CARD')),
  cost_points bigint NOT NULL CHECK (cost_points > 0),
  min_tier_rank smallint NOT NULL,
  stock integer CHECK (stock >= 0),
  value_minor bigint CHECK (value_minor > 0),
  currency text,
  starts_at timestamptz,
  ends_at timestamptz,
  active boolean NOT NULL,
  CONSTRAINT rewards_code UNIQUE (programme_id, code)
);

CREATE TABLE coupon_definitions (
  id uuid PRIMARY KEY,
  campaign_id uuid REFERENCES campaigns (id),
  source text NOT NULL,
  code text NOT NULL,
  title text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('AMOUNT','PERCENTAGE','FREE_SHIPPING','MANUFACTURER')),
  value_minor bigint CHECK (value_minor > 0),
  percentage_bp integer CHECK (percentage_bp BETWEEN 1 AND 10000),
  currency text,
  CONSTRAINT coupon_definitions_once UNIQUE (source, campaign_id, code)
);

CREATE TABLE coupon_products (
  definition_id uuid NOT NULL REFERENCES coupon_definitions (id),
  product_id uuid NOT NULL REFERENCES products (id),
  PRIMARY KEY (definition_id, product_id)
);

CREATE TABLE coupons (
  id uuid PRIMARY KEY,
  definition_id uuid NOT NULL REFERENCES coupon_definitions (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  code text NOT NULL,
  status text NOT NULL CHECK (status IN ('ISSUED','REDEEMED','EXPIRED','CANCELLED')),
  order_id uuid REFERENCES orders (id),
  issued_at timestamptz NOT NULL,
  expires_at timestamptz,
  redeemed_at timestamptz,
  CONSTRAINT coupons_code UNIQUE (code),
  CONSTRAINT coupons_redeemed CHECK ((status = 'REDEEMED') = (redeemed_at IS NOT NULL))
);

CREATE INDEX coupons_customer ON coupons (customer_id, issued_at, id);

CREATE TABLE redemptions (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES loyalty_accounts (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  reward_id uuid NOT NULL REFERENCES rewards (id),
  transaction_id uuid NOT NULL REFERENCES loyalty_transactions (id),
  coupon_id uuid REFERENCES coupons (id),
  status text NOT NULL CHECK (status IN ('ISSUED','FULFILLED','CANCELLED')),
  points bigint NOT NULL CHECK (points > 0),
  redeemed_at timestamptz NOT NULL,
  cancelled_at timestamptz,
  CONSTRAINT redemptions_transaction UNIQUE (transaction_id),
  CONSTRAINT redemptions_cancelled CHECK ((status = 'CANCELLED') = (cancelled_at IS NOT NULL))
);

CREATE INDEX redemptions_account ON redemptions (account_id, redeemed_at, id);

CREATE TABLE referrals (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  referred_customer_id uuid REFERENCES customers (id),
  code text NOT NULL CONSTRAINT referrals_code UNIQUE,
  status text NOT NULL CHECK (status IN ('INVITED','JOINED','REWARDED')),
  transaction_id uuid REFERENCES loyalty_transactions (id),
  created_at timestamptz NOT NULL
);

CREATE INDEX referrals_customer ON referrals (customer_id, created_at);
",
};
