//! The schema: the domains' roots merged, and the edges between them.

use async_graphql::{EmptySubscription, MergedObject, SDLExportOptions, ValidationMode};

use crate::domains::loyalty::{LoyaltyMutation, LoyaltyQuery};
use crate::domains::tickets::{MacrosQuery, TicketsMutation, TicketsQuery};
use crate::domains::{self, audit::AuditQuery, customers::CustomersMutation, orders::OrdersQuery};
use crate::node::NodeQuery;
use crate::read::plan::Relations;
use crate::view360::CustomerQuery;

/// Everything that can be read.
#[derive(Debug, Default, MergedObject)]
pub struct Query(CustomerQuery, NodeQuery, OrdersQuery, TicketsQuery, MacrosQuery, LoyaltyQuery, AuditQuery);

/// Everything that can be done. What is asked for together is done one after the other, each for itself.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(CustomersMutation, LoyaltyMutation, TicketsMutation);

/// An executable schema.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

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
        domains::audit::store::RELATIONS,
    ])
}

/// Builds the schema. Documents are validated before they come here, once each: the library only runs them.
pub fn build() -> Schema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(usize::MAX)
        .finish()
}

/// The schema in the schema definition language, as in `schema.graphql`.
pub fn sdl(schema: &Schema) -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    schema.sdl_with_options(options.include_specified_by())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::policy;

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

    /// Documents are held to the policy by the type on which a field is selected: an interface must promise what the
    /// types behind it do.
    #[test]
    fn a_field_has_one_rule_on_an_interface_and_on_the_types_behind_it() {
        let parsed = apollo_compiler::Schema::parse_and_validate(sdl(&build()), "schema.graphql");
        let Ok(schema) = parsed else { unreachable!("the schema is not valid") };
        let mut checked = 0;
        for (interface, behind) in schema.implementers_map() {
            for (field, _) in schema.get_interface(&interface).into_iter().flat_map(|interface| &interface.fields) {
                for object in &behind.objects {
                    assert_eq!(policy::rule(&interface, field), policy::rule(object, field), "{object}.{field}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 20, "only {checked}");
    }
}
