//! The read path: from a selection to rows, in one statement.
//!
//! A domain declares its edges as [`Relation`]s. [`Plan`] walks the selection below a root field and picks the
//! relations that it touches; [`statement`] writes them as one `UNION ALL` of plain rows;
//! [`Tree`] holds the rows, and the GraphQL objects are [`Handle`]s into it. So every root field costs one
//! statement and sees one moment, whatever it selects.

pub(crate) mod batch;
pub mod connection;
pub mod eager;
pub mod plan;
mod prepared;
pub mod relation;
pub mod row;
pub mod sql;
mod statement;
pub mod tree;

use std::sync::Arc;

use async_graphql::Context;
use uuid::Uuid;

pub use batch::Batches;
pub use connection::{Connection, Listed, PageArguments, Place};
pub use eager::Eager;
pub use plan::Plan;
pub use prepared::Remembered;
pub use relation::{Access, Find, Join, Order, Pieces, Relation, Root, RowType, Shape};
pub use row::{Cells, Column, Row};
pub use sql::Sql;
pub use tree::{Handle, Tree};

use crate::cache::Point;
use crate::digest::Digest;
use crate::error::Fault;
use crate::scope::Scope;

/// Reads what the current field selects, starting at `root`.
///
/// # Errors
/// A bad argument of the root, or a database that does not answer.
pub async fn read(ctx: &Context<'_>, scope: &Scope, root: Root) -> Result<Tree, Fault> {
    let Find::Row { id, instead, .. } = root.find else { return at(ctx, scope, root).await };
    let Root { to, table, rows, access, .. } = root;
    if access == Access::Itself && scope.may_name(id) {
        let tree = at(ctx, scope, root).await?;
        if tree.first().is_some() {
            return Ok(tree);
        }
    }
    at(ctx, scope, Root { to, table, rows, access, find: Find::One(instead(id)) }).await
}

async fn at(ctx: &Context<'_>, scope: &Scope, root: Root) -> Result<Tree, Fault> {
    let id = if let Find::Row { id, .. } = root.find { Some(id) } else { None };
    let finding = Finding::of(&root);
    let prepared = ctx.data_unchecked::<Arc<Remembered>>().prepared(ctx, scope, root)?;
    let Some(reads) = scope.reads() else {
        let rows = prepared.rows(scope, id).await?;
        return Tree::build(prepared, &rows, scope);
    };
    // What the answer rests on has to be known before the database is asked.
    let (cache, text) = (&scope.state().cache, prepared.text());
    let guess = finding.as_ref().and_then(|finding| finding.id.or_else(|| cache.guess(&finding.name)));
    let ground = scope.ground(guess).await;
    cache.points.pass(Point::BeforeRead).await;
    let rows = prepared.rows(scope, id).await?;
    let tree = Tree::build(prepared, &rows, scope)?;
    let customer = tree.first();
    if id.is_some() && customer.is_none() {
        return Ok(tree); // Another statement looks for whoever stands for this one.
    }
    if let (Some(finding), Some(customer)) = (&finding, customer) {
        cache.learn(finding.name, customer);
    }
    reads.statement(&text, finding.as_ref().map(|finding| finding.text.as_str()), customer, ground.as_ref());
    cache.points.pass(Point::BeforeKeep).await;
    Ok(tree)
}

/// How a customer is looked for.
struct Finding {
    /// What the statement says about it.
    text: String,
    /// What tells it from others.
    name: Digest,
    /// The id that it is looked for by, if it is.
    id: Option<Uuid>,
}

impl Finding {
    /// `None` where it is no customer, or not one.
    fn of(root: &Root) -> Option<Self> {
        match &root.find {
            _ if root.access != Access::Itself => None,
            Find::One(pieces) => Some(Self { text: pieces.as_text(), name: pieces.digest(), id: None }),
            Find::Row { id, instead, .. } => {
                let pieces = instead(*id);
                Some(Self { text: pieces.as_text(), name: pieces.digest(), id: Some(*id) })
            }
            Find::Ids(_) | Find::Found { .. } | Find::Page { .. } => None,
        }
    }
}
