//! GraphQL over HTTP: a POST of JSON, answered as JSON.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{
    ErrorExtensions as _, Name, PathSegment, Request, Response as Answer, ServerError, Value, Variables,
};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::observe::Operation;
use super::{Gateway, bearer};
use crate::error::{Code, Fault};
use crate::metrics::Kind;
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
    let mut seen = Operation::default();
    let mut response = respond(&gateway, &headers, &body, &mut seen).await;
    response.extensions_mut().insert(seen);
    response
}

async fn respond(gateway: &Gateway, headers: &HeaderMap, body: &[u8], seen: &mut Operation) -> Response {
    let media = media_type(headers);
    let metrics = &gateway.state.metrics;
    let mut refuse = |status, fault: Fault| {
        seen.codes.push(fault.code.as_str());
        refuse(status, fault, media)
    };
    let is_json = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    });
    if !is_json {
        let fault = Fault::new(Code::BadUserInput, "send the request as application/json");
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, fault);
    }
    let caller = match bearer::authenticate(gateway, headers).await {
        Ok(caller) => caller,
        Err(fault) if fault.code == Code::Unauthenticated => {
            metrics.token_refused("refused");
            let mut response = refuse(StatusCode::UNAUTHORIZED, fault);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        Err(fault) => return refuse(StatusCode::SERVICE_UNAVAILABLE, fault),
    };
    let body: Body = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => {
            let message = format!("the body is not a GraphQL request in JSON ({error})");
            return refuse(StatusCode::BAD_REQUEST, Fault::new(Code::BadUserInput, message));
        }
    };
    let document = match gateway.documents.get(&body.query) {
        Ok(document) => document,
        Err(fault) => {
            metrics.refused(if fault.code == Code::GraphqlParseFailed { "syntax" } else { "limits" });
            return refuse(status_of_request_error(media), fault);
        }
    };
    seen.caller = Some(caller.clone());
    let is_open = document.is_open_to(&caller);
    let schema = if is_open { &gateway.schemas.open } else { &gateway.schemas.guarded };
    let scope = Scope::new(gateway.state.clone(), caller, is_open);
    let chosen = chosen(&document.parsed, body.operation_name.as_deref());
    let variables = with_defaults(chosen.map(|(_, operation)| operation), body.variables);
    let mut request = Request::new(body.query).variables(variables).data(scope);
    request.operation_name = body.operation_name;
    request.set_parsed_query(document.parsed.clone());
    let mut answer = schema.execute(request).await;
    let ran = !is_request_error(&answer);
    answer.errors.iter_mut().for_each(complete);
    for error in answer.errors.iter().filter(|_| ran) {
        put_null(&mut answer.data, &error.path);
    }
    seen.ran = ran;
    seen.codes = codes(&answer.errors);
    let status = if ran { StatusCode::OK } else { status_of_request_error(media) };
    if ran {
        seen.name = chosen.and_then(|(name, _)| name.map(ToString::to_string));
        seen.kind = chosen.map(|(_, operation)| kind(operation.ty)).unwrap_or_default();
        return json(status, media, serde_json::to_vec(&answer));
    }
    json(status, media, serde_json::to_vec(&serde_json::json!({ "errors": answer.errors })))
}

/// The operation that is asked for, with its name.
fn chosen<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Option<(Option<&'d Name>, &'d OperationDefinition)> {
    let mut operations = document.operations.iter();
    let chosen = operations.find(|(own, _)| name.is_none() || own.is_none() || own.map(Name::as_str) == name);
    chosen.map(|(name, operation)| (name, &operation.node))
}

/// The variables, and the defaults of those that were not sent: the library decides about `@include` and `@skip` by
/// what is sent alone.
fn with_defaults(chosen: Option<&OperationDefinition>, mut variables: Variables) -> Variables {
    for definition in chosen.into_iter().flat_map(|operation| &operation.variable_definitions) {
        if let Some(default) = &definition.node.default_value {
            variables.entry(definition.node.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
    variables
}

fn kind(ty: OperationType) -> Kind {
    match ty {
        OperationType::Query => Kind::Query,
        OperationType::Mutation => Kind::Mutation,
        OperationType::Subscription => Kind::Subscription,
    }
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
