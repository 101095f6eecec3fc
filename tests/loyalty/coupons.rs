//! Coupons: given by staff, used once.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::harness::{now, on_both};

fn issue(definition: &str, key: &str) -> Value {
    json!({ "customer": customer(), "definition": definition, "reason": "Sorry for the wait", "idempotencyKey": key })
}

async fn issued(app: &App, key: &str) -> Value {
    make(&app.agent(), "couponIssue", "coupon { id code status title expiresAt percentage }", issue("WARM", key)).await
        ["coupon"]
        .clone()
}

on_both! {
    async fn an_agent_gives_a_coupon_and_a_till_uses_it_once(app: App::demo) {
        let coupon = issued(&app, "a").await;
        assert_eq!((&coupon["status"], &coupon["percentage"], &coupon["expiresAt"]), (&json!("ISSUED"), &json!("20"), &json!("2027-01-30T12:00:00Z")));
        let till = app.partner("pos-partner", "loyalty:write orders:read");
        let order = app.agent().ask(&format!("{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ orders(first: 1) {{ nodes {{ id }} }} }} }}")).await;
        let order = order.at("/customer360/orders/nodes/0/id").clone();
        let used = json!({ "code": coupon["code"], "order": { "id": order }, "idempotencyKey": "u" });
        let made = make(&till, "couponRedeem", "coupon { status order { id } }", used).await;
        assert_eq!(made["coupon"], json!({ "status": "REDEEMED", "order": { "id": order } }));
        let again = json!({ "code": coupon["code"], "idempotencyKey": "v" });
        assert_eq!(refusal(&till, "couponRedeem", again).await, "ALREADY_USED");
        holds(&app).await;
    }
}

on_both! {
    async fn of_16_tills_one_uses_a_coupon(app: App::demo) {
        let coupon = issued(&app, "a").await;
        let till = app.partner("pos-partner", "loyalty:write");
        let inputs = (0..16).map(|at| json!({ "code": coupon["code"], "idempotencyKey": format!("u-{at}") }));
        let answers = join_all(inputs.map(|input| act(&till, "couponRedeem", "coupon { id }", input))).await;
        assert_eq!(answers.iter().filter(|answer| answer.at("/couponRedeem/coupon").is_object()).count(), 1);
    }
}

on_both! {
    async fn each_reason_not_to_give_or_take_a_coupon_has_its_code(app: App::demo) {
        let before = number(&app, "SELECT COUNT(*) FROM coupons").await;
        for (change, code) in [
            (json!({ "definition": "NO-SUCH" }), "NOT_FOUND"),
            (json!({ "campaign": "SPRING" }), "NOT_FOUND"),
            (json!({ "definition": "LINEN" }), "CAMPAIGN_OVER"),
            (json!({ "expiresAt": "2026-11-01T12:00:00Z" }), "OUT_OF_RANGE"),
            (json!({ "reason": "" }), "BLANK"),
            (json!({ "customer": { "customerNumber": "C-999999" } }), "NOT_FOUND"),
        ] {
            let mut input = issue("WARM", "bad");
            input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(refusal(&app.agent(), "couponIssue", input).await, code, "{change}");
        }
        execute(&app, "UPDATE coupon_definitions SET code = 'WARM' WHERE code = 'HELLO'").await;
        assert_eq!(refusal(&app.agent(), "couponIssue", issue("WARM", "bad")).await, "AMBIGUOUS");
        assert_eq!(number(&app, "SELECT COUNT(*) FROM coupons").await, before);
        let mut input = issue("WARM", "good");
        input["campaign"] = json!("AUTUMN");
        let coupon = make(&app.agent(), "couponIssue", "coupon { code }", input).await["coupon"].clone();

        let till = app.partner("pos-partner", "loyalty:write orders:read");
        let other = app.agent().ask(&format!("{{ customer360(by: {{customerNumber: \"{}\"}}) {{ orders(first: 1) {{ nodes {{ id }} }} }} }}", demo::VIP.number)).await;
        for (change, code) in [
            (json!({ "code": "NO-SUCH" }), "NOT_FOUND"),
            (json!({ "code": " " }), "BLANK"),
            (json!({ "order": { "id": other.at("/customer360/orders/nodes/0/id") } }), "NOT_FOUND"),
            (json!({ "order": { "number": { "number": "NO-SUCH" } } }), "NOT_FOUND"),
        ] {
            let mut input = json!({ "code": coupon["code"], "idempotencyKey": "bad" });
            input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(refusal(&till, "couponRedeem", input).await, code, "{change}");
        }
        // Good for another currency than the order's.
        execute(&app, "UPDATE coupon_definitions SET currency = 'KRW', kind = 'AMOUNT', value_minor = 5, percentage_bp = NULL WHERE code = 'WARM'").await;
        let own = app.agent().ask(&format!("{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ orders(first: 1) {{ nodes {{ id }} }} }} }}")).await;
        let input = json!({ "code": coupon["code"], "order": { "id": own.at("/customer360/orders/nodes/0/id") }, "idempotencyKey": "bad" });
        assert_eq!(refusal(&till, "couponRedeem", input.clone()).await, "CURRENCY_MISMATCH");
        let blind = app.partner("pos-partner", "loyalty:write");
        assert_eq!(refusal(&blind, "couponRedeem", input).await, "NOT_FOUND", "an order that the till may not know of");
        app.state.clock.set(now() + TimeDelta::days(91));
        let till = app.partner("pos-partner", "loyalty:write");
        assert_eq!(refusal(&till, "couponRedeem", json!({ "code": coupon["code"], "idempotencyKey": "late" })).await, "EXPIRED");
    }
}
