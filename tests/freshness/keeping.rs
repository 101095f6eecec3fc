//! What is kept, for whom, and what is not.

use c360::retailer::demo;
use c360_rules::access::Role;
use futures_util::future::join_all;
use serde_json::json;

use super::{ask, ask_kept, example, on_both_caches};
use crate::harness::actor::customer_gid;
use crate::writing::done;

const BY_ID: &str = "query($id: ID!) { customer360(by: { id: $id }) { name loyalty { balance { active } } } }";
const BY: &str = "query($by: CustomerIdentifier!) { customer360(by: $by) { id name } }";
const CREDIT: &str = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    account { balance { active } } userErrors { code } } }";

on_both_caches! {
    async fn an_answer_is_served_again_until_a_change_returns_and_never_after(kept: Kept) {
        let app = &kept.app;
        let id = json!({ "id": customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await) });
        let agent = app.agent();
        let first = ask_kept(&agent, BY_ID, id.clone()).await;
        let mut before = first["data"]["customer360"]["loyalty"]["balance"]["active"].as_i64().unwrap();
        for n in 0..5 {
            let input = json!({ "input": { "customer": { "id": id["id"] }, "points": 10, "reason": "Late", "idempotencyKey": format!("k{n}") } });
            let made = agent.ask_with(CREDIT, input).await;
            before += 10;
            assert_eq!(done(&made, "loyaltyPointsCredit")["account"]["balance"]["active"], before);
            let (after, from) = ask(&agent, BY_ID, id.clone()).await;
            assert_eq!(after["data"]["customer360"]["loyalty"]["balance"]["active"], before);
            assert_ne!(from, "HIT");
            assert_eq!(ask_kept(&agent, BY_ID, id.clone()).await, after);
        }
    }
}

on_both_caches! {
    async fn the_callers_own_screens_are_kept(kept: Kept) {
        let app = &kept.app;
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let plain = kept.plain().await;
        for (name, actor, own) in [
            ("agent-first-screen", app.agent(), plain.agent()),
            ("phone-balance", app.customer(me), plain.customer(me)),
        ] {
            let by = json!({ "by": { "id": customer_gid(me) } });
            let truth = ask(&own, example(name), by.clone()).await.0;
            assert_eq!(ask(&actor, example(name), by.clone()).await.0, truth);
            assert_eq!(ask_kept(&actor, example(name), by).await, truth);
        }
    }
}

on_both_caches! {
    async fn nobody_is_served_what_another_may_see(kept: Kept) {
        let app = &kept.app;
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let other = app.id_of(demo::VIP.number).await;
        let plain = kept.plain().await;
        let document = "query($by: CustomerIdentifier!) { customer360(by: $by) { name email vip orders(first: 3) { nodes { number lines(first: 2) { nodes { sku margin { amount } } } } } tickets { nodes { number } } loyalty { number } } }";
        let own = "{ me { name email loyalty { number balance { active } } orders(first: 2) { nodes { number } } } }";
        let scopes = ["customers:read", "customers:read orders:read pii:read", "customers:read tickets:write", "orders:read"];
        let callers = |app| {
            let mut all = vec![("staff".to_owned(), crate::harness::App::agent(app)), ("admin".to_owned(), app.staff(Role::Admin))];
            all.extend(scopes.iter().map(|scope| ((*scope).to_owned(), app.partner("shop-partner", scope))));
            all.extend([("me".to_owned(), app.customer(me)), ("other".to_owned(), app.customer(other))]);
            all
        };
        for round in 0..3 {
            for ((name, kept), (_, plain)) in callers(app).into_iter().zip(callers(&plain)) {
                for (document, variables) in [(document, json!({ "by": { "id": customer_gid(me) } })), (own, json!({}))] {
                    let truth = ask(&plain, document, variables.clone()).await.0;
                    let (answer, from) = ask(&kept, document, variables).await;
                    assert_eq!(answer, truth, "{name} in round {round}, {from}");
                }
            }
        }
    }
}

on_both_caches! {
    async fn what_rests_on_something_without_a_version_is_not_kept(kept: Kept) {
        let app = &kept.app;
        let agent = app.agent();
        let order = agent.ask("{ customer360(by: {customerNumber: \"C-000001\"}) { orders(first: 1) { nodes { number } } } }").await;
        let order = order.at("/customer360/orders/nodes/0/number").clone();
        for (by, reason) in [
            (json!({ "order": { "number": order } }), "FINDING"),
            (json!({ "customerNumber": "C-999999" }), "FINDING"),
            (json!({ "email": "nobody@example.com" }), "FINDING"),
            (json!({ "phone": demo::HOUSEHOLD_PHONE }), "ERRORS"),
        ] {
            for _ in 0..3 {
                assert_eq!(ask(&agent, BY, json!({ "by": by })).await.1, reason, "{by}");
            }
        }
        for document in ["{ customers(query: \"Thompson\") { nodes { name } } }", "{ loyaltyProgramme { name } }"] {
            assert_eq!(ask(&agent, document, json!({})).await.1, "", "{document}");
        }
    }
}

on_both_caches! {
    async fn who_is_found_by_an_email_is_found_anew_when_it_passes_to_another(kept: Kept) {
        let app = &kept.app;
        let agent = app.agent();
        let by = json!({ "by": { "email": demo::DEMO_CUSTOMER.email } });
        let zoe = customer_gid(app.id_of(demo::DEMO_CUSTOMER.number).await);
        assert_eq!(ask(&agent, BY, by.clone()).await.1, "FINDING", "nobody knows yet whose version to look at");
        assert_eq!(ask_kept(&agent, BY, by.clone()).await["data"]["customer360"]["id"], zoe);
        let identities = format!("query {{ customer360(by: {{ id: \"{zoe}\" }}) {{ identities {{ id kind value }} }} }}");
        let found = agent.ask(&identities).await;
        let all = found.at("/customer360/identities").as_array().unwrap();
        let email = all.iter().find(|identity| identity["value"] == demo::DEMO_CUSTOMER.email).unwrap()["id"].clone();
        let check = "mutation($input: CustomerVerificationRecordInput!) { customerVerificationRecord(input: $input) { userErrors { code message } } }";
        let checked = agent.ask_with(check, json!({ "input": { "customer": { "id": zoe }, "method": "CALLBACK", "outcome": "PASSED" } })).await;
        done(&checked, "customerVerificationRecord");
        let remove = "mutation($input: CustomerIdentityRemoveInput!) { customerIdentityRemove(input: $input) { userErrors { code message } } }";
        done(&agent.ask_with(remove, json!({ "input": { "identityId": email } })).await, "customerIdentityRemove");
        assert_eq!(ask(&agent, BY, by).await.0["data"]["customer360"], json!(null));
    }
}

on_both_caches! {
    async fn a_thousand_who_miss_at_once_have_one_answer_made(kept: Kept) {
        let app = &kept.app;
        let me = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let phone = app.customer(me);
        // The token, and where the versions lie.
        ask_kept(&phone, "{ me { id } }", json!({})).await;
        let before = app.statements();
        let answers = join_all((0..1_000).map(|_| ask(&phone, example("phone-balance"), json!({})))).await;
        assert_eq!(app.statements() - before, 1);
        for (answer, from) in &answers {
            assert_eq!(*answer, answers[0].0, "{from}");
        }
    }
}

on_both_caches! {
    async fn an_answer_that_was_kept_tells_its_age_and_reads_nothing(kept: Kept) {
        let app = &kept.app;
        let phone = app.customer(app.id_of(demo::DEMO_CUSTOMER.number).await);
        ask_kept(&phone, "{ me { name } }", json!({})).await;
        app.state.clock.set(crate::harness::now() + chrono::TimeDelta::milliseconds(1500));
        let answer = phone.ask("{ me { name } }").await;
        let extensions = &answer.body["extensions"];
        assert_eq!(extensions["cache"], json!({ "status": "HIT", "ageMs": 1500 }));
        assert_eq!(extensions["cost"]["actual"], 0);
    }
}

on_both_caches! {
    async fn other_words_other_variables_and_another_operation_are_another_answer(kept: Kept) {
        let app = &kept.app;
        let agent = app.agent();
        let ids = [app.id_of("C-000001").await, app.id_of("C-000002").await].map(customer_gid);
        let document = "query A($id: ID!) { customer360(by: { id: $id }) { id } } query B($id: ID!) { customer360(by: { id: $id }) { number } }";
        for _ in 0..2 {
            for (id, number) in ids.iter().zip(["C-000001", "C-000002"]) {
                for (operation, wanted) in [("A", json!({ "id": id })), ("B", json!({ "number": number }))] {
                    let body = json!({ "query": document, "operationName": operation, "variables": { "id": id } });
                    let answer: serde_json::Value = agent.post(body).send().await.unwrap().json().await.unwrap();
                    assert_eq!(answer["data"]["customer360"], wanted);
                }
            }
        }
    }
}
