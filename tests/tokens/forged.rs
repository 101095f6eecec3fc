//! Tokens that are forged, malformed or not for us.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use c360::auth::issue::NewKey;
use c360::auth::token::{Denied, Refused};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::issuers::{jwk, kid};
use super::{SIMPLE, token_of};
use crate::harness::{AUDIENCE, App, Backend, Database, ISSUER, now};

fn private(key: &NewKey) -> EncodingKey {
    EncodingKey::from_ed_pem(key.private_pem.as_bytes()).unwrap()
}

/// A header and a body as they stand, with a signature that is right for them.
fn signed_as(text: &str, key: &NewKey) -> String {
    let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &private(key), Algorithm::EdDSA).unwrap();
    format!("{text}.{signature}")
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "agent-1", "client_id": "console", "scope": "",
        "roles": ["agent"], "iat": now().timestamp(), "exp": (now() + TimeDelta::hours(1)).timestamp(),
    })
}

/// Every token here is refused; all but the first few are signed by the key that the gateway believes.
fn bad_tokens(key: &NewKey) -> Vec<(&'static str, String)> {
    let head = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid(key) });
    let sign = |head: &str, claims: &str| token_of(head, claims, &private(key), Algorithm::EdDSA);
    let without = |claim: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        sign(&head.to_string(), &claims.to_string())
    };
    let with = |claim: &str, value: Value| {
        let mut claims = claims();
        claims[claim] = value;
        sign(&head.to_string(), &claims.to_string())
    };
    let headed = |name: &str, value: Value| {
        let mut head = head.clone();
        head[name] = value;
        sign(&head.to_string(), &claims().to_string())
    };
    let customer = |id: Value| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove("roles");
        claims["customer_id"] = id;
        sign(&head.to_string(), &claims.to_string())
    };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let good = sign(&head.to_string(), &claims().to_string());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (first, body) = signed.split_once('.').unwrap();
    let stranger = NewKey::generate().unwrap();
    let by_stranger =
        |head: Value| token_of(&head.to_string(), &claims().to_string(), &private(&stranger), Algorithm::EdDSA);
    let hmac = |secret: &[u8]| {
        let head = json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid(key) }).to_string();
        token_of(&head, &claims().to_string(), &EncodingKey::from_secret(secret), Algorithm::HS256)
    };
    let public = URL_SAFE_NO_PAD.decode(jwk(key)["x"].as_str().unwrap()).unwrap();
    let stamp = |at: DateTime<Utc>| json!(at.timestamp());
    let hour = TimeDelta::hours(1);
    let text = claims().to_string();
    let twice = |claim: &str| format!("{},{claim}}}", text.strip_suffix('}').unwrap());
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[7] ^= 1;
    // The last character carries bits that are not used: another text for the same bytes.
    let (most, last) = signature.split_at(signature.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.find(last).map(|at| &alphabet[at + 1..at + 2]).unwrap();
    vec![
        ("nothing", String::new()),
        ("no token at all", "nonsense".into()),
        ("three empty parts", "..".into()),
        ("two parts", signed.to_owned()),
        ("five parts", format!("{good}.{body}.{signature}")),
        ("an encrypted token", format!("{}.a.b.c.d", encode(&json!({"alg": "RSA-OAEP", "enc": "A256GCM"})))),
        ("no header", format!(".{body}.{signature}")),
        ("no claims", format!("{first}..{signature}")),
        ("no signature", format!("{signed}.")),
        ("another signature", format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&flipped))),
        ("a short signature", format!("{signed}.{}", &signature[..40])),
        ("padded", format!("{signed}.{signature}==")),
        ("padded claims, signed as they are", {
            let body = [&text, &format!("{text} "), &format!("{text}  ")].map(|text| URL_SAFE.encode(text));
            signed_as(&format!("{first}.{}", body.iter().find(|body| body.ends_with('=')).unwrap()), key)
        }),
        ("the other alphabet, signed as it is", {
            let odd = text.replacen("agent-1", "agent-\u{ff}\u{3fe}\u{ff}", 1);
            let bodies = [&odd, &format!("{odd} "), &format!("{odd}  ")].map(|text| STANDARD_NO_PAD.encode(text));
            signed_as(&format!("{first}.{}", bodies.iter().find(|body| body.contains(['+', '/'])).unwrap()), key)
        }),
        ("bits left over", format!("{signed}.{most}{next}")),
        ("spaces within, signed as they are", signed_as(&format!("{first}. {body}"), key)),
        ("another body", format!("{first}.{}.{signature}", encode(&json!({"sub": "root"})))),
        ("claims that are no JSON", sign(&head.to_string(), "{")),
        ("claims that are a list", sign(&head.to_string(), "[]")),
        (
            "claims that are deep",
            sign(&head.to_string(), &format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000))),
        ),
        ("claims that are no UTF-8", {
            let signed = format!("{first}.{}", URL_SAFE_NO_PAD.encode(b"{\"iss\":\"\xff\"}"));
            let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &private(key), Algorithm::EdDSA).unwrap();
            format!("{signed}.{signature}")
        }),
        ("alg none", format!("{}.{body}.", encode(&json!({"alg": "none", "typ": "at+jwt"})))),
        ("alg None, signed", format!("{}.{body}.{signature}", encode(&json!({"alg": "None", "typ": "at+jwt"})))),
        ("no alg", sign(&json!({ "typ": "at+jwt", "kid": kid(key) }).to_string(), &text)),
        ("alg that is a list", headed("alg", json!(["EdDSA"]))),
        ("another alg than the key's", headed("alg", json!("ES256"))),
        ("an alg nobody knows", headed("alg", json!("XX999"))),
        ("hmac with the public key", hmac(&public)),
        ("hmac with the key set", hmac(key.jwks.as_bytes())),
        ("hmac with nothing", hmac(b"")),
        ("another key", by_stranger(json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid(&stranger) }))),
        ("another key by our name", by_stranger(head.clone())),
        ("another key without a name", by_stranger(json!({ "alg": "EdDSA", "typ": "at+jwt" }))),
        ("a key that comes along", by_stranger(json!({ "alg": "EdDSA", "typ": "at+jwt", "jwk": jwk(&stranger) }))),
        (
            "a place to find a key",
            by_stranger(json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "x", "jku": "http://127.0.0.1:9/jwks" })),
        ),
        (
            "a certificate that comes along",
            by_stranger(json!({ "alg": "EdDSA", "typ": "at+jwt", "x5u": "http://127.0.0.1:9/x", "x5c": ["MIIB"] })),
        ),
        ("a kid that is a path", by_stranger(json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "../../dev/null" }))),
        ("a kid that is a number", headed("kid", json!(7))),
        ("an extension that must be understood", headed("crit", json!(["exp"]))),
        ("an unencoded payload", headed("b64", json!(false))),
        ("a compressed payload", headed("zip", json!("DEF"))),
        ("another typ", headed("typ", json!("JWT"))),
        ("an id token's typ", headed("typ", json!("id+jwt"))),
        ("no typ", sign(&json!({ "alg": "EdDSA", "kid": kid(key) }).to_string(), &text)),
        (
            "a header that names alg twice",
            sign(&format!(r#"{{"alg":"EdDSA","typ":"at+jwt","alg":"EdDSA","kid":"{}"}}"#, kid(key)), &text),
        ),
        ("expired", with("exp", stamp(now() - hour))),
        ("exp as a text", with("exp", json!((now() + hour).timestamp().to_string()))),
        ("exp without bounds", with("exp", json!(9_000_000_000_000_000_i64))),
        (
            "exp as a huge float",
            sign(&head.to_string(), &text.replace(&(now() + hour).timestamp().to_string(), "1e300")),
        ),
        ("exp before 1970", with("exp", json!(-1))),
        ("exp null", with("exp", Value::Null)),
        ("exp twice", sign(&head.to_string(), &twice("\"exp\":99999999999"))),
        ("sub twice", sign(&head.to_string(), &twice("\"sub\":\"admin-1\""))),
        ("roles twice", sign(&head.to_string(), &twice("\"roles\":[\"admin\"]"))),
        ("not yet valid", with("nbf", stamp(now() + hour))),
        ("nbf as a text", with("nbf", json!("0"))),
        ("issued in the future", with("iat", stamp(now() + hour))),
        ("another issuer", with("iss", json!("https://elsewhere.test"))),
        ("our issuer, almost", with("iss", json!(format!("{ISSUER}/")))),
        ("issuers", with("iss", json!([ISSUER]))),
        ("another audience", with("aud", json!("somebody-else"))),
        ("other audiences", with("aud", json!(["a", "b"]))),
        ("no audience in the list", with("aud", json!([]))),
        ("an audience within another", with("aud", json!([[AUDIENCE]]))),
        ("an unknown role", with("roles", json!(["king"]))),
        ("a role in other letters", with("roles", json!(["Admin"]))),
        ("roles that are numbers", with("roles", json!([1]))),
        ("roles that are an object", with("roles", json!({ "admin": true }))),
        ("no sub in it", with("sub", json!(""))),
        ("a sub that is a number", with("sub", json!(1))),
        ("an endless sub", with("sub", json!("a".repeat(4000)))),
        ("an empty client", with("client_id", json!(""))),
        ("a jti that is a number", with("jti", json!(1))),
        ("an order as customer", customer(json!("order_01h455vb4pex5vsknk084sn02q"))),
        ("a customer that is no id", customer(json!("me"))),
        ("a customer that is a number", customer(json!(1))),
        ("a customer that is null", customer(Value::Null)),
        ("no iss", without("iss")),
        ("no aud", without("aud")),
        ("no exp", without("exp")),
        ("no sub", without("sub")),
        ("no client_id", without("client_id")),
        ("a very long token", with("scope", json!("x ".repeat(20_000)))),
    ]
}

#[tokio::test]
async fn every_bad_token_is_refused_in_the_same_words() {
    let (app, key) = App::with_key(Database::migrated(Backend::Sqlite).await).await;
    let head = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid(&key) }).to_string();
    let good = token_of(&head, &claims().to_string(), &private(&key), Algorithm::EdDSA);
    assert_eq!(app.with_token(good.clone()).ask(SIMPLE).await.status, 200);
    let mut words = BTreeSet::new();
    let bad = bad_tokens(&key);
    assert!(bad.len() >= 80, "{}", bad.len());
    for (what, token) in bad {
        let answer = app.with_token(token).ask(SIMPLE).await;
        assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{what}");
        words.insert(answer.body.to_string());
    }
    // Headers that hold no one token.
    let post = || app.http.post(format!("{}/graphql", app.url)).json(&json!({ "query": SIMPLE }));
    let bytes = |bytes: &[u8]| reqwest::header::HeaderValue::from_bytes(bytes).unwrap();
    let bearer = format!("Bearer {good}");
    for (what, request) in [
        ("no header", post()),
        ("an empty header", post().header("authorization", "")),
        ("only the scheme", post().header("authorization", "Bearer")),
        ("another scheme", post().header("authorization", format!("Basic {good}"))),
        ("no scheme", post().header("authorization", &good)),
        ("two tokens", post().header("authorization", format!("{bearer} {good}"))),
        ("two tokens in a list", post().header("authorization", format!("{bearer},{bearer}"))),
        ("two headers", post().header("authorization", &bearer).header("authorization", &bearer)),
        ("no UTF-8", post().header("authorization", bytes(b"Bearer \xff\xfe"))),
        ("the address", app.http.post(format!("{}/graphql?access_token={good}", app.url)).json(&json!({}))),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401, "{what}");
        words.insert(response.json::<Value>().await.unwrap().to_string());
    }
    assert_eq!(words.len(), 1, "{words:?}");
    // The scheme's letters do not matter (RFC 9110), nor does a media type's long form.
    assert_eq!(post().header("authorization", format!("bEARER {good}")).send().await.unwrap().status(), 200);
    let head = json!({ "alg": "EdDSA", "typ": "application/AT+JWT", "kid": kid(&key) }).to_string();
    let mut several = claims();
    several["aud"] = json!(["somebody-else", AUDIENCE]);
    let good = token_of(&head, &several.to_string(), &private(&key), Algorithm::EdDSA);
    assert_eq!(app.with_token(good).ask(SIMPLE).await.status, 200);
}

#[tokio::test]
async fn a_megabyte_of_token_is_refused_unread() {
    let (app, key) = App::with_key(Database::migrated(Backend::Sqlite).await).await;
    let head = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid(&key) }).to_string();
    let mut long = claims();
    long["scope"] = json!("x".repeat(1 << 20));
    let token = token_of(&head, &long.to_string(), &private(&key), Algorithm::EdDSA);
    let begun = std::time::Instant::now();
    let verified = app.state.verifier.verify(&token, now(), &app.state.watch).await;
    assert_eq!(verified, Err(Denied::Refused(Refused)));
    assert!(begun.elapsed().as_millis() < 50);
    // Over HTTP the header alone is too much, or the token is; either way the next request is answered.
    if let Ok(response) = app.http.post(format!("{}/graphql", app.url)).bearer_auth(&token).send().await {
        assert!(matches!(response.status().as_u16(), 401 | 431), "{}", response.status());
    }
    assert_eq!(app.agent().ask(SIMPLE).await.status, 200);
}
