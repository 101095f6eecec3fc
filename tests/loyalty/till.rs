//! The till: quote, hold, capture or release, and the hold that lapses by itself.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::harness::{now, on_both};

const TILL: &str = "customers:read loyalty:read loyalty:write";

fn hold(points: i64, key: &str) -> Value {
    json!({ "customer": customer(), "points": points, "reference": "receipt 4711", "idempotencyKey": key })
}

/// Holds points at the till; the hold's id.
async fn held(actor: &Actor<'_>, points: i64, key: &str) -> String {
    let made =
        make(actor, "loyaltyPointsHold", "hold { id status points reference lapsesAt source }", hold(points, key))
            .await;
    assert_eq!((&made["hold"]["status"], &made["hold"]["points"]), (&json!("HELD"), &json!(points)));
    made["hold"]["id"].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_till_quotes_holds_captures_a_part_and_the_rest_comes_back(app: App::demo) {
        only(&app, 1_000).await;
        let spent = balance(&app).await["spent"].as_i64().unwrap();
        let till = app.partner("pos-partner", TILL);
        let quote = till.ask(&format!(
            "{{ loyaltyQuote(customer: {{customerNumber: \"{NUMBER}\"}}, basket: {{amount: \"4.99\", currencyCode: \"EUR\"}}) \
             {{ accountStatus cardStatus spendablePoints pointValue usablePoints worth {{ amount currencyCode }} earnedPoints \
             earnedPointsAvailableAt }} }}"
        )).await;
        assert_eq!(*quote.at("/loyaltyQuote"), json!({
            "accountStatus": "ACTIVE", "cardStatus": null, "spendablePoints": 1_000, "pointValue": "0.01", "usablePoints": 499,
            "worth": { "amount": "4.99", "currencyCode": "EUR" }, "earnedPoints": 4,
            "earnedPointsAvailableAt": "2026-11-15T12:00:00Z",
        }));
        let id = held(&till, 499, "h").await;
        assert_eq!(balance(&app).await["held"], 499);
        let quote = format!("{{ loyaltyQuote(customer: {{customerNumber: \"{NUMBER}\"}}) {{ spendablePoints usablePoints }} }}");
        assert_eq!(*till.ask(&quote).await.at("/loyaltyQuote/spendablePoints"), 501, "what is held cannot be used twice");
        let open = app.agent().ask(&format!(
            "{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ loyalty {{ holds {{ id source reference }} }} }} }}"
        )).await;
        assert_eq!(*open.at("/customer360/loyalty/holds"), json!([{ "id": id, "source": "pos", "reference": "receipt 4711" }]));
        let shown = "hold { status capturedPoints } transaction { kind points source } account { balance { active held spent } }";
        let input = json!({ "hold": id, "points": 400, "idempotencyKey": "c" });
        let made = make(&till, "loyaltyPointsCapture", shown, input.clone()).await;
        assert_eq!(made["hold"], json!({ "status": "CAPTURED", "capturedPoints": 400 }));
        assert_eq!(made["transaction"], json!({ "kind": "REDEMPTION", "points": -400, "source": "pos" }));
        assert_eq!(made["account"]["balance"], json!({ "active": 600, "held": 0, "spent": spent + 400 }));
        assert_eq!(make(&till, "loyaltyPointsCapture", shown, input).await, made, "a repetition is the same");
        let again = json!({ "hold": id, "idempotencyKey": "d" });
        assert_eq!(refusal(&till, "loyaltyPointsCapture", again.clone()).await, "HOLD_CLOSED");
        assert_eq!(refusal(&till, "loyaltyPointsRelease", again).await, "HOLD_CLOSED");
        holds(&app).await;
    }
}

on_both! {
    async fn a_hold_that_nobody_captures_lapses_by_itself(app: App::demo) {
        only(&app, 100).await;
        let till = app.partner("pos-partner", TILL);
        let (first, second) = (held(&till, 60, "a").await, held(&till, 40, "b").await);
        make(&till, "loyaltyPointsRelease", "", json!({ "hold": second, "idempotencyKey": "r" })).await;
        app.state.clock.set(now() + TimeDelta::minutes(16));
        // Its time is up even before anybody has looked.
        let capture = json!({ "hold": first, "idempotencyKey": "c" });
        assert_eq!(refusal(&till, "loyaltyPointsCapture", capture).await, "HOLD_CLOSED");
        assert_eq!(balance(&app).await["held"], 60);
        while c360::domains::loyalty::due::lapse(&app.state, 100).await.unwrap() > 0 {}
        let after = balance(&app).await;
        assert_eq!((&after["held"], &after["active"]), (&json!(0), &json!(100)));
        let lapsed = number(&app, "SELECT COUNT(*) FROM points_holds WHERE status = 'LAPSED' AND reference IS NOT NULL").await;
        assert_eq!(lapsed, 1);
        holds(&app).await;
    }
}

on_both! {
    async fn what_a_lapsed_hold_gives_back_can_be_spent_before_any_job_runs(app: App::demo) {
        only(&app, 100).await;
        let till = app.partner("pos-partner", TILL);
        held(&till, 100, "a").await;
        assert_eq!(refusal(&till, "loyaltyPointsHold", hold(1, "b")).await, "INSUFFICIENT_POINTS");
        app.state.clock.set(now() + TimeDelta::minutes(16));
        held(&till, 100, "b").await;
        holds(&app).await;
    }
}

on_both! {
    async fn a_partner_acts_on_its_own_holds_and_sees_no_account_without_the_scope(app: App::demo) {
        only(&app, 100).await;
        let till = app.partner("pos-partner", "loyalty:write");
        let made = make(&till, "loyaltyPointsHold", "hold { id points } account { id }", hold(60, "a")).await;
        assert_eq!(made["account"], Value::Null);
        let id = &made["hold"]["id"];
        let other = app.partner("shop-partner", TILL);
        for mutation in ["loyaltyPointsCapture", "loyaltyPointsRelease"] {
            assert_eq!(refusal(&other, mutation, json!({ "hold": id, "idempotencyKey": mutation })).await, "NOT_FOUND");
        }
        let unknown = c360_rules::id::encode(c360_rules::id::Kind::PointsHold, uuid::Uuid::nil());
        assert_eq!(refusal(&other, "loyaltyPointsCapture", json!({ "hold": unknown, "idempotencyKey": "u" })).await, "NOT_FOUND");
        // Staff may, and say why.
        let input = json!({ "hold": id, "idempotencyKey": "s" });
        assert_eq!(refusal(&app.agent(), "loyaltyPointsRelease", input.clone()).await, "BLANK");
        let mut input = input;
        input["reason"] = json!("The till is broken");
        make(&app.agent(), "loyaltyPointsRelease", "", input).await;
        assert_eq!(balance(&app).await["active"], 100);
        holds(&app).await;
    }
}

on_both! {
    async fn a_stopped_card_and_a_blocked_account_cannot_spend(app: App::demo) {
        only(&app, 100).await;
        let till = app.partner("pos-partner", TILL);
        let id = held(&till, 10, "before").await;
        let card = app.agent().ask(&format!(
            "{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ loyalty {{ cards {{ number status }} }} }} }}"
        )).await.at("/customer360/loyalty/cards/0/number").clone();
        let by_card = |key: &str| json!({ "customer": { "loyaltyNumber": card }, "points": 10, "idempotencyKey": key });
        make(&till, "loyaltyPointsHold", "", by_card("a")).await;
        make(&app.agent(), "loyaltyCardBlock", "card { status }", json!({ "customer": customer(), "reason": "Lost", "idempotencyKey": "b" })).await;
        assert_eq!(refusal(&till, "loyaltyPointsHold", by_card("c")).await, "CARD_BLOCKED");
        let quote = format!("{{ loyaltyQuote(customer: {{loyaltyNumber: {card}}}) {{ cardStatus spendablePoints }} }}");
        assert_eq!(*till.ask(&quote).await.at("/loyaltyQuote"), json!({ "cardStatus": "BLOCKED", "spendablePoints": 0 }));
        make(&till, "loyaltyPointsHold", "", hold(10, "d")).await;
        execute(&app, "UPDATE loyalty_accounts SET status = 'BLOCKED'").await;
        assert_eq!(refusal(&till, "loyaltyPointsHold", hold(10, "e")).await, "NOT_ACTIVE");
        assert_eq!(refusal(&till, "loyaltyPointsCapture", json!({ "hold": id, "idempotencyKey": "f" })).await, "NOT_ACTIVE");
        make(&till, "loyaltyPointsRelease", "", json!({ "hold": id, "idempotencyKey": "g" })).await;
        holds(&app).await;
    }
}

on_both! {
    async fn bad_input_at_the_till_has_a_code_and_no_effect(app: App::demo) {
        only(&app, 100).await;
        let till = app.partner("pos-partner", TILL);
        let id = held(&till, 10, "a").await;
        let before = (balance(&app).await, number(&app, "SELECT COUNT(*) FROM events").await);
        for (change, code) in [
            (json!({ "points": 0 }), "OUT_OF_RANGE"),
            (json!({ "points": -1 }), "OUT_OF_RANGE"),
            (json!({ "points": i32::MAX }), "OUT_OF_RANGE"),
            (json!({ "points": 91 }), "INSUFFICIENT_POINTS"),
            (json!({ "minutes": 0 }), "OUT_OF_RANGE"),
            (json!({ "minutes": 1_441 }), "OUT_OF_RANGE"),
            (json!({ "reference": " " }), "BLANK"),
            (json!({ "reference": "a\u{7}" }), "INVALID_TEXT"),
            (json!({ "reference": "x".repeat(501) }), "TOO_LONG"),
            (json!({ "customer": { "customerNumber": "C-999999" } }), "NOT_FOUND"),
            (json!({ "customer": { "customerNumber": demo::STRANGER.number } }), "NOT_FOUND"),
            (json!({ "idempotencyKey": "a", "points": 11 }), "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"),
        ] {
            let mut input = hold(10, "bad");
            input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(refusal(&till, "loyaltyPointsHold", input).await, code, "{change}");
        }
        for (points, code) in [(0, "OUT_OF_RANGE"), (-1, "OUT_OF_RANGE"), (11, "EXCEEDS_HOLD")] {
            let input = json!({ "hold": id, "points": points, "idempotencyKey": "bad" });
            assert_eq!(refusal(&till, "loyaltyPointsCapture", input).await, code);
        }
        let wrong = act(&till, "loyaltyPointsCapture", "", json!({ "hold": "ticket_00000000000000000000000000", "idempotencyKey": "bad" })).await;
        assert_eq!(wrong.code(), "BAD_USER_INPUT");
        for (basket, points, code) in [
            (json!({ "amount": "1.999", "currencyCode": "EUR" }), 1, "BAD_USER_INPUT"),
            (json!({ "amount": "-1.00", "currencyCode": "EUR" }), 1, "BAD_USER_INPUT"),
            (json!({ "amount": "1.00", "currencyCode": "EUR" }), -1, "BAD_USER_INPUT"),
        ] {
            let query = format!("query($basket: MoneyInput, $points: Int) {{ loyaltyQuote(customer: {{customerNumber: \"{NUMBER}\"}}, basket: $basket, points: $points) {{ usablePoints }} }}");
            assert_eq!(till.ask_with(&query, json!({ "basket": basket, "points": points })).await.code(), code);
        }
        let foreign = till.ask(&format!("{{ loyaltyQuote(customer: {{customerNumber: \"{NUMBER}\"}}, basket: {{amount: \"5000\", currencyCode: \"KRW\"}}) {{ usablePoints worth {{ amount }} earnedPoints }} }}")).await;
        assert_eq!(*foreign.at("/loyaltyQuote"), json!({ "usablePoints": null, "worth": null, "earnedPoints": 5_000 }));
        assert_eq!((balance(&app).await, number(&app, "SELECT COUNT(*) FROM events").await), before);
        holds(&app).await;
    }
}

on_both! {
    async fn of_64_tills_that_want_the_last_points_exactly_as_many_get_them_as_there_is_room_for(app: App::demo) {
        only(&app, 70).await;
        let till = app.partner("pos-partner", TILL);
        let keys: Vec<String> = (0..64).map(|at| format!("race-{at}")).collect();
        let answers = join_all(keys.iter().map(|key| act(&till, "loyaltyPointsHold", "hold { id }", hold(10, key)))).await;
        let won = answers.iter().filter(|answer| answer.at("/loyaltyPointsHold/hold").is_object()).count();
        assert_eq!(won, 7);
        for answer in answers.iter().filter(|answer| answer.at("/loyaltyPointsHold/hold").is_null()) {
            assert_eq!(refused(answer, "loyaltyPointsHold"), "INSUFFICIENT_POINTS");
        }
        holds(&app).await;
    }
}

on_both! {
    async fn a_hold_is_captured_once_however_many_try(app: App::demo) {
        only(&app, 100).await;
        let till = app.partner("pos-partner", TILL);
        let id = held(&till, 100, "a").await;
        let inputs = (0..16).map(|at| json!({ "hold": id, "points": 10, "idempotencyKey": format!("c-{at}") }));
        let answers = join_all(inputs.map(|input| act(&till, "loyaltyPointsCapture", "hold { id }", input))).await;
        let won = answers.iter().filter(|answer| answer.at("/loyaltyPointsCapture/hold").is_object()).count();
        assert_eq!((won, &balance(&app).await["active"]), (1, &json!(90)));
        holds(&app).await;
    }
}

on_both! {
    async fn the_requests_of_the_page_for_partners_work_as_they_stand(app: App::demo) {
        only(&app, 2_500).await;
        let till = app.partner("pos-partner", TILL);
        let page = include_str!("../../docs/partners/till.md");
        let requests: Vec<&str> = page.split("```graphql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        let [quote, hold, capture, release, coupon] = requests[..] else { panic!("{requests:?}") };
        assert_eq!(*till.ask(quote).await.at("/loyaltyQuote/usablePoints"), 2_490);
        let held = done(&till.ask(hold).await, "loyaltyPointsHold").clone();
        let id = held["hold"]["id"].as_str().unwrap();
        let with_id = |request: &str| request.replace("points_hold_01kayq3v9ze9vr5m6zk6c6k9yb", id);
        assert_eq!(done(&till.ask(&with_id(capture)).await, "loyaltyPointsCapture")["hold"]["capturedPoints"], 1_900);
        assert_eq!(refused(&till.ask(&with_id(release)).await, "loyaltyPointsRelease"), "HOLD_CLOSED");
        assert_eq!(refused(&till.ask(release).await, "loyaltyPointsRelease"), "NOT_FOUND");
        assert_eq!(refused(&till.ask(coupon).await, "couponRedeem"), "NOT_FOUND");
        holds(&app).await;
    }
}
