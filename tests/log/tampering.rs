//! A log of which something was edited, removed, moved or cut off is told from the one that was sealed.
//!
//! `C360_TEST_TAMPERINGS` says how often it is tried; `scripts/prove tampering` is the long form.

use c360::auth::issue::NewKey;
use c360::events::check::Against;
use c360::events::heads;
use c360_entities::{event, event_value};
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, EntityTrait as _, Statement, TransactionTrait as _, Value};
use uuid::Uuid;

use super::seal;
use super::sealing::checked;
use crate::harness::{App, Backend, Database, now};
use crate::proofs::size;

const EVENTS: i64 = 60;

fn an_event(at: i64) -> event::Model {
    event::Model {
        id: Uuid::from_u128(0x100 + at as u128),
        customer_id: None,
        kind: "OTHER".into(),
        domain: "BUSINESS".into(),
        visibility: "AUDIT".into(),
        subject_kind: Some("order".into()),
        subject_id: Some(Uuid::from_u128(at as u128)),
        label: (at % 3 != 0).then(|| format!("label {at}")),
        amount: Some(at),
        currency: Some("EUR".into()),
        points: (at % 2 == 0).then_some(at),
        channel: Some("POS".into()),
        actor_kind: "STAFF".into(),
        actor_id: Some(format!("agent-{at}")),
        source: "c360".into(),
        reason: (at % 4 == 0).then(|| format!("reason {at}")),
        occurred_at: now(),
        // Several at one time.
        recorded_at: now() + TimeDelta::milliseconds(at / 2),
        position: None,
        hash: None,
        client_id: Some("console".into()),
        request_id: None,
    }
}

fn a_value(at: i64, field: &str) -> event_value::Model {
    event_value::Model {
        event_id: Uuid::from_u128(0x100 + at as u128),
        customer_id: None,
        field: field.into(),
        before_value: Some(format!("before {at}")),
        after_value: (at % 2 == 0).then(|| format!("after {at}")),
    }
}

/// One change by somebody who may write the database: what was done.
async fn tamper<C: ConnectionTrait>(db: &C, random: &mut fastrand::Rng) -> String {
    let at = random.i64(1..=EVENTS);
    let other = 1 + (at - 1 + random.i64(1..EVENTS)) % EVENTS;
    let run = async |sql: &str, values: Vec<Value>| {
        let numbered = match db.get_database_backend() {
            sea_orm::DbBackend::Postgres => sql.replace('?', "$1"),
            _ => sql.to_owned(),
        };
        let done = db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), &numbered, values)).await;
        assert!(done.unwrap().rows_affected() > 0, "{sql} changed nothing");
    };
    let later: Value = (now() + TimeDelta::days(1)).into();
    let bytes: Value = vec![7_u8; 32].into();
    let texts = ["kind", "subject_kind", "label", "currency", "channel", "actor_id", "source", "reason", "client_id"];
    match random.u8(0..10) {
        0..=2 => {
            let column = texts[random.usize(0..texts.len())];
            run(&format!("UPDATE events SET {column} = COALESCE({column}, '') || 'x' WHERE position = {at}"), vec![])
                .await;
            format!("edited {column} at {at}")
        }
        3 => {
            let (column, value): (&str, Value) = match random.u8(0..9) {
                0 => ("occurred_at", later),
                1 => ("recorded_at", later),
                2 => ("hash", bytes),
                3 => ("words_digest", bytes),
                4 => ("words_salt", bytes),
                5 => ("request_id", Uuid::from_u128(9).into()),
                6 => ("subject_id", Uuid::from_u128(9999).into()),
                7 => ("domain", "PRIVACY".into()),
                _ => ("actor_kind", "SYSTEM".into()),
            };
            run(&format!("UPDATE events SET {column} = ? WHERE position = {at}"), vec![value]).await;
            format!("set {column} at {at}")
        }
        4 => {
            let column = ["amount", "points"][random.usize(0..2)];
            run(&format!("UPDATE events SET {column} = COALESCE({column}, 0) + 1 WHERE position = {at}"), vec![]).await;
            format!("edited {column} at {at}")
        }
        5 => {
            let hash = if random.bool() { ", hash = (SELECT hash FROM events o WHERE o.position = -1)" } else { "" };
            run(&format!("UPDATE events SET position = -1 WHERE position = {at}"), vec![]).await;
            run(&format!("UPDATE events SET position = {at}{hash} WHERE position = {other}"), vec![]).await;
            run(&format!("UPDATE events SET position = {other} WHERE position = -1"), vec![]).await;
            format!("swapped {at} and {other}, {hash}")
        }
        6 => {
            remove(db, &format!("= {at}")).await;
            if random.bool() {
                // The gap is closed.
                for position in at + 1..=EVENTS {
                    run(&format!("UPDATE events SET position = {} WHERE position = {position}", position - 1), vec![])
                        .await;
                }
            }
            format!("removed {at}")
        }
        7 => {
            remove(db, &format!(">= {at}")).await;
            format!("cut off from {at}")
        }
        8 => {
            let column = ["before_value", "after_value"][random.usize(0..2)];
            let edit = format!(
                "UPDATE event_values SET {column} = COALESCE({column}, '') || 'x' WHERE field = 'email' AND \
                event_id = (SELECT id FROM events WHERE position = {at})"
            );
            run(&edit, vec![]).await;
            format!("edited {column} of {at}")
        }
        _ => {
            let of = format!("WHERE field = 'phone' AND event_id = (SELECT id FROM events WHERE position = {at})");
            match random.u8(0..3) {
                0 => run(&format!("DELETE FROM event_values {of}"), vec![]).await,
                1 => run(&format!("UPDATE event_values SET field = 'fax' {of}"), vec![]).await,
                _ => {
                    let to = format!("(SELECT id FROM events WHERE position = {other})");
                    run(&format!("UPDATE event_values SET field = 'moved', event_id = {to} {of}"), vec![]).await;
                }
            }
            format!("moved or removed a value of {at}")
        }
    }
}

async fn remove<C: ConnectionTrait>(db: &C, positions: &str) {
    let values =
        format!("DELETE FROM event_values WHERE event_id IN (SELECT id FROM events WHERE position {positions})");
    db.execute_unprepared(&values).await.unwrap();
    db.execute_unprepared(&format!("DELETE FROM events WHERE position {positions}")).await.unwrap();
}

async fn all_are_found(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("heads.pem");
    std::fs::write(&pem, NewKey::generate().unwrap().private_pem).unwrap();
    let (app, _) = App::set_up(Database::migrated(backend).await, |config| {
        config.events.signing_key_files = vec![pem];
    })
    .await;
    let db = &app.state.db;
    event::Entity::insert_many((1..=EVENTS).map(|at| event::ActiveModel::from(an_event(at)))).exec(db).await.unwrap();
    let values = (1..=EVENTS).flat_map(|at| ["email", "phone"].map(|field| a_value(at, field)));
    event_value::Entity::insert_many(values.map(event_value::ActiveModel::from)).exec(db).await.unwrap();
    assert_eq!(seal(&app.state).await as i64, EVENTS);
    heads::sign_now(&app.state).await.unwrap();
    let exported = heads::export(&app.state).await.unwrap();
    let against = Against { keys: heads::HeadKeys::default().and(&exported.keys), exported: Vec::new() };
    let (found, told) = checked(db, &against).await;
    assert_eq!((found.violations, told, found.sealed), (0, vec![], EVENTS));
    let mut random = fastrand::Rng::with_seed(360);
    for _ in 0..size("C360_TEST_TAMPERINGS", 100) {
        let transaction = db.begin().await.unwrap();
        let what = tamper(&transaction, &mut random).await;
        let (found, told) = checked(&transaction, &against).await;
        assert!(found.violations > 0 && !told.is_empty(), "not found: {what}");
        transaction.rollback().await.unwrap();
    }
    assert_eq!(checked(db, &against).await.0.violations, 0);
}

#[tokio::test]
async fn edits_removals_swaps_and_cuts_are_all_found_sqlite() {
    all_are_found(Backend::Sqlite).await;
}

#[tokio::test]
async fn edits_removals_swaps_and_cuts_are_all_found_postgres() {
    all_are_found(Backend::Postgres).await;
}
