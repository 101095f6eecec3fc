//! Many at once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{PLAIN, STAFF_VIEW, act, denied, done, make, number, opened, seen};
use crate::harness::{now, on_both};
use crate::writing::holds;

const BREACHED: &str = "SELECT COUNT(*) FROM sla_clocks WHERE status = 'BREACHED'";

on_both! {
    async fn of_two_agents_who_solve_at_once_one_does(app: App::demo) {
        let (id, _) = opened(&app).await;
        let agent = app.agent();
        let answers = join_all((0..8).map(|_| act(&agent, "ticketSolve", json!({ "ticketId": id }), "ticket { version }"))).await;
        let solved = answers.iter().filter(|answer| answer.data()["ticketSolve"]["userErrors"] == json!([])).count();
        assert_eq!(solved, 1);
        for answer in &answers {
            let codes = &answer.data()["ticketSolve"]["userErrors"];
            assert!(*codes == json!([]) || codes[0]["code"] == "TICKET_SOLVED", "{codes}");
        }
        assert_eq!(seen(&app, &id).await["version"], 2);
        assert_eq!(number(&app, "SELECT COUNT(*) FROM events WHERE kind = 'TICKET_SOLVED' AND source = 'c360' AND request_id IS NOT NULL").await, 1);
        holds(&app).await;
    }
}

on_both! {
    async fn of_two_changes_of_one_version_one_is_made(app: App::demo) {
        let (id, _) = opened(&app).await;
        let agent = app.agent();
        let change = |priority: &str| json!({ "ticketId": id, "priority": priority, "expectedVersion": 1 });
        let (high, low) = (act(&agent, "ticketUpdate", change("HIGH"), STAFF_VIEW), act(&agent, "ticketUpdate", change("LOW"), STAFF_VIEW));
        let (high, low) = tokio::join!(high, low);
        let errors = |answer: &crate::harness::Answer| answer.data()["ticketUpdate"]["userErrors"].clone();
        let (won, lost) = if errors(&high) == json!([]) { (high, low) } else { (low, high) };
        assert_eq!(errors(&lost)[0]["code"], "CONFLICT");
        assert_eq!(errors(&lost)[0]["currentVersion"], 2);
        assert_eq!(won.at("/ticketUpdate/ticket/priority"), &seen(&app, &id).await["priority"]);
        assert_eq!(denied(&agent, "ticketSolve", json!({ "ticketId": id, "expectedVersion": 1 })).await, "CONFLICT");
    }
}

on_both! {
    async fn thirty_two_replies_of_a_customer_are_thirty_two_messages(app: App::demo) {
        let (id, _) = opened(&app).await;
        make(&app.agent(), "ticketReply", json!({ "ticketId": id, "body": "Yes?" }), "ticket { id }").await;
        let customer = app.customer(app.id_of(PLAIN).await);
        let reply = |at: usize| json!({ "ticketId": id, "body": format!("Message {at}"), "idempotencyKey": format!("k{at}") });
        // Each is sent twice, as phones do.
        let answers = join_all((0..64).map(|at| act(&customer, "ticketReply", reply(at / 2), "message { id }"))).await;
        let mut ids: Vec<&Value> = answers.iter().map(|answer| &done(answer, "ticketReply")["message"]["id"]).collect();
        ids.sort_by_key(|id| id.to_string());
        ids.dedup();
        assert_eq!(ids.len(), 32);
        assert_eq!(seen(&app, &id).await["version"], 34);
        let clocks = seen(&app, &id).await["slaClocks"].as_array().unwrap().iter().filter(|clock| clock["metric"] == "NEXT_REPLY").count();
        assert_eq!(clocks, 1, "one reply is owed for all of them");
        holds(&app).await;
    }
}

on_both! {
    async fn a_message_that_is_delivered_often_at_once_is_one(app: App::demo) {
        let partner = app.partner("shop-partner", "tickets:write");
        let message = json!({ "customer": { "customerNumber": PLAIN }, "externalId": "m-1", "channel": "CHAT", "body": "Hello" });
        let answers = join_all((0..24).map(|_| act(&partner, "ticketMessageReceive", message.clone(), "ticket { id } message { id }"))).await;
        let first = done(&answers[0], "ticketMessageReceive");
        assert!(answers.iter().all(|answer| done(answer, "ticketMessageReceive") == first));
        assert_eq!(number(&app, "SELECT COUNT(*) FROM tickets WHERE source = 'shop'").await, 1);
        assert_eq!(number(&app, "SELECT COUNT(*) FROM events WHERE kind = 'TICKET_CREATED' AND source = 'shop'").await, 1);
    }
}

on_both! {
    async fn the_job_and_those_who_work_do_not_get_in_each_others_way(app: App::demo) {
        let before = number(&app, BREACHED).await;
        let mut ids = Vec::new();
        for _ in 0..6 {
            ids.push(opened(&app).await.0);
        }
        app.state.clock.set(now() + chrono::TimeDelta::minutes(50));
        use sea_orm::ConnectionTrait as _;
        app.state.db.execute_unprepared("UPDATE sla_clocks SET due_at = '2026-11-01 12:30:00+00:00' WHERE status = 'RUNNING'").await.unwrap();
        let agent = app.agent();
        let work = join_all(ids.iter().map(|id| act(&agent, "ticketReply", json!({ "ticketId": id, "body": "Late" }), "ticket { id }")));
        let job = async {
            let mut rounds = 0;
            while c360::domains::tickets::sla(&app.state, 2).await.unwrap() > 0 {
                rounds += 1;
            }
            rounds
        };
        let (answers, _) = tokio::join!(work, job);
        for answer in &answers {
            done(answer, "ticketReply");
        }
        while c360::domains::tickets::sla(&app.state, 100).await.unwrap() > 0 {}
        // Each clock's breach was told once.
        let twice = "SELECT COUNT(*) FROM (SELECT e.subject_id, v.after_value FROM events e JOIN event_values v ON v.event_id = e.id AND v.field = 'metric' \
                     WHERE e.kind = 'SLA_BREACHED' GROUP BY e.subject_id, v.after_value HAVING COUNT(*) > 1) x";
        assert_eq!(number(&app, twice).await, 0);
        let told = "SELECT COUNT(*) FROM event_values v JOIN events e ON e.id = v.event_id WHERE e.kind = 'SLA_BREACHED' AND v.field = 'metric'";
        assert_eq!(number(&app, told).await, number(&app, BREACHED).await - before);
        holds(&app).await;
    }
}
