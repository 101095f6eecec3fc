//! What one root field needs: a tree of relations, and the columns of each, picked from the selection below it.

use std::collections::HashMap;

use async_graphql::{Name, SelectionField, Value};

use super::connection::{Page, PageArguments};
use super::relation::{Find, Pieces, Relation, Root, Shape};
use super::row::{self, Columns};
use crate::error::Fault;
use crate::scope::Scope;

/// All relations of the schema, by GraphQL type and field.
#[derive(Clone, Debug, Default)]
pub struct Relations(HashMap<&'static str, HashMap<&'static str, &'static Relation>>);

impl Relations {
    /// Gathers what the domains declare.
    pub fn new(domains: &[&'static [Relation]]) -> Self {
        let mut types = HashMap::<_, HashMap<_, _>>::new();
        for relation in domains.iter().flat_map(|relations| relations.iter()) {
            let fields = types.entry(relation.on).or_default();
            fields.extend(relation.fields.iter().map(|field| (*field, relation)));
        }
        Self(types)
    }

    /// The fields that columns are read for, each with the type that has it.
    #[cfg(test)]
    pub(crate) fn named_fields(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let relations = self.0.values().flat_map(|fields| fields.values());
        relations.flat_map(|relation| {
            let fields = relation.rows.columns.iter().flat_map(|column| column.fields);
            fields.map(|field| (relation.to, *field))
        })
    }

    /// The relation behind a field, if it needs rows of its own.
    pub fn get(&self, on: &str, field: &str) -> Option<&'static Relation> {
        self.0.get(on)?.get(field).copied()
    }
}

/// The relations that one root field needs. The first node is the root itself.
#[derive(Debug)]
pub struct Plan {
    pub(super) root: Root,
    pub(super) nodes: Vec<Node>,
}

/// One relation in its place below the root.
#[derive(Debug)]
pub(super) struct Node {
    /// The node that it hangs from; the root hangs from itself.
    pub(super) parent: usize,
    /// Under which response key and field, so that resolvers find it again.
    pub(super) key: String,
    pub(super) field: String,
    /// `None` for the root.
    pub(super) relation: Option<&'static Relation>,
    /// What is read of each row.
    pub(super) columns: Columns,
    pub(super) page: Page,
    pub(super) conditions: Vec<Pieces>,
    /// The field's arguments, if its rows depend on them.
    arguments: Option<Vec<(Name, Value)>>,
    /// Identifies the list to its cursors.
    pub(super) list: u64,
    pub(super) wants_total: bool,
    /// What is wrong with the field's arguments; then it has no rows, and the field says so.
    pub(super) fault: Option<Fault>,
}

impl Plan {
    /// Walks the selection of the current field.
    ///
    /// # Errors
    /// The arguments of the root's page are wrong.
    pub(super) fn of(field: SelectionField<'_>, scope: &Scope, root: Root) -> Result<Self, Fault> {
        let mut plan = Self { nodes: vec![Node::root(&root, field)?], root };
        let to = plan.root.to;
        plan.walk(field, 0, to, scope);
        Ok(plan)
    }

    fn walk(&mut self, field: SelectionField<'_>, parent: usize, on: &'static str, scope: &Scope) {
        let rows = self.row_type(parent);
        for child in field.selection_set() {
            // The fields of wrappers are looked for, too: that is too many columns at worst, never too few.
            self.nodes[parent].columns |= row::needed(rows.columns, child.name());
            match scope.relations().get(on, child.name()) {
                Some(relation) => {
                    let node = self.node(parent, child, relation);
                    if self.nodes[node].fault.is_none() {
                        self.walk(child, node, relation.to, scope);
                    }
                }
                // Wrappers (edges, nodes, embedded objects) belong to the same rows.
                None => self.walk(child, parent, on, scope),
            }
        }
    }

    /// The node of this field, made now or earlier by a selection that is merged with this one.
    fn node(&mut self, parent: usize, field: SelectionField<'_>, relation: &'static Relation) -> usize {
        let (key, name) = if relation.has_arguments() {
            (field.alias().unwrap_or_else(|| field.name()), field.name())
        } else {
            // Fields that share a relation without arguments share its rows.
            (relation.fields[0], relation.fields[0])
        };
        if let Some(at) = self.find(parent, key, name) {
            let node = &mut self.nodes[at];
            node.wants_total |= wants_total(field);
            if node.fault.is_none() && relation.has_arguments() && field.arguments().ok() != node.arguments {
                let message = "is selected twice with different arguments; give one of them an alias";
                node.fault = Some(Fault::bad_input(field.name(), message));
            }
            return at;
        }
        let mut node = Node {
            parent,
            key: key.to_owned(),
            field: name.to_owned(),
            relation: Some(relation),
            columns: relation.rows.always(relation.order),
            page: Page::whole(relation),
            conditions: Vec::new(),
            arguments: None,
            list: 0,
            wants_total: wants_total(field),
            fault: None,
        };
        if let Err(fault) = node.read_arguments(field, relation) {
            node.fault = Some(fault);
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The node below `parent` that a field reads from.
    pub(super) fn find(&self, parent: usize, key: &str, field: &str) -> Option<usize> {
        let from = self.nodes.iter().enumerate().skip(1);
        from.filter(|(_, node)| node.parent == parent)
            .find(|(_, node)| node.key == key && node.field == field)
            .map(|(at, _)| at)
    }

    /// Whether this node has at most one row.
    pub(super) fn is_single(&self, at: usize) -> bool {
        match self.nodes[at].relation {
            None => matches!(self.root.find, Find::One(_) | Find::Row { .. }),
            Some(relation) => relation.shape == Shape::One && self.is_single(self.nodes[at].parent),
        }
    }
}

impl Node {
    fn root(root: &Root, field: SelectionField<'_>) -> Result<Self, Fault> {
        let mut node = Self {
            parent: 0,
            key: String::new(),
            field: String::new(),
            relation: None,
            columns: 0,
            page: Page::all(),
            conditions: Vec::new(),
            arguments: None,
            list: 0,
            wants_total: false,
            fault: None,
        };
        if let Find::Page { conditions, order, list, page } = &root.find {
            node.conditions.clone_from(conditions);
            node.list = *list;
            node.wants_total = wants_total(field);
            node.page = page.page(*order, *list)?;
        }
        if let Find::Found { list, page, .. } = &root.find {
            node.list = *list;
            node.page = page.page(node.page.order, *list)?;
        }
        node.columns = root.rows.always(node.page.order);
        Ok(node)
    }

    fn read_arguments(&mut self, field: SelectionField<'_>, relation: &'static Relation) -> Result<(), Fault> {
        if !relation.has_arguments() {
            return Ok(());
        }
        let arguments: Vec<(Name, Value)> =
            field.arguments().map_err(|error| Fault::bad_input(field.name(), error.message))?;
        if let Some(filter) = relation.filter {
            self.conditions = filter(&arguments)?;
        }
        if relation.shape == Shape::Page {
            self.list = super::connection::list_of(relation, &arguments);
            self.page = PageArguments::from_arguments(&arguments).page(relation.order, self.list)?;
        }
        self.arguments = Some(arguments);
        Ok(())
    }
}

/// Whether the field, a connection, is asked how many rows it has in all.
pub fn wants_total(field: SelectionField<'_>) -> bool {
    field.selection_set().any(|child| child.name() == "totalCount")
}
