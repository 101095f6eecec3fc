//! What reading a field takes, worked out once for a document: of the plan and the statement nothing depends on the
//! customer but one parameter.
//!
//! The library takes each document for its own, and walks it before anything is resolved. Where it has nothing to do below
//! the roots it gets an outline, and the objects look here for what is asked of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Context, Name, Pos, Positioned, Value as Argument};
use async_graphql_value::Value as Written;
use sea_orm::{DbBackend, QueryResult, Value};
use uuid::Uuid;

use super::plan::Plan;
use super::relation::{Find, Root};
use super::row::Kind;
use super::statement;
use crate::auth::Kin;
use crate::db::Query;
use crate::error::Fault;
use crate::scope::Scope;

/// Most ways to read that are remembered of one operation.
const MOST: usize = 16;

/// A plan and its statement.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) plan: Plan,
    query: Query,
    /// The sort key of each part: its kind, and its place among the cells.
    pub(super) keys: Vec<Option<(Kind, usize)>>,
}

impl Prepared {
    /// For the current field and what is below it.
    ///
    /// # Errors
    /// The arguments of the root's page are wrong.
    fn new(ctx: &Context<'_>, scope: &Scope, root: Root) -> Result<Self, Fault> {
        let whole = ctx.data_unchecked::<Arc<Remembered>>().whole(ctx.item);
        let plan = Plan::of(ctx.with_field(whole).field(), scope, root)?;
        let query = statement::write(&plan, scope);
        let key = |at: usize| plan.row_type(at).key(plan.nodes[at].page.order, plan.nodes[at].columns);
        let keys = (0..plan.nodes.len()).map(key).collect();
        Ok(Self { plan, query, keys })
    }

    /// The statement's text.
    pub(super) fn text(&self) -> Arc<str> {
        self.query.text.clone()
    }

    /// The statement's rows, for the root of this id where it is found by one.
    ///
    /// # Errors
    /// As the database fails.
    pub(super) async fn rows(&self, scope: &Scope, root: Option<Uuid>) -> Result<Vec<QueryResult>, Fault> {
        match root {
            Some(id) if scope.backend() == DbBackend::Postgres => scope.run_for(&self.query, id).await,
            Some(id) => {
                let mut query = self.query.clone();
                query.values[statement::ROOT_PARAMETER] = Value::from(id);
                scope.run(query).await
            }
            None => scope.run(self.query.clone()).await,
        }
    }
}

/// What has been worked out for one operation.
#[derive(Debug)]
pub struct Remembered {
    /// The operation, and the fragments.
    document: Arc<ExecutableDocument>,
    /// The same without what is below its roots, if the roots need nothing else to be resolved.
    outline: Option<ExecutableDocument>,
    /// Variables that the fields below the roots depend on.
    variables: Vec<Name>,
    /// No selection of the document has a fragment, a directive or one key twice.
    pub(super) is_plain: bool,
    ways: Mutex<Vec<(Way, Arc<Prepared>)>>,
}

/// What a plan and its statement depend on, besides the operation.
#[derive(Debug, PartialEq)]
struct Way {
    field: Pos,
    to: &'static str,
    kin: Kin,
    variables: Vec<Option<Argument>>,
}

impl Remembered {
    /// Nothing yet, for a document of one operation. `may_be_outlined` says that its roots are [objects](super::Eager) that
    /// look here for their selections, and that nothing has to be put right in its answer unless there are errors.
    pub fn new(document: Arc<ExecutableDocument>, may_be_outlined: bool) -> Self {
        let (mut variables, mut is_plain) = (Vec::new(), document.fragments.is_empty());
        for set in operations(&document) {
            gather(set, true, &mut variables);
            is_plain = is_plain && all_plain(set);
        }
        for fragment in document.fragments.values() {
            gather(&fragment.node.selection_set.node, false, &mut variables);
        }
        variables.sort_unstable();
        variables.dedup();
        let outline = (may_be_outlined && is_plain).then(|| outline(&document)).flatten();
        Self { document, outline, variables, is_plain, ways: Mutex::default() }
    }

    /// Whether the library has an outline, and objects are written by themselves.
    pub(super) fn is_outlined(&self) -> bool {
        self.outline.is_some()
    }

    /// What the library is given of the operation.
    pub fn document(&self) -> &ExecutableDocument {
        self.outline.as_ref().unwrap_or(&self.document)
    }

    /// A field as the document has it.
    pub(super) fn whole<'d>(&'d self, field: &'d Positioned<Field>) -> &'d Positioned<Field> {
        if self.outline.is_none() || !field.node.selection_set.node.items.is_empty() {
            return field;
        }
        let mut roots = operations(&self.document).flat_map(|set| &set.items);
        let whole = roots.find_map(|selection| match &selection.node {
            Selection::Field(root) if root.pos == field.pos => Some(root),
            _ => None,
        });
        whole.unwrap_or(field)
    }

    /// How the current field is read, from memory if it can be.
    pub(super) fn prepared(&self, ctx: &Context<'_>, scope: &Scope, root: Root) -> Result<Arc<Prepared>, Fault> {
        let Some(way) = self.way(ctx, scope, &root) else { return Prepared::new(ctx, scope, root).map(Arc::new) };
        let known = || self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, prepared)) = known().iter().find(|(known, _)| *known == way) {
            return Ok(prepared.clone());
        }
        let prepared = Arc::new(Prepared::new(ctx, scope, root)?);
        let mut ways = known();
        if ways.len() == MOST {
            ways.clear();
        }
        ways.push((way, prepared.clone()));
        Ok(prepared)
    }

    /// `None` where it would hardly be of use to another request: a search, a cursor, a partner.
    fn way(&self, ctx: &Context<'_>, scope: &Scope, root: &Root) -> Option<Way> {
        if !matches!(root.find, Find::Row { .. }) {
            return None;
        }
        let mut variables = Vec::with_capacity(self.variables.len());
        for name in &self.variables {
            let value = ctx.query_env.variables.get(name);
            if value.is_some_and(has_text) {
                return None;
            }
            variables.push(value.cloned());
        }
        Some(Way { field: ctx.item.pos, to: root.to, kin: scope.caller().kin()?, variables })
    }
}

fn has_text(value: &Argument) -> bool {
    match value {
        Argument::String(_) | Argument::Binary(_) => true,
        Argument::List(items) => items.iter().any(has_text),
        Argument::Object(fields) => fields.values().any(has_text),
        Argument::Null | Argument::Number(_) | Argument::Boolean(_) | Argument::Enum(_) => false,
    }
}

fn operations(document: &ExecutableDocument) -> impl Iterator<Item = &SelectionSet> {
    document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node)
}

/// An operation without what is below its roots.
fn outline(document: &ExecutableDocument) -> Option<ExecutableDocument> {
    let DocumentOperations::Single(operation) = &document.operations else { return None };
    let mut operation = operation.clone();
    for selection in &mut operation.node.selection_set.node.items {
        let Selection::Field(field) = &mut selection.node else { return None };
        field.node.selection_set.node.items.clear();
    }
    Some(ExecutableDocument { operations: DocumentOperations::Single(operation), fragments: HashMap::new() })
}

/// Whether a selection, and all below it, is nothing but fields, each under a key of its own.
fn all_plain(set: &SelectionSet) -> bool {
    let mut keys = HashSet::with_capacity(set.items.len());
    set.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => {
            field.node.directives.is_empty()
                && keys.insert(&field.node.response_key().node)
                && all_plain(&field.node.selection_set.node)
        }
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => false,
    })
}

/// The variables in a selection, without those that the roots themselves take as arguments.
fn gather(set: &SelectionSet, is_root: bool, variables: &mut Vec<Name>) {
    for selection in &set.items {
        for directive in selection.node.directives() {
            directive.node.arguments.iter().for_each(|(_, value)| named(value, variables));
        }
        match &selection.node {
            Selection::Field(field) => {
                if !is_root {
                    field.node.arguments.iter().for_each(|(_, value)| named(value, variables));
                }
                gather(&field.node.selection_set.node, false, variables);
            }
            Selection::InlineFragment(fragment) => gather(&fragment.node.selection_set.node, is_root, variables),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn named(value: &Positioned<Written>, variables: &mut Vec<Name>) {
    fn walk(value: &Written, variables: &mut Vec<Name>) {
        match value {
            Written::Variable(name) => variables.push(name.clone()),
            Written::List(items) => items.iter().for_each(|item| walk(item, variables)),
            Written::Object(fields) => fields.values().for_each(|field| walk(field, variables)),
            _ => {}
        }
    }
    walk(&value.node, variables);
}
