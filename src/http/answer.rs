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
use crate::json;
use crate::metrics::Kind;
use crate::throttle::Throttled;

/// The answer to an operation that ran, now or before.
#[derive(Debug)]
pub(super) struct Ran {
    /// In JSON from its first brace on, without extensions and the last brace.
    pub(super) bytes: Vec<u8>,
    pub(super) extensions: Extensions,
    /// The codes of its errors.
    pub(super) codes: Vec<&'static str>,
    /// The operation's name and kind, for operators.
    pub(super) operation: (Option<String>, Kind),
}

/// What is told besides the data.
#[derive(Debug, Serialize)]
pub(super) struct Extensions {
    pub(super) cost: Cost,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache: Option<Cached>,
}

/// Where a query's answer is from.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub(super) enum Cached {
    /// It was made before, and nothing that it rests on has changed since.
    #[serde(rename = "HIT")]
    Hit {
        /// How long ago it was made, in milliseconds.
        #[serde(rename = "ageMs")]
        age_ms: i64,
    },
    /// It was made now, and is kept.
    #[serde(rename = "MISS")]
    Miss,
    /// It was made now, and is not kept.
    #[serde(rename = "BYPASS")]
    Bypass {
        /// Why not.
        reason: &'static str,
    },
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
    let errors: Vec<ServerError> = faults.iter().map(error_of).collect();
    let codes = codes(&errors);
    match begin(None, &errors) {
        Ok(mut bytes) => {
            bytes.push(b'}');
            let mut response = respond(status, media, bytes);
            response.extensions_mut().insert(Report { codes, ..Report::default() });
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn error_of(fault: &Fault) -> ServerError {
    let place = fault.place;
    let mut error = async_graphql::Error::from(fault.clone()).into_server_error(async_graphql::Pos::default());
    error.locations = place.map(|(line, column)| async_graphql::Pos { line, column }).into_iter().collect();
    error
}

/// Room for what stands around the data.
const AROUND: usize = 256;

/// Data and errors in JSON, from the first brace on, without the last one: as the GraphQL specification has it, without
/// `data` where nothing ran and without `errors` where there are none.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR`: a value that JSON cannot have.
pub(super) fn begin(data: Option<&Value>, errors: &[ServerError]) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::with_capacity(data.map_or(0, json::written) + AROUND);
    bytes.push(b'{');
    if let Some(data) = data {
        bytes.extend_from_slice(br#""data":"#);
        json::write(data, &mut bytes);
    }
    if !errors.is_empty() {
        bytes.extend_from_slice(if data.is_some() { br#","errors":"# } else { br#""errors":"# });
        serde_json::to_writer(&mut bytes, errors).map_err(|error| {
            tracing::error!(%error, "an answer could not be written");
            Fault::internal()
        })?;
    }
    Ok(bytes)
}

/// Ends an answer, and notes beside it what operators see of it.
pub(super) fn write(ran: Ran, media: Media) -> Response {
    let Ran { mut bytes, extensions, codes, operation: (name, kind) } = ran;
    bytes.extend_from_slice(br#","extensions":"#);
    if let Err(error) = serde_json::to_writer(&mut bytes, &extensions) {
        tracing::error!(%error, "an answer could not be ended");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    bytes.push(b'}');
    let mut response = respond(StatusCode::OK, media, bytes);
    response.extensions_mut().insert(Report { name, kind, ran: true, codes, ..Report::default() });
    response
}

/// Each code that the errors have, once.
pub(super) fn codes(errors: &[ServerError]) -> Vec<&'static str> {
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

/// The gateway has enough to do. There may be many of these, so that nothing is reckoned anew for each.
pub(super) fn overloaded(media: Media) -> Response {
    static BODY: LazyLock<Bytes> = LazyLock::new(|| {
        let fault = Fault::new(Code::Unavailable, "the gateway has enough to do; try again in a moment");
        let mut bytes = begin(None, &[error_of(&fault.because("OVERLOADED"))]).unwrap_or_default();
        bytes.push(b'}');
        bytes.into()
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
