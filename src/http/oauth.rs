//! Tokens for partners: RFC 6749's client credentials, in the profile of RFC 9068, and the keys to verify them with.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use c360_rules::access::{Scope, Scopes};
use serde_json::json;

use super::{Gateway, body};
use crate::admission::Shed;
use crate::auth::issue::OwnKeys;
use crate::auth::partners;
use crate::db;

/// Failures in a minute after which a client is no longer listened to, from the address that they came from.
const MOST_FAILURES: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);
/// Addresses and clients whose failures are counted at the same time.
const COUNTED: u64 = 10_000;
/// Longest client id or secret, in bytes.
const LONGEST: usize = 256;

/// Why there is no token: RFC 6749, section 5.2, and what to do about it.
struct Refusal(StatusCode, &'static str, &'static str);

const NO_KEYS: Refusal = Refusal(StatusCode::NOT_FOUND, "invalid_request", "this gateway issues no tokens");
const BAD_CLIENT: Refusal =
    Refusal(StatusCode::UNAUTHORIZED, "invalid_client", "the client is unknown or disabled, or the secret is wrong");
const TOO_MANY: Refusal = Refusal(
    StatusCode::TOO_MANY_REQUESTS,
    "temporarily_unavailable",
    "too many failures for this client; try again in a minute",
);
const BROKEN: Refusal = Refusal(
    StatusCode::SERVICE_UNAVAILABLE,
    "temporarily_unavailable",
    "the gateway cannot answer now; try again soon",
);

const OVERLOADED: Refusal = Refusal(
    StatusCode::SERVICE_UNAVAILABLE,
    "temporarily_unavailable",
    "the gateway has enough to do; try again in a moment",
);

const fn bad_request(description: &'static str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, "invalid_request", description)
}

/// What may not be kept by anybody on the way.
const NO_STORE: [(HeaderName, &str); 2] = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, error, description) = self;
        let body = Json(json!({ "error": error, "error_description": description }));
        let mut response = (status, NO_STORE, body).into_response();
        match status {
            StatusCode::UNAUTHORIZED => {
                let challenge = header::HeaderValue::from_static("Basic realm=\"c360\", charset=\"UTF-8\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            StatusCode::TOO_MANY_REQUESTS => {
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// Counts wrong secrets, by client and by where they came from, so that nobody can lock another's client out.
#[derive(Debug)]
pub(crate) struct Failures(moka::sync::Cache<(Option<IpAddr>, String), Arc<AtomicU32>>);

impl Default for Failures {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(COUNTED).time_to_live(MINUTE).build())
    }
}

impl Failures {
    fn are_too_many(&self, who: &(Option<IpAddr>, String)) -> bool {
        self.0.get(who).is_some_and(|count| count.load(Ordering::Relaxed) >= MOST_FAILURES)
    }

    fn add(&self, who: (Option<IpAddr>, String)) {
        self.0.get_with(who, Arc::default).fetch_add(1, Ordering::Relaxed);
    }
}

/// `POST /oauth/token`.
pub(super) async fn token(
    State(gateway): State<Gateway>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let from = peer.map(|Extension(ConnectInfo(address))| address.ip());
    let answer = issue(&gateway, from, &headers, body).await;
    answer.map_or_else(IntoResponse::into_response, |token| (NO_STORE, Json(token)).into_response())
}

async fn issue(
    gateway: &Gateway,
    from: Option<IpAddr>,
    headers: &HeaderMap,
    body: Body,
) -> Result<serde_json::Value, Refusal> {
    let state = &gateway.state;
    let own = state.verifier.own_keys().ok_or(NO_KEYS)?;
    let body = body::read(headers, body, state.config.limits.body_bytes).await;
    let body = body.map_err(|why| Refusal(why.status(), "invalid_request", why.message()))?;
    let form = Form::read(headers, &body)?;
    let (client_id, secret) = form.credentials(headers)?;
    match form.one("grant_type")? {
        Some("client_credentials") => {}
        Some(_) => {
            let description = "the only grant_type is client_credentials";
            return Err(Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", description));
        }
        None => return Err(bad_request("grant_type is missing")),
    }
    let who = (from, client_id.clone());
    if gateway.failures.are_too_many(&who) {
        return Err(TOO_MANY);
    }
    let overloaded = |why: Shed| {
        state.metrics.shed(why.as_str());
        OVERLOADED
    };
    let pass = state.admission.pass().await.map_err(overloaded)?;
    let _place = pass.enter().await.map_err(overloaded)?;
    let now = state.clock.now();
    let known = partners::recognise(&state.db, &client_id, &secret, now);
    let known = db::in_time(&state.config.database, known).await.map_err(|error| {
        tracing::error!(%error, "partners cannot be read");
        BROKEN
    })?;
    let Some((partner, secret)) = known else {
        gateway.failures.add(who);
        // What was sent as the id may be a secret in the wrong place.
        tracing::warn!("a wrong client or secret asks for a token");
        return Err(BAD_CLIENT);
    };
    let scope = narrowed(Scopes::parse(&partner.scopes), form.one("scope")?)?.to_string();
    let token = own.token(&partner.client_id, &scope, secret, now).map_err(|error| {
        tracing::error!(%error, "a token cannot be signed");
        BROKEN
    })?;
    tracing::info!(client_id, scope, "a partner gets a token");
    let seconds = own.lifetime().num_seconds();
    Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": scope }))
}

/// The scopes that are asked for, all of which the partner must have; all that it has if none are.
fn narrowed(registered: Scopes, asked: Option<&str>) -> Result<Scopes, Refusal> {
    let mut scopes = Scopes::NONE;
    for word in asked.unwrap_or_default().split_ascii_whitespace() {
        let scope = word.parse::<Scope>().ok().filter(|scope| registered.contains(*scope));
        let description = "a scope is not among those that the client is registered for";
        scopes = scopes | scope.ok_or(Refusal(StatusCode::BAD_REQUEST, "invalid_scope", description))?.into();
    }
    Ok(if scopes == Scopes::NONE { registered } else { scopes })
}

/// The parameters of a request.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(bad_request("send the request as application/x-www-form-urlencoded"));
        }
        Ok(Self(form_urlencoded::parse(body).into_owned().collect()))
    }

    /// A parameter; without a value it counts as left out (RFC 6749, section 3.2), and it may not stand twice.
    fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(own, value)| own == name && !value.is_empty());
        let value = values.next();
        match values.next() {
            None => Ok(value.map(|(_, value)| value.as_str())),
            Some(_) => Err(bad_request("a parameter stands twice")),
        }
    }

    /// Client id and secret, from the header (`client_secret_basic`) or the form (`client_secret_post`).
    fn credentials(&self, headers: &HeaderMap) -> Result<(String, String), Refusal> {
        let (id, secret) = (self.one("client_id")?, self.one("client_secret")?);
        let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
        let (id, secret) = match (authorizations.next(), authorizations.next()) {
            (None, _) => (id.ok_or(BAD_CLIENT)?.to_owned(), secret.ok_or(BAD_CLIENT)?.to_owned()),
            (Some(_), Some(_)) => return Err(bad_request("there is more than one Authorization header")),
            (Some(_), None) if secret.is_some() => {
                return Err(bad_request("the client authenticates in two ways at once"));
            }
            (Some(value), None) => {
                let (basic_id, secret) = value.to_str().ok().and_then(basic).ok_or(BAD_CLIENT)?;
                if id.is_some_and(|id| id != basic_id) {
                    return Err(bad_request("client_id is another one in the form than in the header"));
                }
                (basic_id, secret)
            }
        };
        if id.len() > LONGEST || secret.len() > LONGEST {
            return Err(BAD_CLIENT);
        }
        Ok((id, secret))
    }
}

/// Id and secret of `Basic …`; each is form-encoded before they are put together (RFC 6749, section 2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        let pair = format!("={}", part.replace('&', "%26"));
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

/// `GET /.well-known/jwks.json`.
pub(super) async fn jwks(State(gateway): State<Gateway>) -> Response {
    let Some(own) = gateway.state.verifier.own_keys() else { return NO_KEYS.into_response() };
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, own.jwks().to_owned()).into_response()
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414).
pub(super) async fn metadata(State(gateway): State<Gateway>) -> Response {
    let Some(own) = gateway.state.verifier.own_keys() else { return NO_KEYS.into_response() };
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(described(own))).into_response()
}

fn described(own: &OwnKeys) -> serde_json::Value {
    let issuer = own.issuer();
    let scopes: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": scopes,
    })
}
