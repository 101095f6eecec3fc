//! What can be done with a ticket.

use c360::auth::issue::Subject;
use c360::retailer::demo;
use c360_rules::access::Role;
use c360_rules::id::Kind;
use serde_json::{Value, json};

use super::{
    PLAIN, STAFF_VIEW, act, clock, denied, id_where, make, number, opened, opened_by, order_of, refused, second, seen,
};
use crate::harness::{actor::customer_gid, on_both};
use crate::writing::holds;

on_both! {
    async fn a_customer_opens_a_ticket_and_the_agent_sees_it_with_its_promises(app: App::demo) {
        let me = app.id_of(PLAIN).await;
        let order = order_of(&app, PLAIN).await;
        let open = "SELECT open_ticket_count FROM customer_statistics s JOIN customers c ON c.id = s.customer_id WHERE c.number = 'C-000009'";
        let before = number(&app, open).await;
        let input = json!({ "subject": " Where is my parcel? ", "message": "It should have been\nhere on Friday.", "channel": "MOBILE_APP",
            "type": "INCIDENT", "orderIds": [order], "idempotencyKey": "from-the-phone" });
        let select = "ticket { id number status subject type version links { order { id } } messages { nodes { body authorKind } } } message { body authorKind }";
        let made = make(&app.customer(me), "ticketCreate", input.clone(), select).await;
        assert_eq!(made["ticket"]["status"], "NEW");
        assert_eq!(made["ticket"]["subject"], "Where is my parcel?");
        assert_eq!(made["ticket"]["links"][0]["order"]["id"], json!(order));
        assert_eq!(made["message"], json!({ "body": "It should have been\nhere on Friday.", "authorKind": "CUSTOMER" }));
        assert_eq!(made["ticket"]["messages"]["nodes"], json!([made["message"]]));
        assert_eq!(number(&app, open).await, before + 1);
        // Sent again after a lost connection, it is the same ticket.
        let again = make(&app.customer(me), "ticketCreate", input, select).await;
        assert_eq!(again, made);
        assert_eq!(number(&app, open).await, before + 1);
        let ticket = seen(&app, made["ticket"]["id"].as_str().unwrap()).await;
        // It is noon on a Sunday in UTC: the office in Berlin opens on Monday at 7:00 UTC, and eight hours are promised.
        assert_eq!(ticket["slaDueAt"], "2026-11-02T15:00:00Z");
        assert_eq!(ticket["priority"], "NORMAL");
        assert_eq!(ticket["slaBreached"], false);
        assert_eq!(clock(&ticket, "FIRST_REPLY")["status"], "RUNNING");
        // 4320 minutes are 72 hours: twelve on each weekday, seven on Saturday.
        assert_eq!(clock(&ticket, "RESOLUTION")["dueAt"], "2026-11-09T12:00:00Z");
        assert_eq!(ticket["slaClocks"].as_array().unwrap().len(), 2);
        let event = app.agent().ask(&format!("{{ customer360(by: {{customerNumber: {PLAIN:?}}}) {{ timeline(first: 1) {{ nodes {{ kind channel label actorKind }} }} }} }}")).await;
        assert_eq!(event.at("/customer360/timeline/nodes/0"), &json!({ "kind": "TICKET_CREATED", "channel": "MOBILE_APP",
            "label": made["ticket"]["number"], "actorKind": "CUSTOMER" }));
    }
}

on_both! {
    async fn who_is_served_first_goes_to_their_team_with_a_high_priority(app: App::demo) {
        let (vip, _) = opened_by(&app, demo::VIP.number).await;
        let ticket = seen(&app, &vip).await;
        assert_eq!(ticket["priority"], "HIGH");
        assert_eq!(ticket["team"]["servesVip"], true);
        // An hour, around the clock.
        assert_eq!(ticket["slaDueAt"], "2026-11-01T13:00:00Z");
        // By a tier, without being marked as a VIP.
        let sql = "SELECT number FROM customers c WHERE NOT c.vip AND c.status = 'ACTIVE' AND EXISTS (SELECT 1 FROM loyalty_accounts a \
                   JOIN loyalty_tiers t ON t.id = a.tier_id WHERE a.customer_id = c.id AND t.code = 'PLATINUM' AND a.status = 'ACTIVE') ORDER BY number LIMIT 1";
        let db = &app.state.db;
        use sea_orm::ConnectionTrait as _;
        let row = db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
        let (platinum, _) = opened_by(&app, &row.try_get_by_index::<String>(0).unwrap()).await;
        assert_eq!(seen(&app, &platinum).await["priority"], "HIGH");
        assert_eq!(seen(&app, &platinum).await["team"]["servesVip"], true);
    }
}

on_both! {
    async fn staff_open_tickets_for_customers_and_share_them_out(app: App::demo) {
        let team = id_where(&app, Kind::Team, "SELECT id FROM teams WHERE name = 'Returns'").await;
        let colleague = id_where(&app, Kind::Staff, "SELECT id FROM staff WHERE subject = 'agent-2'").await;
        let input = json!({ "customer": { "customerNumber": PLAIN }, "subject": "Calls about a refund", "message": "Has not got the money yet.",
            "channel": "PHONE", "type": "TASK", "priority": "URGENT", "assigneeId": colleague, "teamId": team, "tags": ["Refund", "call back"] });
        let made = make(&app.agent(), "ticketCreate", input, &format!("{STAFF_VIEW} message {{ authorKind author {{ displayName }} }}")).await;
        let ticket = &made["ticket"];
        assert_eq!(ticket["status"], "OPEN", "somebody has it");
        assert_eq!(ticket["priority"], "URGENT");
        assert_eq!(ticket["assignee"]["id"], json!(colleague));
        assert_eq!(ticket["team"]["name"], "Returns");
        assert_eq!(ticket["tags"], json!(["call-back", "refund"]));
        assert_eq!(made["message"], json!({ "authorKind": "STAFF", "author": { "displayName": "Ana Petrova" } }));
        // What staff have written down for the customer is no reply.
        assert_eq!(clock(ticket, "FIRST_REPLY")["status"], "RUNNING");
    }
}

on_both! {
    async fn a_conversation_runs_to_its_solution_and_on(app: App::demo) {
        let (id, _) = opened(&app).await;
        let (agent, customer) = (app.agent(), app.customer(app.id_of(PLAIN).await));
        let reply = |body: &str| json!({ "ticketId": id, "body": body });
        let made = make(&agent, "ticketReply", reply("The carrier is looking for it."), &format!("{STAFF_VIEW} message {{ body authorKind author {{ displayName }} channel }}")).await;
        assert_eq!(made["message"], json!({ "body": "The carrier is looking for it.", "authorKind": "STAFF", "author": { "displayName": "Ana Petrova" }, "channel": "MOBILE_APP" }));
        assert_eq!((&made["ticket"]["status"], &made["ticket"]["version"]), (&json!("OPEN"), &json!(2)));
        assert_eq!(second(&made["ticket"]["firstRepliedAt"]), "2026-11-01T12:00:00");
        make(&agent, "ticketNoteAdd", json!({ "ticketId": id, "body": "Carrier says Tuesday." }), "note { body authorKind }").await;
        let pending = make(&agent, "ticketUpdate", json!({ "ticketId": id, "status": "PENDING", "addTags": ["trace"] }), STAFF_VIEW).await;
        assert_eq!((&pending["ticket"]["status"], &pending["ticket"]["tags"]), (&json!("PENDING"), &json!(["trace"])));
        let mine = make(&customer, "ticketReply", json!({ "ticketId": id, "body": "Still nothing!", "idempotencyKey": "r1" }), "ticket { status messages { nodes { body authorKind } } } message { authorKind }").await;
        assert_eq!(mine["ticket"]["status"], "OPEN");
        assert_eq!(mine["message"]["authorKind"], "CUSTOMER");
        let written: Vec<&Value> = mine["ticket"]["messages"]["nodes"].as_array().unwrap().iter().map(|message| &message["body"]).collect();
        assert_eq!(written, ["Still nothing!", "The carrier is looking for it.", "It should have been here on Friday."], "no note among them");
        assert_eq!(clock(&seen(&app, &id).await, "NEXT_REPLY")["status"], "RUNNING");
        let solved = make(&agent, "ticketSolve", json!({ "ticketId": id }), STAFF_VIEW).await;
        assert_eq!(solved["ticket"]["status"], "SOLVED");
        assert_eq!(solved["ticket"]["slaDueAt"], Value::Null);
        assert!(solved["ticket"]["slaClocks"].as_array().unwrap().iter().all(|clock| clock["status"] == "MET"));
        // The customer's answer opens it again; so does an agent.
        make(&customer, "ticketReply", reply("It came, but it is broken."), "ticket { status }").await;
        let ticket = seen(&app, &id).await;
        assert_eq!((&ticket["status"], &ticket["solvedAt"]), (&json!("OPEN"), &Value::Null));
        make(&agent, "ticketSolve", json!({ "ticketId": id }), "ticket { id }").await;
        let reopened = make(&agent, "ticketReopen", json!({ "ticketId": id, "reason": "Solved by mistake" }), STAFF_VIEW).await;
        assert_eq!(reopened["ticket"]["status"], "OPEN");
        let history = agent.ask(&format!("{{ ticket(by: {{id: {id:?}}}) {{ history(first: 20) {{ nodes {{ kind actorKind reason }} }} }} }}")).await;
        let kinds: Vec<&str> = history.at("/ticket/history/nodes").as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["TICKET_REOPENED", "TICKET_SOLVED", "TICKET_REPLIED", "TICKET_REOPENED", "TICKET_SOLVED", "TICKET_REPLIED", "TICKET_UPDATED", "NOTE_ADDED", "TICKET_REPLIED", "TICKET_CREATED"]);
        assert_eq!(history.at("/ticket/history/nodes/0/reason"), "Solved by mistake");
        holds(&app).await;
    }
}

on_both! {
    async fn customers_never_see_notes_or_who_works_for_them_or_what_was_promised(app: App::demo) {
        let (id, number) = opened(&app).await;
        let agent = app.agent();
        make(&agent, "ticketReply", json!({ "ticketId": id, "body": "We are on it." }), "ticket { id }").await;
        make(&agent, "ticketNoteAdd", json!({ "ticketId": id, "body": "SECRET" }), "ticket { id }").await;
        make(&agent, "ticketUpdate", json!({ "ticketId": id, "priority": "HIGH" }), "ticket { id }").await;
        make(&agent, "ticketEscalate", json!({ "ticketId": id, "reason": "SECRET" }), "ticket { id }").await;
        let customer = app.customer(app.id_of(PLAIN).await);
        let visible = customer.ask(&format!("{{ ticket(by: {{number: {number:?}}}) {{ status messages {{ nodes {{ body authorKind }} }} }} me {{ timeline(first: 5) {{ nodes {{ kind }} }} }} }}")).await;
        assert!(!visible.data().to_string().contains("SECRET"));
        let kinds: Vec<&Value> = visible.at("/me/timeline/nodes").as_array().unwrap().iter().map(|event| &event["kind"]).collect();
        assert_eq!(kinds[..2], ["TICKET_REPLIED", "TICKET_CREATED"]);
        for field in ["notes { nodes { body } }", "history { nodes { kind } }", "assignee { displayName }", "slaDueAt", "slaClocks { metric }", "tags"] {
            let answer = act(&customer, "ticketReply", json!({ "ticketId": id, "body": field }), &format!("ticket {{ {field} }} message {{ id }}")).await;
            assert_eq!(answer.code(), "FORBIDDEN", "{field}");
            let name = field.split(' ').next().unwrap();
            assert_eq!(*answer.at(&format!("/ticketReply/ticket/{name}")), Value::Null);
            assert!(answer.at("/ticketReply/message/id").is_string(), "the reply itself is written");
        }
    }
}

on_both! {
    async fn tickets_are_handed_to_people_and_teams_and_back(app: App::demo) {
        let (id, _) = opened(&app).await;
        let agent = app.agent();
        let colleague = id_where(&app, Kind::Staff, "SELECT id FROM staff WHERE subject = 'agent-2'").await;
        let team = id_where(&app, Kind::Team, "SELECT id FROM teams WHERE name = 'Returns'").await;
        let made = make(&agent, "ticketAssign", json!({ "ticketId": id, "teamId": team }), STAFF_VIEW).await;
        assert_eq!((&made["ticket"]["status"], &made["ticket"]["team"]["name"]), (&json!("NEW"), &json!("Returns")));
        let made = make(&agent, "ticketAssign", json!({ "ticketId": id, "assigneeId": colleague }), STAFF_VIEW).await;
        assert_eq!((&made["ticket"]["status"], &made["ticket"]["assignee"]["id"]), (&json!("OPEN"), &json!(colleague)));
        assert_eq!(made["ticket"]["team"]["name"], "Returns", "what is left out stays");
        let again = make(&agent, "ticketAssign", json!({ "ticketId": id, "assigneeId": colleague }), STAFF_VIEW).await;
        assert_eq!(again, made, "what changes nothing is no change");
        let made = make(&agent, "ticketAssign", json!({ "ticketId": id, "assigneeId": null, "teamId": null }), STAFF_VIEW).await;
        assert_eq!((&made["ticket"]["assignee"], &made["ticket"]["team"]), (&Value::Null, &Value::Null));
        let values = number(&app, "SELECT COUNT(*) FROM event_values v JOIN events e ON e.id = v.event_id WHERE e.kind = 'TICKET_ASSIGNED' AND v.field IN ('assignee', 'team', 'status')").await;
        assert_eq!(values, 5, "before and after are kept");
    }
}

on_both! {
    async fn a_merged_ticket_is_closed_and_points_to_the_one_that_goes_on(app: App::demo) {
        let ((one, _), (two, _), (three, into)) = (opened(&app).await, opened(&app).await, opened(&app).await);
        let agent = app.agent();
        let order = order_of(&app, PLAIN).await;
        make(&agent, "ticketUpdate", json!({ "ticketId": one, "addTags": ["parcel"] }), "ticket { id }").await;
        make(&agent, "ticketLink", json!({ "ticketId": one, "about": { "orderId": order } }), "ticket { id }").await;
        make(&agent, "ticketMerge", json!({ "ticketId": one, "intoId": two }), "ticket { id }").await;
        let merged = make(&agent, "ticketMerge", json!({ "ticketId": two, "intoId": three }),
            "ticket { status solvedAt mergedInto { number } messages { nodes { body } } } into { status tags links { order { id } } mergedTickets { id } notes { nodes { body authorKind } } }").await;
        assert_eq!(merged["ticket"]["status"], "CLOSED");
        assert_eq!(merged["ticket"]["mergedInto"]["number"], json!(into));
        assert_eq!(merged["ticket"]["messages"]["nodes"].as_array().unwrap().len(), 1, "what was written stays readable");
        assert_eq!((&merged["into"]["status"], &merged["into"]["tags"]), (&json!("NEW"), &json!(["parcel"])));
        assert_eq!(merged["into"]["links"][0]["order"]["id"], json!(order));
        assert_eq!(merged["into"]["notes"]["nodes"][0]["authorKind"], "SYSTEM");
        let both: Vec<&str> = merged["into"]["mergedTickets"].as_array().unwrap().iter().map(|ticket| ticket["id"].as_str().unwrap()).collect();
        assert!(both.contains(&one.as_str()) && both.contains(&two.as_str()), "there is one step to the ticket that goes on");
        // The customer is told where to write.
        let customer = app.customer(app.id_of(PLAIN).await);
        let answer = act(&customer, "ticketReply", json!({ "ticketId": one, "body": "Hello?" }), "ticket { id }").await;
        assert_eq!(refused(&answer, "ticketReply"), "TICKET_CLOSED");
        assert!(answer.at("/ticketReply/userErrors/0/message").as_str().unwrap().contains(&into));
        let ticket = customer.ask(&format!("{{ ticket(by: {{id: {one:?}}}) {{ status mergedInto {{ number }} }} }}")).await;
        assert_eq!(ticket.at("/ticket/mergedInto/number"), &json!(into));
    }
}

on_both! {
    async fn a_link_is_made_once(app: App::demo) {
        let (id, _) = opened(&app).await;
        let order = order_of(&app, PLAIN).await;
        let input = json!({ "ticketId": id, "about": { "orderId": order } });
        let first = make(&app.agent(), "ticketLink", input.clone(), "ticket { version links { order { id } } }").await;
        let second = make(&app.agent(), "ticketLink", input, "ticket { version links { order { id } } }").await;
        assert_eq!(first, second);
        assert_eq!(first["ticket"]["links"], json!([{ "order": { "id": order } }]));
    }
}

on_both! {
    async fn a_macro_does_all_that_it_says_at_once(app: App::demo) {
        let (id, _) = opened(&app).await;
        let agent = app.agent();
        let listed = agent.ask("{ macros(first: 10) { nodes { id name description actions { kind value } } } }").await;
        let macros = listed.at("/macros/nodes").as_array().unwrap();
        assert_eq!(macros.len(), 4, "those that are switched off are not there");
        let of = |name: &str| macros.iter().find(|one| one["name"] == name).unwrap();
        assert_eq!(of("Ask for a photo")["actions"][1], json!({ "kind": "STATUS", "value": "PENDING" }));
        assert_eq!(of("Escalate to a supervisor")["actions"][1], json!({ "kind": "ESCALATE", "value": null }));
        let apply = |name: &str| json!({ "ticketId": id, "macroId": of(name)["id"] });
        let made = make(&agent, "ticketMacroApply", apply("Ask for a photo"), &STAFF_VIEW.replace("ticket {", "ticket { messages(first: 1) { nodes { body } }")).await;
        assert_eq!((&made["ticket"]["status"], &made["ticket"]["tags"], &made["ticket"]["version"]), (&json!("PENDING"), &json!(["photo-asked"]), &json!(2)));
        assert!(made["ticket"]["messages"]["nodes"][0]["body"].as_str().unwrap().starts_with("Could you send us a photo"));
        assert_eq!(clock(&made["ticket"], "FIRST_REPLY")["status"], "MET");
        assert_eq!(clock(&made["ticket"], "RESOLUTION")["status"], "PAUSED");
        let made = make(&agent, "ticketMacroApply", apply("Escalate to a supervisor"), STAFF_VIEW).await;
        assert_eq!((&made["ticket"]["priority"], second(&made["ticket"]["escalatedAt"])), (&json!("URGENT"), "2026-11-01T12:00:00"));
        let made = make(&agent, "ticketMacroApply", apply("Solve with thanks"), STAFF_VIEW).await;
        assert_eq!(made["ticket"]["status"], "SOLVED");
        // All or nothing: a solved ticket cannot be escalated, so its priority stays, too.
        let before = seen(&app, &id).await;
        assert_eq!(denied(&agent, "ticketMacroApply", apply("Escalate to a supervisor")).await, "TICKET_SOLVED");
        assert_eq!(seen(&app, &id).await, before);
        let off = id_where(&app, Kind::Macro, "SELECT id FROM macros WHERE name = 'Holiday greeting'").await;
        assert_eq!(denied(&agent, "ticketMacroApply", json!({ "ticketId": id, "macroId": off })).await, "NOT_FOUND");
        use sea_orm::ConnectionTrait as _;
        app.state.db.execute_unprepared("UPDATE macros SET actions = '[{\"dance\": \"polka\"}]' WHERE name = 'Solve with thanks'").await.unwrap();
        assert_eq!(denied(&agent, "ticketMacroApply", apply("Solve with thanks")).await, "MACRO_UNUSABLE");
    }
}

on_both! {
    async fn a_supervisor_who_is_not_in_the_directory_can_work_all_the_same(app: App::demo) {
        let (id, _) = opened(&app).await;
        let stranger = app.actor(&Subject::Staff { subject: "new-here".into(), role: Role::Supervisor });
        let made = make(&stranger, "ticketReply", json!({ "ticketId": id, "body": "Hello" }), "message { authorKind author { displayName } }").await;
        assert_eq!(made["message"], json!({ "authorKind": "STAFF", "author": null }));
        let customer = customer_gid(app.id_of(PLAIN).await);
        make(&stranger, "ticketCreate", json!({ "customer": { "id": customer }, "subject": "Call", "message": "Called", "channel": "PHONE" }), "ticket { id }").await;
    }
}
