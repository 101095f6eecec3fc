//! What is refused, and leaves nothing behind.

use c360::retailer::demo;
use c360_rules::id::{Kind, encode};
use serde_json::{Value, json};

use super::{PLAIN, act, denied, id_where, make, number, opened, opened_by, order_of, refused, seen};
use crate::harness::{App, on_both};

/// Every change of a ticket by staff, with an input that is fine but for the ticket.
fn changes(ticket: &str, other: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("ticketReply", json!({ "ticketId": ticket, "body": "x" })),
        ("ticketNoteAdd", json!({ "ticketId": ticket, "body": "x" })),
        ("ticketUpdate", json!({ "ticketId": ticket, "priority": "LOW" })),
        ("ticketAssign", json!({ "ticketId": ticket, "assigneeId": null })),
        ("ticketEscalate", json!({ "ticketId": ticket, "reason": "x" })),
        ("ticketSolve", json!({ "ticketId": ticket })),
        ("ticketReopen", json!({ "ticketId": ticket })),
        ("ticketMerge", json!({ "ticketId": ticket, "intoId": other })),
    ]
}

async fn everything(app: &App) -> [i64; 5] {
    [
        number(app, "SELECT COUNT(*) FROM events").await,
        number(app, "SELECT COUNT(*) FROM ticket_messages").await,
        number(app, "SELECT COUNT(*) FROM tickets").await,
        number(app, "SELECT CAST(SUM(version) AS bigint) FROM tickets").await,
        number(app, "SELECT COUNT(*) FROM sla_clocks").await,
    ]
}

on_both! {
    async fn nothing_can_be_done_to_a_ticket_that_does_not_exist_or_is_closed_or_has_changed(app: App::demo) {
        let ((id, _), (other, _), (closed, _)) = (opened(&app).await, opened(&app).await, opened(&app).await);
        let agent = app.agent();
        make(&agent, "ticketMerge", json!({ "ticketId": closed, "intoId": other }), "ticket { id }").await;
        let before = everything(&app).await;
        let nil = encode(Kind::Ticket, uuid::Uuid::nil());
        let macro_id = id_where(&app, Kind::Macro, "SELECT id FROM macros WHERE name = 'Ask for a photo'").await;
        let order = order_of(&app, PLAIN).await;
        let all = |ticket: &str| {
            let mut all = changes(ticket, &other);
            all.push(("ticketMacroApply", json!({ "ticketId": ticket, "macroId": macro_id })));
            all.push(("ticketLink", json!({ "ticketId": ticket, "about": { "orderId": order } })));
            all
        };
        for (mutation, input) in all(&nil) {
            assert_eq!(denied(&agent, mutation, input).await, "NOT_FOUND", "{mutation}");
        }
        for (mutation, input) in all(&closed) {
            assert_eq!(denied(&agent, mutation, input).await, "TICKET_CLOSED", "{mutation}");
        }
        for (mutation, mut input) in all(&id) {
            input["expectedVersion"] = json!(7);
            let answer = act(&agent, mutation, input, "__typename").await;
            assert_eq!(refused(&answer, mutation), "CONFLICT", "{mutation}");
            assert_eq!(answer.at(&format!("/{mutation}/userErrors/0/currentVersion")), 1);
            assert_eq!(answer.at(&format!("/{mutation}/userErrors/0/field")), &json!(["input", "expectedVersion"]));
        }
        let wrong_kind = changes(&order, &other);
        for (mutation, input) in wrong_kind {
            assert_eq!(act(&agent, mutation, input, "__typename").await.code(), "BAD_USER_INPUT", "{mutation}");
        }
        assert_eq!(everything(&app).await, before);
    }
}

on_both! {
    async fn what_makes_no_sense_has_its_code(app: App::demo) {
        let ((id, _), (solved, _)) = (opened(&app).await, opened(&app).await);
        let (foreign, _) = opened_by(&app, demo::STRANGER.number).await;
        let agent = app.agent();
        make(&agent, "ticketSolve", json!({ "ticketId": solved }), "ticket { id }").await;
        let gone = id_where(&app, Kind::Staff, "SELECT id FROM staff WHERE NOT active LIMIT 1").await;
        let before = everything(&app).await;
        let foreign_order = order_of(&app, demo::DEMO_CUSTOMER.number).await;
        for (mutation, input, code) in [
            ("ticketSolve", json!({ "ticketId": solved }), "TICKET_SOLVED"),
            ("ticketEscalate", json!({ "ticketId": solved, "reason": "x" }), "TICKET_SOLVED"),
            ("ticketUpdate", json!({ "ticketId": solved, "status": "PENDING" }), "TICKET_SOLVED"),
            ("ticketReopen", json!({ "ticketId": id }), "TICKET_NOT_SOLVED"),
            ("ticketMerge", json!({ "ticketId": id, "intoId": id }), "SAME_TICKET"),
            ("ticketMerge", json!({ "ticketId": id, "intoId": foreign }), "OTHER_CUSTOMER"),
            ("ticketMerge", json!({ "ticketId": id, "intoId": encode(Kind::Ticket, uuid::Uuid::nil()) }), "NOT_FOUND"),
            ("ticketLink", json!({ "ticketId": id, "about": { "orderId": foreign_order } }), "NOT_FOUND"),
            ("ticketLink", json!({ "ticketId": id, "about": { "returnId": encode(Kind::Return, uuid::Uuid::nil()) } }), "NOT_FOUND"),
            ("ticketAssign", json!({ "ticketId": id }), "BLANK"),
            ("ticketAssign", json!({ "ticketId": id, "assigneeId": gone }), "NOT_FOUND"),
            ("ticketAssign", json!({ "ticketId": id, "teamId": encode(Kind::Team, uuid::Uuid::nil()) }), "NOT_FOUND"),
            ("ticketMacroApply", json!({ "ticketId": id, "macroId": encode(Kind::Macro, uuid::Uuid::nil()) }), "NOT_FOUND"),
            ("ticketUpdate", json!({ "ticketId": id, "addTags": (0..101).map(|n| format!("t{n}")).collect::<Vec<_>>() }), "OUT_OF_RANGE"),
            ("ticketUpdate", json!({ "ticketId": id, "addTags": ["x".repeat(51)] }), "TOO_LONG"),
            ("ticketUpdate", json!({ "ticketId": id, "addTags": [" "] }), "BLANK"),
            ("ticketUpdate", json!({ "ticketId": id, "subject": "two\nlines" }), "INVALID_TEXT"),
            ("ticketReply", json!({ "ticketId": id, "body": " \n " }), "BLANK"),
            ("ticketReply", json!({ "ticketId": id, "body": "a\u{0}b" }), "INVALID_TEXT"),
            ("ticketReply", json!({ "ticketId": id, "body": "a\u{202e}b" }), "INVALID_TEXT"),
            ("ticketReply", json!({ "ticketId": id, "body": "x".repeat(20_001) }), "TOO_LONG"),
            ("ticketReply", json!({ "ticketId": id, "body": "x", "idempotencyKey": "a b" }), "INVALID_IDEMPOTENCY_KEY"),
            ("ticketNoteAdd", json!({ "ticketId": id, "body": "" }), "BLANK"),
            ("ticketEscalate", json!({ "ticketId": id, "reason": "" }), "BLANK"),
            ("ticketReopen", json!({ "ticketId": solved, "reason": "\u{7}" }), "INVALID_TEXT"),
        ] {
            assert_eq!(denied(&agent, mutation, input.clone()).await, code, "{mutation} {input}");
        }
        for (mutation, input) in [
            ("ticketReply", json!({ "ticketId": id, "body": "x".repeat(1_000_000) })),
            ("ticketReply", json!({ "ticketId": "nonsense", "body": "x" })),
            ("ticketUpdate", json!({ "ticketId": id, "status": "CLOSED" })),
            ("ticketLink", json!({ "ticketId": id, "about": {} })),
        ] {
            let answer = act(&agent, mutation, input, "__typename").await;
            assert!(["BAD_USER_INPUT", "QUERY_TOO_COMPLEX", "GRAPHQL_VALIDATION_FAILED"].contains(&answer.code()), "{:#}", answer.body);
        }
        assert_eq!(everything(&app).await, before);
    }
}

on_both! {
    async fn a_customer_reaches_no_ticket_and_no_order_but_their_own(app: App::demo) {
        let (mine, _) = opened(&app).await;
        let (foreign, _) = opened_by(&app, demo::STRANGER.number).await;
        let customer = app.customer(app.id_of(PLAIN).await);
        let before = everything(&app).await;
        let nil = encode(Kind::Ticket, uuid::Uuid::nil());
        let reply = |ticket: &str| json!({ "ticketId": ticket, "body": "x" });
        let (theirs, none) = (act(&customer, "ticketReply", reply(&foreign), "ticket { id }").await, act(&customer, "ticketReply", reply(&nil), "ticket { id }").await);
        assert_eq!(theirs.data(), none.data());
        assert_eq!(refused(&theirs, "ticketReply"), "NOT_FOUND");
        let order = order_of(&app, demo::DEMO_CUSTOMER.number).await;
        let create = json!({ "subject": "x", "message": "y", "channel": "WEB" });
        let with = |field: &str, value: Value| {
            let mut input = create.clone();
            input[field] = value;
            input
        };
        assert_eq!(denied(&customer, "ticketCreate", with("orderIds", json!([order]))).await, "NOT_FOUND");
        assert_eq!(denied(&customer, "ticketCreate", with("customer", json!({ "customerNumber": demo::STRANGER.number }))).await, "NOT_FOUND");
        for (field, value) in [("priority", json!("LOW")), ("tags", json!([])), ("teamId", json!("x")), ("assigneeId", json!("x"))] {
            assert_eq!(act(&customer, "ticketCreate", with(field, value), "__typename").await.code(), "FORBIDDEN", "{field}");
        }
        for (mutation, input) in changes(&mine, &foreign).into_iter().skip(1) {
            let answer = act(&customer, mutation, input, "__typename").await;
            assert_eq!(answer.code(), "FORBIDDEN", "{mutation}");
        }
        assert_eq!(everything(&app).await, before);
    }
}

on_both! {
    async fn a_key_of_another_input_is_refused_and_one_that_was_refused_is_still_free(app: App::demo) {
        let (id, _) = opened(&app).await;
        let customer = app.customer(app.id_of(PLAIN).await);
        let reply = |body: &str| json!({ "ticketId": id, "body": body, "idempotencyKey": "key" });
        assert_eq!(denied(&customer, "ticketReply", reply(" ")).await, "BLANK");
        make(&customer, "ticketReply", reply("one"), "message { id }").await;
        assert_eq!(denied(&customer, "ticketReply", reply("two")).await, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
        let create = json!({ "subject": "x", "message": "y", "channel": "WEB", "idempotencyKey": "key" });
        assert_eq!(denied(&customer, "ticketCreate", create).await, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
        assert_eq!(seen(&app, &id).await["version"], 2);
    }
}
