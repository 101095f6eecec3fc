//! The callers' own documents, and what they cost.

use std::collections::BTreeMap;

use c360::retailer::demo;
use c360_rules::access::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, App, actor::customer_gid, on_both};
use crate::policy;

pub const AGENT: &str = include_str!("../examples/agent-first-screen.graphql");
pub const PHONE: &str = include_str!("../examples/phone-balance.graphql");
pub const PARTNER: &str = include_str!("../examples/partner-read.graphql");

async fn first_screen(app: &App, number: &str) -> Answer {
    let answer = app.agent().ask_with(AGENT, json!({ "by": { "customerNumber": number } })).await;
    let _ = answer.data();
    answer
}

fn len(value: &Value) -> usize {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}")).len()
}

on_both! {
    async fn an_agents_first_screen_shows_everything_in_at_most_six_statements(app: App::demo) {
        let before = app.statements();
        let answer = first_screen(&app, demo::DEMO_CUSTOMER.number).await;
        assert!(app.statements() - before <= 6);
        let customer = answer.at("/customer360");
        assert_eq!(customer["name"], demo::DEMO_CUSTOMER.name);
        assert_eq!(customer["email"], demo::DEMO_CUSTOMER.email);
        assert!(len(&customer["identities"]) >= 3);
        assert!(len(&customer["consents"]) >= 1);
        assert_eq!(len(&customer["orders"]["nodes"]), 10);
        assert!(customer["orders"]["nodes"].as_array().unwrap().iter().all(|order| len(&order["lines"]["nodes"]) > 0));
        assert!(len(&customer["tickets"]["nodes"]) >= 1);
        assert!(customer["loyalty"]["balance"]["active"].as_i64().unwrap() > 0);
        assert_eq!(len(&customer["loyalty"]["transactions"]["nodes"]), 10);
        assert_eq!(len(&customer["feedback"]["nodes"]), 5);
        assert_eq!(len(&customer["timeline"]["nodes"]), 20);
        assert!(customer["statistics"]["orderCount"].as_i64().unwrap() > 20);
    }
}

on_both! {
    async fn a_phones_balance_takes_at_most_two_statements(app: App::demo) {
        let phone = app.customer(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let before = app.statements();
        let answer = phone.ask(PHONE).await;
        assert!(app.statements() - before <= 2);
        assert_eq!(answer.data()["me"]["name"], demo::DEMO_CUSTOMER.name);
        assert!(answer.at("/me/loyalty/balance/active").as_i64().unwrap() > 0);
    }
}

on_both! {
    async fn the_statements_text_does_not_change_with_the_number_of_ids(app: App::demo) {
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Customer { orders(first: 2) { nodes { number } } } } }";
        let mut all = Vec::new();
        for member in demo::CAST.iter().filter(|member| **member != demo::MERGED) {
            all.push(customer_gid(app.id_of(member.number).await));
        }
        for many in [1, 2, 5, all.len()] {
            let before = app.statements();
            let answer = app.agent().ask_with(query, json!({ "ids": all[..many] })).await;
            assert_eq!(app.statements() - before, 1);
            let found: Vec<_> = answer.data()["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()).collect();
            assert_eq!(json!(found), json!(all[..many]));
        }
    }
}

on_both! {
    async fn the_first_screen_is_the_same_for_every_customer_by_hand(app: App::demo) {
        // Sums over what the screen shows agree with what was kept at write time.
        for member in demo::CAST.iter().filter(|member| **member != demo::MERGED) {
            let query = "query($by: CustomerIdentifier!) { customer360(by: $by) { statistics { orderCount totalSpent { amount } } \
                orders(first: 100) { nodes { total { amount } subtotal { amount } discountTotal { amount } \
                shippingTotal { amount } taxTotal { amount } status lines(first: 100) { nodes { total { amount } } } } } \
                loyalty { balance { active pending held } lots(first: 100) { nodes { remaining } } \
                transactions(first: 100) { nodes { points } pageInfo { hasNextPage } } } } }";
            let answer = app.agent().ask_with(query, json!({ "by": { "customerNumber": member.number } })).await;
            let customer = &answer.data()["customer360"];
            let loyalty = &customer["loyalty"];
            if loyalty.is_null() {
                continue;
            }
            let sum = |list: &Value, field: &str| list["nodes"].as_array().unwrap().iter().map(|x| x[field].as_i64().unwrap()).sum::<i64>();
            let balance = &loyalty["balance"];
            let held: i64 = ["active", "pending", "held"].iter().map(|part| balance[part].as_i64().unwrap()).sum();
            assert_eq!(held, sum(&loyalty["lots"], "remaining"), "{}", member.number);
            if loyalty["transactions"]["pageInfo"]["hasNextPage"] == false {
                assert_eq!(held, sum(&loyalty["transactions"], "points"), "{}", member.number);
            }
        }
    }
}

on_both! {
    async fn a_partner_reads_what_its_scopes_allow(app: App::demo) {
        let partner = app.partner("shop-partner", "customers:read orders:read loyalty:read");
        let by = json!({ "by": { "email": demo::DEMO_CUSTOMER.email } });
        let answer = partner.ask_with(PARTNER, by.clone()).await;
        let customer = &answer.data()["customer360"];
        assert_ne!(customer["name"], demo::DEMO_CUSTOMER.name);
        assert!(customer["name"].as_str().unwrap().contains('•'));
        assert!(customer["email"].as_str().unwrap().contains('•'));
        assert_eq!(len(&customer["orders"]["nodes"]), 10);

        let partner = app.partner("shop-partner", "customers:read");
        let answer = partner.ask_with(PARTNER, by).await;
        let codes: Vec<_> = answer.body["errors"].as_array().unwrap().iter().map(|error| &error["extensions"]["code"]).collect();
        assert_eq!(codes, ["FORBIDDEN", "FORBIDDEN"]);
        assert_eq!(answer.at("/customer360/orders"), &Value::Null);
        assert_eq!(answer.at("/customer360/loyalty"), &Value::Null);
        assert!(answer.at("/customer360/number").is_string());
    }
}

on_both! {
    async fn a_partner_that_only_writes_sees_the_records_of_its_own_source(app: App::demo) {
        let query = "query($by: CustomerIdentifier!) { customer360(by: $by) { orders(first: 100) { nodes { source } totalCount { value } } } }";
        let by = json!({ "by": { "email": demo::DEMO_CUSTOMER.email } });
        let all = app.agent().ask_with(query, by.clone()).await;
        let count = |answer: &Answer, source: &str| {
            answer.at("/customer360/orders/nodes").as_array().unwrap().iter().filter(|order| order["source"] == source).count()
        };
        let own = app.partner("shop-partner", "customers:read orders:write").ask_with(query, by).await;
        assert_eq!(count(&own, "shop"), count(&all, "shop"));
        assert_eq!(own.data()["customer360"]["orders"]["totalCount"]["value"], count(&all, "shop"));
        assert!(count(&all, "shop") > 0 && count(&all, "shop") < len(all.at("/customer360/orders/nodes")));
        assert_eq!(len(own.at("/customer360/orders/nodes")), count(&all, "shop"));
    }
}

/// Whether everything in `part` is in `whole`, with the same value and in the same place.
fn is_part_of(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|other| is_part_of(value, other)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_part_of(part, whole))
        }
        _ => part == whole,
    }
}

on_both! {
    // Columns are read only for the fields that need them: each field says which it needs. The partner may not read
    // personal data, so what it gets is masked, with columns that staff's answers do not need.
    async fn a_field_says_the_same_alone_and_among_all_others(app: App::demo) {
        let types = policy::types_of(&app).await;
        let id = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let leaves = |ty: &str| -> String {
            let fields = types[ty]["fields"].as_array().unwrap().iter();
            let leaves = fields.filter(|field| ["SCALAR", "ENUM"].contains(&policy::named(&field["type"]).0));
            leaves.map(|field| field["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        let scopes = "customers:read orders:read tickets:read loyalty:read feedback:read";
        for (who, actor) in [
            (policy::Who::Staff(Role::Supervisor), app.staff(Role::Supervisor)),
            (policy::Who::Partner(scopes), app.partner("shop-partner", scopes)),
        ] {
            let roots = policy::roots(&app, who, &id).await;
            let mut parents = BTreeMap::<String, Vec<String>>::new();
            for way in policy::ways(&types, "Query", &roots).into_iter().filter(|way| way.path.len() > 1) {
                let (_, name) = way.path.last().unwrap().split_once('.').unwrap();
                let selection =
                    if way.is_object { format!("{{ __typename {} }}", leaves(&way.gives)) } else { String::new() };
                let parent = way.text.replacen(&format!("{{ {name} % }}"), "%", 1);
                parents.entry(parent).or_default().push(format!("{name} {selection}"));
            }
            let mut told = 0;
            for (parent, fields) in parents {
                let ask = async |fields: &str| actor.ask(&parent.replace('%', &format!("{{ {fields} }}"))).await.body;
                let mut alone = Vec::new();
                for field in &fields {
                    let answer = ask(field).await;
                    if answer["errors"].is_null() {
                        alone.push((field, answer["data"].clone()));
                    } else {
                        assert!(matches!(who, policy::Who::Partner(_)), "{parent} {field}: {answer}");
                    }
                }
                let allowed = alone.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>().join(" ");
                if allowed.is_empty() {
                    continue;
                }
                let whole = ask(&allowed).await;
                assert_eq!(whole["errors"], Value::Null, "{parent} {allowed}: {whole}");
                for (field, answer) in alone {
                    assert!(is_part_of(&answer, &whole["data"]), "{parent}: {field}: {answer} is not in {whole}");
                    told += usize::from(says_something(&answer));
                }
            }
            assert!(told > 150, "only {told} fields said something to {who:?}");
        }
    }
}

/// Whether there is a value anywhere in it.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| name != "__typename" && says_something(value)),
        Value::Array(items) => items.iter().any(says_something),
        Value::Null => false,
        _ => true,
    }
}

on_both! {
    async fn a_variables_default_decides_what_is_included_and_skipped(app: App::demo) {
        let number = demo::DEMO_CUSTOMER.number;
        let by = format!("customer360(by: {{customerNumber: \"{number}\"}})");
        let query = format!("query($t: Boolean = true) {{ {by} {{ id name @include(if: $t) locale @skip(if: $t) }} }}");
        for (variables, fields) in [(json!({}), ["id", "name"]), (json!({ "t": false }), ["id", "locale"])] {
            let answer = app.agent().ask_with(&query, variables).await;
            let customer = answer.data()["customer360"].as_object().unwrap();
            assert_eq!(customer.keys().collect::<Vec<_>>(), fields, "{}", answer.body);
        }
    }
}

on_both! {
    async fn an_answer_has_every_field_in_the_order_of_the_document(app: App::demo) {
        // What a partner may not read is null where it stands, with an error for each, also where it is asked for twice.
        let number = demo::DEMO_CUSTOMER.number;
        let document = format!(
            "{{ b: tickets {{ nodes {{ id }} }} a: customer360(by: {{customerNumber: \"{number}\"}}) {{ vip segments {{ name }} number ...f \
             ... on Node {{ ... on Customer {{ second: vip id }} }} }} }} fragment f on Customer {{ tags number orders(first: 1) {{ nodes {{ lines {{ nodes {{ margin {{ amount }} sku }} }} }} }} }}"
        );
        let partner = app.partner("shop-partner", "customers:read orders:read");
        let text = partner.post(json!({ "query": document })).send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let keys = ["\"b\":null", "\"a\":{\"vip\":null,\"segments\":null,\"number\":", "\"tags\":null,\"orders\":{\"nodes\":[{\"lines\":{\"nodes\":[{\"margin\":null,\"sku\":", "\"second\":null,\"id\":"];
        let mut rest = text.as_str();
        for key in keys {
            rest = rest.split_once(key).unwrap_or_else(|| panic!("no {key} in {rest}: {text}")).1;
        }
        let errors = answer["errors"].as_array().unwrap();
        assert!(errors.len() >= 5 && errors.iter().all(|error| error["extensions"]["code"] == "FORBIDDEN"), "{errors:?}");
        assert!(errors.iter().any(|error| error["path"] == json!(["a", "second"])), "{errors:?}");
    }
}

on_both! {
    async fn a_fault_nulls_its_own_field_and_no_other(app: App::demo) {
        let answer = app.agent().ask("{ __typename nodes(ids: [\"bad\"]) { id } }").await;
        assert_eq!((answer.code(), &answer.body["data"]), ("BAD_USER_INPUT", &json!({ "__typename": "Query", "nodes": null })));
        let document = "{ first: __typename node(id: \"bad\") { id } last: __typename }";
        let text = app.agent().post(json!({ "query": document })).send().await.unwrap().text().await.unwrap();
        assert!(text.starts_with("{\"data\":{\"first\":\"Query\",\"node\":null,\"last\":\"Query\"},\"errors\":[{"), "{text}");
    }
}

on_both! {
    async fn selections_of_one_object_are_merged_and_an_empty_object_is_no_null(app: App::demo) {
        let own = app.customer(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let id = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        for (document, data) in [
            ("{ me { orders(first: 1) { pageInfo { hasNextPage @include(if: false) } pageInfo { hasPreviousPage } } } }".to_owned(), json!({ "me": { "orders": { "pageInfo": { "hasPreviousPage": false } } } })),
            ("{ me { ...A ...B } } fragment A on Customer { loyalty { tier { rank @skip(if: true) } } } fragment B on Customer { loyalty { tier { __typename } } }".to_owned(), json!({ "me": { "loyalty": { "tier": { "__typename": "LoyaltyTier" } } } })),
            (format!("{{ node(id: \"{id}\") {{ ... on Order {{ id }} }} }}"), json!({ "node": {} })),
            (format!("{{ node(id: \"{id}\") {{ ... on Order {{ id }} }} node(id: \"{id}\") {{ ... on Customer {{ number }} }} }}"), json!({ "node": { "number": demo::DEMO_CUSTOMER.number } })),
            ("{ me { orders(first: 2) { edges { cursor @skip(if: true) } } } }".to_owned(), json!({ "me": { "orders": { "edges": [{}, {}] } } })),
            ("{ a: __typename @skip(if: true) }".to_owned(), json!({})),
        ] {
            assert_eq!(own.ask(&document).await.data(), &data, "{document}");
        }
        let text = own.post(json!({ "query": "{ x: me { number } y: __typename x: me { id } }" })).send().await.unwrap().text().await.unwrap();
        assert!(text.starts_with("{\"data\":{\"x\":{\"number\":") && text.contains("},\"y\":\"Query\"}"), "{text}");
    }
}
