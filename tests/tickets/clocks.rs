//! Promises: clocks that run, stand still and run out.

use c360::domains::tickets::{close, sla};
use c360::jobs::{Ran, by_hand, lag, named};
use c360::retailer::demo;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::{PLAIN, STAFF_VIEW, act, clock, make, number, opened, opened_by, refused, second, seen};
use crate::harness::{App, now, on_both};
use crate::writing::holds;

/// Has a job do all that is due; how many things that were.
async fn catch_up(app: &App, job: &str) -> usize {
    match by_hand(&app.state, named(job).unwrap()).await.unwrap() {
        Ran::Done(done) => done,
        Ran::Led(other) => panic!("{other:?} leads"),
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

on_both! {
    async fn clocks_stand_still_while_the_customer_is_waited_for(app: App::demo) {
        let (id, _) = opened(&app).await;
        let me = app.id_of(PLAIN).await;
        // Monday, 10:00 in Berlin: two of the eight hours are over.
        app.state.clock.set(at("2026-11-02T09:00:00Z"));
        let made = make(&app.agent(), "ticketUpdate", json!({ "ticketId": id, "status": "PENDING" }), STAFF_VIEW).await;
        assert_eq!((&clock(&made["ticket"], "FIRST_REPLY")["status"], &made["ticket"]["slaDueAt"]), (&json!("PAUSED"), &Value::Null));
        // On Tuesday at noon the customer answers: six hours are left, and eight of the working day.
        app.state.clock.set(at("2026-11-03T11:00:00Z"));
        make(&app.customer(me), "ticketReply", json!({ "ticketId": id, "body": "Well?" }), "ticket { id }").await;
        let ticket = seen(&app, &id).await;
        assert_eq!(clock(&ticket, "FIRST_REPLY")["dueAt"], "2026-11-03T17:00:00Z");
        assert_eq!(clock(&ticket, "NEXT_REPLY"), &Value::Null, "the first reply is still owed");
        // Replied in time; the next message starts another clock.
        app.state.clock.set(at("2026-11-03T16:59:00Z"));
        let made = make(&app.agent(), "ticketReply", json!({ "ticketId": id, "body": "Tomorrow." }), STAFF_VIEW).await;
        assert_eq!(clock(&made["ticket"], "FIRST_REPLY")["status"], "MET");
        make(&app.customer(me), "ticketReply", json!({ "ticketId": id, "body": "Thanks, and when?" }), "ticket { id }").await;
        let ticket = seen(&app, &id).await;
        // 18:00 in Berlin: two hours are left today, six tomorrow from 8:00 on.
        assert_eq!(second(&clock(&ticket, "NEXT_REPLY")["dueAt"]), "2026-11-04T12:59:00");
        let seconds = number(&app, "SELECT CAST(elapsed_seconds AS bigint) FROM sla_clocks WHERE metric = 'FIRST_REPLY' AND status = 'MET' AND started_at = (SELECT MAX(started_at) FROM sla_clocks WHERE metric = 'FIRST_REPLY')").await;
        assert_eq!(seconds, (2 * 60 + 5 * 60 + 59) * 60);
    }
}

on_both! {
    async fn another_priority_promises_something_else_and_what_has_passed_counts(app: App::demo) {
        let (id, _) = opened(&app).await;
        app.state.clock.set(at("2026-11-02T07:30:00Z"));
        let agent = app.agent();
        let made = make(&agent, "ticketUpdate", json!({ "ticketId": id, "priority": "URGENT" }), STAFF_VIEW).await;
        // An hour is promised, and half of it is over.
        assert_eq!(clock(&made["ticket"], "FIRST_REPLY")["dueAt"], "2026-11-02T08:00:00Z");
        let made = make(&agent, "ticketUpdate", json!({ "ticketId": id, "priority": "LOW" }), STAFF_VIEW).await;
        assert_eq!(clock(&made["ticket"], "FIRST_REPLY")["dueAt"], "2026-11-03T19:00:00Z");
        assert_eq!(made["ticket"]["slaDueAt"], "2026-11-03T19:00:00Z");
    }
}

on_both! {
    async fn a_broken_promise_is_recorded_and_told_once(app: App::demo) {
        // What the demo has overdue goes first.
        catch_up(&app, "sla").await;
        let told = "SELECT COUNT(*) FROM events WHERE kind = 'SLA_BREACHED'";
        let before = number(&app, told).await;
        let (id, _) = opened_by(&app, demo::VIP.number).await;
        app.state.clock.set(now() + TimeDelta::hours(1));
        assert_eq!(catch_up(&app, "sla").await, 0, "it is due, not over");
        app.state.clock.set(now() + TimeDelta::minutes(61));
        assert_eq!(seen(&app, &id).await["slaBreached"], true, "it shows before anybody has recorded it");
        assert_eq!(lag(named("sla").unwrap(), &app.state).await.unwrap(), 60.0);
        assert_eq!((catch_up(&app, "sla").await, catch_up(&app, "sla").await), (1, 0));
        assert_eq!(lag(named("sla").unwrap(), &app.state).await.unwrap(), 0.0);
        assert_eq!(number(&app, told).await, before + 1);
        let ticket = seen(&app, &id).await;
        let first = clock(&ticket, "FIRST_REPLY");
        assert_eq!((&first["status"], &first["breachedAt"]), (&json!("BREACHED"), &json!("2026-11-01T13:00:00Z")));
        assert_eq!((&ticket["slaBreached"], &ticket["version"]), (&json!(true), &json!(2)));
        let history = app.agent().ask(&format!("{{ ticket(by: {{id: {id:?}}}) {{ history(first: 1) {{ nodes {{ kind actorKind }} }} }} }}")).await;
        assert_eq!(history.at("/ticket/history/nodes/0"), &json!({ "kind": "SLA_BREACHED", "actorKind": "SYSTEM" }));
        // The customer does not see it.
        let me = app.customer(app.id_of(demo::VIP.number).await);
        let answer = me.ask("{ me { timeline(first: 1) { nodes { kind } } } }").await;
        assert_eq!(answer.at("/me/timeline/nodes/0/kind"), "TICKET_CREATED");
        // Replying late stops the clock, and it stays late.
        let made = make(&app.agent(), "ticketReply", json!({ "ticketId": id, "body": "Sorry!" }), STAFF_VIEW).await;
        assert_eq!(clock(&made["ticket"], "FIRST_REPLY")["status"], "BREACHED");
        assert_eq!(made["ticket"]["slaBreached"], true);
        holds(&app).await;
    }
}

on_both! {
    async fn a_promise_that_a_late_reply_finds_broken_is_told_of_too(app: App::demo) {
        catch_up(&app, "sla").await;
        let told = "SELECT COUNT(*) FROM events WHERE kind = 'SLA_BREACHED'";
        let before = number(&app, told).await;
        let (id, _) = opened_by(&app, demo::VIP.number).await;
        app.state.clock.set(now() + TimeDelta::minutes(61));
        make(&app.agent(), "ticketReply", json!({ "ticketId": id, "body": "Sorry!" }), "ticket { id }").await;
        assert_eq!(number(&app, told).await, before + 1);
        assert_eq!(sla(&app.state, 100).await.unwrap(), 0);
        assert_eq!(number(&app, told).await, before + 1);
    }
}

on_both! {
    async fn small_batches_find_everything(app: App::demo) {
        let due = "SELECT COUNT(*) FROM sla_clocks d WHERE d.status = 'RUNNING'";
        let solved = "SELECT COUNT(*) FROM tickets WHERE status = 'SOLVED'";
        app.state.clock.set(now() + TimeDelta::days(300));
        let expected = (number(&app, due).await as usize, number(&app, solved).await as usize);
        let (mut broken, mut closed) = (0, 0);
        loop {
            let batch = sla(&app.state, 3).await.unwrap();
            broken += batch;
            if batch < 3 {
                break;
            }
        }
        loop {
            let batch = close(&app.state, 3).await.unwrap();
            closed += batch;
            if batch < 3 {
                break;
            }
        }
        assert_eq!((broken, closed), expected);
        assert!(broken > 3 && closed > 3);
        assert_eq!((number(&app, due).await, number(&app, solved).await), (0, 0));
        assert_eq!(number(&app, "SELECT COUNT(*) FROM events WHERE kind = 'TICKET_CLOSED' AND actor_id = 'close'").await, closed as i64);
        holds(&app).await;
    }
}

on_both! {
    async fn a_solved_ticket_is_closed_when_its_days_are_over_and_not_before(app: App::demo) {
        let (id, _) = opened(&app).await;
        make(&app.agent(), "ticketSolve", json!({ "ticketId": id }), "ticket { id }").await;
        app.state.clock.set(now() + TimeDelta::days(28));
        catch_up(&app, "close").await;
        assert_eq!(seen(&app, &id).await["status"], "SOLVED");
        app.state.clock.set(now() + TimeDelta::days(28) + TimeDelta::seconds(2));
        catch_up(&app, "close").await;
        let ticket = seen(&app, &id).await;
        assert_eq!((&ticket["status"], second(&ticket["solvedAt"])), (&json!("CLOSED"), "2026-11-01T12:00:00"));
        let customer = app.customer(app.id_of(PLAIN).await);
        let answer = act(&customer, "ticketReply", json!({ "ticketId": id, "body": "Again!" }), "ticket { id }").await;
        assert_eq!(refused(&answer, "ticketReply"), "TICKET_CLOSED");
    }
}

on_both! {
    async fn a_calendar_that_cannot_be_used_stops_nobody(app: App::demo) {
        app.state.db.execute_unprepared("UPDATE business_calendars SET timezone = 'Europe/Atlantis'").await.unwrap();
        let (id, _) = opened(&app).await;
        assert_eq!(seen(&app, &id).await["slaDueAt"], "2026-11-01T20:00:00Z", "eight hours, around the clock");
    }
}
