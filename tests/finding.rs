//! How a customer is found, and when not.

use c360::retailer::demo;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::harness::{App, actor::customer_gid, on_both};

const FIND: &str = "query($by: CustomerIdentifier!) { customer360(by: $by) { id number } }";

async fn found(app: &App, by: Value) -> Value {
    let answer = app.agent().ask_with(FIND, json!({ "by": by })).await;
    answer.data()["customer360"]["number"].clone()
}

async fn one_text(app: &App, sql: &str) -> String {
    let db = &app.state.db;
    let row = db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

on_both! {
    async fn every_identifier_finds_its_customer(app: App::demo) {
        let customer = demo::DEMO_CUSTOMER;
        let id = app.id_of(customer.number).await;
        let of = |table: &str, column: &str| {
            format!("SELECT t.{column} FROM {table} t JOIN customers c ON c.id = t.customer_id WHERE c.number = '{}' LIMIT 1", customer.number)
        };
        let loyalty = one_text(&app, &of("loyalty_accounts", "number")).await;
        let order = one_text(&app, &of("orders", "number")).await;
        let source = one_text(&app, &of("orders", "source")).await;
        let identifiers = [
            json!({ "id": customer_gid(id) }),
            json!({ "email": customer.email }),
            json!({ "email": format!("  {} ", customer.email.to_uppercase()) }),
            json!({ "phone": "+1 (971) 555-0142" }),
            json!({ "phone": "(971) 555-0142" }),
            json!({ "phone": "001 971 555 0142" }),
            json!({ "customerNumber": customer.number }),
            json!({ "loyaltyNumber": loyalty }),
            json!({ "order": { "number": order, "source": source } }),
        ];
        for by in identifiers {
            assert_eq!(found(&app, by.clone()).await, customer.number, "{by}");
        }
    }
}

on_both! {
    async fn nobody_is_null_and_not_an_error(app: App::demo) {
        for by in [
            json!({ "id": "customer_01h455vb4pex5vsknk084sn02q" }),
            json!({ "email": "nobody@example.com" }),
            json!({ "phone": "+15035559999" }),
            json!({ "customerNumber": "C-999999" }),
            json!({ "loyaltyNumber": "none" }),
            json!({ "order": { "number": "none" } }),
            json!({ "external": { "source": "none", "id": "none" } }),
        ] {
            assert_eq!(found(&app, by.clone()).await, Value::Null, "{by}");
        }
    }
}

on_both! {
    async fn a_partner_finds_a_customer_by_an_order_that_it_may_read_and_by_no_other(app: App::demo) {
        let number = |which: &str| format!("SELECT number FROM orders WHERE source {which} 'shop' ORDER BY number LIMIT 1");
        let (own, other) = (one_text(&app, &number("=")).await, one_text(&app, &number("<>")).await);
        for (scope, may) in [
            ("customers:read orders:read", [true, true]),
            ("customers:read orders:write", [true, false]),
            ("customers:read", [false, false]),
        ] {
            let partner = app.partner("shop-partner", scope);
            for (order, may) in [&own, &other].into_iter().zip(may) {
                let by = json!({ "by": { "order": { "number": order } } });
                let answer = partner.ask_with(FIND, by).await;
                assert_eq!(answer.data()["customer360"].is_object(), may, "{scope}: {order}");
                let search = "query($query: String) { customers(query: $query) { nodes { id } totalCount { value } } }";
                let answer = partner.ask_with(search, json!({ "query": order })).await;
                let customers = &answer.data()["customers"];
                let found = (customers["nodes"].as_array().unwrap().len(), customers["totalCount"]["value"].as_u64());
                assert_eq!(found, if may { (1, Some(1)) } else { (0, Some(0)) }, "{scope}: {order}");
            }
        }
        assert!(found(&app, json!({ "order": { "number": other } })).await.is_string());
    }
}

on_both! {
    async fn a_telephone_that_a_household_shares_is_ambiguous(app: App::demo) {
        for phone in [demo::HOUSEHOLD_PHONE, "0049 30 555 0142"] {
            let answer = app.agent().ask_with(FIND, json!({ "by": { "phone": phone } })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT");
            assert_eq!(answer.extension("reason"), "AMBIGUOUS_IDENTIFIER");
            assert_eq!(answer.at("/customer360"), &Value::Null);
        }
    }
}

on_both! {
    async fn who_verified_an_identifier_is_meant_before_those_who_only_claim_it(app: App::demo) {
        let claim = format!(
            "UPDATE customer_identities SET value = '{0}', normalized = '{0}', verified_at = NULL \
             WHERE kind = 'EMAIL' AND customer_id = (SELECT id FROM customers WHERE number = '{1}')",
            demo::DEMO_CUSTOMER.email, demo::STRANGER.number,
        );
        app.state.db.execute_unprepared(&claim).await.unwrap();
        assert_eq!(found(&app, json!({ "email": demo::DEMO_CUSTOMER.email })).await, demo::DEMO_CUSTOMER.number);
    }
}

on_both! {
    async fn a_merged_customer_is_found_as_the_survivor(app: App::demo) {
        let merged = app.id_of(demo::MERGED.number).await;
        for by in [
            json!({ "id": customer_gid(merged) }),
            json!({ "customerNumber": demo::MERGED.number }),
        ] {
            assert_eq!(found(&app, by.clone()).await, demo::SURVIVOR.number, "{by}");
        }
    }
}

on_both! {
    async fn bad_identifiers_are_named(app: App::demo) {
        for (by, argument) in [
            (json!({ "id": "nonsense" }), "by.id"),
            (json!({ "id": "order_01h455vb4pex5vsknk084sn02q" }), "by.id"),
            (json!({ "email": "not an address" }), "by.email"),
            (json!({ "phone": "call me" }), "by.phone"),
            (json!({ "customerNumber": "" }), "by.customerNumber"),
        ] {
            let answer = app.agent().ask_with(FIND, json!({ "by": by })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{by}");
            assert_eq!(answer.extension("argument"), argument, "{by}");
        }
        for by in [json!({}), json!({ "email": "a@b.co", "phone": "+19715550142" })] {
            let answer = app.agent().ask_with(FIND, json!({ "by": by })).await;
            assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&answer.code()), "{by}");
        }
    }
}

on_both! {
    async fn a_customer_reads_themselves_and_nobody_else(app: App::demo) {
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let other = app.id_of(demo::VIP.number).await;
        let customer = app.customer(me);
        assert_eq!(customer.ask("{ me { number } }").await.data()["me"]["number"], demo::DEMO_CUSTOMER.number);
        for id in [me, other] {
            let answer = customer.ask_with(FIND, json!({ "by": { "id": customer_gid(id) } })).await;
            assert_eq!((answer.code(), answer.at("/customer360")), ("FORBIDDEN", &Value::Null));
        }
        let node = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(customer.ask_with(node, json!({ "id": customer_gid(me) })).await.data()["node"]["id"], customer_gid(me));
        assert_eq!(customer.ask_with(node, json!({ "id": customer_gid(other) })).await.data()["node"], Value::Null);
        // A customer who was merged away reads the survivor.
        let merged = app.customer(app.id_of(demo::MERGED.number).await);
        assert_eq!(merged.ask("{ me { number } }").await.data()["me"]["number"], demo::SURVIVOR.number);
    }
}
