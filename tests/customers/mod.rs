//! Customers: made and changed, recognised and reached; what they agree to; what staff note and check.

mod addresses;
mod consents;
mod creating;
mod identities;
mod notes;
mod profiles;

use c360_rules::id::{Kind, encode};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, App};
pub(crate) use crate::writing::{done, holds, refused};

/// Asks for one mutation.
pub(crate) async fn act(actor: &Actor<'_>, mutation: &str, input: Value, select: &str) -> Answer {
    let upper = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!(
        "mutation($input: {upper}Input!) {{ {mutation}(input: $input) {{ {select} \
         userErrors {{ field message code currentVersion }} }} }}"
    );
    actor.ask_with(&document, json!({ "input": input })).await
}

/// What a mutation made.
pub(crate) async fn make(actor: &Actor<'_>, mutation: &str, input: Value, select: &str) -> Value {
    let answer = act(actor, mutation, input, select).await;
    done(&answer, mutation).clone()
}

/// Why a mutation is refused.
pub(crate) async fn denied(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    let answer = act(actor, mutation, input, "__typename").await;
    refused(&answer, mutation).to_owned()
}

/// The input with these fields in the place of its own.
pub(crate) fn with(mut input: Value, changes: Value) -> Value {
    for (field, value) in changes.as_object().unwrap() {
        input[field] = value.clone();
    }
    input
}

pub(crate) fn by(number: &str) -> Value {
    json!({ "customerNumber": number })
}

/// An agent has checked that the caller is the customer.
pub(crate) async fn check(app: &App, number: &str) {
    let input = json!({ "customer": by(number), "method": "KNOWLEDGE", "outcome": "PASSED" });
    make(&app.agent(), "customerVerificationRecord", input, "verification { id }").await;
}

/// A customer as an agent sees it.
pub(crate) async fn seen(app: &App, number: &str, select: &str) -> Value {
    let query = format!("query($by: CustomerIdentifier!) {{ customer360(by: $by) {{ {select} }} }}");
    let answer = app.agent().ask_with(&query, json!({ "by": by(number) })).await;
    answer.data()["customer360"].clone()
}

pub(crate) async fn number(app: &App, sql: &str) -> i64 {
    let db = &app.state.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// How many rows there are that a change of customers may make.
pub(crate) async fn rows(app: &App) -> i64 {
    let tables = [
        "customers",
        "customer_identities",
        "addresses",
        "consents",
        "customer_tags",
        "customer_notes",
        "customer_verifications",
        "customer_search_entries",
        "events",
        "event_values",
        "idempotency_records",
    ];
    let sums: Vec<_> = tables.iter().map(|table| format!("(SELECT COUNT(*) FROM {table})")).collect();
    number(app, &format!("SELECT CAST({} + (SELECT SUM(version) FROM customers) AS bigint)", sums.join(" + "))).await
}

/// The numbers of those whom an agent finds.
pub(crate) async fn found(app: &App, query: &str) -> Vec<String> {
    let document = "query($query: String) { customers(query: $query, first: 100) { nodes { number } } }";
    let answer = app.agent().ask_with(document, json!({ "query": query })).await;
    let nodes = answer.at("/customers/nodes").as_array().unwrap();
    nodes.iter().map(|node| node["number"].as_str().unwrap().to_owned()).collect()
}

/// The id of nothing that there is.
pub(crate) fn nothing(kind: Kind) -> String {
    encode(kind, uuid::Uuid::from_u128(7))
}
