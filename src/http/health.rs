//! Whether the gateway lives, and whether it can answer.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::db::Verdict;
use crate::state;

/// The process runs.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// The database answers and its schema is at least what this build needs; and nobody has asked the gateway to stop.
pub(super) async fn ready(State(state): State<Arc<state::State>>) -> (StatusCode, &'static str) {
    if state.shutdown.is_leaving() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready: stopping\n");
    }
    match state.probe.ask(&state.watch).await {
        Verdict::Ready => (StatusCode::OK, "ready\n"),
        Verdict::Pending => (StatusCode::SERVICE_UNAVAILABLE, "not ready: migrations are pending\n"),
        Verdict::Silent => (StatusCode::SERVICE_UNAVAILABLE, "not ready: the database does not answer\n"),
    }
}
