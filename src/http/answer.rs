//! How an answer is written.

use std::sync::LazyLock;

use async_graphql::{ErrorExtensions as _, ServerError, Value};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::negotiate::Media;
use super::observe::Report;
use crate::error::{Code, Fault};
use crate::metrics::Kind;
use crate::throttle::Throttled;

/// An answer as the GraphQL specification has it: without `data` where nothing ran.
#[derive(Debug, Default, Serialize)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<ServerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extensions: Option<Extensions>,
    /// The operation's name and kind, for operators.
    #[serde(skip)]
    pub(super) operation: (Option<String>, Kind),
}

/// What is told besides the data.
#[derive(Debug, Serialize)]
pub(super) struct Extensions {
    pub(super) cost: Cost,
}

/// What the operation cost.
#[derive(Debug, Serialize)]
pub(super) struct Cost {
    /// The rows that it could have read.
    pub(super) requested: u64,
    /// The rows that it read.
    pub(super) actual: u64,
    /// What its caller may still ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) throttle: Option<Throttled>,
}

/// An answer without data.
pub(super) fn refuse(status: StatusCode, faults: &[Fault], media: Media) -> Response {
    let errors = faults.iter().map(error_of).collect();
    write(status, &Answer { errors, ..Answer::default() }, media)
}

fn error_of(fault: &Fault) -> ServerError {
    let place = fault.place;
    let mut error = async_graphql::Error::from(fault.clone()).into_server_error(async_graphql::Pos::default());
    error.locations = place.map(|(line, column)| async_graphql::Pos { line, column }).into_iter().collect();
    error
}

/// Writes an answer, and notes beside it what operators see of it.
pub(super) fn write(status: StatusCode, answer: &Answer, media: Media) -> Response {
    let mut response = bytes_of(status, answer, media);
    let (name, kind) = answer.operation.clone();
    let ran = answer.data.is_some();
    response.extensions_mut().insert(Report { name, kind, ran, codes: codes(&answer.errors), ..Report::default() });
    response
}

/// Each code that the errors have, once.
fn codes(errors: &[ServerError]) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for error in errors {
        let code = error.extensions.as_ref().and_then(|extensions| match extensions.get("code") {
            Some(Value::String(code)) => Code::named(code),
            _ => None,
        });
        let code = code.unwrap_or(Code::InternalServerError).as_str();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

fn bytes_of(status: StatusCode, answer: &Answer, media: Media) -> Response {
    match serde_json::to_vec(answer) {
        Ok(bytes) => respond(status, media, bytes),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The gateway has enough to do. There may be many of these, so that nothing is reckoned anew for each.
pub(super) fn overloaded(media: Media) -> Response {
    static BODY: LazyLock<Bytes> = LazyLock::new(|| {
        let fault = Fault::new(Code::Unavailable, "the gateway has enough to do; try again in a moment");
        let answer = Answer { errors: vec![error_of(&fault.because("OVERLOADED"))], ..Answer::default() };
        serde_json::to_vec(&answer).unwrap_or_default().into()
    });
    let mut response = respond(StatusCode::SERVICE_UNAVAILABLE, media, BODY.clone());
    response.extensions_mut().insert(Report {
        codes: vec![Code::Unavailable.as_str()],
        is_shed: true,
        ..Report::default()
    });
    retry_after(response, 1)
}

/// Says when to come back.
pub(super) fn retry_after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn respond(status: StatusCode, media: Media, body: impl Into<Body>) -> Response {
    let headers = [(header::CONTENT_TYPE, media.content_type()), (header::CACHE_CONTROL, "private, no-store")];
    (status, headers, body.into()).into_response()
}

/// Gives every error that the library raised its code.
pub(super) fn give_code(error: &mut ServerError) {
    if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
        return;
    }
    // Whatever has no code is about a value that its scalar or input object does not take.
    let argument = argument_at_fault(&error.message);
    let mut coded = async_graphql::Error::new(std::mem::take(&mut error.message)).extend_with(|_, extensions| {
        extensions.set("code", Code::BadUserInput.as_str());
        if let Some(argument) = argument {
            extensions.set("argument", argument);
        }
    });
    error.message = std::mem::take(&mut coded.message);
    error.extensions = coded.extensions;
}

/// The library names the argument in words: `Invalid value for argument "filter.channel", …`.
fn argument_at_fault(message: &str) -> Option<String> {
    let rest = message.strip_prefix("Invalid value for argument \"")?;
    rest.split_once('"').map(|(argument, _)| argument.to_owned())
}
