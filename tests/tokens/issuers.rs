//! Identity providers in this process, and gateways that believe them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use c360::auth::issue::NewKey;
use c360::clock::Clock;
use c360::config::Config;
use c360::state::State;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::harness::{AUDIENCE, Backend, Database, ISSUER, config, database::connect, serve};

use super::token_of;

/// An identity provider that publishes keys and signs with one of them.
pub struct Provider {
    pub url: String,
    published: Arc<Mutex<String>>,
    fetched: Arc<AtomicU64>,
    is_down: Arc<AtomicBool>,
}

impl Provider {
    pub async fn start() -> Self {
        let published = Arc::new(Mutex::new(r#"{"keys": []}"#.to_owned()));
        let (fetched, is_down) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let answer = {
            let (published, fetched, is_down) = (published.clone(), fetched.clone(), is_down.clone());
            move || {
                fetched.fetch_add(1, Ordering::SeqCst);
                let body = published.lock().unwrap().clone();
                let is_down = is_down.load(Ordering::SeqCst);
                async move {
                    if is_down {
                        return StatusCode::BAD_GATEWAY.into_response();
                    }
                    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
                }
            }
        };
        let elsewhere = || async { axum::response::Redirect::temporary("/jwks") };
        let router = axum::Router::new()
            .route("/jwks", axum::routing::get(answer))
            .route("/moved", axum::routing::get(elsewhere));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, published, fetched, is_down }
    }

    pub fn publish(&self, keys: &[&NewKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| jwk(key)).collect();
        self.publish_text(json!({ "keys": keys }).to_string());
    }

    pub fn publish_text(&self, text: String) {
        *self.published.lock().unwrap() = text;
    }

    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// How often the keys were asked for.
    pub fn fetched(&self) -> u64 {
        self.fetched.load(Ordering::SeqCst)
    }
}

/// The public half of a key.
pub fn jwk(key: &NewKey) -> Value {
    serde_json::from_str::<Value>(&key.jwks).unwrap()["keys"][0].take()
}

pub fn kid(key: &NewKey) -> String {
    jwk(key)["kid"].as_str().unwrap().to_owned()
}

pub fn now() -> DateTime<Utc> {
    Clock::System.now()
}

/// The claims of an agent's token, as of now; each call gives another token.
pub fn agent_claims() -> Value {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "agent-1", "client_id": "console", "roles": ["agent"],
        "iat": now().timestamp(), "exp": (now() + TimeDelta::hours(1)).timestamp(),
        "jti": COUNT.fetch_add(1, Ordering::SeqCst).to_string(),
    })
}

/// A token with these claims, signed by this key under its name.
pub fn signed(key: &NewKey, claims: &Value) -> String {
    let head = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid(key) });
    let private = EncodingKey::from_ed_pem(key.private_pem.as_bytes()).unwrap();
    token_of(&head.to_string(), &claims.to_string(), &private, Algorithm::EdDSA)
}

/// A gateway over a database that others may use too, with the clock of the machine.
pub struct Gateway {
    pub url: String,
    pub state: Arc<State>,
    http: reqwest::Client,
    current: tokio::task::JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.current.abort();
    }
}

impl Gateway {
    pub async fn start(database: &Database, settings: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(&database.url);
        settings(&mut config);
        let db = connect(&database.url).await;
        let (url, state) = serve(config, Clock::System, db).await;
        state.verifier.warm_up().await;
        let current = tokio::spawn({
            let state = state.clone();
            async move { state.verifier.keep_current(&state.watch, &state.clock).await }
        });
        Self { url, state, http: reqwest::Client::new(), current }
    }

    /// Over an empty SQLite, believing a provider.
    pub async fn believing(provider: &Provider, settings: impl FnOnce(&mut Config)) -> (Self, Database) {
        let database = Database::migrated(Backend::Sqlite).await;
        let gateway = Self::start(&database, |config| {
            config.auth.main.jwks_url.clone_from(&provider.url);
            settings(config);
        });
        (gateway.await, database)
    }

    /// The status of a small request with this token.
    pub async fn status(&self, token: &str) -> u16 {
        let request = self.http.post(format!("{}/graphql", self.url)).bearer_auth(token);
        request.json(&json!({ "query": "{ __typename }" })).send().await.unwrap().status().as_u16()
    }

    /// Waits until a token is answered with this status; how long it took.
    pub async fn becomes(&self, token: &str, status: u16) -> std::time::Duration {
        let begun = std::time::Instant::now();
        loop {
            let answered = self.status(token).await;
            if answered == status {
                return begun.elapsed();
            }
            assert!(begun.elapsed().as_secs() < 20, "it stays {answered}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}
