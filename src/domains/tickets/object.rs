//! GraphQL types of tickets, and this domain's part of `Customer`.

use async_graphql::{Context, ID, InputObject, Object, Result};
use c360_rules::id::Kind;

use super::store::{
    ClockRow, LinkRow, MessageRow, SlaClockStatus, SlaMetric, SlaPolicyRow, TeamRow, TicketAuthorKind, TicketChannel,
    TicketPriority, TicketRow, TicketStatus, TicketTagRow, TicketType,
};
use crate::domains::customers::object::Staff;
use crate::domains::customers::store::{CustomerRow, StaffRow};
use crate::domains::orders::object::{Order, Return};
use crate::domains::orders::store::{OrderRow, ReturnRow};
use crate::domains::timeline::object::TimelineEntry;
use crate::domains::timeline::store::EventRow;
use crate::graphql::{DateTime, free_text, gid};
use crate::objects;
use crate::read::{Connection, Eager, Handle, PageArguments};
use crate::view360::Customer;

objects! {
    /// A ticket.
    Ticket(TicketRow);
    /// A message or a note.
    TicketMessage(MessageRow);
    /// A tag of a ticket.
    TicketTag(TicketTagRow);
    /// What a ticket is about.
    TicketLink(LinkRow);
    /// A team.
    Team(TeamRow);
    /// A clock of a ticket.
    SlaClock(ClockRow);
    /// What customers are promised.
    SlaPolicy(SlaPolicyRow);
}

/// The tickets of a customer.
#[derive(Clone, Debug)]
pub struct CustomerTickets(pub(crate) Handle<CustomerRow>);

/// Tickets of a customer.
#[Object]
impl CustomerTickets {
    /// What the customer asked for help with, on every channel, newest first.
    async fn tickets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only tickets that meet all of these.", name = "filter")] _filter: Option<TicketFilter>,
    ) -> Result<Option<Connection<Ticket>>> {
        Ok(Some(self.0.page::<TicketRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }
}

/// Which tickets of a customer.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TicketFilter {
    /// True for tickets that are not solved yet (NEW, OPEN, PENDING, ON_HOLD); false for those that are.
    pub is_open: Option<bool>,
    /// With one of these statuses.
    pub status: Option<Vec<TicketStatus>>,
    /// With one of these priorities.
    pub priority: Option<Vec<TicketPriority>>,
    /// Made on this channel.
    pub channel: Option<TicketChannel>,
}

/// Something that a customer asked for help with.
#[Object]
impl Ticket {
    /// The ticket's id.
    pub(crate) async fn id(&self) -> ID {
        gid(Kind::Ticket, self.0.id)
    }

    /// The number that the customer was told.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// How far it has come.
    async fn status(&self) -> TicketStatus {
        self.0.status
    }

    /// How urgent it is.
    async fn priority(&self) -> TicketPriority {
        self.0.priority
    }

    /// What it is.
    #[graphql(name = "type")]
    async fn kind(&self) -> TicketType {
        self.0.kind
    }

    /// Where it was made.
    async fn channel(&self) -> TicketChannel {
        self.0.channel
    }

    /// The system that it comes from, such as a help desk.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// What it is about, in one line. Masked without `pii:read`.
    async fn subject(&self) -> String {
        free_text(&self.0.subject, self.0.pii, self.0.hidden_name.as_deref())
    }

    /// When staff replied for the first time.
    async fn first_replied_at(&self) -> Option<DateTime> {
        self.0.first_replied_at.map(Into::into)
    }

    /// When it was solved; null while it is open.
    async fn solved_at(&self) -> Option<DateTime> {
        self.0.solved_at.map(Into::into)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// Grows with every change; give it back as `expectedVersion`.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// Whose ticket it is.
    async fn customer(&self) -> Result<Option<Eager<Customer>>> {
        Ok(self.0.one::<CustomerRow, _>("customer", Some(self.0.customer_id))?)
    }

    /// What was written to and by the customer, newest first.
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<TicketMessage>>> {
        Ok(Some(self.0.page::<MessageRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// The orders and returns that it is about; at most 100.
    async fn links(&self) -> Result<Option<Vec<Eager<TicketLink>>>> {
        Ok(Some(self.0.few::<LinkRow, _>("links", self.0.id)?))
    }

    /// The ticket in which it goes on, if it was merged into another one.
    async fn merged_into(&self) -> Result<Option<Eager<Ticket>>> {
        Ok(self.0.one::<TicketRow, _>("mergedInto", self.0.merged_into_id)?)
    }

    /// The tickets that go on in this one, newest first; at most 100.
    async fn merged_tickets(&self) -> Result<Option<Vec<Eager<Ticket>>>> {
        Ok(Some(self.0.few::<TicketRow, _>("mergedTickets", self.0.id)?))
    }

    /// Who works on it; null when nobody does yet. Staff only.
    async fn assignee(&self) -> Result<Option<Eager<Staff>>> {
        Ok(self.0.one::<StaffRow, _>("assignee", self.0.assignee_id)?)
    }

    /// The team that works on it. Staff only.
    async fn team(&self) -> Result<Option<Eager<Team>>> {
        Ok(self.0.one::<TeamRow, _>("team", self.0.team_id)?)
    }

    /// When the next promise to the customer is due; null when no clock runs. Staff only.
    async fn sla_due_at(&self) -> Option<DateTime> {
        self.0.sla_due_at.map(Into::into)
    }

    /// Whether a promise to the customer was broken. Staff only.
    async fn sla_breached(&self) -> Option<bool> {
        let row = &self.0;
        let is_overdue = || row.status.is_open() && row.sla_due_at.is_some_and(|at| row.scope().passed(at));
        Some(row.sla_breached || is_overdue())
    }

    /// When it was handed to somebody with more to decide. Staff only.
    async fn escalated_at(&self) -> Option<DateTime> {
        self.0.escalated_at.map(Into::into)
    }

    /// What staff have tagged it with, in alphabetical order; at most 100. Staff only.
    async fn tags(&self) -> Result<Option<Vec<String>>> {
        let tags: Vec<TicketTag> = self.0.few::<TicketTagRow, _>("tags", self.0.id)?;
        let mut tags: Vec<_> = tags.into_iter().map(|tag| tag.0.tag.clone()).collect();
        tags.sort_unstable();
        Ok(Some(tags))
    }

    /// What staff have noted for each other, newest first. Staff only.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<TicketMessage>>> {
        Ok(Some(self.0.page::<MessageRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// What was done with it, newest first. Staff only.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<TimelineEntry>>> {
        Ok(Some(self.0.page::<EventRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// The clocks that measure the promises to the customer, newest first; at most 100. Staff only.
    async fn sla_clocks(&self) -> Result<Option<Vec<Eager<SlaClock>>>> {
        Ok(Some(self.0.few::<ClockRow, _>("slaClocks", self.0.id)?))
    }

    /// What the customer is promised. Staff only.
    async fn sla_policy(&self) -> Result<Option<Eager<SlaPolicy>>> {
        Ok(self.0.one::<SlaPolicyRow, _>("slaPolicy", self.0.sla_policy_id)?)
    }
}

/// Something that was written on a ticket.
#[Object]
impl TicketMessage {
    /// The message's id.
    async fn id(&self) -> ID {
        gid(Kind::Message, self.0.id)
    }

    /// What kind of author wrote it.
    async fn author_kind(&self) -> TicketAuthorKind {
        self.0.author_kind
    }

    /// The member of staff who wrote it; null when somebody else did. Staff only.
    async fn author(&self) -> Result<Option<Eager<Staff>>> {
        Ok(self.0.one::<StaffRow, _>("author", self.0.staff_id)?)
    }

    /// Where it was written.
    async fn channel(&self) -> TicketChannel {
        self.0.channel
    }

    /// What it says. Masked without `pii:read`.
    async fn body(&self) -> String {
        free_text(&self.0.body, self.0.pii, self.0.hidden_name.as_deref())
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// An order or a return that a ticket is about: exactly one of the two.
#[Object]
impl TicketLink {
    /// The order.
    async fn order(&self) -> Result<Option<Eager<Order>>> {
        Ok(self.0.one::<OrderRow, _>("order", self.0.order_id)?)
    }

    /// The return.
    async fn r#return(&self) -> Result<Option<Eager<Return>>> {
        Ok(self.0.one::<ReturnRow, _>("return", self.0.return_id)?)
    }
}

/// Members of staff who share their work.
#[Object]
impl Team {
    /// The team's id.
    async fn id(&self) -> ID {
        gid(Kind::Team, self.0.id)
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it works for the customers who are served first.
    async fn serves_vip(&self) -> bool {
        self.0.serves_vip
    }
}

/// A clock that measures whether a promise to the customer is kept.
#[Object]
impl SlaClock {
    /// The clock's id.
    async fn id(&self) -> ID {
        gid(Kind::SlaClock, self.0.id)
    }

    /// What it measures.
    async fn metric(&self) -> SlaMetric {
        self.0.metric
    }

    /// How it stands.
    async fn status(&self) -> SlaClockStatus {
        if self.has_run_out() { SlaClockStatus::Breached } else { self.0.status }
    }

    /// How many minutes were promised; where the policy has a calendar, minutes of its business hours.
    async fn target_minutes(&self) -> i32 {
        self.0.target_minutes
    }

    /// When it started.
    async fn started_at(&self) -> DateTime {
        self.0.started_at.into()
    }

    /// When the time runs out; null while it stands still.
    async fn due_at(&self) -> Option<DateTime> {
        self.0.due_at.map(Into::into)
    }

    /// When it stopped because the promise was kept or fell away.
    async fn stopped_at(&self) -> Option<DateTime> {
        self.0.stopped_at.map(Into::into)
    }

    /// When the time ran out.
    async fn breached_at(&self) -> Option<DateTime> {
        let overdue = self.0.due_at.filter(|_| self.has_run_out());
        self.0.breached_at.or(overdue).map(Into::into)
    }
}

impl SlaClock {
    /// Whether it is recorded as running although its time is over.
    fn has_run_out(&self) -> bool {
        self.0.status == SlaClockStatus::Running && self.0.due_at.is_some_and(|at| self.0.scope().passed(at))
    }
}

/// What customers are promised about replies and solutions.
#[Object]
impl SlaPolicy {
    /// The policy's id.
    async fn id(&self) -> ID {
        gid(Kind::SlaPolicy, self.0.id)
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }
}
