//! What orders earn, what returns take back, and what time alone does to points and tiers.

use c360::domains::loyalty::{due, earning};
use c360::write::{Outcome, Tx, Work, system};
use c360_entities::order;
use chrono::TimeDelta;
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::harness::{now, on_both};

/// An order is placed, or some of its goods come back.
enum Step<'a> {
    Earn(&'a order::Model),
    Keep(&'a order::Model, i64),
}

impl Work for Step<'_> {
    type Made = ();

    async fn run(&self, tx: &mut Tx) -> Outcome<()> {
        let (Self::Earn(order) | Self::Keep(order, _)) = self;
        tx.lock_customer(order.customer_id).await?;
        match self {
            Self::Earn(order) => earning::earn_for_order(tx, order).await,
            Self::Keep(order, net) => earning::take_back(tx, order, *net).await,
        }
    }
}

/// A member without any history.
async fn member(app: &App) -> Uuid {
    let id = app.id_of(demo::STRANGER.number).await;
    make(&app.customer(id), "loyaltyEnroll", "", json!({})).await;
    id
}

/// A new order of a customer over so many minor units.
async fn placed(app: &App, customer: Uuid, number: &str, net: i64) -> order::Model {
    let db = &app.state.db;
    let any = order::Entity::find().one(db).await.unwrap().unwrap();
    let order = order::Model {
        id: Uuid::new_v4(),
        customer_id: customer,
        number: number.to_owned(),
        channel: "POS".to_owned(),
        currency: "EUR".to_owned(),
        subtotal: net,
        discount_total: 0,
        total: net,
        paid_total: net,
        refunded_total: 0,
        placed_at: app.state.clock.now(),
        ..any
    };
    order::Entity::insert(order.clone().into_active_model()).exec(db).await.unwrap();
    order
}

async fn carry_out(app: &App, step: Step<'_>) {
    system(&app.state, "test", &step).await.unwrap();
}

async fn all_due(app: &App) {
    while due::lapse(&app.state, 50).await.unwrap() > 0 {}
    while due::activation(&app.state, 50).await.unwrap() > 0 {}
    while due::expiry(&app.state, 50).await.unwrap() > 0 {}
    while due::tiers(&app.state, 50).await.unwrap() > 0 {}
}

async fn account(app: &App) -> Value {
    let query = format!(
        "{{ customer360(by: {{customerNumber: \"{}\"}}) {{ loyalty {{ balance {{ active pending owed expired }} lifetimePoints \
         qualifyingPoints tierUntil tier {{ code }} version }} }} }}",
        demo::STRANGER.number
    );
    let agent = app.agent();
    agent.ask(&query).await.at("/customer360/loyalty").clone()
}

on_both! {
    async fn an_order_earns_pending_points_that_become_active_and_expire(app: App::demo) {
        let id = member(&app).await;
        let order = placed(&app, id, "T-1", 12_399).await;
        carry_out(&app, Step::Earn(&order)).await;
        carry_out(&app, Step::Earn(&order)).await;
        let first = account(&app).await;
        assert_eq!(first["balance"], json!({ "active": 0, "pending": 123, "owed": 0, "expired": 0 }));
        assert_eq!((&first["lifetimePoints"], &first["qualifyingPoints"]), (&json!(123), &json!(123)));
        all_due(&app).await;
        assert_eq!(account(&app).await["balance"]["pending"], 123, "not before its time");
        app.state.clock.set(now() + TimeDelta::days(15));
        all_due(&app).await;
        let active = account(&app).await;
        assert_eq!((&active["balance"]["active"], &active["balance"]["pending"]), (&json!(123), &json!(0)));
        all_due(&app).await;
        assert_eq!(account(&app).await, active, "a job that runs again does nothing");
        app.state.clock.set(now() + TimeDelta::days(366));
        all_due(&app).await;
        let expired = account(&app).await;
        assert_eq!(expired["balance"], json!({ "active": 0, "pending": 0, "owed": 0, "expired": 123 }));
        assert_eq!(expired["qualifyingPoints"], 0, "they have left the qualification period, too");
        for kind in ["POINTS_ACTIVATED", "POINTS_EXPIRED"] {
            let told = format!("SELECT COUNT(*) FROM events e JOIN customers c ON c.id = e.customer_id WHERE c.number = '{}' AND e.kind = '{kind}'", demo::STRANGER.number);
            assert_eq!(number(&app, &told).await, 1);
        }
        holds(&app).await;
    }
}

on_both! {
    async fn multipliers_of_channel_campaign_and_tier_are_applied(app: App::demo) {
        let id = member(&app).await;
        execute(&app, "UPDATE earning_rules SET multiplier_bp = 15000 WHERE channel = 'POS'").await;
        execute(&app, "UPDATE earning_rules SET multiplier_bp = 90000 WHERE channel = 'WEB'").await;
        execute(&app, "UPDATE earning_rules SET channel = NULL, multiplier_bp = 20000, campaign_id = (SELECT id FROM campaigns WHERE code = 'AUTUMN') WHERE channel = 'MOBILE_APP'").await;
        execute(&app, "UPDATE loyalty_tiers SET multiplier_bp = 11000").await;
        execute(&app, "DELETE FROM campaign_members").await;
        carry_out(&app, Step::Earn(&placed(&app, id, "T-1", 10_199).await)).await;
        assert_eq!(account(&app).await["balance"]["pending"], 333, "101 × 1.5 × 2 × 1.1, rounded down");
        // A campaign with members is for its members.
        let other = app.id_of(NUMBER).await;
        let campaign = "SELECT c.id, m.id FROM campaigns c, customers m WHERE c.code = 'AUTUMN' AND m.number = ";
        execute(&app, &format!("INSERT INTO campaign_members (campaign_id, customer_id) {campaign} '{NUMBER}'")).await;
        assert_ne!(other, id);
        carry_out(&app, Step::Earn(&placed(&app, id, "T-2", 10_199).await)).await;
        assert_eq!(account(&app).await["balance"]["pending"], 333 + 166);
        holds(&app).await;
    }
}

on_both! {
    async fn a_return_takes_back_pending_then_active_points_and_the_rest_is_owed(app: App::demo) {
        let id = member(&app).await;
        let order = placed(&app, id, "T-1", 10_050).await;
        carry_out(&app, Step::Earn(&order)).await;
        carry_out(&app, Step::Keep(&order, 8_000)).await;
        assert_eq!(account(&app).await["balance"]["pending"], 80);
        carry_out(&app, Step::Keep(&order, 8_000)).await;
        assert_eq!(account(&app).await["balance"]["pending"], 80, "the same return takes nothing more");
        app.state.clock.set(now() + TimeDelta::days(15));
        all_due(&app).await;
        let member = app.customer(id);
        let gift = reward(&app, "GIFT", 70, None, "").await;
        make(&member, "rewardRedeem", "", json!({ "reward": gift, "idempotencyKey": "r" })).await;
        execute(&app, "UPDATE loyalty_accounts SET status = 'BLOCKED'").await;
        carry_out(&app, Step::Keep(&order, 0)).await;
        let after = account(&app).await;
        assert_eq!(after["balance"], json!({ "active": 0, "pending": 0, "owed": 70, "expired": 0 }));
        assert_eq!((&after["lifetimePoints"], &after["qualifyingPoints"]), (&json!(0), &json!(70)));
        // Later points pay for what is owed.
        carry_out(&app, Step::Earn(&placed(&app, id, "T-2", 10_000).await)).await;
        assert_eq!(account(&app).await["balance"], json!({ "active": 0, "pending": 30, "owed": 0, "expired": 0 }));
        assert_eq!(number(&app, "SELECT COUNT(*) FROM events WHERE kind = 'POINTS_OWED'").await, 1);
        holds(&app).await;
    }
}

on_both! {
    async fn a_tier_is_reached_at_once_and_lost_after_its_grace(app: App::demo) {
        let id = member(&app).await;
        carry_out(&app, Step::Earn(&placed(&app, id, "T-1", 30_000).await)).await;
        let silver = account(&app).await;
        assert_eq!(silver["tier"]["code"], "SILVER");
        assert!(silver["tierUntil"].as_str().unwrap().starts_with("2027-11-01T12:00:00"), "{silver}");
        for (days, tier) in [(364, "SILVER"), (394, "SILVER"), (396, "BRONZE")] {
            app.state.clock.set(now() + TimeDelta::days(days));
            all_due(&app).await;
            assert_eq!(account(&app).await["tier"]["code"], tier, "after {days} days");
        }
        assert_eq!(account(&app).await["tierUntil"], Value::Null);
        let told = format!("SELECT COUNT(*) FROM events e JOIN customers c ON c.id = e.customer_id WHERE c.number = '{}' AND e.kind = 'TIER_CHANGED'", demo::STRANGER.number);
        assert_eq!(number(&app, &told).await, 2);
        holds(&app).await;
    }
}

on_both! {
    async fn the_projected_tier_rests_on_what_still_counts_at_the_review(app: App::demo) {
        let id = member(&app).await;
        let projected = async || {
            let query = format!(
                "{{ customer360(by: {{customerNumber: \"{}\"}}) {{ loyalty {{ tier {{ code }} projectedTier {{ code }} }} }} }}",
                demo::STRANGER.number
            );
            let seen = app.agent().ask(&query).await.at("/customer360/loyalty").clone();
            (seen["tier"]["code"].as_str().unwrap().to_owned(), seen["projectedTier"]["code"].as_str().unwrap().to_owned())
        };
        let is = |tier: &str, projected: &str| (tier.to_owned(), projected.to_owned());
        assert_eq!(projected().await, is("BRONZE", "BRONZE"));
        // What reached the tier is a year old when it is reviewed, and holds it no longer.
        carry_out(&app, Step::Earn(&placed(&app, id, "T-1", 30_000).await)).await;
        assert_eq!(projected().await, is("SILVER", "BRONZE"));
        app.state.clock.set(now() + TimeDelta::days(10));
        carry_out(&app, Step::Earn(&placed(&app, id, "T-2", 30_000).await)).await;
        assert_eq!(projected().await, is("SILVER", "SILVER"));
        app.state.clock.set(now() + TimeDelta::days(366));
        all_due(&app).await;
        assert_eq!(projected().await, is("SILVER", "BRONZE"), "it was renewed, and nothing was gained since");
        holds(&app).await;
    }
}

on_both! {
    async fn jobs_that_run_side_by_side_do_everything_once(app: App::demo) {
        app.state.clock.set(now() + TimeDelta::days(400));
        let together = || async { all_due(&app).await };
        futures_util::future::join_all((0..4).map(|_| together())).await;
        for left in ["points_lots WHERE state = 'PENDING'", "points_holds WHERE status = 'HELD'"] {
            let due = format!("SELECT COUNT(*) FROM {left} AND customer_id IN (SELECT id FROM customers WHERE status = 'ACTIVE')");
            assert_eq!(number(&app, &due).await, 0, "{left}");
        }
        holds(&app).await;
    }
}

/// Makes the database refuse every change of an account.
async fn break_account(app: &App, account: Uuid) {
    let sql = match app.state.db.get_database_backend() {
        sea_orm::DbBackend::Sqlite => format!(
            "CREATE TRIGGER broken BEFORE UPDATE ON loyalty_accounts WHEN NEW.id = X'{}' BEGIN SELECT RAISE(ABORT, 'broken'); END",
            account.simple()
        ),
        _ => format!("ALTER TABLE loyalty_accounts ADD CONSTRAINT broken CHECK (id <> '{account}') NOT VALID"),
    };
    execute(app, &sql).await;
}

async fn mend_account(app: &App) {
    execute(
        app,
        match app.state.db.get_database_backend() {
            sea_orm::DbBackend::Sqlite => "DROP TRIGGER broken",
            _ => "ALTER TABLE loyalty_accounts DROP CONSTRAINT broken",
        },
    )
    .await;
}

on_both! {
    async fn an_account_that_fails_is_left_alone_for_a_while_and_the_others_go_on(app: App::demo) {
        all_due(&app).await;
        let (first, second) = (member(&app).await, app.id_of(demo::DETRACTOR.number).await);
        let of = async |customer: Uuid| {
            let found = c360_entities::loyalty_account::Entity::find().all(&app.state.db).await.unwrap();
            found.into_iter().find(|account| account.customer_id == customer).unwrap()
        };
        carry_out(&app, Step::Earn(&placed(&app, first, "T-1", 10_000).await)).await;
        app.state.clock.set(now() + TimeDelta::minutes(1));
        carry_out(&app, Step::Earn(&placed(&app, second, "T-2", 10_000).await)).await;
        break_account(&app, of(first).await.id).await;
        app.state.clock.set(now() + TimeDelta::days(15));
        // One at a time: the one that is due longest fails, and is out of the way then.
        for _ in 0..1_000 {
            if due::activation(&app.state, 1).await == Ok(0) {
                break;
            }
        }
        assert_eq!(of(second).await.pending_points, 0);
        assert_eq!(of(first).await.pending_points, 100);
        mend_account(&app).await;
        assert_eq!(due::activation(&app.state, 1).await, Ok(0), "it is not tried again at once");
        app.state.clock.set(now() + TimeDelta::days(15) + TimeDelta::minutes(10));
        assert_eq!(due::activation(&app.state, 1).await, Ok(1));
        assert_eq!(of(first).await.pending_points, 0);
        holds(&app).await;
    }
}
