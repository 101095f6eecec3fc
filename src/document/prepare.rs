//! What the executor does not do as the specification says is put right before and after it.
//!
//! It answers null for an object of which no field is left, and lets that null replace what another selection of the same
//! object brings; it resolves a field as often as it is written; and it orders merged fields by where they come last, and roots by when
//! they are ready.

use std::collections::HashSet;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};

use super::Schema;
use super::prune::{asks_for_type, root};

/// Leaves out what is written twice, and has objects that may end up empty say what they are. True if the answer has to be
/// completed afterwards, because of that or because selections are merged.
pub(super) fn prepare(document: &mut ExecutableDocument, schema: &Schema) -> bool {
    let mut preparing = Preparing { schema, is_irregular: false };
    if let DocumentOperations::Single(only) = &mut document.operations {
        let on = root(&only.node);
        preparing.set(&mut only.node.selection_set.node, on, true);
    }
    for fragment in document.fragments.values_mut() {
        let on = fragment.node.type_condition.node.on.node.to_string();
        preparing.set(&mut fragment.node.selection_set.node, &on, false);
    }
    preparing.is_irregular
}

struct Preparing<'a> {
    schema: &'a Schema,
    is_irregular: bool,
}

impl Preparing<'_> {
    /// `is_whole` says that the set is all that is asked of its object.
    fn set(&mut self, set: &mut SelectionSet, on: &str, is_whole: bool) {
        let mut keys = HashSet::new();
        let mut is_merged = false;
        // A leaf under a key that was there before is the same leaf: the document is valid.
        set.items.retain(|selection| match &selection.node {
            Selection::Field(field) => {
                let is_plain = field.node.directives.is_empty();
                let is_new = !is_plain || keys.insert(field.node.response_key().node.clone());
                let is_leaf = field.node.selection_set.node.items.is_empty();
                is_merged |= !is_new && !is_leaf;
                is_new || !is_leaf
            }
            Selection::InlineFragment(_) | Selection::FragmentSpread(_) => true,
        });
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::Field(field) => {
                    if let Ok(definition) = self.schema.type_field(on, &field.node.name.node) {
                        let below = definition.ty.inner_named_type();
                        self.set(&mut field.node.selection_set.node, below, true);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let fragment = &mut fragment.node;
                    let condition =
                        fragment.type_condition.as_ref().map(|condition| condition.node.on.node.to_string());
                    self.set(&mut fragment.selection_set.node, condition.as_deref().unwrap_or(on), false);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        let may_be_empty = is_whole && !set.items.is_empty() && keys.is_empty();
        if may_be_empty {
            set.items.push(asks_for_type());
        }
        self.is_irregular |= may_be_empty || is_merged;
    }
}
