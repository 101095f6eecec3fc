//! Where customers live.

use c360::retailer::demo;
use c360_rules::id::Kind;
use serde_json::{Value, json};

use super::{act, by, check, denied, holds, make, nothing, refused, rows, seen, with};
use crate::harness::on_both;

const ADD: &str = "customerAddressAdd";
const UPDATE: &str = "customerAddressUpdate";
const REMOVE: &str = "customerAddressRemove";
const SEE: &str = "address { id kind isDefault address { recipient lines city region postalCode country } }";

fn office() -> Value {
    json!({ "kind": "SHIPPING", "recipient": "Reception", "line1": "Hauptstraße 7", "line2": "2nd floor", "city": "Berlin", "postalCode": "10827", "country": "DE", "isDefault": true })
}

on_both! {
    async fn an_address_is_added_changed_and_removed_and_one_of_them_is_the_usual_one(app: App::demo) {
        let me = app.customer(app.id_of(demo::VIP.number).await);
        let before = seen(&app, demo::VIP.number, "version addresses { isDefault }").await;
        let made = make(&me, ADD, json!({ "address": office() }), SEE).await["address"].clone();
        assert_eq!(made["address"], json!({ "recipient": "Reception", "lines": ["Hauptstraße 7", "2nd floor"], "city": "Berlin", "region": null, "postalCode": "10827", "country": "DE" }));
        let usual = async || {
            let all = seen(&app, demo::VIP.number, "addresses { id isDefault }").await;
            let all = all["addresses"].as_array().unwrap().clone();
            all.into_iter().filter(|address| address["isDefault"] == true).collect::<Vec<_>>()
        };
        assert_eq!(usual().await, [json!({ "id": made["id"], "isDefault": true })]);
        let moved = json!({ "addressId": made["id"], "address": with(office(), json!({ "line1": "Nebenstraße 8", "line2": null, "isDefault": false })) });
        let changed = make(&me, UPDATE, moved.clone(), SEE).await["address"].clone();
        assert_eq!((&changed["id"], &changed["address"]["lines"], &changed["isDefault"]), (&made["id"], &json!(["Nebenstraße 8"]), &json!(false)));
        make(&me, UPDATE, moved, SEE).await;
        let gone = make(&me, REMOVE, json!({ "addressId": made["id"] }), "customer { version addresses { id } }").await;
        assert_eq!(gone["customer"]["version"].as_i64().unwrap(), before["version"].as_i64().unwrap() + 3, "what changes nothing is no change");
        assert_eq!(gone["customer"]["addresses"].as_array().unwrap().len(), before["addresses"].as_array().unwrap().len());
        assert_eq!(denied(&me, REMOVE, json!({ "addressId": made["id"] })).await, "NOT_FOUND");
        holds(&app).await;
    }
}

on_both! {
    async fn addresses_are_changed_by_those_who_may_and_within_bounds(app: App::demo) {
        let number = demo::STRANGER.number;
        let staff = json!({ "customer": by(number), "address": office() });
        assert_eq!(denied(&app.agent(), ADD, staff.clone()).await, "CALLER_NOT_VERIFIED");
        check(&app, number).await;
        let made = make(&app.agent(), ADD, staff.clone(), SEE).await;
        let (id, before) = (made["address"]["id"].clone(), rows(&app).await);
        let other = app.customer(app.id_of(demo::VIP.number).await);
        for mutation in [UPDATE, REMOVE] {
            let mut input = json!({ "addressId": id });
            if mutation == UPDATE {
                input["address"] = office();
            }
            assert_eq!(denied(&other, mutation, input.clone()).await, "NOT_FOUND");
            input["addressId"] = json!(nothing(Kind::Address));
            assert_eq!(denied(&app.agent(), mutation, input).await, "NOT_FOUND");
        }
        // The shop has not made this customer, or may not say so.
        let made_by = seen(&app, number, "source").await["source"].clone();
        let partner = if made_by == "shop" { "pos-partner" } else { "shop-partner" };
        let answer = act(&app.partner(partner, "customers:read customers:write"), ADD, staff.clone(), SEE).await;
        assert!(answer.body.to_string().contains(if partner == "shop-partner" { "NOT_FOUND" } else { "FORBIDDEN" }), "{:#}", answer.body);
        for (changes, code) in [
            (json!({ "line1": " " }), "BLANK"),
            (json!({ "city": "a\u{0}b" }), "INVALID_TEXT"),
            (json!({ "line2": "x".repeat(201) }), "TOO_LONG"),
            (json!({ "country": "de" }), "INVALID_VALUE"),
        ] {
            let input = with(staff.clone(), json!({ "address": with(office(), changes) }));
            assert_eq!(denied(&app.agent(), ADD, input).await, code);
        }
        let stale = act(&app.agent(), REMOVE, json!({ "addressId": id, "expectedVersion": 0 }), "customer { id }").await;
        assert_eq!(refused(&stale, REMOVE), "CONFLICT");
        assert_eq!(rows(&app).await, before);
        let there = seen(&app, number, "addresses { id }").await["addresses"].as_array().unwrap().len();
        for _ in there..20 {
            make(&app.agent(), ADD, staff.clone(), SEE).await;
        }
        assert_eq!(denied(&app.agent(), ADD, staff).await, "TOO_MANY");
    }
}
