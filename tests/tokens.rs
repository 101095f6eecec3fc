//! Whose token is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use c360::auth::issue::{NewKey, Signer, Subject};
use c360_rules::access::Role;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::harness::{AUDIENCE, App, ISSUER, now, on_both};

const SIMPLE: &str = "{ __typename }";

fn agent() -> Subject {
    Subject::Staff { subject: "agent-1".into(), role: Role::Agent }
}

/// A token with any claims and header, signed by the gateway's own key or another.
fn forged(key: &NewKey, header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_pem(key.private_pem.as_bytes()).unwrap()).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "agent-1", "client_id": "console", "scope": "",
        "roles": ["agent"], "iat": now().timestamp(), "exp": (now() + TimeDelta::hours(1)).timestamp(),
    })
}

fn header() -> Header {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("at+jwt".into());
    header
}

/// A gateway that trusts a key whose private half the test holds.
async fn app_and_key(backend: crate::harness::Backend) -> (App, NewKey) {
    let database = crate::harness::Database::migrated(backend).await;
    App::with_key(database).await
}

#[tokio::test]
async fn every_bad_token_is_refused_in_the_same_words() {
    let (app, key) = app_and_key(crate::harness::Backend::Sqlite).await;
    let without = |claim: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        forged(&key, &header(), &claims)
    };
    let with = |claim: &str, value: Value| {
        let mut claims = claims();
        claims[claim] = value;
        forged(&key, &header(), &claims)
    };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let good = forged(&key, &header(), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, body) = signed.split_once('.').unwrap();
    let mut plain = header();
    plain.typ = Some("JWT".into());
    let hour = TimeDelta::hours(1);
    let stamp = |at: DateTime<Utc>| json!(at.timestamp());
    let hmac = {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".into());
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(key.jwks.as_bytes())).unwrap()
    };
    let bad = [
        ("nothing", String::new()),
        ("no token at all", "nonsense".into()),
        ("two parts", signed.to_owned()),
        ("no signature", format!("{signed}.")),
        ("alg none", format!("{}.{body}.", encode(&json!({"alg": "none", "typ": "at+jwt"})))),
        ("alg none, signed", format!("{}.{body}.{signature}", encode(&json!({"alg": "none", "typ": "at+jwt"})))),
        ("another body", format!("{head}.{}.{signature}", encode(&json!({"sub": "root"})))),
        ("hmac with the public key", hmac),
        ("another key", forged(&NewKey::generate().unwrap(), &header(), &claims())),
        ("another typ", forged(&key, &plain, &claims())),
        ("expired", with("exp", stamp(now() - hour))),
        ("not yet valid", with("nbf", stamp(now() + hour))),
        ("issued in the future", with("iat", stamp(now() + hour))),
        ("another issuer", with("iss", json!("https://elsewhere.test"))),
        ("another audience", with("aud", json!("somebody-else"))),
        ("an unknown role", with("roles", json!(["king"]))),
        ("a customer that is no id", {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove("roles");
            claims["customer_id"] = json!("order_01h455vb4pex5vsknk084sn02q");
            forged(&key, &header(), &claims)
        }),
        ("no iss", without("iss")),
        ("no aud", without("aud")),
        ("no exp", without("exp")),
        ("no sub", without("sub")),
        ("no client_id", without("client_id")),
    ];
    assert_eq!(app.with_token(good.clone()).ask(SIMPLE).await.status, 200);
    let mut words = std::collections::BTreeSet::new();
    for (what, token) in bad {
        let answer = app.with_token(token).ask(SIMPLE).await;
        assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{what}");
        words.insert(answer.body.to_string());
    }
    assert_eq!(words.len(), 1, "{words:?}");
}

on_both! {
    async fn a_remembered_token_expires_all_the_same(app: App::empty) {
        let agent = app.actor(&agent());
        assert_eq!(agent.ask(SIMPLE).await.status, 200);
        app.state.clock.set(now() + TimeDelta::hours(2));
        assert_eq!(agent.ask(SIMPLE).await.status, 401);
    }
}

on_both! {
    async fn a_partner_who_is_not_registered_or_disabled_is_refused(app: App::demo) {
        use sea_orm::ConnectionTrait as _;
        assert_eq!(app.partner("nobody-knows", "customers:read").ask(SIMPLE).await.status, 401);
        let shop = app.partner("shop-partner", "customers:read");
        assert_eq!(shop.ask(SIMPLE).await.status, 200);
        app.state.db.execute_unprepared("UPDATE partners SET disabled_at = created_at").await.unwrap();
        assert_eq!(shop.ask(SIMPLE).await.status, 401);
    }
}

#[tokio::test]
async fn a_key_as_pem_verifies_as_a_jwk_does() {
    // Made with openssl: genpkey -algorithm ed25519, pkey -pubout.
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), public).unwrap();
    let mut config = crate::harness::config("");
    config.auth.public_key_file = file.path().to_owned();
    let verifier = c360::auth::token::Verifier::new(&config.auth).unwrap();
    let signer = Signer::from_pem(private.as_bytes()).unwrap();
    let token = signer.token(ISSUER, AUDIENCE, &agent(), now(), TimeDelta::hours(1)).unwrap();
    assert!(verifier.verify(&token, now()).unwrap().is_staff());
}
