//! Whatever dies, every committed event is sealed exactly once, in an order that respects each customer's commits.
//!
//! `C360_TEST_MUTATIONS` and `C360_TEST_KILLS`; `scripts/prove seal` is the long form.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use c360::retailer::demo;
use c360_rules::access::Role;
use futures_util::future::join_all;
use serde_json::json;

use super::fleet::{CREDIT, Fleet, credit};
use super::size;

const WORKERS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn every_committed_event_is_sealed_once_and_in_order_while_gateways_are_killed() {
    let (mutations, kills) = (size("C360_TEST_MUTATIONS", 240), size("C360_TEST_KILLS", 3));
    let fleet = Fleet::start().await;
    let customers = members(&fleet).await;
    let (begun, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (fleet, begun, refused, customers) = (fleet.clone(), begun.clone(), refused.clone(), customers.clone());
            tokio::spawn(async move {
                let token = fleet.staff(Role::Admin, &format!("admin-{worker}"));
                loop {
                    let at = begun.fetch_add(1, Ordering::SeqCst);
                    if at >= mutations {
                        return;
                    }
                    let mut input = credit(&customers[at % customers.len()], 1, "proof", &format!("k-{at}"));
                    // Some are refused when they have begun.
                    if at % 10 == 9 {
                        input["input"]["expectedVersion"] = json!(1_000_000);
                    }
                    let made = fleet.ask(&token, CREDIT, input).await;
                    if at % 10 == 9 {
                        assert_eq!(made["userErrors"][0]["code"], "CONFLICT", "{made}");
                        refused.fetch_add(1, Ordering::SeqCst);
                    } else {
                        assert!(made["transaction"]["id"].is_string(), "{made}");
                    }
                }
            })
        })
        .collect();
    for kill in 0..kills {
        while begun.load(Ordering::SeqCst) < (kill + 1) * mutations / (kills + 1) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        // In turn the one that seals, and any other.
        let leader = match fleet.leader("seal").await {
            Some(process) if kill % 2 == 0 => fleet.place_of(process).await,
            _ => None,
        };
        let at = leader.unwrap_or(kill % 3);
        fleet.kill(at).await;
    }
    for worker in join_all(workers).await {
        worker.unwrap();
    }
    fleet.sealed().await;
    let made = mutations - refused.load(Ordering::SeqCst);
    let of_proof = "FROM events e JOIN loyalty_transactions t ON t.id = e.subject_id WHERE t.reason = 'proof'";
    assert_eq!(fleet.number("SELECT COUNT(*) FROM loyalty_transactions WHERE reason = 'proof'").await as usize, made);
    assert_eq!(
        fleet.number(&format!("SELECT COUNT(*) {of_proof}")).await as usize,
        made,
        "an event for each, and no other"
    );
    assert_eq!(fleet.number("SELECT COUNT(*) FROM events WHERE reason = 'proof'").await as usize, made);
    let events = fleet.number("SELECT COUNT(*) FROM events").await;
    assert_eq!(fleet.number("SELECT MAX(position) FROM events").await, events);
    assert_eq!(fleet.number("SELECT COUNT(DISTINCT position) FROM events WHERE position > 0").await, events);
    // The balances of an account grow in the order of its commits.
    let order = format!(
        "SELECT COUNT(*) FROM (SELECT t.points, t.balance_after, \
         LAG(t.balance_after) OVER (PARTITION BY t.account_id ORDER BY e.position) AS before {of_proof}) x \
         WHERE balance_after <> before + points"
    );
    assert_eq!(fleet.number(&order).await, 0);
    fleet.holds().await;
}

/// Customers with a loyalty account, a few of them: many changes of each.
async fn members(fleet: &Fleet) -> Vec<String> {
    use sea_orm::{ConnectionTrait as _, Statement};
    let db = &fleet.database.connection;
    let sql = "SELECT c.number FROM customers c JOIN loyalty_accounts a ON a.customer_id = c.id \
        WHERE a.status = 'ACTIVE' AND c.status = 'ACTIVE' ORDER BY c.number LIMIT 6";
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let mut found: Vec<String> = rows.iter().map(|row| row.try_get("", "number").unwrap()).collect();
    found.push(demo::DEMO_CUSTOMER.number.into());
    found
}
