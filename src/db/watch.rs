//! Watching the database beside the requests.
//!
//! A gateway whose connections are all busy still has to hear of revocations, and is not one that should get no more
//! requests. So both are asked for through connections that no request uses.

use std::time::{Duration, Instant};

use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::{Mutex, OnceCell};

use super::{describe, open, pending_migrations, session};
use crate::config;

/// One for each who asks, so that neither waits for the other. The second is opened only when both ask at once.
const CONNECTIONS: u32 = 2;

/// Connections apart from those of the requests, opened when they are first needed.
#[derive(Debug)]
pub struct Watch {
    settings: config::Database,
    connection: OnceCell<DatabaseConnection>,
}

impl Watch {
    /// For a database; nothing is opened yet.
    pub fn new(settings: &config::Database) -> Self {
        let settings = config::Database { max_connections: CONNECTIONS, ..settings.clone() };
        Self { settings, connection: OnceCell::new() }
    }

    /// The connections.
    ///
    /// # Errors
    /// The database cannot be reached; the next who asks tries again.
    pub async fn connection(&self) -> Result<&DatabaseConnection, DbErr> {
        let timeout = self.settings.statement_timeout_ms.to_string();
        let more = [("statement_timeout", timeout.as_str())];
        let open =
            || open(&self.settings, &more, |pool| pool.after_release(|connection, _| session::answers(connection)));
        // Whoever asks later needs no room for that.
        self.connection.get_or_try_init(|| Box::pin(open())).await
    }
}

/// How long an answer of the [`Probe`] counts, and how long it waits for one.
const FRESH: Duration = Duration::from_millis(800);
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks whether the database can be used. However often it is asked, the database is asked about once a second.
#[derive(Debug, Default)]
pub struct Probe {
    last: Mutex<Option<(Instant, Verdict)>>,
}

/// What the [`Probe`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers, and its schema is at least what this build needs.
    Ready,
    /// It answers, but its schema is older than this build.
    Pending,
    /// It does not answer, or not in time.
    Silent,
}

impl Probe {
    /// Whether the database can be used now, or a moment ago.
    pub async fn ask(&self, watch: &Watch) -> Verdict {
        let mut last = self.last.lock().await;
        if let Some((at, verdict)) = *last
            && at.elapsed() < FRESH
        {
            return verdict;
        }
        let pending = async { pending_migrations(watch.connection().await?).await };
        let verdict = match tokio::time::timeout(PATIENCE, pending).await {
            Ok(Ok(0)) => Verdict::Ready,
            Ok(Ok(_)) => Verdict::Pending,
            Ok(Err(error)) => {
                tracing::warn!(error = describe(&error), "the database cannot be used");
                Verdict::Silent
            }
            Err(_) => {
                tracing::warn!("the database does not answer in time");
                Verdict::Silent
            }
        };
        *last = Some((Instant::now(), verdict));
        verdict
    }
}
