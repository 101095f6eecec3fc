//! SQLite's multi-row `INSERT`, in statements whose text repeats, so that each is prepared once.

use sea_orm::Value;
use sea_orm::sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sea_orm::sqlx::{self, Arguments as _, AssertSqlSafe};

/// Parameters of one statement, about: more save little time and make statements that are slow to prepare.
const PARAMETERS: usize = 1_000;

/// Rows of one table, as arguments of statements.
pub(super) struct Inserts {
    width: usize,
    /// Rows of a full statement.
    height: usize,
    full: Vec<SqliteArguments>,
    rest: SqliteArguments,
    /// Rows in `rest`.
    rows: usize,
}

impl std::fmt::Debug for Inserts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows", self.full.len() * self.height + self.rows)
    }
}

impl Inserts {
    pub(super) fn new(width: usize) -> Self {
        let height = (PARAMETERS / width.max(1)).max(1);
        Self { width, height, full: Vec::new(), rest: SqliteArguments::default(), rows: 0 }
    }

    pub(super) fn add(&mut self, row: impl Iterator<Item = Value>) {
        if self.rows == 0 {
            self.rest.reserve(self.height * self.width, 0);
        }
        for value in row {
            argument(&mut self.rest, value);
        }
        self.rows += 1;
        if self.rows == self.height {
            self.full.push(std::mem::take(&mut self.rest));
            self.rows = 0;
        }
    }

    /// Runs the statements; `into` is all that comes before `VALUES`, `then` all that comes after them.
    pub(super) async fn write(self, db: &mut SqliteConnection, into: &str, then: &str) -> Result<(), sqlx::Error> {
        let row = format!("({})", vec!["?"; self.width].join(","));
        let text = |rows: usize| format!("{into} VALUES {}{then}", vec![row.as_str(); rows].join(","));
        let whole = text(self.height);
        for arguments in self.full {
            sqlx::query_with(AssertSqlSafe(whole.as_str()), arguments).execute(&mut *db).await?;
        }
        if self.rows > 0 {
            let query = sqlx::query_with(AssertSqlSafe(text(self.rows)), self.rest);
            query.persistent(false).execute(&mut *db).await?;
        }
        Ok(())
    }
}

/// Adds a value of any type that the schema has, in the form in which sea-orm reads it back.
fn argument(arguments: &mut SqliteArguments, value: Value) {
    let added = match value {
        Value::Bool(v) => arguments.add(v),
        Value::SmallInt(v) => arguments.add(v),
        Value::Int(v) => arguments.add(v),
        Value::BigInt(v) => arguments.add(v),
        Value::Uuid(v) => arguments.add(v),
        Value::ChronoDateTimeUtc(v) => arguments.add(v),
        Value::ChronoDate(v) => arguments.add(v),
        Value::String(v) => arguments.add(v),
        Value::Bytes(v) => arguments.add(v),
        Value::Json(v) => arguments.add(v.map(|v| v.to_string())),
        other => {
            debug_assert!(false, "no column holds {other:?}");
            arguments.add(None::<i64>)
        }
    };
    debug_assert!(added.is_ok(), "{added:?}");
}
