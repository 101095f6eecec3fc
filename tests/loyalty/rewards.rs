//! Rewards: bought, called off, and run out.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::harness::{now, on_both};

const SHOWN: &str = "redemption { id status points coupon { id } } coupon { id code status value { amount currencyCode } expiresAt } \
    account { balance { active } }";

fn buy(reward: &str, key: &str) -> Value {
    json!({ "reward": reward, "idempotencyKey": key })
}

async fn stock(app: &App) -> i64 {
    number(app, "SELECT CAST(SUM(stock) AS bigint) FROM rewards WHERE code LIKE 'TEST-%'").await
}

on_both! {
    async fn a_customer_buys_a_discount_and_calls_it_off(app: App::demo) {
        only(&app, 300).await;
        let phone = app.customer(app.id_of(NUMBER).await);
        let id = reward(&app, "DISCOUNT", 100, Some(3), "").await;
        let made = make(&phone, "rewardRedeem", SHOWN, buy(&id, "a")).await;
        assert_eq!(made["redemption"]["status"], "ISSUED");
        assert_eq!(made["redemption"]["coupon"]["id"], made["coupon"]["id"]);
        assert_eq!(made["coupon"]["value"], json!({ "amount": "5.00", "currencyCode": "EUR" }));
        assert!(made["coupon"]["expiresAt"].as_str().unwrap().starts_with("2027-01-30T12:00:00"));
        assert_eq!((&made["account"]["balance"]["active"], stock(&app).await), (&json!(200), 2));
        let second = make(&phone, "rewardRedeem", SHOWN, buy(&id, "b")).await;
        assert_ne!(second["coupon"]["code"], made["coupon"]["code"]);
        let cancel = json!({ "redemption": made["redemption"]["id"], "idempotencyKey": "c" });
        let back = make(&phone, "redemptionCancel", "redemption { status coupon { status } } account { balance { active } }", cancel.clone()).await;
        assert_eq!(back["redemption"], json!({ "status": "CANCELLED", "coupon": { "status": "CANCELLED" } }));
        assert_eq!((&back["account"]["balance"]["active"], stock(&app).await), (&json!(200), 2));
        let again = json!({ "redemption": made["redemption"]["id"], "idempotencyKey": "d" });
        assert_eq!(refusal(&phone, "redemptionCancel", again).await, "ALREADY_CANCELLED");
        // A coupon that was used is a reward that was had.
        let till = app.partner("pos-partner", "loyalty:write");
        make(&till, "couponRedeem", "", json!({ "code": second["coupon"]["code"], "idempotencyKey": "u" })).await;
        let late = json!({ "redemption": second["redemption"]["id"], "idempotencyKey": "e" });
        assert_eq!(refusal(&phone, "redemptionCancel", late).await, "ALREADY_USED");
        let seen = phone.ask("{ me { loyalty { redemptions(first: 1) { nodes { status } } } timeline(first: 2) { nodes { kind } } } }").await;
        assert_eq!(*seen.at("/me/loyalty/redemptions/nodes/0/status"), "FULFILLED");
        assert_eq!(*seen.at("/me/timeline/nodes/0/kind"), "COUPON_REDEEMED");
        holds(&app).await;
    }
}

on_both! {
    async fn each_reason_not_to_give_a_reward_has_its_code_and_no_effect(app: App::demo) {
        only(&app, 100).await;
        let phone = app.customer(app.id_of(NUMBER).await);
        let good = reward(&app, "GIFT", 100, Some(1), "").await;
        let before = (balance(&app).await, stock(&app).await, number(&app, "SELECT COUNT(*) FROM events").await);
        for (cost, stock, rest, code) in [
            (101, None, "", "INSUFFICIENT_POINTS"),
            (1, Some(0), "", "OUT_OF_STOCK"),
            (1, None, "min_tier_rank = 99", "TIER_TOO_LOW"),
            (1, None, "active = false", "REWARD_UNAVAILABLE"),
            (1, None, "starts_at = '2026-11-02T00:00:00+00:00'", "REWARD_UNAVAILABLE"),
            (1, None, "ends_at = '2026-11-01T00:00:00+00:00'", "REWARD_UNAVAILABLE"),
        ] {
            let id = reward(&app, "GIFT", cost, stock, rest).await;
            assert_eq!(refusal(&phone, "rewardRedeem", buy(&id, "bad")).await, code, "{rest}");
        }
        let unknown = c360_rules::id::encode(c360_rules::id::Kind::Reward, uuid::Uuid::nil());
        assert_eq!(refusal(&phone, "rewardRedeem", buy(&unknown, "bad")).await, "NOT_FOUND");
        // Staff say why, and for whom.
        let mut input = buy(&good, "bad");
        input["customer"] = customer();
        assert_eq!(refusal(&app.agent(), "rewardRedeem", input.clone()).await, "BLANK");
        assert_eq!(act(&app.agent(), "rewardRedeem", "", json!({ "reward": good, "reason": "Asked for it", "idempotencyKey": "bad" })).await.code(), "BAD_USER_INPUT");
        // Nobody else's.
        input["customer"] = json!({ "customerNumber": demo::VIP.number });
        assert_eq!(refusal(&phone, "rewardRedeem", input).await, "NOT_FOUND");
        let after = (balance(&app).await, stock(&app).await, number(&app, "SELECT COUNT(*) FROM events").await);
        assert_eq!(after, before);
        make(&phone, "rewardRedeem", "", buy(&good, "bad")).await;
        holds(&app).await;
    }
}

on_both! {
    async fn staff_spend_what_is_a_customers_only_after_checking_who_is_calling(app: App::demo) {
        only(&app, 100).await;
        let (agent, phone, till) = (app.agent(), app.customer(app.id_of(NUMBER).await), app.partner("pos-partner", "loyalty:write"));
        let gift = reward(&app, "GIFT", 10, None, "").await;
        let coupon = json!({ "customer": customer(), "definition": "WARM", "reason": "Sorry", "idempotencyKey": "i" });
        let coupon = make(&agent, "couponIssue", "coupon { code }", coupon).await["coupon"]["code"].clone();
        let held = make(&till, "loyaltyPointsHold", "hold { id }", json!({ "customer": customer(), "points": 5, "idempotencyKey": "t" })).await;
        let taking = [
            ("rewardRedeem", json!({ "reward": gift, "customer": customer() })),
            ("loyaltyPointsHold", json!({ "customer": customer(), "points": 5 })),
            ("loyaltyPointsCapture", json!({ "hold": held["hold"]["id"] })),
            ("couponRedeem", json!({ "code": coupon })),
            ("loyaltyCardReplace", json!({ "customer": customer() })),
        ];
        let asked = |input: &Value| {
            let mut input = input.clone();
            (input["reason"], input["idempotencyKey"]) = (json!("On the phone"), json!("k"));
            input
        };
        for (mutation, input) in &taking {
            assert_eq!(refusal(&agent, mutation, asked(input)).await, "CALLER_NOT_VERIFIED", "{mutation}");
        }
        // What gives something back, or protects, needs none.
        make(&agent, "loyaltyCardBlock", "", asked(&json!({ "customer": customer() }))).await;
        let bought = make(&phone, "rewardRedeem", "redemption { id }", json!({ "reward": gift, "idempotencyKey": "p" })).await;
        let back = json!({ "redemption": bought["redemption"]["id"], "reason": "On the phone", "idempotencyKey": "b" });
        make(&agent, "redemptionCancel", "", back).await;
        check(&app).await;
        for (at, (mutation, input)) in taking.iter().enumerate() {
            let mut input = asked(input);
            input["idempotencyKey"] = json!(format!("checked-{at}"));
            make(&agent, mutation, "", input).await;
        }
        holds(&app).await;
    }
}

on_both! {
    async fn nobody_calls_off_what_is_somebody_elses(app: App::demo) {
        only(&app, 100).await;
        let phone = app.customer(app.id_of(NUMBER).await);
        let id = reward(&app, "GIFT", 50, None, "").await;
        let made = make(&phone, "rewardRedeem", SHOWN, buy(&id, "a")).await;
        assert_eq!(made["coupon"], Value::Null);
        let cancel = json!({ "redemption": made["redemption"]["id"], "idempotencyKey": "c" });
        let other = app.customer(app.id_of(demo::VIP.number).await);
        assert_eq!(refusal(&other, "redemptionCancel", cancel.clone()).await, "NOT_FOUND");
        assert_eq!(refusal(&app.agent(), "redemptionCancel", cancel.clone()).await, "BLANK");
        let mut cancel = cancel;
        cancel["reason"] = json!("The customer called");
        make(&app.agent(), "redemptionCancel", "", cancel).await;
        assert_eq!(balance(&app).await["active"], 100);
        holds(&app).await;
    }
}

on_both! {
    async fn points_that_come_back_after_their_expiry_come_back_as_new_ones(app: App::demo) {
        only(&app, 100).await;
        let phone = app.customer(app.id_of(NUMBER).await);
        let id = reward(&app, "GIFT", 100, None, "").await;
        let made = make(&phone, "rewardRedeem", SHOWN, buy(&id, "a")).await;
        app.state.clock.set(now() + TimeDelta::days(800));
        let phone = app.customer(app.id_of(NUMBER).await);
        let cancel = json!({ "redemption": made["redemption"]["id"], "idempotencyKey": "c" });
        let back = make(&phone, "redemptionCancel", "account { balance { active } nextExpiry { expiresAt points } }", cancel).await;
        assert_eq!(back["account"]["balance"]["active"], 100);
        assert_eq!(back["account"]["nextExpiry"]["points"], 100);
        holds(&app).await;
    }
}

on_both! {
    async fn of_64_who_want_the_last_pieces_exactly_as_many_get_one_as_there_are(app: App::demo) {
        let id = reward(&app, "GIFT_CARD", 1, Some(5), "").await;
        let till = app.partner("pos-partner", "customers:read loyalty:write");
        let members = "SELECT c.number FROM customers c JOIN loyalty_accounts a ON a.customer_id = c.id WHERE c.status = 'ACTIVE' AND a.status = 'ACTIVE' AND a.active_points > 64 ORDER BY c.number LIMIT 16";
        let db = &app.state.db;
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), members)).await.unwrap();
        let numbers: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert!(numbers.len() > 3, "{numbers:?}");
        let inputs = (0..64).map(|at| json!({
            "reward": id, "customer": { "customerNumber": numbers[at % numbers.len()] }, "idempotencyKey": format!("race-{at}"),
        }));
        let answers = join_all(inputs.map(|input| act(&till, "rewardRedeem", "redemption { id }", input))).await;
        let won = answers.iter().filter(|answer| answer.at("/rewardRedeem/redemption").is_object()).count();
        assert_eq!((won, stock(&app).await), (5, 0));
        for answer in answers.iter().filter(|answer| answer.at("/rewardRedeem/redemption").is_null()) {
            assert_eq!(refused(answer, "rewardRedeem"), "OUT_OF_STOCK");
        }
        holds(&app).await;
    }
}
