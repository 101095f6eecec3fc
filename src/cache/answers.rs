//! Finished answers as bytes, and those who wait for one that is being made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::reads::Basis;
use crate::admission::Shed;
use crate::digest::Digest;

/// How long it is remembered that an answer could not be kept.
const GIVEN_UP_FOR: Duration = Duration::from_secs(1);

/// Bytes that an answer takes beside its own.
const OVERHEAD: usize = 512;

/// An answer that was made before.
#[derive(Debug)]
pub struct Answer {
    /// The answer in JSON from its first brace on, without extensions and the last brace.
    pub bytes: Vec<u8>,
    /// The codes of the errors that stand in it.
    pub codes: Vec<&'static str>,
    /// The operation's name.
    pub operation: Option<String>,
    /// The rows that it could have read.
    pub requested: u64,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// What it rests on.
    pub basis: Basis,
}

/// All answers that this gateway remembers.
#[derive(Debug)]
pub struct Answers {
    kept: moka::sync::Cache<Digest, Arc<Answer>>,
    making: Mutex<HashMap<Digest, watch::Receiver<Option<Shed>>>>,
    /// Requests whose answers could not be kept a moment ago: nobody waits for another one's.
    given_up: moka::sync::Cache<Digest, ()>,
}

impl Answers {
    /// At most so many bytes.
    pub fn new(bytes: u64) -> Self {
        let weigh = |_: &Digest, answer: &Arc<Answer>| {
            let versions = answer.basis.versions.len() * 48;
            u32::try_from(answer.bytes.len() + versions + OVERHEAD).unwrap_or(u32::MAX)
        };
        Self {
            kept: moka::sync::Cache::builder().max_capacity(bytes).weigher(weigh).build(),
            making: Mutex::default(),
            given_up: moka::sync::Cache::builder().max_capacity(10_000).time_to_live(GIVEN_UP_FOR).build(),
        }
    }

    /// The answer to a request, whether it still holds or not.
    pub fn get(&self, request: &Digest) -> Option<Arc<Answer>> {
        self.kept.get(request)
    }

    /// Keeps an answer.
    pub fn keep(&self, request: Digest, answer: Answer) {
        self.kept.insert(request, Arc::new(answer));
    }

    /// How many bytes the answers take.
    pub fn bytes(&self) -> u64 {
        self.kept.weighted_size()
    }

    /// Notes that the answer to a request cannot be kept.
    pub fn give_up(&self, request: Digest) {
        self.given_up.insert(request, ());
    }

    /// Makes the answer to a request, unless somebody else is at it: then waits until that is done, and gives nothing.
    ///
    /// # Errors
    /// The other one was refused, and so is whoever has waited for it: it would only wait again.
    pub async fn make(&self, request: Digest) -> Result<Option<Making<'_>>, Shed> {
        let (done, waits) = watch::channel(None);
        if self.given_up.contains_key(&request) {
            return Ok(Some(Making { answers: self, request, done, is_alone: false }));
        }
        let mut other = {
            let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            match making.get(&request) {
                Some(other) => other.clone(),
                None => {
                    making.insert(request, waits);
                    return Ok(Some(Making { answers: self, request, done, is_alone: true }));
                }
            }
        };
        // It fails when whoever makes the answer is done.
        let told = other.changed().await;
        let refused = *other.borrow();
        match (told, refused) {
            (Ok(()), Some(why)) => Err(why),
            _ => Ok(None),
        }
    }
}

/// The right to make an answer, until it is dropped.
#[derive(Debug)]
pub struct Making<'a> {
    answers: &'a Answers,
    request: Digest,
    done: watch::Sender<Option<Shed>>,
    /// Whether others wait for it.
    is_alone: bool,
}

impl Making<'_> {
    /// Nobody can make it: the gateway has enough to do.
    pub fn refuse(self, why: Shed) {
        self.done.send_replace(Some(why));
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        if self.is_alone {
            self.answers.making.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.request);
        }
    }
}
