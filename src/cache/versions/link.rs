//! The link to Redis, opened when it is first needed and anew when it is gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::Client;
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;

use super::Link;

/// How long to rest after Redis did not answer.
const PAUSE: Duration = Duration::from_millis(250);

/// One link at a time.
#[derive(Debug)]
pub struct Links {
    client: Client,
    current: Mutex<Option<Arc<Link>>>,
    /// When somebody last tried, and whose turn it is.
    tried: Turn<Option<Instant>>,
}

impl Links {
    /// To the Redis at an address; `None` if it is none: the settings are checked at the start.
    pub fn new(url: &str) -> Option<Self> {
        let client = Client::open(url).ok()?;
        Some(Self { client, current: Mutex::default(), tried: Turn::default() })
    }

    /// The link, if there is one that can be used. The first who asks waits for it; nobody waits for one that was lost.
    pub async fn current(self: &Arc<Self>) -> Option<Arc<Link>> {
        if let Some(link) = self.good() {
            return Some(link);
        }
        let mut tried = self.tried.try_lock().ok()?;
        match *tried {
            Some(at) if at.elapsed() < PAUSE => None,
            None => {
                *tried = Some(Instant::now());
                self.open().await
            }
            Some(_) => {
                *tried = Some(Instant::now());
                drop(tried);
                let links = self.clone();
                tokio::spawn(async move {
                    // Whoever comes meanwhile leaves it to this one.
                    let mut tried = links.tried.lock().await;
                    links.open().await;
                    *tried = Some(Instant::now());
                });
                None
            }
        }
    }

    fn good(&self) -> Option<Arc<Link>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|link| !link.is_gone()).cloned()
    }

    async fn open(&self) -> Option<Arc<Link>> {
        let link = match Box::pin(Link::open(&self.client)).await {
            Ok(link) => Some(Arc::new(link)),
            Err(error) => {
                tracing::warn!(%error, "Redis cannot be used: nothing is cached meanwhile");
                None
            }
        };
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&link);
        link
    }
}
