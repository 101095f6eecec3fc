//! Keys that change while tokens come in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use c360::auth::issue::NewKey;
use c360::auth::token::{Denied, Refused};
use c360::config::{Callers, Config};

use super::issuers::{Gateway, Provider, agent_claims, jwk, kid, now, signed};
use crate::harness::{Backend, Database, config};

fn new_key() -> NewKey {
    NewKey::generate().unwrap()
}

#[tokio::test]
async fn keys_rotate_under_load_without_a_false_reject() {
    let provider = Provider::start().await;
    let mut keys = vec![new_key()];
    provider.publish(&[&keys[0]]);
    let (gateway, _database) = Gateway::believing(&provider, |config| config.auth.jwks_cooldown_seconds = 1).await;
    let gateway = Arc::new(gateway);
    let remembered = signed(&keys[0], &agent_claims());
    assert_eq!(gateway.status(&remembered).await, 200);

    for _ in 0..3 {
        // The provider signs with a key that the gateway has never seen, from one moment to the next.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        keys.push(new_key());
        let recent: Vec<_> = keys.iter().rev().take(2).collect();
        provider.publish(&recent);
        let requests = (0..200).map(|n| {
            let (gateway, token) = (gateway.clone(), signed(recent[n % 2], &agent_claims()));
            tokio::spawn(async move { gateway.status(&token).await })
        });
        for request in requests.collect::<Vec<_>>() {
            assert_eq!(request.await.unwrap(), 200);
        }
    }
    assert_eq!(provider.fetched(), 4);
    // The first key has gone: what was remembered of it is refused with it.
    assert_eq!(gateway.status(&remembered).await, 401);
    assert_eq!(gateway.status(&signed(&keys[0], &agent_claims())).await, 401);
}

#[tokio::test]
async fn ten_thousand_unknown_keys_lead_to_one_fetch() {
    let (provider, key, stranger) = (Provider::start().await, new_key(), new_key());
    provider.publish(&[&key]);
    let (gateway, _database) = Gateway::believing(&provider, |_| {}).await;
    let state = gateway.state.clone();
    let private = jsonwebtoken::EncodingKey::from_ed_pem(stranger.private_pem.as_bytes()).unwrap();
    let claims = agent_claims().to_string();
    let mut requests = tokio::task::JoinSet::new();
    for n in 0..10_000 {
        let head = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"unknown-{n}"}}"#);
        let token = super::token_of(&head, &claims, &private, jsonwebtoken::Algorithm::EdDSA);
        let state = state.clone();
        requests.spawn(async move { state.verifier.verify(&token, now(), &state.watch).await.err() });
    }
    while let Some(refused) = requests.join_next().await {
        assert_eq!(refused.unwrap(), Some(Denied::Refused(Refused)));
    }
    // One at the start, one because of them.
    assert_eq!(provider.fetched(), 2);
    assert_eq!(gateway.status(&signed(&key, &agent_claims())).await, 200);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_does_not_keep_a_new_key_out() {
    let (provider, old, new) = (Provider::start().await, new_key(), new_key());
    provider.publish(&[&old]);
    let (gateway, _database) = Gateway::believing(&provider, |config| config.auth.jwks_cooldown_seconds = 2).await;
    let gateway = Arc::new(gateway);
    let begun = Instant::now();
    let (is_over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flood = tokio::spawn({
        let (gateway, is_over, sent) = (gateway.clone(), is_over.clone(), sent.clone());
        async move {
            while !is_over.load(Ordering::SeqCst) {
                assert_eq!(gateway.status(&signed(&new_key(), &agent_claims())).await, 401);
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    // Just after the flood has used up the look that was due.
    tokio::time::sleep(Duration::from_millis(2200)).await;
    provider.publish(&[&new, &old]);
    let waited = gateway.becomes(&signed(&new, &agent_claims()), 200).await;
    is_over.store(true, Ordering::SeqCst);
    flood.await.unwrap();
    assert!(waited < Duration::from_secs(4), "{waited:?}");
    assert!(sent.load(Ordering::SeqCst) > 20);
    assert!(provider.fetched() <= 2 + begun.elapsed().as_secs() / 2, "{} fetches", provider.fetched());
}

#[tokio::test]
async fn a_provider_that_is_down_is_no_false_reject() {
    let (provider, key) = (Provider::start().await, new_key());
    provider.publish(&[&key]);
    provider.set_down(true);
    let (gateway, _database) = Gateway::believing(&provider, |config| {
        config.auth.jwks_cooldown_seconds = 1;
        config.auth.jwks_refresh_seconds = 1;
        config.auth.jwks_keep_seconds = 3;
    })
    .await;
    let token = signed(&key, &agent_claims());
    // No keys yet: nobody can say whether the token is good.
    assert_eq!(gateway.status(&token).await, 503);
    provider.set_down(false);
    gateway.becomes(&token, 200).await;
    // Down again: the keys are kept, but not for ever, and neither is what was verified with them.
    provider.set_down(true);
    assert_eq!(gateway.status(&signed(&key, &agent_claims())).await, 200);
    let kept = gateway.becomes(&token, 503).await;
    assert!(kept > Duration::from_secs(1), "{kept:?}");
    provider.set_down(false);
    gateway.becomes(&token, 200).await;
}

#[tokio::test]
async fn a_key_that_is_withdrawn_stops_working_with_the_next_look() {
    let (provider, old, new) = (Provider::start().await, new_key(), new_key());
    provider.publish(&[&old, &new]);
    let (gateway, _database) = Gateway::believing(&provider, |config| {
        config.auth.jwks_cooldown_seconds = 1;
        config.auth.jwks_refresh_seconds = 1;
    })
    .await;
    let (by_old, by_new) = (signed(&old, &agent_claims()), signed(&new, &agent_claims()));
    assert_eq!((gateway.status(&by_old).await, gateway.status(&by_new).await), (200, 200));
    provider.publish(&[&new]);
    gateway.becomes(&by_old, 401).await;
    assert_eq!(gateway.status(&by_new).await, 200);
}

#[tokio::test]
async fn a_file_of_keys_is_read_again_when_it_changes() {
    let (old, new) = (new_key(), new_key());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &old.jwks).unwrap();
    let database = Database::migrated(Backend::Sqlite).await;
    let gateway = Gateway::start(&database, |config| config.auth.main.jwks_file = file.path().to_owned()).await;
    let by_old = signed(&old, &agent_claims());
    assert_eq!(gateway.status(&by_old).await, 200);
    // A broken file changes nothing.
    std::fs::write(file.path(), "{\"keys\": [").unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(gateway.status(&signed(&new, &agent_claims())).await, 401);
    assert_eq!(gateway.status(&by_old).await, 200);
    std::fs::write(file.path(), &new.jwks).unwrap();
    gateway.becomes(&signed(&new, &agent_claims()), 200).await;
    gateway.becomes(&by_old, 401).await;
}

#[tokio::test]
async fn what_a_provider_publishes_is_taken_with_care() {
    let (provider, key, other) = (Provider::start().await, new_key(), new_key());
    // A key of another kind, one for encryption and a secret one do not spoil the set, and verify nothing.
    let mut encrypts = jwk(&other);
    encrypts["use"] = "enc".into();
    let strange = serde_json::json!({ "kty": "NEW", "kid": "strange" });
    let secret = serde_json::json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0" });
    provider.publish_text(serde_json::json!({ "keys": [strange, secret, encrypts, jwk(&key)] }).to_string());
    let (gateway, _database) = Gateway::believing(&provider, |config| config.auth.jwks_cooldown_seconds = 1).await;
    assert_eq!(gateway.status(&signed(&key, &agent_claims())).await, 200);
    assert_eq!(gateway.status(&signed(&other, &agent_claims())).await, 401);
    // Too large an answer is as good as none.
    let filler = " ".repeat(300 * 1024);
    provider.publish_text(format!("{}{filler}", serde_json::json!({ "keys": [jwk(&other)] })));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(gateway.status(&signed(&new_key(), &agent_claims())).await, 401);
    assert_eq!(provider.fetched(), 3);
    assert_eq!(gateway.status(&signed(&key, &agent_claims())).await, 200);

    // Redirects are not followed.
    provider.publish(&[&key]);
    let database = Database::migrated(Backend::Sqlite).await;
    let moved = provider.url.replace("/jwks", "/moved");
    let gateway = Gateway::start(&database, |config| config.auth.main.jwks_url = moved).await;
    assert_eq!(gateway.status(&signed(&key, &agent_claims())).await, 503);
}

#[test]
fn keys_come_over_https_or_from_this_machine() {
    let fault = |url: &str| {
        let mut config: Config = config("sqlite://none");
        config.auth.main.jwks_url = url.to_owned();
        c360::auth::token::Verifier::new(&config).err().map(|error| error.to_string())
    };
    for url in ["https://id.example/jwks", "http://127.0.0.1:1/jwks", "http://[::1]/jwks", "http://localhost:9/jwks"] {
        assert_eq!(fault(url), None, "{url}");
    }
    for url in
        ["http://id.example/jwks", "http://localhost.example/", "file:///etc/passwd", "nonsense", "http://10.0.0.1/"]
    {
        assert!(fault(url).unwrap().contains("auth.jwks_url"), "{url}");
    }
}

#[tokio::test]
async fn no_issuer_vouches_for_another() {
    let (ours, theirs) = (Provider::start().await, Provider::start().await);
    let (key, other) = (new_key(), new_key());
    // The other issuer's key goes by the same name, and its own tokens may only speak for customers.
    let mut twin = jwk(&other);
    twin["kid"] = kid(&key).into();
    ours.publish(&[&key]);
    theirs.publish_text(serde_json::json!({ "keys": [twin] }).to_string());
    let (gateway, _database) = Gateway::believing(&ours, |config| {
        let mut second = config.auth.main.clone();
        second.issuer = "https://customers.test".into();
        second.jwks_url.clone_from(&theirs.url);
        second.callers = vec![Callers::Customers];
        config.auth.issuers.insert("second".into(), second);
    })
    .await;
    let name = kid(&key);
    let from = |key: &NewKey, issuer: &str, is_staff: bool| {
        let mut claims = agent_claims();
        claims["iss"] = issuer.into();
        if !is_staff {
            claims.as_object_mut().unwrap().remove("roles");
        }
        let head = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{name}"}}"#);
        let private = jsonwebtoken::EncodingKey::from_ed_pem(key.private_pem.as_bytes()).unwrap();
        super::token_of(&head, &claims.to_string(), &private, jsonwebtoken::Algorithm::EdDSA)
    };
    let customers = "https://customers.test";
    for (what, token, status) in [
        ("our agent", from(&key, crate::harness::ISSUER, true), 200),
        ("their customer", from(&other, customers, false), 200),
        ("their key, our name", from(&other, crate::harness::ISSUER, true), 401),
        ("our key, their name", from(&key, customers, false), 401),
        ("their agent", from(&other, customers, true), 401),
        ("nobody we know", from(&key, "https://elsewhere.test", true), 401),
    ] {
        assert_eq!(gateway.status(&token).await, status, "{what}");
    }
}
