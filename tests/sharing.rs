//! Requests that find the readers busy share statements; each is answered as if it were alone.

use std::time::Duration;

use c360::retailer::demo;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, TransactionTrait as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::actor::customer_gid;
use crate::harness::{App, Backend, Database, on_both};
use crate::operating::process::Gateway;
use crate::reading::{AGENT, PHONE};

/// Everybody of the demo, one who was merged into another and one who is nobody.
async fn ids(app: &App) -> Vec<Uuid> {
    let mut ids = vec![Uuid::from_u128(7)];
    for member in demo::CAST {
        ids.push(app.id_of(member.number).await);
    }
    ids
}

async fn screen(app: &App, id: Uuid) -> Value {
    app.agent().ask_with(AGENT, json!({ "by": { "id": customer_gid(id) } })).await.body["data"].clone()
}

async fn phone(app: &App, id: Uuid) -> Value {
    app.customer(id).ask(PHONE).await.body["data"].clone()
}

on_both! {
    async fn each_is_answered_with_its_own_customer(app: App::demo) {
        let ids = ids(&app).await;
        let (mut screens, mut phones) = (Vec::new(), Vec::new());
        for id in &ids {
            screens.push(screen(&app, *id).await);
            phones.push(phone(&app, *id).await);
        }
        assert_eq!(screens[0], json!({ "customer360": null }));
        for round in 0..6 {
            // In another order each time, and everybody twice.
            let mut order: Vec<usize> = (0..ids.len()).chain(0..ids.len()).collect();
            fastrand::Rng::with_seed(round).shuffle(&mut order);
            let agents = join_all(order.iter().map(|at| screen(&app, ids[*at])));
            let customers = join_all(order.iter().map(|at| phone(&app, ids[*at])));
            let (agents, customers) = tokio::join!(agents, customers);
            for (place, at) in order.iter().enumerate() {
                assert_eq!(agents[place], screens[*at], "{}", ids[*at]);
                assert_eq!(customers[place], phones[*at], "{}", ids[*at]);
            }
        }
    }
}

on_both! {
    async fn several_roots_stand_in_the_order_of_the_document(app: App::demo) {
        let (one, other) = (demo::CAST[0].number, demo::CAST[1].number);
        let roots: Vec<String> = (0..12)
            .map(|n| {
                let fields = if n % 2 == 0 { "orders(first: 20) { nodes { lines { nodes { title } } } }" } else { "name" };
                let number = if n % 3 == 0 { one } else { other };
                format!("r{n}: customer360(by: {{ customerNumber: \"{number}\" }}) {{ {fields} }}")
            })
            .collect();
        let request = app.agent().post(json!({ "query": format!("{{ {} }}", roots.join(" ")) }));
        let text = request.send().await.unwrap().text().await.unwrap();
        let places: Vec<_> = (0..12).map(|n| text.find(&format!("\"r{n}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }
}

/// Nobody reads a customer meanwhile.
async fn held<T>(db: &DatabaseConnection, held_for: Duration, asking: impl Future<Output = T>) -> T {
    let lock = db.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let release = async {
        tokio::time::sleep(held_for).await;
        lock.rollback().await.unwrap();
    };
    tokio::join!(asking, release).0
}

#[tokio::test]
async fn those_who_wait_together_are_read_together() {
    let app = App::demo(Backend::Postgres).await;
    let id = app.id_of(demo::DEMO_CUSTOMER.number).await;
    let found = screen(&app, id).await;
    let before = app.statements();
    let asking = join_all((0..34).map(|_| screen(&app, id)));
    let answers = held(&app.state.db, Duration::from_millis(800), asking).await;
    assert!(answers.iter().all(|answer| *answer == found), "{answers:#?}");
    // The readers began with one or a few, and then had eight at a time.
    let statements = app.statements() - before;
    assert!((5..=8).contains(&statements), "{statements} statements");
}

#[tokio::test]
async fn those_who_ran_into_the_time_limit_together_are_asked_for_alone() {
    let database = Database::demo(Backend::Postgres).await;
    let gateway = Gateway::start(&database.url, &[("C360_DATABASE_STATEMENT_TIMEOUT_MS", "600")]).await;
    let ask = async || -> Value {
        let asked = gateway.asks("{ customer360(by: { customerNumber: \"C-000001\" }) { id } }").send().await.unwrap();
        asked.json::<Value>().await.unwrap()["data"]["customer360"]["id"].take()
    };
    let id = ask().await;
    let by_id = format!("{{ customer360(by: {{ id: {id} }}) {{ name }} }}");
    let name = async || -> Value {
        let asked = gateway.asks(&by_id).send().await.unwrap();
        asked.json::<Value>().await.unwrap()["data"]["customer360"]["name"].take()
    };
    assert!(name().await.is_string());
    // Two readers begin at once, with those who came first, and give up after 600 ms; then with the others until 1,200 ms.
    let answers = held(&database.connection, Duration::from_millis(1_400), join_all((0..18).map(|_| name()))).await;
    let answered = answers.iter().filter(|name| name.is_string()).count();
    assert!((12..18).contains(&answered), "{answered} were answered");
}
