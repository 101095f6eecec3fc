//! The command line: what newcomers and operators type.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::harness::{Backend, Database};

fn c360() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_c360"));
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command
}

/// Fails with one line that says `what`.
fn fails_saying(output: &Output, what: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains(what), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn serve_names_the_setting_that_is_missing() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\"keys\": []}").unwrap();
    let jwks = file.path().display().to_string();
    let all = [
        ("C360_AUTH_ISSUER", "https://issuer.test"),
        ("C360_AUTH_AUDIENCE", "c360"),
        ("C360_AUTH_JWKS_FILE", jwks.as_str()),
        ("DATABASE_URL", "sqlite:///nowhere"),
    ];
    for (missing, says) in [(0, "C360_AUTH_ISSUER"), (1, "C360_AUTH_AUDIENCE"), (2, "C360_AUTH_JWKS_FILE")] {
        let set = all.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, set)| *set);
        fails_saying(&c360().arg("serve").envs(set).output().unwrap(), says);
    }
    fails_saying(&c360().arg("serve").envs(all).output().unwrap(), "no key of an accepted asymmetric algorithm");
    for command in [vec!["migrate"], vec!["seed"], vec!["verify"]] {
        fails_saying(&c360().args(command).output().unwrap(), "DATABASE_URL");
    }
    fails_saying(&c360().args(["migrate", "--config", "/nowhere.toml"]).output().unwrap(), "/nowhere.toml");
}

#[test]
fn an_unreachable_database_is_one_clear_line() {
    let unreachable = c360().arg("migrate").env("DATABASE_URL", "postgres://c360@127.0.0.1:1/c360").output().unwrap();
    fails_saying(&unreachable, "cannot be reached");
}

#[tokio::test]
async fn pending_migrations_stop_whoever_needs_the_schema() {
    let database = Database::new(Backend::Sqlite).await;
    for command in [vec!["migrate", "--check"], vec!["seed"], vec!["verify"]] {
        fails_saying(&c360().args(command).env("DATABASE_URL", &database.url).output().unwrap(), "c360 migrate");
    }
    assert!(c360().arg("migrate").env("DATABASE_URL", &database.url).output().unwrap().status.success());
    assert!(c360().args(["migrate", "--check"]).env("DATABASE_URL", &database.url).output().unwrap().status.success());
}

async fn seed_then_verify(backend: Backend) {
    use sea_orm::ConnectionTrait as _;
    let database = Database::migrated(backend).await;
    let run = |arguments: &[&str]| c360().args(arguments).env("DATABASE_URL", &database.url).output().unwrap();
    let seeded = run(&["seed", "--customers", "80", "--seed", "7"]);
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    assert!(run(&["verify"]).status.success());
    // A second seed would mix two retailers.
    assert!(!run(&["seed", "--customers", "80"]).status.success());
    let break_one = "UPDATE loyalty_accounts SET active_points = active_points + 1 WHERE id = (SELECT min(CAST(id AS text)) FROM loyalty_accounts)";
    let break_one = match backend {
        Backend::Sqlite => break_one.replace("min(CAST(id AS text))", "min(id)"),
        Backend::Postgres => {
            break_one.replace("SELECT min(CAST(id AS text))", "SELECT CAST(min(CAST(id AS text)) AS uuid)")
        }
    };
    database.connection.execute_unprepared(&break_one).await.unwrap();
    let broken = run(&["verify"]);
    assert!(!broken.status.success());
    assert!(String::from_utf8_lossy(&broken.stdout).contains("loyalty_account_"));
}

#[tokio::test]
async fn a_seeded_retailer_passes_verify_and_a_wrong_balance_does_not_sqlite() {
    seed_then_verify(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_seeded_retailer_passes_verify_and_a_wrong_balance_does_not_postgres() {
    seed_then_verify(Backend::Postgres).await;
}

#[tokio::test]
async fn the_demo_answers_every_kind_of_caller() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut demo = c360()
        .args(["demo", "--listen", "127.0.0.1:0", "--customers", "40", "--data-dir"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(demo.stdout.take().unwrap());
    let url = out
        .by_ref()
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.trim().strip_prefix("GraphQL").map(|url| url.trim().to_owned()));
    let url = url.unwrap();
    let tokens: Value = serde_json::from_slice(&std::fs::read(folder.path().join("tokens.json")).unwrap()).unwrap();
    let http = reqwest::Client::new();
    for (who, query, pointer) in [
        ("agent", "{ customer360(by: {customerNumber: \"C-000001\"}) { id } }", "/data/customer360/id"),
        ("supervisor", "{ customer360(by: {customerNumber: \"C-000001\"}) { id } }", "/data/customer360/id"),
        ("admin", "{ customer360(by: {customerNumber: \"C-000001\"}) { id } }", "/data/customer360/id"),
        ("partner", "{ customer360(by: {customerNumber: \"C-000001\"}) { id } }", "/data/customer360/id"),
        ("customer", "{ me { id } }", "/data/me/id"),
    ] {
        let body = serde_json::json!({ "query": query });
        let answer = http.post(&url).bearer_auth(tokens[who].as_str().unwrap()).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer.pointer(pointer), Some(&tokens["customer_id"]), "{who}: {answer}");
    }

    // The lines to paste do what they say.
    let lines: Vec<_> = out.lines().map_while(Result::ok).take_while(|line| !line.starts_with("Stop")).collect();
    let lines: Vec<_> = lines.iter().filter(|line| line.trim().starts_with("curl ")).collect();
    let (lines, tokens_own): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.contains("/graphql"));
    assert_eq!((lines.len(), tokens_own.len()), (3, 1));
    for line in lines {
        let part = |before: &str| line.split_once(before).unwrap().1.split_once('\'').unwrap().0.to_owned();
        let body = std::fs::read(part("-d '@")).unwrap();
        let sent = http.post(&url).bearer_auth(part("Bearer ")).header("content-type", "application/json").body(body);
        let answer: Value = sent.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["errors"], Value::Null, "{line}: {answer}");
        let customer = answer.pointer("/data/customer360").or_else(|| answer.pointer("/data/me"));
        assert!(customer.is_some_and(Value::is_object), "{line}: {answer}");
    }
    // The partner gets another token with its secret.
    let (id, secret) = (&tokens["partner_client_id"], &tokens["partner_client_secret"]);
    assert!(tokens_own[0].contains(&format!("'{}:{}'", id.as_str().unwrap(), secret.as_str().unwrap())));
    let request = http.post(url.replace("/graphql", "/oauth/token")).basic_auth(id.as_str().unwrap(), secret.as_str());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let token: Value = request.body("grant_type=client_credentials").send().await.unwrap().json().await.unwrap();
    let query = serde_json::json!({ "query": "{ customer360(by: {customerNumber: \"C-000001\"}) { id } }" });
    let asked = http.post(&url).bearer_auth(token["access_token"].as_str().unwrap()).json(&query).send().await.unwrap();
    let answer: Value = asked.json().await.unwrap();
    assert_eq!(answer.pointer("/data/customer360/id"), Some(&tokens["customer_id"]), "{answer}");
    demo.kill().unwrap();
    demo.wait().unwrap();
    // Colours are for terminals.
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("answered") && !log.contains('\u{1b}'), "{log}");
}
