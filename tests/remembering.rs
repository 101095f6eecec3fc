//! What is remembered of a document is of use to others, and shows them nothing of anybody else.

use c360::retailer::demo;
use c360_rules::access::Role;
use serde_json::{Value, json};

use crate::harness::{actor::customer_gid, on_both};

const ME: &str = "{ me { number loyalty { number balance { active } } orders(first: 2) { nodes { number } } } }";
const BY_ID: &str = "query($id: ID!, $first: Int, $open: Boolean) { customer360(by: { id: $id }) { \
                     number orders(first: $first) { nodes { number } } tickets(filter: { isOpen: $open }) { nodes { status } } } }";

fn numbers(orders: &Value) -> Vec<&Value> {
    orders["nodes"].as_array().unwrap().iter().map(|order| &order["number"]).collect()
}

on_both! {
    async fn one_document_gives_each_customer_their_own(app: App::demo) {
        let mut first = Vec::new();
        for round in 0..2 {
            for (at, member) in demo::CAST.iter().filter(|member| **member != demo::MERGED).enumerate() {
                let answer = app.customer(app.id_of(member.number).await).ask(ME).await;
                assert_eq!(answer.data()["me"]["number"], member.number);
                match round {
                    0 => first.push(answer.data().clone()),
                    _ => assert_eq!(*answer.data(), first[at]),
                }
            }
        }
        first.dedup();
        assert!(first.len() > 3);
    }
}

on_both! {
    async fn variables_below_a_root_and_their_absence_count(app: App::demo) {
        let id = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let all = app.agent().ask_with(BY_ID, json!({ "id": id, "first": 5 })).await;
        let all = numbers(&all.data()["customer360"]["orders"]).into_iter().cloned().collect::<Vec<_>>();
        for first in [1, 3, 1, 5, 3] {
            let answer = app.agent().ask_with(BY_ID, json!({ "id": id, "first": first })).await;
            assert_eq!(numbers(&answer.data()["customer360"]["orders"]), all[..first].iter().collect::<Vec<_>>());
        }
        for (open, known) in [(Value::Null, None), (json!(true), Some(true)), (json!(false), Some(false)), (json!(true), Some(true))] {
            let answer = app.agent().ask_with(BY_ID, json!({ "id": id, "open": open })).await;
            for ticket in answer.data()["customer360"]["tickets"]["nodes"].as_array().unwrap() {
                let is_open = !matches!(ticket["status"].as_str().unwrap(), "SOLVED" | "CLOSED");
                assert!(known.is_none_or(|open| open == is_open), "{ticket}");
            }
        }
    }
}

on_both! {
    async fn a_cursor_goes_on_from_where_it_stands_in_a_document_asked_before(app: App::demo) {
        let id = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let query = "query($id: ID!, $after: String) { customer360(by: { id: $id }) { \
                     orders(first: 3, after: $after) { nodes { number } pageInfo { endCursor } } } }";
        let (mut after, mut seen) = (Value::Null, Vec::new());
        for _ in 0..3 {
            let answer = app.agent().ask_with(query, json!({ "id": id, "after": after })).await;
            let orders = &answer.data()["customer360"]["orders"];
            seen.extend(numbers(orders).into_iter().cloned());
            after = orders["pageInfo"]["endCursor"].clone();
        }
        let at_once = app.agent().ask_with(BY_ID, json!({ "id": id, "first": 9 })).await;
        assert_eq!(seen.iter().collect::<Vec<_>>(), numbers(&at_once.data()["customer360"]["orders"]));
    }
}

on_both! {
    async fn what_was_remembered_for_staff_is_not_shown_to_a_partner(app: App::demo) {
        let id = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let query = "query($id: ID!) { customer360(by: { id: $id }) { number vip loyalty { number } orders(first: 1) { nodes { number } } } }";
        for _ in 0..2 {
            for role in [Role::Agent, Role::Supervisor] {
                let answer = app.staff(role).ask_with(query, json!({ "id": id })).await;
                assert!(answer.data()["customer360"]["orders"]["nodes"][0]["number"].is_string());
                assert!(answer.data()["customer360"]["vip"].is_boolean());
            }
            let answer = app.partner("shop-partner", "customers:read").ask_with(query, json!({ "id": id })).await;
            assert_eq!(answer.body["data"]["customer360"]["orders"], Value::Null);
            assert_eq!(answer.body["data"]["customer360"]["loyalty"], Value::Null);
            assert_eq!(answer.body["data"]["customer360"]["vip"], Value::Null);
        }
    }
}

on_both! {
    async fn a_customer_named_by_id_takes_one_statement_and_a_merged_one_two(app: App::demo) {
        for (member, statements) in [(demo::DEMO_CUSTOMER, 1), (demo::MERGED, 2)] {
            let id = app.id_of(member.number).await;
            let before = app.statements();
            app.agent().ask_with(BY_ID, json!({ "id": customer_gid(id), "first": 1 })).await;
            assert_eq!(app.statements() - before, statements, "{}", member.number);
        }
    }
}
