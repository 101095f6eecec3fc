//! How many requests are worked on at once. What comes beyond waits for a moment and is then refused, before it has cost
//! anything: a gateway that takes on more than it can do answers nobody in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::config::Config;

/// Requests that are worked on at once for each connection to the database: some compute or write their answers while
/// others wait for theirs, and none waits for a connection for long.
const FOR_EACH_CONNECTION: usize = 4;

/// The places in which requests are worked on, and the queue before them.
#[derive(Debug)]
pub struct Admission {
    places: Arc<Semaphore>,
    most: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
}

/// A place in which a request is worked on, until this is dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "what counts is when it is dropped")] OwnedSemaphorePermit);

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// As many were waiting as may.
    Full,
    /// No place became free in time.
    Waited,
}

impl Shed {
    /// As it stands in figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Waited => "waited",
        }
    }
}

impl Admission {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        let settings = &config.admission;
        let derived = FOR_EACH_CONNECTION * config.database.max_connections as usize;
        let most = if settings.at_once == 0 { derived } else { settings.at_once }.min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
            waiting: AtomicUsize::new(0),
            most_waiting: settings.waiting,
            patience: Duration::from_millis(settings.wait_ms),
        }
    }

    /// Whether whoever comes next is refused for certain: a look, without waiting.
    pub fn is_full(&self) -> bool {
        self.waiting() >= self.most_waiting && self.places.available_permits() == 0
    }

    /// Waits for a place, in turn.
    ///
    /// # Errors
    /// The request has to be refused.
    pub async fn enter(&self) -> Result<Place, Shed> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(Place(place));
        }
        let _waiting = Waiting::among(self).ok_or(Shed::Full)?;
        match timeout(self.patience, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(Place(place)),
            _ => Err(Shed::Waited),
        }
    }

    /// How many are worked on.
    pub fn in_flight(&self) -> usize {
        self.most.saturating_sub(self.places.available_permits())
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// One who waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(admission: &'a Admission) -> Option<Self> {
        let counted = Self(&admission.waiting);
        let before = counted.0.fetch_add(1, Ordering::Relaxed);
        (before < admission.most_waiting).then_some(counted)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn admission(at_once: usize, waiting: usize, wait_ms: u64) -> Admission {
        let mut config = Config::load(None, &|_| None).unwrap();
        config.admission = crate::config::Admission { at_once, waiting, wait_ms };
        Admission::new(&config)
    }

    #[test]
    fn unless_it_is_set_the_bound_comes_from_the_pool() {
        let mut config = Config::load(None, &|_| None).unwrap();
        config.database.max_connections = 5;
        assert_eq!(Admission::new(&config).most, 20);
    }

    #[tokio::test]
    async fn beyond_the_places_one_waits_for_a_moment_and_beyond_the_queue_not_at_all() {
        let admission = admission(1, 1, 50);
        let place = admission.enter().await.unwrap();
        let (waited, refused) = tokio::join!(admission.enter(), async {
            assert_eq!((admission.in_flight(), admission.waiting(), admission.is_full()), (1, 1, true));
            admission.enter().await
        });
        assert_eq!((waited.unwrap_err(), refused.unwrap_err()), (Shed::Waited, Shed::Full));
        assert_eq!((admission.waiting(), admission.is_full()), (0, false));
        drop(place);
        assert!(admission.enter().await.is_ok());
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_that_becomes_free_in_turn() {
        let admission = admission(1, 9, 20_000);
        let place = admission.enter().await.unwrap();
        let order = std::sync::Mutex::new(Vec::new());
        let wait = async |name| {
            let place = admission.enter().await.unwrap();
            order.lock().unwrap().push(name);
            drop(place);
        };
        // They are polled in this order, so both wait when the place becomes free.
        tokio::join!(wait("first"), wait("second"), async { drop(place) });
        assert_eq!(*order.lock().unwrap(), ["first", "second"]);
    }
}
