//! HTTP: routes, and GraphQL over them.

mod bearer;
pub mod documents;
mod graphql;
mod guard;
mod health;
mod oauth;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::schema::Schemas;
use crate::state::State;
use documents::Documents;
use oauth::Failures;

/// Largest request body, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// What the routes share.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(crate) state: Arc<State>,
    pub(crate) schemas: Schemas,
    pub(crate) documents: Arc<Documents>,
    pub(crate) failures: Arc<Failures>,
}

/// The gateway's routes over `state`.
pub fn router(state: Arc<State>) -> Router {
    let schemas = Schemas::default();
    let documents = Arc::new(Documents::new(&schemas.sdl()));
    Router::new()
        .route("/graphql", post(graphql::answer))
        .route("/oauth/token", post(oauth::token))
        .route("/.well-known/jwks.json", get(oauth::jwks))
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Gateway { state, schemas, documents, failures: Arc::default() })
}
