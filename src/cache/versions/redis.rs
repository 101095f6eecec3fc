//! Versions in Redis, shared by all gateways.
//!
//! A value is `v` and a version, or `m` and the marks of those who are changing something, with commas between them.
//! A link is bound to one run of one Redis (its `run_id`, which every restart and every failover changes) and to a word
//! that lies in it: when that word is gone, so may be marks, and the link says that it is gone itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script};
use tokio::sync::{mpsc, oneshot};

use super::{Found, Gone, Key, Seen, Version, all_have};
use crate::clock;

/// How long Redis may take before it is as good as gone.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a version is kept that nobody changes. Marks are kept until somebody takes them away.
const KEPT_MS: u64 = 3_600_000;
/// Where the word lies.
const WORD: &str = "c360:cache:word";
/// Most requests whose versions are asked for together.
const TOGETHER: usize = 512;

/// Adds a mark to each key, if the word is there.
static MARK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for at = 2, #KEYS do
  local value = redis.call('GET', KEYS[at])
  if value and string.sub(value, 1, 1) == 'm' then
    redis.call('SET', KEYS[at], value .. ',' .. ARGV[2])
  else
    redis.call('SET', KEYS[at], 'm' .. ARGV[2])
  end
end
return 1
",
    )
});

/// Takes a mark away, and gives each key a new version unless it has other marks.
static SETTLE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for at = 2, #KEYS do
  local value, others = redis.call('GET', KEYS[at]), {}
  if value and string.sub(value, 1, 1) == 'm' then
    for mark in string.gmatch(string.sub(value, 2), '[^,]+') do
      if mark ~= ARGV[2] then others[#others + 1] = mark end
    end
  end
  if #others > 0 then
    redis.call('SET', KEYS[at], 'm' .. table.concat(others, ','))
  else
    redis.call('SET', KEYS[at], 'v' .. ARGV[3], 'PX', ARGV[4])
  end
end
return 1
",
    )
});

/// A connection to one run of one Redis.
#[derive(Debug)]
pub struct Link {
    pub(super) name: String,
    word: String,
    asks: mpsc::UnboundedSender<Ask>,
    connection: Connection,
    is_gone: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Connection(MultiplexedConnection);

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// Somebody who wants to know about versions.
#[derive(Debug)]
enum Ask {
    /// What they are; those that are missing are made.
    Read(Vec<Key>, oneshot::Sender<Seen>),
    /// Whether they are these.
    Compare(Arc<[(Key, Version)]>, oneshot::Sender<bool>),
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum NoLink {
    /// Redis does not answer.
    #[error("{0}")]
    Redis(#[from] RedisError),
    /// It cannot be told from the same one without its memory.
    #[error("it does not say its run_id")]
    Nameless,
    /// It may throw marks away when its memory is full.
    #[error("its maxmemory-policy is {0}: set noeviction or one of volatile-*, or what is cached might not be right")]
    Policy(String),
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// Redis does not answer in time, or is not to be relied on.
    pub async fn open(client: &Client) -> Result<Self, NoLink> {
        let settings =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        let mut connection = client.get_multiplexed_async_connection_with_config(&settings).await?;
        let info: String = redis::cmd("INFO").query_async(&mut connection).await?;
        let line = |name: &str| {
            let mut lines = info.lines().filter_map(|line| line.trim().strip_prefix(name));
            lines.find_map(|rest| rest.strip_prefix(':')).unwrap_or_default().to_owned()
        };
        let policy = line("maxmemory_policy");
        if policy.starts_with("allkeys") && line("maxmemory") != "0" {
            return Err(NoLink::Policy(policy));
        }
        let run = line("run_id");
        if run.is_empty() {
            return Err(NoLink::Nameless);
        }
        let fresh = clock::random_id().simple().to_string();
        let () = redis::cmd("SET").arg(WORD).arg(&fresh).arg("NX").query_async(&mut connection).await?;
        let word: String = redis::cmd("GET").arg(WORD).query_async(&mut connection).await?;
        let is_gone = Arc::new(AtomicBool::new(false));
        let (asks, asked) = mpsc::unbounded_channel();
        let link = Self {
            name: format!("redis:{run}:{word}"),
            word: word.clone(),
            asks,
            connection: Connection(connection.clone()),
            is_gone: is_gone.clone(),
        };
        tokio::spawn(answer(asked, connection, word, is_gone));
        Ok(link)
    }

    /// Whether it can still be used.
    pub fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    pub(super) async fn read(&self, keys: Vec<Key>) -> Result<Seen, Gone> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Read(keys, answer)).map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }

    pub(super) async fn still_has(&self, versions: Arc<[(Key, Version)]>) -> Result<bool, Gone> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Compare(versions, answer)).map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }

    pub(super) async fn mark(&self, keys: &[Key], mark: &str) -> Result<(), Gone> {
        let mut call = MARK.prepare_invoke();
        call.key(WORD).arg(&self.word).arg(mark);
        for key in keys {
            call.key(name_of(*key));
        }
        self.done(call.invoke_async(&mut self.connection.0.clone()).await)
    }

    /// Gives the keys new versions and takes a mark away.
    ///
    /// # Errors
    /// Redis is gone; then the mark stays.
    pub async fn settle(&self, keys: &[Key], mark: &str) -> Result<(), Gone> {
        let mut call = SETTLE.prepare_invoke();
        call.key(WORD).arg(&self.word).arg(mark).arg(&Version::fresh().to_bytes()[..]).arg(KEPT_MS);
        for key in keys {
            call.key(name_of(*key));
        }
        self.done(call.invoke_async(&mut self.connection.0.clone()).await)
    }

    fn done(&self, result: Result<i64, RedisError>) -> Result<(), Gone> {
        if matches!(result, Ok(1)) && !self.is_gone() {
            return Ok(());
        }
        if let Err(error) = &result {
            tracing::warn!(%error, "Redis cannot be told of a change");
        }
        self.is_gone.store(true, Ordering::Release);
        Err(Gone)
    }
}

fn name_of(key: Key) -> String {
    match key {
        Key::Customer(id) => format!("c360:cache:c:{}", id.simple()),
        Key::Table(table) => format!("c360:cache:t:{}", table.name()),
    }
}

/// Answers those who ask, all who wait together by one round trip. Ends when Redis is not what it was.
async fn answer(
    mut asked: mpsc::UnboundedReceiver<Ask>,
    mut connection: MultiplexedConnection,
    word: String,
    is_gone: Arc<AtomicBool>,
) {
    let mut waiting = Vec::with_capacity(TOGETHER);
    while asked.recv_many(&mut waiting, TOGETHER).await > 0 {
        let Ok(seen) = look(&waiting, &mut connection, &word).await else { break };
        // Whoever asked may have left.
        for ask in waiting.drain(..) {
            match ask {
                Ask::Compare(versions, answer) => _ = answer.send(all_have(&seen, &versions)),
                Ask::Read(keys, answer) => {
                    let found = |key| (key, seen.get(&key).cloned().unwrap_or(Found::Nothing));
                    _ = answer.send(keys.into_iter().map(found).collect());
                }
            }
        }
    }
    is_gone.store(true, Ordering::Release);
}

/// What is there of all keys that are asked for; what is missing is made for those who want it.
async fn look(waiting: &[Ask], connection: &mut MultiplexedConnection, word: &str) -> Result<Seen, Gone> {
    let (mut keys, mut wanted) = (HashSet::new(), HashSet::new());
    for ask in waiting {
        match ask {
            Ask::Compare(versions, _) => keys.extend(versions.iter().map(|(key, _)| *key)),
            Ask::Read(own, _) => wanted.extend(own.iter().copied()),
        }
    }
    keys.extend(&wanted);
    let keys: Vec<Key> = keys.into_iter().collect();
    let seen = get(&keys, connection, word).await?;
    wanted.retain(|key| seen.get(key) == Some(&Found::Nothing));
    if wanted.is_empty() {
        return Ok(seen);
    }
    let mut pipe = redis::pipe();
    for key in wanted {
        let value = [b"v", &Version::fresh().to_bytes()[..]].concat();
        pipe.cmd("SET").arg(name_of(key)).arg(value).arg("NX").arg("PX").arg(KEPT_MS).ignore();
    }
    pipe.query_async::<()>(connection).await.map_err(|_| Gone)?;
    get(&keys, connection, word).await
}

async fn get(keys: &[Key], connection: &mut MultiplexedConnection, word: &str) -> Result<Seen, Gone> {
    let mut command = redis::cmd("MGET");
    command.arg(WORD);
    for key in keys {
        command.arg(name_of(*key));
    }
    let values: Vec<Option<Vec<u8>>> = command.query_async(connection).await.map_err(|_| Gone)?;
    let mut values = values.into_iter();
    if values.next().flatten().as_deref() != Some(word.as_bytes()) {
        return Err(Gone);
    }
    Ok(keys.iter().copied().zip(values.map(found)).collect())
}

fn found(value: Option<Vec<u8>>) -> Found {
    match value.as_deref() {
        None => Found::Nothing,
        Some([b'v', version @ ..]) => match version.try_into() {
            Ok(bytes) => Found::Version(Version::from_bytes(bytes)),
            Err(_) => Found::Marked(Vec::new()),
        },
        Some([_, marks @ ..]) => Found::Marked(marks.to_vec()),
        Some([]) => Found::Marked(Vec::new()),
    }
}
