//! Whose token is believed, and for how long.

mod claims;
mod forged;
mod issuers;
mod oauth;
mod partners;
mod revocation;
mod rotation;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use c360::auth::issue::{Signer, Subject};
use c360::db::Watch;
use c360_rules::access::Role;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey};

use crate::harness::{AUDIENCE, ISSUER, now, on_both};

const SIMPLE: &str = "{ __typename }";

fn find_one() -> String {
    SIMPLE.replace("__typename", "customer360(by: {customerNumber: \"C-000001\"}) { id }")
}

fn agent() -> Subject {
    Subject::Staff { subject: "agent-1".into(), role: Role::Agent }
}

/// A token with any text for its header and its claims, with a signature that is right.
fn token_of(head: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), key, algorithm).unwrap();
    format!("{signed}.{signature}")
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
    async fn a_partner_who_is_not_registered_is_refused(app: App::demo) {
        assert_eq!(app.partner("nobody-knows", "customers:read").ask(SIMPLE).await.status, 401);
        assert_eq!(app.partner("shop-partner", "customers:read").ask(SIMPLE).await.status, 200);
    }
}

on_both! {
    async fn a_token_grants_a_partner_no_more_than_it_is_registered_for(app: App::demo) {
        // The review site is registered for feedback; somebody's identity provider says it may read customers.
        let query = find_one();
        let reviews = app.partner("reviews-partner", "customers:read feedback:read");
        assert_eq!(reviews.ask(&query).await.code(), "FORBIDDEN");
        assert!(app.partner("shop-partner", "customers:read").ask(&query).await.at("/customer360/id").is_string());
    }
}

#[tokio::test]
async fn a_key_as_pem_verifies_as_a_jwk_does() {
    // Made with openssl: genpkey -algorithm ed25519, pkey -pubout.
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), public).unwrap();
    let database = crate::harness::Database::migrated(crate::harness::Backend::Sqlite).await;
    let mut config = crate::harness::config(&database.url);
    config.auth.main.public_key_file = file.path().to_owned();
    let verifier = c360::auth::token::Verifier::new(&config).unwrap();
    let signer = Signer::from_pem(private.as_bytes()).unwrap();
    let token = signer.token(ISSUER, AUDIENCE, &agent(), now(), TimeDelta::hours(1)).unwrap();
    assert!(verifier.verify(&token, now(), &Watch::new(&config.database)).await.unwrap().is_staff());
}
