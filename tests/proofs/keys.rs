//! However often a request is sent, whatever dies meanwhile: one effect, one result.
//!
//! `C360_TEST_KEYS`, `C360_TEST_DUPLICATES`, `C360_TEST_KILLS`; `scripts/prove keys` is the long form.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use c360::retailer::demo;
use c360_rules::access::Role;
use futures_util::future::join_all;

use super::fleet::{CREDIT, Fleet, credit};
use super::size;

/// Keys that are worked on at the same time.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_one_effect_and_one_result_while_gateways_are_killed() {
    let (keys, duplicates) = (size("C360_TEST_KEYS", 48), size("C360_TEST_DUPLICATES", 16));
    let kills = size("C360_TEST_KILLS", 3);
    let fleet = Fleet::start().await;
    let token = fleet.staff(Role::Admin, "admin-1");
    let done = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|worker| {
            let (fleet, token, done) = (fleet.clone(), token.clone(), done.clone());
            tokio::spawn(async move {
                for key in (worker..keys).step_by(AT_ONCE) {
                    let key = format!("key-{key}");
                    let input = credit(demo::DEMO_CUSTOMER.number, 1, &key, &key);
                    let asked = (0..duplicates).map(|_| fleet.ask(&token, CREDIT, input.clone()));
                    let answers = join_all(asked).await;
                    assert!(answers[0]["transaction"]["id"].is_string(), "{}", answers[0]);
                    assert!(answers.iter().all(|answer| *answer == answers[0]), "{key}: {answers:?}");
                    done.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for kill in 0..kills {
        while done.load(Ordering::SeqCst) < (kill + 1) * keys / (kills + 1) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        fleet.kill(kill % 3).await;
    }
    for worker in join_all(workers).await {
        worker.unwrap();
    }
    let effects = "SELECT COUNT(*) FROM loyalty_transactions WHERE reason LIKE 'key-%'";
    assert_eq!(fleet.number(effects).await as usize, keys);
    let distinct = "SELECT COUNT(DISTINCT reason) FROM loyalty_transactions WHERE reason LIKE 'key-%'";
    assert_eq!(fleet.number(distinct).await as usize, keys);
    assert_eq!(fleet.number("SELECT COUNT(*) FROM idempotency_records").await as usize, keys);
    assert_eq!(fleet.unavailable.load(Ordering::Relaxed), 0, "a gateway ran out of connections");
    assert_eq!(fleet.pool_timeouts().await, ["c360_pool_timeouts_total 0"; 3]);
    fleet.sealed().await;
    fleet.holds().await;
}
