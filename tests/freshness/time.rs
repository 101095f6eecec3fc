//! Answers that change by themselves: gone at that very instant.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::json;

use super::{ask, on_both_caches};
use crate::harness::{App, now};

/// Everything that time alone changes.
const DOCUMENT: &str = "query($by: CustomerIdentifier!) { customer360(by: $by) { \
    orders(first: 100) { nodes { fulfillments { isLate } } } \
    tickets(first: 100) { nodes { slaBreached slaClocks { status breachedAt } } } \
    loyalty { nextExpiry { points expiresAt } expiringSoon { points expiresAt } rewardsInReach { code } } \
    feedback(first: 100) { nodes { followUp { isOverdue } } } statistics { rfm { recency group } } } }";

async fn instants(app: &App, sql: &str) -> Vec<DateTime<Utc>> {
    let db = &app.state.db;
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

on_both_caches! {
    async fn an_answer_is_another_one_at_the_instant_at_which_something_in_it_changes(kept: Kept) {
        let app = &kept.app;
        let plain = kept.plain().await;
        let customers = ["C-000001", "C-000003", "C-000010", "C-000011", "C-000012", "C-000013"];
        let whose = format!("IN (SELECT id FROM customers WHERE number IN ('{}'))", customers.join("','"));
        let mut all = Vec::new();
        let micro = TimeDelta::microseconds(1);
        for (sql, shift) in [
            ("SELECT estimated_delivery_at FROM fulfillments WHERE delivered_at IS NULL AND estimated_delivery_at IS NOT NULL AND customer_id", micro),
            ("SELECT sla_due_at FROM tickets WHERE sla_due_at IS NOT NULL AND customer_id", micro),
            ("SELECT expires_at FROM points_lots WHERE expires_at IS NOT NULL AND remaining > 0 AND customer_id", TimeDelta::zero()),
            ("SELECT expires_at FROM points_lots WHERE expires_at IS NOT NULL AND remaining > 0 AND customer_id", -TimeDelta::days(90)),
            ("SELECT due_at FROM follow_ups WHERE closed_at IS NULL AND customer_id", micro),
            ("SELECT last_order_at FROM customer_statistics WHERE last_order_at IS NOT NULL AND customer_id", TimeDelta::days(60)),
            ("SELECT last_order_at FROM customer_statistics WHERE last_order_at IS NOT NULL AND customer_id", TimeDelta::days(180)),
        ] {
            let found = instants(app, &format!("{sql} {whose}")).await;
            all.extend(found.into_iter().map(|at| at + shift).filter(|at| *at > now()));
        }
        for (sql, shift) in [("starts_at", TimeDelta::zero()), ("ends_at", TimeDelta::zero())] {
            let found = instants(app, &format!("SELECT {sql} FROM rewards WHERE {sql} IS NOT NULL")).await;
            all.extend(found.into_iter().map(|at| at + shift).filter(|at| *at > now()));
        }
        all.sort();
        all.dedup();
        assert!(all.len() > 10, "{all:?}");
        let (mut hits, mut changes) = (0, 0);
        for at in all {
            for number in customers {
                let by = json!({ "by": { "customerNumber": number } });
                app.state.clock.set(at - micro);
                // Tokens expire, too.
                let (agent, truth) = (app.agent(), plain.agent());
                let before = ask(&truth, DOCUMENT, by.clone()).await.0;
                assert_eq!(ask(&agent, DOCUMENT, by.clone()).await.0, before, "{number} before {at}");
                let (again, from) = ask(&agent, DOCUMENT, by.clone()).await;
                assert_eq!(again, before);
                hits += usize::from(from == "HIT");
                app.state.clock.set(at);
                let after = ask(&truth, DOCUMENT, by.clone()).await.0;
                assert_eq!(ask(&agent, DOCUMENT, by).await.0, after, "{number} at {at}");
                changes += usize::from(after != before);
            }
        }
        assert!(hits > 50 && changes > 5, "{hits} hits, {changes} changes");
    }
}
