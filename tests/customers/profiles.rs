//! What stands in a profile, and who changes it.

use c360::retailer::demo;
use c360_rules::id::Kind;
use futures_util::future::join_all;
use serde_json::json;

use super::{act, by, denied, done, found, holds, make, nothing, refused, rows, seen, with};
use crate::harness::{actor::customer_gid, on_both};

const UPDATE: &str = "customerUpdate";
const ZOE: &str = demo::DEMO_CUSTOMER.number;

on_both! {
    async fn a_customer_takes_another_name_and_is_found_by_it_alone(app: App::demo) {
        let phone = app.customer(app.id_of(ZOE).await);
        let version = seen(&app, ZOE, "version").await["version"].as_i64().unwrap();
        let input = json!({ "name": "Zoë Marchetti", "locale": "it-it", "preferredChannel": "PUSH", "birthday": null, "expectedVersion": version });
        let made = make(&phone, UPDATE, input, "customer { name locale birthday preferredChannel version updatedAt }").await;
        assert_eq!(made["customer"]["version"], version + 1);
        assert_eq!((&made["customer"]["name"], &made["customer"]["locale"]), (&json!("Zoë Marchetti"), &json!("it-IT")));
        assert_eq!((&made["customer"]["birthday"], &made["customer"]["preferredChannel"]), (&json!(null), &json!("PUSH")));
        assert_eq!(found(&app, "zoe marche").await, [ZOE]);
        assert!(!found(&app, "thompson").await.contains(&ZOE.to_owned()), "nobody finds the old name");
        // A partner that may not read the name sees the mask of the new one, and nothing of the old one.
        let partner = app.partner("shop-partner", "customers:read");
        let masked = partner.ask_with("query($by: CustomerIdentifier!) { customer360(by: $by) { name timeline(first: 5) { nodes { kind label } } } }", json!({ "by": by(ZOE) })).await;
        assert_eq!(masked.at("/customer360/name"), "Z••• M•••");
        assert_eq!(masked.at("/customer360/timeline/nodes/0/kind"), "CUSTOMER_UPDATED");
        assert!(!masked.body.to_string().contains("Thompson"), "{:#}", masked.body);
        holds(&app).await;
    }
}

on_both! {
    async fn of_changes_that_rest_on_one_version_one_is_made(app: App::demo) {
        let agent = app.agent();
        let version = seen(&app, ZOE, "version").await["version"].as_i64().unwrap();
        let input = |at: i64| json!({ "customer": by(ZOE), "name": format!("Zoë {at}"), "expectedVersion": version });
        let answers = join_all((0..8).map(|at| act(&agent, UPDATE, input(at), "customer { version }"))).await;
        let made = answers.iter().filter(|answer| !answer.at("/customerUpdate/customer").is_null()).count();
        assert_eq!(made, 1);
        for answer in answers.iter().filter(|answer| answer.at("/customerUpdate/customer").is_null()) {
            assert_eq!(refused(answer, UPDATE), "CONFLICT");
            assert_eq!(answer.at("/customerUpdate/userErrors/0/currentVersion"), &json!(version + 1));
        }
        // What changes nothing is no change.
        let name = seen(&app, ZOE, "name").await["name"].clone();
        let before = rows(&app).await;
        done(&act(&agent, UPDATE, json!({ "customer": by(ZOE), "name": name }), "customer { version }").await, UPDATE);
        assert_eq!(rows(&app).await, before);
        holds(&app).await;
    }
}

on_both! {
    async fn who_is_served_first_is_for_staff_to_say_and_to_see(app: App::demo) {
        let agent = app.agent();
        let made = make(&agent, UPDATE, json!({ "customer": by(ZOE), "vip": true, "risk": "HIGH" }), "customer { vip risk }").await;
        assert_eq!(made["customer"], json!({ "vip": true, "risk": "HIGH" }));
        let me = app.id_of(ZOE).await;
        let timeline = app.customer(me).ask("{ me { timeline(first: 1) { nodes { kind } } } }").await;
        assert_ne!(timeline.at("/me/timeline/nodes/0/kind"), "CUSTOMER_UPDATED");
        for input in [json!({ "vip": true }), json!({ "risk": "LOW" })] {
            assert_eq!(act(&app.customer(me), UPDATE, input, "customer { id }").await.code(), "FORBIDDEN");
        }
    }
}

on_both! {
    async fn what_a_caller_may_not_know_of_cannot_be_told_from_nothing(app: App::demo) {
        let before = rows(&app).await;
        let me = app.customer(app.id_of(ZOE).await);
        let other = customer_gid(app.id_of(demo::VIP.number).await);
        let mut answers = Vec::new();
        for customer in [json!({ "id": other }), json!({ "id": nothing(Kind::Customer) }), by(demo::VIP.number), by("C-777777"), json!({ "email": demo::VIP.email })] {
            let answer = act(&me, UPDATE, json!({ "customer": customer, "name": "Mine" }), "customer { id }").await;
            assert_eq!(refused(&answer, UPDATE), "NOT_FOUND");
            // Nor by what it costs.
            answers.push((answer.body["data"].clone(), answer.body["extensions"]["cost"]["actual"].clone()));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        // The till may change nothing of a customer whose record the shop has made, whether it may read customers or not.
        let of = |source: &str| format!("SELECT number FROM customers WHERE source = '{source}' AND status = 'ACTIVE' ORDER BY id LIMIT 1");
        let (shop, till) = (text(&app, &of("shop")).await, text(&app, &of("pos")).await);
        for scopes in ["customers:write", "customers:read customers:write"] {
            let partner = app.partner("shop-partner", scopes);
            assert_eq!(denied(&partner, UPDATE, json!({ "customer": by(&till), "name": "Mine" })).await, "NOT_FOUND");
            assert_eq!(denied(&partner, UPDATE, json!({ "customer": by("C-777777"), "name": "Mine" })).await, "NOT_FOUND");
        }
        assert_eq!(rows(&app).await, before);
        let partner = app.partner("shop-partner", "customers:write");
        make(&partner, UPDATE, json!({ "customer": by(&shop), "locale": "fr" }), "customer { id }").await;
        // Staff name the customer.
        assert_eq!(act(&app.agent(), UPDATE, json!({ "name": "x" }), "customer { id }").await.code(), "BAD_USER_INPUT");
        assert_eq!(act(&app.agent(), UPDATE, json!({ "customer": { "phone": demo::HOUSEHOLD_PHONE }, "name": "x" }), "customer { id }").await.extension("reason"), "AMBIGUOUS_IDENTIFIER");
    }
}

async fn text(app: &crate::harness::App, sql: &str) -> String {
    use sea_orm::ConnectionTrait as _;
    let db = &app.state.db;
    let row = db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

on_both! {
    async fn what_cannot_stand_in_a_profile_is_refused(app: App::demo) {
        let before = rows(&app).await;
        let agent = app.agent();
        for (changes, code) in [
            (json!({ "name": "" }), "BLANK"),
            (json!({ "name": "a\nb" }), "INVALID_TEXT"),
            (json!({ "name": "\u{feff}x\u{feff}" }), "INVALID_TEXT"),
            (json!({ "name": "민".repeat(201) }), "TOO_LONG"),
            (json!({ "locale": "x" }), "INVALID_VALUE"),
            (json!({ "birthday": "1800-05-05" }), "INVALID_VALUE"),
            (json!({ "birthday": "2027-01-01" }), "INVALID_VALUE"),
            (json!({ "name": "Fine", "expectedVersion": 999_999 }), "CONFLICT"),
            (json!({ "name": "Fine", "expectedVersion": -1 }), "CONFLICT"),
        ] {
            let input = with(json!({ "customer": by(ZOE) }), changes.clone());
            assert_eq!(denied(&agent, UPDATE, input).await, code, "{changes}");
        }
        assert_eq!(rows(&app).await, before);
    }
}
