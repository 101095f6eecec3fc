//! Headers that say one thing. Where one stands twice, somebody between the client and the gateway may go by the other.

use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderName, StatusCode, Version};
use axum::response::Response;

use super::plain;

/// The headers of which a request has one at most. Of tokens, [`super::bearer`] takes one only.
const SINGLE: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_ENCODING, HOST, ORIGIN];

/// Refuses a request in which one of them stands twice, or that does not say which host it is for (RFC 9112, section 3.2).
pub(super) fn refusal(request: &Request) -> Option<Response> {
    let headers = request.headers();
    if let Some(name) = SINGLE.iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        return Some(plain(StatusCode::BAD_REQUEST, &format!("the header {name} stands twice")));
    }
    let lacks_host = request.version() == Version::HTTP_11 && !headers.contains_key(HOST);
    lacks_host.then(|| plain(StatusCode::BAD_REQUEST, "the header host is missing"))
}
