//! Root reads of tickets.

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result};
use c360_rules::id::Kind;

use super::object::Ticket;
use super::store::{self, TicketPriority, TicketRow, TicketStatus};
use crate::error::Fault;
use crate::graphql::{DateTime, id};
use crate::read::connection::list_name;
use crate::read::{self, Connection, Eager, Find, Order, PageArguments, Pieces};
use crate::scope::Scope;

/// How a ticket is named: by exactly one of these.
#[derive(Debug, OneofObject)]
pub enum TicketIdentifier {
    /// By its id.
    Id(ID),
    /// By the number that the customer was told.
    Number(String),
}

/// Which tickets of all customers. Without a filter the list has all tickets, solved ones too.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TicketQueueFilter {
    /// True for tickets that are not solved yet (NEW, OPEN, PENDING, ON_HOLD); false for those that are.
    pub is_open: Option<bool>,
    /// With one of these statuses.
    pub status: Option<Vec<TicketStatus>>,
    /// With one of these priorities.
    pub priority: Option<Vec<TicketPriority>>,
    /// That this member of staff works on.
    pub assignee_id: Option<ID>,
    /// True for tickets that nobody works on; false for those that somebody does.
    pub unassigned: Option<bool>,
    /// That this team works on.
    pub team_id: Option<ID>,
    /// True for tickets of customers who are served first; false for those of all others.
    pub vip: Option<bool>,
    /// True for tickets with a promise that was broken; false for those without.
    pub sla_breached: Option<bool>,
    /// Made at this time or later.
    pub created_from: Option<DateTime>,
    /// Made before this time.
    pub created_before: Option<DateTime>,
}

/// In which order the tickets of all customers are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TicketSort {
    /// Newest first.
    CreatedAtNewest,
    /// Oldest first.
    CreatedAtOldest,
    /// Last changed first.
    UpdatedAtNewest,
    /// Most urgent first, and the oldest first among those that are equally urgent.
    PriorityHighest,
    /// Those that are due first, first. Tickets with no clock running are not in this list.
    SlaDueSoonest,
}

impl TicketSort {
    fn order(self) -> Order {
        match self {
            Self::CreatedAtNewest => store::NEWEST,
            Self::CreatedAtOldest => store::OLDEST,
            Self::UpdatedAtNewest => store::UPDATED,
            Self::PriorityHighest => store::URGENT,
            Self::SlaDueSoonest => store::DUE,
        }
    }

    /// Tickets that have no place in the order are left out.
    fn condition(self) -> Option<Pieces> {
        (self == Self::SlaDueSoonest).then(|| Pieces::text("x.sla_due_at IS NOT NULL"))
    }
}

impl TicketQueueFilter {
    fn conditions(self, scope: &Scope) -> Result<Vec<Pieces>, Fault> {
        let parsed = |argument, kind, id: Option<ID>| id.map(|id| id::parse(argument, kind, &id)).transpose();
        let assignee = parsed("filter.assigneeId", Kind::Staff, self.assignee_id)?;
        let team = parsed("filter.teamId", Kind::Team, self.team_id)?;
        let mut all = store::states(self.is_open, self.status, self.priority);
        all.extend(assignee.map(|id| Pieces::text("x.assignee_id = ").value(id)));
        all.extend(self.unassigned.map(store::unassigned));
        all.extend(team.map(|id| Pieces::text("x.team_id = ").value(id)));
        all.extend(self.vip.map(store::of_vip));
        all.extend(self.sla_breached.map(|breached| store::breached(breached, scope.now())));
        all.extend(self.created_from.map(|at| Pieces::text("x.created_at >= ").value(at.0)));
        all.extend(self.created_before.map(|at| Pieces::text("x.created_at < ").value(at.0)));
        Ok(all)
    }
}

/// Root reads of tickets.
#[derive(Debug, Default)]
pub struct TicketsQuery;

#[Object]
impl TicketsQuery {
    /// One ticket, or null if there is none that you may see.
    async fn ticket(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ticket.")] by: TicketIdentifier,
    ) -> Result<Option<Eager<Ticket>>> {
        let scope = ctx.data_unchecked::<Scope>();
        let find = match by {
            TicketIdentifier::Id(id) => Find::Ids(vec![id::parse("by.id", Kind::Ticket, &id)?]),
            TicketIdentifier::Number(number) => store::by_number(number),
        };
        let tree = read::read(ctx, scope, store::root(find)).await?;
        Ok(tree.one::<TicketRow>("by")?.map(Eager::from))
    }

    /// The tickets of all customers: an agent's queue. Staff only.
    #[expect(clippy::too_many_arguments, reason = "these are the arguments of the field")]
    async fn tickets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only tickets that meet all of these; all tickets, solved ones too, if it is not given.")]
        filter: Option<TicketQueueFilter>,
        #[graphql(desc = "In which order.", default_with = "TicketSort::CreatedAtNewest")] sort: TicketSort,
    ) -> Result<Option<Connection<Ticket>>> {
        let scope = ctx.data_unchecked::<Scope>();
        let page = PageArguments::new(first, after, last, before);
        let filter = filter.unwrap_or_default();
        let list = list_name("Query", "tickets", &format!("{filter:?} {sort:?}"));
        let mut conditions = filter.conditions(scope)?;
        conditions.extend(sort.condition());
        let find = Find::Page { conditions, order: sort.order(), list, page: page.clone() };
        let tree = read::read(ctx, scope, store::root(find)).await?;
        Ok(Some(tree.page::<TicketRow, Ticket>(&page)?))
    }
}
