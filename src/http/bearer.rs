//! Who asks: from the request's token to a caller.

use std::sync::Arc;

use axum::http::{HeaderMap, header};

use super::Gateway;
use crate::auth::Caller;
use crate::auth::token::{Denied, Refused};
use crate::error::{Code, Fault};

/// Who asks. What is wrong with a token is never said; whether tokens can be verified at all is.
pub(super) async fn authenticate(gateway: &Gateway, headers: &HeaderMap) -> Result<Arc<Caller>, Fault> {
    let state = &gateway.state;
    let verified = match token(headers) {
        Some(token) => state.verifier.verify(token, state.clock.now(), &state.watch).await,
        None => Err(Refused.into()),
    };
    verified.map_err(|denied| {
        let code = match denied {
            Denied::Refused(_) => Code::Unauthenticated,
            Denied::Unavailable => Code::Unavailable,
        };
        Fault::new(code, denied.to_string())
    })
}

/// The token, if there is exactly one.
fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
