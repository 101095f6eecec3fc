//! A step of the schema: one text for two databases, written in PostgreSQL's words.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// A migration that is nothing but SQL: statements, each ended by `;` at the end of a line.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) ddl: &'static str,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(manager, self.ddl).await
    }
}

async fn apply(manager: &SchemaManager<'_>, ddl: &str) -> Result<(), DbErr> {
    let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    for statement in ddl.split(";\n").map(str::trim).filter(|s| !s.is_empty()) {
        let text = if sqlite { for_sqlite(&statement.replace(BYTEWISE, "")) } else { statement.to_owned() };
        manager.get_connection().execute_unprepared(&text).await?;
    }
    Ok(())
}

/// Texts that are compared byte by byte, whatever the database's language; SQLite always does.
const BYTEWISE: &str = " COLLATE \"C\"";

/// Maps the type words of a table or a new column, and makes new tables `STRICT`; other statements stay as they are.
fn for_sqlite(statement: &str) -> String {
    let strict = match statement {
        table if table.starts_with("CREATE TABLE") => " STRICT",
        column if column.starts_with("ALTER TABLE") => "",
        _ => return statement.to_owned(),
    };
    let mut out = String::with_capacity(statement.len() + 16);
    let mut quoted = false;
    let mut word = String::new();
    for c in statement.chars().chain([' ']) {
        if !quoted && (c.is_ascii_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        }
        out.push_str(sqlite_type(&word).unwrap_or(&word));
        word.clear();
        quoted ^= c == '\'';
        out.push(c);
    }
    out.trim_end().to_owned() + strict
}

fn sqlite_type(word: &str) -> Option<&'static str> {
    Some(match word {
        "uuid" | "bytea" => "BLOB",
        "timestamptz" | "date" | "jsonb" => "TEXT",
        "bigint" | "integer" | "smallint" | "boolean" => "INTEGER",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_mapped_and_literals_are_not() {
        let pg = "CREATE TABLE t (\n  id uuid PRIMARY KEY,\n  day date CHECK (kind IN ('date')),\n  n bigint\n)";
        let lite =
            "CREATE TABLE t (\n  id BLOB PRIMARY KEY,\n  day TEXT CHECK (kind IN ('date')),\n  n INTEGER\n) STRICT";
        assert_eq!(for_sqlite(pg), lite);
        assert_eq!(for_sqlite("CREATE INDEX i ON t (date)"), "CREATE INDEX i ON t (date)");
        assert_eq!(for_sqlite("ALTER TABLE t ADD COLUMN at timestamptz"), "ALTER TABLE t ADD COLUMN at TEXT");
    }
}
