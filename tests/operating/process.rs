//! `c360 serve` as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use c360::auth::issue::{NewKey, Signer, Subject};
use c360::clock::Clock;
use c360_rules::access::Role;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{AUDIENCE, ISSUER};

/// The program: the tests' own, or the one that C360 names.
fn program() -> String {
    std::env::var("C360").unwrap_or_else(|_| env!("CARGO_BIN_EXE_c360").into())
}

pub struct Gateway {
    child: Child,
    log: Arc<Mutex<String>>,
    keys: Arc<Keys>,
    pub url: String,
    pub metrics: String,
    pub http: reqwest::Client,
}

/// A key that gateways believe.
pub struct Keys {
    signer: Signer,
    folder: tempfile::TempDir,
}

impl Keys {
    pub fn new() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let key = NewKey::generate().unwrap();
        std::fs::write(folder.path().join("jwks.json"), &key.jwks).unwrap();
        Arc::new(Self { signer: Signer::from_pem(key.private_pem.as_bytes()).unwrap(), folder })
    }

    pub fn token(&self, subject: &Subject) -> String {
        self.signer.token(ISSUER, AUDIENCE, subject, Clock::System.now(), TimeDelta::hours(1)).unwrap()
    }
}

impl Gateway {
    /// Over a database, with more settings.
    pub async fn start(database_url: &str, settings: &[(&str, &str)]) -> Self {
        Self::believing(Keys::new(), database_url, settings).await
    }

    /// As others that believe the same key.
    pub async fn believing(keys: Arc<Keys>, database_url: &str, settings: &[(&str, &str)]) -> Self {
        let jwks = keys.folder.path().join("jwks.json");
        let mut child = Command::new(program())
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", database_url)
            .env("C360_AUTH_ISSUER", ISSUER)
            .env("C360_AUTH_AUDIENCE", AUDIENCE)
            .env("C360_AUTH_JWKS_FILE", &jwks)
            .env("C360_LISTEN", "127.0.0.1:0")
            .env("C360_METRICS_LISTEN", "127.0.0.1:0")
            .env("C360_LOG_FORMAT", "json")
            .env("C360_LOG_FILTER", "info,c360=debug")
            .env("C360_SHUTDOWN_GRACE_MS", "0")
            // So that figures and connections are those of requests alone.
            .env("C360_JOBS_ENABLED", "false")
            // And so that they reach the database.
            .env("C360_CACHE_ENABLED", "false")
            // Many ask at once where races are tried.
            .env("C360_ADMISSION_AT_ONCE", "1000")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, written) = (BufReader::new(child.stderr.take().unwrap()), log.clone());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                *written.lock().unwrap() += &(line + "\n");
            }
        });
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let (url, metrics) = (String::new(), String::new());
        let mut gateway = Self { child, log, keys, url, metrics, http };
        gateway.url = format!("http://{}", gateway.address("listening").await);
        gateway.metrics = format!("http://{}/metrics", gateway.address("metrics").await);
        gateway
    }

    async fn address(&self, message: &str) -> String {
        let line = self.wait_for_line(&format!("\"message\":\"{message}\"")).await;
        line["address"].as_str().unwrap().to_owned()
    }

    /// All that was logged.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The first line of the log with `part` in it, as soon as it is there.
    pub async fn wait_for_line(&self, part: &str) -> Value {
        let patience = Instant::now();
        loop {
            if let Some(line) = self.log().lines().find(|line| line.contains(part)) {
                return serde_json::from_str(line).unwrap();
            }
            assert!(patience.elapsed() < Duration::from_secs(15), "no {part} in\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn token(&self, subject: &Subject) -> String {
        self.keys.token(subject)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn agent(&self) -> String {
        self.token(&Subject::Staff { subject: "agent-7".into(), role: Role::Agent })
    }

    /// A request that an agent is about to send.
    pub fn asks(&self, query: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}/graphql", self.url)).bearer_auth(self.agent());
        request.json(&json!({ "query": query }))
    }

    /// Status and text of a page, and how long it took.
    pub async fn get(&self, path: &str) -> (u16, String, Duration) {
        let started = Instant::now();
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap(), started.elapsed())
    }

    pub async fn figures(&self) -> String {
        self.http.get(&self.metrics).send().await.unwrap().text().await.unwrap()
    }

    /// Waits until the figures have a line.
    pub async fn shows(&self, line: &str) {
        let patience = Instant::now();
        while !self.figures().await.contains(line) {
            assert!(patience.elapsed() < Duration::from_secs(10), "no {line} in\n{}", self.figures().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The most memory that it has had so far, in bytes.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// How it ended, and after how long.
    pub async fn ended(&mut self) -> (ExitStatus, Duration) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, started.elapsed());
            }
            assert!(started.elapsed() < Duration::from_secs(40), "it does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
