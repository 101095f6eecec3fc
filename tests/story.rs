//! A late parcel, from the phone to the audit.

use c360::retailer::demo;
use c360_rules::access::Role;
use serde_json::{Value, json};

use crate::customers::{act, make, number, with};
use crate::harness::{actor::customer_gid, on_both};
use crate::writing::{holds, refused};

const FIRST_SCREEN: &str = include_str!("../examples/agent-first-screen.graphql");
const BALANCE: &str = include_str!("../examples/phone-balance.graphql");
const AUDIT: &str = "query($of: ID!) { auditLog(first: 20, filter: { customerId: $of }) { nodes { \
    kind actorKind actorId points reason requestId changes { field before after } } } }";

on_both! {
    async fn a_parcel_is_late(app: App::demo) {
        let marcus = app.id_of(demo::LATE_PARCEL.number).await;
        let (phone, agent, supervisor) = (app.customer(marcus), app.agent(), app.staff(Role::Supervisor));
        let told = number(&app, "SELECT COUNT(*) FROM events").await;
        let had = phone.ask(BALANCE).await.at("/me/loyalty/balance/active").as_i64().unwrap();

        // Marcus looks for his parcel on the phone: it is late. He opens a ticket about that order.
        let orders = phone.ask("{ me { orders(first: 10) { nodes { id fulfillments { isLate } } } } }").await;
        let is_late = |order: &&Value| order["fulfillments"].as_array().unwrap().iter().any(|parcel| parcel["isLate"] == true);
        let order = orders.at("/me/orders/nodes").as_array().unwrap().iter().find(is_late).unwrap().clone();
        let plea = json!({
            "subject": "Where is my parcel?", "message": "It was promised for Friday.", "channel": "MOBILE_APP",
            "orderIds": [order["id"]], "idempotencyKey": "from-the-phone",
        });
        let ticket = make(&phone, "ticketCreate", plea.clone(), "ticket { id number status }").await["ticket"].clone();
        // The train went into a tunnel, and the phone sent it again: it is the same ticket.
        assert_eq!(make(&phone, "ticketCreate", plea, "ticket { id }").await["ticket"]["id"], ticket["id"]);

        // Ana sees it on her first screen, with the time by which she has promised to reply.
        let screen = agent.ask_with(FIRST_SCREEN, json!({ "by": { "email": demo::LATE_PARCEL.email } })).await;
        let open = screen.at("/customer360/tickets/nodes").as_array().unwrap();
        let shown = open.iter().find(|open| open["number"] == ticket["number"]).unwrap();
        assert_eq!(shown["messages"]["nodes"][0]["body"], "It was promised for Friday.");
        assert!(shown["slaDueAt"].is_string() && shown["slaBreached"] == false, "{shown}");

        // She gives points for his trouble, as far as she may. More is for a supervisor to give.
        let gesture = |points: i64, key: &str| json!({
            "customer": { "id": customer_gid(marcus) }, "points": points, "reason": "Late parcel", "idempotencyKey": key,
        });
        make(&agent, "loyaltyPointsCredit", gesture(400, "for-the-trouble"), "account { id }").await;
        let more = act(&agent, "loyaltyPointsCredit", gesture(200, "and-some-more"), "account { id }").await;
        assert_eq!(refused(&more, "loyaltyPointsCredit"), "CEILING_EXCEEDED");

        // She replies, and solves the ticket.
        let of_ticket = json!({ "ticketId": ticket["id"] });
        let reply = with(of_ticket.clone(), json!({ "body": "It arrives tomorrow. Please take 400 points with our apologies." }));
        make(&agent, "ticketReply", reply, "ticket { status }").await;
        let solved = make(&agent, "ticketSolve", of_ticket, "ticket { status }").await;
        assert_eq!(solved["ticket"]["status"], "SOLVED");

        // His phone shows the points and what she wrote, and not who she is.
        assert_eq!(*phone.ask(BALANCE).await.at("/me/loyalty/balance/active"), had + 400);
        let look = "query($id: ID!) { ticket(by: { id: $id }) { status messages(first: 1) { nodes { authorKind body author { displayName } } } } }";
        let seen = phone.ask_with(look, json!({ "id": ticket["id"] })).await;
        assert_eq!(seen.at("/ticket/status"), "SOLVED");
        let words = seen.at("/ticket/messages/nodes/0");
        assert!(words["body"].as_str().unwrap().starts_with("It arrives tomorrow."), "{words}");
        assert_eq!((&words["authorKind"], &words["author"]), (&json!("STAFF"), &Value::Null));

        // The supervisor reads all of it, newest first: who, what and why. What was refused has not happened.
        let audit = supervisor.ask_with(AUDIT, json!({ "of": customer_gid(marcus) })).await;
        let new = usize::try_from(number(&app, "SELECT COUNT(*) FROM events").await - told).unwrap();
        let entries = &audit.at("/auditLog/nodes").as_array().unwrap()[..new];
        let told: Vec<_> = entries.iter().map(|entry| (entry["kind"].as_str().unwrap(), entry["actorKind"].as_str().unwrap())).collect();
        let expected = [
            ("TICKET_SOLVED", "STAFF"), ("TICKET_REPLIED", "STAFF"), ("POINTS_ADJUSTED", "STAFF"), ("TICKET_CREATED", "CUSTOMER"),
        ];
        assert_eq!(told, expected);
        let gift = &entries[2];
        assert_eq!((&gift["points"], &gift["reason"], &gift["actorId"]), (&json!(400), &json!("Late parcel"), &json!("agent-1")));
        assert!(entries.iter().all(|entry| entry["requestId"].is_string()));
        assert_eq!(agent.ask_with(AUDIT, json!({ "of": customer_gid(marcus) })).await.code(), "FORBIDDEN");
        holds(&app).await;
    }
}
