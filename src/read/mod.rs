//! The read path: from a selection to rows, in one statement.
//!
//! A domain declares its edges as [`Relation`]s. [`Plan`] walks the selection below a root field and picks the
//! relations that it touches; [`statement`] writes them as one `UNION ALL` of plain rows of a common shape;
//! [`Tree`] holds the rows, and the GraphQL objects are [`Handle`]s into it. So every root field costs one
//! statement and sees one moment, whatever it selects.

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

pub use connection::{Connection, Listed, PageArguments, Place};
pub use eager::Eager;
pub use plan::Plan;
pub use prepared::Remembered;
pub use relation::{Access, Find, Join, Order, Pieces, Relation, Root, RowType, Shape};
pub use row::{Cells, Column, Row};
pub use sql::Sql;
pub use tree::{Handle, Tree};

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
        if tree.has_root() {
            return Ok(tree);
        }
    }
    at(ctx, scope, Root { to, table, rows, access, find: Find::One(instead(id)) }).await
}

async fn at(ctx: &Context<'_>, scope: &Scope, root: Root) -> Result<Tree, Fault> {
    let id = if let Find::Row { id, .. } = root.find { Some(id) } else { None };
    let prepared = ctx.data_unchecked::<Arc<Remembered>>().prepared(ctx, scope, root)?;
    let rows = scope.rows(prepared.query(id)).await?;
    Tree::build(prepared, &rows, scope)
}
