//! Text and parameters of a statement, in the words of one of the two databases.

use sea_orm::{DbBackend, Statement, Value};
use uuid::Uuid;

/// A statement in the making.
#[derive(Debug)]
pub struct Sql {
    /// Whose words.
    pub backend: DbBackend,
    /// What stands for the id of the caller's own customer, if that is known beforehand.
    pub(crate) own: Option<String>,
    text: String,
    parameters: Vec<Value>,
}

impl Sql {
    /// An empty statement.
    pub fn new(backend: DbBackend) -> Self {
        Self { backend, own: None, text: String::new(), parameters: Vec::new() }
    }

    /// Appends text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends a parameter.
    pub fn bind(&mut self, value: impl Into<Value>) {
        let placeholder = self.parameter(value);
        self.text.push_str(&placeholder);
    }

    /// Adds a parameter and gives its placeholder, to be pushed (once or more often) with other text.
    pub fn parameter(&mut self, value: impl Into<Value>) -> String {
        self.parameters.push(match value.into() {
            // PostgreSQL's texts have no NUL, so nothing matches one with it; sent as it is, it would be a fault.
            Value::String(Some(text)) if text.contains('\0') => text.replace('\0', "\u{fffd}").into(),
            value => value,
        });
        let sign = if self.is_postgres() { '$' } else { '?' };
        format!("{sign}{}", self.parameters.len())
    }

    /// A condition that `column` is one of `ids`; the text is the same for any number of them.
    pub fn one_of(&mut self, column: &str, ids: &[Uuid]) -> String {
        let list: Vec<String> = ids.iter().map(|id| format!("\"{}\"", id.simple())).collect();
        let parameter = self.parameter(format!("[{}]", list.join(",")));
        if self.is_postgres() {
            format!("{column} IN (SELECT CAST(value AS uuid) FROM json_array_elements_text(CAST({parameter} AS json)))")
        } else {
            format!("{column} IN (SELECT unhex(value) FROM json_each({parameter}))")
        }
    }

    /// A condition that `column` is one of `words`; the text is the same for any number of them.
    pub fn one_of_words(&mut self, column: &str, words: &[&str]) -> String {
        let list: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let parameter = self.parameter(format!("[{}]", list.join(",")));
        if self.is_postgres() {
            format!("{column} IN (SELECT value FROM json_array_elements_text(CAST({parameter} AS json)))")
        } else {
            format!("{column} IN (SELECT value FROM json_each({parameter}))")
        }
    }

    /// Whether PostgreSQL will read this.
    pub fn is_postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    /// The finished statement.
    pub fn finish(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.text, self.parameters)
    }
}
