//! Servers of a test's own, which it kills, pauses and starts anew.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that is gone when this is dropped, with those that it has started.
struct Process(Child);

impl Process {
    fn signal(&self, name: &str, processes: &[u32]) {
        for id in processes {
            // It may have ended meanwhile.
            let _ = Command::new("kill").args([name, &id.to_string()]).stderr(Stdio::null()).status();
        }
    }

    /// It, and those that it has started.
    fn all(&self) -> Vec<u32> {
        let own = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        std::iter::once(own).chain(children.split_whitespace().map(|id| id.parse().unwrap())).collect()
    }

    fn pause(&self) {
        // The first before the others: then it starts no more of them.
        self.signal("-STOP", &[self.0.id()]);
        self.signal("-STOP", &self.all());
    }

    fn resume(&self) {
        self.signal("-CONT", &self.all());
    }

    fn kill(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        let all = self.all();
        self.signal("-KILL", &all);
        let _ = self.0.wait();
        // What it leaves behind must be gone before another may use its files.
        let started = Instant::now();
        while all.iter().any(|id| is_alive(*id)) {
            assert!(started.elapsed() < Duration::from_secs(20), "a killed server lives on");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn is_alive(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port on which nobody listens; somebody may take it before it is used.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn program(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run the tests by ./scripts/test"))
        .into()
}

/// A PostgreSQL.
pub struct PostgresServer {
    /// Its database `postgres`, as a superuser.
    pub url: String,
    port: u16,
    process: Process,
    folder: tempfile::TempDir,
}

impl PostgresServer {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = database_user() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut initdb = postgres("initdb");
        initdb.arg("--pgdata").arg(folder.path().join("data"));
        initdb.args(["--username=c360", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let process = Self::spawn(folder.path(), port);
        let server = Self { url: format!("postgres://c360@127.0.0.1:{port}/postgres"), port, process, folder };
        server.answers().await;
        server
    }

    fn spawn(folder: &Path, port: u16) -> Process {
        let mut server = postgres("postgres");
        server.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.arg("-c").arg(format!("unix_socket_directories={}", folder.display()));
        server.args(["-c", "max_connections=60", "-c", "shared_buffers=64MB", "-c", "jit=off"]);
        Process(server.spawn().unwrap())
    }

    /// Ends when it serves.
    async fn answers(&self) {
        let started = Instant::now();
        while sea_orm::Database::connect(&self.url).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "PostgreSQL does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// As when power fails.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// As an administrator stops it, with its clients.
    pub fn stop(&mut self) {
        self.process.signal("-INT", &[self.process.0.id()]);
        let _ = self.process.0.wait();
    }

    /// Starts it again; it serves when this ends.
    pub async fn start_again(&mut self) {
        let next = Self::spawn(self.folder.path(), self.port);
        self.process = next;
        self.answers().await;
    }

    pub fn pause(&self) {
        self.process.pause();
    }

    pub fn resume(&self) {
        self.process.resume();
    }
}

/// A program of PostgreSQL, which does not run as root.
fn postgres(name: &str) -> Command {
    let mut command = Command::new(program("C360_TEST_PG_BIN").join(name));
    command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((user, group)) = database_user() {
        command.uid(user).gid(group);
    }
    command
}

/// The user who may run it, if that is another one.
fn database_user() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let id = |name: &str| {
        let line = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let mut numbers = line.split(':').skip(1);
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    Some(id("postgres").or_else(|| id("nobody")).expect("no user may run PostgreSQL"))
}

/// A Redis.
pub struct RedisServer {
    pub url: String,
    port: u16,
    process: Process,
    folder: tempfile::TempDir,
}

impl RedisServer {
    pub async fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let process = Self::spawn(folder.path(), port);
        let server = Self { url: format!("redis://127.0.0.1:{port}"), port, process, folder };
        server.answers().await;
        server
    }

    fn spawn(folder: &Path, port: u16) -> Process {
        let mut server = Command::new(program("C360_TEST_REDIS_BIN"));
        server.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        Process(server.arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    async fn answers(&self) {
        let started = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "Redis does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again: empty, or with what it was told to save.
    pub async fn start_again(&mut self) {
        let next = Self::spawn(self.folder.path(), self.port);
        self.process = next;
        self.answers().await;
    }

    pub fn pause(&self) {
        self.process.pause();
    }

    pub fn resume(&self) {
        self.process.resume();
    }

    /// What Redis says to a command.
    pub async fn tell(&self, words: &[&str]) {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let _: redis::Value = redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap();
    }

    /// Ends every client's connection.
    pub async fn reset(&self) {
        let client = redis::Client::open(self.url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let kill = redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"]).to_owned();
        let _: i64 = kill.query_async(&mut connection).await.unwrap();
    }
}
