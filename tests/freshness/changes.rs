//! Every table, column by column: a change by the write path is in the next answer, whatever it is.

use std::collections::{BTreeMap, BTreeSet};

use c360::cache::tables::{Rows, TABLES};
use c360::retailer::demo;
use c360::write::{self, Outcome, Tx, Work};
use c360_rules::access::Role;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ask, ask_kept, on_both_caches};
use crate::harness::actor::customer_gid;
use crate::policy;

/// Columns that say whose a row is or what it hangs from, within one customer: those never change.
const FIXED: [&str; 3] = ["id", "customer_id", "merged_into_id"];

/// What other rows a column may name: those of tables that belong to nobody.
const SHARED: [&str; 11] = [
    "product_id",
    "store_id",
    "staff_id",
    "team_id",
    "assignee_id",
    "sla_policy_id",
    "tier_id",
    "reward_id",
    "survey_id",
    "segment_id",
    "owner_id",
];

async fn words(db: &DatabaseConnection, sql: &str) -> Vec<Vec<String>> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    let columns = |row: &sea_orm::QueryResult| row.column_names().len();
    rows.iter().map(|row| (0..columns(row)).map(|at| row.try_get_by_index(at).unwrap()).collect()).collect()
}

/// Names and types of a table's columns.
async fn columns(db: &DatabaseConnection, table: &str) -> Vec<(String, String)> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => format!(
            "SELECT column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        ),
        _ => format!("SELECT name, type FROM pragma_table_info('{table}')"),
    };
    words(db, &sql).await.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

/// Ways to give a column another value; the first that the constraints let pass is taken.
fn others(table: &str, column: &str, ty: &str) -> Vec<String> {
    let another = format!(
        "COALESCE((SELECT y.{column} FROM {table} y WHERE y.{column} <> {table}.{column} ORDER BY y.{column} LIMIT 1), {column})"
    );
    match ty {
        "uuid" | "BLOB" if !SHARED.contains(&column) => Vec::new(),
        "uuid" | "BLOB" => vec![another],
        "boolean" => vec![format!("NOT {column}")],
        "bigint" | "integer" | "smallint" | "INTEGER" => {
            vec![format!("{column} + 1"), format!("1 - {column}"), format!("{column} - 1")]
        }
        "timestamp with time zone" => {
            vec![format!("{column} + interval '1 hour'"), format!("{column} - interval '1 hour'")]
        }
        "date" => vec![format!("{column} + 1")],
        "text" => vec![format!("{column} || 'x'"), another],
        "TEXT" => vec![
            format!(
                "CASE WHEN {column} LIKE '____-__-__T%' THEN strftime('%Y-%m-%dT%H:%M:%f+00:00', {column}, '+1 hour') \
                     WHEN {column} LIKE '____-__-__' THEN date({column}, '+1 day') ELSE {column} || 'x' END"
            ),
            another,
        ],
        _ => Vec::new(),
    }
}

/// Changes a column of a table, of one customer where the rows are customers'.
struct Change<'a> {
    table: &'a str,
    set: String,
    customer: Option<(Uuid, &'static str)>,
}

impl Work for Change<'_> {
    type Made = u64;

    async fn run(&self, tx: &mut Tx) -> Outcome<u64> {
        let mut sql = tx.sql();
        sql.push(&format!("UPDATE {} SET {}", self.table, self.set));
        if let Some((id, column)) = self.customer {
            tx.lock_customer(id).await?;
            sql.push(&format!(" WHERE {column} = "));
            sql.bind(id);
        }
        tx.execute(sql).await
    }
}

/// A document with every field of every type that can be reached from `ty`, each type once.
fn everything(types: &BTreeMap<String, Value>, ty: &str, seen: &mut BTreeSet<String>) -> String {
    let mut text = "__typename".to_owned();
    for possible in types[ty]["possibleTypes"].as_array().into_iter().flatten() {
        let name = possible["name"].as_str().unwrap();
        text += &format!(" ... on {name} {{ {} }}", everything(types, name, seen));
    }
    for field in types[ty]["fields"].as_array().into_iter().flatten() {
        let (kind, gives) = policy::named(&field["type"]);
        let name = field["name"].as_str().unwrap();
        let pages = field["args"].as_array().unwrap().iter().any(|argument| argument["name"] == "first");
        let call = if pages { format!("{name}(first: 20)") } else { name.to_owned() };
        if !matches!(kind, "OBJECT" | "INTERFACE" | "UNION") {
            // What an interface has, its kinds have: under one key only if it is the same.
            text += &format!(" {name}");
        } else if gives.ends_with("Connection") || matches!(gives, "Money" | "Staff") || seen.insert(gives.to_owned()) {
            let below = match gives.strip_suffix("Connection") {
                Some(node) if seen.insert(node.to_owned()) => format!("nodes {{ {} }}", everything(types, node, seen)),
                Some(_) => continue,
                None => everything(types, gives, seen),
            };
            text += &format!(" {call} {{ {below} }}");
        }
    }
    text
}

/// Every value of an answer under the names of the fields that lead to it.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, Vec<Value>>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, &format!("{path}.{name}"), found))
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, found)),
        leaf => found.entry(path.to_owned()).or_default().push(leaf.clone()),
    }
}

on_both_caches! {
    async fn whatever_changes_is_in_the_next_answer(kept: Kept) {
        let app = &kept.app;
        let plain = kept.plain().await;
        let types = policy::types_of(&plain).await;
        let document = format!("query($by: CustomerIdentifier!) {{ customer360(by: $by) {{ {} }} }}", everything(&types, "Customer", &mut BTreeSet::from(["Customer".to_owned()])));
        let customer = app.id_of(demo::DEMO_CUSTOMER.number).await;
        let by = json!({ "by": { "id": customer_gid(customer) } });
        let (kept, truth) = (app.staff(Role::Supervisor), plain.staff(Role::Supervisor));
        let mut before = ask_kept(&kept, &document, by.clone()).await;
        assert_eq!(before["errors"], Value::Null);
        let mut changed = BTreeSet::new();
        for (rows, names) in TABLES {
            for table in names.split_whitespace().filter(|_| *rows != Rows::Unseen) {
                let customer = match rows {
                    Rows::Shared => None,
                    _ => Some((customer, if table == "customers" { "id" } else { "customer_id" })),
                };
                let all = columns(&app.state.db, table).await;
                if customer.is_some_and(|(_, column)| !all.iter().any(|(name, _)| name == column)) {
                    continue;
                }
                for (column, ty) in all.iter().filter(|(name, _)| !FIXED.contains(&name.as_str())) {
                    let mut took = false;
                    for other in others(table, column, ty) {
                        let change = Change { table, set: format!("{column} = {other}"), customer };
                        took = write::system(&app.state, "test", &change).await.is_ok_and(|rows| rows > 0);
                        if took {
                            break;
                        }
                    }
                    if !took {
                        continue;
                    }
                    let now = ask(&truth, &document, by.clone()).await.0;
                    let (answer, _) = ask(&kept, &document, by.clone()).await;
                    assert_eq!(answer, now, "after {table}.{column}");
                    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
                    leaves(&before["data"], "", &mut old);
                    leaves(&now["data"], "", &mut new);
                    changed.extend(new.iter().filter(|(path, values)| old.get(*path) != Some(values)).map(|(path, _)| path.clone()));
                    before = now;
                }
                assert_eq!(ask_kept(&kept, &document, by.clone()).await, before, "after {table}");
            }
        }
        let mut all = BTreeMap::new();
        leaves(&before["data"], "", &mut all);
        let same: Vec<_> = all.keys().filter(|path| !changed.contains(*path) && !path.ends_with(".id") && !path.ends_with("__typename")).collect();
        assert!(changed.len() > 150, "{} fields changed; these never did: {same:#?}", changed.len());
    }
}

on_both_caches! {
    async fn it_is_said_of_every_table_whose_rows_it_holds(kept: Kept) {
        let db = &kept.app.state.db;
        let sql = match db.get_database_backend() {
            DbBackend::Postgres => "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
            _ => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        };
        let there: BTreeSet<String> = words(db, sql).await.into_iter().map(|mut row| row.remove(0)).collect();
        let listed: BTreeSet<String> = TABLES.iter().flat_map(|(_, names)| names.split_whitespace()).map(str::to_owned).collect();
        assert_eq!(there, listed);
    }
}
