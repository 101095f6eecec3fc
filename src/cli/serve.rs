//! `c360 serve`: production.

use std::net::SocketAddr;
use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::net::TcpListener;

use super::Failure;
use crate::auth::token::Verifier;
use crate::clock::Clock;
use crate::config::Config;
use crate::{http, schema, state::State};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen, as HOST:PORT.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

pub(super) async fn run(mut config: Config, arguments: Arguments) -> Result<(), Failure> {
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    let verifier = Verifier::new(&config)?;
    let database = super::open(&config).await?;
    super::require_current_schema(&database).await?;
    let listener = bind(&config.listen).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    serve(listener, state(config, database, verifier)).await
}

/// Opens the port, or says in one line why not.
pub(super) async fn bind(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| Failure::Other(format!("cannot listen on {address}: {error}")))
}

/// What every request shares.
pub(super) fn state(config: Config, db: DatabaseConnection, verifier: Verifier) -> Arc<State> {
    Arc::new(State::new(config, Clock::System, db, verifier, schema::relations()))
}

/// Serves until the process is asked to stop; requests in flight are answered first.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>) -> Result<(), Failure> {
    state.verifier.warm_up().await;
    let current = tokio::spawn({
        let state = state.clone();
        async move { state.verifier.keep_current(&state.db, &state.clock).await }
    });
    let service = http::router(state).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stopped()).await?;
    current.abort();
    Ok(())
}

async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}
