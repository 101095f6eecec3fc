//! Clocks, against a model that looks at every minute.

use proptest::prelude::*;

use super::*;
use crate::calendar::tests::{Naive, at, naive};

#[derive(Clone, Copy, Debug)]
enum Do {
    Pause,
    Resume,
    Stop,
    Promise(i64),
    Look,
}

/// A clock that is asked at the end of every minute.
struct Model {
    runs: bool,
    stopped: bool,
    elapsed: i64,
    target: i64,
    breached: Option<DateTime<Utc>>,
    /// When the last minute that was promised ended, if it has.
    due: Option<DateTime<Utc>>,
}

impl Model {
    fn minute(&mut self, naive: &Naive, minute: DateTime<Utc>) {
        if !self.runs || self.breached.is_some() {
            return;
        }
        // A whole minute after the end of the promise, open or not, it is late.
        if let Some(due) = self.due {
            self.breached = Some(due);
        } else if naive.is_open(minute) {
            self.elapsed += 1;
            if self.elapsed == self.target {
                self.due = Some(minute + TimeDelta::minutes(1));
            }
        }
    }

    fn act(&mut self, action: Do, now: DateTime<Utc>) {
        let late = self.breached.is_some();
        match action {
            Do::Pause if !self.stopped => (self.runs, self.due) = (late, None),
            Do::Resume => {
                self.runs = true;
                self.stopped = false;
                self.due = (self.elapsed >= self.target && self.due.is_none()).then_some(now).or(self.due);
            }
            Do::Stop if !self.stopped => (self.runs, self.stopped, self.due) = (false, true, None),
            Do::Promise(target) if !self.stopped && !late && target != self.target => {
                self.target = target;
                self.due = (self.runs && self.elapsed >= target).then_some(now);
            }
            _ => {}
        }
    }

    fn state(&self) -> ClockState {
        match self {
            Self { breached: Some(_), .. } => ClockState::Breached,
            Self { stopped: true, .. } => ClockState::Met,
            Self { runs: true, .. } => ClockState::Running,
            _ => ClockState::Paused,
        }
    }
}

fn action() -> impl Strategy<Value = Do> {
    prop_oneof![
        3 => Just(Do::Pause),
        3 => Just(Do::Resume),
        1 => Just(Do::Stop),
        1 => (1_i64..2_000).prop_map(Do::Promise),
        1 => Just(Do::Look),
    ]
}

proptest! {
    #[test]
    fn a_clock_says_what_counting_minutes_says(
        (naive, start) in naive(),
        target in 1_i64..2_000,
        steps in prop::collection::vec((0_i64..1_500, action()), 1..12),
    ) {
        let calendar = naive.calendar();
        // What is not due within ten years is out of the reach of calendars.
        prop_assume!(calendar.between(start, start + TimeDelta::days(3000)) >= TimeDelta::minutes(2_000));
        let mut clock = Clock::start(Metric::Resolution, TimeDelta::minutes(target), start, &calendar);
        let mut model = Model { runs: true, stopped: false, elapsed: 0, target, breached: None, due: None };
        let mut now = start;
        for (minutes, action) in steps {
            for _ in 0..minutes {
                model.minute(&naive, now);
                now += TimeDelta::minutes(1);
            }
            model.act(action, now);
            match action {
                Do::Pause => clock.pause(now, &calendar),
                Do::Resume => clock.resume(now, &calendar),
                Do::Stop => clock.stop(now, &calendar),
                Do::Promise(target) => clock.promise(TimeDelta::minutes(target), now, &calendar),
                Do::Look => {}
            }
            clock.breach(now);
            prop_assert_eq!((clock.state, clock.breached_at), (model.state(), model.breached), "at {}", now);
            prop_assert_eq!(clock.is_open(), !model.stopped);
            prop_assert!(clock.state == ClockState::Running || model.breached.is_some() || clock.elapsed.num_minutes() == model.elapsed);
            prop_assert_eq!(clock.state == ClockState::Running, clock.breached_at.is_none() && clock.due_at.is_some() && clock.is_open());
        }
    }
}

#[test]
fn nothing_is_late_at_the_very_moment_that_it_is_due() {
    let start = at("2026-11-22T08:00:00Z");
    let mut clock = Clock::start(Metric::FirstReply, TimeDelta::minutes(30), start, &Calendar::AroundTheClock);
    let due = at("2026-11-22T08:30:00Z");
    assert!(!clock.breach(due));
    let mut late = clock;
    clock.stop(due, &Calendar::AroundTheClock);
    assert_eq!((clock.state, clock.elapsed), (ClockState::Met, TimeDelta::minutes(30)));
    assert!(late.breach(due + TimeDelta::microseconds(1)));
    assert!(!late.breach(due + TimeDelta::hours(1)), "a breach is found once");
    late.stop(due + TimeDelta::hours(2), &Calendar::AroundTheClock);
    assert_eq!((late.state, late.breached_at), (ClockState::Breached, Some(due)));
}
