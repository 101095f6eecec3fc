//! `ticketReply`, `ticketMessageReceive`, `ticketNoteAdd`: what is written on tickets.

use async_graphql::{ID, InputObject};
use c360_entities::ticket_message;
use c360_rules::ticket::{Action as Step, Status};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::create::Draft;
use super::inputs::{Written, ticket_id};
use crate::auth::Caller;
use crate::domains::customers::{CustomerIdentifier, whose};
use crate::domains::tickets::desk::{Desk, Words, customer_of};
use crate::domains::tickets::object::{Ticket, TicketMessage};
use crate::domains::tickets::store::{self, TicketAuthorKind, TicketChannel, TicketType};
use crate::events::TimelineEntryKind;
use crate::payload;
use crate::read::Find;
use crate::write::{Action, Locked, Outcome, Problem, Refusal, Stop, Tx, Work, long_text, short_text};

/// Most characters of a subject that is taken from a message.
const SUBJECT: usize = 100;

/// A public message.
#[derive(Clone, Debug, InputObject)]
pub struct TicketReplyInput {
    /// The ticket.
    ticket_id: ID,
    /// What to write, in at most 20,000 characters.
    body: String,
    /// Where it is written; the ticket's own channel if left out.
    channel: Option<TicketChannel>,
    /// The version of the ticket that you have read; leave it out to reply whatever it is now.
    expected_version: Option<i32>,
    /// Makes it safe to send the request again: one message is written for each key.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of a reply.
    TicketReplyPayload of Written {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
        /// The message.
        message: TicketMessage = |made| Some(store::message(made.message)),
    }
    TicketReplyUserError {
        TicketReplyErrorCode:
        NotFound, TicketClosed, Conflict, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

impl Action for TicketReplyInput {
    const NAME: &'static str = "ticketReply";

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }
}

impl Work for TicketReplyInput {
    type Made = Written;

    async fn run(&self, tx: &mut Tx) -> Outcome<Written> {
        let body = long_text("body", &self.body)?;
        let desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        let channel = self.channel.map_or_else(|| desk.channel(), Ok)?;
        let (step, author) = match tx.caller().is_some_and(Caller::is_staff) {
            true => (Step::Reply, TicketAuthorKind::Staff),
            false => (Step::HearCustomer, TicketAuthorKind::Customer),
        };
        let words = Words { author, is_internal: false, channel, body, external_id: None };
        say(tx, desk, step, words).await
    }
}

/// Writes a public message, and lets the ticket and its clocks follow.
async fn say(tx: &mut Tx, mut desk: Desk, step: Step, words: Words) -> Outcome<Written> {
    desk.act(tx, step).await?;
    let channel = words.channel;
    let message = desk.write(tx, words).await?;
    let event = desk.event(TimelineEntryKind::TicketReplied).channel(channel.as_str());
    Ok(Written { ticket: desk.save(tx, event).await?, message })
}

/// What a customer wrote on a partner's channel.
#[derive(Clone, Debug, InputObject)]
pub struct TicketMessageReceiveInput {
    /// Who wrote it.
    customer: CustomerIdentifier,
    /// What the message is called on your channel: it comes in once, however often it is sent.
    external_id: String,
    /// Where it was written.
    channel: TicketChannel,
    /// What it says, in at most 20,000 characters.
    body: String,
    /// The subject of the ticket that is opened, if one is; the beginning of the message if left out.
    subject: Option<String>,
    /// The ticket that it belongs to, if you know.
    ticket_id: Option<ID>,
    /// The external id of an earlier message of yours that this one answers: it goes to the same ticket.
    in_reply_to: Option<String>,
}

payload! {
    /// What came of a delivered message.
    TicketMessageReceivePayload of Written {
        /// The ticket that it went to.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
        /// The message.
        message: TicketMessage = |made| Some(store::message(made.message)),
    }
    TicketMessageReceiveUserError {
        TicketMessageReceiveErrorCode: NotFound, ExternalIdReused, Blank, TooLong, InvalidText,
    }
}

impl Action for TicketMessageReceiveInput {
    const NAME: &'static str = "ticketMessageReceive";
}

impl Work for TicketMessageReceiveInput {
    type Made = Written;

    async fn run(&self, tx: &mut Tx) -> Outcome<Written> {
        let external_id = short_text("externalId", &self.external_id)?;
        let body = long_text("body", &self.body)?;
        let subject = self.subject.as_deref().map(|subject| short_text("subject", subject)).transpose()?;
        let customer = whose(tx, Some(&self.customer)).await?;
        if let Some(known) = of_source(tx, &external_id).await? {
            return received(&known, &customer, &body);
        }
        let (author, channel) = (TicketAuthorKind::Customer, self.channel);
        if let Some(desk) = self.thread(tx, &customer).await? {
            let words = Words { author, is_internal: false, channel, body, external_id: Some(external_id) };
            return say(tx, desk, Step::HearCustomer, words).await;
        }
        let draft = Draft {
            subject: subject.unwrap_or_else(|| beginning(&body)),
            body,
            channel,
            kind: TicketType::Question,
            priority: None,
            author,
            external_id: Some(external_id),
            about: Vec::new(),
        };
        let desk = draft.desk(tx, &customer).await?;
        draft.enter(tx, desk).await
    }
}

impl TicketMessageReceiveInput {
    /// The ticket that the message goes to, if there is one that still takes messages.
    async fn thread(&self, tx: &mut Tx, customer: &Locked) -> Outcome<Option<Desk>> {
        let id = match (&self.ticket_id, &self.in_reply_to) {
            (Some(id), _) => Some(ticket_id(id)?),
            (None, Some(earlier)) => of_source(tx, earlier).await?.map(|message| message.ticket_id),
            (None, None) => None,
        };
        let Some(id) = id else { return Ok(None) };
        match customer_of(tx, id, "ticketId").await {
            Ok(owner) if owner == customer.id => {}
            // Where a message was before may be nothing that the partner may know of any more.
            Err(Stop::Refused(_)) | Ok(_) if self.ticket_id.is_none() => return Ok(None),
            Err(stop) => return Err(stop),
            Ok(_) => return Err(Refusal::not_found("ticketId").into()),
        }
        let Some(desk) = Desk::find(tx, id).await? else { return Ok(None) };
        let desk = match desk.row.merged_into_id {
            Some(target) => Desk::find(tx, target).await?.unwrap_or(desk),
            None => desk,
        };
        Ok(if desk.status()? == Status::Closed { None } else { Some(desk) })
    }
}

/// A message of the caller's own source.
async fn of_source(tx: &mut Tx, external_id: &str) -> Outcome<Option<ticket_message::Model>> {
    let message = ticket_message::Entity::find()
        .filter(ticket_message::Column::Source.eq(tx.source()))
        .filter(ticket_message::Column::ExternalId.eq(external_id.trim()));
    tx.one(message).await
}

/// A message that came in before, if it is this one.
fn received(known: &ticket_message::Model, customer: &Locked, body: &str) -> Outcome<Written> {
    if known.customer_id == customer.id && known.body == body {
        return Ok(Written { ticket: known.ticket_id, message: known.id });
    }
    Err(Problem::ExternalIdReused.at("externalId", "this id was used for another message").into())
}

/// The first line of a message, as far as it fits a subject.
fn beginning(body: &str) -> String {
    let line = body.lines().next().unwrap_or_default().replace(char::is_control, " ");
    let line = line.trim();
    match line.char_indices().nth(SUBJECT) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

/// A note.
#[derive(Clone, Debug, InputObject)]
pub struct TicketNoteAddInput {
    /// The ticket.
    ticket_id: ID,
    /// What to note, in at most 20,000 characters.
    body: String,
    /// The version of the ticket that you have read; leave it out to note it whatever the ticket is now.
    expected_version: Option<i32>,
}

payload! {
    /// What came of a note.
    TicketNoteAddPayload of Written {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
        /// The note.
        note: TicketMessage = |made| Some(store::message(made.message)),
    }
    TicketNoteAddUserError {
        TicketNoteAddErrorCode: NotFound, TicketClosed, Conflict, Blank, TooLong, InvalidText,
    }
}

impl Action for TicketNoteAddInput {
    const NAME: &'static str = "ticketNoteAdd";
}

impl Work for TicketNoteAddInput {
    type Made = Written;

    async fn run(&self, tx: &mut Tx) -> Outcome<Written> {
        let body = long_text("body", &self.body)?;
        let mut desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        let message = note(tx, &mut desk, body).await?;
        let event = desk.staff_event(TimelineEntryKind::NoteAdded);
        Ok(Written { ticket: desk.save(tx, event).await?, message })
    }
}

/// Notes something on a ticket.
///
/// # Errors
/// `TICKET_CLOSED`.
pub(super) async fn note(tx: &mut Tx, desk: &mut Desk, body: String) -> Outcome<Uuid> {
    desk.act(tx, Step::Amend).await?;
    let channel = desk.channel()?;
    let words = Words { author: TicketAuthorKind::Staff, is_internal: true, channel, body, external_id: None };
    desk.write(tx, words).await
}
