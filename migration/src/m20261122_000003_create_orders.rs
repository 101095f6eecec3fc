//! Orders from every channel, from payment to refund. Money is in minor units of the order's currency.

use crate::step::Step;

pub(crate) const STEP: Step = Step {
    name: "m20261122_000003_create_orders",
    ddl: "
CREATE TABLE orders (
  id uuid PRIMARY KEY,
  customer_id uuid NOT NULL REFERENCES customers (id),
  source text NOT NULL,
  number text NOT NULL,
  channel text NOT NULL CHECK (channel IN ('POS','WEB','MOBILE_APP','SOCIAL','PHONE','PARTNER')),
  status text NOT NULL CHECK (status IN ('OPEN','FULFILLED','CANCELLED')),
  store_id uuid REFERENCES stores (id),
  currency text NOT NULL,
  subtotal bigint NOT NULL CHECK (subtotal >= 0),
  discount_total bigint NOT NULL CHECK (discount_total >= 0),
  shipping_total bigint NOT NULL CHECK (shipping_total >= 0),
  tax_total bigint NOT NULL CHECK (tax_total >= 0),
  total bigint NOT NULL CHECK (total >= 0),
  paid_total bigint NOT NULL CHECK (paid_total >= 0),
  refunded_total bigint NOT NULL CHECK (refunded_total >= 0),
  ship_recipient text,
  ship_line1 text,
  ship_city text,
  ship_region text,
  ship_postal_code text,
  ship_country text,
  placed_at timestamptz NOT NULL,
  cancelled_at timestamptz,
  version bigint NOT NULL CHECK (version > 0),
  updated_at timestamptz NOT NULL,
  CONSTRAINT orders_source_number UNIQUE (source, number),
  CONSTRAINT orders_total CHECK (total = subtotal - discount_total + shipping_total + tax_total),
  CONSTRAINT orders_refunded_within_paid CHECK (refunded_total <= paid_total),
  CONSTRAINT orders_cancelled CHECK ((status = 'CANCELLED') = (cancelled_at IS NOT NULL))
);

CREATE INDEX orders_customer ON orders (customer_id, placed_at, id);

CREATE INDEX orders_number ON orders (number);

CREATE TABLE order_lines (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  position integer NOT NULL CHECK (position > 0),
  product_id uuid REFERENCES products (id),
  sku text NOT NULL,
  title text NOT NULL,
  quantity integer NOT NULL CHECK (quantity >= 0),
  returned_quantity integer NOT NULL CHECK (returned_quantity >= 0),
  unit_price bigint NOT NULL CHECK (unit_price >= 0),
  unit_cost bigint CHECK (unit_cost >= 0),
  currency text NOT NULL,
  subtotal bigint NOT NULL CHECK (subtotal >= 0),
  discount_total bigint NOT NULL CHECK (discount_total >= 0),
  total bigint NOT NULL CHECK (total >= 0),
  CONSTRAINT order_lines_position UNIQUE (order_id, position),
  CONSTRAINT order_lines_total CHECK (total = subtotal - discount_total),
  CONSTRAINT order_lines_returned CHECK (returned_quantity <= quantity)
);

CREATE TABLE order_discounts (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  order_line_id uuid REFERENCES order_lines (id),
  kind text NOT NULL CHECK (kind IN ('LOYALTY','COUPON','COUPON_MATCH','PROMOTION','MANUAL')),
  code text,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL
);

CREATE INDEX order_discounts_order ON order_discounts (order_id, id);

CREATE TABLE payments (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  method text NOT NULL CHECK (method IN ('CARD','CASH','BANK_TRANSFER','GIFT_CARD','STORE_CREDIT','POINTS','WALLET','UNKNOWN')),
  status text NOT NULL CHECK (status IN ('AUTHORIZED','CAPTURED','FAILED','VOIDED')),
  amount bigint NOT NULL CHECK (amount >= 0),
  currency text NOT NULL,
  provider text,
  reference text,
  paid_at timestamptz NOT NULL
);

CREATE INDEX payments_order ON payments (order_id, paid_at, id);

CREATE TABLE fulfillments (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  status text NOT NULL CHECK (status IN ('PENDING','OPEN','SUCCESS','CANCELLED','ERROR','FAILURE')),
  carrier text,
  tracking_number text,
  tracking_url text,
  shipped_at timestamptz,
  estimated_delivery_at timestamptz,
  delivered_at timestamptz,
  source text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE INDEX fulfillments_order ON fulfillments (order_id, created_at, id);

CREATE TABLE fulfillment_lines (
  fulfillment_id uuid NOT NULL REFERENCES fulfillments (id),
  order_line_id uuid NOT NULL REFERENCES order_lines (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  quantity integer NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (fulfillment_id, order_line_id)
);

CREATE TABLE fulfillment_events (
  id uuid PRIMARY KEY,
  fulfillment_id uuid NOT NULL REFERENCES fulfillments (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  status text NOT NULL CHECK (status IN ('LABEL_PURCHASED','LABEL_PRINTED','CONFIRMED','CARRIER_PICKED_UP','IN_TRANSIT','OUT_FOR_DELIVERY','ATTEMPTED_DELIVERY','DELAYED','READY_FOR_PICKUP','PICKED_UP','DELIVERED','FAILURE')),
  message text,
  city text,
  country text,
  source text NOT NULL,
  external_id text NOT NULL,
  happened_at timestamptz NOT NULL,
  CONSTRAINT fulfillment_events_once UNIQUE (fulfillment_id, source, external_id)
);

CREATE INDEX fulfillment_events_page ON fulfillment_events (fulfillment_id, happened_at, id);

CREATE TABLE returns (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  number text NOT NULL CONSTRAINT returns_number UNIQUE,
  status text NOT NULL CHECK (status IN ('REQUESTED','OPEN','CLOSED','DECLINED','CANCELED')),
  requested_at timestamptz NOT NULL,
  decided_at timestamptz,
  closed_at timestamptz,
  decline_reason text,
  version bigint NOT NULL CHECK (version > 0)
);

CREATE INDEX returns_order ON returns (order_id, requested_at, id);

CREATE TABLE return_lines (
  id uuid PRIMARY KEY,
  return_id uuid NOT NULL REFERENCES returns (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  order_line_id uuid NOT NULL REFERENCES order_lines (id),
  quantity integer NOT NULL CHECK (quantity > 0),
  reason text NOT NULL CHECK (reason IN ('COLOR','DEFECTIVE','NOT_AS_DESCRIBED','OTHER','SIZE_TOO_LARGE','SIZE_TOO_SMALL','STYLE','UNKNOWN','UNWANTED','WRONG_ITEM')),
  note text
);

CREATE INDEX return_lines_return ON return_lines (return_id, id);

CREATE TABLE exchange_lines (
  id uuid PRIMARY KEY,
  return_id uuid NOT NULL REFERENCES returns (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  product_id uuid REFERENCES products (id),
  sku text NOT NULL,
  title text NOT NULL,
  quantity integer NOT NULL CHECK (quantity > 0)
);

CREATE INDEX exchange_lines_return ON exchange_lines (return_id, id);

CREATE TABLE refunds (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  return_id uuid REFERENCES returns (id),
  customer_id uuid NOT NULL REFERENCES customers (id),
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  status text NOT NULL CHECK (status IN ('GRANTED','PENDING','SETTLED','FAILED')),
  reason text,
  staff_id uuid REFERENCES staff (id),
  provider_reference text,
  granted_at timestamptz NOT NULL,
  settled_at timestamptz,
  CONSTRAINT refunds_settled CHECK ((status = 'SETTLED') = (settled_at IS NOT NULL))
);

CREATE INDEX refunds_order ON refunds (order_id, granted_at, id);

CREATE INDEX refunds_customer ON refunds (customer_id, granted_at);
",
};
