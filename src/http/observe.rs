//! What operators see of each request: its id, a line in the log, figures, a span. Never who it is about: no
//! document, no variable, no token, and of customers not even their id.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use super::door::Arrived;
use super::{Gateway, single};
use crate::auth::Caller;
use crate::clock::{self, Clock};
use crate::error::Code;
use crate::metrics::{Kind, Outcome};
use crate::state;
use crate::telemetry::trace::{self, Parent};

/// The status that proxies write for a client that closed its connection.
pub(super) const GONE: u16 = 499;

/// What a handler tells about the operation that it answered, in the extensions of its answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    /// Its name, in a document that was found good to run.
    pub(super) name: Option<String>,
    /// What it is.
    pub(super) kind: Kind,
    /// Whether it ran.
    pub(super) ran: bool,
    /// The codes of the errors in the answer.
    pub(super) codes: Vec<&'static str>,
    /// Whether it was refused because the gateway has enough to do.
    pub(super) is_shed: bool,
    /// Who asked.
    pub(super) caller: Option<Arc<Caller>>,
}

/// The name of a request, for those who handle it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RequestId(pub(super) Option<Uuid>);

/// Answers a request, and lets operators know.
pub(super) async fn observe(
    State(gateway): State<Gateway>,
    Extension(Arrived(started)): Extension<Arrived>,
    mut request: Request,
    next: Next,
) -> Response {
    let name = name_of(request.headers(), &gateway.state.clock);
    request.extensions_mut().insert(RequestId(Some(name)));
    let id = name.to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("/", MatchedPath::as_str).to_owned();
    let method = method_of(request.method());
    let version = request.version();
    let parent = Parent::of(request.headers());
    let traced = trace::request(method, &route, parent);
    let span = tracing::error_span!("request", request_id = %id, trace_id = Empty);
    if let Some(trace) = trace::id_of(&traced).or_else(|| parent.map(|parent| parent.trace_id())) {
        span.record("trace_id", trace);
    }
    let seen = Seen { state: gateway.state.clone(), method, route, span: span.clone(), traced, started, told: false };

    let within = seen.traced.clone();
    let answered = async {
        match single::refusal(&request) {
            Some(refusal) => refusal,
            None => next.run(request).await,
        }
    };
    let mut response = answered.instrument(within).instrument(span).await;
    let report = response.extensions_mut().remove::<Report>().unwrap_or_default();
    seen.tell(report, response.status().as_u16());
    complete(&mut response, &id, version, &gateway.state);
    response
}

/// Tells the client what every answer tells: the id of its request, and that it should connect to another gateway when this
/// one is about to leave.
pub(super) fn complete(response: &mut Response, id: &str, version: Version, state: &state::State) {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert("x-request-id", id);
    }
    if state.shutdown.is_leaving() && version <= Version::HTTP_11 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// The id that a client, or a proxy before the gateway, has given the request: only a UUID, because it stands in the log.
/// Otherwise a new one.
pub(super) fn name_of(headers: &HeaderMap, clock: &Clock) -> Uuid {
    let given = headers.get("x-request-id").and_then(|name| Uuid::try_parse(name.to_str().ok()?).ok());
    given.unwrap_or_else(|| clock::new_id(clock.now()))
}

/// Methods are words that a client may make up.
fn method_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        _ => "_OTHER",
    }
}

/// A request under way. When it is dropped before it was told about, its client has left.
struct Seen {
    state: Arc<state::State>,
    method: &'static str,
    route: String,
    span: Span,
    traced: Span,
    started: Instant,
    told: bool,
}

impl Seen {
    fn tell(mut self, report: Report, status: u16) {
        self.told = true;
        let outcome = match (report.ran, report.codes.is_empty(), status) {
            (true, true, _) => Outcome::Ok,
            (true, false, _) => Outcome::Errors,
            (false, true, 200..400) => Outcome::Ok,
            (false, _, _) => Outcome::Refused,
        };
        self.record(&report, status, outcome);
    }

    fn record(&self, report: &Report, status: u16, outcome: Outcome) {
        let elapsed = self.started.elapsed();
        let Report { name, kind, codes, caller, .. } = report;
        let name = name.as_deref();
        self.state.metrics.request(name, *kind, status, outcome, elapsed);
        codes.iter().for_each(|code| self.state.metrics.error(code));
        let codes = (!codes.is_empty()).then(|| codes.join(" "));
        if !self.traced.is_disabled() {
            self.traced.record("http.response.status_code", status);
            self.traced.record("graphql.operation.type", kind.as_str());
            self.traced.record("graphql.operation.name", name);
            self.traced.record("c360.codes", codes.as_deref());
            if outcome != Outcome::Ok && (status >= 500 || codes.as_deref().is_some_and(is_our_fault)) {
                self.traced.record("otel.status_code", "ERROR");
            }
        }
        // Counted, and no line for each: there may be many, and nothing may be spent on them.
        if report.is_shed {
            return;
        }
        let (who, client, subject) = caller.as_deref().map_or((None, None, None), who);
        tracing::info!(
            target: "c360::access", parent: &self.span, method = self.method, route = self.route, operation = name,
            kind = kind.as_str(), status, outcome = outcome.as_str(), codes, ms = milliseconds(elapsed), caller = who,
            client_id = client, subject, "answered"
        );
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if !self.told {
            self.record(&Report::default(), GONE, Outcome::Gone);
        }
    }
}

/// The kind of caller, its client, and the subject of staff alone: that of a customer is a customer.
fn who(caller: &Caller) -> (Option<&'static str>, Option<&str>, Option<&str>) {
    let subject = caller.is_staff().then_some(caller.subject.as_str());
    (Some(caller.kind()), Some(caller.client_id.as_str()), subject)
}

fn is_our_fault(codes: &str) -> bool {
    [Code::InternalServerError, Code::Unavailable, Code::Timeout].iter().any(|code| codes.contains(code.as_str()))
}

fn milliseconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 1e5).round() / 100.0
}
