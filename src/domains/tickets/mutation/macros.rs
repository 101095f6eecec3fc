//! `ticketMacroApply`: several changes at once, as a macro says.

use async_graphql::{ID, InputObject};
use c360_entities::ticket_macro;
use c360_rules::id::Kind;
use c360_rules::ticket::Action as Step;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::change::{Changed, retagged};
use super::inputs::{add_tags, tags, ticket_id};
use super::messages::note;
use crate::domains::tickets::desk::{Desk, Words};
use crate::domains::tickets::macros::{TicketMacroAction, TicketMacroActionKind, actions, step_to};
use crate::domains::tickets::object::Ticket;
use crate::domains::tickets::store::{self, TicketAuthorKind, TicketPriority};
use crate::events::TimelineEntryKind;
use crate::graphql::id;
use crate::payload;
use crate::read::Find;
use crate::write::{Action, Outcome, Problem, Refusal, Tx, Work, long_text};

/// A ticket, and what is to be done with it.
#[derive(Clone, Debug, InputObject)]
pub struct TicketMacroApplyInput {
    /// The ticket.
    ticket_id: ID,
    /// The macro.
    macro_id: ID,
    /// The version of the ticket that you have read; leave it out to apply it whatever the ticket is now.
    expected_version: Option<i32>,
}

payload! {
    /// What came of a macro.
    TicketMacroApplyPayload of Changed {
        /// The ticket.
        ticket: Ticket = |made| Some(store::root(Find::Ids(vec![made.ticket]))),
    }
    TicketMacroApplyUserError {
        TicketMacroApplyErrorCode:
        NotFound, TicketClosed, TicketSolved, MacroUnusable, Conflict, Blank, TooLong, InvalidText, OutOfRange,
    }
}

impl Action for TicketMacroApplyInput {
    const NAME: &'static str = "ticketMacroApply";
}

impl Work for TicketMacroApplyInput {
    type Made = Changed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Changed> {
        let macro_id = id::parse("input.macroId", Kind::Macro, &self.macro_id)?;
        let mut desk = Desk::open(tx, ticket_id(&self.ticket_id)?, "ticketId", self.expected_version).await?;
        let active = ticket_macro::Entity::find_by_id(macro_id).filter(ticket_macro::Column::Active.eq(true));
        let row = tx.one(active).await?.ok_or_else(|| Refusal::not_found("macroId"))?;
        let actions = actions(&row.actions).ok_or_else(|| unusable(&row.name))?;
        desk.act(tx, Step::Amend).await?;
        let mut added = Vec::new();
        for action in &actions {
            added.extend(carry_out(tx, &mut desk, action, &row.name).await?);
        }
        let event = desk.staff_event(TimelineEntryKind::TicketUpdated).because(Some(row.name));
        let event = retagged(event, &added, &[]);
        Ok(Changed { ticket: desk.save(tx, event).await? })
    }
}

/// Does one of the things that a macro says; the tags that the ticket got.
async fn carry_out(tx: &mut Tx, desk: &mut Desk, action: &TicketMacroAction, name: &str) -> Outcome<Vec<String>> {
    let value = action.value.as_deref().unwrap_or_default();
    match action.kind {
        TicketMacroActionKind::Reply => {
            let channel = desk.channel()?;
            let body = long_text("macroId", value)?;
            desk.act(tx, Step::Reply).await?;
            let author = TicketAuthorKind::Staff;
            desk.write(tx, Words { author, is_internal: false, channel, body, external_id: None }).await?;
            tx.tell(desk.event(TimelineEntryKind::TicketReplied).channel(channel.as_str()));
        }
        TicketMacroActionKind::Note => {
            let body = long_text("macroId", value)?;
            note(tx, desk, body).await?;
        }
        TicketMacroActionKind::Status => {
            let step = step_to(value).ok_or_else(|| unusable(name))?;
            desk.act(tx, step).await?;
            if step == Step::Solve {
                tx.tell(desk.event(TimelineEntryKind::TicketSolved));
            }
        }
        TicketMacroActionKind::Priority => {
            let priority = TicketPriority::from_column(value).map_err(|_| unusable(name))?;
            desk.prioritise(tx, priority).await?;
        }
        TicketMacroActionKind::Tag => {
            let tags = tags("macroId", &[value.to_owned()])?;
            return add_tags(tx, (desk.row.id, desk.row.customer_id), "macroId", tags).await;
        }
        TicketMacroActionKind::Escalate => {
            desk.act(tx, Step::Escalate).await?;
            desk.row.escalated_at = Some(tx.now());
            tx.tell(desk.staff_event(TimelineEntryKind::TicketEscalated).because(Some(name.to_owned())));
        }
    }
    Ok(Vec::new())
}

fn unusable(name: &str) -> Refusal {
    Problem::MacroUnusable.at("macroId", format!("{name:?} says something that there is not: correct the macro"))
}
