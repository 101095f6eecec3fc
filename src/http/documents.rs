//! Documents that were seen before: parsed once, and with the fields that they read.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::{
    ExecutableDocument, OperationType, Selection, SelectionSet, ServiceDocument, TypeKind, TypeSystemDefinition,
};

use super::guard;
use crate::auth::{Caller, policy};
use crate::error::{Code, Fault};

/// Most documents that are remembered.
const REMEMBERED: u64 = 2_000;

/// Most selections of a document, each fragment counted wherever it is spread: a few lines can spread to billions.
const MOST_SELECTIONS: u64 = 20_000;

/// A parsed document.
#[derive(Debug)]
pub struct Document {
    pub(super) parsed: ExecutableDocument,
    /// Every field that it may read, with the type that it is read on.
    fields: Vec<(String, String)>,
}

impl Document {
    /// Whether the caller may read all that the document asks for.
    pub(super) fn is_open_to(&self, caller: &Caller) -> bool {
        self.fields.iter().all(|(on, field)| policy::check(caller, on, field).is_ok())
    }
}

/// Remembers documents by their text.
#[derive(Debug)]
pub struct Documents {
    types: Types,
    seen: moka::sync::Cache<String, Arc<Document>>,
}

/// For each type its fields, and for each field the type that it gives.
type Types = HashMap<String, HashMap<String, String>>;

impl Documents {
    /// For a schema in the schema definition language.
    pub fn new(sdl: &str) -> Self {
        let types = async_graphql::parser::parse_schema(sdl).map(types_of).unwrap_or_default();
        Self { types, seen: moka::sync::Cache::new(REMEMBERED) }
    }

    /// The document behind a text.
    pub(super) fn get(&self, text: &str) -> Result<Arc<Document>, Fault> {
        if let Some(document) = self.seen.get(text) {
            return Ok(document);
        }
        guard::check(text)?;
        let parsed = async_graphql::parser::parse_query(text)
            .map_err(|error| Fault::new(Code::GraphqlParseFailed, error.to_string()))?;
        if expanded(&parsed) > MOST_SELECTIONS {
            let message =
                format!("the document selects more than {MOST_SELECTIONS} fields when its fragments are spread");
            return Err(Fault::new(Code::GraphqlValidationFailed, message));
        }
        let document = Arc::new(Document { fields: self.fields_of(&parsed), parsed });
        self.seen.insert(text.to_owned(), document.clone());
        Ok(document)
    }

    fn fields_of(&self, document: &ExecutableDocument) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        for (_, operation) in document.operations.iter() {
            let root = match operation.node.ty {
                OperationType::Query => "Query",
                OperationType::Mutation => "Mutation",
                OperationType::Subscription => "Subscription",
            };
            self.walk(root, &operation.node.selection_set.node, &mut fields);
        }
        // Each fragment says what type it is on, so that it is walked once and not where it is spread.
        for fragment in document.fragments.values() {
            let on = fragment.node.type_condition.node.on.node.as_str();
            self.walk(on, &fragment.node.selection_set.node, &mut fields);
        }
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    fn walk(&self, on: &str, selections: &SelectionSet, fields: &mut Vec<(String, String)>) {
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    if name.starts_with("__") {
                        continue;
                    }
                    fields.push((on.to_owned(), name.to_owned()));
                    if let Some(gives) = self.types.get(on).and_then(|fields| fields.get(name)) {
                        self.walk(gives, &field.node.selection_set.node, fields);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let on =
                        fragment.node.type_condition.as_ref().map_or(on, |condition| condition.node.on.node.as_str());
                    self.walk(on, &fragment.node.selection_set.node, fields);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}

/// How many selections the largest operation has when every fragment is written out where it is spread.
fn expanded(document: &ExecutableDocument) -> u64 {
    fn count<'d>(set: &'d SelectionSet, document: &'d ExecutableDocument, known: &mut HashMap<&'d str, u64>) -> u64 {
        set.items.iter().fold(0_u64, |sum, selection| {
            let below = match &selection.node {
                Selection::Field(field) => count(&field.node.selection_set.node, document, known),
                Selection::InlineFragment(fragment) => count(&fragment.node.selection_set.node, document, known),
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    match (known.get(name), document.fragments.get(name)) {
                        (Some(counted), _) => *counted,
                        (None, Some(fragment)) => {
                            // A fragment that spreads itself is no longer counted; validation refuses it.
                            known.insert(name, 0);
                            let counted = count(&fragment.node.selection_set.node, document, known);
                            known.insert(name, counted);
                            counted
                        }
                        (None, None) => 0,
                    }
                }
            };
            sum.saturating_add(below).saturating_add(1)
        })
    }
    let mut known = HashMap::new();
    let operations = document.operations.iter();
    operations.map(|(_, operation)| count(&operation.node.selection_set.node, document, &mut known)).max().unwrap_or(0)
}

fn types_of(schema: ServiceDocument) -> Types {
    let types = schema.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        _ => None,
    });
    types
        .filter_map(|definition| {
            let fields = match definition.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => return None,
            };
            let fields = fields.into_iter().map(|field| (field.node.name.node.to_string(), named(&field.node.ty.node)));
            Some((definition.name.node.to_string(), fields.collect()))
        })
        .collect()
}

/// The type without its wrappers.
fn named(ty: &async_graphql::parser::types::Type) -> String {
    match &ty.base {
        async_graphql::parser::types::BaseType::Named(name) => name.to_string(),
        async_graphql::parser::types::BaseType::List(inner) => named(inner),
    }
}
