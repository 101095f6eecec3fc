//! Positions and links.

use c360::auth::issue::NewKey;
use c360::events::check::{Against, Checked, check};
use c360::events::heads::{self, HeadKeys};
use c360::retailer::demo;
use c360_rules::access::Role;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::{execute, number, seal};
use crate::harness::{App, Backend, Database, now, on_both};
use crate::writing::done;

pub(super) const CREDIT: &str = "mutation($input: LoyaltyPointsCreditInput!) { loyaltyPointsCredit(input: $input) { \
    transaction { id } userErrors { code message } } }";

pub(super) fn credit(customer: &str, points: i64, key: &str) -> Value {
    json!({ "input": {
        "customer": { "customerNumber": customer }, "points": points, "reason": "Late parcel", "idempotencyKey": key,
    } })
}

pub(super) async fn checked<C: ConnectionTrait>(db: &C, against: &Against) -> (Checked, Vec<String>) {
    let mut told = Vec::new();
    let checked = check(db, against, now(), |line| told.push(line)).await.unwrap();
    (checked, told)
}

on_both! {
    async fn every_event_gets_a_place_and_each_customers_are_in_the_order_of_their_commits(app: App::demo) {
        let supervisor = app.staff(Role::Admin);
        let customers = ["C-000001", "C-000002", demo::DEMO_CUSTOMER.number];
        let credits = (0..30).map(|at| supervisor.ask_with(CREDIT, credit(customers[at % 3], 1, &format!("k{at}"))));
        let sealed = async {
            let mut sealed = 0;
            for _ in 0..5 {
                sealed += seal(&app.state).await;
            }
            sealed
        };
        let (answers, before) = tokio::join!(join_all(credits), sealed);
        let made = answers.iter().filter(|answer| answer.data()["loyaltyPointsCredit"]["userErrors"] == json!([])).count();
        assert!(made >= 10, "{:#}", answers[0].body);
        let after = seal(&app.state).await;
        let events = number(&app, "SELECT COUNT(*) FROM events").await;
        assert_eq!((before + after) as i64, events, "each is sealed once");
        assert_eq!(number(&app, "SELECT MAX(position) FROM events").await, events);
        assert_eq!(number(&app, "SELECT MIN(position) FROM events").await, 1);
        let out_of_order = "SELECT COUNT(*) FROM (SELECT e.recorded_at, LAG(e.recorded_at) OVER \
            (PARTITION BY e.customer_id ORDER BY e.position) AS before FROM events e) x WHERE recorded_at < before";
        assert_eq!(number(&app, out_of_order).await, 0);
        let balances = "SELECT COUNT(*) FROM (SELECT t.points, t.balance_after, LAG(t.balance_after) OVER \
            (PARTITION BY t.account_id ORDER BY e.position) AS before FROM events e \
            JOIN loyalty_transactions t ON t.id = e.subject_id WHERE t.reason = 'Late parcel') x \
            WHERE balance_after <> before + points";
        assert_eq!(number(&app, balances).await, 0);
        crate::writing::holds(&app).await;
    }
}

on_both! {
    async fn an_erasure_may_empty_the_words_of_a_person_and_of_nobody_else(app: App::demo) {
        let admin = app.staff(Role::Admin);
        done(&admin.ask_with(CREDIT, credit(demo::DEMO_CUSTOMER.number, 5, "k")).await, "loyaltyPointsCredit");
        seal(&app.state).await;
        let verified = async || {
            let mut told = Vec::new();
            c360::verify::verify(&app.state.db, |line| told.push(line)).await.unwrap();
            told.join("\n")
        };
        assert_eq!(verified().await, "");
        let this = "reason = 'Late parcel'";
        let that = format!("id = (SELECT id FROM events WHERE {this})");
        execute(&app, &format!("UPDATE events SET words_salt = NULL WHERE {that}")).await;
        assert!(verified().await.contains("not the words"), "the words are there, and cannot be checked");
        execute(&app, "UPDATE events SET label = NULL, reason = NULL WHERE words_salt IS NULL AND words_digest IS NOT NULL").await;
        let told = verified().await;
        assert!(told.contains("is one of an erased customer") && !told.contains("sealed at"), "{told}");
        execute(&app, &format!("UPDATE customers SET status = 'ERASED' WHERE number = '{}'", demo::DEMO_CUSTOMER.number)).await;
        let told = verified().await;
        assert!(!told.contains("event_"), "{told}");
    }
}

fn keys(folder: &std::path::Path, name: &str) -> HeadKeys {
    let path = folder.join(name);
    std::fs::write(&path, NewKey::generate().unwrap().private_pem).unwrap();
    HeadKeys::read(&[path]).unwrap()
}

async fn a_cut_or_rewritten_log_is_told_by_a_head(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("heads.pem");
    std::fs::write(&pem, NewKey::generate().unwrap().private_pem).unwrap();
    let (app, _) = App::set_up(Database::demo(backend).await, |config| {
        config.events.signing_key_files = vec![pem.clone()];
        config.events.head_every = 100;
    })
    .await;
    seal(&app.state).await;
    heads::sign_now(&app.state).await.unwrap();
    let events = number(&app, "SELECT COUNT(*) FROM events").await;
    assert_eq!(number(&app, "SELECT MAX(position) FROM event_heads").await, events);
    let exported = heads::export(&app.state).await.unwrap();
    let against = Against { keys: HeadKeys::default().and(&exported.keys), exported: exported.read().unwrap() };
    let (found, told) = checked(&app.state.db, &against).await;
    assert_eq!((found.violations, told, found.notices), (0, vec![], vec![]));
    assert_eq!(found.sealed, events);

    // Another's signature is not believed, and an unknown key's is not called good.
    let forged = Against { keys: keys(folder.path(), "other.pem"), exported: exported.read().unwrap() };
    let (found, _) = checked(&app.state.db, &forged).await;
    assert!(found.violations == 0 && found.notices[0].contains("not known here"), "{:?}", found.notices);
    execute(&app, &format!("UPDATE event_heads SET signed_at = '2020-01-01T00:00:00+00:00' WHERE position = {events}"))
        .await;
    let (_, told) = checked(&app.state.db, &against).await;
    assert!(told[0].contains("wrong signature"), "{told:?}");

    // The end is gone, and so are the heads that stood in the database.
    execute(&app, &format!("DELETE FROM event_heads WHERE position > {}", events - 3)).await;
    execute(&app, &format!("DELETE FROM events WHERE position > {}", events - 3)).await;
    assert_eq!(checked(&app.state.db, &Against::default()).await.0.violations, 0, "nothing is left to tell it by");
    let (_, told) = checked(&app.state.db, &against).await;
    assert!(told.iter().any(|line| line.contains("was exported: its end is gone")), "{told:?}");

    // All is written anew, with the last event left out and another one in its place.
    execute(&app, "DELETE FROM event_heads").await;
    execute(&app, "UPDATE events SET source = 'forged' WHERE position = 1").await;
    execute(&app, "UPDATE events SET position = NULL, hash = NULL, words_salt = NULL, words_digest = NULL").await;
    seal(&app.state).await;
    execute(&app, "DELETE FROM event_heads").await;
    assert_eq!(checked(&app.state.db, &Against::default()).await.0.violations, 0, "it is a good log by itself");
    let (_, told) = checked(&app.state.db, &against).await;
    assert!(told.iter().any(|line| line.contains("written anew")), "{told:?}");
}

#[tokio::test]
async fn a_cut_or_rewritten_log_is_told_by_a_head_sqlite() {
    a_cut_or_rewritten_log_is_told_by_a_head(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_cut_or_rewritten_log_is_told_by_a_head_postgres() {
    a_cut_or_rewritten_log_is_told_by_a_head(Backend::Postgres).await;
}
