-- Ten customers with a history of 10,000 orders and ten with 10, alike in all else, so that their first screens
-- have the same content and only what lies behind it differs. Run once, on a seeded database.
BEGIN;
CREATE TEMP TABLE made_customer AS
SELECT gen_random_uuid() AS id, 'HISTORY-' || size || '-' || n AS number, size
FROM unnest(ARRAY[10, 10000]) size, generate_series(1, 10) n;

INSERT INTO customers (id, number, status, name, name_folded, locale, vip, risk, source, version, created_at, updated_at)
SELECT id, number, 'ACTIVE', 'Long History', 'long history', 'en-US', false, 'LOW', 'bench', 1, '2016-01-01', '2016-01-01'
FROM made_customer;

CREATE TEMP TABLE made_order AS
SELECT gen_random_uuid() AS id, c.id AS customer_id, c.number || '-' || n AS number, n,
  timestamptz '2026-01-01' - (c.size - n) * interval '8 hours' AS placed_at
FROM made_customer c, generate_series(1, c.size) n;

INSERT INTO orders (id, customer_id, source, number, channel, status, currency, subtotal, discount_total,
  shipping_total, tax_total, total, paid_total, refunded_total, placed_at, version, updated_at)
SELECT id, customer_id, 'bench', number, 'WEB', 'FULFILLED', 'USD', 3000, 0, 0, 0, 3000, 3000, 0, placed_at, 1, placed_at
FROM made_order;

INSERT INTO order_lines (id, order_id, customer_id, position, sku, title, quantity, returned_quantity, unit_price,
  currency, subtotal, discount_total, total)
SELECT gen_random_uuid(), id, customer_id, p, 'SKU-' || p, 'A thing that is bought often', 1, 0, 1000, 'USD', 1000, 0, 1000
FROM made_order, generate_series(1, 3) p;

INSERT INTO fulfillments (id, order_id, customer_id, status, carrier, tracking_number, shipped_at, delivered_at, source,
  created_at)
SELECT gen_random_uuid(), id, customer_id, 'SUCCESS', 'UPS', '1Z' || number, placed_at + interval '1 hour',
  placed_at + interval '5 hours', 'bench', placed_at
FROM made_order;

CREATE TEMP TABLE made_account AS
SELECT gen_random_uuid() AS id, c.id AS customer_id, c.number, c.size FROM made_customer c;

INSERT INTO loyalty_accounts (id, programme_id, customer_id, number, status, tier_id, active_points, pending_points,
  held_points, owed_points, spent_points, expired_points, lifetime_points, qualifying_points, version, enrolled_at)
SELECT a.id, t.programme_id, a.customer_id, a.number, 'ACTIVE', t.id, a.size * 30, 0, 0, 0, 0, 0, a.size * 30, 0, 1,
  '2016-01-01'
FROM made_account a, (SELECT id, programme_id FROM loyalty_tiers ORDER BY programme_id, rank LIMIT 1) t;

CREATE TEMP TABLE made_transaction AS
SELECT gen_random_uuid() AS id, a.id AS account_id, o.* FROM made_account a
JOIN (SELECT id AS order_id, customer_id, n, placed_at FROM made_order) o ON o.customer_id = a.customer_id;

INSERT INTO loyalty_transactions (id, account_id, customer_id, kind, points, balance_after, order_id, source, occurred_at)
SELECT id, account_id, customer_id, 'ACCRUAL', 30, n * 30, order_id, 'gateway', placed_at FROM made_transaction;

INSERT INTO points_lots (id, account_id, customer_id, transaction_id, order_id, state, points, remaining, held, earned_at,
  available_at, expires_at)
SELECT gen_random_uuid(), account_id, customer_id, id, order_id, 'ACTIVE', 30, 30, 0, placed_at, placed_at,
  placed_at + interval '20 years'
FROM made_transaction;

INSERT INTO feedback (id, customer_id, kind, channel, language, metric, score, sentiment, title, body, order_id, source,
  external_id, given_at)
SELECT gen_random_uuid(), customer_id, 'REVIEW', 'WEB', 'en', 'STARS', 4, 'POSITIVE', 'Good', 'As expected.', id, 'bench',
  number, placed_at + interval '7 hours'
FROM made_order;

CREATE TEMP TABLE made_ticket AS SELECT gen_random_uuid() AS id, * FROM
  (SELECT customer_id, number, placed_at, n > (SELECT size - 3 FROM made_customer c WHERE c.id = customer_id) AS open
  FROM made_order) o;

INSERT INTO tickets (id, customer_id, number, status, priority, priority_rank, kind, channel, source, subject,
  sla_breached, solved_at, version, created_at, updated_at)
SELECT id, customer_id, number, CASE WHEN open THEN 'OPEN' ELSE 'SOLVED' END, 'NORMAL', 2, 'QUESTION', 'EMAIL', 'bench',
  'Where is it?', false, CASE WHEN open THEN NULL ELSE placed_at END, 1, placed_at, placed_at
FROM made_ticket;

INSERT INTO ticket_messages (id, ticket_id, customer_id, visibility, author_kind, channel, body, source, created_at)
SELECT gen_random_uuid(), id, customer_id, 'PUBLIC', 'CUSTOMER', 'EMAIL', 'I have not got it yet.', 'bench',
  placed_at + m * interval '1 minute'
FROM made_ticket, generate_series(1, 3) m;

INSERT INTO customer_statistics (customer_id, currency, order_count, spent_total, refunded_total, return_count,
  first_order_at, last_order_at, ticket_count, open_ticket_count, feedback_count, updated_at)
SELECT customer_id, 'USD', count(*), count(*) * 3000, 0, 0, min(placed_at), max(placed_at), count(*), 3, count(*),
  max(placed_at)
FROM made_order GROUP BY customer_id;

INSERT INTO events (id, customer_id, kind, domain, visibility, subject_kind, subject_id, label, amount, currency, channel,
  actor_kind, source, occurred_at, recorded_at)
SELECT gen_random_uuid(), customer_id, kind, 'ORDERS', 'CUSTOMER', 'order', id, number, 3000, 'USD', 'WEB', 'IMPORT',
  'bench', placed_at + shift, placed_at + shift
FROM made_order, (VALUES ('ORDER_PLACED', interval '0'), ('ORDER_FULFILLED', interval '5 hours')) v (kind, shift);
COMMIT;
VACUUM ANALYZE;
