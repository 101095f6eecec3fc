//! The laws that every seeded row keeps, asked of a database.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::HashMap;

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::demo::{self, CAST};
use super::*;

fn as_of() -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn plan(seed: u64) -> Plan {
    Plan { seed, customers: 300, most_orders: MOST_ORDERS, history: 100, as_of: as_of(), cast: true }
}

#[test]
fn the_same_plan_makes_the_same_rows_and_another_seed_makes_others() {
    let (one, same, other) = (Retailer::new(plan(1)), Retailer::new(plan(1)), Retailer::new(plan(2)));
    let larger = Retailer::new(Plan { customers: 9_000, ..plan(1) });
    assert!(one.reference() == same.reference());
    for index in 1..=60 {
        assert!(one.customer(index) == same.customer(index), "{index}");
        assert!(one.customer(index) == larger.customer(index), "{index}");
        assert!(one.customer(index) != other.customer(index) || index == 14, "{index}");
    }
}

#[test]
fn no_two_customers_of_the_demo_have_verified_the_same_identifier() {
    let retailer = Retailer::new(demo::plan(4 * demo::CUSTOMERS, as_of()));
    let mut owners = HashMap::new();
    for index in 1..=4 * demo::CUSTOMERS {
        for identity in retailer.customer(index).customer_identities {
            if identity.verified_at.is_some() {
                let key = (identity.kind, identity.namespace, identity.normalized);
                assert_eq!(owners.insert(key.clone(), index), None, "{key:?} of customer {index}");
            }
        }
    }
}

#[test]
fn a_shorter_history_has_its_share_of_orders_tickets_and_opinions() {
    let count = |history| {
        let retailer = Retailer::new(Plan { history, cast: false, ..plan(3) });
        let rows: Vec<_> = (1..=500).map(|index| retailer.customer(index)).collect();
        [
            rows.iter().map(|rows| rows.orders.len()).sum::<usize>(),
            rows.iter().map(|rows| rows.tickets.len()).sum(),
            rows.iter().map(|rows| rows.feedback.len()).sum(),
        ]
    };
    let (usual, fifth) = (count(100), count(20));
    for (usual, fifth) in std::iter::zip(usual, fifth) {
        // Fewer orders than a fifth, because there are whole ones only.
        assert!((usual / 7..usual / 4).contains(&fifth), "{fifth} of {usual}");
    }
}

#[test]
fn a_customer_is_as_large_as_promised_on_average() {
    let retailer = Retailer::new(Plan { cast: false, ..plan(3) });
    let (mut rows, mut orders, mut lines, mut parcels) = (0, 0, 0, 0);
    for index in 1..=500 {
        let made = retailer.customer(index);
        rows += made.len();
        orders += made.orders.len();
        lines += made.order_lines.len();
        parcels += made.fulfillments.len();
        assert!(made.orders.len() <= 32);
    }
    assert!((100_000..150_000).contains(&rows), "{rows} rows");
    assert!((4_500..5_800).contains(&orders), "{orders} orders");
    assert!((22..28).contains(&(lines * 10 / orders)), "{lines} lines");
    assert!((7..11).contains(&(parcels * 10 / orders)), "{parcels} parcels");
}

#[test]
fn nothing_happens_in_the_future() {
    let retailer = Retailer::new(plan(4));
    for index in 1..=300 {
        let made = retailer.customer(index);
        let late = made.events.iter().find(|event| event.occurred_at > as_of());
        assert_eq!(late, None, "{index}");
        assert!(made.loyalty_transactions.iter().all(|t| t.occurred_at <= as_of()), "{index}");
        assert!(made.ticket_messages.iter().all(|message| message.created_at <= as_of()), "{index}");
    }
}

/// What must not be found, in words and in SQL.
const VIOLATIONS: &[(&str, &str)] = &[
    (
        "an account whose balance is not what its lots hold",
        "SELECT a.id FROM loyalty_accounts a WHERE a.active_points + a.pending_points + a.held_points
           <> (SELECT coalesce(sum(remaining), 0) FROM points_lots l WHERE l.account_id = a.id)",
    ),
    (
        "an account whose balance is not what its ledger adds up to",
        "SELECT a.id FROM loyalty_accounts a WHERE a.active_points + a.pending_points + a.held_points
           <> (SELECT coalesce(sum(points), 0) FROM loyalty_transactions t WHERE t.account_id = a.id)",
    ),
    (
        "an account whose parts are not those of its lots",
        "SELECT a.id FROM loyalty_accounts a WHERE
           a.active_points <> (SELECT coalesce(sum(remaining - held), 0) FROM points_lots l WHERE l.account_id = a.id AND state = 'ACTIVE')
           OR a.pending_points <> (SELECT coalesce(sum(remaining), 0) FROM points_lots l WHERE l.account_id = a.id AND state = 'PENDING')
           OR a.held_points <> (SELECT coalesce(sum(held), 0) FROM points_lots l WHERE l.account_id = a.id)",
    ),
    (
        "an account whose figures are not those of its ledger",
        "SELECT a.id FROM loyalty_accounts a WHERE NOT EXISTS
             (SELECT 1 FROM loyalty_transactions t WHERE t.account_id = a.id AND kind IN ('TRANSFER_IN','TRANSFER_OUT')) AND (
           a.spent_points <> (SELECT coalesce(-sum(points), 0) FROM loyalty_transactions t WHERE t.account_id = a.id AND kind IN ('REDEMPTION','REFUND'))
           OR a.expired_points <> (SELECT coalesce(-sum(points), 0) FROM loyalty_transactions t WHERE t.account_id = a.id AND kind = 'EXPIRATION')
           OR a.lifetime_points + a.owed_points <> (SELECT coalesce(sum(points), 0) FROM loyalty_transactions t WHERE t.account_id = a.id AND kind IN ('ACCRUAL','REVERSAL')))",
    ),
    (
        "a lot that is not what its allocations add up to",
        "SELECT l.id FROM points_lots l WHERE l.remaining <> (SELECT coalesce(sum(points), 0) FROM points_allocations p WHERE p.lot_id = l.id)",
    ),
    (
        "a transaction that is not what its allocations add up to",
        "SELECT t.id FROM loyalty_transactions t WHERE t.points <> (SELECT coalesce(sum(points), 0) FROM points_allocations p WHERE p.transaction_id = t.id)",
    ),
    (
        "a balance that does not follow from those before it",
        "SELECT id FROM (SELECT id, balance_after, sum(points) OVER (PARTITION BY account_id ORDER BY occurred_at, id) AS due FROM loyalty_transactions) WHERE balance_after <> due",
    ),
    (
        "held points without a hold",
        "SELECT l.id FROM points_lots l WHERE l.held <> (SELECT coalesce(sum(p.points), 0) FROM points_hold_allocations p JOIN points_holds h ON h.id = p.hold_id WHERE p.lot_id = l.id AND h.status = 'HELD')",
    ),
    (
        "an order that earned anything but a point for each whole unit",
        "SELECT t.id FROM loyalty_transactions t JOIN orders o ON o.id = t.order_id
           WHERE t.kind = 'ACCRUAL' AND t.points <> o.total / CASE o.currency WHEN 'KRW' THEN 1 ELSE 100 END",
    ),
    (
        "an order whose totals are not those of its lines",
        "SELECT o.id FROM orders o JOIN (SELECT order_id, sum(subtotal) AS s, sum(discount_total) AS d FROM order_lines GROUP BY order_id) l
           ON l.order_id = o.id WHERE o.subtotal <> l.s OR o.discount_total <> l.d",
    ),
    (
        "an order whose discount is not that of its discounts",
        "SELECT o.id FROM orders o WHERE o.discount_total <> (SELECT coalesce(sum(amount), 0) FROM order_discounts d WHERE d.order_id = o.id)",
    ),
    ("an order without lines", "SELECT id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id)"),
    (
        "an order that is paid otherwise than it says",
        "SELECT o.id FROM orders o WHERE o.paid_total <> (SELECT coalesce(sum(amount), 0) FROM payments p WHERE p.order_id = o.id AND status = 'CAPTURED')",
    ),
    (
        "an order that is refunded otherwise than it says",
        "SELECT o.id FROM orders o WHERE o.refunded_total <> (SELECT coalesce(sum(amount), 0) FROM refunds r WHERE r.order_id = o.id AND status <> 'FAILED')",
    ),
    (
        "a line that came back otherwise than it says",
        "SELECT l.id FROM order_lines l WHERE l.returned_quantity <> (SELECT coalesce(sum(quantity), 0) FROM return_lines r JOIN returns b ON b.id = r.return_id
           WHERE r.order_line_id = l.id AND b.status IN ('OPEN','CLOSED'))",
    ),
    (
        "a loyalty discount without its voucher",
        "SELECT d.id FROM order_discounts d WHERE d.kind = 'LOYALTY' AND NOT EXISTS
           (SELECT 1 FROM coupons c JOIN redemptions r ON r.coupon_id = c.id WHERE c.code = d.code AND c.order_id = d.order_id)",
    ),
    (
        "statistics that are not those of the rows",
        "SELECT s.customer_id FROM customer_statistics s WHERE
           s.order_count <> (SELECT count(*) FROM orders o WHERE o.customer_id = s.customer_id AND status <> 'CANCELLED')
           OR s.spent_total <> (SELECT coalesce(sum(total), 0) FROM orders o WHERE o.customer_id = s.customer_id AND status <> 'CANCELLED')
           OR s.refunded_total <> (SELECT coalesce(sum(amount), 0) FROM refunds r WHERE r.customer_id = s.customer_id AND status <> 'FAILED')
           OR s.return_count <> (SELECT count(*) FROM returns r WHERE r.customer_id = s.customer_id)
           OR s.ticket_count <> (SELECT count(*) FROM tickets t WHERE t.customer_id = s.customer_id)
           OR s.open_ticket_count <> (SELECT count(*) FROM tickets t WHERE t.customer_id = s.customer_id AND solved_at IS NULL)
           OR s.feedback_count <> (SELECT count(*) FROM feedback f WHERE f.customer_id = s.customer_id)",
    ),
    ("a customer without statistics", "SELECT id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM customer_statistics s WHERE s.customer_id = c.id)"),
    (
        "a running clock that is late, or a due time that is not the next one",
        "SELECT id FROM sla_clocks WHERE status = 'RUNNING' AND due_at <= '2026-11-01'",
    ),
    (
        "a ticket that breached otherwise than its clocks say",
        "SELECT id FROM tickets t WHERE sla_breached <> EXISTS (SELECT 1 FROM sla_clocks c WHERE c.ticket_id = t.id AND c.status = 'BREACHED')",
    ),
    ("an event that says who", "SELECT e.id FROM events e JOIN customers c ON c.id = e.customer_id WHERE instr(e.label, c.name) > 0"),
];

/// Values that the demo promises: table, column, values.
const PROMISED: &[(&str, &str, &str)] = &[
    ("customers", "status", "ACTIVE MERGED"),
    ("customer_identities", "kind", "EMAIL PHONE LOYALTY_CARD SOCIAL DEVICE EXTERNAL"),
    ("consents", "status", "GRANTED DENIED REVOKED"),
    ("orders", "status", "OPEN FULFILLED CANCELLED"),
    ("orders", "channel", "POS WEB MOBILE_APP SOCIAL PHONE PARTNER"),
    ("order_discounts", "kind", "LOYALTY COUPON COUPON_MATCH PROMOTION MANUAL"),
    ("payments", "status", "AUTHORIZED CAPTURED FAILED VOIDED"),
    ("fulfillments", "status", "OPEN SUCCESS FAILURE"),
    (
        "fulfillment_events",
        "status",
        "LABEL_PURCHASED LABEL_PRINTED CONFIRMED CARRIER_PICKED_UP IN_TRANSIT OUT_FOR_DELIVERY ATTEMPTED_DELIVERY DELAYED READY_FOR_PICKUP PICKED_UP DELIVERED FAILURE",
    ),
    ("returns", "status", "REQUESTED OPEN CLOSED DECLINED CANCELED"),
    ("refunds", "status", "GRANTED PENDING SETTLED FAILED"),
    ("tickets", "status", "NEW OPEN PENDING ON_HOLD SOLVED CLOSED"),
    ("tickets", "priority", "LOW NORMAL HIGH URGENT"),
    ("tickets", "kind", "QUESTION INCIDENT PROBLEM TASK"),
    ("ticket_messages", "visibility", "PUBLIC INTERNAL"),
    ("sla_clocks", "status", "RUNNING PAUSED MET BREACHED"),
    ("sla_clocks", "metric", "FIRST_REPLY NEXT_REPLY RESOLUTION"),
    ("loyalty_accounts", "status", "ACTIVE BLOCKED CLOSED"),
    (
        "loyalty_transactions",
        "kind",
        "ACCRUAL ADJUSTMENT REDEMPTION REFUND REVERSAL EXPIRATION TRANSFER_IN TRANSFER_OUT",
    ),
    ("points_lots", "state", "PENDING ACTIVE SPENT EXPIRED"),
    ("points_holds", "status", "HELD CAPTURED RELEASED LAPSED"),
    ("coupons", "status", "ISSUED REDEEMED EXPIRED CANCELLED"),
    ("redemptions", "status", "ISSUED FULFILLED CANCELLED"),
    ("feedback", "kind", "SURVEY_RESPONSE REVIEW SOCIAL_MENTION SUGGESTION"),
    ("feedback", "sentiment", "POSITIVE NEUTRAL NEGATIVE"),
    ("feedback", "metric", "NPS CSAT CES STARS"),
    ("follow_ups", "status", "OPEN IN_PROGRESS DONE CANCELLED"),
    ("interactions", "kind", "CALL EMAIL CHAT SMS PUSH VISIT BROWSE SOCIAL"),
    ("events", "visibility", "CUSTOMER STAFF"),
    ("partners", "kind", "POS SHOP CARRIER REVIEW_SITE SURVEY_TOOL MARKETING PAYMENT_PROVIDER"),
];

async fn seeded(plan: Plan) -> (tempfile::TempDir, DatabaseConnection) {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = crate::config::Config::load(None, &|_| None).unwrap().database;
    settings.url = format!("sqlite://{}", folder.path().join("seed.db").display());
    let db = crate::db::connect(&settings).await.unwrap();
    crate::db::migrate(&db).await.unwrap();
    assert!(is_empty(&db).await.unwrap());
    let summary = load(&db, plan, |_| {}).await.unwrap();
    assert_eq!(summary.customers, plan.customers);
    assert!(!is_empty(&db).await.unwrap());
    (folder, db)
}

async fn rows(db: &DatabaseConnection, text: &str) -> usize {
    db.query_all_raw(Statement::from_string(DbBackend::Sqlite, text))
        .await
        .unwrap_or_else(|e| panic!("{text}: {e}"))
        .len()
}

#[tokio::test]
async fn a_seeded_retailer_keeps_every_law() {
    let (_folder, db) = seeded(plan(7)).await;
    assert_eq!(rows(&db, "PRAGMA foreign_key_check").await, 0);
    for (what, text) in VIOLATIONS {
        assert_eq!(rows(&db, text).await, 0, "{what}");
    }
    for (table, column, values) in PROMISED {
        for value in values.split(' ') {
            let text = format!("SELECT 1 FROM {table} WHERE {column} = '{value}' LIMIT 1");
            assert_eq!(rows(&db, &text).await, 1, "no {value} among {table}.{column}");
        }
    }
}

#[test]
fn the_cast_plays_its_parts_whatever_the_seed() {
    for seed in [1, 2, 3, 360] {
        let retailer = Retailer::new(plan(seed));
        let made: Vec<Rows> = (1..=CAST.len() as u64).map(|index| retailer.customer(index)).collect();
        let of = |member: demo::CastMember| &made[CAST.iter().position(|other| *other == member).unwrap()];
        for (member, rows) in CAST.iter().zip(&made).filter(|(member, _)| **member != demo::MERGED) {
            assert_eq!(rows.customers[0].number, member.number);
            assert_eq!(rows.customers[0].name.as_deref(), Some(member.name));
            assert!(
                rows.customer_identities.iter().any(|identity| identity.normalized == member.email),
                "{}",
                member.name
            );
        }
        let owed = &of(demo::POINTS_OWED).loyalty_accounts[0];
        assert!(owed.owed_points > 0, "seed {seed}");
        assert!(of(demo::STRANGER).orders.is_empty() && of(demo::STRANGER).loyalty_accounts.is_empty());
        assert!(!of(demo::DEMO_CUSTOMER).returns.is_empty() && !of(demo::DEMO_CUSTOMER).refunds.is_empty());
        let survivor = of(demo::SURVIVOR);
        assert_eq!(survivor.customers[1].number, demo::MERGED.number);
        assert_eq!(survivor.customers[1].merged_into_id, Some(survivor.customers[0].id));
        for member in [demo::LATE_PARCEL, demo::DEMO_CUSTOMER] {
            let late = |parcel: &&c360_entities::fulfillment::Model| {
                parcel.delivered_at.is_none() && parcel.estimated_delivery_at.is_some_and(|at| at < as_of())
            };
            assert!(of(member).fulfillments.iter().any(|parcel| late(&parcel)), "{}", member.name);
        }
        for member in [demo::POINTS_EXPIRING, demo::DEMO_CUSTOMER] {
            let soon = as_of() + TimeDelta::days(7);
            let expiring = of(member)
                .points_lots
                .iter()
                .any(|lot| lot.remaining > 0 && lot.expires_at.is_some_and(|at| at < soon));
            assert!(expiring, "{}", member.name);
        }
        for member in [demo::BREACHED_TICKET, demo::BULGARIAN] {
            assert!(
                of(member).tickets.iter().any(|ticket| ticket.sla_breached && ticket.solved_at.is_none()),
                "{}",
                member.name
            );
        }
        for member in [demo::DETRACTOR, demo::DEMO_CUSTOMER] {
            assert!(of(member).follow_ups.iter().any(|follow_up| follow_up.status == "OPEN"), "{}", member.name);
            assert!(of(member).customer_statistics[0].last_nps.is_some_and(|score| score <= 6), "{}", member.name);
        }
        assert!(of(demo::AT_THE_TILL).loyalty_accounts[0].held_points > 0, "seed {seed}");
        assert!(of(demo::VIP).customers[0].vip && !of(demo::VIP).customer_segments.is_empty());
        let household = [demo::HOUSEHOLD_FIRST, demo::HOUSEHOLD_SECOND, demo::HOUSEHOLD_THIRD];
        for member in household {
            let phone = of(member).customer_identities.iter().find(|identity| identity.kind == "PHONE").unwrap();
            assert_eq!(phone.normalized, demo::HOUSEHOLD_PHONE);
            assert_eq!(phone.verified_at, None);
        }
        let kinds: Vec<_> = of(demo::ARABIC).feedback.iter().map(|feedback| feedback.kind.as_str()).collect();
        for kind in ["REVIEW", "SOCIAL_MENTION", "SUGGESTION"] {
            assert!(kinds.contains(&kind), "{kind}");
        }
    }
}
