//! `c360 partner`, as an operator types it.

use std::process::{Command, Output};

use c360::auth::issue::NewKey;
use serde_json::Value;

use super::issuers::Gateway;
use crate::harness::{Backend, Database};

async fn run(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_c360"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("DATABASE_URL", url).args(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What a command that must succeed prints.
pub async fn c360(url: &str, arguments: &[&str]) -> String {
    let output = run(url, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The one line with which a command fails.
async fn failure(url: &str, arguments: &[&str]) -> String {
    let output = run(url, arguments).await;
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Client id and secret of what was printed.
fn printed(text: &str) -> (String, String) {
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}: {text}"));
        line.trim().to_owned()
    };
    (value("client_id"), value("client_secret"))
}

async fn asks_for_a_token(gateway: &Gateway, client_id: &str, secret: &str) -> Option<String> {
    let request =
        reqwest::Client::new().post(format!("{}/oauth/token", gateway.url)).basic_auth(client_id, Some(secret));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body("grant_type=client_credentials").send().await.unwrap();
    answer.json::<Value>().await.unwrap()["access_token"].as_str().map(str::to_owned)
}

async fn a_partner_is_made_changed_and_shut_out(backend: Backend) {
    let database = Database::migrated(backend).await;
    let url = database.url.as_str();
    let folder = tempfile::tempdir().unwrap();
    let key = NewKey::generate().unwrap();
    std::fs::write(folder.path().join("jwks.json"), &key.jwks).unwrap();
    std::fs::write(folder.path().join("key.pem"), &key.private_pem).unwrap();
    let gateway = Gateway::start(&database, |config| {
        config.auth.main.jwks_file = folder.path().join("jwks.json");
        config.oauth.issuer = "https://c360.test".into();
        config.oauth.signing_key_files = vec![folder.path().join("key.pem")];
    })
    .await;

    let create =
        ["partner", "create", "Acme Till", "--source", "till", "--kind", "pos", "--scope", "orders:write orders:read"];
    let made = c360(url, &[&create[..], &["--purpose", "SERVICE DELIVERY"]].concat()).await;
    let (id, secret) = printed(&made);
    assert_eq!(id, "acme-till");
    // It works at once, on a gateway that was running before.
    let token = asks_for_a_token(&gateway, &id, &secret).await.unwrap();
    assert_eq!(gateway.status(&token).await, 200);
    assert!(failure(url, &create).await.contains("already"));

    let list = c360(url, &["partner", "list"]).await;
    for part in ["acme-till\ttill\tPOS\tenabled", "orders:read orders:write", "SERVICE DELIVERY", "secrets   1"] {
        assert!(list.contains(part), "{part}: {list}");
    }
    assert!(!list.contains(&secret));

    let file = folder.path().join("secret.json");
    let path = file.to_str().unwrap();
    let shown = c360(url, &["partner", "rotate", &id, "--grace", "1h", "--secret-file", path]).await;
    assert!(!shown.contains("c360s_"), "{shown}");
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let next = written["client_secret"].as_str().unwrap();
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(asks_for_a_token(&gateway, &id, &secret).await.is_some());
    assert!(asks_for_a_token(&gateway, &id, next).await.is_some());
    assert!(failure(url, &["partner", "rotate", &id, "--secret-file", path]).await.contains("not overwritten"));
    let (_, last) = printed(&c360(url, &["partner", "rotate", &id, "--grace", "0"]).await);
    assert_eq!(asks_for_a_token(&gateway, &id, &secret).await, None);
    assert_eq!(asks_for_a_token(&gateway, &id, next).await, None);
    assert!(gateway.becomes(&token, 401).await.as_secs() < 5);

    let token = asks_for_a_token(&gateway, &id, &last).await.unwrap();
    assert_eq!(gateway.status(&token).await, 200);
    c360(url, &["partner", "disable", &id]).await;
    assert!(gateway.becomes(&token, 401).await.as_secs() < 5);
    assert_eq!(asks_for_a_token(&gateway, &id, &last).await, None);
    assert!(c360(url, &["partner", "list"]).await.contains("disabled since"));
    c360(url, &["partner", "enable", &id]).await;
    assert!(gateway.becomes(&token, 200).await.as_secs() < 5);
}

#[tokio::test]
async fn a_partner_is_made_changed_and_shut_out_sqlite() {
    a_partner_is_made_changed_and_shut_out(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_partner_is_made_changed_and_shut_out_postgres() {
    a_partner_is_made_changed_and_shut_out(Backend::Postgres).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_command_is_named() {
    let database = Database::migrated(Backend::Sqlite).await;
    let url = database.url.as_str();
    for (arguments, says) in [
        (vec!["partner", "create", "A", "--source", "a", "--scope", "orders:red"], "orders:red"),
        (vec!["partner", "create", "A", "--source", "a b"], "--source"),
        (vec!["partner", "create", "…", "--source", "a"], "--client-id"),
        (vec!["partner", "create", "A", "--source", "a", "--purpose", "service"], "--purpose"),
        (vec!["partner", "create", "A", "--source", "a", "--kind", "x"], "--kind"),
        (vec!["partner", "rotate", "nobody"], "nobody"),
        (vec!["partner", "rotate", "nobody", "--grace", "soon"], "24h"),
        (vec!["partner", "disable", "nobody"], "nobody"),
        (vec!["token", "revoke"], "--token"),
        (vec!["token", "revoke", "--key", "k"], "--issuer"),
        (vec!["token", "revoke", "--token", "nonsense"], "no token"),
        (vec!["token", "revoke", "--client", "a", "--restore"], "not revoked"),
    ] {
        let text = failure(url, &arguments).await;
        assert!(text.contains(says), "{arguments:?}: {text}");
    }
    assert_eq!(c360(url, &["partner", "list"]).await, "");
}
