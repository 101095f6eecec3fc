//! Root reads of the audit log.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::object::AuditEntry;
use super::store::{self, AuditRow, NEWEST};
use crate::events::{TimelineActorKind, TimelineDomain, TimelineEntryKind};
use crate::graphql::DateTime;
use crate::read::connection::list_name;
use crate::read::{self, Connection, Find, PageArguments};
use crate::scope::Scope;

/// Which entries of the audit log.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AuditFilter {
    /// That happened to this customer.
    pub customer_id: Option<ID>,
    /// Done by this kind of actor.
    pub actor_kind: Option<TimelineActorKind>,
    /// Done by this actor, named as in `actorId`.
    pub actor_id: Option<String>,
    /// About this object, such as an order, a ticket or an entry of the points ledger.
    pub subject_id: Option<ID>,
    /// Of one of these kinds; of all if left out or empty.
    pub kind: Option<Vec<TimelineEntryKind>>,
    /// About one of these parts of the business; about all if left out or empty.
    pub domain: Option<Vec<TimelineDomain>>,
    /// Written down at this time or later.
    pub from: Option<DateTime>,
    /// Written down before this time.
    pub before: Option<DateTime>,
}

/// Root reads of the audit log.
#[derive(Debug, Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Who did what, when, why and from where, newest first: every change of every customer. Supervisors and
    /// administrators only.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only entries that meet all of these.")] filter: Option<AuditFilter>,
    ) -> Result<Option<Connection<AuditEntry>>> {
        let scope = ctx.data_unchecked::<Scope>();
        let page = PageArguments::new(first, after, last, before);
        let filter = filter.unwrap_or_default();
        let list = list_name("Query", "auditLog", &format!("{filter:?}"));
        let conditions = store::conditions(filter)?;
        let find = Find::Page { conditions, order: NEWEST, list, page: page.clone() };
        let tree = read::read(ctx, scope, store::root(find)).await?;
        Ok(Some(tree.page::<AuditRow, AuditEntry>(&page)?))
    }
}
