//! What can be done with tickets.

pub mod change;
pub mod create;
pub mod inputs;
pub mod macros;
pub mod merge;
pub mod messages;

use async_graphql::{Context, Object, Result};

use self::change::{
    TicketAssignInput, TicketAssignPayload, TicketEscalateInput, TicketEscalatePayload, TicketReopenInput,
    TicketReopenPayload, TicketSolveInput, TicketSolvePayload, TicketUpdateInput, TicketUpdatePayload,
};
use self::create::{TicketCreateInput, TicketCreatePayload};
use self::macros::{TicketMacroApplyInput, TicketMacroApplyPayload};
use self::merge::{TicketLinkInput, TicketLinkPayload, TicketMergeInput, TicketMergePayload};
use self::messages::{
    TicketMessageReceiveInput, TicketMessageReceivePayload, TicketNoteAddInput, TicketNoteAddPayload, TicketReplyInput,
    TicketReplyPayload,
};
use crate::write::perform;

/// Root writes of tickets.
#[derive(Debug, Default)]
pub struct TicketsMutation;

#[Object]
impl TicketsMutation {
    /// Opens a ticket. Tickets of customers who are served first have at least the priority HIGH, and go to their team.
    async fn ticket_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose ticket, and what it is about.")] input: TicketCreateInput,
    ) -> Result<Option<TicketCreatePayload>> {
        perform(ctx, input).await
    }

    /// Writes to the customer, as staff; or to staff, as the customer. A customer's reply opens a solved ticket again, and
    /// one that waits for the customer.
    async fn ticket_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket, and what to write.")] input: TicketReplyInput,
    ) -> Result<Option<TicketReplyPayload>> {
        perform(ctx, input).await
    }

    /// Delivers what a customer wrote on a partner's channel. A message comes in once for each external id. It goes to the
    /// ticket that it answers, which is opened again if it was solved; otherwise a new ticket is opened. Partners only.
    async fn ticket_message_receive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wrote what, and where.")] input: TicketMessageReceiveInput,
    ) -> Result<Option<TicketMessageReceivePayload>> {
        perform(ctx, input).await
    }

    /// Notes something for other staff; the customer does not see it. Staff only.
    async fn ticket_note_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On which ticket, and what.")] input: TicketNoteAddInput,
    ) -> Result<Option<TicketNoteAddPayload>> {
        perform(ctx, input).await
    }

    /// Changes what a ticket is about, how urgent it is, or whom it waits for. What is left out stays. Staff only.
    async fn ticket_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket, and what changes.")] input: TicketUpdateInput,
    ) -> Result<Option<TicketUpdatePayload>> {
        perform(ctx, input).await
    }

    /// Hands a ticket to a member of staff, to a team, or back to the queue. Staff only.
    async fn ticket_assign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket, and to whom.")] input: TicketAssignInput,
    ) -> Result<Option<TicketAssignPayload>> {
        perform(ctx, input).await
    }

    /// Hands a ticket to somebody with more to decide. Staff only.
    async fn ticket_escalate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket, and why.")] input: TicketEscalateInput,
    ) -> Result<Option<TicketEscalatePayload>> {
        perform(ctx, input).await
    }

    /// Solves a ticket. An answer of the customer opens it again, until it is closed. Staff only.
    async fn ticket_solve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket.")] input: TicketSolveInput,
    ) -> Result<Option<TicketSolvePayload>> {
        perform(ctx, input).await
    }

    /// Opens a solved ticket again. What was left of the time promised for its solution runs on. Staff only.
    async fn ticket_reopen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket.")] input: TicketReopenInput,
    ) -> Result<Option<TicketReopenPayload>> {
        perform(ctx, input).await
    }

    /// Goes on with a ticket in another one of the same customer. It is closed and points to the other one, which gets its
    /// tags and links; what was written on it stays there to be read. Staff only.
    async fn ticket_merge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket, and into which.")] input: TicketMergeInput,
    ) -> Result<Option<TicketMergePayload>> {
        perform(ctx, input).await
    }

    /// Says that a ticket is about an order or a return of the same customer. Staff only.
    async fn ticket_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket, and what it is about.")] input: TicketLinkInput,
    ) -> Result<Option<TicketLinkPayload>> {
        perform(ctx, input).await
    }

    /// Does all that a macro says, or nothing of it. Staff only.
    async fn ticket_macro_apply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which macro, and to which ticket.")] input: TicketMacroApplyInput,
    ) -> Result<Option<TicketMacroApplyPayload>> {
        perform(ctx, input).await
    }
}
