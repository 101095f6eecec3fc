//! How many requests are worked on at once. What comes beyond waits for a moment and is then refused, before it has cost
//! anything: a gateway that takes on more than it can do answers nobody in time.
//!
//! A request passes the door, is read, and takes a place when there is something to do for it. Some may wait for a place;
//! while there are so many, whoever comes next waits at the door, where a refusal costs least.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::Config;

/// Requests that are worked on at once for each connection to the database: some compute or write their answers while
/// others wait for theirs, and none waits for a connection for long.
const FOR_EACH_CONNECTION: usize = 4;

/// The door, the places in which requests are worked on, and those who wait for either.
///
/// The next is always whoever came last: while more is asked than can be done, those who are answered are answered soon, and
/// of the others some are refused. In turn, all would wait for long.
#[derive(Clone, Debug)]
pub struct Admission(Arc<House>);

#[derive(Debug)]
struct House {
    most: usize,
    most_inside: usize,
    most_at_the_door: usize,
    /// How long one waits at the door, and again inside.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Places that nobody has. While there are any, nobody waits for one.
    free: usize,
    inside: Line<Place>,
    at_the_door: Line<Pass>,
}

/// Those who wait for the same.
#[derive(Debug)]
struct Line<T> {
    waiting: usize,
    /// What they wait for, in the order in which they came. Of those who wait no more, some may be among them.
    promises: VecDeque<oneshot::Sender<T>>,
}

impl<T> Line<T> {
    const fn new() -> Self {
        Self { waiting: 0, promises: VecDeque::new() }
    }

    fn join(&mut self, most: usize) -> Result<oneshot::Receiver<T>, Shed> {
        if self.waiting >= most {
            return Err(Shed::Full);
        }
        let (promise, promised) = oneshot::channel();
        self.waiting += 1;
        self.promises.push_back(promise);
        Ok(promised)
    }

    fn leave(&mut self) {
        self.waiting -= 1;
        // Those who came first are the first to lose patience.
        while self.promises.front().is_some_and(oneshot::Sender::is_closed) {
            self.promises.pop_front();
        }
    }

    fn last(&mut self) -> Option<oneshot::Sender<T>> {
        std::iter::from_fn(|| self.promises.pop_back()).find(|promise| !promise.is_closed())
    }
}

impl House {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether whoever comes next has to wait at the door.
    fn is_full(&self, state: &State) -> bool {
        state.free == 0 && state.inside.waiting >= self.most_inside
    }

    /// Lets whoever came last to the door in, if there is room.
    fn let_in(self: &Arc<Self>) {
        let mut state = self.state();
        let next = if self.is_full(&state) { None } else { state.at_the_door.last() };
        drop(state);
        // If whoever waits leaves at this moment, the pass that was sent is dropped, and lets in another one.
        next.map(|next| next.send(Pass(self.clone())));
    }
}

/// A request that has passed the door, until this is dropped. Then another one may pass.
#[derive(Debug)]
pub struct Pass(Arc<House>);

impl Pass {
    /// Waits for a place.
    ///
    /// # Errors
    /// The request has to be refused.
    pub async fn enter(&self) -> Result<Place, Shed> {
        let Self(house) = self;
        let waiting = {
            let mut state = house.state();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Place(house.clone()));
            }
            // Many may have passed while there was room, and find it taken when they are read.
            let promised = state.inside.join(house.most_inside + house.most_at_the_door)?;
            Waiting { house, line: |state| &mut state.inside, promised }
        };
        let place = waiting.until(house.patience).await;
        house.let_in();
        place
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.let_in();
    }
}

/// A place in which a request is worked on, until this is dropped.
#[derive(Debug)]
pub struct Place(Arc<House>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        let next = state.inside.last();
        state.free += usize::from(next.is_none());
        drop(state);
        match next {
            // If whoever waits leaves at this moment, the place that was sent is dropped, and comes here again.
            Some(next) => drop(next.send(Self(self.0.clone()))),
            None => self.0.let_in(),
        }
    }
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// As many were waiting as may.
    Full,
    /// It was not its turn in time.
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
        Self(Arc::new(House {
            most,
            most_inside: settings.waiting,
            most_at_the_door: settings.at_the_door,
            patience: Duration::from_millis(settings.wait_ms),
            state: Mutex::new(State { free: most, inside: Line::new(), at_the_door: Line::new() }),
        }))
    }

    /// Waits at the door, if there is no room.
    ///
    /// # Errors
    /// The request has to be refused.
    pub async fn pass(&self) -> Result<Pass, Shed> {
        let Self(house) = self;
        let waiting = {
            let mut state = house.state();
            if !house.is_full(&state) {
                return Ok(Pass(house.clone()));
            }
            let promised = state.at_the_door.join(house.most_at_the_door)?;
            Waiting { house, line: |state| &mut state.at_the_door, promised }
        };
        waiting.until(house.patience).await
    }

    /// How many are worked on.
    pub fn in_flight(&self) -> usize {
        self.0.most.saturating_sub(self.0.state().free)
    }

    /// How many wait for a place.
    pub fn waiting(&self) -> usize {
        self.0.state().inside.waiting
    }

    /// How many wait at the door.
    pub fn at_the_door(&self) -> usize {
        self.0.state().at_the_door.waiting
    }
}

/// One who waits, until it is dropped.
struct Waiting<'a, T> {
    house: &'a Arc<House>,
    line: fn(&mut State) -> &mut Line<T>,
    promised: oneshot::Receiver<T>,
}

impl<T> Waiting<'_, T> {
    async fn until(mut self, patience: Duration) -> Result<T, Shed> {
        let promised = timeout(patience, &mut self.promised).await;
        promised.ok().and_then(Result::ok).ok_or(Shed::Waited)
    }
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        self.promised.close();
        (self.line)(&mut self.house.state()).leave();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn admission(at_once: usize, waiting: usize, at_the_door: usize, wait_ms: u64) -> Admission {
        let mut config = Config::load(None, &|_| None).unwrap();
        config.admission = crate::config::Admission { at_once, waiting, at_the_door, wait_ms };
        Admission::new(&config)
    }

    #[test]
    fn unless_it_is_set_the_bound_comes_from_the_pool() {
        let mut config = Config::load(None, &|_| None).unwrap();
        config.database.max_connections = 5;
        assert_eq!(Admission::new(&config).0.most, 20);
    }

    async fn enter(admission: &Admission) -> Result<(Place, Pass), Shed> {
        let pass = admission.pass().await?;
        Ok((pass.enter().await?, pass))
    }

    fn now(admission: &Admission) -> (usize, usize, usize) {
        (admission.in_flight(), admission.waiting(), admission.at_the_door())
    }

    fn assert_empty(admission: &Admission) {
        assert_eq!(now(admission), (0, 0, 0));
        let state = admission.0.state();
        assert!(state.inside.promises.is_empty() && state.at_the_door.promises.is_empty());
    }

    #[tokio::test]
    async fn beyond_the_places_one_waits_for_a_moment_and_beyond_those_who_may_wait_not_at_all() {
        let admission = admission(1, 1, 1, 50);
        let place = enter(&admission).await.unwrap();
        let (inside, at_the_door, refused) = tokio::join!(enter(&admission), enter(&admission), async {
            assert_eq!(now(&admission), (1, 1, 1));
            enter(&admission).await
        });
        let refusals = [inside, at_the_door, refused].map(Result::unwrap_err);
        assert_eq!(refusals, [Shed::Waited, Shed::Waited, Shed::Full]);
        drop(place);
        assert_empty(&admission);
        assert!(enter(&admission).await.is_ok());
    }

    #[tokio::test]
    async fn whoever_waits_at_the_door_gets_in_though_nobody_inside_wants_a_place() {
        let admission = admission(1, 1, 9, 20_000);
        let (place, pass) = enter(&admission).await.unwrap();
        let mut inside = Box::pin(enter(&admission));
        assert!(futures_util::poll!(&mut inside).is_pending());
        let looks = || async { admission.pass().await.map(drop) };
        let looks = (0..5).map(|_| looks());
        let looks = futures_util::future::join_all(looks);
        let (seen, ()) = tokio::join!(looks, async {
            assert_eq!(now(&admission), (1, 1, 5));
            drop((inside, place, pass));
        });
        assert!(seen.iter().all(Result::is_ok));
        assert_empty(&admission);
    }

    /// Waits, notes its name when it has a place, and leaves.
    async fn passes(admission: &Admission, name: &'static str, order: &Mutex<Vec<&'static str>>) {
        let place = enter(admission).await.unwrap();
        order.lock().unwrap().push(name);
        drop(place);
    }

    #[tokio::test]
    async fn a_place_that_becomes_free_goes_to_whoever_came_last() {
        let admission = admission(2, 2, 9, 20_000);
        let (other, place) = (enter(&admission).await.unwrap(), enter(&admission).await.unwrap());
        let order = Mutex::new(Vec::new());
        // They are polled in this order: two wait inside, and two at the door, when the first place becomes free.
        let four = ["first", "second", "third", "last"].map(|name| passes(&admission, name, &order));
        tokio::join!(futures_util::future::join_all(four), async {
            assert_eq!(now(&admission), (2, 2, 2));
            drop(place);
        });
        assert_eq!(*order.lock().unwrap(), ["second", "first", "last", "third"]);
        drop(other);
        assert_empty(&admission);
    }

    #[tokio::test]
    async fn who_leaves_while_waiting_takes_no_place_along() {
        let admission = admission(2, 2, 9, 20_000);
        let _other = enter(&admission).await.unwrap();
        for sent in [false, true] {
            let place = enter(&admission).await.unwrap();
            let order = Mutex::new(Vec::new());
            let mut leaves = Box::pin(enter(&admission));
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
            assert_eq!(now(&admission), (1, 0, 0));
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn however_many_come_and_go_no_place_is_lost() {
        let admission = admission(3, 5, 40, 1);
        let all = (0..64).map(|seed| {
            let admission = admission.clone();
            tokio::spawn(async move {
                let mut rng = fastrand::Rng::with_seed(seed);
                for _ in 0..300 {
                    // Some have less patience than the gateway, and leave.
                    let asks = timeout(Duration::from_micros(rng.u64(1..2_500)), enter(&admission));
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
        assert_empty(&admission);
    }
}
