//! Headers that say one thing. Where one stands twice, somebody between the client and the gateway may go by the other.

use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderName, StatusCode, Version};
use axum::middleware::Next;
use axum::response::Response;

use super::plain;

/// The headers of which a request has one at most. Of tokens, [`super::bearer`] takes one only.
const SINGLE: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, HOST, ORIGIN];

/// Refuses requests in which one of them stands twice, and those that do not say which host they are for (RFC 9112,
/// section 3.2).
pub(super) async fn check(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if let Some(name) = SINGLE.iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        return plain(StatusCode::BAD_REQUEST, &format!("the header {name} stands twice"));
    }
    if request.version() == Version::HTTP_11 && !headers.contains_key(HOST) {
        return plain(StatusCode::BAD_REQUEST, "the header host is missing");
    }
    next.run(request).await
}
