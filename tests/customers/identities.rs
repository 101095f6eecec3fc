//! What customers are recognised by: added, proved, removed; and who checks who is calling.

use c360::retailer::demo;
use c360_rules::id::Kind;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{act, by, check, denied, holds, make, nothing, refused, rows, seen};
use crate::harness::{App, Backend, Database, now, on_both};

const ADD: &str = "customerIdentityAdd";
const VERIFY: &str = "customerIdentityVerify";
const REMOVE: &str = "customerIdentityRemove";
const RECORD: &str = "customerVerificationRecord";
const ZOE: &str = demo::DEMO_CUSTOMER.number;

fn email(number: &str, value: &str) -> Value {
    json!({ "customer": by(number), "identity": { "kind": "EMAIL", "value": value } })
}

/// The number of the customer whom an agent finds by an e-mail.
async fn owner(app: &App, value: &str) -> Value {
    let query = "query($by: CustomerIdentifier!) { customer360(by: $by) { number } }";
    app.agent().ask_with(query, json!({ "by": { "email": value } })).await.at("/customer360").clone()
}

/// The identity's id.
async fn added(app: &App, input: Value) -> String {
    let made = make(&app.agent(), ADD, input, "identity { id value verifiedAt } customer { version }").await;
    made["identity"]["id"].as_str().unwrap().to_owned()
}

on_both! {
    async fn staff_change_what_a_customer_is_recognised_by_only_after_checking_who_is_calling(app: App::demo) {
        let add = |value: &str| email(ZOE, value);
        let record = |outcome: &str| json!({ "customer": by(ZOE), "method": "CALLBACK", "outcome": outcome });
        let verification = "verification { method outcome checkedAt validUntil checkedBy { displayName } }";
        assert_eq!(denied(&app.agent(), ADD, add("a@example.com")).await, "CALLER_NOT_VERIFIED");
        assert_eq!(seen(&app, ZOE, verification).await["verification"], Value::Null);

        let failed = make(&app.agent(), RECORD, record("FAILED"), verification).await;
        assert_eq!(failed["verification"]["validUntil"], Value::Null);
        assert_eq!(denied(&app.agent(), ADD, add("a@example.com")).await, "CALLER_NOT_VERIFIED");
        make(&app.agent(), RECORD, record("PASSED"), verification).await;
        let last = seen(&app, ZOE, verification).await["verification"].clone();
        assert_eq!((&last["method"], &last["outcome"], &last["checkedBy"]["displayName"]), (&json!("CALLBACK"), &json!("PASSED"), &json!("Ana Petrova")));
        assert!(last["validUntil"].as_str().unwrap().starts_with("2026-11-01T12:30:00"), "{last}");
        added(&app, add("a@example.com")).await;
        // It is for this customer alone, and for half an hour.
        assert_eq!(denied(&app.agent(), ADD, email(demo::VIP.number, "v@example.com")).await, "CALLER_NOT_VERIFIED");
        app.state.clock.set(now() + TimeDelta::minutes(29));
        added(&app, add("b@example.com")).await;
        app.state.clock.set(now() + TimeDelta::minutes(31));
        assert_eq!(denied(&app.agent(), ADD, add("c@example.com")).await, "CALLER_NOT_VERIFIED");
        // A later check that was not passed counts more than one that was.
        make(&app.agent(), RECORD, record("PASSED"), verification).await;
        make(&app.agent(), RECORD, record("FAILED"), verification).await;
        assert_eq!(denied(&app.agent(), ADD, add("c@example.com")).await, "CALLER_NOT_VERIFIED");
        // Customers see none of it.
        let me = app.customer(app.id_of(ZOE).await);
        let kinds = me.ask("{ me { timeline(first: 10) { nodes { kind } } } }").await;
        assert!(!kinds.body.to_string().contains("CALLER_VERIFIED"), "{:#}", kinds.body);
        holds(&app).await;
    }
}

async fn a_retailer_may_do_without_checks(backend: Backend) {
    let (app, _) = App::set_up(Database::demo(backend).await, |config| config.verification.required = false).await;
    added(&app, email(ZOE, "a@example.com")).await;
}

#[tokio::test]
async fn a_retailer_may_do_without_checks_sqlite() {
    a_retailer_may_do_without_checks(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_retailer_may_do_without_checks_postgres() {
    a_retailer_may_do_without_checks(Backend::Postgres).await;
}

on_both! {
    async fn an_address_that_is_proved_belongs_to_one_customer(app: App::demo) {
        check(&app, ZOE).await;
        check(&app, demo::VIP.number).await;
        let (mine, hers) = (added(&app, email(ZOE, "Shared@Example.com")).await, added(&app, email(demo::VIP.number, "shared@example.com")).await);
        let query = "query($by: CustomerIdentifier!) { customer360(by: $by) { number } }";
        let both = app.agent().ask_with(query, json!({ "by": { "email": "shared@example.com" } })).await;
        assert_eq!(both.extension("reason"), "AMBIGUOUS_IDENTIFIER");
        let version = seen(&app, ZOE, "version").await["version"].clone();
        let verify = json!({ "identityId": mine, "expectedVersion": version });
        let made = make(&app.agent(), VERIFY, verify.clone(), "identity { id verifiedAt } customer { version }").await;
        assert_eq!((&made["identity"]["id"], made["identity"]["verifiedAt"].is_string()), (&json!(mine), true));
        assert_eq!(denied(&app.agent(), VERIFY, verify).await, "CONFLICT");
        assert_eq!(owner(&app, "shared@example.com").await["number"], ZOE);
        let taken = act(&app.agent(), VERIFY, json!({ "identityId": hers }), "identity { id }").await;
        assert_eq!(refused(&taken, VERIFY), "IDENTITY_TAKEN");
        assert!(taken.at("/customerIdentityVerify/userErrors/0/message").as_str().unwrap().contains(ZOE));
        // Its owner lets it go: then it is free.
        make(&app.agent(), REMOVE, json!({ "identityId": mine }), "customer { id }").await;
        make(&app.agent(), VERIFY, json!({ "identityId": hers }), "identity { id }").await;
        assert_eq!(owner(&app, "shared@example.com").await["number"], demo::VIP.number);
        assert_eq!(denied(&app.agent(), REMOVE, json!({ "identityId": mine })).await, "NOT_FOUND");
        let kinds = seen(&app, ZOE, "timeline(first: 3) { nodes { kind label } }").await;
        assert_eq!(kinds["timeline"]["nodes"][0], json!({ "kind": "IDENTITY_REMOVED", "label": "EMAIL" }));
        holds(&app).await;
    }
}

on_both! {
    async fn of_sixteen_who_prove_one_address_at_once_one_has_it(app: App::demo) {
        let agent = app.agent();
        let mut ids = Vec::new();
        for at in 0..16 {
            let input = json!({ "name": format!("Rival {at}"), "identities": [{ "kind": "EMAIL", "value": "rival@example.com" }] });
            let made = make(&agent, "customerCreate", input, "customer { number identities { id } }").await;
            check(&app, made["customer"]["number"].as_str().unwrap()).await;
            ids.push(made["customer"]["identities"][0]["id"].clone());
        }
        let answers = join_all(ids.iter().map(|id| act(&agent, VERIFY, json!({ "identityId": id }), "identity { id }"))).await;
        let codes: Vec<&Value> = answers.iter().map(|answer| answer.at("/customerIdentityVerify/userErrors")).collect();
        assert_eq!(codes.iter().filter(|errors| **errors == &json!([])).count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|errors| errors[0]["code"] == "IDENTITY_TAKEN").count(), 15, "{codes:?}");
        assert!(owner(&app, "rival@example.com").await["number"].is_string());
        holds(&app).await;
    }
}

on_both! {
    async fn customers_add_what_is_theirs_and_prove_nothing_by_themselves(app: App::demo) {
        let me = app.customer(app.id_of(ZOE).await);
        let before = rows(&app).await;
        let own = |kind: &str, value: &str| json!({ "identity": { "kind": kind, "value": value, "namespace": Value::Null } });
        let mut claimed = own("EMAIL", "z@example.com");
        claimed["identity"]["verified"] = json!(true);
        assert_eq!(denied(&me, ADD, claimed).await, "NOT_ALLOWED");
        assert_eq!(denied(&me, ADD, json!({ "identity": { "kind": "EXTERNAL", "namespace": crate::harness::ISSUER, "value": "me" } })).await, "NOT_ALLOWED");
        assert_eq!(denied(&me, ADD, own("LOYALTY_CARD", "770000000002")).await, "NOT_ALLOWED");
        assert_eq!(denied(&me, ADD, own("EMAIL", demo::DEMO_CUSTOMER.email)).await, "IDENTITY_EXISTS");
        assert_eq!(denied(&me, ADD, own("PHONE", "none")).await, "INVALID_VALUE");
        assert_eq!(denied(&me, ADD, email(demo::VIP.number, "z@example.com")).await, "NOT_FOUND");
        assert_eq!(rows(&app).await, before);
        // That it is proved for somebody else is not said to them, and does not become theirs.
        let made = make(&me, ADD, own("EMAIL", demo::VIP.email), "identity { id verifiedAt }").await;
        assert_eq!(made["identity"]["verifiedAt"], Value::Null);
        assert_eq!(owner(&app, demo::VIP.email).await["number"], demo::VIP.number);
        let mine = json!({ "identityId": made["identity"]["id"] });
        assert_eq!(act(&me, VERIFY, mine.clone(), "identity { id }").await.code(), "FORBIDDEN");
        let other = app.customer(app.id_of(demo::VIP.number).await);
        assert_eq!(denied(&other, REMOVE, mine.clone()).await, "NOT_FOUND");
        make(&me, REMOVE, mine, "customer { id }").await;
        let identities = seen(&app, ZOE, "identities { id kind }").await;
        let card = identities["identities"].as_array().unwrap().iter().find(|identity| identity["kind"] == "LOYALTY_CARD").unwrap();
        assert_eq!(denied(&me, REMOVE, json!({ "identityId": card["id"] })).await, "NOT_ALLOWED");
        assert_eq!(denied(&me, REMOVE, json!({ "identityId": nothing(Kind::Identity) })).await, "NOT_FOUND");
        assert_eq!(act(&me, REMOVE, json!({ "identityId": nothing(Kind::Address) }), "customer { id }").await.code(), "BAD_USER_INPUT");
    }
}

on_both! {
    async fn a_partner_links_its_own_ids_and_speaks_only_for_customers_it_has_made(app: App::demo) {
        let (reader, writer) = (app.partner("shop-partner", "customers:read customers:write"), app.partner("shop-partner", "customers:write"));
        let number = {
            let made = make(&app.agent(), "customerCreate", json!({ "name": "Not Yours", "identities": [{ "kind": "EMAIL", "value": "ny@example.com" }] }), "customer { number identities { id } }").await;
            made["customer"].clone()
        };
        let not_its_own = number["number"].as_str().unwrap();
        let external = |number: &str| json!({ "customer": by(number), "identity": { "kind": "EXTERNAL", "value": "S-1" } });
        assert_eq!(denied(&writer, ADD, external(not_its_own)).await, "NOT_FOUND", "without customers:read it knows its own alone");
        let made = make(&reader, ADD, external(not_its_own), "identity { id namespace verifiedAt }").await;
        assert_eq!((&made["identity"]["namespace"], made["identity"]["verifiedAt"].is_string()), (&json!("shop"), true));
        let claim = json!({ "customer": by(not_its_own), "identity": { "kind": "EMAIL", "value": "claimed@example.com", "verified": true } });
        assert_eq!(denied(&reader, ADD, claim).await, "NOT_ALLOWED");
        let foreign = json!({ "identityId": number["identities"][0]["id"] });
        assert_eq!(denied(&reader, VERIFY, foreign.clone()).await, "NOT_FOUND");
        assert_eq!(denied(&reader, REMOVE, foreign).await, "NOT_ALLOWED");
        make(&reader, REMOVE, json!({ "identityId": made["identity"]["id"] }), "customer { id }").await;
        // Its own customers, it may verify.
        let own = make(&writer, "customerCreate", json!({ "name": "Yours", "identities": [{ "kind": "EMAIL", "value": "ny@example.com" }] }), "customer { identities { id } }").await;
        make(&writer, VERIFY, json!({ "identityId": own["customer"]["identities"][0]["id"] }), "identity { id }").await;
        // Whose it is, is not said to a partner.
        let taken = act(&writer, "customerCreate", json!({ "name": "Again", "identities": [{ "kind": "EMAIL", "value": "ny@example.com", "verified": true }] }), "customer { id }").await;
        assert_eq!(refused(&taken, "customerCreate"), "IDENTITY_TAKEN");
        assert_eq!(taken.at("/customerCreate/userErrors/0/message"), "it is verified for another customer");
        holds(&app).await;
    }
}

on_both! {
    async fn whoever_fails_three_checks_is_not_checked_again_for_a_while(app: App::demo) {
        let record = |number: &str, outcome: &str| json!({ "customer": by(number), "method": "KNOWLEDGE", "outcome": outcome });
        for minutes in [0, 5, 10] {
            app.state.clock.set(now() + TimeDelta::minutes(minutes));
            make(&app.agent(), RECORD, record(ZOE, "FAILED"), "verification { id }").await;
        }
        for outcome in ["PASSED", "FAILED"] {
            assert_eq!(denied(&app.agent(), RECORD, record(ZOE, outcome)).await, "TOO_MANY");
            assert_eq!(denied(&app.staff(c360_rules::access::Role::Admin), RECORD, record(ZOE, outcome)).await, "TOO_MANY", "whoever asks");
        }
        make(&app.agent(), RECORD, record(demo::VIP.number, "PASSED"), "verification { id }").await;
        assert_eq!(denied(&app.agent(), ADD, email(ZOE, "a@example.com")).await, "CALLER_NOT_VERIFIED");
        // Half an hour after the first one there is room for another.
        app.state.clock.set(now() + TimeDelta::minutes(31));
        make(&app.agent(), RECORD, record(ZOE, "PASSED"), "verification { id }").await;
        added(&app, email(ZOE, "a@example.com")).await;
        holds(&app).await;
    }
}
