//! HTTP: routes, and GraphQL over them.

mod bearer;
pub mod documents;
mod graphiql;
mod graphql;
mod guard;
mod health;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
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
    Router::new()
        .route("/graphql", post(graphql::answer))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .merge(graphiql::routes(&state.config.graphiql))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Gateway { state, schemas, documents })
}
