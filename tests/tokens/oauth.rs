//! Tokens that partners get from the gateway itself.

use c360::auth::issue::NewKey;
use c360::auth::partners::{self, NewPartner};
use c360_rules::access::{Scope, Scopes};
use chrono::TimeDelta;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::issuers::{Gateway, kid, now};
use crate::harness::{Backend, Database};

const OWN: &str = "https://c360.test";

/// A gateway that issues tokens, a partner of it, and the partner's secret.
struct Shop {
    gateway: Gateway,
    database: Database,
    secret: String,
    keys: Keys,
}

/// Signing keys in files.
struct Keys {
    folder: tempfile::TempDir,
    made: Vec<NewKey>,
}

impl Keys {
    fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<_> = (0..count).map(|_| NewKey::generate().unwrap()).collect();
        for (at, key) in made.iter().enumerate() {
            std::fs::write(folder.path().join(format!("{at}.pem")), &key.private_pem).unwrap();
            std::fs::write(folder.path().join(format!("{at}.json")), &key.jwks).unwrap();
        }
        Self { folder, made }
    }

    /// A gateway that signs with the first of these and publishes all.
    async fn gateway(&self, database: &Database, signing: &[usize]) -> Gateway {
        Gateway::start(database, |config| {
            config.auth.main.jwks_file = self.folder.path().join("0.json");
            config.oauth.issuer = OWN.into();
            config.oauth.signing_key_files =
                signing.iter().map(|at| self.folder.path().join(format!("{at}.pem"))).collect();
        })
        .await
    }
}

impl Shop {
    async fn open(backend: Backend) -> Self {
        let (database, keys) = (Database::migrated(backend).await, Keys::new(2));
        let new = NewPartner {
            name: "A shop".into(),
            client_id: "a-shop".into(),
            source: "a-shop".into(),
            kind: "SHOP".into(),
            scopes: Scopes::of(&[Scope::OrdersRead, Scope::OrdersWrite, Scope::CustomersRead]),
            purposes: vec!["SERVICE".into()],
        };
        let secret = partners::create(&database.connection, new, now()).await.unwrap();
        Self { gateway: keys.gateway(&database, &[0]).await, database, secret, keys }
    }

    fn ask(&self) -> RequestBuilder {
        ask(&self.gateway)
    }

    async fn token(&self, secret: &str) -> Value {
        let form = format!("grant_type=client_credentials&client_id=a-shop&client_secret={secret}");
        answer(self.ask().body(form)).await.1
    }
}

fn ask(gateway: &Gateway) -> RequestBuilder {
    let form = "application/x-www-form-urlencoded";
    reqwest::Client::new().post(format!("{}/oauth/token", gateway.url)).header("content-type", form)
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    (response.status().as_u16(), response.json().await.unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn a_partner_gets_a_token_and_uses_it(backend: Backend) {
    let shop = Shop::open(backend).await;
    let basic = shop.ask().basic_auth("a-shop", Some(&shop.secret)).body("grant_type=client_credentials");
    let (status, token) = answer(basic).await;
    assert_eq!((status, &token["token_type"], &token["expires_in"]), (200, &json!("Bearer"), &json!(900)));
    assert_eq!(token["scope"], "customers:read orders:read orders:write");
    assert_eq!(shop.gateway.status(text(&token["access_token"])).await, 200);

    let form = format!(
        "grant_type=client_credentials&client_id=a-shop&client_secret={}&scope=orders%3Aread+orders%3Awrite",
        shop.secret
    );
    let (status, token) = answer(shop.ask().body(form)).await;
    assert_eq!((status, &token["scope"]), (200, &json!("orders:read orders:write")));
    let head = jsonwebtoken::decode_header(text(&token["access_token"])).unwrap();
    assert_eq!((head.typ.as_deref(), head.kid), (Some("at+jwt"), Some(kid(&shop.keys.made[0]))));
    let claims: Value = jsonwebtoken::dangerous::insecure_decode(text(&token["access_token"])).unwrap().claims;
    for (claim, value) in [("iss", OWN), ("aud", "c360"), ("sub", "a-shop"), ("client_id", "a-shop")] {
        assert_eq!(claims[claim], value, "{claim}");
    }
    assert!(claims["jti"].is_string() && claims["iat"].is_i64() && claims["exp"].is_i64());
    assert_eq!(shop.gateway.status(text(&token["access_token"])).await, 200);

    // Another gateway accepts it at once; shutting the partner out reaches both.
    let other = shop.keys.gateway(&shop.database, &[0]).await;
    assert_eq!(other.status(text(&token["access_token"])).await, 200);
    partners::set_disabled(&shop.database.connection, "a-shop", Some(now())).await.unwrap();
    for gateway in [&shop.gateway, &other] {
        assert!(gateway.becomes(text(&token["access_token"]), 401).await.as_secs() < 5);
    }
    assert_eq!(shop.token(&shop.secret).await["error"], "invalid_client");
    partners::set_disabled(&shop.database.connection, "a-shop", None).await.unwrap();
    assert!(shop.gateway.becomes(text(&token["access_token"]), 200).await.as_secs() < 5);
}

#[tokio::test]
async fn a_partner_gets_a_token_and_uses_it_sqlite() {
    a_partner_gets_a_token_and_uses_it(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_partner_gets_a_token_and_uses_it_postgres() {
    a_partner_gets_a_token_and_uses_it(Backend::Postgres).await;
}

#[tokio::test]
async fn every_error_is_one_of_rfc_6749() {
    let shop = Shop::open(Backend::Sqlite).await;
    let secret = shop.secret.as_str();
    let grant = "grant_type=client_credentials";
    let post = |form: String| shop.ask().body(form);
    let client = format!("client_id=a-shop&client_secret={secret}");
    let basic = |id: &str, secret: &str, form: &'static str| shop.ask().basic_auth(id, Some(secret)).body(form);
    let raw = |value: &str| shop.ask().header("authorization", value.to_owned()).body(grant);
    let json =
        reqwest::Client::new().post(format!("{}/oauth/token", shop.gateway.url)).json(&json!({ "grant_type": "x" }));
    let packed = |how: &str, form: Vec<u8>| shop.ask().header("content-encoding", how.to_owned()).body(form);
    for (what, request, status, error) in [
        ("json", json, 400, "invalid_request"),
        ("too much", post("a".repeat(400_000)), 413, "invalid_request"),
        ("too much when unpacked", packed("gzip", gzip(&[b'a'; 400_000])), 413, "invalid_request"),
        ("not packed as it says", packed("gzip", grant.into()), 400, "invalid_request"),
        ("packed in another way", packed("br", grant.into()), 415, "invalid_request"),
        ("nothing", post(String::new()), 401, "invalid_client"),
        ("no client", post(grant.into()), 401, "invalid_client"),
        ("no secret", post(format!("{grant}&client_id=a-shop")), 401, "invalid_client"),
        ("a wrong secret", post(format!("{grant}&client_id=a-shop&client_secret=x")), 401, "invalid_client"),
        ("nobody", basic("nobody", secret, grant), 401, "invalid_client"),
        ("a wrong secret in the header", basic("a-shop", "x", grant), 401, "invalid_client"),
        ("no base64", raw("Basic %%%"), 401, "invalid_client"),
        ("no colon", raw("Basic YWJj"), 401, "invalid_client"),
        ("a bearer", raw("Bearer abc"), 401, "invalid_client"),
        ("an endless secret", basic("a-shop", &"x".repeat(4000), grant), 401, "invalid_client"),
        ("two ways", basic("a-shop", secret, "grant_type=client_credentials&client_secret=x"), 400, "invalid_request"),
        ("two clients", basic("a-shop", secret, "grant_type=client_credentials&client_id=b"), 400, "invalid_request"),
        ("twice", post(format!("{grant}&{grant}&{client}")), 400, "invalid_request"),
        ("no grant", post(client.clone()), 400, "invalid_request"),
        ("another grant", post(format!("grant_type=password&{client}")), 400, "unsupported_grant_type"),
        ("no scope of ours", post(format!("{grant}&{client}&scope=openid")), 400, "invalid_scope"),
        ("more than it has", post(format!("{grant}&{client}&scope=orders:read+admin")), 400, "invalid_scope"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store", "{what}");
        assert_eq!(response.headers().contains_key("www-authenticate"), status == 401, "{what}");
        let answered = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        assert_eq!((answered, text(&body["error"])), (status, error), "{what}");
        assert!(body["error_description"].is_string() && body.get("access_token").is_none(), "{what}");
    }
    let good = packed("X-GZip", gzip(format!("{grant}&{client}").as_bytes())).send().await.unwrap();
    assert_eq!(good.status(), 200);
    let get = reqwest::get(format!("{}/oauth/token", shop.gateway.url)).await.unwrap();
    assert_eq!(get.status(), 405);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_locks_no_other_client_out() {
    let shop = Shop::open(Backend::Sqlite).await;
    let guess = |client: &str| shop.ask().basic_auth(client, Some("guess")).body("grant_type=client_credentials");
    for _ in 0..10 {
        assert_eq!(answer(guess("b-shop")).await.0, 401);
    }
    let limited = guess("b-shop").send().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "60");
    assert!(shop.token(&shop.secret).await["access_token"].is_string());
}

#[tokio::test]
async fn a_token_is_worth_no_more_than_the_secret_it_was_got_with() {
    let shop = Shop::open(Backend::Sqlite).await;
    let db = &shop.database.connection;
    let first = shop.token(&shop.secret).await;
    // With grace, both secrets work.
    let second = partners::rotate(db, "a-shop", TimeDelta::hours(24), now()).await.unwrap();
    let token = shop.token(&second).await;
    assert!(shop.token(&shop.secret).await["access_token"].is_string());
    assert_eq!(shop.gateway.status(text(&first["access_token"])).await, 200);
    assert_eq!(shop.gateway.status(text(&token["access_token"])).await, 200);
    // Without, everything that came before is worthless.
    let third = partners::rotate(db, "a-shop", TimeDelta::zero(), now()).await.unwrap();
    for secret in [&shop.secret, &second] {
        assert_eq!(shop.token(secret).await["error"], "invalid_client");
    }
    for token in [first, token] {
        assert!(shop.gateway.becomes(text(&token["access_token"]), 401).await.as_secs() < 5);
    }
    let token = shop.token(&third).await;
    assert_eq!(shop.gateway.status(text(&token["access_token"])).await, 200);
}

#[tokio::test]
async fn signing_keys_rotate_from_gateway_to_gateway() {
    let shop = Shop::open(Backend::Sqlite).await;
    let by_first = shop.token(&shop.secret).await;
    // The next build of gateways signs with the second key and still publishes the first.
    let next = shop.keys.gateway(&shop.database, &[1, 0]).await;
    assert_eq!(next.status(text(&by_first["access_token"])).await, 200);
    let form = format!("grant_type=client_credentials&client_id=a-shop&client_secret={}", shop.secret);
    let by_second = answer(ask(&next).body(form)).await.1;
    let header = jsonwebtoken::decode_header(text(&by_second["access_token"])).unwrap();
    assert_eq!(header.kid, Some(kid(&shop.keys.made[1])));
    let published: Value =
        reqwest::get(format!("{}/.well-known/jwks.json", next.url)).await.unwrap().json().await.unwrap();
    let kids: Vec<_> = published["keys"].as_array().unwrap().iter().map(|key| text(&key["kid"]).to_owned()).collect();
    assert_eq!(kids, [kid(&shop.keys.made[1]), kid(&shop.keys.made[0])]);
    assert!(published["keys"][0].get("d").is_none());
    // Then the first key goes.
    let last = shop.keys.gateway(&shop.database, &[1]).await;
    assert_eq!(last.status(text(&by_first["access_token"])).await, 401);
    assert_eq!(last.status(text(&by_second["access_token"])).await, 200);
}

#[tokio::test]
async fn a_p256_key_signs_as_well() {
    use base64::Engine as _;
    let shop = Shop::open(Backend::Sqlite).await;
    let pair = aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING);
    let body = base64::engine::general_purpose::STANDARD.encode(pair.unwrap().to_pkcs8v1().unwrap().as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    std::fs::write(shop.keys.folder.path().join("7.pem"), pem).unwrap();
    let gateway = shop.keys.gateway(&shop.database, &[7, 0]).await;
    let form = format!("grant_type=client_credentials&client_id=a-shop&client_secret={}", shop.secret);
    let token = answer(ask(&gateway).body(form)).await.1;
    let header = jsonwebtoken::decode_header(text(&token["access_token"])).unwrap();
    assert_eq!(header.alg, jsonwebtoken::Algorithm::ES256);
    assert_eq!(gateway.status(text(&token["access_token"])).await, 200);
}

#[tokio::test]
async fn the_metadata_says_where_everything_is() {
    let shop = Shop::open(Backend::Sqlite).await;
    let url = format!("{}/.well-known/oauth-authorization-server", shop.gateway.url);
    let metadata: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(metadata["issuer"], OWN);
    assert_eq!(metadata["token_endpoint"], format!("{OWN}/oauth/token"));
    assert_eq!(metadata["jwks_uri"], format!("{OWN}/.well-known/jwks.json"));
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
}

#[tokio::test]
async fn a_gateway_without_a_signing_key_issues_nothing() {
    let (database, keys) = (Database::migrated(Backend::Sqlite).await, Keys::new(1));
    let gateway = keys.gateway(&database, &[]).await;
    let (status, body) = answer(ask(&gateway).body("grant_type=client_credentials")).await;
    assert_eq!((status, &body["error"]), (404, &json!("invalid_request")));
    for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server"] {
        assert_eq!(reqwest::get(format!("{}{path}", gateway.url)).await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn the_gateways_own_key_speaks_for_partners_alone() {
    let shop = Shop::open(Backend::Sqlite).await;
    let mut claims = super::issuers::agent_claims();
    claims["iss"] = json!(OWN);
    assert_eq!(shop.gateway.status(&super::issuers::signed(&shop.keys.made[0], &claims)).await, 401);
    // Nor does it speak for a partner without a secret.
    let claims = claims.as_object_mut().unwrap();
    claims.remove("roles");
    claims.insert("sub".into(), json!("a-shop"));
    claims.insert("client_id".into(), json!("a-shop"));
    let token = super::issuers::signed(&shop.keys.made[0], &Value::Object(claims.clone()));
    assert_eq!(shop.gateway.status(&token).await, 401);
}
