//! The rows that a plan has brought, and the handles by which the objects hold them.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use async_graphql::Context;
use chrono::{DateTime, Utc};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

use super::connection::{Connection, Listed, Listing, PageArguments, Place};
use super::eager::Eager;
use super::prepared::Prepared;
use super::relation::Find;
use super::row::{Cells, Kind, Row, missing};
use super::statement::{COUNTED_CANDIDATES, TOTALS};
use crate::error::Fault;
use crate::scope::Scope;

/// Everything that one root field has read.
pub struct Tree(Arc<Loaded>);

struct Loaded {
    prepared: Arc<Prepared>,
    rows: Vec<Box<dyn AnyRows>>,
    totals: HashMap<(usize, Uuid), i64>,
    /// How many rows the root's identifier matches.
    candidates: i64,
    scope: Scope,
}

/// Rows of one node without their type.
pub(super) trait AnyRows: Send + Sync {
    fn push(&mut self, parent: Uuid, id: Uuid, key: i64, cells: &mut Cells<'_>) -> Result<(), DbErr>;
    fn sort(&mut self, descending: bool);
    fn arrange(&mut self, places: &[Place]);
    fn first(&self) -> Option<Uuid>;
    fn as_any(&self) -> &dyn Any;
}

/// Rows of one node, by parent and then in the order of their list.
#[derive(Debug)]
pub(super) struct Rows<R>(Vec<Entry<R>>);

#[derive(Debug)]
struct Entry<R> {
    parent: Uuid,
    key: i64,
    row: R,
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: Row> AnyRows for Rows<R> {
    fn push(&mut self, parent: Uuid, id: Uuid, key: i64, cells: &mut Cells<'_>) -> Result<(), DbErr> {
        self.0.push(Entry { parent, key, row: R::take(id, cells)? });
        Ok(())
    }

    fn sort(&mut self, descending: bool) {
        self.0.sort_unstable_by(|a, b| {
            let within = (a.key, a.row.id()).cmp(&(b.key, b.row.id()));
            a.parent.cmp(&b.parent).then(if descending { within.reverse() } else { within })
        });
    }

    fn arrange(&mut self, places: &[Place]) {
        let at = |entry: &Entry<R>| places.iter().position(|place| place.id == entry.row.id());
        self.0.sort_by_key(|entry| at(entry));
        for entry in &mut self.0 {
            entry.key = at(entry).map_or(0, |at| places[at].key);
        }
    }

    fn first(&self) -> Option<Uuid> {
        self.0.first().map(|entry| entry.row.id())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Tree {
    /// Sorts the rows of a statement into their places.
    pub(super) fn build(prepared: Arc<Prepared>, rows: &[QueryResult], scope: &Scope) -> Result<Self, Fault> {
        let Prepared { plan, keys, .. } = prepared.as_ref();
        let mut parts: Vec<Box<dyn AnyRows>> = (0..plan.nodes.len()).map(|at| (plan.row_type(at).collect)()).collect();
        let mut totals = HashMap::new();
        let mut candidates = 0;
        for row in rows {
            let mut cells = Cells::new(row)?;
            let (section, parent): (i64, Option<Uuid>) = (cells.take()?, cells.take()?);
            let (id, parent): (Option<Uuid>, Uuid) = (cells.take()?, parent.unwrap_or_default());
            match section {
                COUNTED_CANDIDATES => candidates = cells.take()?,
                section if section <= TOTALS => {
                    let at = usize::try_from(TOTALS - section).unwrap_or_default();
                    totals.insert((at, parent), cells.take()?);
                }
                section => {
                    let at = usize::try_from(section).unwrap_or_default();
                    let key = keys[at].map_or(Ok(0), |(kind, place)| key_of(&cells, kind, place))?;
                    let id = id.ok_or_else(missing)?;
                    parts[at].push(parent, id, key, &mut cells.of(plan.nodes[at].columns))?;
                }
            }
        }
        for (part, node) in parts.iter_mut().zip(&plan.nodes) {
            part.sort(node.page.order.descending);
        }
        if let Find::Found { places, total, .. } = &plan.root.find {
            parts[0].arrange(places);
            totals.extend(total.map(|total| ((0, Uuid::nil()), total)));
        }
        Ok(Self(Arc::new(Loaded { prepared, rows: parts, totals, candidates, scope: scope.clone() })))
    }

    /// The one row of the root, if there is one that the caller may see.
    ///
    /// # Errors
    /// `AMBIGUOUS_IDENTIFIER` when the identifier of `argument` matches several.
    pub fn one<R: Row>(&self, argument: &str) -> Result<Option<Handle<R>>, Fault> {
        if self.0.candidates > 1 {
            let message = "several match; go on with an identifier that only one has";
            return Err(Fault::bad_input(argument, message).because("AMBIGUOUS_IDENTIFIER"));
        }
        Ok(self.all().into_iter().next())
    }

    /// The id of the first row of the root.
    pub(super) fn first(&self) -> Option<Uuid> {
        self.0.rows[0].first()
    }

    /// All rows of the root.
    pub fn all<R: Row>(&self) -> Vec<Handle<R>> {
        let rows = entries::<R>(&self.0, 0).len();
        (0..rows).map(|at| Handle::new(&self.0, 0, at)).collect()
    }

    /// The page of the root.
    ///
    /// # Errors
    /// The arguments of the page are wrong.
    pub fn page<R: Row, T: Listed + From<Handle<R>>>(&self, arguments: &PageArguments) -> Result<Connection<T>, Fault> {
        page(&self.0, 0, Uuid::nil(), arguments)
    }
}

fn key_of(cells: &Cells<'_>, kind: Kind, place: usize) -> Result<i64, DbErr> {
    match kind {
        Kind::Time => Ok(cells.peek::<Option<DateTime<Utc>>>(place)?.map_or(0, |at| at.timestamp_micros())),
        _ => Ok(cells.peek::<Option<i64>>(place)?.unwrap_or(0)),
    }
}

fn entries<R: Row>(loaded: &Loaded, node: usize) -> &[Entry<R>] {
    loaded.rows[node].as_any().downcast_ref::<Rows<R>>().map_or(&[], |rows| &rows.0)
}

/// The entries of one parent, as a range.
fn of_parent<R: Row>(loaded: &Loaded, node: usize, parent: Uuid) -> std::ops::Range<usize> {
    let all = entries::<R>(loaded, node);
    let start = all.partition_point(|entry| entry.parent < parent);
    start..start + all[start..].partition_point(|entry| entry.parent == parent)
}

fn page<R: Row, T: Listed + From<Handle<R>>>(
    loaded: &Arc<Loaded>,
    at: usize,
    parent: Uuid,
    arguments: &PageArguments,
) -> Result<Connection<T>, Fault> {
    let node = &loaded.prepared.plan.nodes[at];
    if let Some(fault) = &node.fault {
        return Err(fault.clone());
    }
    let page = arguments.page(node.page.order, node.list)?;
    let mut range = if at == 0 { 0..entries::<R>(loaded, 0).len() } else { of_parent::<R>(loaded, at, parent) };
    let size = usize::try_from(page.size).unwrap_or(usize::MAX);
    let more = range.len() > size;
    if more && page.backwards {
        range.start = range.end - size;
    } else if more {
        range.end = range.start + size;
    }
    let (has_next, has_previous) =
        if page.backwards { (page.before.is_some(), more) } else { (more, page.after.is_some()) };
    Ok(Eager::of(Listing {
        items: range.map(|row| Eager::from(Handle::new(loaded, at, row))).collect(),
        list: node.list,
        has_next,
        has_previous,
        total: loaded.totals.get(&(at, parent)).copied(),
    }))
}

/// A row in its tree: what the GraphQL objects are made of. It reads as the row.
pub struct Handle<R> {
    tree: Arc<Loaded>,
    node: u32,
    at: u32,
    row: PhantomData<fn() -> R>,
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Self { tree: self.tree.clone(), node: self.node, at: self.at, row: PhantomData }
    }
}

impl<R: Row> fmt::Debug for Handle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("node", &self.node).field("at", &self.at).finish_non_exhaustive()
    }
}

impl<R: Row> Deref for Handle<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &entries::<R>(&self.tree, self.node as usize)[self.at as usize].row
    }
}

impl<R: Row> Handle<R> {
    fn new(tree: &Arc<Loaded>, node: usize, at: usize) -> Self {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { tree: tree.clone(), node: small(node), at: small(at), row: PhantomData }
    }

    /// Who asks.
    pub fn scope(&self) -> &Scope {
        &self.tree.scope
    }

    /// Where the row stands in its list.
    pub fn place(&self) -> Place {
        let entry = &entries::<R>(&self.tree, self.node as usize)[self.at as usize];
        Place { key: entry.key, id: entry.row.id() }
    }

    /// The page that the current field selects.
    ///
    /// # Errors
    /// The arguments of the page are wrong.
    pub fn page<C: Row, T: Listed + From<Handle<C>>>(
        &self,
        ctx: &Context<'_>,
        arguments: &PageArguments,
    ) -> Result<Connection<T>, Fault> {
        self.page_by(ctx, self.id(), arguments)
    }

    /// The page that the current field selects, for a parent whose joined column holds `key`.
    ///
    /// # Errors
    /// The arguments of the page are wrong.
    pub fn page_by<C: Row, T: Listed + From<Handle<C>>>(
        &self,
        ctx: &Context<'_>,
        key: Uuid,
        arguments: &PageArguments,
    ) -> Result<Connection<T>, Fault> {
        let field = ctx.field();
        let at = self.child(field.alias().unwrap_or_else(|| field.name()), field.name())?;
        page(&self.tree, at, key, arguments)
    }

    /// The rows of the edge `field`, for a parent whose joined column holds `key`.
    ///
    /// # Errors
    /// The plan lacks the edge, which is a bug.
    pub fn few<C: Row, T: From<Handle<C>>>(&self, field: &str, key: Uuid) -> Result<Vec<T>, Fault> {
        let at = self.child(field, field)?;
        Ok(of_parent::<C>(&self.tree, at, key).map(|row| T::from(Handle::new(&self.tree, at, row))).collect())
    }

    /// The one row of the edge `field`, for a parent whose joined column holds `key`.
    ///
    /// # Errors
    /// The plan lacks the edge, which is a bug.
    pub fn one<C: Row, T: From<Handle<C>>>(&self, field: &str, key: Option<Uuid>) -> Result<Option<T>, Fault> {
        let Some(key) = key else { return Ok(None) };
        let at = self.child(field, field)?;
        Ok(of_parent::<C>(&self.tree, at, key).next().map(|row| T::from(Handle::new(&self.tree, at, row))))
    }

    fn child(&self, key: &str, field: &str) -> Result<usize, Fault> {
        self.tree.prepared.plan.find(self.node as usize, key, field).ok_or_else(|| {
            tracing::error!(field, "the plan lacks an edge that is resolved");
            Fault::internal()
        })
    }
}

/// Declares the GraphQL objects of a domain: newtypes over rows.
#[macro_export]
macro_rules! objects {
    ($($(#[$meta:meta])* $name:ident($row:ty);)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name(pub(crate) $crate::read::Handle<$row>);

        impl From<$crate::read::Handle<$row>> for $name {
            fn from(handle: $crate::read::Handle<$row>) -> Self {
                Self(handle)
            }
        }

        impl $crate::read::Listed for $name {
            fn place(&self) -> $crate::read::Place {
                self.0.place()
            }
        }
    )+};
}
