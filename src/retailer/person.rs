//! One customer in the making: what they are like, and the rows made so far.

use c360_entities::event;
use c360_rules::id::Kind;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::Plan;
use super::homes::{HOMES, Home};
use super::reference::{Colleague, World};
use super::rows::Rows;
use super::text::{Language, TEXT};
use crate::clock;

/// What a customer is like, decided before any row is made.
#[derive(Clone, Debug)]
pub(super) struct Traits {
    pub(super) home: &'static Home,
    /// The name as the person writes it.
    pub(super) name: String,
    /// The name in Latin letters, for addresses and handles: `ana.petrova`.
    pub(super) handle: String,
    pub(super) email: String,
    /// As written and in E.164; of everyone else's if none is set.
    pub(super) phone: Option<(String, String)>,
    pub(super) phone_verified: bool,
    pub(super) vip: bool,
    pub(super) risk: &'static str,
    pub(super) member: bool,
    /// How long they have been a customer.
    pub(super) days: i64,
    pub(super) orders: usize,
    pub(super) tickets: Vec<TicketPlan>,
    pub(super) opinions: Vec<Opinion>,
    /// A parcel that should have been there by now.
    pub(super) late_parcel: bool,
    /// Points that expire within days.
    pub(super) points_expiring: bool,
    /// An order that comes back after its points were spent.
    pub(super) points_owed: bool,
    /// One of the last orders came back, whatever chance says.
    pub(super) returns: bool,
    /// Points reserved at a till right now.
    pub(super) points_held: bool,
    /// The index of a customer who turned out to be the same person.
    pub(super) absorbs: Option<u64>,
}

/// A ticket to make.
#[derive(Clone, Copy, Debug)]
pub(super) struct TicketPlan {
    pub(super) status: &'static str,
    /// When it was created, in minutes before now.
    pub(super) minutes_ago: i64,
    /// Nobody answered in time.
    pub(super) neglected: bool,
}

/// Feedback to make.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opinion {
    /// `N` net promoter survey, `S` any survey, `R` review, `M` mention, `G` suggestion.
    pub(super) kind: char,
    pub(super) bad: bool,
    pub(super) days_ago: i64,
}

impl Traits {
    /// A customer like any other.
    pub(super) fn random(rng: &mut fastrand::Rng, plan: &Plan, index: u64) -> Self {
        let home = home(rng);
        let gender = rng.usize(..2);
        let names = &TEXT.names[home.language];
        let given = names.given[gender][rng.usize(..names.given[gender].len())];
        let family = names.family[gender][rng.usize(..names.family[gender].len())];
        let name = match home.country {
            "KR" => format!("{}{}", family.local, given.local),
            _ => format!("{} {}", given.local, family.local),
        };
        let handle = format!("{}.{}", given.latin, family.latin).to_lowercase();
        let days = 20 + rng.i64(0..1_600);
        // Squared: most order seldom, few order often.
        let u = rng.f64();
        let orders = (u * u * f64::from(plan.most_orders * plan.history) / 100.0) as usize;
        Self {
            home,
            name,
            email: format!("{handle}.{index}@example.com"),
            handle,
            phone: None,
            phone_verified: rng.u8(..100) < 60,
            vip: rng.u8(..100) < 3,
            risk: ["LOW", "LOW", "LOW", "LOW", "LOW", "LOW", "LOW", "MEDIUM", "MEDIUM", "HIGH"][rng.usize(..10)],
            member: rng.u8(..100) < 85,
            days,
            orders,
            tickets: some(random_tickets(rng, days), rng, plan.history),
            opinions: some(random_opinions(rng, days), rng, plan.history),
            late_parcel: rng.u8(..100) < 1,
            points_expiring: rng.u8(..100) < 4,
            points_owed: false,
            returns: false,
            points_held: rng.u16(..1_000) < 5,
            absorbs: None,
        }
    }
}

/// So many of a hundred.
fn some<T>(mut all: Vec<T>, rng: &mut fastrand::Rng, percent: u32) -> Vec<T> {
    if percent < 100 {
        all.retain(|_| rng.u32(..100) < percent);
    }
    all
}

fn home(rng: &mut fastrand::Rng) -> &'static Home {
    let mut left = rng.usize(..100);
    for home in &HOMES {
        if left < home.share {
            return home;
        }
        left -= home.share;
    }
    &HOMES[0]
}

fn random_tickets(rng: &mut fastrand::Rng, days: i64) -> Vec<TicketPlan> {
    let count = [0, 0, 1, 1, 2, 2, 2, 3, 4, 5][rng.usize(..10)];
    let mut tickets = Vec::with_capacity(count);
    for place in 0..count {
        let neglected = rng.u8(..100) < 15;
        // The last one may still be open; the others are done.
        let open = place + 1 == count && rng.u8(..100) < 35;
        let status = if open {
            ["NEW", "OPEN", "OPEN", "PENDING", "ON_HOLD"][rng.usize(..5)]
        } else {
            ["SOLVED", "CLOSED", "CLOSED"][rng.usize(..3)]
        };
        let minutes_ago = match status {
            "NEW" => rng.i64(5..300),
            "OPEN" | "PENDING" | "ON_HOLD" => rng.i64(300..5 * 1_440),
            "SOLVED" => rng.i64(5 * 1_440..15 * 1_440),
            _ => rng.i64(15 * 1_440..(days * 1_440).max(15 * 1_440 + 1)),
        };
        tickets.push(TicketPlan { status, minutes_ago: minutes_ago.min(days * 1_440 - 60), neglected });
    }
    tickets.sort_by_key(|ticket| std::cmp::Reverse(ticket.minutes_ago));
    tickets
}

fn random_opinions(rng: &mut fastrand::Rng, days: i64) -> Vec<Opinion> {
    let count = rng.usize(..7);
    let mut opinions: Vec<_> = (0..count)
        .map(|_| Opinion {
            kind: ['S', 'S', 'S', 'S', 'S', 'R', 'R', 'M', 'G'][rng.usize(..9)],
            bad: rng.u8(..100) < 20,
            days_ago: 1 + rng.i64(0..(days - 1).clamp(1, 700)),
        })
        .collect();
    opinions.sort_by_key(|opinion| std::cmp::Reverse(opinion.days_ago));
    opinions
}

/// A customer and the rows made for them so far.
#[derive(Debug)]
pub(super) struct Person<'w> {
    pub(super) world: &'w World,
    pub(super) rng: fastrand::Rng,
    pub(super) rows: Rows,
    /// Counted from 1.
    pub(super) index: u64,
    pub(super) id: Uuid,
    pub(super) traits: Traits,
    /// When they became a customer.
    pub(super) since: DateTime<Utc>,
    /// The rank of their tier, if they are a member.
    pub(super) rank: i32,
}

/// Who did something.
#[derive(Clone, Copy, Debug)]
pub(super) enum Actor {
    Customer,
    System,
    Staff(&'static str),
    Partner(&'static str),
}

/// Something that happened, for the timeline.
#[derive(Debug)]
pub(super) struct Happening {
    pub(super) kind: &'static str,
    pub(super) domain: &'static str,
    pub(super) at: DateTime<Utc>,
    pub(super) subject: (Kind, Uuid),
    /// Never a personal value.
    pub(super) label: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) points: Option<i64>,
    pub(super) channel: Option<&'static str>,
    pub(super) actor: Actor,
    pub(super) staff_only: bool,
}

impl Happening {
    pub(super) fn new(kind: &'static str, domain: &'static str, at: DateTime<Utc>, subject: (Kind, Uuid)) -> Self {
        Self {
            kind,
            domain,
            at,
            subject,
            label: None,
            amount: None,
            points: None,
            channel: None,
            actor: Actor::System,
            staff_only: false,
        }
    }
}

impl<'w> Person<'w> {
    /// Somebody without any row yet, who has randomness of their own.
    pub(super) fn new(world: &'w World, index: u64, mut rng: fastrand::Rng, traits: Traits) -> Self {
        let since = (world.plan.as_of - TimeDelta::days(traits.days) - TimeDelta::seconds(rng.i64(0..86_400)))
            .max(world.opened);
        let id = clock::id_at(since, &mut rng);
        Self { world, rng, rows: Rows::default(), index, id, traits, since, rank: 0 }
    }

    pub(super) fn as_of(&self) -> DateTime<Utc> {
        self.world.plan.as_of
    }

    pub(super) fn currency(&self) -> String {
        self.traits.home.currency.to_owned()
    }

    pub(super) fn language(&self) -> Language {
        self.traits.home.language
    }

    pub(super) fn id_at(&mut self, at: DateTime<Utc>) -> Uuid {
        clock::id_at(at, &mut self.rng)
    }

    /// True this often of a hundred times.
    pub(super) fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.usize(..from.len())]
    }

    /// An instant so many hours later, give or take minutes, and never later than a few minutes ago.
    pub(super) fn later(&mut self, at: DateTime<Utc>, hours: std::ops::Range<i64>) -> DateTime<Utc> {
        let seconds = self.rng.i64(hours.start * 3_600..hours.end * 3_600);
        (at + TimeDelta::seconds(seconds)).min(self.as_of() - TimeDelta::minutes(5))
    }

    /// Somebody who answers tickets, of a team if there is one.
    pub(super) fn colleague(&mut self, team: Option<Uuid>) -> &'w Colleague {
        let fits = |c: &&Colleague| c.answers && team.is_none_or(|team| c.team == team);
        let count = self.world.staff.iter().filter(fits).count().max(1);
        let place = self.rng.usize(..count);
        self.world.staff.iter().filter(fits).nth(place).unwrap_or(&self.world.staff[0])
    }

    /// Writes something into the event log.
    pub(super) fn happened(&mut self, what: Happening) {
        let (actor_kind, actor_id, source) = match what.actor {
            Actor::Customer => ("CUSTOMER", None, "c360"),
            Actor::System => ("SYSTEM", None, "c360"),
            Actor::Staff(subject) => ("STAFF", Some(subject.to_owned()), "c360"),
            Actor::Partner(source) => ("PARTNER", Some(format!("{source}-partner")), source),
        };
        let (subject_kind, subject_id) = what.subject;
        let id = self.id_at(what.at);
        self.rows.events.push(event::Model {
            id,
            customer_id: Some(self.id),
            kind: what.kind.to_owned(),
            domain: what.domain.to_owned(),
            visibility: if what.staff_only { "STAFF" } else { "CUSTOMER" }.to_owned(),
            subject_kind: Some(subject_kind.prefix().to_owned()),
            subject_id: Some(subject_id),
            label: what.label,
            amount: what.amount,
            currency: what.amount.map(|_| self.currency()),
            points: what.points,
            channel: what.channel.map(str::to_owned),
            actor_kind: actor_kind.to_owned(),
            actor_id,
            source: source.to_owned(),
            reason: None,
            occurred_at: what.at,
            recorded_at: what.at,
            position: None,
            hash: None,
            client_id: None,
            request_id: None,
        });
    }
}
