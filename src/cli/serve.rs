//! `c360 serve`: production.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use sea_orm::DatabaseConnection;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::Failure;
use crate::auth::token::Verifier;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::{self, figures, server};
use crate::jobs;
use crate::schema;
use crate::state::State;

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
    let metrics = match config.metrics.listen.as_str() {
        "" => None,
        address => Some(bind(address).await?),
    };
    let state = state(config, database, verifier)?;
    if let Some(listener) = metrics {
        tracing::info!(address = %listener.local_addr()?, "metrics");
        let router = figures::router(state.clone());
        // It goes on until the process ends, so that the last moments are seen, too.
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    serve(listener, http::router(state.clone())?, state).await
}

/// Opens the port, or says in one line why not.
pub(super) async fn bind(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| Failure::Other(format!("cannot listen on {address}: {error}")))
}

/// What every request shares.
pub(super) fn state(config: Config, db: DatabaseConnection, verifier: Verifier) -> Result<Arc<State>, Failure> {
    Ok(Arc::new(State::new(config, Clock::System, db, verifier, schema::relations())?))
}

/// What every request shares, for commands that nobody sends requests to.
pub(super) async fn state_of_nobody(config: Config) -> Result<Arc<State>, Failure> {
    let database = super::open(&config).await?;
    super::require_current_schema(&database).await?;
    let verifier = Verifier::unused(&config);
    state(config, database, verifier)
}

/// Serves until the process is asked to stop. Then the gateway says that it is not ready, serves on while that gets
/// around, takes no more connections, answers what is in flight, and ends. Asked again, it ends at once.
pub(super) async fn serve(listener: TcpListener, router: Router, state: Arc<State>) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    state.verifier.warm_up().await;
    let current = tokio::spawn({
        let state = state.clone();
        async move { state.verifier.keep_current(&state.watch, &state.clock).await }
    });
    let server = tokio::spawn(server::serve(listener, router, state.clone()));
    if state.config.jobs.enabled {
        tokio::spawn(jobs::run(state.clone()));
    }
    signals.next().await;
    tokio::select! {
        () = stop(&state) => {}
        () = signals.next() => return Err(Failure::Other("stopped at once: asked a second time".into())),
    }
    // The port is closed by now, unless the wait was cut short.
    server.abort();
    current.abort();
    Ok(())
}

async fn stop(state: &State) {
    let settings = &state.config.shutdown;
    tracing::info!(grace_ms = settings.grace_ms, "stopping: not ready any more");
    state.shutdown.leave();
    sleep(Duration::from_millis(settings.grace_ms)).await;
    tracing::info!(connections = state.metrics.connections(), "stopping: no connection is taken");
    state.shutdown.drain();
    match timeout(Duration::from_millis(settings.drain_ms), state.shutdown.empty()).await {
        Ok(()) => tracing::info!("stopped: everything was answered"),
        Err(_) => tracing::warn!(cut_off = state.shutdown.present(), "stopped: some took too long"),
    }
}

/// What asks a process to stop: SIGTERM, and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
