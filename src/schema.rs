//! The schema: the domains' roots merged, and the policy enforced for every field.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo};
use async_graphql::{
    EmptyMutation, EmptySubscription, MergedObject, PathSegment, QueryPathNode, QueryPathSegment, SDLExportOptions,
    ServerError, ServerResult, Value,
};

use crate::auth::policy;
use crate::domains::{self, loyalty::LoyaltyQuery, orders::OrdersQuery, tickets::TicketsQuery};
use crate::node::NodeQuery;
use crate::read::plan::Relations;
use crate::scope::Scope;
use crate::view360::CustomerQuery;

/// Everything that can be read.
#[derive(Debug, Default, MergedObject)]
pub struct Query(CustomerQuery, NodeQuery, OrdersQuery, TicketsQuery, LoyaltyQuery);

/// An executable schema.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// The edges of all domains.
pub fn relations() -> Relations {
    Relations::new(&[
        domains::customers::store::RELATIONS,
        domains::orders::store::RELATIONS,
        domains::tickets::store::RELATIONS,
        domains::loyalty::store::RELATIONS,
        domains::insight::store::RELATIONS,
        domains::timeline::store::RELATIONS,
        domains::feedback::store::RELATIONS,
    ])
}

/// The schema twice, with one policy. Most documents ask for nothing that their caller may not read; that is known
/// before they run, and they run without a check at every field. All others run on the schema that checks each.
#[derive(Clone)]
pub struct Schemas {
    /// For documents all of whose fields the caller may read.
    pub open: Schema,
    /// Checks every field against the policy.
    pub guarded: Schema,
}

impl std::fmt::Debug for Schemas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schemas").finish_non_exhaustive()
    }
}

impl Default for Schemas {
    fn default() -> Self {
        let build = || Schema::build(Query::default(), EmptyMutation, EmptySubscription);
        Self { open: build().finish(), guarded: build().extension(Policy).finish() }
    }
}

impl Schemas {
    /// The schema in the schema definition language, as in `schema.graphql`.
    pub fn sdl(&self) -> String {
        let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
        self.open.sdl_with_options(options.include_specified_by())
    }
}

/// Checks every field against the policy before it is resolved.
struct Policy;

impl ExtensionFactory for Policy {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Policy {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let is_introspection =
            info.is_for_introspection || info.name.starts_with("__") || info.parent_type.starts_with("__");
        // The items of a list are resolved once more, under the list's type.
        let is_item = info.parent_type.starts_with('[');
        if !is_introspection
            && !is_item
            && let Err(fault) = policy::check(ctx.data_unchecked::<Scope>().caller(), info.parent_type, info.name)
        {
            let error = async_graphql::Error::from(fault).into_server_error(info.field.name.pos);
            return Err(ServerError { path: path_of(info.path_node), ..error });
        }
        next.run(ctx, info).await
    }
}

fn path_of(node: &QueryPathNode<'_>) -> Vec<PathSegment> {
    let mut path: Vec<_> = std::iter::successors(Some(node), |node| node.parent)
        .map(|node| match node.segment {
            QueryPathSegment::Index(index) => PathSegment::Index(index),
            QueryPathSegment::Name(name) => PathSegment::Field(name.to_owned()),
        })
        .collect();
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_for_fields_that_exist() {
        let mut named = 0;
        for (on, field) in relations().named_fields() {
            // What one kind of feedback has is read for the interface.
            let kinds: &[&str] = if on == "Feedback" { &["SurveyResponse", "Review", "SocialMention"] } else { &[on] };
            assert!(kinds.iter().any(|on| policy::rule(on, field).is_some()), "{on}.{field}");
            named += 1;
        }
        assert!(named > 100, "only {named} names");
    }
}
