//! Tokens: whatever is wrong with one, it is refused; only what the issuer's key has signed is believed, for what it says.

use std::path::Path;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use c360::auth::revocations::Revoked;
use c360::auth::token::{Denied, Verifier};
use c360::auth::{Actor, Caller, CustomerIdentity};
use c360::config::Config;
use c360::db::Watch;
use c360_rules::id::{self, Kind};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "c360";
/// 2026-11-01T12:00:00Z.
const NOW: i64 = 1_793_534_400;
const LEEWAY: i64 = 5;

static GATEWAY: LazyLock<Gateway> = LazyLock::new(Gateway::start);

struct Gateway {
    runtime: Runtime,
    watch: Watch,
    _folder: tempfile::TempDir,
    verifier: Verifier,
    now: DateTime<Utc>,
    /// The key that the verifier trusts, and one that it does not.
    keys: [Ed25519KeyPair; 2],
    genuine: Vec<String>,
}

impl Gateway {
    fn start() -> Self {
        let keys = [7, 8].map(|seed| {
            let public = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]);
            public.unwrap()
        });
        let x = URL_SAFE_NO_PAD.encode(keys[0].public_key().as_ref());
        let folder = tempfile::tempdir().unwrap();
        let jwks = folder.path().join("jwks.json");
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "key", "use": "sig", "alg": "EdDSA"});
        std::fs::write(&jwks, json!({"keys": [key]}).to_string()).unwrap();
        let mut config = config(&jwks);
        config.database.url = format!("sqlite://{}", folder.path().join("c360.db").display());
        let verifier = Verifier::new(&config).unwrap();

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let db = runtime.block_on(c360::db::connect(&config.database)).unwrap();
        runtime.block_on(c360::db::migrate(&db)).unwrap();
        let watch = Watch::new(&config.database);

        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let mut gateway = Self { runtime, watch, _folder: folder, verifier, now, keys, genuine: Vec::new() };
        gateway.genuine = gateway.tokens();
        for token in &gateway.genuine {
            assert!(gateway.verify(token).is_ok(), "{token} is genuine");
        }
        gateway
    }

    /// Tokens that are believed.
    fn tokens(&self) -> Vec<String> {
        let common = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "client_id": "console", "iat": NOW, "exp": NOW + 900,
        });
        let with = |more: Value| {
            let mut claims = common.clone();
            for (name, value) in more.as_object().unwrap() {
                claims[name] = value.clone();
            }
            let head = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "key"}).to_string();
            let signed = signed(head.as_bytes(), claims.to_string().as_bytes());
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.keys[0].sign(signed.as_bytes())))
        };
        vec![
            with(json!({"roles": ["agent"], "jti": "1"})),
            with(json!({"roles": "supervisor admin", "aud": ["other", AUDIENCE], "nbf": NOW - 1})),
            with(json!({"customer_id": id::encode(Kind::Customer, uuid::Uuid::max())})),
            with(json!({})),
        ]
    }

    fn verify(&self, token: &str) -> Result<Caller, Denied> {
        let verified = self.runtime.block_on(self.verifier.verify(token, self.now, &self.watch));
        verified.map(|caller| (*caller).clone())
    }

    fn must_refuse(&self, token: &str) {
        assert!(matches!(self.verify(token), Err(Denied::Refused(_))), "believed, or undecided: {token}");
    }
}

fn config(jwks: &Path) -> Config {
    let mut config = Config::load(None, &|_| None).unwrap();
    config.auth.main.issuer = ISSUER.into();
    config.auth.main.audience = AUDIENCE.into();
    config.auth.main.jwks_file = jwks.to_owned();
    config.auth.remembered_tokens = 1_000;
    config
}

fn signed(head: &[u8], claims: &[u8]) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims))
}

/// Builds what all inputs share.
pub fn begin() {
    LazyLock::force(&GATEWAY);
}

/// A way to make a token, then either the token, or its head, claims and signature with zero bytes between them.
pub fn run(data: &[u8]) {
    let gateway = &*GATEWAY;
    let Some((&way, rest)) = data.split_first() else { return };
    if way % 8 == 0 {
        let text = String::from_utf8_lossy(rest);
        let _ = Revoked::token(&text);
        if !gateway.genuine.iter().any(|token| *token == text) {
            gateway.must_refuse(&text);
        }
        return;
    }
    let mut parts = rest.splitn(3, |byte| *byte == 0);
    let [head, claims, more] = [0; 3].map(|_| parts.next().unwrap_or_default());
    let signed = signed(head, claims);
    let own = gateway.keys[0].sign(signed.as_bytes()).as_ref().to_vec();
    let public = gateway.keys[0].public_key().as_ref();
    let signature = match way % 8 {
        1 => own,
        2 => gateway.keys[1].sign(signed.as_bytes()).as_ref().to_vec(),
        3 => more.to_vec(),
        4 => gateway.keys[0].sign(&[signed.as_bytes(), b"."].concat()).as_ref().to_vec(),
        // The public key taken for a shared secret.
        5 => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public), signed.as_bytes()).as_ref().to_vec(),
        // Another text of the signature: a bit flipped, bytes added or cut off.
        6 => {
            let mut other = own;
            let at = usize::from(more.first().copied().unwrap_or_default());
            other[at / 8 % 64] ^= 1 << (at % 8);
            other
        }
        _ => [&own[..], b"\0", more].concat(),
    };
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let _ = Revoked::token(&token);
    if way % 8 == 1 {
        if let Ok(caller) = gateway.verify(&token) {
            let [head, claims] = [head, claims].map(|part| serde_json::from_slice(part).unwrap());
            says(&head, &claims, &caller);
        }
    } else {
        gateway.must_refuse(&token);
    }
}

/// Whether a token that was believed says what it has to, and the caller is who it names.
fn says(head: &Value, claims: &Value, caller: &Caller) {
    let typ = head["typ"].as_str().unwrap().to_ascii_lowercase();
    assert!(head["alg"] == "EdDSA" && ["at+jwt", "application/at+jwt"].contains(&typ.as_str()), "{head}");
    assert!(head.get("crit").is_none(), "{head}");
    let is_for_us = |audience: &Value| audience == AUDIENCE;
    let audience = &claims["aud"];
    assert!(claims["iss"] == ISSUER && (is_for_us(audience) || audience.as_array().unwrap().iter().any(is_for_us)));
    let time = |name: &str| claims.get(name).map(|value| value.as_f64().unwrap().floor() as i64);
    assert!(time("exp").unwrap() > NOW - LEEWAY, "{claims}");
    assert!(["nbf", "iat"].iter().all(|name| time(name).is_none_or(|at| at <= NOW + LEEWAY)), "{claims}");
    assert_eq!(caller.expires_at.timestamp(), time("exp").unwrap());
    assert!(claims["sub"] == *caller.subject && !caller.subject.is_empty());
    assert!(claims["client_id"] == *caller.client_id && !caller.client_id.is_empty());
    match &caller.actor {
        Actor::Staff(role) => {
            assert!(claims["roles"].to_string().contains(role.as_str().to_lowercase().as_str()), "{claims}");
        }
        Actor::Customer(CustomerIdentity::Id(uuid)) => {
            assert_eq!(claims["customer_id"], id::encode(Kind::Customer, *uuid));
        }
        Actor::Customer(CustomerIdentity::External { issuer, subject }) => {
            assert!(claims.get("customer_id").is_none() && issuer == ISSUER && claims["sub"] == **subject, "{claims}");
        }
        Actor::Partner(_) => panic!("no partner is registered: {claims}"),
    }
}
