//! `ticketUpdate`, `ticketAssign`, `ticketEscalate`, `ticketSolve`, `ticketReopen`: how far a ticket has come, and who
//! works on it.

use async_graphql::{Enum, ID, InputObject, MaybeUndefined};
use c360_rules::id::Kind;
use c360_rules::ticket::{Action as Step, Waiting};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::inputs::{add_tags, remove_tags, tags, ticket_id};
use crate::domains::tickets::desk::Desk;
use crate::domains::tickets::object::Ticket;
use crate::domains::tickets::store::{self, TicketPriority, TicketType};
use crate::events::{Event, TimelineEntryKind};
use crate::graphql::id;
use crate::payload;
use crate::read::Find;
use crate::write::{Action, Outcome, Problem, Tx, Work, short_text};

/// A ticket that was changed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Changed {
    pub(super) ticket: Uuid,
}

/// Whom an unsolved ticket waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TicketWaitingStatus {
    /// Staff work on it.
    Open,
    /// It waits for the customer: the clocks stand still.
    Pending,
    /// It waits for somebody else, such as a supplier: the clocks stand still.
    OnHold,
}

impl From<TicketWaitingStatus> for Step {
    fn from(status: TicketWaitingStatus) -> Self {
        Self::Wait(match status {
            TicketWaitingStatus::Open => Waiting::ForStaff,
            TicketWaitingStatus::Pending => Waiting::ForCustomer,
            TicketWaitingStatus::OnHold => Waiting::ForOthers,
        })
    }
}

/// Changes of a ticket.
#[derive(Clone, Debug, InputObject)]
pub struct TicketUpdateInput {
    /// The ticket.
    ticket_id: ID,
    /// What it is about, in one line of at most 500 characters.
    subject: Option<String>,
    /// What it is.
    #[graphql(name = "type")]
    kind: Option<TicketType>,
    /// How urgent it is. What is promised to the customer changes with it, and what has passed still counts.
    priority: Option<TicketPriority>,
    /// Whom it waits for.
    status: Option<TicketWaitingStatus>,
    /// Tags to add, which are stored in lower case and with hyphens for spaces.
    #[graphql(default)]
    add_tags: Vec<String>,
    /// Tags to take away.
    #[graphql(default)]
    remove_tags: Vec<String>,
    /// The version of the ticket that you have read; leave it out to change whatever it is now.
    expected_version: Option<i32>,
}

payload! {
    /// What came of changing a ticket.
    TicketUpdatePayload of Changed {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
    }
    TicketUpdateUserError {
        TicketUpdateErrorCode:
        NotFound, TicketClosed, TicketSolved, Conflict, Blank, TooLong, InvalidText, OutOfRange,
    }
}

impl Action for TicketUpdateInput {
    const NAME: &'static str = "ticketUpdate";
}

impl Work for TicketUpdateInput {
    type Made = Changed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Changed> {
        let subject = self.subject.as_deref().map(|subject| short_text("subject", subject)).transpose()?;
        let (add, remove) = (tags("addTags", &self.add_tags)?, tags("removeTags", &self.remove_tags)?);
        let mut desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        desk.act(tx, Step::Amend).await?;
        if let Some(subject) = subject {
            desk.row.subject = subject;
        }
        if let Some(kind) = self.kind {
            kind.as_str().clone_into(&mut desk.row.kind);
        }
        if let Some(priority) = self.priority {
            desk.prioritise(tx, priority).await?;
        }
        if let Some(status) = self.status {
            desk.act(tx, status.into()).await?;
        }
        let ticket = (desk.row.id, desk.row.customer_id);
        let added = add_tags(tx, ticket, "addTags", add).await?;
        let removed = remove_tags(tx, ticket.0, remove).await?;
        if desk.is_unchanged() && added.is_empty() && removed.is_empty() {
            return Ok(Changed { ticket: ticket.0 });
        }
        let event = retagged(desk.staff_event(TimelineEntryKind::TicketUpdated), &added, &removed);
        Ok(Changed { ticket: desk.save(tx, event).await? })
    }
}

/// An event that also tells of tags.
pub(super) fn retagged(event: Event, added: &[String], removed: &[String]) -> Event {
    let list = |tags: &[String]| (!tags.is_empty()).then(|| tags.join(", "));
    event.change("tagsAdded", None, list(added)).change("tagsRemoved", list(removed), None)
}

/// Who is to work on a ticket. Give at least one of the two.
#[derive(Clone, Debug, InputObject)]
pub struct TicketAssignInput {
    /// The ticket.
    ticket_id: ID,
    /// The member of staff; null to give it back to the queue; left out, it stays with whoever has it.
    assignee_id: MaybeUndefined<ID>,
    /// The team; null for none; left out, it stays with the team that has it.
    team_id: MaybeUndefined<ID>,
    /// The version of the ticket that you have read; leave it out to assign whatever it is now.
    expected_version: Option<i32>,
}

payload! {
    /// What came of assigning a ticket.
    TicketAssignPayload of Changed {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
    }
    TicketAssignUserError {
        TicketAssignErrorCode: NotFound, TicketClosed, Conflict, Blank,
    }
}

impl Action for TicketAssignInput {
    const NAME: &'static str = "ticketAssign";
}

impl Work for TicketAssignInput {
    type Made = Changed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Changed> {
        if self.assignee_id.is_undefined() && self.team_id.is_undefined() {
            return Err(Problem::Blank.at("assigneeId", "say to whom, to which team, or null for nobody").into());
        }
        let mut desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        if let Some(team) = named("input.teamId", Kind::Team, &self.team_id)? {
            desk.hand_over(tx, team).await?;
        }
        if let Some(assignee) = named("input.assigneeId", Kind::Staff, &self.assignee_id)? {
            desk.assign(tx, assignee).await?;
        }
        if desk.is_unchanged() {
            return Ok(Changed { ticket: desk.row.id });
        }
        let event = desk.staff_event(TimelineEntryKind::TicketAssigned);
        Ok(Changed { ticket: desk.save(tx, event).await? })
    }
}

/// The id of an input that says something; of one that says null, nothing.
fn named(argument: &str, kind: Kind, id: &MaybeUndefined<ID>) -> Outcome<Option<Option<Uuid>>> {
    Ok(match id {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(id) => Some(Some(id::parse(argument, kind, id)?)),
    })
}

/// A ticket for somebody with more to decide.
#[derive(Clone, Debug, InputObject)]
pub struct TicketEscalateInput {
    /// The ticket.
    ticket_id: ID,
    /// Why, in a line.
    reason: String,
    /// The version of the ticket that you have read; leave it out to escalate whatever it is now.
    expected_version: Option<i32>,
}

payload! {
    /// What came of escalating a ticket.
    TicketEscalatePayload of Changed {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
    }
    TicketEscalateUserError {
        TicketEscalateErrorCode: NotFound, TicketClosed, TicketSolved, Conflict, Blank, TooLong, InvalidText,
    }
}

impl Action for TicketEscalateInput {
    const NAME: &'static str = "ticketEscalate";
}

impl Work for TicketEscalateInput {
    type Made = Changed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Changed> {
        let reason = short_text("reason", &self.reason)?;
        let mut desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        desk.act(tx, Step::Escalate).await?;
        desk.row.escalated_at = Some(tx.now());
        let event = desk.staff_event(TimelineEntryKind::TicketEscalated).because(Some(reason));
        Ok(Changed { ticket: desk.save(tx, event).await? })
    }
}

/// A ticket that is solved.
#[derive(Clone, Debug, InputObject)]
pub struct TicketSolveInput {
    /// The ticket.
    ticket_id: ID,
    /// The version of the ticket that you have read; leave it out to solve whatever it is now.
    expected_version: Option<i32>,
}

payload! {
    /// What came of solving a ticket.
    TicketSolvePayload of Changed {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
    }
    TicketSolveUserError {
        TicketSolveErrorCode: NotFound, TicketClosed, TicketSolved, Conflict,
    }
}

impl Action for TicketSolveInput {
    const NAME: &'static str = "ticketSolve";
}

impl Work for TicketSolveInput {
    type Made = Changed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Changed> {
        let mut desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        desk.act(tx, Step::Solve).await?;
        let event = desk.event(TimelineEntryKind::TicketSolved);
        Ok(Changed { ticket: desk.save(tx, event).await? })
    }
}

/// A solved ticket that goes on.
#[derive(Clone, Debug, InputObject)]
pub struct TicketReopenInput {
    /// The ticket.
    ticket_id: ID,
    /// Why, in a line.
    reason: Option<String>,
    /// The version of the ticket that you have read; leave it out to reopen whatever it is now.
    expected_version: Option<i32>,
}

payload! {
    /// What came of reopening a ticket.
    TicketReopenPayload of Changed {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
    }
    TicketReopenUserError {
        TicketReopenErrorCode: NotFound, TicketClosed, TicketNotSolved, Conflict, Blank, TooLong, InvalidText,
    }
}

impl Action for TicketReopenInput {
    const NAME: &'static str = "ticketReopen";
}

impl Work for TicketReopenInput {
    type Made = Changed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Changed> {
        let reason = self.reason.as_deref().map(|reason| short_text("reason", reason)).transpose()?;
        let mut desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        desk.act(tx, Step::Reopen).await?;
        let event = desk.event(TimelineEntryKind::TicketReopened).because(reason);
        Ok(Changed { ticket: desk.save(tx, event).await? })
    }
}
