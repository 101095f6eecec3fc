//! Tickets: opened, answered, handed on, solved and merged; their clocks; who may do what.

mod clocks;
mod races;
mod receiving;
mod refusals;
mod working;

use c360::retailer::demo;
use c360_rules::id::{Kind, encode};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};

use crate::harness::{Actor, Answer, App};
pub(crate) use crate::writing::{done, refused};

/// A customer without anything special: no tier, no segment, no ticket.
pub(crate) const PLAIN: &str = demo::HOUSEHOLD_THIRD.number;

/// What staff look at.
pub(crate) const STAFF_VIEW: &str = "ticket { id number status priority version slaDueAt slaBreached tags assignee { id } \
    team { name servesVip } slaClocks { metric status dueAt stoppedAt breachedAt } escalatedAt solvedAt firstRepliedAt }";

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

/// Why a mutation of staff is refused.
pub(crate) async fn denied(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    let answer = act(actor, mutation, input, "__typename").await;
    refused(&answer, mutation).to_owned()
}

/// A ticket that the plain customer has just opened from the phone, as its id and number.
pub(crate) async fn opened(app: &App) -> (String, String) {
    opened_by(app, PLAIN).await
}

pub(crate) async fn opened_by(app: &App, customer: &str) -> (String, String) {
    let customer = app.customer(app.id_of(customer).await);
    let input = json!({ "subject": "Where is my parcel?", "message": "It should have been here on Friday.", "channel": "MOBILE_APP" });
    let made = make(&customer, "ticketCreate", input, "ticket { id number }").await;
    let text = |name: &str| made["ticket"][name].as_str().unwrap().to_owned();
    (text("id"), text("number"))
}

/// A ticket as staff see it.
pub(crate) async fn seen(app: &App, id: &str) -> Value {
    let query = format!(
        "{{ ticket(by: {{ id: {id:?} }}) {{ {} }} }}",
        STAFF_VIEW.trim_start_matches("ticket { ").trim_end_matches(" }")
    );
    app.agent().ask(&query).await.at("/ticket").clone()
}

/// One clock of a ticket, the newest of its metric.
pub(crate) fn clock<'v>(ticket: &'v Value, metric: &str) -> &'v Value {
    let clocks = ticket["slaClocks"].as_array().unwrap();
    clocks.iter().find(|clock| clock["metric"] == metric).unwrap_or(&Value::Null)
}

/// A time to the second: changes of one customer are some microseconds apart, although the clock stands still.
pub(crate) fn second(time: &Value) -> &str {
    &time.as_str().unwrap_or_else(|| panic!("no time: {time}"))[..19]
}

/// The id of a row as clients see it.
pub(crate) async fn id_where(app: &App, kind: Kind, sql: &str) -> String {
    let db = &app.state.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    encode(kind, row.try_get_by_index(0).unwrap())
}

pub(crate) async fn number(app: &App, sql: &str) -> i64 {
    let db = &app.state.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// An order of a customer.
pub(crate) async fn order_of(app: &App, customer: &str) -> String {
    let sql = format!(
        "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.number = '{customer}' ORDER BY o.id LIMIT 1"
    );
    id_where(app, Kind::Order, &sql).await
}
