//! Faults: the closed list of codes, and how a fault looks to a client.
//!
//! What a person may have caused says what to do; what they did not cause says nothing but its code, and
//! the cause goes to the log.

use async_graphql::ErrorExtensions;
use sea_orm::DbErr;

use crate::db::Trouble;

/// The codes in `extensions.code`. There are no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// An argument's value cannot be used; `extensions.argument` names it.
    BadUserInput,
    /// No valid token.
    Unauthenticated,
    /// The token lacks a scope or a role for this field.
    Forbidden,
    /// The document is too large, or asks for too much at once; `extensions.reason` says which limit it breaks.
    QueryTooComplex,
    /// The caller asks for more than its share; `Retry-After` says when to come back.
    Throttled,
    /// No document is known by this name: send its text along.
    PersistedQueryNotFound,
    /// The database cannot be reached or is too busy; trying again later helps.
    Unavailable,
    /// The statement took too long.
    Timeout,
    /// Something broke; the log has the cause under the request's id.
    InternalServerError,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::BadUserInput,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::QueryTooComplex,
        Self::Throttled,
        Self::PersistedQueryNotFound,
        Self::Unavailable,
        Self::Timeout,
        Self::InternalServerError,
    ];

    /// The one that stands as `text` in `extensions.code`.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// As it stands in `extensions.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::Throttled => "THROTTLED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::Unavailable => "UNAVAILABLE",
            Self::Timeout => "TIMEOUT",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
        }
    }
}

/// One fault on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Which of the closed list.
    pub code: Code,
    /// What happened and what to do, for the app developer.
    pub message: String,
    /// The argument at fault, as `extensions.argument`.
    pub argument: Option<String>,
    /// A finer reason within the code, as `extensions.reason`.
    pub reason: Option<&'static str>,
    /// Where in the document, as line and column from 1.
    pub place: Option<(usize, usize)>,
}

impl Fault {
    /// A fault with nothing but code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), argument: None, reason: None, place: None }
    }

    /// `BAD_USER_INPUT` for `argument`.
    pub fn bad_input(argument: impl Into<String>, message: impl std::fmt::Display) -> Self {
        let argument = argument.into();
        let message = format!("{argument}: {message}");
        Self { argument: Some(argument), ..Self::new(Code::BadUserInput, message) }
    }

    /// Adds `extensions.reason`.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// `FORBIDDEN`: `what` names what the token would need.
    pub fn forbidden(what: impl std::fmt::Display) -> Self {
        Self::new(Code::Forbidden, format!("this token may not use this field: it needs {what}"))
    }

    /// The one text for everything the client did not cause.
    pub fn internal() -> Self {
        Self::new(Code::InternalServerError, "something went wrong; the request's id finds the cause in the log")
    }
}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        tracing::error!(error = crate::db::describe(&error), "the database failed");
        match crate::db::trouble(&error) {
            Trouble::Pool | Trouble::Unavailable | Trouble::Clash => {
                Self::new(Code::Unavailable, "the database cannot be reached; try again in a moment")
            }
            Trouble::Timeout => Self::new(Code::Timeout, "this took too long; ask for less at once"),
            Trouble::Other => Self::internal(),
        }
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        Self::new(fault.message).extend_with(|_, extensions| {
            extensions.set("code", fault.code.as_str());
            if let Some(argument) = fault.argument {
                extensions.set("argument", argument);
            }
            if let Some(reason) = fault.reason {
                extensions.set("reason", reason);
            }
        })
    }
}
