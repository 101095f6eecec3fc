//! The door: where requests wait for which there is no room yet, and are refused when there is none in time. It is in front
//! of everything else, because what a request needs on its way through the router is several times what it needs here.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use tokio::time::Instant;

use super::negotiate::Media;
use super::{GRAPHQL, graphql, observe};
use crate::admission::{Pass, Shed};
use crate::error::Code;
use crate::metrics::{Kind, Outcome};
use crate::state::State;

/// When a request arrived, among its extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived(pub(super) Instant);

/// What has become of a request at the door, among its extensions.
pub(super) type Passed = Result<Arc<Pass>, Shed>;

/// One who waits at the door, and has left if this is dropped.
struct Waiting<'a> {
    state: &'a State,
    arrived: Instant,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.tell(observe::GONE, Outcome::Gone);
        }
    }
}

impl Waiting<'_> {
    fn tell(&self, status: u16, outcome: Outcome) {
        self.state.metrics.request(None, Kind::default(), status, outcome, self.arrived.elapsed());
    }
}

/// Waits until there is room for a request, if it is one to GraphQL, and refuses it if there is none in time.
pub(super) async fn wait(state: &State, request: &mut Request<Body>) -> Option<Response> {
    let arrived = Instant::now();
    request.extensions_mut().insert(Arrived(arrived));
    if request.uri().path() != GRAPHQL || request.method() == Method::OPTIONS {
        return None;
    }
    let mut waiting = Waiting { state, arrived, is_over: false };
    let passed: Passed = state.admission.pass().await.map(Arc::new);
    waiting.is_over = true;
    // The handler refuses pages, which can read no refusal that does not name them, and whoever wants the head alone.
    let is_usual = request.method() != Method::HEAD && !request.headers().contains_key(header::ORIGIN);
    match passed {
        Err(why) if is_usual => {
            state.metrics.error(Code::Unavailable.as_str());
            waiting.tell(StatusCode::SERVICE_UNAVAILABLE.as_u16(), Outcome::Refused);
            let mut refusal = graphql::shed(state, why, Media::accepted(request.headers()).unwrap_or(Media::Json));
            let id = observe::name_of(request.headers(), &state.clock).to_string();
            observe::complete(&mut refusal, &id, request.version(), state);
            Some(refusal)
        }
        passed => {
            request.extensions_mut().insert(passed);
            None
        }
    }
}
