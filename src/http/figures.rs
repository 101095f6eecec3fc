//! `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};

use crate::state;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The route of the operators' port.
pub fn router(state: Arc<state::State>) -> Router {
    Router::new().route("/metrics", route(state))
}

/// What answers `/metrics`, on whatever port.
pub fn route(state: Arc<state::State>) -> MethodRouter {
    get(figures).with_state(state)
}

/// All figures as text.
async fn figures(State(state): State<Arc<state::State>>) -> Response {
    let tokens = state.verifier.counts();
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (fetched, failed) = state.verifier.fetches();
    state.metrics.trust(
        &[
            ("remembered", of(&tokens.remembered)),
            ("reconsidered", of(&tokens.reconsidered)),
            ("verified", of(&tokens.verified)),
            ("refused", of(&tokens.refused)),
            ("undecided", of(&tokens.undecided)),
        ],
        &[("ok", fetched), ("failed", failed)],
    );
    state.metrics.cached_bytes(state.cache.answers.bytes());
    let admission = &state.admission;
    state.metrics.load(admission.in_flight(), admission.waiting(), admission.at_the_door());
    match state.metrics.text(state.pool()) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
