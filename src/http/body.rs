//! The bodies of requests: bounded, and unpacked if they were packed.

use axum::body::{self, Body, Bytes};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is packed in a way that is not known here.
    Packed,
    /// It is larger than it may be, unpacked.
    TooLarge,
    /// It ends early, or is not packed as its headers say.
    Broken,
}

impl Unreadable {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Packed => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Packed => "bodies are sent as they are, or packed with gzip",
            Self::TooLarge => "the body is larger than it may be",
            Self::Broken => "the body could not be read as its headers say",
        }
    }
}

/// Writes the header of packed bodies as the layer that unpacks them knows it (RFC 9110, section 8.4.1).
pub(super) fn name_packing(headers: &mut HeaderMap) {
    let packing = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    match packing.map(|packing| packing.trim().to_ascii_lowercase()).as_deref() {
        Some("gzip" | "x-gzip") => _ = headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        Some("identity" | "") => _ = headers.remove(CONTENT_ENCODING),
        _ => {}
    }
}

/// All of a body, as far as it may be long.
pub(super) async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Unreadable> {
    // What could be unpacked has lost this header.
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Unreadable::Packed);
    }
    let is_limit = |error: &axum::Error| {
        let mut causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
        causes.any(|cause| cause.is::<http_body_util::LengthLimitError>())
    };
    body::to_bytes(body, most)
        .await
        .map_err(|error| if is_limit(&error) { Unreadable::TooLarge } else { Unreadable::Broken })
}
