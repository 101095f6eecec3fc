//! Which web pages may ask.
//!
//! Callers show a token that no browser sends by itself, and bodies are JSON, so a page of another origin cannot ask in
//! somebody's name. Still, a page asks only from an origin that is allowed: a token in the wrong page is of no use there.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::answer;
use super::negotiate::Media;
use crate::config::{self, ConfigError};
use crate::error::{Code, Fault};

/// How long a browser may remember what it may do.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// The origins that are allowed.
#[derive(Debug)]
pub(super) struct Origins {
    allowed: Vec<HeaderValue>,
    are_all: bool,
}

impl Origins {
    /// Those of the settings.
    pub(super) fn new(settings: &config::Cors) -> Result<Self, ConfigError> {
        let are_all = settings.allowed_origins.iter().any(|origin| origin == "*");
        let read = |origin: &String| {
            let is_origin = origin == "null"
                || origin.split_once("://").is_some_and(|(scheme, host)| {
                    matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains(['/', '?', '#', '@'])
                });
            let value = HeaderValue::from_str(origin).ok().filter(|_| is_origin);
            value.ok_or_else(|| {
                ConfigError(format!("cors.allowed_origins: \"{origin}\" is not an origin such as https://example.com"))
            })
        };
        let allowed = settings.allowed_origins.iter().filter(|origin| *origin != "*").map(read);
        Ok(Self { allowed: allowed.collect::<Result<_, _>>()?, are_all })
    }

    /// What browsers are told.
    pub(super) fn cors(&self) -> CorsLayer {
        let allowed = if self.are_all { AllowOrigin::any() } else { AllowOrigin::list(self.allowed.clone()) };
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::CONTENT_ENCODING,
                HeaderName::from_static("x-request-id"),
                HeaderName::from_static("traceparent"),
                HeaderName::from_static("tracestate"),
                HeaderName::from_static("apollographql-client-name"),
                HeaderName::from_static("apollographql-client-version"),
            ])
            .expose_headers([header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
            .max_age(REMEMBERED)
    }

    fn allow(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let own = || origin.to_str().ok()?.split_once("://").map(|(_, authority)| authority);
        self.are_all || self.allowed.contains(origin) || host.is_some_and(|host| own() == Some(host))
    }
}

/// Refuses a request from a page that may not ask.
pub(super) fn refusal(origins: &Origins, request: &Request) -> Option<Response> {
    let origin = request.headers().get(header::ORIGIN)?;
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    if origins.allow(origin, host) {
        return None;
    }
    let fault = Fault::new(Code::Forbidden, "pages of this origin may not ask: see cors.allowed_origins");
    Some(answer::refuse(StatusCode::FORBIDDEN, &[fault], Media::Json))
}
