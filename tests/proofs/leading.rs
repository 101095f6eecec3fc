//! When a leader dies, another leads soon.

use std::time::{Duration, Instant};

use c360::retailer::demo;
use c360_rules::access::Role;

use super::fleet::{CREDIT, Fleet, credit};

#[tokio::test(flavor = "multi_thread")]
async fn within_ten_seconds_of_a_leaders_death_another_seals() {
    let fleet = Fleet::start().await;
    fleet.sealed().await;
    let leader = fleet.leader("seal").await.expect("nobody seals");
    let at = fleet.place_of(leader).await.expect("the leader is dead");
    let died = Instant::now();
    fleet.kill(at).await;
    let token = fleet.staff(Role::Admin, "admin-1");
    fleet.ask(&token, CREDIT, credit(demo::DEMO_CUSTOMER.number, 1, "after", "after")).await;
    loop {
        let sealed = fleet.number("SELECT COUNT(*) FROM events WHERE reason = 'after' AND position IS NOT NULL").await;
        let next = fleet.leader("seal").await;
        if sealed == 1 && next.is_some_and(|next| next != leader) {
            break;
        }
        assert!(died.elapsed() < Duration::from_secs(10), "sealed: {sealed}, led by {next:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    fleet.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_asked_to_stop_gives_its_lease_back() {
    use crate::harness::{Backend, Database};
    use crate::operating::process::Gateway;
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = Database::demo(backend).await;
        let mut gateway = Gateway::start(&database.url, &[("C360_JOBS_ENABLED", "true")]).await;
        gateway.wait_for_line("this gateway leads").await;
        let unsealed = "SELECT COUNT(*) FROM events WHERE position IS NULL";
        let started = Instant::now();
        while crate::log::number_of(&database.connection, unsealed).await > 0 {
            assert!(started.elapsed() < Duration::from_secs(30), "{}", gateway.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let figures = gateway.figures().await;
        assert!(figures.contains("c360_job_led{job=\"seal\"} 1\n"), "{figures}");
        assert!(figures.contains("c360_job_runs_total{job=\"seal\",result=\"ok\"}"), "{figures}");
        assert!(figures.contains("c360_job_lag_seconds{job=\"prune\"} 0"), "{figures}");
        gateway.signal("-TERM");
        let (status, took) = gateway.ended().await;
        assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}\n{}", gateway.log());
        assert_eq!(crate::log::number_of(&database.connection, "SELECT COUNT(*) FROM job_leases").await, 0);
    }
}
