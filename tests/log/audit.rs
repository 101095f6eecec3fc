//! The audit log, as supervisors read it.

use c360::retailer::demo;
use c360_rules::access::Role;
use c360_rules::id::{self, Kind};
use serde_json::{Value, json};

use super::sealing::{CREDIT, credit};
use super::{execute, seal};
use crate::harness::on_both;

const LOG: &str = "query($filter: AuditFilter, $first: Int, $after: String) { auditLog(filter: $filter, first: $first, after: $after) { \
    nodes { id position kind domain occurredAt recordedAt actorKind actorId staff { displayName } customer { number } \
        subjectId label points amount { amount } reason channel source clientId requestId changes { field before after } } \
    pageInfo { endCursor hasNextPage } totalCount { value } } }";

on_both! {
    async fn a_supervisor_sees_who_did_what_when_why_and_from_where(app: App::demo) {
        let number = demo::DEMO_CUSTOMER.number;
        let response = app.agent().post(json!({ "query": CREDIT, "variables": credit(number, 7, "k") })).send().await.unwrap();
        let request = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let made: Value = response.json().await.unwrap();
        let transaction = &made["data"]["loyaltyPointsCredit"]["transaction"]["id"];
        let id = app.id_of(number).await;
        execute(&app, "INSERT INTO event_values (event_id, customer_id, field, before_value, after_value) \
            SELECT id, customer_id, 'phone', '+359888123456', 'after' FROM events WHERE reason = 'Late parcel'").await;
        execute(&app, "INSERT INTO event_values (event_id, customer_id, field, before_value, after_value) \
            SELECT id, customer_id, 'email', NULL, 'a@b.test' FROM events WHERE reason = 'Late parcel'").await;

        let supervisor = app.staff(Role::Supervisor);
        let answer = supervisor.ask_with(LOG, json!({ "first": 1 })).await;
        let entry = answer.at("/auditLog/nodes/0").clone();
        for (field, value) in [
            ("kind", json!("POINTS_ADJUSTED")),
            ("domain", json!("LOYALTY")),
            ("actorKind", json!("STAFF")),
            ("actorId", json!("agent-1")),
            ("subjectId", transaction.clone()),
            ("points", json!(7)),
            ("reason", json!("Late parcel")),
            ("source", json!("c360")),
            ("clientId", json!("console")),
            ("requestId", json!(request)),
            ("customer", json!({ "number": number })),
            ("position", Value::Null),
            ("changes", json!([
                { "field": "email", "before": null, "after": "a@b.test" },
                { "field": "phone", "before": "+359888123456", "after": "after" },
            ])),
        ] {
            assert_eq!(entry[field], value, "{entry:#}");
        }
        assert!(entry["staff"]["displayName"].is_string(), "{entry:#}");
        let sealed = seal(&app.state).await;
        let answer = supervisor.ask_with(LOG, json!({ "first": 1 })).await;
        assert_eq!(answer.at("/auditLog/nodes/0/position").as_f64().unwrap() as usize, sealed);

        for filter in [
            json!({ "customerId": id::encode(Kind::Customer, id), "kind": ["POINTS_ADJUSTED"], "from": "2026-11-01T12:00:00Z" }),
            json!({ "actorKind": "STAFF", "actorId": "agent-1", "from": "2026-11-01T12:00:00Z" }),
            json!({ "subjectId": transaction }),
            json!({ "domain": ["LOYALTY"], "from": "2026-11-01T12:00:00Z" }),
            json!({ "domain": ["LOYALTY", "ORDERS"], "kind": ["POINTS_ADJUSTED", "OTHER"], "from": "2026-11-01T12:00:00Z" }),
        ] {
            let answer = supervisor.ask_with(LOG, json!({ "filter": filter })).await;
            let nodes = answer.at("/auditLog/nodes").as_array().unwrap();
            assert_eq!(nodes.len(), 1, "{filter}: {:#}", answer.body);
            assert_eq!(nodes[0]["id"], entry["id"]);
        }
        for filter in [
            json!({ "actorId": "agent-1' OR '1'='1" }),
            json!({ "kind": ["COUPON_REDEEMED"], "actorId": "agent-1" }),
            json!({ "before": "1990-01-01T00:00:00Z" }),
        ] {
            let answer = supervisor.ask_with(LOG, json!({ "filter": filter })).await;
            assert_eq!(*answer.at("/auditLog/nodes"), json!([]), "{filter}");
        }
        for wrong in [json!({ "customerId": "x" }), json!({ "customerId": transaction }), json!({ "subjectId": "x" })] {
            assert_eq!(supervisor.ask_with(LOG, json!({ "filter": wrong })).await.code(), "BAD_USER_INPUT", "{wrong}");
        }
    }
}

on_both! {
    async fn the_audit_log_is_read_page_by_page_without_gaps(app: App::demo) {
        let supervisor = app.staff(Role::Supervisor);
        let customer = id::encode(Kind::Customer, app.id_of(demo::DEMO_CUSTOMER.number).await);
        let filter = json!({ "customerId": customer });
        let whole = supervisor.ask_with(LOG, json!({ "filter": filter, "first": 100 })).await;
        let all: Vec<&Value> = whole.at("/auditLog/nodes").as_array().unwrap().iter().map(|node| &node["id"]).collect();
        assert!(all.len() > 20);
        let (mut read, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = supervisor.ask_with(LOG, json!({ "filter": filter, "first": 7, "after": after })).await;
            read.extend(page.at("/auditLog/nodes").as_array().unwrap().iter().map(|node| node["id"].clone()));
            after = page.at("/auditLog/pageInfo/endCursor").clone();
            if *page.at("/auditLog/pageInfo/hasNextPage") == false || read.len() >= all.len() {
                break;
            }
        }
        read.truncate(all.len());
        assert_eq!(read.iter().collect::<Vec<_>>(), all);
        let times = whole.at("/auditLog/nodes").as_array().unwrap().windows(2).all(|two| two[0]["recordedAt"].as_str() >= two[1]["recordedAt"].as_str());
        assert!(times);
    }
}

on_both! {
    async fn who_may_not_read_the_audit_log_is_told_so(app: App::demo) {
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        for who in [app.agent(), app.customer(me), app.partner("shop-partner", "audit:read admin")] {
            let answer = who.ask("{ auditLog(first: 1) { nodes { id } } }").await;
            assert_eq!(answer.code(), "FORBIDDEN", "{:#}", answer.body);
            assert_eq!(answer.body["data"], json!({ "auditLog": null }));
        }
        let admin = app.staff(Role::Admin).ask("{ auditLog(first: 1) { nodes { id } } }").await;
        assert!(admin.at("/auditLog/nodes/0/id").is_string());
    }
}
