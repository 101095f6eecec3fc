//! How far a ticket has come, what may be done to it, and what that does to its clocks.
//!
//! The statuses are Zendesk's. A ticket waits for staff (NEW, OPEN), for the customer (PENDING) or for somebody else
//! (ON_HOLD) until it is SOLVED; what the customer writes then opens it again. CLOSED takes nothing any more.

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::Calendar;
use crate::sla::{Clock, ClockState, Metric};

/// How far a ticket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has looked at it yet.
    New,
    /// Staff work on it.
    Open,
    /// It waits for the customer.
    Pending,
    /// It waits for somebody else.
    OnHold,
    /// It is solved, unless the customer says otherwise.
    Solved,
    /// It is solved for good.
    Closed,
}

/// How urgent a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// It can wait.
    Low,
    /// As usual.
    Normal,
    /// Before the usual ones.
    High,
    /// Before all others.
    Urgent,
}

impl Priority {
    /// The priority of a new ticket: what was asked for, and at least HIGH for those who are served first.
    pub fn at_first(asked: Option<Self>, served_first: bool) -> Self {
        let asked = asked.unwrap_or(Self::Normal);
        if served_first { asked.max(Self::High) } else { asked }
    }
}

/// Where an unsolved ticket may be moved by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Staff work on it.
    ForStaff,
    /// It waits for the customer.
    ForCustomer,
    /// It waits for somebody else.
    ForOthers,
}

/// Something that is done to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The customer writes.
    HearCustomer,
    /// Staff reply to the customer.
    Reply,
    /// Staff say whom it waits for.
    Wait(Waiting),
    /// A member of staff takes it over.
    Assign,
    /// Something about it is written down or changed that moves nothing: a note, a tag, a link, a priority, a team.
    Amend,
    /// It is handed to somebody with more to decide.
    Escalate,
    /// It is solved.
    Solve,
    /// Staff open it again.
    Reopen,
    /// It is closed, because it was solved long ago or goes on in another ticket.
    Close,
}

/// Why something cannot be done to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is closed and takes nothing any more.
    #[error("the ticket is closed")]
    Closed,
    /// It is solved, and would have to be reopened first.
    #[error("the ticket is solved")]
    Solved,
    /// It is not solved.
    #[error("the ticket is not solved")]
    NotSolved,
}

impl Status {
    /// Whether there is still something to do.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Solved | Self::Closed)
    }

    /// The status after an action.
    ///
    /// # Errors
    /// [`Refusal`], if the action makes no sense in this status.
    pub const fn after(self, action: Action) -> Result<Self, Refusal> {
        Ok(match (self, action) {
            (Self::Closed, _) => return Err(Refusal::Closed),
            (_, Action::Close) => Self::Closed,
            (_, Action::Amend) | (Self::Solved, Action::Reply | Action::Assign) => self,
            (Self::Solved, Action::Wait(_) | Action::Escalate | Action::Solve) => return Err(Refusal::Solved),
            (Self::Solved, Action::HearCustomer | Action::Reopen) => Self::Open,
            (_, Action::Reopen) => return Err(Refusal::NotSolved),
            (_, Action::Solve) => Self::Solved,
            (_, Action::Wait(Waiting::ForStaff)) => Self::Open,
            (_, Action::Wait(Waiting::ForCustomer)) => Self::Pending,
            (_, Action::Wait(Waiting::ForOthers)) => Self::OnHold,
            // What the customer adds to what nobody has looked at changes nothing.
            (Self::New, Action::HearCustomer) => self,
            (_, Action::HearCustomer) | (Self::New, Action::Reply | Action::Assign) => Self::Open,
            (_, Action::Reply | Action::Assign | Action::Escalate) => self,
        })
    }
}

/// The business time that a policy promises for each metric, at one priority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    /// What is not here is not promised.
    pub targets: Vec<(Metric, TimeDelta)>,
}

impl Promise {
    fn target(&self, metric: Metric) -> Option<TimeDelta> {
        self.targets.iter().find(|(promised, _)| *promised == metric).map(|(_, target)| *target)
    }
}

/// The clocks of a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clocks(pub Vec<Clock>);

impl Clocks {
    /// Those of a new ticket that waits for staff.
    pub fn start(promise: &Promise, now: DateTime<Utc>, calendar: &Calendar) -> Self {
        let mut clocks = Self::default();
        clocks.run(Metric::FirstReply, promise, now, calendar);
        clocks.run(Metric::Resolution, promise, now, calendar);
        clocks
    }

    /// What an action does to them, which took the ticket to this status.
    pub fn after(
        &mut self,
        action: Action,
        status: Status,
        promise: &Promise,
        now: DateTime<Utc>,
        calendar: &Calendar,
    ) {
        match action {
            Action::Reply => self.stop(&[Metric::FirstReply, Metric::NextReply], now, calendar),
            Action::HearCustomer if self.open(Metric::FirstReply).is_none() => {
                self.run(Metric::NextReply, promise, now, calendar);
            }
            _ => {}
        }
        match status {
            Status::Solved | Status::Closed => {
                self.stop(&[Metric::FirstReply, Metric::NextReply, Metric::Resolution], now, calendar);
            }
            Status::Pending | Status::OnHold => {
                self.0.iter_mut().filter(|clock| clock.is_open()).for_each(|clock| clock.pause(now, calendar));
            }
            Status::New | Status::Open => {
                self.0.iter_mut().filter(|clock| clock.is_open()).for_each(|clock| clock.resume(now, calendar));
                self.run_on(promise, now, calendar);
            }
        }
    }

    /// Another priority or another policy promises something else. A promise that is not made any more falls away.
    pub fn promise(&mut self, promise: &Promise, now: DateTime<Utc>, calendar: &Calendar) {
        for clock in self.0.iter_mut().filter(|clock| clock.is_open()) {
            match promise.target(clock.metric) {
                Some(target) => clock.promise(target, now, calendar),
                None => clock.stop(now, calendar),
            }
        }
    }

    /// When the first of those that run is due.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        self.0.iter().filter(|clock| clock.is_open()).filter_map(|clock| clock.due_at).min()
    }

    /// Whether a promise was broken.
    pub fn is_breached(&self) -> bool {
        self.0.iter().any(|clock| clock.state == ClockState::Breached)
    }

    fn open(&mut self, metric: Metric) -> Option<&mut Clock> {
        self.0.iter_mut().find(|clock| clock.metric == metric && clock.is_open())
    }

    /// Starts a clock, unless one is open or nothing is promised.
    fn run(&mut self, metric: Metric, promise: &Promise, now: DateTime<Utc>, calendar: &Calendar) {
        if let Some(target) = promise.target(metric)
            && self.open(metric).is_none()
        {
            self.0.push(Clock::start(metric, target, now, calendar));
        }
    }

    /// The ticket is not solved: the last clock of the solution goes on with what it had left, so that solving too
    /// early earns no new promise.
    fn run_on(&mut self, promise: &Promise, now: DateTime<Utc>, calendar: &Calendar) {
        let Some(target) = promise.target(Metric::Resolution) else { return };
        match self.0.iter_mut().rfind(|clock| clock.metric == Metric::Resolution) {
            Some(clock) if clock.is_open() => {}
            Some(clock) => {
                clock.resume(now, calendar);
                clock.promise(target, now, calendar);
            }
            None => self.run(Metric::Resolution, promise, now, calendar),
        }
    }

    fn stop(&mut self, metrics: &[Metric], now: DateTime<Utc>, calendar: &Calendar) {
        let meant = |clock: &&mut Clock| metrics.contains(&clock.metric);
        self.0.iter_mut().filter(meant).for_each(|clock| clock.stop(now, calendar));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACTIONS: [Action; 11] = [
        Action::HearCustomer,
        Action::Reply,
        Action::Wait(Waiting::ForStaff),
        Action::Wait(Waiting::ForCustomer),
        Action::Wait(Waiting::ForOthers),
        Action::Assign,
        Action::Amend,
        Action::Escalate,
        Action::Solve,
        Action::Reopen,
        Action::Close,
    ];

    /// The statuses after each of the actions above, for one status before; `!` for what is refused.
    fn row(before: Status) -> String {
        let letter = |action| match before.after(action) {
            Ok(Status::New) => 'N',
            Ok(Status::Open) => 'O',
            Ok(Status::Pending) => 'P',
            Ok(Status::OnHold) => 'H',
            Ok(Status::Solved) => 'S',
            Ok(Status::Closed) => 'C',
            Err(_) => '!',
        };
        ACTIONS.into_iter().map(letter).collect()
    }

    #[test]
    fn each_action_leads_where_people_expect_it() {
        //                             hear reply wait: staff, customer, others; assign amend escalate solve reopen close
        assert_eq!(row(Status::New), "NOOPHONNS!C");
        assert_eq!(row(Status::Open), "OOOPHOOOS!C");
        assert_eq!(row(Status::Pending), "OPOPHPPPS!C");
        assert_eq!(row(Status::OnHold), "OHOPHHHHS!C");
        assert_eq!(row(Status::Solved), "OS!!!SS!!OC");
        assert_eq!(row(Status::Closed), "!!!!!!!!!!!");
    }

    #[test]
    fn who_is_served_first_is_never_less_than_high() {
        assert_eq!(Priority::at_first(None, false), Priority::Normal);
        assert_eq!(Priority::at_first(Some(Priority::Low), true), Priority::High);
        assert_eq!(Priority::at_first(Some(Priority::Urgent), true), Priority::Urgent);
    }

    fn promised(minutes: [i64; 3]) -> Promise {
        let metrics = [Metric::FirstReply, Metric::NextReply, Metric::Resolution];
        let target = |(metric, minutes)| (minutes > 0).then_some((metric, TimeDelta::minutes(minutes)));
        Promise { targets: metrics.into_iter().zip(minutes).filter_map(target).collect() }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Act(Action),
        Promise(Promise),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => prop::sample::select(&ACTIONS).prop_map(Step::Act),
            1 => [0_i64..200, 0_i64..200, 0_i64..2_000].prop_map(|minutes| Step::Promise(promised(minutes))),
        ]
    }

    proptest! {
        #[test]
        fn clocks_fit_the_status_whatever_happens(steps in prop::collection::vec((0_i64..300, step()), 1..30)) {
            let calendar = Calendar::AroundTheClock;
            let mut now = DateTime::UNIX_EPOCH;
            let mut promise = promised([60, 30, 1_000]);
            let mut status = Status::New;
            let mut clocks = Clocks::start(&promise, now, &calendar);
            let mut was_breached = false;
            for (minutes, step) in steps {
                now += TimeDelta::minutes(minutes);
                match step {
                    Step::Act(action) => {
                        let Ok(after) = status.after(action) else { continue };
                        status = after;
                        clocks.after(action, status, &promise, now, &calendar);
                    }
                    Step::Promise(other) => {
                        promise = other;
                        clocks.promise(&promise, now, &calendar);
                    }
                }
                let states: Vec<_> = clocks.0.iter().filter(|clock| clock.is_open()).map(|clock| clock.state).collect();
                prop_assert!(status.is_open() || states.is_empty());
                let waits = matches!(status, Status::Pending | Status::OnHold);
                let unfit = if waits { ClockState::Running } else { ClockState::Paused };
                prop_assert!(!states.contains(&unfit));
                prop_assert!(!states.contains(&ClockState::Met));
                for metric in [Metric::FirstReply, Metric::NextReply, Metric::Resolution] {
                    prop_assert!(clocks.0.iter().filter(|clock| clock.metric == metric && clock.is_open()).count() < 2);
                }
                prop_assert!(clocks.open(Metric::FirstReply).is_none() || clocks.open(Metric::NextReply).is_none());
                prop_assert!(!was_breached || clocks.is_breached(), "a breach stays one");
                prop_assert_eq!(clocks.due_at().is_some(), states.iter().any(|state| *state != ClockState::Paused));
                was_breached = clocks.is_breached();
            }
        }
    }

    #[test]
    fn a_promise_is_kept_from_the_first_word_to_the_solution() {
        let (calendar, promise) = (Calendar::AroundTheClock, promised([60, 30, 600]));
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let mut clocks = Clocks::start(&promise, at(0), &calendar);
        let mut status = Status::New;
        let mut act = |minutes, action| {
            status = status.after(action).unwrap_or(status);
            clocks.after(action, status, &promise, at(minutes), &calendar);
            (status, clocks.due_at())
        };
        assert_eq!(act(50, Action::Reply), (Status::Open, Some(at(600))));
        assert_eq!(act(100, Action::Wait(Waiting::ForCustomer)), (Status::Pending, None));
        // The customer answers after two hours: what is left of the solution's time runs on, and a reply is due.
        assert_eq!(act(220, Action::HearCustomer), (Status::Open, Some(at(250))));
        assert_eq!(act(240, Action::Reply), (Status::Open, Some(at(720))));
        assert_eq!(act(300, Action::Solve), (Status::Solved, None));
        // Opened again, it is due when the rest of its ten hours is over.
        assert_eq!(act(1_000, Action::Reopen), (Status::Open, Some(at(1_420))));
        assert!(!clocks.is_breached());
    }
}
