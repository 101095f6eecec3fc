//! Whether variables stand where their values may come (GraphQL specification, section 5.8.5).
//!
//! The library that validates documents looks at whole arguments only, not into lists and objects, and takes a default
//! of null for a value.

use std::collections::BTreeSet;

use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Directive, InputValueDefinition, Type, Value, VariableDefinition};
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;

use super::Schema;
use crate::error::{Code, Fault};

/// The variables that may not be null although their types allow it: they have a default, and stand where null cannot.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED` for each variable that stands where its type does not fit, as far as they are told.
pub(super) fn check(
    operation: &Operation,
    document: &ExecutableDocument,
    schema: &Schema,
) -> Result<Vec<String>, Vec<Fault>> {
    if operation.variables.is_empty() {
        return Ok(Vec::new());
    }
    let mut walk =
        Walk { operation, document, schema, spread: BTreeSet::new(), never_null: BTreeSet::new(), faults: Vec::new() };
    walk.directives(&operation.directives);
    walk.set(&operation.selection_set);
    if walk.faults.is_empty() { Ok(walk.never_null.into_iter().map(str::to_owned).collect()) } else { Err(walk.faults) }
}

struct Walk<'d> {
    operation: &'d Operation,
    document: &'d ExecutableDocument,
    schema: &'d Schema,
    spread: BTreeSet<&'d str>,
    never_null: BTreeSet<&'d str>,
    faults: Vec<Fault>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Location<'d> {
    ty: &'d Type,
    /// Something else comes there if there is no value.
    has_default: bool,
    /// It is the one field of an input that takes exactly one, so that it cannot be left out.
    is_only: bool,
}

impl<'d> Walk<'d> {
    fn set(&mut self, set: &'d SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.directives(&field.directives);
                    self.arguments(&field.arguments, &field.definition.arguments);
                    self.set(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.directives);
                    self.set(&fragment.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    if self.spread.insert(&spread.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                    {
                        self.directives(&fragment.directives);
                        self.set(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'d [Node<Directive>]) {
        for directive in directives {
            if let Some(definition) = self.schema.directive_definitions.get(&directive.name) {
                self.arguments(&directive.arguments, &definition.arguments);
            }
        }
    }

    fn arguments(&mut self, arguments: &'d [Node<Argument>], defined: &'d [Node<InputValueDefinition>]) {
        for argument in arguments {
            if let Some(definition) = defined.iter().find(|definition| definition.name == argument.name) {
                self.value(&argument.value, Location::of(definition));
            }
        }
    }

    fn value(&mut self, value: &'d Node<Value>, at: Location<'d>) {
        match value.as_ref() {
            Value::Variable(name) => {
                let mut variables = self.operation.variables.iter();
                if let Some(variable) = variables.find(|variable| variable.name == *name) {
                    self.variable(variable, value, at);
                }
            }
            Value::List(items) => {
                let at = Location { ty: at.ty.item_type(), has_default: false, is_only: false };
                items.iter().for_each(|item| self.value(item, at));
            }
            Value::Object(fields) => {
                let Some(ExtendedType::InputObject(input)) = self.schema.types.get(at.ty.inner_named_type()) else {
                    return;
                };
                let is_only = input.directives.has("oneOf");
                for (name, value) in fields {
                    if let Some(definition) = input.fields.get(name) {
                        self.value(value, Location { is_only, ..Location::of(definition) });
                    }
                }
            }
            _ => {}
        }
    }

    fn variable(&mut self, variable: &'d VariableDefinition, value: &Node<Value>, at: Location<'_>) {
        let wanted = if at.is_only { at.ty.clone().non_null() } else { at.ty.clone() };
        let may_be_null = wanted.is_non_null() && !variable.ty.is_non_null();
        let has_value = variable.default_value.as_ref().is_some_and(|value| !value.is_null());
        let fits = if may_be_null && (has_value || at.has_default) {
            self.never_null.insert(&variable.name);
            variable.ty.is_assignable_to(&wanted.clone().nullable())
        } else {
            variable.ty.is_assignable_to(&wanted)
        };
        if !fits && self.faults.len() < super::MOST_PROBLEMS {
            let message =
                format!("`${}` is of the type `{}`; here it has to be `{wanted}`", variable.name, variable.ty);
            let place =
                value.line_column_range(&self.document.sources).map(|range| (range.start.line, range.start.column));
            self.faults.push(Fault { place, ..Fault::new(Code::GraphqlValidationFailed, message) });
        }
    }
}

impl<'d> Location<'d> {
    fn of(definition: &'d InputValueDefinition) -> Self {
        Self { ty: &definition.ty, has_default: definition.default_value.is_some(), is_only: false }
    }
}
