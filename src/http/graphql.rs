//! GraphQL over HTTP, as its specification has it.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;

use super::execute::{Refused, Way, execute};
use super::negotiate::Media;
use super::observe::{Operation, RequestId};
use super::request::{self, Asked, Rejected};
use super::{Gateway, answer, bearer};
use crate::error::{Code, Fault};
use crate::scope::Scope;

/// `GET /graphql`: queries only.
pub(super) async fn by_get(
    State(gateway): State<Gateway>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    respond(&gateway, id, &headers, Way::Reads, async || Asked::of_uri(&uri)).await
}

/// `POST /graphql`.
pub(super) async fn by_post(
    State(gateway): State<Gateway>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let most = gateway.state.config.limits.body_bytes;
    respond(&gateway, id, &headers, Way::ReadsAndWrites, async || {
        if !request::is_json(&headers) {
            let fault = Fault::new(Code::BadUserInput, "send the request as application/json, in UTF-8");
            return Err(Rejected(StatusCode::UNSUPPORTED_MEDIA_TYPE, fault));
        }
        // What could be unpacked has lost this header.
        if headers.contains_key(header::CONTENT_ENCODING) {
            let fault = Fault::new(Code::BadUserInput, "bodies are sent as they are, or packed with gzip");
            return Err(Rejected(StatusCode::UNSUPPORTED_MEDIA_TYPE, fault));
        }
        Asked::of_body(body, most).await
    })
    .await
}

async fn respond(
    gateway: &Gateway,
    RequestId(id): RequestId,
    headers: &HeaderMap,
    way: Way,
    read: impl AsyncFnOnce() -> Result<Asked, Rejected>,
) -> Response {
    let Some(media) = Media::accepted(headers) else {
        let message = "answers are application/graphql-response+json or application/json, in UTF-8";
        return answer::refuse(StatusCode::NOT_ACCEPTABLE, &[Fault::new(Code::BadUserInput, message)], Media::Json);
    };
    let caller = match bearer::authenticate(gateway, headers).await {
        Ok(caller) => caller,
        Err(fault) if fault.code == Code::Unauthenticated => {
            let mut response = answer::refuse(StatusCode::UNAUTHORIZED, &[fault], media);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        Err(fault) => return answer::refuse(StatusCode::SERVICE_UNAVAILABLE, &[fault], media),
    };
    let scope = Scope::new(gateway.state.clone(), caller.clone(), id);
    let asked = match read().await {
        Ok(asked) => asked,
        Err(Rejected(status, fault)) => return answer::refuse(status, &[fault], media),
    };
    let mut response = match execute(gateway, scope, asked, way).await {
        Ok(ran) => answer::write(StatusCode::OK, &ran, media),
        Err(Refused::Faults(faults)) => {
            if let Some(reason) = faults.first().and_then(of_document) {
                gateway.state.metrics.refused(reason);
            }
            answer::refuse(media.status_of_request_error(), &faults, media)
        }
        Err(Refused::Throttled(fault, seconds)) => {
            gateway.state.metrics.throttled(caller.kind());
            answer::retry_after(answer::refuse(StatusCode::TOO_MANY_REQUESTS, &[fault], media), seconds)
        }
        Err(Refused::OnlyReads) => {
            let fault = Fault::new(Code::BadUserInput, "mutations are sent by POST");
            let mut response = answer::refuse(StatusCode::METHOD_NOT_ALLOWED, &[fault], media);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(Method::POST.as_str()));
            response
        }
    };
    if let Some(operation) = response.extensions_mut().get_mut::<Operation>() {
        operation.caller = Some(caller);
    }
    response
}

/// Why a document was refused before it ran, if that is what is wrong.
fn of_document(fault: &Fault) -> Option<&'static str> {
    match fault.code {
        Code::GraphqlParseFailed => Some("PARSE_FAILED"),
        Code::GraphqlValidationFailed => Some("VALIDATION_FAILED"),
        Code::QueryTooComplex => fault.reason,
        _ => None,
    }
}
