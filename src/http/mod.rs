//! HTTP: routes, and GraphQL over them.

mod bearer;
pub mod documents;
pub mod figures;
mod graphql;
mod guard;
mod health;
mod observe;
pub mod server;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::schema::Schemas;
use crate::state::State;
use documents::Documents;

/// Largest request body, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// What the routes share.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(crate) state: Arc<State>,
    pub(crate) schemas: Schemas,
    pub(crate) documents: Arc<Documents>,
}

/// The gateway's routes over `state`.
pub fn router(state: Arc<State>) -> Router {
    let schemas = Schemas::default();
    let documents = Arc::new(Documents::new(&schemas.sdl()));
    let health =
        Router::new().route("/livez", get(health::live)).route("/readyz", get(health::ready)).with_state(state.clone());
    let gateway = Gateway { state, schemas, documents };
    Router::new()
        .route("/graphql", post(graphql::answer))
        .route_layer(from_fn_with_state(gateway.clone(), observe::observe))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(gateway)
        .merge(health)
}
