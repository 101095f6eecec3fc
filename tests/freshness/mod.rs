//! Finished answers: served again as long as nothing that they rest on has changed, and not a moment longer.

mod changes;
mod keeping;
mod killed;
mod stale;
mod time;

use c360::config::Config;
use serde_json::{Value, json};

use crate::harness::servers::RedisServer;
use crate::harness::{Actor, App, Backend, Database};

/// A gateway that keeps answers, and where their versions lie if that is not its memory.
pub struct Kept {
    pub app: App,
    pub redis: Option<RedisServer>,
}

impl Kept {
    /// With SQLite and its own memory.
    pub async fn sqlite() -> Self {
        let database = Database::demo(Backend::Sqlite).await;
        let (app, _) = App::set_up(database, keep).await;
        Self { app, redis: None }
    }

    /// With PostgreSQL and a Redis of its own.
    pub async fn postgres() -> Self {
        let redis = RedisServer::start().await;
        let url = redis.url.clone();
        let database = Database::demo(Backend::Postgres).await;
        let (app, _) = App::set_up(database, |config| {
            keep(config);
            config.redis.url = url;
        })
        .await;
        Self { app, redis: Some(redis) }
    }

    /// A gateway beside it that keeps nothing: what it answers is how things are.
    pub async fn plain(&self) -> App {
        self.app.beside(|config| config.cache.enabled = false).await
    }
}

fn keep(config: &mut Config) {
    config.cache.enabled = true;
    // What is asked here is more than any console or phone asks.
    config.throttle.staff.maximum = 0;
    config.throttle.customer.maximum = 0;
}

/// Runs a test over SQLite with versions in memory, and over PostgreSQL with versions in Redis.
macro_rules! on_both_caches {
    (async fn $name:ident($kept:ident: Kept) $body:block) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every test names what is around it")]
            use super::*;

            async fn run($kept: $crate::freshness::Kept) $body

            #[tokio::test]
            async fn sqlite_and_memory() {
                run($crate::freshness::Kept::sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres_and_redis() {
                run($crate::freshness::Kept::postgres().await).await;
            }
        }
    };
}
pub(crate) use on_both_caches;

/// What is answered: the data, and where it is from: `HIT`, `MISS`, the reason of a `BYPASS`, or nothing.
pub async fn ask(actor: &Actor<'_>, document: &str, variables: Value) -> (Value, String) {
    let answer = actor.ask_with(document, variables).await;
    let cache = &answer.body["extensions"]["cache"];
    let from = cache["reason"].as_str().or(cache["status"].as_str()).unwrap_or_default().to_owned();
    (json!({ "data": answer.body["data"], "errors": answer.body["errors"] }), from)
}

/// Asks until the answer is one that was kept; on a busy machine Redis may seem gone for a moment.
pub async fn ask_kept(actor: &Actor<'_>, document: &str, variables: Value) -> Value {
    let started = std::time::Instant::now();
    loop {
        let (answer, from) = ask(actor, document, variables.clone()).await;
        if from == "HIT" {
            return answer;
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "never kept, but {from}: {answer:#}");
    }
}

/// The document of an example.
pub fn example(name: &str) -> &'static str {
    c360::examples::EXAMPLES.iter().find(|example| example.name == name).unwrap_or_else(|| panic!("no {name}")).document
}
