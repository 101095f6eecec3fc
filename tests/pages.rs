//! Connections: pages in both directions, cursors, totals.

use c360::retailer::demo;
use serde_json::{Value, json};

use crate::harness::{App, actor::customer_gid, on_both};

const ORDERS: &str = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { customer360(by: {id: $id}) { \
    orders(first: $first, after: $after, last: $last, before: $before) { nodes { id placedAt } edges { cursor node { id } } \
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount { value exact } } } }";

async fn page(app: &App, arguments: Value) -> Value {
    let mut variables = arguments;
    variables["id"] = json!(customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await));
    let answer = app.agent().ask_with(ORDERS, variables).await;
    answer.data()["customer360"]["orders"].clone()
}

fn ids(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    async fn pages_forwards_and_backwards_give_the_whole_list_once_and_in_order(app: App::demo) {
        let whole = page(&app, json!({ "first": 100 })).await;
        let all = ids(&whole);
        assert!(all.len() > 20, "the demo's customer has many orders");
        assert_eq!(whole["totalCount"], json!({ "value": all.len(), "exact": true }));
        let times: Vec<_> = whole["nodes"].as_array().unwrap().iter().map(|node| node["placedAt"].as_str().unwrap().to_owned()).collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "newest first");

        let (mut forwards, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = page(&app, json!({ "first": 7, "after": after })).await;
            assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
            forwards.extend(ids(&page));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(forwards, all);

        let (mut backwards, mut before) = (Vec::new(), Value::Null);
        loop {
            let page = page(&app, json!({ "last": 7, "before": before })).await;
            let mut some = ids(&page);
            some.extend(backwards);
            backwards = some;
            before = page["pageInfo"]["startCursor"].clone();
            if page["pageInfo"]["hasPreviousPage"] == false {
                break;
            }
        }
        assert_eq!(backwards, all);
    }
}

on_both! {
    async fn a_page_between_two_cursors_is_what_lies_between(app: App::demo) {
        let whole = page(&app, json!({ "first": 100 })).await;
        let cursor = |at: usize| whole["edges"][at]["cursor"].clone();
        let between = page(&app, json!({ "first": 100, "after": cursor(2), "before": cursor(8) })).await;
        assert_eq!(ids(&between), ids(&whole)[3..8]);
    }
}

on_both! {
    async fn bad_pages_are_refused_and_only_they_are_null(app: App::demo) {
        let id = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let tickets = "query($id: ID!) { customer360(by: {id: $id}) { tickets(first: 1) { pageInfo { endCursor } } } }";
        let other = app.agent().ask_with(tickets, json!({ "id": id })).await;
        let other = other.at("/customer360/tickets/pageInfo/endCursor").clone();
        for (arguments, argument) in [
            (json!({ "first": 0 }), "first"),
            (json!({ "first": -1 }), "first"),
            (json!({ "first": 101 }), "first"),
            (json!({ "last": 101 }), "last"),
            (json!({ "first": 1, "last": 1 }), "last"),
            (json!({ "after": "nonsense" }), "after"),
            (json!({ "before": "" }), "before"),
            (json!({ "after": other }), "after"),
        ] {
            let mut variables = arguments.clone();
            variables["id"] = json!(id);
            let query = ORDERS.replace("{ orders", "{ number orders");
            let query = query.replace("(by: {id: $id}) { ", "(by: {id: $id}) { number ");
            let answer = app.agent().ask_with(&query, variables).await;
            assert_eq!((answer.code(), answer.extension("argument")), ("BAD_USER_INPUT", argument), "{arguments}");
            assert_eq!(answer.at("/customer360/orders"), &Value::Null);
            assert_eq!(answer.at("/customer360/number"), demo::DEMO_CUSTOMER.number);
        }
    }
}

on_both! {
    async fn pages_below_many_parents_are_cut_for_each_of_them(app: App::demo) {
        let id = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let query = "query($id: ID!) { customer360(by: {id: $id}) { orders(first: 20) { nodes { \
            all: lines(first: 100) { nodes { id position } } \
            top: lines(first: 2) { nodes { id } pageInfo { hasNextPage } totalCount { value } } \
            end: lines(last: 1) { nodes { id } } } } } }";
        let answer = app.agent().ask_with(query, json!({ "id": id })).await;
        let orders = answer.data()["customer360"]["orders"]["nodes"].as_array().unwrap();
        assert_eq!(orders.len(), 20);
        assert!(orders.iter().any(|order| ids(&order["all"]).len() > 2));
        for order in orders {
            let all = ids(&order["all"]);
            let positions: Vec<_> = order["all"]["nodes"].as_array().unwrap().iter().map(|line| line["position"].as_i64().unwrap()).collect();
            assert!(positions.is_sorted());
            assert_eq!(ids(&order["top"]), all[..all.len().min(2)]);
            assert_eq!(order["top"]["pageInfo"]["hasNextPage"], all.len() > 2);
            assert_eq!(order["top"]["totalCount"]["value"], all.len());
            assert_eq!(ids(&order["end"]), all[all.len() - 1..]);
        }
    }
}

on_both! {
    async fn one_list_asked_for_with_different_arguments_is_refused_and_not_mixed_up(app: App::demo) {
        let agent = app.agent();
        let id = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let query = format!(
            "{{ node(id: \"{id}\") {{ ... on Order {{ customer {{ orders(first: 1) {{ nodes {{ id }} }} }} }}
                ... on Customer {{ orders(first: 3) {{ nodes {{ id }} }} }} }} }}"
        );
        let answer = agent.ask(&query).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{}", answer.body);
        let same = agent.ask(&query.replace("first: 1", "first: 3")).await;
        assert_eq!(same.data()["node"]["orders"]["nodes"].as_array().unwrap().len(), 3);
    }
}
