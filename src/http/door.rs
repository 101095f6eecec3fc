//! The door: where requests wait for which there is no room yet, and are refused when there is none in time. It is in front
//! of everything else, because what a request needs on its way through the router is several times what it needs here.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use tokio::time::Instant;

use super::negotiate::Media;
use super::{GRAPHQL, answer, observe};
use crate::admission::{Pass, Shed};
use crate::error::Code;
use crate::metrics::{Kind, Outcome};
use crate::state::State;

/// When a request arrived, among its extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived(pub(super) Instant);

/// What has become of a request at the door, among its extensions.
pub(super) type Passed = Result<Arc<Pass>, Shed>;

/// Waits until there is room for a request, if it is one to GraphQL, and refuses it if there is none in time.
pub(super) async fn wait(state: &State, request: &mut Request<Body>) -> Option<Response> {
    let arrived = Instant::now();
    request.extensions_mut().insert(Arrived(arrived));
    if request.uri().path() != GRAPHQL || request.method() == Method::OPTIONS {
        return None;
    }
    let passed: Passed = state.admission.pass().await.map(Arc::new);
    match passed {
        // Pages can read no refusal in which they are not named: the handler refuses them.
        Err(why) if !request.headers().contains_key(header::ORIGIN) => {
            state.metrics.shed(why.as_str());
            state.metrics.error(Code::Unavailable.as_str());
            let status = StatusCode::SERVICE_UNAVAILABLE.as_u16();
            state.metrics.request(None, Kind::default(), status, Outcome::Refused, arrived.elapsed());
            let mut refusal = answer::overloaded(Media::accepted(request.headers()).unwrap_or(Media::Json));
            observe::give_name(&mut refusal, &observe::name_of(request.headers(), &state.clock).to_string());
            Some(refusal)
        }
        passed => {
            request.extensions_mut().insert(passed);
            None
        }
    }
}
