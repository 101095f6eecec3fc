//! Trust that is taken back.

use std::time::Duration;

use c360::auth::issue::NewKey;
use c360::auth::revocations::{Revoked, restore, revoke};
use c360::auth::token::Denied;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;

use super::issuers::{Gateway, Provider, agent_claims, jwk, kid, now, signed};
use super::partners::c360;
use super::token_of;
use crate::harness::{Backend, Database, ISSUER};

/// What is promised.
const SOON: Duration = Duration::from_secs(5);

async fn works_nowhere_within_five_seconds(backend: Backend, gateways: usize) {
    let (provider, key, other) = (Provider::start().await, NewKey::generate().unwrap(), NewKey::generate().unwrap());
    provider.publish(&[&key, &other]);
    let database = Database::migrated(backend).await;
    let mut running = Vec::new();
    for _ in 0..gateways {
        running.push(Gateway::start(&database, |config| config.auth.main.jwks_url.clone_from(&provider.url)).await);
    }
    let mut of_client = agent_claims();
    of_client["client_id"] = json!("lost-console");
    let mut by_id = agent_claims();
    by_id["jti"] = json!("the-one");
    let token = signed(&key, &agent_claims());
    let (of_client, by_id, by_key) = (signed(&key, &of_client), signed(&key, &by_id), signed(&other, &agent_claims()));
    let witness = signed(&key, &agent_claims());
    let kid = kid(&other);
    for (what, token, flags) in [
        ("a token", &token, vec!["--token", token.as_str()]),
        ("a token by its id", &by_id, vec!["--token-id", "the-one", "--issuer", ISSUER]),
        ("a client", &of_client, vec!["--client", "lost-console"]),
        ("a key", &by_key, vec!["--key", &kid, "--issuer", ISSUER]),
    ] {
        for gateway in &running {
            assert_eq!(gateway.status(token).await, 200, "{what}");
        }
        let run = async |more: &[&str]| {
            let mut arguments = vec!["token", "revoke"];
            arguments.extend(flags.iter().chain(more));
            c360(&database.url, &arguments).await
        };
        assert!(run(&[]).await.contains("revoked"), "{what}");
        for gateway in &running {
            let took = gateway.becomes(token, 401).await;
            assert!(took < SOON, "{what}: {took:?}");
            assert_eq!(gateway.status(&witness).await, 200, "{what}");
        }
        // A gateway that starts later knows it from the start.
        let later = Gateway::start(&database, |config| config.auth.main.jwks_url.clone_from(&provider.url)).await;
        assert_eq!(later.status(token).await, 401, "{what}");
        assert!(run(&["--restore"]).await.contains("restored"), "{what}");
        for gateway in &running {
            assert!(gateway.becomes(token, 200).await < SOON, "{what}");
        }
    }
}

#[tokio::test]
async fn what_is_revoked_works_nowhere_within_five_seconds_sqlite() {
    works_nowhere_within_five_seconds(Backend::Sqlite, 1).await;
}

#[tokio::test]
async fn what_is_revoked_works_nowhere_within_five_seconds_on_two_gateways_postgres() {
    works_nowhere_within_five_seconds(Backend::Postgres, 2).await;
}

#[tokio::test]
async fn a_revoked_token_does_not_come_back_with_its_signature_written_otherwise() {
    // For each ECDSA signature (r, s) there is another, (r, n - s), that is as good.
    let pair = aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING);
    let pkcs8 = pair.unwrap().to_pkcs8v1().unwrap();
    let pem = pem_of(pkcs8.as_ref());
    let private = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
    let mut public = jsonwebtoken::jwk::Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
    public.common.key_id = Some("ec".into());
    let provider = Provider::start().await;
    provider.publish_text(json!({ "keys": [public] }).to_string());
    let (gateway, database) = Gateway::believing(&provider, |_| {}).await;
    let head = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "ec" }).to_string();
    let token = token_of(&head, &agent_claims().to_string(), &private, Algorithm::ES256);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let twin = format!("{signed}.{}", other_signature(signature));
    assert_eq!((gateway.status(&token).await, gateway.status(&twin).await), (200, 200));
    let (what, ends) = Revoked::token(&token).unwrap();
    revoke(&database.connection, &what, ends, now()).await.unwrap();
    gateway.becomes(&token, 401).await;
    assert_eq!(gateway.status(&twin).await, 401);
}

fn pem_of(pkcs8: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(pkcs8);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

/// `(r, n - s)` of a P-256 signature.
fn other_signature(signature: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(bytes[32 + at]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn revoking_twice_and_restoring_what_is_not_revoked_are_harmless() {
    let database = Database::migrated(Backend::Sqlite).await;
    let db = &database.connection;
    let key = Revoked::Key(ISSUER.into(), "k1".into());
    assert!(!restore(db, &key).await.unwrap());
    revoke(db, &key, None, now()).await.unwrap();
    revoke(db, &key, None, now()).await.unwrap();
    assert!(restore(db, &key).await.unwrap());
    assert!(!restore(db, &key).await.unwrap());
}

#[tokio::test]
async fn revocations_that_outlived_their_tokens_are_deleted() {
    use sea_orm::EntityTrait as _;
    let (provider, key) = (Provider::start().await, NewKey::generate().unwrap());
    provider.publish(&[&key]);
    let database = Database::migrated(Backend::Sqlite).await;
    let past = now() - chrono::TimeDelta::hours(2);
    revoke(&database.connection, &Revoked::Client("gone".into()), Some(past), past).await.unwrap();
    revoke(&database.connection, &Revoked::Client("banned".into()), None, past).await.unwrap();
    let gateway = Gateway::start(&database, |config| config.auth.main.jwks_url.clone_from(&provider.url)).await;
    assert_eq!(gateway.status(&signed(&key, &agent_claims())).await, 200);
    let begun = std::time::Instant::now();
    loop {
        let left = c360_entities::revocation::Entity::find().all(&database.connection).await.unwrap();
        if left.len() == 1 {
            assert_eq!(left[0].subject, "banned");
            break;
        }
        assert!(begun.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn without_news_of_revocations_no_token_is_believed_and_none_is_called_bad() {
    let key = NewKey::generate().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), json!({ "keys": [jwk(&key)] }).to_string()).unwrap();
    let database = Database::migrated(Backend::Sqlite).await;
    let gateway = Gateway::start(&database, |config| config.auth.main.jwks_file = file.path().to_owned()).await;
    let token = signed(&key, &agent_claims());
    assert_eq!(gateway.status(&token).await, 200);
    gateway.state.watch.connection().await.unwrap().clone().close().await.unwrap();
    // What was heard a moment ago is still good; after five seconds nothing is.
    assert_eq!(gateway.status(&token).await, 200);
    tokio::time::sleep(SOON).await;
    assert_eq!(gateway.status(&token).await, 503);
    let verified = gateway.state.verifier.verify(&token, now(), &gateway.state.watch).await;
    assert_eq!(verified, Err(Denied::Unavailable));
}

async fn tokens_are_believed_while_requests_use_up_the_pool(backend: Backend) {
    use sea_orm::TransactionTrait as _;
    let (provider, key) = (Provider::start().await, NewKey::generate().unwrap());
    provider.publish(&[&key]);
    let database = Database::migrated(backend).await;
    let settings = |config: &mut c360::config::Config| config.auth.main.jwks_url.clone_from(&provider.url);
    let gateway = Gateway::start(&database, settings).await;
    let (token, lost) = (signed(&key, &agent_claims()), signed(&key, &agent_claims()));
    assert_eq!((gateway.status(&token).await, gateway.status(&lost).await), (200, 200));
    let mut busy = Vec::new();
    for _ in 0..4 {
        busy.push(gateway.state.db.begin().await.unwrap());
    }
    tokio::time::sleep(SOON).await;
    assert_eq!(gateway.status(&token).await, 200);
    let (what, ends) = Revoked::token(&lost).unwrap();
    revoke(&database.connection, &what, ends, now()).await.unwrap();
    assert!(gateway.becomes(&lost, 401).await < SOON);
    assert_eq!(gateway.status(&token).await, 200);
}

#[tokio::test]
async fn tokens_are_believed_while_requests_use_up_the_pool_sqlite() {
    tokens_are_believed_while_requests_use_up_the_pool(Backend::Sqlite).await;
}

#[tokio::test]
async fn tokens_are_believed_while_requests_use_up_the_pool_postgres() {
    tokens_are_believed_while_requests_use_up_the_pool(Backend::Postgres).await;
}

#[tokio::test]
async fn a_signature_is_verified_once_whatever_else_is_revoked() {
    use std::sync::atomic::Ordering::Relaxed;
    let (provider, key) = (Provider::start().await, NewKey::generate().unwrap());
    provider.publish(&[&key]);
    let (gateway, database) = Gateway::believing(&provider, |_| {}).await;
    let (token, other) = (signed(&key, &agent_claims()), signed(&key, &agent_claims()));
    for _ in 0..5 {
        assert_eq!((gateway.status(&token).await, gateway.status(&other).await), (200, 200));
    }
    let counts = gateway.state.verifier.counts();
    assert_eq!((counts.verified.load(Relaxed), counts.remembered.load(Relaxed)), (2, 8));
    let (what, ends) = Revoked::token(&other).unwrap();
    revoke(&database.connection, &what, ends, now()).await.unwrap();
    gateway.becomes(&other, 401).await;
    assert_eq!(gateway.status(&token).await, 200);
    assert_eq!((counts.verified.load(Relaxed), counts.reconsidered.load(Relaxed)), (2, 2));
    assert!(counts.refused.load(Relaxed) >= 1 && counts.undecided.load(Relaxed) == 0);
}
