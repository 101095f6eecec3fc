//! Connections: taken, bounded in number and in time, and ended politely.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::door;
use crate::config;
use crate::shutdown::Presence;
use crate::state::State;

/// Limits of HTTP/2 for one connection; HTTP/1.1 has one request at a time.
const MOST_STREAMS: u32 = 100;
const LARGEST_HEAD: u32 = 16 * 1024;
const PING: Duration = Duration::from_secs(30);

/// How long a peer may leave what was sent to it without a sign of having received it.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// How long a connection that was just taken may still send its first request when the gateway stops.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Serves `router` to whoever connects, until it is time to finish: then no connection is taken any more, and those
/// that are open end with the request that they are at. Ends when the port is closed; the connections are among those
/// present.
pub async fn serve(listener: TcpListener, router: Router, state: Arc<State>) {
    let limits = &state.config.connections;
    let builder = Arc::new(builder(limits));
    let room = Arc::new(Semaphore::new(limits.max.min(Semaphore::MAX_PERMITS)));
    let mut presence = state.shutdown.join();
    let take = |(stream, peer): (TcpStream, SocketAddr), permit: OwnedSemaphorePermit| {
        let (builder, router, state) = (builder.clone(), router.clone(), state.clone());
        let (presence, open) = (state.shutdown.join(), state.metrics.connected());
        tokio::spawn(async move {
            connection(stream, peer, &builder, router, state, presence).await;
            drop((permit, open));
        });
    };
    loop {
        let taken = tokio::select! {
            biased;
            () = presence.draining() => break,
            taken = next(&listener, &room) => taken,
        };
        if let Some((taken, permit)) = taken {
            take(taken, permit);
        }
    }
    // Those that the system has already connected would be cut off with the port.
    while let Ok(permit) = room.clone().try_acquire_owned() {
        match timeout(Duration::ZERO, listener.accept()).await {
            Ok(Ok(taken)) => take(taken, permit),
            _ => break,
        }
    }
}

type Taken = ((TcpStream, SocketAddr), OwnedSemaphorePermit);

async fn next(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<Taken> {
    let permit = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok(taken) => Some((taken, permit)),
        Err(error) => {
            // Of clients that have left already there is nothing to say; out of descriptors, waiting is all there is.
            if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                tracing::error!(%error, "no connection can be taken");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            None
        }
    }
}

fn builder(limits: &config::Connections) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // hyper counts the time between two requests as time for the second one's head.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.idle_timeout_ms))
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(LARGEST_HEAD)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(PING).with_interval(PING))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

/// What a connection is doing, for whoever decides whether it may stay.
#[derive(Debug, Default)]
struct Activity {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Activity {
    /// How many requests were begun, if none is under way.
    fn at_rest(&self) -> Option<usize> {
        let ended = self.ended.load(Ordering::Acquire);
        (self.begun.load(Ordering::Acquire) == ended).then_some(ended)
    }
}

/// Counts the end of a request, however it ends.
struct Ended(Arc<Activity>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    builder: &Builder<TokioExecutor>,
    router: Router,
    state: Arc<State>,
    mut presence: Presence,
) {
    if set_up(&stream).is_err() {
        return; // It is closed already.
    }
    let limits = state.config.connections.clone();
    let activity = Arc::new(Activity::default());
    let longest = Duration::from_millis(limits.request_timeout_ms);
    let service = service_fn(|request: Request<Incoming>| {
        activity.begun.fetch_add(1, Ordering::AcqRel);
        let ended = Ended(activity.clone());
        let (router, state) = (router.clone(), state.clone());
        async move {
            let answer = async {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                match door::wait(&state, &mut request).await {
                    Some(refusal) => Ok(refusal),
                    None => TowerToHyperService::new(router).call(request).await,
                }
            };
            let answer = timeout(longest, answer).await.unwrap_or_else(|_| Ok(too_slow()));
            drop(ended);
            answer
        }
    });
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let idle = Duration::from_millis(limits.idle_timeout_ms);
    // A connection has to show a whole request soon; after that, it may rest now and then.
    let mut until = Instant::now() + Duration::from_millis(limits.header_timeout_ms);
    let (mut resting_at, mut is_ending) = (Some(0), false);
    loop {
        tokio::select! {
            _ = connection.as_mut() => return, // How a client's connection fails is no concern of the log.
            () = presence.draining(), if !is_ending => {
                is_ending = true;
                if activity.begun.load(Ordering::Acquire) > 0 {
                    connection.as_mut().graceful_shutdown();
                } else {
                    until = Instant::now() + LAST_CALL;
                }
            }
            () = sleep_until(until) => {
                if is_ending || (resting_at.is_some() && activity.at_rest() == resting_at) {
                    connection.as_mut().graceful_shutdown();
                    if activity.at_rest() == Some(0) {
                        return;
                    }
                }
                resting_at = activity.at_rest();
                until = Instant::now() + idle;
            }
        }
    }
}

/// The body did not come, or the answer did not. What has not been read of the request cannot be skipped.
fn too_slow() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
