//! What the loyalty ledger needs to be worked with: what was taken back, what points pay, when tiers are reviewed, and
//! ways to find what an entry undoes.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000043_extend_loyalty",
    ddl: "
ALTER TABLE loyalty_programmes ADD COLUMN grace_days integer NOT NULL DEFAULT 30 CHECK (grace_days >= 0);

ALTER TABLE loyalty_programmes ADD COLUMN point_value_bp integer CHECK (point_value_bp > 0);

ALTER TABLE loyalty_accounts ADD COLUMN review_at timestamptz;

CREATE INDEX loyalty_accounts_review ON loyalty_accounts (review_at) WHERE review_at IS NOT NULL;

ALTER TABLE points_lots ADD COLUMN taken_back bigint NOT NULL DEFAULT 0 CHECK (taken_back BETWEEN 0 AND points);

CREATE INDEX points_lots_order ON points_lots (order_id) WHERE order_id IS NOT NULL;

CREATE INDEX loyalty_transactions_reverses ON loyalty_transactions (reverses_id) WHERE reverses_id IS NOT NULL;

CREATE UNIQUE INDEX loyalty_transactions_undone ON loyalty_transactions (reverses_id) WHERE reverses_id IS NOT NULL AND kind = 'ADJUSTMENT';

ALTER TABLE points_holds ADD COLUMN reference text;

ALTER TABLE points_holds ADD COLUMN transaction_id uuid REFERENCES loyalty_transactions (id);

CREATE INDEX redemptions_coupon ON redemptions (coupon_id) WHERE coupon_id IS NOT NULL;
",
};
