//! `ticketMerge` and `ticketLink`: what belongs together.

use async_graphql::{ID, InputObject, OneofObject};
use c360_entities::{ticket_link, ticket_tag};
use c360_rules::id::{Kind, encode};
use c360_rules::ticket::Action as Step;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::change::Changed;
use super::inputs::{About, add_tags, link, ticket_id};
use crate::domains::tickets::desk::{Desk, Words, customer_of};
use crate::domains::tickets::object::Ticket;
use crate::domains::tickets::store::{self, TicketAuthorKind};
use crate::events::TimelineEntryKind;
use crate::graphql::id;
use crate::payload;
use crate::read::Find;
use crate::write::{Action, Outcome, Problem, Tx, Work};

/// Two tickets that are one.
#[derive(Clone, Debug, InputObject)]
pub struct TicketMergeInput {
    /// The ticket that is closed.
    ticket_id: ID,
    /// The ticket that goes on.
    into_id: ID,
    /// The version that you have read of the ticket that is closed; leave it out to merge whatever it is now.
    expected_version: Option<i32>,
}

/// A ticket that was closed, and the one that goes on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Merged {
    ticket: Uuid,
    into: Uuid,
}

payload! {
    /// What came of merging tickets.
    TicketMergePayload of Merged {
        /// The ticket that was closed.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
        /// The ticket that goes on.
        into: Ticket = |made| Some(store::root(Find::Ids(vec![made.into]))),
    }
    TicketMergeUserError {
        TicketMergeErrorCode: NotFound, TicketClosed, SameTicket, OtherCustomer, OutOfRange, Conflict,
    }
}

impl Action for TicketMergeInput {
    const NAME: &'static str = "ticketMerge";
}

impl Work for TicketMergeInput {
    type Made = Merged;

    async fn run(&self, tx: &mut Tx) -> Outcome<Merged> {
        let (ticket, into) = (ticket_id(&self.ticket_id)?, id::parse("input.intoId", Kind::Ticket, &self.into_id)?);
        if ticket == into {
            return Err(Problem::SameTicket.at("intoId", "name another ticket").into());
        }
        if customer_of(tx, ticket, "ticketId").await? != customer_of(tx, into, "intoId").await? {
            return Err(Problem::OtherCustomer.at("intoId", "the tickets are of different customers").into());
        }
        let mut from = Desk::open(tx, ticket, "ticketId", self.expected_version).await?;
        let mut target = Desk::open(tx, into, "intoId", None).await?;
        if target.row.status == "CLOSED" {
            return Err(Problem::TicketClosed.at("intoId", "the ticket that would go on is closed").into());
        }
        from.act(tx, Step::Close).await?;
        from.row.merged_into_id = Some(into);
        flatten(tx, ticket, into).await?;
        take_over(tx, &from, &target).await?;
        let channel = target.channel()?;
        let body = format!("{} was merged into this ticket.", from.row.number);
        let words = Words { author: TicketAuthorKind::System, is_internal: true, channel, body, external_id: None };
        target.write(tx, words).await?;
        let into_number = Some(encode(Kind::Ticket, into));
        let closed = from.event(TimelineEntryKind::TicketMerged).change("mergedInto", None, into_number);
        let from_number = Some(encode(Kind::Ticket, ticket));
        let grown = target.staff_event(TimelineEntryKind::TicketUpdated).change("mergedFrom", None, from_number);
        from.save(tx, closed).await?;
        target.save(tx, grown).await?;
        Ok(Merged { ticket, into })
    }
}

/// What was merged into a ticket goes where the ticket goes: there is always one step to the ticket that goes on.
async fn flatten(tx: &mut Tx, ticket: Uuid, into: Uuid) -> Outcome<()> {
    let mut sql = tx.sql();
    sql.push("UPDATE tickets SET merged_into_id = ");
    sql.bind(into);
    sql.push(" WHERE merged_into_id = ");
    sql.bind(ticket);
    tx.execute(sql).await.map(drop)
}

/// The ticket that goes on is about what the other one was about.
async fn take_over(tx: &mut Tx, from: &Desk, target: &Desk) -> Outcome<()> {
    let (ticket_id, customer_id) = (target.row.id, target.row.customer_id);
    let tags = ticket_tag::Entity::find().filter(ticket_tag::Column::TicketId.eq(from.row.id));
    let tags = tx.all(tags).await?.into_iter().map(|row| row.tag).collect();
    add_tags(tx, (ticket_id, customer_id), "intoId", tags).await?;
    let links = ticket_link::Entity::find().filter(ticket_link::Column::TicketId.eq(from.row.id));
    let abouts: Vec<_> = tx
        .all(links)
        .await?
        .into_iter()
        .filter_map(|row| row.order_id.map(About::Order).or(row.return_id.map(About::Return)))
        .collect();
    link(tx, (ticket_id, customer_id), &abouts, ["intoId", "intoId"]).await.map(drop)
}

/// What a ticket is about: exactly one of these.
#[derive(Clone, Debug, OneofObject)]
pub enum TicketLinkTarget {
    /// An order of the customer.
    OrderId(ID),
    /// A return of the customer.
    ReturnId(ID),
}

/// A ticket, and what it is about.
#[derive(Clone, Debug, InputObject)]
pub struct TicketLinkInput {
    /// The ticket.
    ticket_id: ID,
    /// What it is about. If the ticket is linked with it already, nothing changes.
    about: TicketLinkTarget,
    /// The version of the ticket that you have read; leave it out to link whatever it is now.
    expected_version: Option<i32>,
}

payload! {
    /// What came of linking a ticket.
    TicketLinkPayload of Changed {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
    }
    TicketLinkUserError {
        TicketLinkErrorCode: NotFound, TicketClosed, OutOfRange, Conflict,
    }
}

impl Action for TicketLinkInput {
    const NAME: &'static str = "ticketLink";
}

impl Work for TicketLinkInput {
    type Made = Changed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Changed> {
        let (about, linked) = match &self.about {
            TicketLinkTarget::OrderId(order) => {
                let order = id::parse("input.about.orderId", Kind::Order, order)?;
                (About::Order(order), encode(Kind::Order, order))
            }
            TicketLinkTarget::ReturnId(back) => {
                let back = id::parse("input.about.returnId", Kind::Return, back)?;
                (About::Return(back), encode(Kind::Return, back))
            }
        };
        let mut desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        desk.act(tx, Step::Amend).await?;
        let ticket = (desk.row.id, desk.row.customer_id);
        let fields = ["about.orderId", "about.returnId"];
        if link(tx, ticket, &[about], fields).await?.is_empty() {
            return Ok(Changed { ticket: ticket.0 });
        }
        let event = desk.staff_event(TimelineEntryKind::TicketLinked).change("links", None, Some(linked));
        Ok(Changed { ticket: desk.save(tx, event).await? })
    }
}
