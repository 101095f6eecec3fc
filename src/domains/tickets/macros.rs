//! Macros: prepared sets of changes to a ticket.
//!
//! What a macro does is stored as a list of objects with one key each, such as
//! `[{"reply": "Thank you!"}, {"status": "SOLVED"}]`.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use c360_rules::id::Kind;
use c360_rules::ticket::{Action, Waiting};
use serde_json::Value;

use super::store::{self, MacroRow};
use crate::graphql::gid;
use crate::objects;
use crate::read::connection::list_name;
use crate::read::{self, Connection, PageArguments};
use crate::scope::Scope;

objects! {
    /// A macro.
    TicketMacro(MacroRow);
}

/// Root reads of macros.
#[derive(Debug, Default)]
pub struct MacrosQuery;

#[Object]
impl MacrosQuery {
    /// The macros that can be applied to tickets, in the order in which they were made. Staff only.
    async fn macros(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<TicketMacro>>> {
        let scope = ctx.data_unchecked::<Scope>();
        let page = PageArguments::new(first, after, last, before);
        let root = store::active_macros(list_name("Query", "macros", ""), page.clone());
        let tree = read::read(ctx, scope, root).await?;
        Ok(Some(tree.page::<MacroRow, TicketMacro>(&page)?))
    }
}

/// A prepared set of changes to a ticket.
#[Object]
impl TicketMacro {
    /// The macro's id.
    async fn id(&self) -> ID {
        gid(Kind::Macro, self.0.id)
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// What it does, one thing after the other.
    async fn actions(&self) -> Vec<TicketMacroAction> {
        let stored = serde_json::from_str(&self.0.actions).ok();
        stored.as_ref().and_then(actions).unwrap_or_default()
    }
}

/// One thing that a macro does.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct TicketMacroAction {
    /// What it does.
    pub(super) kind: TicketMacroActionKind,
    /// With what: the text, the status, the priority or the tag; null where there is nothing to say.
    pub(super) value: Option<String>,
}

/// What a macro can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TicketMacroActionKind {
    /// Writes the text to the customer.
    Reply,
    /// Notes the text for staff.
    Note,
    /// Moves the ticket to the status.
    Status,
    /// Gives the ticket the priority.
    Priority,
    /// Tags the ticket.
    Tag,
    /// Hands the ticket to somebody with more to decide.
    Escalate,
}

/// What a macro does, as it is stored; nothing if it cannot be understood.
pub(super) fn actions(stored: &Value) -> Option<Vec<TicketMacroAction>> {
    use TicketMacroActionKind::{Escalate, Note, Priority, Reply, Status, Tag};
    let action = |stored: &Value| {
        let stored = stored.as_object().filter(|stored| stored.len() == 1)?;
        let (name, value) = stored.iter().next()?;
        let kind = match name.as_str() {
            "reply" => Reply,
            "note" => Note,
            "status" => Status,
            "priority" => Priority,
            "tag" => Tag,
            "escalate" if *value == Value::Bool(true) => {
                return Some(TicketMacroAction { kind: Escalate, value: None });
            }
            _ => return None,
        };
        Some(TicketMacroAction { kind, value: Some(value.as_str()?.to_owned()) })
    };
    stored.as_array()?.iter().map(action).collect()
}

/// What moving a ticket to a status is.
pub(super) fn step_to(status: &str) -> Option<Action> {
    Some(match status {
        "OPEN" => Action::Wait(Waiting::ForStaff),
        "PENDING" => Action::Wait(Waiting::ForCustomer),
        "ON_HOLD" => Action::Wait(Waiting::ForOthers),
        "SOLVED" => Action::Solve,
        _ => return None,
    })
}
