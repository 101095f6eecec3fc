//! How many requests are worked on at once. What comes beyond waits for a moment and is then refused, before it has cost
//! anything: a gateway that takes on more than it can do answers nobody in time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::Config;

/// Requests that are worked on at once for each connection to the database: some compute or write their answers while
/// others wait for theirs, and none waits for a connection for long.
const FOR_EACH_CONNECTION: usize = 4;

/// The places in which requests are worked on, and those who wait for one.
///
/// A place goes to whoever came last: while more is asked than can be done, those who are answered are answered soon, and
/// of the others some are refused. In turn, all would wait for long.
#[derive(Debug)]
pub struct Admission {
    places: Arc<Places>,
    most: usize,
    most_waiting: usize,
    patience: Duration,
}

#[derive(Debug)]
struct Places(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Places that nobody has. While there are any, nobody waits.
    free: usize,
    /// How many wait.
    waiting: usize,
    /// What they wait for, in the order in which they came. Of those who wait no more, some may be among them.
    promises: VecDeque<oneshot::Sender<Place>>,
}

impl Places {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in which a request is worked on, until this is dropped.
#[derive(Debug)]
pub struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        let next = std::iter::from_fn(|| state.promises.pop_back()).find(|next| !next.is_closed());
        state.free += usize::from(next.is_none());
        drop(state);
        // If whoever waits leaves at this moment, the place that was sent is dropped, and comes here again.
        next.map(|next| next.send(Self(self.0.clone())));
    }
}

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
        let most = if settings.at_once == 0 { derived } else { settings.at_once };
        let state = State { free: most, waiting: 0, promises: VecDeque::new() };
        Self {
            places: Arc::new(Places(Mutex::new(state))),
            most,
            most_waiting: settings.waiting,
            patience: Duration::from_millis(settings.wait_ms),
        }
    }

    /// Whether whoever comes next is refused for certain: a look, without waiting.
    pub fn is_full(&self) -> bool {
        let state = self.places.state();
        state.free == 0 && state.waiting >= self.most_waiting
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// The request has to be refused.
    pub async fn enter(&self) -> Result<Place, Shed> {
        match self.ask()? {
            Asked::Has(place) => Ok(place),
            Asked::Waits(mut waiting) => {
                let place = timeout(self.patience, &mut waiting.place).await;
                place.ok().and_then(Result::ok).ok_or(Shed::Waited)
            }
        }
    }

    fn ask(&self) -> Result<Asked<'_>, Shed> {
        let places = &self.places;
        let mut state = places.state();
        if state.free > 0 {
            state.free -= 1;
            return Ok(Asked::Has(Place(places.clone())));
        }
        if state.waiting >= self.most_waiting {
            return Err(Shed::Full);
        }
        let (promise, place) = oneshot::channel();
        state.waiting += 1;
        state.promises.push_back(promise);
        Ok(Asked::Waits(Waiting { places, place }))
    }

    /// How many are worked on.
    pub fn in_flight(&self) -> usize {
        self.most.saturating_sub(self.places.state().free)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.places.state().waiting
    }
}

/// What becomes of whoever asks for a place.
enum Asked<'a> {
    Has(Place),
    Waits(Waiting<'a>),
}

/// One who waits, until it is dropped.
struct Waiting<'a> {
    places: &'a Places,
    place: oneshot::Receiver<Place>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.place.close();
        let mut state = self.places.state();
        state.waiting -= 1;
        // Those who came first are the first to lose patience.
        while state.promises.front().is_some_and(oneshot::Sender::is_closed) {
            state.promises.pop_front();
        }
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
        assert!(admission.places.state().promises.is_empty());
        drop(place);
        assert!(admission.enter().await.is_ok());
    }

    /// Waits, notes its name when it has a place, and leaves.
    async fn passes(admission: &Admission, name: &'static str, order: &Mutex<Vec<&'static str>>) {
        let place = admission.enter().await.unwrap();
        order.lock().unwrap().push(name);
        drop(place);
    }

    #[tokio::test]
    async fn a_place_that_becomes_free_goes_to_whoever_came_last() {
        let admission = admission(1, 9, 20_000);
        let place = admission.enter().await.unwrap();
        let order = Mutex::new(Vec::new());
        // They are polled in this order, so both wait when the place becomes free.
        tokio::join!(passes(&admission, "first", &order), passes(&admission, "last", &order), async { drop(place) });
        assert_eq!(*order.lock().unwrap(), ["last", "first"]);
        assert_eq!((admission.in_flight(), admission.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn who_leaves_while_waiting_takes_no_place_along() {
        let admission = admission(1, 9, 20_000);
        for sent in [false, true] {
            let place = admission.enter().await.unwrap();
            let order = Mutex::new(Vec::new());
            let mut leaves = Box::pin(admission.enter());
            let stays = passes(&admission, "stays", &order);
            let (stays, mut place) = (std::pin::pin!(stays), Some(place));
            tokio::join!(stays, async {
                assert!(futures_util::poll!(&mut leaves).is_pending());
                assert_eq!(admission.waiting(), 2);
                if sent {
                    place = None; // It goes to whoever leaves.
                }
                drop(leaves);
                assert_eq!(admission.waiting(), 1);
                place = None;
            });
            assert_eq!(*order.lock().unwrap(), ["stays"]);
            assert_eq!((admission.in_flight(), admission.waiting()), (0, 0));
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn however_many_come_and_go_no_place_is_lost() {
        let admission = Arc::new(admission(3, 40, 1));
        let all = (0..64).map(|seed| {
            let admission = admission.clone();
            tokio::spawn(async move {
                let mut rng = fastrand::Rng::with_seed(seed);
                for _ in 0..300 {
                    // Some have less patience than the gateway, and leave.
                    let asks = timeout(Duration::from_micros(rng.u64(1..2_500)), admission.enter());
                    if let Ok(Ok(place)) = asks.await {
                        assert!((1..=3).contains(&admission.in_flight()));
                        tokio::time::sleep(Duration::from_micros(rng.u64(..300))).await;
                        drop(place);
                    }
                }
            })
        });
        for one in all.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        assert_eq!((admission.in_flight(), admission.waiting()), (0, 0));
        assert!(admission.places.state().promises.is_empty());
    }
}
