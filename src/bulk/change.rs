//! What a batch does besides adding rows: what it relies on, takes away, and works out afterwards.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Row as _};
use uuid::Uuid;

/// A statement that works something out for some rows, in the transaction that wrote them.
///
/// `{ids}` stands where a condition on an id ends (`WHERE c.id {ids}`), `{now}` for the time of the batch.
#[derive(Clone, Copy, Debug)]
pub struct Afterwards {
    /// PostgreSQL's text.
    pub postgres: &'static str,
    /// SQLite's text.
    pub sqlite: &'static str,
}

/// Everything of a batch that is not a row to add.
#[derive(Debug, Default)]
pub(super) struct Changes {
    expected: BTreeMap<&'static str, BTreeMap<Uuid, i64>>,
    cleared: BTreeMap<(&'static str, &'static str), Vec<Uuid>>,
    afterwards: Vec<(Afterwards, Vec<Uuid>, DateTime<Utc>)>,
}

impl Changes {
    pub(super) fn expect(&mut self, table: &'static str, id: Uuid, version: i64) {
        self.expected.entry(table).or_default().entry(id).or_insert(version);
    }

    pub(super) fn clear(&mut self, table: &'static str, column: &'static str, id: Uuid) {
        self.cleared.entry((table, column)).or_default().push(id);
    }

    pub(super) fn afterwards(&mut self, what: Afterwards, ids: Vec<Uuid>, now: DateTime<Utc>) {
        if !ids.is_empty() {
            self.afterwards.push((what, ids, now));
        }
    }

    /// Locks what the batch relies on and takes away what it replaces. False if something has changed since.
    pub(super) async fn prepare_postgres(&self, db: &mut PgConnection) -> Result<bool, sqlx::Error> {
        for (table, rows) in &self.expected {
            let ids: Vec<Uuid> = rows.keys().copied().collect();
            let text = format!("SELECT id, version FROM {table} WHERE id = ANY($1) ORDER BY id FOR UPDATE");
            let found = sqlx::query(AssertSqlSafe(text)).bind(ids).fetch_all(&mut *db).await?;
            let same = |row: &sqlx::postgres::PgRow| {
                row.try_get("id").ok().and_then(|id: Uuid| rows.get(&id).copied()) == row.try_get("version").ok()
            };
            if found.len() != rows.len() || !found.iter().all(same) {
                return Ok(false);
            }
        }
        for ((table, column), ids) in &self.cleared {
            let text = format!("DELETE FROM {table} WHERE {column} = ANY($1)");
            sqlx::query(AssertSqlSafe(text)).bind(ids).execute(&mut *db).await?;
        }
        Ok(true)
    }

    /// As [`Changes::prepare_postgres`]; the transaction has the only lock there is.
    pub(super) async fn prepare_sqlite(&self, db: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        for (table, rows) in &self.expected {
            let text = format!("SELECT version FROM {table} WHERE id = ?");
            for (id, version) in rows {
                let found: Option<(i64,)> =
                    sqlx::query_as(AssertSqlSafe(text.as_str())).bind(id).fetch_optional(&mut *db).await?;
                if found != Some((*version,)) {
                    return Ok(false);
                }
            }
        }
        for ((table, column), ids) in &self.cleared {
            let text = format!("DELETE FROM {table} WHERE {column} = ?");
            for id in ids {
                sqlx::query(AssertSqlSafe(text.as_str())).bind(id).execute(&mut *db).await?;
            }
        }
        Ok(true)
    }

    pub(super) async fn finish_postgres(&self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        for (what, ids, now) in &self.afterwards {
            let text = what.postgres.replace("{ids}", "= ANY($1)").replace("{now}", "$2");
            let query = sqlx::query(AssertSqlSafe(text)).bind(ids);
            let query = if what.postgres.contains("{now}") { query.bind(now) } else { query };
            query.execute(&mut *db).await?;
        }
        Ok(())
    }

    pub(super) async fn finish_sqlite(&self, db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for (what, ids, now) in &self.afterwards {
            let text = what.sqlite.replace("{ids}", "= ?1").replace("{now}", "?2");
            for id in ids {
                let query = sqlx::query(AssertSqlSafe(text.as_str())).bind(id);
                let query = if what.sqlite.contains("{now}") { query.bind(now) } else { query };
                query.execute(&mut *db).await?;
            }
        }
        Ok(())
    }
}
