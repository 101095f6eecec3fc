//! Messages that partners deliver.

use serde_json::{Value, json};

use super::{PLAIN, act, denied, make, number, opened, order_of, refused, seen};
use crate::harness::on_both;
use crate::writing::holds;

const VIEW: &str = "ticket { id status source subject channel } message { id body authorKind channel }";

fn message(external_id: &str, body: &str) -> Value {
    json!({ "customer": { "customerNumber": PLAIN }, "externalId": external_id, "channel": "SOCIAL", "body": body })
}

fn with(mut input: Value, field: &str, value: impl Into<Value>) -> Value {
    input[field] = value.into();
    input
}

on_both! {
    async fn a_message_comes_in_once_and_opens_a_ticket(app: App::demo) {
        let partner = app.partner("shop-partner", "tickets:write");
        let made = make(&partner, "ticketMessageReceive", message("m-1", "My lamp is broken\nand I am sad"), VIEW).await;
        assert_eq!(made["ticket"]["status"], "NEW");
        assert_eq!((&made["ticket"]["source"], &made["ticket"]["subject"]), (&json!("shop"), &json!("My lamp is broken")));
        assert_eq!((&made["message"]["authorKind"], &made["message"]["channel"]), (&json!("CUSTOMER"), &json!("SOCIAL")));
        let before = number(&app, "SELECT COUNT(*) FROM events").await;
        let again = make(&partner, "ticketMessageReceive", message("m-1", "My lamp is broken\nand I am sad"), VIEW).await;
        assert_eq!(again, made);
        assert_eq!(number(&app, "SELECT COUNT(*) FROM events").await, before);
        assert_eq!(denied(&partner, "ticketMessageReceive", message("m-1", "Something else")).await, "EXTERNAL_ID_REUSED");
        // The same id at another source is another message.
        let other = app.partner("pos-partner", "tickets:write");
        let answer = act(&other, "ticketMessageReceive", message("m-1", "Something else"), "__typename").await;
        assert_eq!(answer.code(), "FORBIDDEN", "the till is registered without tickets");
        holds(&app).await;
    }
}

on_both! {
    async fn an_answer_goes_to_its_ticket_and_opens_it_again(app: App::demo) {
        let partner = app.partner("shop-partner", "tickets:write");
        let made = make(&partner, "ticketMessageReceive", message("m-1", "My lamp is broken"), VIEW).await;
        let id = made["ticket"]["id"].as_str().unwrap();
        make(&app.agent(), "ticketSolve", json!({ "ticketId": id }), "ticket { id }").await;
        let answer = with(message("m-2", "Still broken"), "inReplyTo", "m-1");
        let made = make(&partner, "ticketMessageReceive", answer, VIEW).await;
        assert_eq!((&made["ticket"]["id"], &made["ticket"]["status"]), (&json!(id), &json!("OPEN")));
        let named = with(message("m-3", "Hello?"), "ticketId", id);
        assert_eq!(make(&partner, "ticketMessageReceive", named, VIEW).await["ticket"]["id"], json!(id));
        // A closed ticket takes nothing: the customer gets another one. One that was merged goes on elsewhere.
        let (target, _) = opened(&app).await;
        make(&app.agent(), "ticketMerge", json!({ "ticketId": id, "intoId": target }), "ticket { id }").await;
        let made = make(&partner, "ticketMessageReceive", with(message("m-4", "And now?"), "inReplyTo", "m-3"), "message { body }").await;
        assert_eq!(made["message"]["body"], "And now?");
        assert_eq!(seen(&app, &target).await["version"], 3);
        use sea_orm::ConnectionTrait as _;
        app.state.db.execute_unprepared("UPDATE tickets SET status = 'CLOSED', merged_into_id = NULL, solved_at = created_at WHERE source = 'shop'").await.unwrap();
        let made = make(&partner, "ticketMessageReceive", with(message("m-5", "Anybody?"), "inReplyTo", "m-3"), VIEW).await;
        assert_ne!(made["ticket"]["id"], json!(id));
        assert_eq!(made["ticket"]["status"], "NEW");
        // Of a message that never came in, nothing is known.
        let made = make(&partner, "ticketMessageReceive", with(message("m-6", "Hm"), "inReplyTo", "m-0"), VIEW).await;
        assert_eq!(made["ticket"]["status"], "NEW");
        holds(&app).await;
    }
}

on_both! {
    async fn a_partner_writes_on_tickets_of_its_own_source_and_no_others(app: App::demo) {
        let (id, _) = opened(&app).await;
        let writer = app.partner("shop-partner", "tickets:write");
        let foreign = with(message("m-1", "Hello"), "ticketId", id.clone());
        let answer = act(&writer, "ticketMessageReceive", foreign.clone(), "__typename").await;
        let unknown = with(message("m-1", "Hello"), "ticketId", c360_rules::id::encode(c360_rules::id::Kind::Ticket, uuid::Uuid::nil()));
        let nothing = act(&writer, "ticketMessageReceive", unknown, "__typename").await;
        assert_eq!(answer.data(), nothing.data(), "what may not be seen answers as what does not exist");
        assert_eq!(refused(&answer, "ticketMessageReceive"), "NOT_FOUND");
        // With the scope to read, it knows of the ticket and may write on it.
        let reader = app.partner("shop-partner", "tickets:read tickets:write");
        assert_eq!(make(&reader, "ticketMessageReceive", foreign, VIEW).await["ticket"]["id"], json!(id));
        // And the customer must be the ticket's.
        let stranger = json!({ "customer": { "customerNumber": c360::retailer::demo::STRANGER.number }, "externalId": "m-9",
            "channel": "SOCIAL", "body": "Hello", "ticketId": id });
        assert_eq!(denied(&reader, "ticketMessageReceive", stranger).await, "NOT_FOUND");
    }
}

on_both! {
    async fn a_partner_opens_tickets_on_its_channel(app: App::demo) {
        let partner = app.partner("shop-partner", "tickets:write");
        let order = order_of(&app, PLAIN).await;
        let input = json!({ "customer": { "customerNumber": PLAIN }, "subject": "Contact form", "message": "Please call", "channel": "WEB" });
        let made = make(&partner, "ticketCreate", input.clone(), "ticket { source status } message { authorKind }").await;
        assert_eq!(made, json!({ "ticket": { "source": "shop", "status": "NEW" }, "message": { "authorKind": "PARTNER" }, "userErrors": [] }));
        // Without a scope for orders it knows of none.
        assert_eq!(denied(&partner, "ticketCreate", with(input.clone(), "orderIds", json!([order]))).await, "NOT_FOUND");
        for (field, value) in [("priority", json!("URGENT")), ("tags", json!(["x"]))] {
            let answer = act(&partner, "ticketCreate", with(input.clone(), field, value), "__typename").await;
            assert_eq!((answer.code(), answer.extension("argument")), ("FORBIDDEN", &*format!("input.{field}")));
        }
        assert_eq!(number(&app, "SELECT COUNT(*) FROM tickets WHERE source = 'shop'").await, 1);
    }
}
