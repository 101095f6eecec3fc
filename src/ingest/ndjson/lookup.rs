//! Looking rows up, many at once, by keys.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr, EntityTrait, Statement, Value};
use uuid::Uuid;

/// The rows of a table in which a column has one of these ids; more conditions may stand before the column.
pub(super) async fn by_ids<E: EntityTrait>(
    db: &DatabaseConnection,
    table: &str,
    column: &str,
    ids: &[Uuid],
) -> Result<Vec<E::Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list: BTreeSet<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    let text = looked_up(db, "*", table, column, List::Ids(1));
    E::find().from_raw_sql(Statement::from_sql_and_values(db.get_database_backend(), text, [json(&list)])).all(db).await
}

/// The rows of a table in which some columns have these values, and one more has one of the texts.
pub(super) async fn by_texts<E: EntityTrait>(
    db: &DatabaseConnection,
    table: &str,
    same: &[(&str, &str)],
    column: &str,
    texts: &BTreeSet<String>,
) -> Result<Vec<E::Model>, DbErr> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let conditions: String = (1..).zip(same).map(|(n, (column, _))| format!("{column} = ${n} AND ")).collect();
    let text = looked_up(db, "*", table, &format!("{conditions}{column}"), List::Texts(same.len() + 1));
    let values = same.iter().map(|(_, value)| Value::from(*value)).chain([json(texts)]);
    E::find().from_raw_sql(Statement::from_sql_and_values(db.get_database_backend(), text, values)).all(db).await
}

/// Whose the numbers are, in either of two tables.
pub(super) async fn owners(
    db: &DatabaseConnection,
    tables: [&str; 2],
    numbers: &BTreeSet<String>,
) -> Result<Vec<(String, Uuid)>, DbErr> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let text =
        tables.map(|table| looked_up(db, "number, customer_id", table, "number", List::Texts(1))).join(" UNION ");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), text, [json(numbers)]);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((row.try_get("", "number")?, row.try_get("", "customer_id")?))).collect()
}

/// Values that come as one parameter, a list in JSON without repetitions.
#[derive(Clone, Copy)]
enum List {
    Ids(usize),
    Texts(usize),
}

/// A statement of the rows of a table whose `column` has one of the values; more conditions may stand before the column.
///
/// PostgreSQL has to look each value up by itself. Left to choose, it goes by what it knows when it sees the statement first,
/// which may be that the table is empty: then it reads all rows that meet the other conditions, and goes through the list
/// for each.
fn looked_up(db: &DatabaseConnection, columns: &str, table: &str, column: &str, list: List) -> String {
    match (db.get_database_backend(), list) {
        (DbBackend::Postgres, list) => {
            let (parameter, value) = match list {
                List::Ids(parameter) => (parameter, "CAST(v.value AS uuid)"),
                List::Texts(parameter) => (parameter, "v.value"),
            };
            format!(
                "SELECT x.* FROM jsonb_array_elements_text(CAST(${parameter} AS jsonb)) AS v (value), \
                 LATERAL (SELECT {columns} FROM {table} WHERE {column} = {value} OFFSET 0) x"
            )
        }
        (_, List::Ids(parameter)) => {
            format!(
                "SELECT {columns} FROM {table} WHERE {column} IN (SELECT unhex(value) FROM json_each(${parameter}))"
            )
        }
        (_, List::Texts(parameter)) => {
            format!("SELECT {columns} FROM {table} WHERE {column} IN (SELECT value FROM json_each(${parameter}))")
        }
    }
}

fn json(texts: &BTreeSet<String>) -> Value {
    Value::from(serde_json::json!(texts).to_string())
}
