//! The path of a mutation: safe to repeat, safe to race, bounded, recorded, and true for every reader afterwards.

use c360::retailer::demo;
use c360_rules::access::Role;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};

use crate::harness::{Answer, App, actor::customer_gid, on_both};

const CREDIT: &str = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    account { id version balance { active } } transaction { id kind points reason balanceAfter } \
    userErrors { field code message currentVersion } } }";

fn credit(points: i64, key: &str) -> Value {
    json!({ "input": {
        "customer": { "customerNumber": demo::DEMO_CUSTOMER.number }, "points": points, "reason": "Late parcel",
        "idempotencyKey": key,
    } })
}

/// The code of the only user error.
pub(crate) fn refused<'a>(answer: &'a Answer, mutation: &str) -> &'a str {
    let errors = answer.data()[mutation]["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{:#}", answer.body);
    errors[0]["code"].as_str().unwrap()
}

/// What a mutation made, when nothing was wrong.
pub(crate) fn done<'a>(answer: &'a Answer, mutation: &str) -> &'a Value {
    let payload = &answer.data()[mutation];
    assert_eq!(payload["userErrors"], json!([]), "{:#}", answer.body);
    payload
}

async fn number(app: &App, sql: &str) -> i64 {
    let db = &app.state.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn active(app: &App) -> i64 {
    let query = format!(
        "{{ customer360(by: {{customerNumber: \"{}\"}}) {{ loyalty {{ balance {{ active }} }} }} }}",
        demo::DEMO_CUSTOMER.number
    );
    app.agent().ask(&query).await.at("/customer360/loyalty/balance/active").as_i64().unwrap()
}

/// Every law of the books.
pub(crate) async fn holds(app: &App) {
    let mut broken = Vec::new();
    let findings = c360::verify::verify(&app.state.db, |line| broken.push(line)).await.unwrap();
    assert_eq!((findings.violations, broken), (0, Vec::new()));
}

on_both! {
    async fn an_agent_credits_points_and_every_reader_sees_them_at_once(app: App::demo) {
        let before = active(&app).await;
        let answer = app.agent().ask_with(CREDIT, credit(200, "k1")).await;
        let made = done(&answer, "loyaltyPointsCredit");
        assert_eq!(made["account"]["balance"]["active"], before + 200);
        assert_eq!(made["transaction"]["points"], 200);
        assert_eq!(made["transaction"]["kind"], "ADJUSTMENT");
        assert_eq!(active(&app).await, before + 200);
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let phone = app.customer(me).ask("{ me { loyalty { balance { active } } timeline(first: 1) { nodes { kind points reason } } } }").await;
        assert_eq!(*phone.at("/me/loyalty/balance/active"), before + 200);
        assert_eq!(*phone.at("/me/timeline/nodes/0/kind"), "POINTS_ADJUSTED");
        holds(&app).await;
    }
}

on_both! {
    async fn what_a_mutation_writes_is_sent_together(app: App::demo) {
        let document = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
            transaction { id } userErrors { code } } }";
        let before = app.statements();
        done(&app.agent().ask_with(document, credit(1, "few")).await, "loyaltyPointsCredit");
        let statements = app.statements() - before;
        // The key, the customer, the account, its lots, what was given today; all that is written; the payload.
        // SQLite has no way to shorten: there, each table that is written is a statement.
        let written = if app.state.db.get_database_backend() == DbBackend::Postgres { 1 } else { 7 };
        assert_eq!(statements, 5 + written + 1);
    }
}

on_both! {
    async fn a_payload_has_its_fields_in_the_order_of_the_document(app: App::demo) {
        let document = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
            transaction { points } userErrors { code } account { status } } }";
        let request = app.agent().post(json!({ "query": document, "variables": credit(1, "in-order") }));
        let text = request.send().await.unwrap().text().await.unwrap();
        let places: Vec<_> = ["transaction", "userErrors", "account"].iter().map(|name| text.find(&format!("\"{name}\"")).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }
}

on_both! {
    async fn a_role_gives_a_customer_no_more_than_its_ceiling_on_one_day(app: App::demo) {
        let agent = app.agent();
        done(&agent.ask_with(CREDIT, credit(300, "a")).await, "loyaltyPointsCredit");
        let before = active(&app).await;
        let over = agent.ask_with(CREDIT, credit(201, "b")).await;
        assert_eq!(refused(&over, "loyaltyPointsCredit"), "CEILING_EXCEEDED");
        assert_eq!(over.at("/loyaltyPointsCredit/userErrors/0/field"), &json!(["input", "points"]));
        assert_eq!(*over.at("/loyaltyPointsCredit/account"), Value::Null);
        assert_eq!(active(&app).await, before, "what is refused has no effect");
        done(&agent.ask_with(CREDIT, credit(200, "b")).await, "loyaltyPointsCredit");
        assert_eq!(refused(&agent.ask_with(CREDIT, credit(1, "c")).await, "loyaltyPointsCredit"), "CEILING_EXCEEDED");
        done(&app.staff(Role::Supervisor).ask_with(CREDIT, credit(4_500, "d")).await, "loyaltyPointsCredit");
        assert_eq!(refused(&app.staff(Role::Supervisor).ask_with(CREDIT, credit(1, "e")).await, "loyaltyPointsCredit"), "CEILING_EXCEEDED");
        done(&app.staff(Role::Admin).ask_with(CREDIT, credit(100_000, "f")).await, "loyaltyPointsCredit");
        app.state.clock.set(crate::harness::now() + chrono::TimeDelta::hours(12));
        done(&app.agent().ask_with(CREDIT, credit(500, "g")).await, "loyaltyPointsCredit");
        holds(&app).await;
    }
}

on_both! {
    async fn a_key_has_one_effect_and_one_result_however_often_it_is_sent(app: App::demo) {
        let before = active(&app).await;
        let agent = app.agent();
        let answers = join_all((0..32).map(|_| agent.ask_with(CREDIT, credit(10, "same")))).await;
        let ids: Vec<&Value> = answers.iter().map(|answer| &done(answer, "loyaltyPointsCredit")["transaction"]["id"]).collect();
        assert!(ids.iter().all(|id| id.is_string() && *id == ids[0]), "{ids:?}");
        assert_eq!(active(&app).await, before + 10);
        assert_eq!(refused(&agent.ask_with(CREDIT, credit(11, "same")).await, "loyaltyPointsCredit"), "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
        // The key is the caller's own: another caller's is another one.
        done(&app.actor(&c360::auth::issue::Subject::Staff { subject: "agent-2".into(), role: Role::Agent }).ask_with(CREDIT, credit(11, "same")).await, "loyaltyPointsCredit");
        assert_eq!(active(&app).await, before + 21);
        holds(&app).await;
    }
}

on_both! {
    async fn two_mutations_with_one_key_in_one_document_are_one(app: App::demo) {
        let before = active(&app).await;
        let both = CREDIT.replace("loyaltyPointsCredit(", "one: loyaltyPointsCredit(").replacen("{ one", "{ two: loyaltyPointsCredit(input: $input) { transaction { id } userErrors { code } } one", 1);
        let answer = app.agent().ask_with(&both, credit(10, "twice")).await;
        assert_eq!(answer.at("/one/transaction/id"), answer.at("/two/transaction/id"));
        assert!(answer.at("/one/transaction/id").is_string());
        assert_eq!(active(&app).await, before + 10);
    }
}

on_both! {
    async fn of_two_mutations_with_one_key_in_one_document_that_want_something_else_the_second_is_refused(app: App::demo) {
        let before = active(&app).await;
        let both = "mutation($first: LoyaltyPointsCreditInput!, $second: LoyaltyPointsCreditInput!) { \
            first: loyaltyPointsCredit(input: $first) { transaction { id } userErrors { code } } \
            second: loyaltyPointsCredit(input: $second) { transaction { id } userErrors { code } } }";
        let inputs = json!({ "first": credit(10, "one")["input"], "second": credit(20, "one")["input"] });
        let answer = app.agent().ask_with(both, inputs).await;
        assert!(answer.at("/first/transaction/id").is_string());
        assert_eq!(*answer.at("/second"), json!({ "transaction": null, "userErrors": [{ "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" }] }));
        assert_eq!(active(&app).await, before + 10);
    }
}

on_both! {
    async fn bad_input_has_a_code_and_no_effect(app: App::demo) {
        let before = (active(&app).await, number(&app, "SELECT COUNT(*) FROM events").await);
        let agent = app.agent();
        let with = |change: fn(&mut Value)| {
            let mut variables = credit(10, "bad");
            change(&mut variables["input"]);
            variables
        };
        for (variables, code) in [
            (with(|input| input["points"] = json!(0)), "OUT_OF_RANGE"),
            (with(|input| input["points"] = json!(-5)), "OUT_OF_RANGE"),
            (with(|input| input["points"] = json!(i32::MAX)), "OUT_OF_RANGE"),
            (with(|input| input["reason"] = json!(" ")), "BLANK"),
            (with(|input| input["reason"] = json!("a\u{0}b")), "INVALID_TEXT"),
            (with(|input| input["reason"] = json!("x".repeat(501))), "TOO_LONG"),
            (with(|input| input["idempotencyKey"] = json!("")), "INVALID_IDEMPOTENCY_KEY"),
            (with(|input| input["idempotencyKey"] = json!("k".repeat(300))), "INVALID_IDEMPOTENCY_KEY"),
            (with(|input| input["expectedVersion"] = json!(77)), "CONFLICT"),
            (with(|input| input["customer"] = json!({ "customerNumber": "C-999999" })), "NOT_FOUND"),
            (with(|input| input["customer"] = json!({ "id": customer_gid(uuid::Uuid::nil()) })), "NOT_FOUND"),
        ] {
            let answer = agent.ask_with(CREDIT, variables).await;
            assert_eq!(refused(&answer, "loyaltyPointsCredit"), code);
            let version = answer.at("/loyaltyPointsCredit/userErrors/0/currentVersion");
            assert_eq!(version.is_i64(), code == "CONFLICT");
        }
        for (variables, code) in [
            (with(|input| input["points"] = json!(i64::MAX)), "GRAPHQL_VALIDATION_FAILED BAD_USER_INPUT"),
            (with(|input| input["points"] = json!("10")), "GRAPHQL_VALIDATION_FAILED BAD_USER_INPUT"),
            (with(|input| input["customer"] = json!({})), "GRAPHQL_VALIDATION_FAILED BAD_USER_INPUT"),
            (with(|input| input["customer"] = json!({ "phone": "not a phone" })), "BAD_USER_INPUT"),
            (with(|input| input["reason"] = json!("x".repeat(1_000_000))), "BAD_USER_INPUT QUERY_TOO_COMPLEX"),
        ] {
            let answer = agent.ask_with(CREDIT, variables).await;
            assert!(code.split(' ').any(|code| code == answer.code()), "{:#}", answer.body);
        }
        assert_eq!((active(&app).await, number(&app, "SELECT COUNT(*) FROM events").await), before);
        // A key that was refused has not been used.
        done(&agent.ask_with(CREDIT, credit(10, "bad")).await, "loyaltyPointsCredit");
    }
}

on_both! {
    async fn changes_of_one_customer_are_written_in_the_order_of_their_commits(app: App::demo) {
        let supervisor = app.staff(Role::Supervisor);
        let answers = join_all((0..24).map(|at| supervisor.ask_with(CREDIT, credit(1, &format!("order-{at}"))))).await;
        for answer in &answers {
            done(answer, "loyaltyPointsCredit");
        }
        // Times differ although the clock stands still, and balances grow with them.
        let sql = "SELECT COUNT(*) FROM (SELECT t.balance_after, LAG(t.balance_after) OVER (ORDER BY e.recorded_at) AS before \
                   FROM events e JOIN loyalty_transactions t ON t.id = e.subject_id WHERE t.reason = 'Late parcel') x \
                   WHERE balance_after <> before + 1";
        assert_eq!(number(&app, sql).await, 0);
        let times = number(&app, "SELECT COUNT(DISTINCT recorded_at) FROM events WHERE reason = 'Late parcel'").await;
        assert_eq!(times, 24);
        holds(&app).await;
    }
}
