//! The books: debits, and entries undone by others.

use serde_json::{Value, json};

use super::*;
use crate::harness::on_both;

const SHOWN: &str =
    "account { balance { active owed } } transaction { id kind points reason creditedBy { displayName } }";

fn moved(points: i64, key: &str) -> Value {
    json!({ "customer": customer(), "points": points, "reason": "By mistake", "idempotencyKey": key })
}

fn undo(transaction: &Value, key: &str) -> Value {
    json!({ "transaction": transaction, "reason": "Undone", "idempotencyKey": key })
}

/// The newest entry of a kind of the customer.
async fn entry(app: &App, kind: &str) -> (Value, i64) {
    let query = format!(
        "{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ loyalty {{ transactions(first: 100) {{ nodes {{ id kind points }} }} }} }} }}"
    );
    let answer = app.agent().ask(&query).await;
    let nodes = answer.at("/customer360/loyalty/transactions/nodes").as_array().unwrap();
    let found = nodes.iter().find(|entry| entry["kind"] == kind).unwrap();
    (found["id"].clone(), found["points"].as_i64().unwrap())
}

on_both! {
    async fn an_agent_debits_no_more_than_can_be_spent(app: App::demo) {
        only(&app, 100).await;
        let made = make(&app.agent(), "loyaltyPointsDebit", SHOWN, moved(60, "a")).await;
        assert_eq!((&made["account"]["balance"]["active"], &made["transaction"]["points"]), (&json!(40), &json!(-60)));
        assert_eq!(refusal(&app.agent(), "loyaltyPointsDebit", moved(41, "b")).await, "INSUFFICIENT_POINTS");
        assert_eq!(refusal(&app.agent(), "loyaltyPointsDebit", moved(-1, "b")).await, "OUT_OF_RANGE");
        let mut stale = moved(1, "b");
        stale["expectedVersion"] = json!(1);
        assert_eq!(refusal(&app.agent(), "loyaltyPointsDebit", stale).await, "CONFLICT");
        holds(&app).await;
    }
}

on_both! {
    async fn an_entry_is_undone_once_and_what_undoes_it_not_at_all(app: App::demo) {
        only(&app, 1_000).await;
        let agent = app.agent();
        for (mutation, kind, back) in [("loyaltyPointsCredit", "ADJUSTMENT", -50), ("loyaltyPointsDebit", "ADJUSTMENT", 50)] {
            let made = make(&agent, mutation, SHOWN, moved(50, mutation)).await;
            let undone = make(&agent, "loyaltyPointsReverse", SHOWN, undo(&made["transaction"]["id"], &format!("{mutation}-1"))).await;
            assert_eq!((&undone["transaction"]["kind"], &undone["transaction"]["points"]), (&json!(kind), &json!(back)));
            assert_eq!(undone["account"]["balance"]["active"], 1_000);
            assert_eq!(refusal(&agent, "loyaltyPointsReverse", undo(&made["transaction"]["id"], &format!("{mutation}-2"))).await, "ALREADY_REVERSED");
            assert_eq!(refusal(&agent, "loyaltyPointsReverse", undo(&undone["transaction"]["id"], &format!("{mutation}-3"))).await, "NOT_REVERSIBLE");
        }
        let seen = agent.ask(&format!("{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ timeline(first: 1) {{ nodes {{ kind reason }} }} }} }}")).await;
        assert_eq!(*seen.at("/customer360/timeline/nodes/0"), json!({ "kind": "POINTS_REVERSED", "reason": "Undone" }));
        holds(&app).await;
    }
}

on_both! {
    async fn an_accrual_is_taken_back_and_what_is_spent_becomes_owed(app: App::demo) {
        let (accrual, points) = entry(&app, "ACCRUAL").await;
        let agent = app.agent();
        let before = balance(&app).await;
        make(&agent, "loyaltyPointsReverse", SHOWN, undo(&accrual, "a")).await;
        let after = balance(&app).await;
        let gone = |name: &str| before[name].as_i64().unwrap() - after[name].as_i64().unwrap();
        assert_eq!(gone("active") + gone("pending") - gone("owed"), points);
        assert_eq!(refusal(&agent, "loyaltyPointsReverse", undo(&accrual, "b")).await, "ALREADY_REVERSED");
        holds(&app).await;
    }
}

on_both! {
    async fn a_captured_hold_can_be_undone_and_a_bought_reward_is_cancelled_instead(app: App::demo) {
        only(&app, 100).await;
        check(&app).await;
        let agent = app.agent();
        let hold = json!({ "customer": customer(), "points": 60, "reason": "Till down", "idempotencyKey": "h" });
        let hold = make(&agent, "loyaltyPointsHold", "hold { id }", hold).await["hold"]["id"].clone();
        let capture = json!({ "hold": hold, "reason": "Till down", "idempotencyKey": "c" });
        let paid = make(&agent, "loyaltyPointsCapture", "transaction { id }", capture).await["transaction"]["id"].clone();
        assert_eq!(balance(&app).await["active"], 40);
        let undone = make(&agent, "loyaltyPointsReverse", SHOWN, undo(&paid, "u-a")).await;
        assert_eq!((&undone["transaction"]["kind"], &undone["account"]["balance"]["active"]), (&json!("REFUND"), &json!(100)));
        assert_eq!(refusal(&agent, "loyaltyPointsReverse", undo(&paid, "u-b")).await, "ALREADY_REVERSED");
        let id = reward(&app, "GIFT", 10, None, "").await;
        let phone = app.customer(app.id_of(NUMBER).await);
        make(&phone, "rewardRedeem", "", json!({ "reward": id, "idempotencyKey": "r" })).await;
        let (bought, _) = entry(&app, "REDEMPTION").await;
        assert_eq!(refusal(&agent, "loyaltyPointsReverse", undo(&bought, "u-c")).await, "NOT_REVERSIBLE");
        let (refund, _) = entry(&app, "REFUND").await;
        assert_eq!(refusal(&agent, "loyaltyPointsReverse", undo(&refund, "u-d")).await, "NOT_REVERSIBLE");
        let unknown = json!(c360_rules::id::encode(c360_rules::id::Kind::LoyaltyTransaction, uuid::Uuid::nil()));
        assert_eq!(refusal(&agent, "loyaltyPointsReverse", undo(&unknown, "u-e")).await, "NOT_FOUND");
        holds(&app).await;
    }
}

on_both! {
    async fn a_credit_that_was_undone_leaves_room_for_another_on_the_same_day(app: App::demo) {
        let agent = app.agent();
        let given = make(&agent, "loyaltyPointsCredit", SHOWN, moved(500, "a")).await;
        assert_eq!(refusal(&agent, "loyaltyPointsCredit", moved(1, "b")).await, "CEILING_EXCEEDED");
        make(&agent, "loyaltyPointsReverse", SHOWN, undo(&given["transaction"]["id"], "u")).await;
        make(&agent, "loyaltyPointsCredit", SHOWN, moved(500, "c")).await;
        assert_eq!(refusal(&agent, "loyaltyPointsCredit", moved(1, "d")).await, "CEILING_EXCEEDED");
        holds(&app).await;
    }
}

on_both! {
    async fn what_undoes_a_debit_is_no_goodwill(app: App::demo) {
        only(&app, 1_000).await;
        let agent = app.agent();
        let made = make(&agent, "loyaltyPointsDebit", SHOWN, moved(900, "a")).await;
        make(&agent, "loyaltyPointsReverse", SHOWN, undo(&made["transaction"]["id"], "b")).await;
        // The administrator's points of today count, the undone debit does not.
        let left = 500 - number(&app, "SELECT CAST(COALESCE(SUM(points), 0) AS bigint) FROM loyalty_transactions WHERE reason = 'Test' AND points > 0").await;
        let code = refusal(&agent, "loyaltyPointsCredit", moved(left.max(0) + 1, "c")).await;
        assert_eq!(code, "CEILING_EXCEEDED");
        if left > 0 {
            make(&agent, "loyaltyPointsCredit", SHOWN, moved(left, "d")).await;
        }
        holds(&app).await;
    }
}
