//! HTTP: routes, and GraphQL over them.

mod answer;
mod bearer;
mod body;
mod door;
mod execute;
pub mod figures;
mod graphiql;
mod graphql;
mod health;
mod negotiate;
mod oauth;
mod observe;
mod origin;
mod request;
pub mod server;
mod single;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{self, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::decompression::RequestDecompressionLayer;

use crate::config::ConfigError;
use crate::document::Documents;
use crate::error::{Code, Fault};
use crate::schema::{self, Schema};
use crate::state::State;
use negotiate::Media;
use oauth::Failures;
use origin::Origins;

/// Where GraphQL is.
const GRAPHQL: &str = "/graphql";

/// Answers smaller than this, in bytes, are not worth compressing.
const COMPRESSED_ABOVE: u16 = 1024;

/// What the routes share.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

/// What is behind a [`Gateway`].
pub struct Shared {
    pub(crate) state: Arc<State>,
    pub(crate) schema: Schema,
    pub(crate) documents: Arc<Documents>,
    pub(crate) failures: Failures,
}

impl Deref for Gateway {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

/// The gateway's routes over `state`.
///
/// # Errors
/// Settings that cannot be used: origins, a manifest of documents.
pub fn router(state: Arc<State>) -> Result<Router, ConfigError> {
    let schema = schema::build();
    let config = &state.config;
    let documents = Documents::new(&schema::sdl(&schema), state.relations.clone(), &config.limits, &config.documents)?;
    let origins = Arc::new(Origins::new(&config.cors)?);
    let health =
        Router::new().route("/livez", get(health::live)).route("/readyz", get(health::ready)).with_state(state.clone());
    let gateway = Gateway(Arc::new(Shared {
        state: state.clone(),
        schema,
        documents: Arc::new(documents),
        failures: Failures::default(),
    }));
    let router = Router::new()
        .route(GRAPHQL, get(graphql::by_get).post(graphql::by_post))
        .route("/oauth/token", post(oauth::token))
        .route("/.well-known/jwks.json", get(oauth::jwks))
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata))
        .merge(graphiql::routes(&config.graphiql))
        .fallback(async || plain(StatusCode::NOT_FOUND, "there is nothing here: GraphQL is at /graphql"))
        .method_not_allowed_fallback(async || plain(StatusCode::METHOD_NOT_ALLOWED, "this method is not served here"))
        // From the outermost to the innermost, as one layer: each of the router's own boxes the request and the answer.
        .layer((
            from_fn_with_state(gateway.clone(), observe::observe),
            origins.cors(),
            from_fn_with_state(origins, enter),
            CompressionLayer::new().compress_when(SizeAbove::new(COMPRESSED_ABOVE)),
            RequestDecompressionLayer::new().pass_through_unaccepted(true),
        ))
        .with_state(gateway)
        .merge(health);
    Ok(router)
}

/// Lets in what pages may ask, ready to be unpacked.
async fn enter(extract::State(origins): extract::State<Arc<Origins>>, mut request: Request, next: Next) -> Response {
    if let Some(refusal) = origin::refusal(&origins, &request) {
        return refusal;
    }
    body::name_packing(request.headers_mut());
    next.run(request).await
}

/// A refusal of what does not come as far as GraphQL.
fn plain(status: StatusCode, message: &str) -> Response {
    answer::refuse(status, &[Fault::new(Code::BadUserInput, message)], Media::Json)
}
