//! Points, rewards, coupons and cards: what can be done with them, by whom, and what cannot.

mod books;
mod cards;
mod coupons;
mod rewards;
mod sequences;
mod till;
mod time;

use c360::retailer::demo;
use c360_rules::access::Role;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, App};
pub(crate) use crate::writing::{done, holds, refused};

/// The customer of most of these tests.
pub(crate) const NUMBER: &str = demo::DEMO_CUSTOMER.number;

/// Sends a mutation with what it shows of its payload.
pub(crate) async fn act(actor: &Actor<'_>, mutation: &str, shown: &str, input: Value) -> Answer {
    let (first, rest) = mutation.split_at(1);
    let query = format!(
        "mutation($input: {}{rest}Input!) {{ {mutation}(input: $input) {{ {shown} userErrors {{ field message code \
         currentVersion }} }} }}",
        first.to_uppercase()
    );
    actor.ask_with(&query, json!({ "input": input })).await
}

/// Sends a mutation that goes well; what it made.
pub(crate) async fn make(actor: &Actor<'_>, mutation: &str, shown: &str, input: Value) -> Value {
    done(&act(actor, mutation, shown, input).await, mutation).clone()
}

/// Sends a mutation that is refused; the code.
pub(crate) async fn refusal(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    refused(&act(actor, mutation, "", input).await, mutation).to_owned()
}

/// An agent has checked that the caller is the customer.
pub(crate) async fn check(app: &App) {
    let input = json!({ "customer": customer(), "method": "KNOWLEDGE", "outcome": "PASSED" });
    make(&app.agent(), "customerVerificationRecord", "", input).await;
}

/// The customer, as inputs name them.
pub(crate) fn customer() -> Value {
    json!({ "customerNumber": NUMBER })
}

pub(crate) async fn execute(app: &App, sql: &str) {
    app.state.db.execute_unprepared(sql).await.unwrap();
}

pub(crate) async fn number(app: &App, sql: &str) -> i64 {
    let db = &app.state.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Gives the customer so many points that can be spent, and none else.
pub(crate) async fn only(app: &App, points: i64) {
    let admin = app.staff(Role::Admin);
    // What the demo holds at tills lapses, and what is pending stays out of reach.
    let active = balance(app).await["active"].as_i64().unwrap();
    let (mutation, missing) = if points > active {
        ("loyaltyPointsCredit", points - active)
    } else {
        ("loyaltyPointsDebit", active - points)
    };
    if missing > 0 {
        let input = json!({ "customer": customer(), "points": missing, "reason": "Test", "idempotencyKey": format!("only-{points}") });
        make(&admin, mutation, "", input).await;
    }
}

/// Where the customer's points stand.
pub(crate) async fn balance(app: &App) -> Value {
    let query = format!(
        "{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ loyalty {{ balance {{ active pending held owed spent expired }} }} }} }}"
    );
    app.agent().ask(&query).await.at("/customer360/loyalty/balance").clone()
}

/// A reward that nobody else buys; its id.
pub(crate) async fn reward(app: &App, kind: &str, cost: i64, stock: Option<i64>, rest: &str) -> String {
    let (value, currency) = if matches!(kind, "DISCOUNT" | "GIFT_CARD") { ("500", "'EUR'") } else { ("NULL", "NULL") };
    let stock = stock.map_or("NULL".to_owned(), |stock| stock.to_string());
    let id = uuid::Uuid::new_v4();
    let literal = match app.state.db.get_database_backend() {
        sea_orm::DbBackend::Sqlite => format!("X'{}'", id.simple()),
        _ => format!("'{id}'"),
    };
    execute(
        app,
        &format!(
            "INSERT INTO rewards (id, programme_id, code, name, kind, cost_points, min_tier_rank, stock, value_minor, currency, active) \
             SELECT {literal}, id, 'TEST-{id}', 'Test', '{kind}', {cost}, 1, {stock}, {value}, {currency}, true FROM loyalty_programmes WHERE active"
        ),
    )
    .await;
    if !rest.is_empty() {
        execute(app, &format!("UPDATE rewards SET {rest} WHERE id = {literal}")).await;
    }
    c360_rules::id::encode(c360_rules::id::Kind::Reward, id)
}
