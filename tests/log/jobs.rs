//! Jobs: one leader each.

use c360::jobs::{Lease, Ran, by_hand, held, named};
use c360_entities::idempotency_record;
use chrono::TimeDelta;
use sea_orm::{EntityTrait as _, IntoActiveModel as _};

use super::{execute, number, seal};
use crate::harness::{now, on_both};

on_both! {
    async fn a_job_has_one_leader_at_a_time(app: App::empty) {
        let (one, other) = (Lease::on("prune"), Lease::on("prune"));
        assert!(one.take(&app.state).await.unwrap().is_some());
        assert!(other.take(&app.state).await.unwrap().is_none());
        assert!(one.take(&app.state).await.unwrap().is_some(), "who leads goes on");
        let Ran::Led(by) = by_hand(&app.state, named("prune").unwrap()).await.unwrap() else { panic!("two lead") };
        assert_eq!(by.holder, one.holder);
        assert_eq!(held(&app.state).await.unwrap(), [by]);
        one.give_back(&app.state).await.unwrap();
        assert!(other.take(&app.state).await.unwrap().is_some());
        one.give_back(&app.state).await.unwrap();
        assert_eq!(held(&app.state).await.unwrap()[0].holder, other.holder, "nobody gives back what another has");
    }
}

on_both! {
    async fn who_does_not_lead_any_more_does_not_seal(app: App::demo) {
        let (old, new) = (Lease::on("seal"), Lease::on("seal"));
        assert!(old.take(&app.state).await.unwrap().is_some());
        let moved = format!("UPDATE job_leases SET holder = '{}'", new.holder);
        execute(&app, &moved).await;
        assert!(c360::events::seal::seal(&app.state, &old.holder, 10).await.is_err());
        assert_eq!(number(&app, "SELECT COUNT(*) FROM events WHERE position IS NOT NULL").await, 0);
        assert_eq!(c360::events::seal::seal(&app.state, &new.holder, 10).await.unwrap(), 10);
        new.give_back(&app.state).await.unwrap();
        assert!(seal(&app.state).await > 10);
    }
}

on_both! {
    async fn closing_is_late_since_a_ticket_should_have_been_closed(app: App::demo) {
        let close = named("close").unwrap();
        execute(&app, "UPDATE tickets SET solved_at = '2026-10-31T00:00:00+00:00' WHERE status = 'SOLVED'").await;
        let late = async || c360::jobs::lag(close, &app.state).await.unwrap();
        assert_eq!(late().await, 0.0);
        let days = app.state.config.tickets.close_after_days;
        let due = "2026-10-31T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap() + TimeDelta::days(days.into());
        app.state.clock.set(due + TimeDelta::seconds(90));
        assert_eq!(late().await, 90.0);
        by_hand(&app.state, close).await.unwrap();
        assert_eq!(late().await, 0.0);
    }
}

on_both! {
    async fn keys_that_have_run_out_are_forgotten(app: App::empty) {
        let record = |key: &str, expires_at| idempotency_record::Model {
            caller: "staff:a".into(),
            idempotency_key: key.into(),
            operation: "x".into(),
            input_hash: vec![1],
            result_ids: serde_json::json!({}),
            created_at: now(),
            expires_at,
        };
        let second = TimeDelta::seconds(1);
        let rows = [record("old", now() - second), record("new", now() + second)];
        let rows = rows.map(|row| row.into_active_model());
        idempotency_record::Entity::insert_many(rows).exec(&app.state.db).await.unwrap();
        let prune = named("prune").unwrap();
        assert_eq!(c360::jobs::lag(prune, &app.state).await.unwrap(), 1.0);
        assert_eq!(by_hand(&app.state, prune).await.unwrap(), Ran::Done(1));
        assert_eq!(number(&app, "SELECT COUNT(*) FROM idempotency_records WHERE idempotency_key = 'new'").await, 1);
        assert_eq!(number(&app, "SELECT COUNT(*) FROM idempotency_records").await, 1);
        assert_eq!(c360::jobs::lag(prune, &app.state).await.unwrap(), 0.0);
    }
}
