//! What identity providers call their claims.

use c360::auth::issue::NewKey;
use c360::auth::token::Verifier;
use c360::auth::{Actor, Caller, CustomerIdentity};
use c360::config::Config;
use c360::db::Watch;
use c360_rules::access::{Role, Scope, Scopes};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::issuers::kid;
use super::token_of;
use crate::harness::{Backend, Database, config, now};

/// The caller that a gateway with these settings makes of a token with these claims.
struct Reading {
    _database: Database,
    watch: Watch,
    key: NewKey,
    _folder: tempfile::TempDir,
    verifier: Verifier,
}

impl Reading {
    async fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = NewKey::generate().unwrap();
        std::fs::write(folder.path().join("jwks.json"), &key.jwks).unwrap();
        let file = folder.path().join("c360.toml");
        std::fs::write(&file, settings).unwrap();
        let mut config = Config::load(Some(&file), &|_| None).unwrap();
        config.auth.main.jwks_file = folder.path().join("jwks.json");
        let verifier = Verifier::new(&config).unwrap();
        let database = Database::demo(Backend::Sqlite).await;
        config.database.url.clone_from(&database.url);
        let watch = Watch::new(&config.database);
        Self { _database: database, watch, key, _folder: folder, verifier }
    }

    async fn caller(&self, typ: &str, mut claims: Value) -> Option<Caller> {
        claims["exp"] = json!((now() + TimeDelta::hours(1)).timestamp());
        let head = json!({ "alg": "EdDSA", "typ": typ, "kid": kid(&self.key) }).to_string();
        let private = EncodingKey::from_ed_pem(self.key.private_pem.as_bytes()).unwrap();
        let token = token_of(&head, &claims.to_string(), &private, Algorithm::EdDSA);
        self.verifier.verify(&token, now(), &self.watch).await.ok().map(|caller| (*caller).clone())
    }
}

#[tokio::test]
async fn keycloak() {
    let keycloak = Reading::with(
        r#"
        [auth]
        issuer = "https://keycloak.test/realms/shop"
        audience = "c360"
        typ = "JWT"
        [auth.claims]
        client_id = ["azp"]
        roles = ["/realm_access/roles"]
        partner = ["client_id"]
        [auth.roles]
        agent = ["support"]
        supervisor = ["support-lead"]
        ignored = ["offline_access", "uma_authorization", "default-roles-shop"]
        "#,
    )
    .await;
    let token = |own: Value| {
        let mut claims = json!({
            "iss": "https://keycloak.test/realms/shop", "aud": ["c360", "account"], "typ": "Bearer",
            "sub": "6d9f2d1e-0000-4000-8000-000000000001", "scope": "openid profile",
            "realm_access": { "roles": ["offline_access", "default-roles-shop"] },
        });
        claims.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        claims
    };
    let lead = token(json!({ "azp": "console", "realm_access": { "roles": ["support", "support-lead"] } }));
    assert_eq!(keycloak.caller("JWT", lead).await.unwrap().actor, Actor::Staff(Role::Supervisor));
    let person = keycloak.caller("JWT", token(json!({ "azp": "app" }))).await.unwrap();
    assert!(matches!(person.actor, Actor::Customer(CustomerIdentity::External { .. })));
    // A person who came in through a partner's client is a person still.
    let person = keycloak.caller("JWT", token(json!({ "azp": "shop-partner" }))).await.unwrap();
    assert!(!matches!(person.actor, Actor::Partner(_)));
    // A service account says its client in a claim of its own.
    let machine = token(json!({
        "azp": "pos-partner", "client_id": "pos-partner", "scope": "orders:read admin",
    }));
    let machine = keycloak.caller("JWT", machine).await.unwrap();
    assert!(matches!(&machine.actor, Actor::Partner(partner) if partner.source == "pos"));
    assert_eq!(machine.scopes, Scopes::of(&[Scope::OrdersRead]));
    let king = token(json!({ "azp": "console", "realm_access": { "roles": ["king"] } }));
    assert_eq!(keycloak.caller("JWT", king).await, None);
}

#[tokio::test]
async fn auth0() {
    let auth0 = Reading::with(
        r#"
        [auth]
        issuer = "https://shop.auth0.test/"
        audience = "https://api.shop.test"
        [auth.claims]
        client_id = ["client_id", "azp"]
        roles = ["https://shop.test/roles"]
        customer_id = ["https://shop.test/customer_id"]
        partner = ["gty=client-credentials"]
        "#,
    )
    .await;
    let base =
        json!({ "iss": "https://shop.auth0.test/", "aud": ["https://api.shop.test"], "sub": "auth0|1", "azp": "x" });
    let with = |name: &str, value: Value| {
        let mut claims = base.clone();
        claims[name] = value;
        claims
    };
    let admin = auth0.caller("at+jwt", with("https://shop.test/roles", json!(["agent", "admin"]))).await.unwrap();
    assert_eq!(admin.actor, Actor::Staff(Role::Admin));
    let id = "customer_01h2e8kqvbfwea724h75qc655w";
    let customer = auth0.caller("at+jwt", with("https://shop.test/customer_id", json!(id))).await.unwrap();
    assert!(matches!(customer.actor, Actor::Customer(CustomerIdentity::Id(_))));
    let mut machine = with("gty", json!("client-credentials"));
    machine["azp"] = json!("pos-partner");
    machine["sub"] = json!("pos-partner@clients");
    machine["scope"] = json!("orders:write");
    assert!(matches!(auth0.caller("at+jwt", machine.clone()).await.unwrap().actor, Actor::Partner(_)));
    machine["gty"] = json!("password");
    assert!(!matches!(auth0.caller("at+jwt", machine).await.unwrap().actor, Actor::Partner(_)));
}

#[tokio::test]
async fn entra_id() {
    let entra = Reading::with(
        r#"
        [auth]
        issuer = "https://login.test/tenant/v2.0"
        audience = "api-client-id"
        typ = "JWT"
        callers = ["staff", "partners"]
        [auth.claims]
        client_id = ["azp", "appid"]
        scope = ["scp"]
        partner = ["idtyp=app"]
        [auth.roles]
        agent = ["C360.Agent"]
        "#,
    )
    .await;
    let token = |own: Value| {
        let mut claims =
            json!({ "iss": "https://login.test/tenant/v2.0", "aud": "api-client-id", "sub": "abc", "azp": "spa" });
        claims.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        claims
    };
    let agent = entra.caller("JWT", token(json!({ "roles": ["C360.Agent"], "scp": "access" }))).await.unwrap();
    assert_eq!(agent.actor, Actor::Staff(Role::Agent));
    let machine = token(json!({ "idtyp": "app", "azp": "shop-partner", "scp": ["orders:read", "tickets:read"] }));
    assert_eq!(
        entra.caller("JWT", machine).await.unwrap().scopes,
        Scopes::of(&[Scope::OrdersRead, Scope::TicketsRead])
    );
    // This issuer may not speak for customers.
    assert_eq!(entra.caller("JWT", token(json!({}))).await, None);
}

#[test]
fn wrong_settings_are_named() {
    let fault = |change: &dyn Fn(&mut Config)| {
        let mut config = config("sqlite://none");
        config.auth.main.jwks_url = "https://id.test/jwks".into();
        change(&mut config);
        Verifier::new(&config).unwrap_err().to_string()
    };
    assert!(fault(&|c| c.auth.main.algorithms = vec!["HS256".into()]).contains("HS256"));
    assert!(fault(&|c| _ = c.auth.issuers.insert("b".into(), c.auth.main.clone())).contains("set twice"));
    assert!(fault(&|c| c.auth.main.jwks_url = String::new()).contains("C360_AUTH_JWKS_URL"));
    assert!(fault(&|c| c.oauth.signing_key_files = vec!["/nowhere.pem".into()]).contains("/nowhere.pem"));
}
