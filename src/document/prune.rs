//! What may not be read is not asked for; and an answer has every field that was asked for, in its place.
//!
//! Before it runs, an operation loses the fields that its caller may not read. Afterwards its answer gets them back as
//! null, each with its error, in the order of the document. The same walk puts in the nulls of fields that failed,
//! which the executor leaves out, and lets null rise from where the schema does not allow it.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::Type;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, PathSegment, Pos, Positioned, ServerError, Value, Variables};

use super::{Operation, Schema};
use crate::error::Fault;

/// Under this key an object says what type it is, where that is not known beforehand. No client can ask for it.
const TYPE: &str = "__type__";

/// Most errors for refused fields of one answer: a list can repeat them without end.
const MOST_ERRORS: usize = 100;

/// What an operation may not read: type, field, why.
pub type Withheld<'o> = HashMap<(&'o str, &'o str), Fault>;

/// The operation without the fields that are withheld.
pub fn prune(operation: &Operation, schema: &Schema, withheld: &Withheld<'_>) -> ExecutableDocument {
    let mut document = operation.remembered(withheld).document().clone();
    if withheld.is_empty() {
        return document;
    }
    let pruning = Pruning { schema, withheld };
    if let DocumentOperations::Single(only) = &mut document.operations {
        let on = root(&only.node);
        pruning.set(&mut only.node.selection_set.node, on);
    }
    for fragment in document.fragments.values_mut() {
        let on = fragment.node.type_condition.node.on.node.to_string();
        pruning.set(&mut fragment.node.selection_set.node, &on);
    }
    document
}

pub(super) fn root(operation: &OperationDefinition) -> &'static str {
    match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

struct Pruning<'a> {
    schema: &'a Schema,
    withheld: &'a Withheld<'a>,
}

impl Pruning<'_> {
    fn set(&self, set: &mut SelectionSet, on: &str) {
        if set.items.is_empty() {
            return;
        }
        set.items.retain_mut(|selection| match &mut selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                if self.withheld.contains_key(&(on, name)) {
                    return false;
                }
                if let Ok(definition) = self.schema.type_field(on, name) {
                    self.set(&mut field.node.selection_set.node, definition.ty.inner_named_type());
                }
                true
            }
            Selection::InlineFragment(fragment) => {
                let fragment = &mut fragment.node;
                let on =
                    fragment.type_condition.as_ref().map_or(on, |condition| condition.node.on.node.as_str()).to_owned();
                self.set(&mut fragment.selection_set.node, &on);
                true
            }
            Selection::FragmentSpread(_) => true,
        });
        if set.items.is_empty() || self.schema.get_object(on).is_none() {
            set.items.push(asks_for_type());
        }
    }
}

pub(super) fn asks_for_type() -> Positioned<Selection> {
    let here = Pos::default();
    let field = Field {
        alias: Some(Positioned::new(Name::new(TYPE), here)),
        name: Positioned::new(Name::new("__typename"), here),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), here),
    };
    Positioned::new(Selection::Field(Positioned::new(field, here)), here)
}

/// What an answer was asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The schema.
    pub schema: &'a Schema,
    /// The operation as it was sent.
    pub operation: &'a Operation,
    /// Its variables.
    pub variables: &'a Variables,
    /// What it may not read.
    pub withheld: &'a Withheld<'a>,
}

/// Completes what an operation was answered: all fields, in order, with an error for each that was withheld.
pub fn complete(asked: &Asked<'_>, data: Value, errors: &mut Vec<ServerError>) -> Value {
    let DocumentOperations::Single(operation) = &asked.operation.parsed.operations else { return data };
    let data = match data {
        Value::Object(data) => data,
        _ => IndexMap::new(),
    };
    let failed = errors.iter().map(|error| written(&error.path)).collect();
    let mut completion = Completion { asked, failed, path: Vec::new(), errors: Vec::new() };
    let on = root(&operation.node);
    let completed = completion.object(&[(&operation.node.selection_set.node, on)], on, data);
    errors.append(&mut completion.errors);
    completed.unwrap_or_default()
}

struct Completion<'a> {
    asked: &'a Asked<'a>,
    /// The paths of fields that failed.
    failed: HashSet<String>,
    path: Vec<PathSegment>,
    errors: Vec<ServerError>,
}

/// The selections under one key of an answer, each with the type that it is on.
type Merged<'a> = IndexMap<&'a Name, Vec<(&'a Positioned<Field>, &'a str)>>;

impl<'a> Completion<'a> {
    /// `None` where a field is null that must not be.
    fn object(
        &mut self,
        sets: &[(&'a SelectionSet, &'a str)],
        on: &'a str,
        mut data: IndexMap<Name, Value>,
    ) -> Option<Value> {
        let own = match data.get(TYPE) {
            Some(Value::String(own)) => self.asked.schema.get_object(own).map(|object| object.name.as_str()),
            _ => self.asked.schema.get_object(on).map(|object| object.name.as_str()),
        };
        let mut merged = Merged::new();
        for (set, on) in sets {
            self.collect(set, on, own, &mut merged);
        }
        let mut completed = IndexMap::with_capacity(merged.len());
        for (key, fields) in merged {
            let (field, on) = fields[0];
            self.path.push(PathSegment::Field(key.to_string()));
            let value = match data.swap_remove(key) {
                Some(value) => Some(self.field(&fields, value)),
                None => self.absent(&fields, own.is_some()),
            };
            self.path.pop();
            let Some(value) = value else { continue };
            let must_be =
                self.asked.schema.type_field(on, &field.node.name.node).is_ok_and(|field| field.ty.is_non_null());
            if value == Value::Null && must_be {
                return None;
            }
            completed.insert(key.clone(), value);
        }
        Some(Value::Object(completed))
    }

    /// Gathers the fields of a set by key; those of fragments on other types do not belong to the object.
    fn collect(&self, set: &'a SelectionSet, on: &'a str, own: Option<&str>, merged: &mut Merged<'a>) {
        for selection in &set.items {
            if !self.is_included(selection.node.directives()) {
                continue;
            }
            let (set, of) = match &selection.node {
                Selection::Field(field) if field.node.response_key().node == TYPE => continue,
                Selection::Field(field) => {
                    merged.entry(&field.node.response_key().node).or_default().push((field, on));
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let of = fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    (&fragment.node.selection_set.node, of.unwrap_or(on))
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.asked.operation.parsed.fragments.get(&spread.node.fragment_name.node)
                    else {
                        continue;
                    };
                    (&fragment.node.selection_set.node, fragment.node.type_condition.node.on.node.as_str())
                }
            };
            if own.is_none_or(|own| of == own || self.asked.schema.is_subtype(of, own)) {
                self.collect(set, of, own, merged);
            }
        }
    }

    fn is_included(&self, directives: &[Positioned<Directive>]) -> bool {
        let condition = |directive: &Directive| {
            let value = directive.get_argument("if").map(|value| &value.node)?;
            let value =
                value.clone().into_const_with(|name| self.asked.variables.get(&name).cloned().ok_or(())).ok()?;
            if let Value::Boolean(value) = value { Some(value) } else { None }
        };
        directives.iter().all(|directive| match directive.node.name.node.as_str() {
            "skip" => condition(&directive.node) != Some(true),
            "include" => condition(&directive.node) == Some(true),
            _ => true,
        })
    }

    fn field(&mut self, fields: &[(&'a Positioned<Field>, &'a str)], value: Value) -> Value {
        let (field, on) = fields[0];
        let Ok(definition) = self.asked.schema.type_field(on, &field.node.name.node) else { return value };
        let ty = &definition.ty;
        let below = ty.inner_named_type().as_str();
        let sets: Vec<_> = fields.iter().map(|(field, _)| (&field.node.selection_set.node, below)).collect();
        if sets[0].0.items.is_empty() { value } else { self.value(&sets, ty, value) }
    }

    fn value(&mut self, sets: &[(&'a SelectionSet, &'a str)], ty: &'a Type, value: Value) -> Value {
        match value {
            Value::List(items) => {
                let inner = ty.item_type();
                let mut completed = Vec::with_capacity(items.len());
                for (at, item) in items.into_iter().enumerate() {
                    self.path.push(PathSegment::Index(at));
                    let item = self.value(sets, inner, item);
                    self.path.pop();
                    if item == Value::Null && inner.is_non_null() {
                        return Value::Null;
                    }
                    completed.push(item);
                }
                Value::List(completed)
            }
            Value::Object(data) => self.object(sets, sets[0].1, data).unwrap_or_default(),
            leaf => leaf,
        }
    }

    /// The value of a field that the executor did not answer.
    fn absent(&mut self, fields: &[(&'a Positioned<Field>, &'a str)], is_typed: bool) -> Option<Value> {
        let (field, on) = fields[0];
        let withheld = self.asked.withheld.get(&(on, field.node.name.node.as_str()));
        match withheld {
            Some(fault) if self.errors.len() < MOST_ERRORS => {
                let mut error = async_graphql::Error::from(fault.clone()).into_server_error(field.pos);
                error.path.clone_from(&self.path);
                self.errors.push(error);
            }
            Some(_) => {}
            // The field of a fragment that is on another type, unless the object says what it is.
            None if !is_typed && !self.failed.contains(&written(&self.path)) => return None,
            None => {}
        }
        Some(Value::Null)
    }
}

fn written(path: &[PathSegment]) -> String {
    let segments = path.iter().map(|segment| match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(at) => at.to_string(),
    });
    segments.collect::<Vec<_>>().join(".")
}
