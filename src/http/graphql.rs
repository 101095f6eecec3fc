//! GraphQL over HTTP: a POST of JSON, answered as JSON.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{
    ErrorExtensions as _, Name, PathSegment, Request, Response as Answer, ServerError, Value, Variables,
};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tracing::Instrument as _;

use super::{Gateway, bearer};
use crate::error::{Code, Fault};
use crate::scope::Scope;

/// A request as the GraphQL-over-HTTP specification has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Variables,
}

/// The media type of the GraphQL-over-HTTP specification.
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// `POST /graphql`.
pub(super) async fn answer(State(gateway): State<Gateway>, headers: HeaderMap, body: Bytes) -> Response {
    let id = gateway.state.clock.request_id();
    let span = tracing::info_span!("request", %id);
    let mut response = respond(&gateway, &headers, &body).instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

async fn respond(gateway: &Gateway, headers: &HeaderMap, body: &[u8]) -> Response {
    let media = media_type(headers);
    let is_json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    });
    if !is_json {
        let fault = Fault::new(Code::BadUserInput, "send the request as application/json");
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, fault, media);
    }
    let caller = match bearer::authenticate(gateway, headers).await {
        Ok(caller) => caller,
        Err(fault) if fault.code == Code::Unauthenticated => {
            let mut response = refuse(StatusCode::UNAUTHORIZED, fault, media);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        Err(fault) => return refuse(StatusCode::SERVICE_UNAVAILABLE, fault, media),
    };
    let body: Body = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => {
            let message = format!("the body is not a GraphQL request in JSON ({error})");
            return refuse(StatusCode::BAD_REQUEST, Fault::new(Code::BadUserInput, message), media);
        }
    };
    let document = match gateway.documents.get(&body.query) {
        Ok(document) => document,
        Err(fault) => return refuse(status_of_request_error(media), fault, media),
    };
    let is_open = document.is_open_to(&caller);
    let schema = if is_open { &gateway.schemas.open } else { &gateway.schemas.guarded };
    let scope = Scope::new(gateway.state.clone(), caller, is_open);
    let variables = with_defaults(&document.parsed, body.operation_name.as_deref(), body.variables);
    let mut request = Request::new(body.query).variables(variables).data(scope);
    request.operation_name = body.operation_name;
    request.set_parsed_query(document.parsed.clone());
    let mut answer = schema.execute(request).await;
    let ran = !is_request_error(&answer);
    answer.errors.iter_mut().for_each(complete);
    for error in answer.errors.iter().filter(|_| ran) {
        put_null(&mut answer.data, &error.path);
    }
    let status = if ran { StatusCode::OK } else { status_of_request_error(media) };
    if ran {
        return json(status, media, serde_json::to_vec(&answer));
    }
    json(status, media, serde_json::to_vec(&serde_json::json!({ "errors": answer.errors })))
}

/// The variables, and the defaults of those that were not sent: the library decides about `@include` and `@skip` by
/// what is sent alone.
fn with_defaults(document: &ExecutableDocument, name: Option<&str>, mut variables: Variables) -> Variables {
    let mut operations = document.operations.iter();
    let chosen = operations.find(|(own, _)| name.is_none() || own.is_none() || own.map(Name::as_str) == name);
    let definitions = chosen.into_iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    for definition in definitions {
        if let Some(default) = &definition.node.default_value {
            variables.entry(definition.node.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
    variables
}

/// Parsing, validation and the choice of the operation happen before anything runs.
fn is_request_error(answer: &Answer) -> bool {
    answer.data == Value::Null && answer.errors.iter().any(|error| error.path.is_empty())
}

fn status_of_request_error(media: &str) -> StatusCode {
    if media == GRAPHQL_RESPONSE { StatusCode::BAD_REQUEST } else { StatusCode::OK }
}

/// A field that failed is null in the answer; the library leaves it out, and its object if nothing else is in it.
fn put_null(data: &mut Value, path: &[PathSegment]) {
    let Some((segment, rest)) = path.split_first() else { return };
    match segment {
        PathSegment::Field(name) => {
            if *data == Value::Null {
                *data = Value::Object(IndexMap::new());
            }
            if let Value::Object(fields) = data {
                put_null(fields.entry(Name::new(name)).or_default(), rest);
            }
        }
        PathSegment::Index(index) => {
            if let Value::List(items) = data
                && let Some(item) = items.get_mut(*index)
            {
                put_null(item, rest);
            }
        }
    }
}

/// Gives every error that the library raised its code.
fn complete(error: &mut ServerError) {
    if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
        return;
    }
    let argument = argument_at_fault(&error.message);
    let code =
        if argument.is_some() || !error.path.is_empty() { Code::BadUserInput } else { Code::GraphqlValidationFailed };
    let mut coded = async_graphql::Error::new(std::mem::take(&mut error.message)).extend_with(|_, extensions| {
        extensions.set("code", code.as_str());
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

fn media_type(headers: &HeaderMap) -> &'static str {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains(GRAPHQL_RESPONSE) { GRAPHQL_RESPONSE } else { "application/json" }
}

fn refuse(status: StatusCode, fault: Fault, media: &'static str) -> Response {
    let error: async_graphql::Error = fault.into();
    let error = error.into_server_error(async_graphql::Pos::default());
    let errors = serde_json::json!({ "errors": [{ "message": error.message, "extensions": error.extensions }] });
    json(status, media, serde_json::to_vec(&errors))
}

fn json(status: StatusCode, media: &'static str, bytes: serde_json::Result<Vec<u8>>) -> Response {
    match bytes {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "private, no-store")], bytes)
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
