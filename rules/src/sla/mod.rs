//! Clocks that measure whether a promise to a customer is kept.
//!
//! A clock runs in business time. It stands still while others are waited for. It is late once its due time is over,
//! whether or not anybody has recorded it.

#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::Calendar;

/// What a clock measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// The time to the first reply by staff.
    FirstReply,
    /// The time from a message of the customer to the next reply by staff.
    NextReply,
    /// The time until the ticket is solved.
    Resolution,
}

/// How a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// It runs.
    Running,
    /// It stands still while others are waited for.
    Paused,
    /// The promise was kept, or fell away in time.
    Met,
    /// The time has run out.
    Breached,
}

/// A clock of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// What it measures.
    pub metric: Metric,
    /// How it stands.
    pub state: ClockState,
    /// The business time that was promised.
    pub target: TimeDelta,
    /// The business time that had passed when it last started, paused or stopped.
    pub elapsed: TimeDelta,
    /// When it was first started.
    pub started_at: DateTime<Utc>,
    /// When the time runs out; none while it is paused.
    pub due_at: Option<DateTime<Utc>>,
    /// When it stopped.
    pub stopped_at: Option<DateTime<Utc>>,
    /// When the time ran out.
    pub breached_at: Option<DateTime<Utc>>,
}

impl Clock {
    /// A clock that starts to run.
    pub fn start(metric: Metric, target: TimeDelta, now: DateTime<Utc>, calendar: &Calendar) -> Self {
        Self {
            metric,
            state: ClockState::Running,
            target,
            elapsed: TimeDelta::zero(),
            started_at: now,
            due_at: Some(calendar.add(now, target)),
            stopped_at: None,
            breached_at: None,
        }
    }

    /// Whether it still measures: it has not stopped, late or not.
    pub fn is_open(&self) -> bool {
        self.stopped_at.is_none()
    }

    /// Whether it runs although its time is over: a breach that nobody has recorded.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.state == ClockState::Running && self.due_at.is_some_and(|due| due < now)
    }

    /// Records that the time is over. Returns whether this is news.
    pub fn breach(&mut self, now: DateTime<Utc>) -> bool {
        let overdue = self.is_overdue(now);
        if overdue {
            (self.state, self.elapsed, self.breached_at) = (ClockState::Breached, self.target, self.due_at);
        }
        overdue
    }

    /// Lets it stand still. One whose time is over stays late.
    pub fn pause(&mut self, now: DateTime<Utc>, calendar: &Calendar) {
        self.breach(now);
        if self.state == ClockState::Running {
            self.count(now, calendar);
            (self.state, self.due_at) = (ClockState::Paused, None);
        }
    }

    /// Lets it run on with what is left of the promise; also one that had stopped in time. One that was late when it
    /// stopped is open again, and late.
    pub fn resume(&mut self, now: DateTime<Utc>, calendar: &Calendar) {
        if matches!(self.state, ClockState::Paused | ClockState::Met) {
            self.state = ClockState::Running;
            self.due_at = Some(calendar.add(now, self.target - self.elapsed));
        }
        self.stopped_at = None;
    }

    /// Stops it: the promise was kept, late or in time.
    pub fn stop(&mut self, now: DateTime<Utc>, calendar: &Calendar) {
        if !self.is_open() {
            return;
        }
        self.breach(now);
        if self.state == ClockState::Running {
            self.count(now, calendar);
        }
        if self.state != ClockState::Breached {
            self.state = ClockState::Met;
        }
        self.stopped_at = Some(now);
    }

    /// Promises something else from now on; what has passed still counts. A breach stays one.
    pub fn promise(&mut self, target: TimeDelta, now: DateTime<Utc>, calendar: &Calendar) {
        self.breach(now);
        if !self.is_open() || self.state == ClockState::Breached || target == self.target {
            return;
        }
        if self.state == ClockState::Running {
            self.count(now, calendar);
            self.due_at = Some(calendar.add(now, target - self.elapsed));
        }
        self.target = target;
    }

    /// Brings what has passed up to date, for one that runs and is not late.
    fn count(&mut self, now: DateTime<Utc>, calendar: &Calendar) {
        let left = self.due_at.map_or(TimeDelta::zero(), |due| calendar.between(now, due));
        self.elapsed = self.elapsed.max(self.target - left);
    }
}
