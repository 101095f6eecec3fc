//! GraphQL over HTTP, as its specification has it.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;

use super::door::Passed;
use super::execute::{NotRun, Way, execute};
use super::negotiate::Media;
use super::observe::{Report, RequestId};
use super::request::{self, Rejected, Sent};
use super::{Gateway, answer, bearer, body};
use crate::admission::Shed;
use crate::error::{Code, Fault};
use crate::state;

/// `GET /graphql`: queries only.
pub(super) async fn by_get(
    State(gateway): State<Gateway>,
    Extension(id): Extension<RequestId>,
    Extension(passed): Extension<Passed>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    respond(&gateway, id, passed, &headers, Way::Reads, async || Ok(Sent::InAddress(uri))).await
}

/// `POST /graphql`.
pub(super) async fn by_post(
    State(gateway): State<Gateway>,
    Extension(id): Extension<RequestId>,
    Extension(passed): Extension<Passed>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let most = gateway.state.config.limits.body_bytes;
    respond(&gateway, id, passed, &headers, Way::ReadsAndWrites, async || {
        if !request::is_json(&headers) {
            let fault = Fault::new(Code::BadUserInput, "send the request as application/json, in UTF-8");
            return Err(Rejected(StatusCode::UNSUPPORTED_MEDIA_TYPE, fault));
        }
        Ok(Sent::InBody(body::read(&headers, body, most).await?))
    })
    .await
}

async fn respond(
    gateway: &Gateway,
    RequestId(id): RequestId,
    passed: Passed,
    headers: &HeaderMap,
    way: Way,
    read: impl AsyncFnOnce() -> Result<Sent, Rejected>,
) -> Response {
    let Some(media) = Media::accepted(headers) else {
        let message = "answers are application/graphql-response+json or application/json, in UTF-8";
        return answer::refuse(StatusCode::NOT_ACCEPTABLE, &[Fault::new(Code::BadUserInput, message)], Media::Json);
    };
    let pass = match passed {
        Ok(pass) => pass,
        Err(why) => return shed(&gateway.state, why, media),
    };
    let caller = match bearer::authenticate(gateway, headers).await {
        Ok(caller) => caller,
        Err(fault) if fault.code == Code::Unauthenticated => {
            let mut response = answer::refuse(StatusCode::UNAUTHORIZED, &[fault], media);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        Err(fault) => {
            return answer::retry_after(answer::refuse(StatusCode::SERVICE_UNAVAILABLE, &[fault], media), 1);
        }
    };
    let sent = match read().await {
        Ok(sent) => sent,
        Err(Rejected(status, fault)) => return answer::refuse(status, &[fault], media),
    };
    let mut response = match execute(gateway, &caller, id, &sent, way, &pass).await {
        Ok(ran) => answer::write(ran, media),
        Err(NotRun::Rejected(Rejected(status, fault))) => return answer::refuse(status, &[fault], media),
        Err(NotRun::Shed(why)) => return shed(&gateway.state, why, media),
        Err(NotRun::Faults(faults)) => {
            if let Some(reason) = faults.first().and_then(of_document) {
                gateway.state.metrics.refused(reason);
            }
            answer::refuse(media.status_of_request_error(), &faults, media)
        }
        Err(NotRun::Throttled(fault, seconds)) => {
            gateway.state.metrics.throttled(caller.kind());
            answer::retry_after(answer::refuse(StatusCode::TOO_MANY_REQUESTS, &[fault], media), seconds)
        }
        Err(NotRun::OnlyReads) => {
            let fault = Fault::new(Code::BadUserInput, "mutations are sent by POST");
            let mut response = answer::refuse(StatusCode::METHOD_NOT_ALLOWED, &[fault], media);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(Method::POST.as_str()));
            response
        }
    };
    if let Some(report) = response.extensions_mut().get_mut::<Report>() {
        report.caller = Some(caller);
    }
    response
}

/// Refuses a request that has cost nothing yet: the gateway has enough to do.
pub(super) fn shed(state: &state::State, why: Shed, media: Media) -> Response {
    state.metrics.shed(why.as_str());
    answer::overloaded(media)
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
