//! `c360 import ndjson`: what comes in, what is refused, and that how often and in which pieces makes no difference.

use std::collections::HashSet;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use c360::clock::Clock;
use c360::ingest::ndjson::{self, Options};
use c360::ingest::{Error, Report};
use proptest::prelude::*;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, EntityTrait as _};
use serde_json::{Value, json};

use crate::harness::{Backend, Database, on_both};

const EXAMPLE: &str = include_str!("../examples/import.ndjson");

/// What an import said and counted.
struct Outcome {
    report: Report,
    said: Arc<Mutex<Vec<String>>>,
}

impl Outcome {
    fn counted(&self, what: &str) -> u64 {
        self.report.counted(what)
    }

    /// The lines about rows that were left out.
    fn left_out(&self) -> Vec<String> {
        let said = self.said.lock().unwrap();
        said.iter().filter(|line| line.ends_with("; the row is left out")).cloned().collect()
    }
}

async fn import_path(db: &DatabaseConnection, path: &Path, batch: usize) -> Result<Outcome, Error> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let into = said.clone();
    let clock = Clock::fixed(crate::harness::now());
    let mut report = Report::new(clock.clone(), move |line| into.lock().unwrap().push(line.to_owned()));
    let phone_regions = ["ES".to_owned()];
    let options = Options { phone_regions: &phone_regions, rejects: None, batch };
    ndjson::import(db, &clock, path, options, &mut report).await?;
    Ok(Outcome { report, said })
}

async fn import_in(db: &DatabaseConnection, text: impl AsRef<[u8]>, batch: usize) -> Outcome {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_ref()).unwrap();
    import_path(db, file.path(), batch).await.unwrap()
}

async fn import(db: &DatabaseConnection, text: impl AsRef<[u8]>) -> Outcome {
    import_in(db, text, ndjson::BATCH).await
}

/// Every row that an import writes, in a form that can be compared.
async fn rows(db: &DatabaseConnection) -> Vec<String> {
    let mut rows = Vec::new();
    macro_rules! all {
        ($($table:ident)*) => {
            $(for row in c360_entities::$table::Entity::find().all(db).await.unwrap() {
                rows.push(format!(concat!(stringify!($table), " {:?}"), row));
            })*
        };
    }
    all! {
        customer customer_identity address consent customer_tag ingested_item order order_line order_discount payment
        fulfillment fulfillment_line fulfillment_event order_return return_line exchange_line refund ticket
        ticket_message ticket_tag ticket_link loyalty_account loyalty_card loyalty_transaction points_lot
        points_allocation survey feedback survey_answer event customer_statistics
    }
    rows.sort_unstable();
    rows
}

/// Rows without the times of the import, which differ from run to run.
fn timeless(rows: Vec<String>) -> Vec<String> {
    let without = |row: String, field: &str| match row.split_once(field) {
        Some((before, after)) => format!("{before}{}", after.split_once(", ").map_or("", |(_, rest)| rest)),
        None => row,
    };
    rows.into_iter().map(|row| without(without(row, "updated_at: "), "recorded_at: ")).collect()
}

async fn scalar(db: &DatabaseConnection, text: &str) -> i64 {
    let statement = sea_orm::Statement::from_string(db.get_database_backend(), text);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn is_sound(db: &DatabaseConnection) {
    let mut told = Vec::new();
    let found = c360::verify::verify(db, |line| told.push(line)).await.unwrap();
    assert_eq!(found.violations, 0, "{told:#?}");
}

fn assert_same(a: &[String], b: &[String]) {
    let (in_a, in_b): (HashSet<_>, HashSet<_>) = (a.iter().collect(), b.iter().collect());
    let (a, b): (Vec<_>, Vec<_>) = (in_a.difference(&in_b).collect(), in_b.difference(&in_a).collect());
    assert!(a.is_empty() && b.is_empty(), "only in the first: {a:#?}\nonly in the second: {b:#?}");
}

/// What is not known yet of a table that is being filled must not make PostgreSQL read all of it for each batch.
#[tokio::test]
async fn what_is_there_already_is_looked_up_and_not_gone_through_postgres() {
    let database = Database::migrated(Backend::Postgres).await;
    let customer = |n| {
        json!({ "type": "customer", "source": "shop", "id": format!("{n}"), "number": format!("S-{n}"), "name": "Ann",
            "createdAt": "2024-01-01T00:00:00Z", "loyalty": { "number": format!("LC-{n}") } })
    };
    let text: String = (0..600).map(|n| format!("{}\n", customer(n))).collect();
    let filling = c360::db::connect_to_fill(&crate::harness::config(&database.url).database).await.unwrap();
    assert_eq!(import_in(&filling, &text, 20).await.counted("customer: added"), 600);
    // A session that has ended has told all that it did.
    filling.close().await.unwrap();
    database.connection.close().await.unwrap();
    let mut options = sea_orm::ConnectOptions::new(&database.url);
    let db = sea_orm::Database::connect(options.max_connections(1).to_owned()).await.unwrap();
    let started = std::time::Instant::now();
    while scalar(
        &db,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'",
    )
    .await
        > 1
    {
        assert!(started.elapsed().as_secs() < 15, "the sessions do not end");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Going through a table for each batch would read 9,000 of its rows.
    for table in ["customers", "customer_identities", "ingested_items", "loyalty_accounts"] {
        let read = format!("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = '{table}'");
        let read = scalar(&db, &read).await;
        assert!(read < 4_500, "{read} rows of {table} were read");
    }
    for table in ["customer_identities", "ingested_items"] {
        let read =
            format!("SELECT CAST(sum(idx_tup_read) AS bigint) FROM pg_stat_user_indexes WHERE relname = '{table}'");
        let read = scalar(&db, &read).await;
        assert!(read < 4_500, "{read} entries of indexes of {table} were read");
    }
}

on_both! {
    async fn the_example_comes_in_whole_and_is_seen_by_an_agent(app: App::empty) {
        let outcome = import(&app.state.db, EXAMPLE).await;
        assert_eq!(outcome.left_out(), Vec::<String>::new());
        is_sound(&app.state.db).await;
        let answer = app.agent().ask(
            "{ customer360(by: {email: \"MARIA.jose@example.com\"}) { number name
               loyalty { balance { active } lifetimePoints transactions(first: 9) { nodes { kind points } } }
               statistics { orderCount } orders(first: 2) { nodes { number } } tickets(first: 2) { nodes { number } }
               feedback(first: 9) { nodes { id } } timeline(first: 50) { nodes { kind } } } }",
        ).await;
        let customer = &answer.data()["customer360"];
        assert_eq!(customer["number"], "S-17", "{customer:#}");
        // 39.99 for the goods, 19.99 of them came back: 39 points, then 20.
        assert_eq!(customer.pointer("/loyalty/balance/active"), Some(&json!(20)), "{customer:#}");
        assert_eq!(customer.pointer("/statistics/orderCount"), Some(&json!(1)));
        assert_eq!(customer.pointer("/orders/nodes/0/number"), Some(&json!("A-1001")));
        assert_eq!(customer.pointer("/tickets/nodes/0/number"), Some(&json!("501")));
        assert_eq!(customer.pointer("/feedback/nodes").unwrap().as_array().unwrap().len(), 4);
        let kinds: Vec<_> = customer.pointer("/timeline/nodes").unwrap().as_array().unwrap().iter().map(|n| n["kind"].as_str().unwrap()).collect();
        for kind in ["CUSTOMER_CREATED", "ORDER_PLACED", "FULFILLMENT_DELIVERED", "RETURN_CLOSED", "REFUND_SETTLED", "POINTS_EARNED", "POINTS_TAKEN_BACK", "TICKET_SOLVED", "FEEDBACK_GIVEN", "CONSENT_UPDATED"] {
            assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
        }
        let member = app.agent().ask("{ customer360(by: {loyaltyNumber: \"LC-2002\"}) { loyalty { balance { active spent } } } }").await;
        assert_eq!(member.at("/customer360/loyalty/balance"), &json!({"active": 350, "spent": 150}));
    }
}

on_both! {
    async fn running_it_again_changes_nothing(app: App::empty) {
        let db = &app.state.db;
        import(db, EXAMPLE).await;
        let before = rows(db).await;
        let again = import(db, EXAMPLE).await;
        assert_same(&before, &rows(db).await);
        let there: u64 = ["customer", "identity", "order", "ticket", "loyaltyTransaction", "surveyResponse", "review", "mention", "suggestion"]
            .iter().map(|kind| again.counted(&format!("{kind}: there already"))).sum();
        assert_eq!(there, EXAMPLE.lines().count() as u64);
    }
}

/// An order of customer 17 for 10.00 a piece.
fn order(id: &str, version: u32, quantity: u32, at: &str) -> String {
    let paid = format!("{quantity}0.00");
    json!({
        "type": "order", "source": "shop", "id": id, "version": version, "customer": {"id": "17"}, "channel": "WEB",
        "status": "FULFILLED", "currency": "EUR", "placedAt": at,
        "lines": [{"sku": "A", "title": "A", "quantity": quantity, "unitPrice": "10.00"}],
        "payments": [{"method": "CARD", "status": "CAPTURED", "amount": paid, "paidAt": at}],
    })
    .to_string()
}

fn first_lines(n: usize) -> String {
    EXAMPLE.lines().take(n).map(|line| format!("{line}\n")).collect()
}

on_both! {
    async fn a_newer_version_updates_and_an_older_one_is_counted_and_ignored(app: App::empty) {
        let db = &app.state.db;
        import(db, first_lines(1) + &order("A-1", 2, 3, "2024-05-01T00:00:00Z")).await;
        assert_eq!(scalar(db, "SELECT active_points FROM loyalty_accounts").await, 30);
        let outcome = import(db, order("A-1", 1, 1, "2024-05-01T00:00:00Z")).await;
        assert_eq!(outcome.counted("order: older than what is there"), 1);
        let changed = import(db, order("A-1", 2, 4, "2024-05-01T00:00:00Z")).await;
        assert!(changed.left_out()[0].contains("version: version 2 was brought in with another content"));
        assert_eq!(scalar(db, "SELECT active_points FROM loyalty_accounts").await, 30);
        let newer = import(db, order("A-1", 3, 5, "2024-05-01T00:00:00Z")).await;
        assert_eq!(newer.counted("order: updated"), 1);
        assert_eq!(scalar(db, "SELECT active_points FROM loyalty_accounts").await, 50);
        assert_eq!(scalar(db, "SELECT spent_total FROM customer_statistics").await, 5000);
        assert_eq!(scalar(db, "SELECT count(*) FROM events WHERE kind = 'ORDER_PLACED'").await, 1);
        let smaller = import(db, order("A-1", 4, 2, "2024-05-01T00:00:00Z")).await;
        assert_eq!(smaller.left_out(), Vec::<String>::new());
        assert_eq!(scalar(db, "SELECT active_points FROM loyalty_accounts").await, 20);
        assert_eq!(scalar(db, "SELECT count(*) FROM loyalty_transactions").await, 3);
        is_sound(db).await;
    }
}

/// Customers with orders in some versions, points, tickets and feedback: each item with whose it is.
fn stock() -> Vec<(usize, String)> {
    let mut items = Vec::new();
    for who in 0..4_usize {
        let earning = if who == 3 { "LEDGER" } else { "ORDERS" };
        let mut add = |item: Value| items.push((who, item.to_string()));
        add(json!({"type": "customer", "source": "s", "id": who.to_string(), "createdAt": "2020-01-01T00:00:00Z",
            "loyalty": {"number": format!("N{who}"), "earning": earning}}));
        for nth in 0..4_usize {
            let at = format!("2024-0{}-01T00:00:00Z", nth + 1);
            if who == 3 {
                let (kind, points) = if nth % 2 == 0 { ("ACCRUAL", 700) } else { ("REDEMPTION", -300) };
                add(
                    json!({"type": "loyaltyTransaction", "source": "s", "id": format!("t{nth}"), "customer": {"id": "3"},
                    "kind": kind, "points": points, "occurredAt": at}),
                );
                continue;
            }
            let versions = 1 + (nth + who) % 3;
            for version in 1..=versions {
                let back = version == 3;
                let mut order = json!({"type": "order", "source": "s", "id": format!("{who}-{nth}"), "version": version,
                    "customer": {"id": who.to_string()}, "channel": "POS", "status": "FULFILLED", "currency": "EUR",
                    "placedAt": at, "lines": [{"sku": "A", "title": "A", "quantity": 3, "unitPrice": "333.33"}],
                    "payments": [{"method": "CASH", "status": "CAPTURED", "amount": "999.99", "paidAt": at}]});
                if back {
                    order["returns"] = json!([{"number": format!("r{who}-{nth}"), "status": "CLOSED", "requestedAt": at,
                        "lines": [{"line": 1, "quantity": 1, "reason": "OTHER"}]}]);
                    order["refunds"] = json!([{"id": "1", "return": format!("r{who}-{nth}"), "amount": "333.33",
                        "status": "GRANTED", "grantedAt": at}]);
                }
                add(order);
            }
        }
        add(
            json!({"type": "ticket", "source": "d", "id": format!("k{who}"), "customer": {"source": "s", "id": who.to_string()},
            "status": "OPEN", "channel": "CHAT", "subject": "Hello", "createdAt": "2024-06-01T00:00:00Z"}),
        );
        for score in 0..3 {
            add(json!({"type": "surveyResponse", "source": "p", "id": format!("{who}-{score}"), "channel": "SMS",
                "customer": {"source": "s", "id": who.to_string()}, "givenAt": format!("2024-07-0{}T00:00:00Z", score + 1),
                "survey": "NPS", "metric": "NPS", "score": score}));
        }
    }
    items
}

fn text_of(items: &[(usize, String)]) -> String {
    items.iter().map(|(_, item)| format!("{item}\n")).collect()
}

async fn state_of(backend: Backend, pieces: &[String], batch: usize) -> Vec<String> {
    let database = Database::migrated(backend).await;
    for piece in pieces {
        let outcome = import_in(&database.connection, piece, batch).await;
        assert_eq!(outcome.left_out(), Vec::<String>::new());
    }
    is_sound(&database.connection).await;
    rows(&database.connection).await
}

#[tokio::test]
async fn batches_pieces_and_databases_make_no_difference() {
    let stock = stock();
    let whole = state_of(Backend::Sqlite, &[text_of(&stock)], ndjson::BATCH).await;
    assert_same(&whole, &state_of(Backend::Postgres, &[text_of(&stock)], ndjson::BATCH).await);
    for (backend, batch) in [(Backend::Sqlite, 1), (Backend::Sqlite, 10), (Backend::Postgres, 15)] {
        assert_same(&whole, &state_of(backend, &[text_of(&stock)], batch).await);
    }
    for at in [1, stock.len() / 3, stock.len() - 1] {
        let pieces = [text_of(&stock[..at]), text_of(&stock[at..])];
        assert_same(&whole, &state_of(Backend::Sqlite, &pieces, ndjson::BATCH).await);
        assert_same(&whole, &state_of(Backend::Postgres, &pieces, ndjson::BATCH).await);
    }
}

#[test]
fn any_order_that_keeps_each_customers_own_ends_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stock = stock();
    let whole = runtime.block_on(state_of(Backend::Sqlite, &[text_of(&stock)], ndjson::BATCH));
    let owners: Vec<usize> = stock.iter().map(|(owner, _)| *owner).collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(12));
    let strategy = (Just(owners).prop_shuffle(), 1_usize..20, 0..stock.len());
    let outcome = runner.run(&strategy, |(owners, batch, at)| {
        let mut left: Vec<Vec<_>> = (0..4).map(|who| stock.iter().filter(|(o, _)| *o == who).rev().collect()).collect();
        let mixed: Vec<_> = owners.into_iter().map(|who| left[who].pop().unwrap().clone()).collect();
        let pieces = [text_of(&mixed[..at]), text_of(&mixed[at..])];
        assert_same(&whole, &runtime.block_on(state_of(Backend::Sqlite, &pieces, batch)));
        Ok(())
    });
    outcome.unwrap();
}

on_both! {
    async fn what_names_something_that_comes_later_waits_for_it(app: App::empty) {
        let db = &app.state.db;
        let backwards: String = EXAMPLE.lines().rev().map(|line| format!("{line}\n")).collect();
        let outcome = import_in(db, &backwards, 3).await;
        assert_eq!(outcome.left_out(), Vec::<String>::new());
        let other = Database::migrated(Backend::Sqlite).await;
        import(&other.connection, EXAMPLE).await;
        assert_same(&rows(&other.connection).await, &rows(db).await);
    }
}

on_both! {
    async fn broken_lines_are_told_and_cost_no_other(app: App::empty) {
        let db = &app.state.db;
        let good = r#"{"type":"suggestion","source":"shop","id":"ok","customer":{"id":"17"},"channel":"WEB","givenAt":"2024-02-22T08:00:00Z","body":"Fine"}"#;
        let with = |from: &str, to: &str| good.replacen(from, to, 1);
        let deep = format!("{{\"type\":\"suggestion\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let money = order("A-1", 1, 3, "2024-05-01T00:00:00Z");
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (b"{".to_vec(), "not JSON"),
            (b"[]".to_vec(), "not a JSON object"),
            (b"{\"type\":\"suggestion\",\"id\":\"\xff\"}".to_vec(), "not valid UTF-8"),
            (deep.into_bytes(), "x: unknown field"),
            (with("{\"id\":\"17\"}", "[\"17\",null,null,null,null,null]").into(), "customer: a list, where an object is expected"),
            (with("suggestion", "unicorn").into(), "type: not one of customer, "),
            (with("\"channel\":\"WEB\",", "").into(), "missing field `channel`"),
            (with("WEB", "FAX").into(), "channel: not one of EMAIL"),
            (with("\"body\"", "\"colour\":1,\"body\"").into(), "colour: unknown field `colour`"),
            (with("Fine", "a\\u0000b").into(), "body: a control character"),
            (with("Fine", "\\ud800").into(), "not JSON"),
            (with("Fine", " ").into(), "body: an empty text"),
            (with("\"ok\"", &format!("\"{}\"", "x".repeat(129))).into(), "id: 129 characters"),
            (with("2024-02-22T08:00:00Z", "2024-02-22").into(), "givenAt: not a time"),
            (with("2024-02-22T08:00:00Z", "0001-01-01T00:00:00Z").into(), "givenAt: a time before 1971"),
            (with("{\"id\":\"17\"}", "{\"id\":\"17\",\"email\":\"a@b.co\"}").into(), "customer: name the customer by exactly one"),
            (with("{\"id\":\"17\"}", "{\"email\":\"nobody\"}").into(), "customer.email: not an e-mail address"),
            (with("{\"id\":\"17\"}", "{\"id\":\"18\"}").replace("\"ok\"", "\"no\"").into(), "customer: unknown customer"),
            (with("{\"id\":\"17\"}", "{\"id\":\"17\",\"id\":\"18\"}").into(), "duplicate field"),
            (money.replace("\"10.00\"", "10.5").into(), "lines[0].unitPrice: invalid type: floating point"),
            (money.replace("\"10.00\"", "\"10.005\"").into(), "lines[0].unitPrice: EUR has 2 decimal places"),
            (money.replace("\"10.00\"", "\"-1.00\"").into(), "lines[0].unitPrice: an amount must not be negative"),
            (money.replace("\"10.00\"", "\"1e3\"").into(), "lines[0].unitPrice: not a decimal amount"),
            (money.replace("EUR", "EURO").into(), "currency: not an ISO 4217"),
            (money.replace("\"version\":1", "\"version\":0").into(), "version: 0 does not lie between 1"),
            (money.replace("FULFILLED", "CANCELLED").into(), "cancelledAt: CANCELLED needs it"),
            (money.replace("\"lines\"", "\"total\":\"29.99\",\"lines\"").into(), "total: lines, discounts, shipping and tax come to 30.00"),
            (money.replace("\"lines\"", "\"refunds\":[{\"id\":\"1\",\"amount\":\"30.01\",\"status\":\"GRANTED\",\"grantedAt\":\"2024-05-02T00:00:00Z\"}],\"lines\"").into(), "refunds: more than was paid"),
        ];
        let mut file = b"\xef\xbb\xbf".to_vec();
        file.extend(EXAMPLE.lines().next().unwrap().bytes());
        file.extend(b"\r\n\r\n   \n");
        for (line, _) in &cases {
            file.extend(line);
            file.extend(b"\r\n");
        }
        file.extend(good.bytes());
        let outcome = import(db, &file).await;
        let mut told = outcome.left_out();
        // Those that might have been cured by a later line come last.
        told.sort_by_key(|line| line.split(':').nth(1).unwrap().parse::<u64>().unwrap());
        assert_eq!(told.len(), cases.len(), "{told:#?}");
        for (place, (said, (_, reason))) in told.iter().zip(&cases).enumerate() {
            assert!(said.contains(&format!(":{}: ", place + 4)) && said.contains(reason), "{said}, not {reason}");
        }
        assert_eq!((outcome.counted("customer: added"), outcome.counted("suggestion: added")), (1, 1));
    }
}

on_both! {
    async fn a_line_without_an_end_is_passed_over_without_being_held(app: App::empty) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        // Nothing but zeros, and none of it on the disk.
        file.as_file().set_len(LONG).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(b"\n").unwrap();
        let before = peak_memory();
        file.write_all(EXAMPLE.as_bytes()).unwrap();
        let outcome = import_path(&app.state.db, file.path(), ndjson::BATCH).await.unwrap();
        assert_eq!(outcome.left_out().len(), 1);
        assert!(outcome.left_out()[0].contains(":1: the line is longer than 1 MiB"));
        assert_eq!(outcome.counted("customer: added"), 2);
        // Other tests of the same process need some, too.
        assert!(peak_memory() - before < LONG / 2, "{} bytes", peak_memory() - before);
    }
}

const LONG: u64 = 400 << 20;

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

on_both! {
    async fn a_verified_identity_is_one_customers_and_an_unverified_one_anybodys(app: App::empty) {
        let db = &app.state.db;
        let identity = |id: &str, who: &str, verified: bool| {
            let mut item = json!({"type": "identity", "source": "x", "id": id, "customer": {"source": "shop", "id": who},
                "kind": "PHONE", "value": "0034 612 345 678", "createdAt": "2024-02-01T09:00:00Z"});
            if verified {
                item["verifiedAt"] = json!("2024-02-02T09:00:00Z");
            }
            format!("{item}\n")
        };
        let other = r#"{"type":"customer","source":"shop","id":"18","createdAt":"2024-02-01T09:00:00Z"}"#.to_owned() + "\n";
        let both = first_lines(1) + &other + &identity("1", "17", false) + &identity("2", "18", false);
        assert_eq!(import(db, both).await.left_out(), Vec::<String>::new());
        let verified = import(db, identity("3", "17", true) + &identity("4", "18", true)).await;
        assert_eq!(verified.left_out().len(), 1);
        assert!(verified.left_out()[0].contains(":2: value: verified for another customer"));
        // By the phone that is verified, things find their owner; by one that is not, they don't.
        let said = |phone: &str| format!("{}\n", json!({"type": "suggestion", "source": "x", "id": phone, "channel": "WEB",
            "customer": {"phone": phone}, "givenAt": "2024-02-22T08:00:00Z", "body": "Fine"}));
        let outcome = import(db, said("+34612345678") + &said("+34612345679")).await;
        assert_eq!(outcome.counted("suggestion: added"), 1);
        assert!(outcome.left_out()[0].contains("no customer has this verified phone number"));
    }
}

on_both! {
    async fn what_only_the_database_can_refuse_costs_no_other_row(app: App::empty) {
        let db = &app.state.db;
        let twice = |id: &str| order(id, 1, 1, "2024-05-01T00:00:00Z").replace("\"version\"", "\"number\":\"SAME\",\"version\"");
        let mut lines = first_lines(1);
        for nth in 0..40 {
            lines += &order(&format!("B-{nth}"), 1, 1, "2024-05-01T00:00:00Z");
            lines += "\n";
            if nth % 20 == 7 {
                lines += &format!("{}\n", twice(&format!("C-{nth}")));
            }
        }
        let outcome = import(db, lines).await;
        assert_eq!(outcome.counted("order: added"), 41);
        assert_eq!(outcome.left_out().len(), 1);
        assert!(outcome.left_out()[0].contains("the database refuses it"), "{:?}", outcome.left_out());
        assert_eq!(scalar(db, "SELECT order_count FROM customer_statistics").await, 41);
        is_sound(db).await;
    }
}

#[tokio::test]
async fn a_folder_is_read_by_name_and_rejects_go_to_their_file() {
    let database = Database::migrated(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    // The customer comes in the last file.
    std::fs::write(folder.path().join("a.ndjson"), lines[1..].join("\n")).unwrap();
    std::fs::write(folder.path().join("b.ndjson"), format!("{}\n{{}}\n", lines[0])).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not read").unwrap();
    let rejects = folder.path().join("rejects.json");
    let run = |strict: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_c360"));
        command.args(["import", "ndjson"]).arg(folder.path()).arg("--rejects").arg(&rejects).args(strict);
        command.env_clear().env("DATABASE_URL", &database.url).output().unwrap()
    };
    let output = run(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 rows left out"), "{said}");
    let rejected: Value = serde_json::from_str(&std::fs::read_to_string(&rejects).unwrap()).unwrap();
    assert_eq!((&rejected["file"], &rejected["line"]), (&json!("b.ndjson"), &json!(2)));
    assert_eq!(rejected["reason"], "missing field `type`");
    assert!(!run(&["--strict"]).status.success());
}

async fn killed(backend: Backend) {
    let stock: String = (0..6_000)
        .map(|n| {
            let (who, at) = (n / 3, format!("2024-01-{:02}T00:00:00Z", n % 3 + 1));
            match n % 3 {
                0 => json!({"type": "customer", "source": "s", "id": who.to_string(), "createdAt": at, "loyalty": {"number": format!("N{who}")}}),
                _ => json!({"type": "order", "source": "s", "id": n.to_string(), "customer": {"id": who.to_string()},
                    "channel": "POS", "status": "FULFILLED", "currency": "EUR", "placedAt": at,
                    "lines": [{"sku": "A", "title": "A", "quantity": 3, "unitPrice": "3.33"}],
                    "payments": [{"method": "CASH", "status": "CAPTURED", "amount": "9.99", "paidAt": at}]}),
            }
            .to_string()
                + "\n"
        })
        .collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(stock.as_bytes()).unwrap();
    let (whole, broken) = (Database::migrated(backend).await, Database::migrated(backend).await);
    let command = |database: &Database| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_c360"));
        command
            .args(["import", "ndjson", "--batch", "1500"])
            .arg(file.path())
            .env_clear()
            .env("DATABASE_URL", &database.url);
        command.stderr(Stdio::null());
        command
    };
    assert!(command(&whole).status().unwrap().success());
    let mut kills = 0;
    for _ in 0..4 {
        let before = scalar(&broken.connection, "SELECT count(*) FROM ingested_items").await;
        let mut child = command(&broken).spawn().unwrap();
        // As soon as something new is there, the rest is on its way.
        loop {
            let now = scalar(&broken.connection, "SELECT count(*) FROM ingested_items").await;
            if child.try_wait().unwrap().is_some() {
                break;
            }
            if now > before || (before == 6_000 && now == before) {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert!(kills > 0, "every run was done before it could be killed");
    assert!(command(&broken).status().unwrap().success());
    is_sound(&broken.connection).await;
    assert_same(&timeless(rows(&whole.connection).await), &timeless(rows(&broken.connection).await));
}

#[tokio::test]
async fn killed_and_run_again_it_ends_as_if_it_had_not_been_sqlite() {
    killed(Backend::Sqlite).await;
}

#[tokio::test]
async fn killed_and_run_again_it_ends_as_if_it_had_not_been_postgres() {
    killed(Backend::Postgres).await;
}

#[test]
fn the_committed_reference_is_what_is_read() {
    for (text, path) in
        [(ndjson::reference(), "docs/import-fields.md"), (ndjson::json_schema(), "docs/import.schema.json")]
    {
        let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        assert!(committed == text, "{path} is stale: see docs/import.md");
    }
}

/// The importer takes what the schema says, and refuses what it does not.
#[tokio::test]
async fn the_importer_keeps_to_the_schema() {
    let schema: Value = serde_json::from_str(&ndjson::json_schema()).unwrap();
    let database = Database::migrated(Backend::Sqlite).await;
    let (mut lines, mut expected) = (String::new(), Vec::new());
    let mut kinds = std::collections::BTreeSet::new();
    for line in EXAMPLE.lines() {
        let item: Value = serde_json::from_str(line).unwrap();
        let schemas = schema["oneOf"].as_array().unwrap();
        let of = schemas.iter().find(|schema| schema["title"] == item["type"]).unwrap();
        let fields = of["properties"].as_object().unwrap();
        assert!(item.as_object().unwrap().keys().all(|name| fields.contains_key(name)), "{line}");
        kinds.insert(item["type"].to_string());
        let mut broken = |item: Value, reason: String| {
            lines += &format!("{item}\n");
            expected.push(reason);
        };
        for name in of["required"].as_array().unwrap() {
            let mut less = item.clone();
            less.as_object_mut().unwrap().remove(name.as_str().unwrap());
            broken(less, format!("missing field `{}`", name.as_str().unwrap()));
        }
        let mut more = item.clone();
        more["unicorn"] = json!(1);
        broken(more, "unicorn: unknown field".into());
        for (name, field) in fields {
            let wrong = if field["type"] == "string" { json!(1) } else { json!("one") };
            let mut other = item.clone();
            other[name] = wrong;
            broken(other, if name == "type" { "type".into() } else { format!("{name}: ") });
            if field.get("enum").is_some() {
                let mut other = item.clone();
                other[name] = json!("UNICORN");
                broken(other, format!("{name}: not one of "));
            }
        }
    }
    assert_eq!(kinds.len(), schema["oneOf"].as_array().unwrap().len(), "the example lacks a type");
    let told = import(&database.connection, lines).await.left_out();
    assert_eq!(told.len(), expected.len());
    for (said, reason) in told.iter().zip(&expected) {
        assert!(said.contains(reason.as_str()), "{said}, not {reason}");
    }
}
