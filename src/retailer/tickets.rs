//! What customers ask for help with, what is said about it, and the clocks that run on it.

use c360_entities::{sla_clock, ticket, ticket_link, ticket_message, ticket_tag};
use c360_rules::id::Kind;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::person::{Actor, Happening, Person, TicketPlan};
use super::reference::{Colleague, METRICS, PRIORITIES, Promise};
use super::text::{Conversation, TEXT};

/// A ticket in the making.
struct Draft<'w> {
    id: Uuid,
    at: DateTime<Utc>,
    channel: &'static str,
    agent: &'w Colleague,
    talk: &'static Conversation,
    /// The number of the order that it is about.
    order: String,
    messages: u64,
}

/// A stretch of time that a promise is about.
#[derive(Clone, Copy)]
struct Stretch {
    from: DateTime<Utc>,
    /// When it ended, if it has.
    until: Option<DateTime<Utc>>,
    /// Waiting for somebody else since.
    paused: Option<DateTime<Utc>>,
}

impl<'w> Person<'w> {
    pub(super) fn make_tickets(&mut self) {
        for (place, plan) in self.traits.tickets.clone().into_iter().enumerate() {
            self.make_ticket(place, plan);
        }
    }

    fn make_ticket(&mut self, place: usize, plan: TicketPlan) {
        let at = (self.as_of() - TimeDelta::minutes(plan.minutes_ago)).max(self.since);
        let priority = if self.traits.vip { self.pick(&[2, 3]) } else { self.pick(&[0, 1, 1, 1, 1, 2, 3]) };
        let first = self.traits.vip || self.rank == 4;
        let service = &self.world.service;
        let (promise, general) =
            if first { (service.vip, service.teams.vip) } else { (service.standard, service.teams.care) };
        let channel = self.pick(&["EMAIL", "EMAIL", "PHONE", "CHAT", "WEB", "MOBILE_APP", "SOCIAL", "POS"]);
        let team = if channel == "SOCIAL" && !first { service.teams.social } else { general };
        let talks: &'static [Conversation] = &TEXT.conversations[self.language()];
        let talk = &talks[self.rng.usize(..talks.len())];
        let about = self.rows.orders.iter().rposition(|order| order.placed_at < at);
        // Without an order there is none to ask about.
        let talk = if about.is_none() { talks.last().unwrap_or(talk) } else { talk };
        let order = about.map(|order| self.rows.orders[order].number.clone()).unwrap_or_default();
        let id = self.id_at(at);
        let agent = self.colleague(Some(team));
        let mut draft = Draft { id, at, channel, agent, talk, order, messages: 0 };
        let number = format!("T-{}", 100_000 + self.index * 8 + place as u64);
        let slot = self.rows.tickets.len();
        self.rows.tickets.push(ticket::Model {
            id,
            customer_id: self.id,
            number: number.clone(),
            status: plan.status.to_owned(),
            priority: PRIORITIES[priority].to_owned(),
            priority_rank: i16::try_from(priority + 1).unwrap_or(1),
            kind: match talk.topic {
                "DAMAGED" | "ACCOUNT" | "PAYMENT" => "INCIDENT",
                "DELIVERY" => "PROBLEM",
                "INVOICE" | "SIZE" => "TASK",
                _ => "QUESTION",
            }
            .to_owned(),
            channel: channel.to_owned(),
            source: "c360".to_owned(),
            subject: talk.subject.replace("{order}", &draft.order),
            assignee_id: (plan.status != "NEW").then_some(agent.id),
            team_id: Some(team),
            sla_policy_id: Some(promise.policy),
            sla_due_at: None,
            sla_breached: false,
            escalated_at: None,
            merged_into_id: None,
            first_replied_at: None,
            solved_at: None,
            version: 1,
            created_at: at,
            updated_at: at,
        });
        let created = Happening::new("TICKET_CREATED", "TICKETS", at, (Kind::Ticket, id));
        self.happened(Happening {
            label: Some(number.clone()),
            channel: Some(channel),
            actor: Actor::Customer,
            ..created
        });
        self.make_talk(slot, &mut draft, plan, promise.minutes[priority], &number);
        self.write_clocks(slot, promise, priority, plan);
        self.make_links(&draft, about);
    }

    /// The messages of a ticket, and what follows from them for the ticket.
    fn make_talk(&mut self, slot: usize, draft: &mut Draft<'w>, plan: TicketPlan, minutes: [i32; 3], number: &str) {
        let target = i64::from(minutes[0]) * 60;
        self.say(draft, 0, draft.at);
        // A neglected ticket waits for longer than was promised.
        let wait = if plan.neglected { target + self.rng.i64(600..7_200) } else { self.rng.i64(60..target * 8 / 10) };
        let reply = draft.at + TimeDelta::seconds(wait);
        let answered = plan.status != "NEW" && reply < self.as_of() && !(plan.neglected && plan.status == "OPEN");
        let mut last = draft.at;
        if answered {
            if self.chance(30) {
                self.jot_down(draft, reply - TimeDelta::seconds(20));
            }
            self.say(draft, 1, reply);
            self.rows.tickets[slot].first_replied_at = Some(reply);
            last = reply;
        }
        let done = matches!(plan.status, "SOLVED" | "CLOSED");
        if answered && (done || plan.status == "OPEN") {
            let again = reply + TimeDelta::seconds(self.rng.i64(600..20_000));
            if again < self.as_of() && self.chance(70) {
                self.say(draft, 2, again);
                last = again;
            }
        }
        if done {
            let slow = if plan.neglected { i64::from(minutes[2]) * 60 } else { 0 };
            let solved = (last + TimeDelta::seconds(slow + self.rng.i64(900..90_000)))
                .min(self.as_of() - TimeDelta::hours(1))
                .max(last);
            self.say(draft, 3, solved);
            let ticket = &mut self.rows.tickets[slot];
            ticket.solved_at = Some(solved);
            ticket.first_replied_at.get_or_insert(solved);
            last = solved;
            let happened = Happening::new("TICKET_SOLVED", "TICKETS", solved, (Kind::Ticket, draft.id));
            self.happened(Happening {
                label: Some(number.to_owned()),
                actor: Actor::Staff(draft.agent.subject),
                ..happened
            });
        }
        if plan.neglected && self.chance(50) {
            let at =
                (draft.at + TimeDelta::seconds(target + 120)).min(self.as_of() - TimeDelta::minutes(1)).max(draft.at);
            self.rows.tickets[slot].escalated_at = Some(at);
            let escalated = Happening::new("TICKET_ESCALATED", "TICKETS", at, (Kind::Ticket, draft.id));
            self.happened(Happening { label: Some(number.to_owned()), staff_only: true, ..escalated });
            last = last.max(at);
        }
        let ticket = &mut self.rows.tickets[slot];
        ticket.updated_at = last;
        ticket.version = 1 + i64::try_from(draft.messages).unwrap_or(0);
    }

    /// One turn of the conversation: even ones are the customer's.
    fn say(&mut self, draft: &mut Draft<'w>, turn: usize, at: DateTime<Utc>) {
        let body = draft.talk.turns[turn].replace("{order}", &draft.order);
        let staff = (turn % 2 == 1).then_some(draft.agent.id);
        self.message(draft, "PUBLIC", staff, body, at);
    }

    /// A note that the customer does not see.
    fn jot_down(&mut self, draft: &mut Draft<'w>, at: DateTime<Utc>) {
        let body = self.pick(&TEXT.ticket_notes).to_owned();
        self.message(draft, "INTERNAL", Some(draft.agent.id), body, at.max(draft.at));
    }

    fn message(
        &mut self,
        draft: &mut Draft<'w>,
        visibility: &str,
        staff_id: Option<Uuid>,
        body: String,
        at: DateTime<Utc>,
    ) {
        draft.messages += 1;
        let id = self.id_at(at);
        self.rows.ticket_messages.push(ticket_message::Model {
            id,
            ticket_id: draft.id,
            customer_id: self.id,
            visibility: visibility.to_owned(),
            author_kind: if staff_id.is_some() { "STAFF" } else { "CUSTOMER" }.to_owned(),
            staff_id,
            channel: draft.channel.to_owned(),
            body,
            source: "c360".to_owned(),
            external_id: None,
            created_at: at,
        });
    }

    /// The clocks of a ticket: first reply, next reply, resolution.
    fn write_clocks(&mut self, slot: usize, promise: Promise, priority: usize, plan: TicketPlan) {
        let ticket = &self.rows.tickets[slot];
        let (id, created, replied, solved) = (ticket.id, ticket.created_at, ticket.first_replied_at, ticket.solved_at);
        let waits = matches!(plan.status, "PENDING" | "ON_HOLD");
        let paused = waits.then(|| replied.unwrap_or(created));
        let asked = self.rows.ticket_messages.iter().rev().take_while(|message| message.ticket_id == id);
        let again =
            asked.filter(|m| m.author_kind == "CUSTOMER" && m.created_at > created).map(|m| m.created_at).next();
        let mut stretches = vec![(0, Stretch { from: created, until: replied, paused: None })];
        if let Some(from) = again {
            stretches.push((1, Stretch { from, until: solved, paused: None }));
        }
        stretches.push((2, Stretch { from: created, until: solved, paused }));
        let (mut due, mut breached): (Option<DateTime<Utc>>, bool) = (None, false);
        for (metric, stretch) in stretches {
            let clock = self.clock(id, metric, promise.minutes[priority][metric], stretch);
            breached |= clock.status == "BREACHED";
            if clock.stopped_at.is_none()
                && let Some(at) = clock.due_at
            {
                due = Some(due.map_or(at, |earlier| earlier.min(at)));
            }
            self.rows.sla_clocks.push(clock);
        }
        let ticket = &mut self.rows.tickets[slot];
        (ticket.sla_due_at, ticket.sla_breached) = (due, breached);
    }

    fn clock(&mut self, ticket_id: Uuid, metric: usize, target_minutes: i32, stretch: Stretch) -> sla_clock::Model {
        let end = stretch.until.or(stretch.paused).unwrap_or(self.as_of());
        let target = TimeDelta::minutes(i64::from(target_minutes));
        let (elapsed, due) = (end - stretch.from, stretch.from + target);
        let late = elapsed > target || (stretch.until.is_none() && stretch.paused.is_none() && due <= self.as_of());
        let status = match stretch {
            _ if late => "BREACHED",
            Stretch { until: Some(_), .. } => "MET",
            Stretch { paused: Some(_), .. } => "PAUSED",
            _ => "RUNNING",
        };
        sla_clock::Model {
            id: self.id_at(stretch.from),
            ticket_id,
            customer_id: self.id,
            metric: METRICS[metric].to_owned(),
            status: status.to_owned(),
            target_minutes,
            elapsed_seconds: elapsed.num_seconds().max(0),
            started_at: stretch.from,
            due_at: (status != "PAUSED").then_some(due),
            stopped_at: stretch.until,
            breached_at: late.then_some(due),
        }
    }

    fn make_links(&mut self, draft: &Draft<'w>, about: Option<usize>) {
        let (ticket_id, customer_id) = (draft.id, self.id);
        let tag = draft.talk.topic.to_lowercase();
        self.rows.ticket_tags.push(ticket_tag::Model { ticket_id, tag, customer_id });
        let Some(order) = about.filter(|_| !matches!(draft.talk.topic, "LOYALTY" | "ACCOUNT")) else { return };
        let order_id = self.rows.orders[order].id;
        let id = self.id_at(draft.at);
        self.rows.ticket_links.push(ticket_link::Model {
            id,
            ticket_id,
            customer_id,
            order_id: Some(order_id),
            return_id: None,
        });
        let back = self.rows.returns.iter().find(|r| r.order_id == order_id && r.requested_at < draft.at).map(|r| r.id);
        if let Some(return_id) = back.filter(|_| matches!(draft.talk.topic, "REFUND" | "SIZE" | "DAMAGED")) {
            let id = self.id_at(draft.at);
            self.rows.ticket_links.push(ticket_link::Model {
                id,
                ticket_id,
                customer_id,
                order_id: None,
                return_id: Some(return_id),
            });
        }
    }
}
