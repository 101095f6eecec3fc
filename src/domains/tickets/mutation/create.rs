//! `ticketCreate`: a new ticket.

use async_graphql::{ID, InputObject};
use c360_entities::ticket;
use c360_rules::id::Kind;
use c360_rules::ticket::Priority;

use super::inputs::{About, Written, abouts, add_tags, link, tags};
use crate::auth::Actor;
use crate::domains::customers::{CustomerIdentifier, whose};
use crate::domains::tickets::desk::{Desk, Words};
use crate::domains::tickets::object::{Ticket, TicketMessage};
use crate::domains::tickets::service::route;
use crate::domains::tickets::store::{self, TicketAuthorKind, TicketChannel, TicketPriority, TicketType};
use crate::error::Fault;
use crate::events::TimelineEntryKind;
use crate::graphql::id;
use crate::payload;
use crate::read::Find;
use crate::write::{Action, Locked, Outcome, Tx, Work, long_text, short_text};

/// A new ticket.
#[derive(Clone, Debug, InputObject)]
pub struct TicketCreateInput {
    /// Whose ticket; a customer's own token may leave it out.
    customer: Option<CustomerIdentifier>,
    /// What it is about, in one line of at most 500 characters.
    subject: String,
    /// What the customer wants, in at most 20,000 characters. It is the first message, which the customer sees.
    message: String,
    /// Where it is made.
    channel: TicketChannel,
    /// What it is.
    #[graphql(name = "type", default_with = "TicketType::Question")]
    kind: TicketType,
    /// Orders of the customer that it is about.
    #[graphql(default)]
    order_ids: Vec<ID>,
    /// Returns of the customer that it is about.
    #[graphql(default)]
    return_ids: Vec<ID>,
    /// How urgent it is; NORMAL if left out. Staff only.
    priority: Option<TicketPriority>,
    /// Who works on it. Staff only.
    assignee_id: Option<ID>,
    /// The team that works on it; if left out, that of the customers who are served first works on theirs. Staff only.
    team_id: Option<ID>,
    /// Tags, which are stored in lower case and with hyphens for spaces. Staff only.
    tags: Option<Vec<String>>,
    /// Makes it safe to send the request again: one ticket is made for each key.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of opening a ticket.
    TicketCreatePayload of Written {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
        /// Its first message.
        message: TicketMessage = |made| Some(store::message(made.message)),
    }
    TicketCreateUserError {
        TicketCreateErrorCode:
        NotFound, Blank, TooLong, InvalidText, OutOfRange,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

/// A ticket in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) channel: TicketChannel,
    pub(super) kind: TicketType,
    pub(super) priority: Option<TicketPriority>,
    pub(super) author: TicketAuthorKind,
    pub(super) external_id: Option<String>,
    pub(super) about: Vec<About>,
}

impl Action for TicketCreateInput {
    const NAME: &'static str = "ticketCreate";

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }
}

impl Work for TicketCreateInput {
    type Made = Written;

    async fn run(&self, tx: &mut Tx) -> Outcome<Written> {
        self.for_staff(tx)?;
        let parsed = |argument, kind, id: &Option<ID>| id.as_ref().map(|id| id::parse(argument, kind, id)).transpose();
        let assignee = parsed("input.assigneeId", Kind::Staff, &self.assignee_id)?;
        let team = parsed("input.teamId", Kind::Team, &self.team_id)?;
        let draft = Draft {
            subject: short_text("subject", &self.subject)?,
            body: long_text("message", &self.message)?,
            channel: self.channel,
            kind: self.kind,
            priority: self.priority,
            author: author(tx),
            external_id: None,
            about: abouts(&self.order_ids, &self.return_ids)?,
        };
        let tags = tags("tags", self.tags.as_deref().unwrap_or_default())?;
        let customer = whose(tx, self.customer.as_ref()).await?;
        let mut desk = draft.desk(tx, &customer).await?;
        if team.is_some() {
            desk.hand_over(tx, team).await?;
        }
        if assignee.is_some() {
            desk.assign(tx, assignee).await?;
        }
        let made = draft.enter(tx, desk).await?;
        add_tags(tx, (made.ticket, customer.id), "tags", tags).await?;
        Ok(made)
    }
}

impl TicketCreateInput {
    /// How staff share out their work is not for others to say.
    fn for_staff(&self, tx: &Tx) -> Outcome<()> {
        if tx.caller().is_some_and(crate::auth::Caller::is_staff) {
            return Ok(());
        }
        let set = [
            ("priority", self.priority.is_some()),
            ("assigneeId", self.assignee_id.is_some()),
            ("teamId", self.team_id.is_some()),
            ("tags", self.tags.is_some()),
        ];
        match set.into_iter().find(|(_, is_set)| *is_set) {
            Some((field, _)) => {
                let fault = Fault::forbidden(format!("a role of staff for input.{field}"));
                Err(Fault { argument: Some(format!("input.{field}")), ..fault }.into())
            }
            None => Ok(()),
        }
    }
}

fn author(tx: &Tx) -> TicketAuthorKind {
    match tx.caller().map(|caller| &caller.actor) {
        Some(Actor::Staff(_)) => TicketAuthorKind::Staff,
        Some(Actor::Customer(_)) => TicketAuthorKind::Customer,
        Some(Actor::Partner(_)) => TicketAuthorKind::Partner,
        None => TicketAuthorKind::System,
    }
}

impl Draft {
    /// The ticket on the desk, where it goes by itself.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn desk(&self, tx: &mut Tx, customer: &Locked) -> Outcome<Desk> {
        let route = route(tx, customer).await?;
        let priority: TicketPriority = Priority::at_first(self.priority.map(Into::into), route.first).into();
        let row = ticket::Model {
            id: tx.new_id(),
            customer_id: customer.id,
            number: String::new(),
            status: "NEW".to_owned(),
            priority: priority.as_str().to_owned(),
            priority_rank: priority.rank(),
            kind: self.kind.as_str().to_owned(),
            channel: self.channel.as_str().to_owned(),
            source: tx.source(),
            subject: self.subject.clone(),
            assignee_id: None,
            team_id: route.team_id,
            sla_policy_id: route.policy_id,
            sla_due_at: None,
            sla_breached: false,
            escalated_at: None,
            merged_into_id: None,
            first_replied_at: None,
            solved_at: None,
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        Desk::new(tx, row).await
    }

    /// Brings the ticket into the books, with its first message and what it is about, and tells of it.
    ///
    /// # Errors
    /// `NOT_FOUND` for what it would be about, `OUT_OF_RANGE`, `EXTERNAL_ID_REUSED`.
    pub(super) async fn enter(self, tx: &mut Tx, desk: Desk) -> Outcome<Written> {
        let mut desk = desk.enter(tx).await?;
        let ticket = desk.row.id;
        let words = Words {
            author: self.author,
            is_internal: false,
            channel: self.channel,
            body: self.body,
            external_id: self.external_id,
        };
        let message = desk.write(tx, words).await?;
        link(tx, (ticket, desk.row.customer_id), &self.about, ["orderIds", "returnIds"]).await?;
        tx.tell(desk.event(TimelineEntryKind::TicketCreated).channel(self.channel.as_str()));
        Ok(Written { ticket, message })
    }
}
