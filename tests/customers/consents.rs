//! What customers agree to, and what follows from it at once.

use c360::retailer::demo;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::{act, by, denied, holds, make, number, rows, seen, with};
use crate::harness::on_both;

const UPDATE: &str = "consentUpdate";
const ZOE: &str = demo::DEMO_CUSTOMER.number;

fn decision(purpose: &str, channel: &str, status: &str) -> Value {
    json!({ "consent": { "purpose": purpose, "channel": channel, "status": status } })
}

on_both! {
    async fn a_partner_reads_the_person_until_the_customer_takes_the_consent_back(app: App::demo) {
        let me = app.customer(app.id_of(ZOE).await);
        // A shop that serves and delivers.
        let shop = app.partner("shop-partner", "customers:read pii:read");
        let name = async || {
            let query = "query($by: CustomerIdentifier!) { customer360(by: $by) { name email } }";
            shop.ask_with(query, json!({ "by": by(ZOE) })).await.at("/customer360/name").clone()
        };
        let consent = "consent { purpose channel status source decidedAt } customer { version }";
        for purpose in ["SERVICE", "DELIVERY"] {
            make(&me, UPDATE, decision(purpose, "ANY", "REVOKED"), consent).await;
        }
        assert_eq!(name().await, "Z••• T•••");
        let made = make(&me, UPDATE, decision("DELIVERY", "SMS", "GRANTED"), consent).await;
        assert_eq!((&made["consent"]["status"], &made["consent"]["source"], &made["consent"]["channel"]), (&json!("GRANTED"), &json!("c360"), &json!("SMS")));
        assert_eq!(name().await, demo::DEMO_CUSTOMER.name);
        // To refuse it on all channels takes back the one.
        make(&me, UPDATE, decision("DELIVERY", "ANY", "DENIED"), consent).await;
        assert_eq!(name().await, "Z••• T•••");
        let sms = seen(&app, ZOE, "consents { purpose channel status }").await;
        assert!(sms["consents"].as_array().unwrap().contains(&json!({ "purpose": "DELIVERY", "channel": "SMS", "status": "REVOKED" })), "{sms}");
        let values = "SELECT COUNT(*) FROM events e JOIN event_values v ON v.event_id = e.id WHERE e.label = 'DELIVERY REVOKED' \
            AND v.field = 'status' AND v.before_value = 'GRANTED' AND v.after_value = 'REVOKED'";
        assert!(number(&app, values).await >= 1);
        assert_eq!(seen(&app, ZOE, "timeline(first: 1) { nodes { kind } }").await["timeline"]["nodes"][0]["kind"], "CONSENT_UPDATED");
        holds(&app).await;
    }
}

on_both! {
    async fn staff_say_how_they_know_and_a_partner_opens_nothing_to_itself(app: App::demo) {
        let before = rows(&app).await;
        let of = |decision: Value| with(decision, json!({ "customer": by(ZOE) }));
        assert_eq!(denied(&app.agent(), UPDATE, of(decision("MARKETING", "ANY", "GRANTED"))).await, "BLANK");
        let shop = app.partner("shop-partner", "customers:read customers:write");
        assert_eq!(denied(&shop, UPDATE, of(decision("SERVICE", "ANY", "GRANTED"))).await, "NOT_ALLOWED");
        let other = app.customer(app.id_of(demo::VIP.number).await);
        assert_eq!(denied(&other, UPDATE, of(decision("MARKETING", "ANY", "DENIED"))).await, "NOT_FOUND");
        let known = seen(&app, ZOE, "source").await["source"] == "shop";
        if !known {
            let blind = app.partner("shop-partner", "customers:write");
            assert_eq!(denied(&blind, UPDATE, of(decision("MARKETING", "ANY", "DENIED"))).await, "NOT_FOUND");
        }
        assert_eq!(act(&shop, UPDATE, of(decision("SELLING", "ANY", "GRANTED")), "customer { id }").await.code(), "BAD_USER_INPUT");
        assert_eq!(rows(&app).await, before);

        let mut told = of(decision("MARKETING", "ANY", "GRANTED"));
        told["reason"] = json!("Said so on the phone");
        make(&app.agent(), UPDATE, told, "consent { status }").await;
        assert_eq!(seen(&app, ZOE, "timeline(first: 1) { nodes { reason } }").await["timeline"]["nodes"][0]["reason"], "Said so on the phone");
        // A partner may pass on what opens nothing to it, and every refusal.
        let made = make(&shop, UPDATE, of(decision("MARKETING", "EMAIL", "GRANTED")), "consent { source }").await;
        assert_eq!(made["consent"]["source"], "shop");
        make(&shop, UPDATE, of(decision("SERVICE", "ANY", "REVOKED")), "consent { status }").await;
        holds(&app).await;
    }
}

on_both! {
    async fn a_decision_counts_from_when_it_was_made_which_is_never_to_come_nor_before_the_last_one(app: App::demo) {
        let at = |time: &str, status: &str| with(decision("MARKETING", "ANY", status), json!({
            "customer": by(ZOE), "reason": "On a paper form", "decidedAt": time,
        }));
        let before = rows(&app).await;
        for time in ["2026-11-01T12:00:01Z", "2016-10-01T12:00:00Z"] {
            assert_eq!(denied(&app.agent(), UPDATE, at(time, "DENIED")).await, "OUT_OF_RANGE", "{time}");
        }
        assert_eq!(rows(&app).await, before);
        // The demo's own decisions lie where they may.
        let last = "UPDATE consents SET decided_at = '2026-01-01T00:00:00+00:00'";
        app.state.db.execute_unprepared(last).await.unwrap();
        assert_eq!(denied(&app.agent(), UPDATE, at("2025-12-31T23:59:59Z", "DENIED")).await, "OUT_OF_RANGE");
        let made = make(&app.agent(), UPDATE, at("2026-10-30T09:00:00Z", "DENIED"), "consent { status decidedAt }").await;
        assert_eq!(made["consent"], json!({ "status": "DENIED", "decidedAt": "2026-10-30T09:00:00Z" }));
        let made = make(&app.agent(), UPDATE, at("2026-11-01T12:00:00Z", "GRANTED"), "consent { decidedAt }").await;
        assert_eq!(made["consent"]["decidedAt"], "2026-11-01T12:00:00Z");
        holds(&app).await;
    }
}
