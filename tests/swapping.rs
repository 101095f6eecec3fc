//! Other people's ids, in every place that takes one.

use std::collections::HashSet;

use c360::retailer::demo;
use c360_rules::id::{self, Kind};
use sea_orm::{FromQueryResult as _, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Actor, App, on_both};

#[derive(Debug, sea_orm::FromQueryResult)]
struct Owned {
    id: Uuid,
    customer_id: Option<Uuid>,
}

/// Every id of a table, with whose it is.
async fn ids(app: &App, table: &str, owner: &str) -> Vec<Owned> {
    let backend = app.state.db.get_database_backend();
    let text = format!("SELECT id, {owner} AS customer_id FROM {table}");
    Owned::find_by_statement(Statement::from_string(backend, text)).all(&app.state.db).await.unwrap()
}

/// The ids that a caller gets something for.
async fn seen(caller: &Actor<'_>, ids: &[String]) -> HashSet<String> {
    let mut seen = HashSet::new();
    for some in ids.chunks(100) {
        let answer = caller.ask_with("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": some })).await;
        let nodes = answer.data()["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), some.len());
        seen.extend(nodes.iter().filter_map(|node| node["id"].as_str()).map(str::to_owned));
    }
    seen
}

on_both! {
    async fn ten_thousand_ids_of_others_are_nobody_to_a_customer(app: App::demo) {
        let own = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let customer = app.customer(own);
        let (mut all, mut mine) = (Vec::new(), HashSet::new());
        for (table, owner, kind) in
            [("customers", "id", Kind::Customer), ("orders", "customer_id", Kind::Order), ("tickets", "customer_id", Kind::Ticket)]
        {
            for row in ids(&app, table, owner).await {
                // Under each kind: an id of one thing says nothing as the id of another.
                for other in [Kind::Customer, Kind::Order, Kind::Ticket] {
                    all.push(id::encode(other, row.id));
                }
                if row.customer_id == Some(own) {
                    mine.insert(id::encode(kind, row.id));
                }
            }
        }
        let mut n = 0;
        while all.len() < 10_000 {
            n += 1;
            all.push(id::encode(Kind::Order, Uuid::from_u128(n)));
        }
        assert!(mine.len() > 10);
        assert_eq!(seen(&customer, &all).await, mine);
        // A partner that only writes tickets sees its own source's records, and no customer.
        let writer = app.partner("shop-partner", "tickets:write");
        let source = "SELECT id, customer_id FROM tickets WHERE source = 'shop'";
        let backend = app.state.db.get_database_backend();
        let own = Owned::find_by_statement(Statement::from_string(backend, source)).all(&app.state.db).await.unwrap();
        let own: HashSet<String> = own.iter().map(|row| id::encode(Kind::Ticket, row.id)).collect();
        let tickets: Vec<String> = all.iter().filter(|id| id.starts_with("ticket_")).cloned().collect();
        assert_eq!(seen(&writer, &tickets).await, own);
    }
}

on_both! {
    async fn a_cursor_of_somebody_else_shows_nothing_of_them(app: App::demo) {
        let own = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let customer = app.customer(own);
        let mine: HashSet<String> = ids(&app, "orders", "customer_id").await.iter()
            .filter(|row| row.customer_id == Some(own)).map(|row| id::encode(Kind::Order, row.id)).collect();
        let document = "query($by: CustomerIdentifier!) { customer360(by: $by) { orders(first: 3) { edges { cursor } } } }";
        let mut tried = 0;
        for row in ids(&app, "customers", "id").await.into_iter().take(40) {
            let by = json!({ "by": { "id": id::encode(Kind::Customer, row.id) } });
            let answer = app.agent().ask_with(document, by).await;
            let edges = answer.at("/customer360/orders/edges").as_array().unwrap().clone();
            for edge in edges {
                let variables = json!({ "after": edge["cursor"] });
                let answer = customer.ask_with("query($after: String) { me { orders(first: 100, after: $after) { nodes { id } } } }", variables).await;
                let nodes = answer.at("/me/orders/nodes").as_array().unwrap();
                assert!(nodes.iter().all(|node| mine.contains(node["id"].as_str().unwrap())), "{answer:?}");
                tried += 1;
            }
        }
        assert!(tried > 50, "only {tried}");
    }
}

on_both! {
    async fn whatever_identifier_a_customer_tries_it_finds_nobody(app: App::demo) {
        let customer = app.customer(app.id_of(demo::DEMO_CUSTOMER.number).await);
        for by in [json!({ "customerNumber": "C-000002" }), json!({ "email": "nobody@example.com" })] {
            let found = customer.ask_with("query($by: CustomerIdentifier!) { customer360(by: $by) { id } }", json!({ "by": by })).await;
            assert_eq!((found.code(), found.body["data"]["customer360"].clone()), ("FORBIDDEN", Value::Null));
        }
        let searched = customer.ask("{ customers(query: \"a\") { nodes { id } } }").await;
        assert_eq!((searched.code(), searched.body["data"]["customers"].clone()), ("FORBIDDEN", Value::Null));
    }
}
