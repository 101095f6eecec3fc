//! Whether the gateway lives, and whether it can answer.

use axum::extract::State;
use axum::http::StatusCode;

use super::Gateway;
use crate::db;

/// The process runs.
pub(super) async fn live() -> &'static str {
    "live\n"
}

/// The database answers and its schema is at least what this build needs.
pub(super) async fn ready(State(gateway): State<Gateway>) -> (StatusCode, &'static str) {
    match db::pending_migrations(&gateway.state.db).await {
        Ok(0) => (StatusCode::OK, "ready\n"),
        Ok(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready: migrations are pending\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "not ready: the database does not answer\n")
        }
    }
}
