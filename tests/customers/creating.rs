//! New customers.

use std::collections::BTreeSet;

use c360::retailer::demo;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{act, denied, found, holds, make, number, refused, rows, seen, with};
use crate::harness::on_both;

const CREATE: &str = "customerCreate";
const EVERYTHING: &str = "customer { id number name locale birthday preferredChannel memberSince vip risk source version \
    email phone identities { kind namespace value verifiedAt source } \
    addresses { kind isDefault address { lines city country } } consents { purpose channel status source } }";

fn caller() -> Value {
    json!({
        "name": "Ingrid  Østergård", "locale": "da_dk", "birthday": "1988-02-29", "preferredChannel": "SMS",
        "identities": [
            { "kind": "EMAIL", "value": "Ingrid.O@Example.com" },
            { "kind": "EMAIL", "value": "second@example.com" },
            { "kind": "PHONE", "value": "+45 32 12 34 56", "verified": true },
        ],
        "address": { "kind": "HOME", "line1": "Strøget 1", "city": "København", "country": "DK" },
        "consents": [{ "purpose": "SERVICE", "status": "GRANTED" }, { "purpose": "MARKETING", "channel": "EMAIL", "status": "DENIED" }],
    })
}

on_both! {
    async fn an_agent_makes_a_customer_while_they_are_on_the_phone(app: App::demo) {
        let made = make(&app.agent(), CREATE, caller(), EVERYTHING).await["customer"].clone();
        let number_given = made["number"].as_str().unwrap();
        assert!(number_given.len() == 11 && number_given.starts_with("C-"), "{number_given}");
        assert_eq!(made["name"], "Ingrid  Østergård");
        assert_eq!((&made["locale"], &made["birthday"], &made["preferredChannel"]), (&json!("da-DK"), &json!("1988-02-29"), &json!("SMS")));
        assert_eq!((&made["source"], &made["version"], &made["vip"], &made["risk"]), (&json!("c360"), &json!(1), &json!(false), &json!("LOW")));
        assert_eq!(made["email"], "Ingrid.O@Example.com", "the first one is the one to write to");
        let verified: Vec<bool> = made["identities"].as_array().unwrap().iter().map(|identity| identity["verifiedAt"].is_string()).collect();
        assert_eq!(verified, [false, false, true]);
        assert_eq!(made["addresses"][0]["isDefault"], true);
        assert_eq!(made["consents"].as_array().unwrap().len(), 2);
        // Everybody finds them at once, by all that they were given.
        for query in ["ostergard", "ingrid.o@ex", "004532123456", number_given] {
            assert_eq!(found(&app, query).await, [number_given], "{query}");
        }
        // The log names what happened; what is personal stands beside it.
        let personal = "SELECT COUNT(*) FROM events WHERE label LIKE '%Ingrid%' OR label LIKE '%xample%' OR reason IS NOT NULL \
            AND occurred_at = (SELECT MAX(occurred_at) FROM events) AND kind LIKE 'CUSTOMER%'";
        assert_eq!(number(&app, personal).await, 0);
        let values = "SELECT COUNT(*) FROM event_values WHERE field = 'name' AND after_value = 'Ingrid  Østergård'";
        assert_eq!(number(&app, values).await, 1);
        let kinds = seen(&app, number_given, "timeline(first: 20) { nodes { kind actorKind } }").await;
        let kinds: BTreeSet<&str> = kinds["timeline"]["nodes"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, BTreeSet::from(["CUSTOMER_CREATED", "IDENTITY_ADDED", "ADDRESS_ADDED", "CONSENT_UPDATED"]));
        holds(&app).await;
    }
}

on_both! {
    async fn a_partner_makes_customers_under_its_own_source_and_vouches_for_its_own_ids(app: App::demo) {
        let shop = app.partner("shop-partner", "customers:write");
        let input = json!({
            "name": "Rosa Marten",
            "identities": [{ "kind": "EXTERNAL", "value": "A-77" }, { "kind": "EMAIL", "value": "rosa@example.com", "verified": true }],
            "consents": [{ "purpose": "SERVICE", "status": "GRANTED" }],
        });
        let made = make(&shop, CREATE, input.clone(), "customer { number source name identities { namespace source verifiedAt } }").await;
        assert_eq!((&made["customer"]["source"], &made["customer"]["name"]), (&json!("shop"), &json!("R••• M•••")));
        for identity in made["customer"]["identities"].as_array().unwrap() {
            assert!(identity["verifiedAt"].is_string() && identity["source"] == "shop", "{identity}");
        }
        let external = json!({ "by": { "external": { "source": "shop", "id": "A-77" } } });
        let answer = app.agent().ask_with("query($by: CustomerIdentifier!) { customer360(by: $by) { number } }", external).await;
        assert_eq!(answer.at("/customer360/number"), &made["customer"]["number"]);
        // The ids of others are not for it to give, and a second record of the same person is not made.
        let others = with(input.clone(), json!({ "identities": [{ "kind": "EXTERNAL", "namespace": "pos", "value": "A-78" }] }));
        assert_eq!(denied(&shop, CREATE, others).await, "INVALID_VALUE");
        assert_eq!(denied(&shop, CREATE, input).await, "IDENTITY_TAKEN");
        assert_eq!(app.partner("shop-partner", "customers:read").ask(MINIMAL).await.code(), "FORBIDDEN");
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        assert_eq!(app.customer(me).ask(MINIMAL).await.code(), "FORBIDDEN");
        holds(&app).await;
    }
}

const MINIMAL: &str = "mutation { customerCreate(input: { name: \"x\" }) { userErrors { code } } }";

on_both! {
    async fn sixteen_who_register_one_address_at_once_are_one(app: App::demo) {
        let before = number(&app, "SELECT COUNT(*) FROM customers").await;
        let agent = app.agent();
        let input = |at: usize| json!({ "name": format!("Twin {at}"), "identities": [{ "kind": "EMAIL", "value": "twin@example.com", "verified": true }] });
        let answers = join_all((0..16).map(|at| act(&agent, CREATE, input(at), "customer { number }"))).await;
        let made: Vec<&Value> = answers.iter().map(|answer| answer.at("/customerCreate/customer")).filter(|customer| !customer.is_null()).collect();
        assert_eq!(made.len(), 1);
        for answer in answers.iter().filter(|answer| answer.at("/customerCreate/customer").is_null()) {
            assert_eq!(refused(answer, CREATE), "IDENTITY_TAKEN");
            let message = answer.at("/customerCreate/userErrors/0/message").as_str().unwrap();
            assert!(message.ends_with(made[0]["number"].as_str().unwrap()), "staff read whose it is: {message}");
        }
        assert_eq!(number(&app, "SELECT COUNT(*) FROM customers").await, before + 1);
        holds(&app).await;
    }
}

on_both! {
    async fn numbers_differ_and_a_key_makes_one_customer(app: App::demo) {
        let agent = app.agent();
        let input = |at: usize| json!({ "name": format!("Number {at}") });
        let answers = join_all((0..16).map(|at| act(&agent, CREATE, input(at), "customer { number }"))).await;
        let numbers: BTreeSet<String> = answers.iter().map(|answer| answer.at("/customerCreate/customer/number").to_string()).collect();
        assert_eq!(numbers.len(), 16);
        let keyed = json!({ "name": "Keyed", "idempotencyKey": "once" });
        let answers = join_all((0..8).map(|_| act(&agent, CREATE, keyed.clone(), "customer { id }"))).await;
        let ids: BTreeSet<String> = answers.iter().map(|answer| answer.at("/customerCreate/customer/id").to_string()).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(denied(&agent, CREATE, with(keyed, json!({ "name": "Other" }))).await, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
        holds(&app).await;
    }
}

on_both! {
    async fn what_cannot_be_a_customer_is_refused_and_leaves_nothing(app: App::demo) {
        let before = rows(&app).await;
        let agent = app.agent();
        let identity = |kind: &str, value: &str| json!({ "identities": [{ "kind": kind, "value": value }] });
        let address = |changes: Value| json!({ "address": with(json!({ "kind": "HOME", "line1": "a", "city": "b", "country": "DE" }), changes) });
        for (changes, code, field) in [
            (json!({ "name": null, "identities": [] }), "BLANK", "name"),
            (json!({ "name": " " }), "BLANK", "name"),
            (json!({ "name": "a\u{0}b" }), "INVALID_TEXT", "name"),
            (json!({ "name": "\u{202e}b" }), "INVALID_TEXT", "name"),
            (json!({ "name": "n".repeat(201) }), "TOO_LONG", "name"),
            (json!({ "locale": "Deutsch (Schweiz)" }), "INVALID_VALUE", "locale"),
            (json!({ "birthday": "2026-11-02" }), "INVALID_VALUE", "birthday"),
            (json!({ "birthday": "1800-01-01" }), "INVALID_VALUE", "birthday"),
            (identity("EMAIL", "nobody"), "INVALID_VALUE", "identities.value"),
            (identity("PHONE", "12"), "INVALID_VALUE", "identities.value"),
            (identity("PHONE", "a\u{0}b"), "INVALID_TEXT", "identities.value"),
            (identity("SOCIAL", "@zoe"), "INVALID_VALUE", "identities.namespace"),
            (identity("LOYALTY_CARD", " - "), "INVALID_VALUE", "identities.value"),
            (json!({ "identities": [{ "kind": "EMAIL", "value": "a@b.example", "namespace": "x" }] }), "INVALID_VALUE", "identities.namespace"),
            (json!({ "identities": [{ "kind": "EMAIL", "value": "a@b.example" }, { "kind": "EMAIL", "value": "A@B.example" }] }), "IDENTITY_EXISTS", "identities.value"),
            (json!({ "identities": [{ "kind": "EMAIL", "value": demo::DEMO_CUSTOMER.email, "verified": true }] }), "IDENTITY_TAKEN", "identities.value"),
            (json!({ "identities": vec![json!({ "kind": "EMAIL", "value": "a@b.example" }); 21] }), "TOO_MANY", "identities"),
            (address(json!({ "country": "Germany" })), "INVALID_VALUE", "address.country"),
            (address(json!({ "line1": "" })), "BLANK", "address.line1"),
            (address(json!({ "postalCode": "1".repeat(21) })), "TOO_LONG", "address.postalCode"),
            (json!({ "consents": vec![json!({ "purpose": "SERVICE", "status": "GRANTED" }); 2] }), "INVALID_VALUE", "consents"),
            (json!({ "idempotencyKey": "" }), "INVALID_IDEMPOTENCY_KEY", "idempotencyKey"),
        ] {
            let answer = act(&agent, CREATE, with(caller(), changes.clone()), "customer { id }").await;
            assert_eq!(refused(&answer, CREATE), code, "{changes}");
            let path: Vec<&str> = ["input"].into_iter().chain(field.split('.')).collect();
            assert_eq!(answer.at("/customerCreate/userErrors/0/field"), &json!(path));
        }
        for changes in [
            json!({ "name": "x".repeat(1_000_000) }), json!({ "birthday": "2026-02-30" }), json!({ "preferredChannel": "PIGEON" }), json!({ "number": "C-1" }),
        ] {
            let answer = act(&agent, CREATE, with(caller(), changes), "customer { id }").await;
            assert!(["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "QUERY_TOO_COMPLEX"].contains(&answer.code()), "{:#}", answer.body);
        }
        assert_eq!(rows(&app).await, before);
        assert_eq!(seen(&app, demo::DEMO_CUSTOMER.number, "name").await["name"], demo::DEMO_CUSTOMER.name);
    }
}
