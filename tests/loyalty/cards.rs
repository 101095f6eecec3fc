//! Members and their cards.

use serde_json::{Value, json};

use super::*;
use crate::harness::on_both;

const STRANGER: &str = demo::STRANGER.number;

on_both! {
    async fn a_stranger_joins_and_is_found_by_the_card(app: App::demo) {
        let me = app.customer(app.id_of(STRANGER).await);
        let made = make(&me, "loyaltyEnroll", "account { number status version tier { rank } balance { active } } card { number status }", json!({})).await;
        assert_eq!(made["account"]["balance"]["active"], 0);
        assert_eq!((&made["account"]["tier"]["rank"], &made["card"]["status"]), (&json!(1), &json!("ACTIVE")));
        let number = made["card"]["number"].as_str().unwrap();
        let found = app.agent().ask(&format!("{{ customer360(by: {{loyaltyNumber: \"{number}\"}}) {{ number timeline(first: 1) {{ nodes {{ kind }} }} }} }}")).await;
        assert_eq!(*found.at("/customer360"), json!({ "number": STRANGER, "timeline": { "nodes": [{ "kind": "LOYALTY_ENROLLED" }] } }));
        assert_eq!(refusal(&me, "loyaltyEnroll", json!({})).await, "ALREADY_MEMBER");
        let taken = json!({ "customer": { "customerNumber": demo::DETRACTOR.number }, "cardNumber": number, "reason": "x" });
        assert_eq!(refusal(&app.agent(), "loyaltyEnroll", taken).await, "ALREADY_MEMBER");
        holds(&app).await;
    }
}

on_both! {
    async fn an_agent_enrols_with_the_card_that_is_handed_out(app: App::demo) {
        let agent = app.agent();
        let input = |number: &str| json!({ "customer": { "customerNumber": STRANGER }, "cardNumber": number, "reason": "At the desk", "idempotencyKey": "k" });
        let taken = agent.ask(&format!("{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ loyalty {{ cards {{ number }} }} }} }}")).await;
        let taken = taken.at("/customer360/loyalty/cards/0/number").as_str().unwrap().to_owned();
        assert_eq!(refusal(&agent, "loyaltyEnroll", input(&taken)).await, "NUMBER_TAKEN");
        assert_eq!(refusal(&agent, "loyaltyEnroll", input("- -")).await, "INVALID_TEXT");
        assert_eq!(refusal(&agent, "loyaltyEnroll", json!({ "customer": { "customerNumber": STRANGER } })).await, "BLANK");
        let made = make(&agent, "loyaltyEnroll", "card { number }", input("99 0000-1234")).await;
        assert_eq!(made, make(&agent, "loyaltyEnroll", "card { number }", input("99 0000-1234")).await);
        assert_eq!(number(&app, "SELECT COUNT(*) FROM loyalty_cards WHERE number LIKE '99%'").await, 1);
    }
}

on_both! {
    async fn a_lost_card_is_blocked_and_replaced(app: App::demo) {
        let me = app.customer(app.id_of(NUMBER).await);
        let blocked = make(&me, "loyaltyCardBlock", "card { number status blockedAt } account { status }", json!({ "idempotencyKey": "b" })).await;
        assert_eq!((&blocked["card"]["status"], &blocked["account"]["status"]), (&json!("BLOCKED"), &json!("ACTIVE")));
        let old = &blocked["card"]["number"];
        assert_eq!(refusal(&me, "loyaltyCardBlock", json!({ "number": old, "idempotencyKey": "c" })).await, "CARD_BLOCKED");
        assert_eq!(refusal(&me, "loyaltyCardBlock", json!({ "idempotencyKey": "d" })).await, "NOT_FOUND");
        assert_eq!(refusal(&me, "loyaltyCardReplace", json!({ "newNumber": old, "idempotencyKey": "e" })).await, "NUMBER_TAKEN");
        let new = make(&me, "loyaltyCardReplace", "card { number status } account { cards { number status } }", json!({ "idempotencyKey": "f" })).await;
        assert_eq!(new["card"]["status"], "ACTIVE");
        let cards = new["account"]["cards"].as_array().unwrap();
        let status = |number: &Value| cards.iter().find(|card| card["number"] == *number).unwrap()["status"].clone();
        assert_eq!((status(old), status(&new["card"]["number"])), (json!("REPLACED"), json!("ACTIVE")));
        assert_eq!(refusal(&me, "loyaltyCardReplace", json!({ "number": old, "idempotencyKey": "g" })).await, "CARD_BLOCKED");
        let other = app.customer(app.id_of(demo::VIP.number).await);
        let foreign = json!({ "customer": customer(), "idempotencyKey": "h" });
        assert_eq!(refusal(&other, "loyaltyCardBlock", foreign).await, "NOT_FOUND");
        for kind in ["LOYALTY_CARD_BLOCKED", "LOYALTY_CARD_REPLACED"] {
            assert_eq!(number(&app, &format!("SELECT COUNT(*) FROM events WHERE kind = '{kind}'")).await, 1);
        }
        holds(&app).await;
    }
}
