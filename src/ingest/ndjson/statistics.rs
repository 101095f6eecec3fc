//! The figures that are kept per customer and account, worked out from their rows once these are written: so they
//! are right whatever came in which order, and in how many runs.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::draft::Touched;
use crate::bulk::{Afterwards, Batch};

/// The same text for both databases.
const fn both(text: &'static str) -> Afterwards {
    Afterwards { postgres: text, sqlite: text }
}

const EMPTY: Afterwards = both(
    "INSERT INTO customer_statistics (customer_id, currency, order_count, spent_total, refunded_total, return_count, \
     ticket_count, open_ticket_count, feedback_count, updated_at) \
     SELECT c.id, COALESCE((SELECT p.currency FROM loyalty_programmes p WHERE p.code = 'default'), 'USD'), \
     0, 0, 0, 0, 0, 0, 0, {now} FROM customers c WHERE c.id {ids} ON CONFLICT (customer_id) DO NOTHING",
);

/// In the currency of the first order; orders in others count, and add nothing to the sums.
const ORDERS: Afterwards = both(
    "UPDATE customer_statistics SET updated_at = {now}, currency = f.currency, order_count = f.kept, \
     spent_total = f.spent, refunded_total = f.refunded, return_count = f.returned, \
     first_order_at = f.first_at, last_order_at = f.last_at \
     FROM (SELECT o.customer_id, m.currency, SUM(CASE WHEN o.status <> 'CANCELLED' THEN 1 ELSE 0 END) AS kept, \
       CAST(SUM(CASE WHEN o.status <> 'CANCELLED' AND o.currency = m.currency THEN o.total ELSE 0 END) AS bigint) AS spent, \
       CAST(SUM(CASE WHEN o.currency = m.currency THEN o.refunded_total ELSE 0 END) AS bigint) AS refunded, \
       CAST(SUM((SELECT count(*) FROM returns r WHERE r.order_id = o.id)) AS bigint) AS returned, \
       MIN(CASE WHEN o.status <> 'CANCELLED' THEN o.placed_at END) AS first_at, \
       MAX(CASE WHEN o.status <> 'CANCELLED' THEN o.placed_at END) AS last_at \
       FROM (SELECT c.id, (SELECT x.currency FROM orders x WHERE x.customer_id = c.id ORDER BY x.placed_at, x.id LIMIT 1) AS currency \
         FROM customers c WHERE c.id {ids}) m \
       JOIN orders o ON o.customer_id = m.id GROUP BY o.customer_id, m.currency) f \
     WHERE customer_statistics.customer_id = f.customer_id",
);

const TICKETS: Afterwards = both(
    "UPDATE customer_statistics SET updated_at = {now}, ticket_count = f.all_of_them, open_ticket_count = f.open_ones \
     FROM (SELECT customer_id, count(*) AS all_of_them, SUM(CASE WHEN solved_at IS NULL THEN 1 ELSE 0 END) AS open_ones \
       FROM tickets WHERE customer_id {ids} GROUP BY customer_id) f WHERE customer_statistics.customer_id = f.customer_id",
);

const FEEDBACK: Afterwards = both(
    "UPDATE customer_statistics SET updated_at = {now}, feedback_count = f.given, \
     last_nps = f.nps, last_nps_at = f.nps_at, previous_nps = f.nps_before, \
     last_csat = f.csat, last_csat_at = f.csat_at, previous_csat = f.csat_before, \
     last_ces = f.ces, last_ces_at = f.ces_at, previous_ces = f.ces_before \
     FROM (SELECT customer_id, count(*) AS given, \
       MAX(CASE WHEN metric = 'NPS' AND place = 1 THEN score END) AS nps, \
       MAX(CASE WHEN metric = 'NPS' AND place = 1 THEN given_at END) AS nps_at, \
       MAX(CASE WHEN metric = 'NPS' AND place = 2 THEN score END) AS nps_before, \
       MAX(CASE WHEN metric = 'CSAT' AND place = 1 THEN score END) AS csat, \
       MAX(CASE WHEN metric = 'CSAT' AND place = 1 THEN given_at END) AS csat_at, \
       MAX(CASE WHEN metric = 'CSAT' AND place = 2 THEN score END) AS csat_before, \
       MAX(CASE WHEN metric = 'CES' AND place = 1 THEN score END) AS ces, \
       MAX(CASE WHEN metric = 'CES' AND place = 1 THEN given_at END) AS ces_at, \
       MAX(CASE WHEN metric = 'CES' AND place = 2 THEN score END) AS ces_before \
       FROM (SELECT customer_id, metric, score, given_at, \
         row_number() OVER (PARTITION BY customer_id, metric ORDER BY given_at DESC, id DESC) AS place \
         FROM feedback WHERE customer_id {ids}) latest GROUP BY customer_id) f \
     WHERE customer_statistics.customer_id = f.customer_id",
);

/// The points of the qualification period before the last accrual, less those taken back in it.
const QUALIFYING: Afterwards = Afterwards {
    postgres: "UPDATE loyalty_accounts SET qualifying_points = GREATEST(q.points, 0) \
               FROM (SELECT l.id, SUM(t.points) AS points FROM (SELECT a.id, p.qualification_days, \
                 (SELECT MAX(x.occurred_at) FROM loyalty_transactions x WHERE x.account_id = a.id AND x.kind = 'ACCRUAL') AS last_at \
                 FROM loyalty_accounts a JOIN loyalty_programmes p ON p.id = a.programme_id WHERE a.id {ids}) l \
                 JOIN loyalty_transactions t ON t.account_id = l.id AND t.kind IN ('ACCRUAL','REVERSAL') \
                 AND t.occurred_at > l.last_at - make_interval(days => l.qualification_days) GROUP BY l.id) q \
               WHERE loyalty_accounts.id = q.id",
    sqlite: "UPDATE loyalty_accounts SET qualifying_points = MAX(q.points, 0) \
             FROM (SELECT l.id, SUM(t.points) AS points FROM (SELECT a.id, p.qualification_days, \
               (SELECT MAX(julianday(x.occurred_at)) FROM loyalty_transactions x WHERE x.account_id = a.id AND x.kind = 'ACCRUAL') AS last_at \
               FROM loyalty_accounts a JOIN loyalty_programmes p ON p.id = a.programme_id WHERE a.id {ids}) l \
               JOIN loyalty_transactions t ON t.account_id = l.id AND t.kind IN ('ACCRUAL','REVERSAL') \
               AND julianday(t.occurred_at) > l.last_at - l.qualification_days GROUP BY l.id) q \
             WHERE loyalty_accounts.id = q.id",
};

/// The tier that these points reach. One that was given until some day is not taken away by an import.
const TIER: Afterwards = both(
    "UPDATE loyalty_accounts SET tier_id = COALESCE((SELECT t.id FROM loyalty_tiers t \
       WHERE t.programme_id = loyalty_accounts.programme_id AND t.threshold_points <= loyalty_accounts.qualifying_points \
       AND (loyalty_accounts.tier_until IS NULL OR t.rank >= \
         (SELECT o.rank FROM loyalty_tiers o WHERE o.id = loyalty_accounts.tier_id)) \
       ORDER BY t.threshold_points DESC, t.rank DESC LIMIT 1), tier_id) \
     WHERE loyalty_accounts.id {ids}",
);

/// Has the figures of all who were touched worked out.
pub(super) fn afterwards(batch: &mut Batch, touched: Touched, accounts: Vec<Uuid>, now: DateTime<Utc>) {
    let list = |ids: std::collections::BTreeSet<Uuid>| ids.into_iter().collect::<Vec<_>>();
    batch.afterwards(EMPTY, list(touched.customers), now);
    batch.afterwards(ORDERS, list(touched.orders), now);
    batch.afterwards(TICKETS, list(touched.tickets), now);
    batch.afterwards(FEEDBACK, list(touched.feedback), now);
    batch.afterwards(QUALIFYING, accounts.clone(), now);
    batch.afterwards(TIER, accounts, now);
}
