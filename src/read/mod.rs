//! The read path: from a selection to rows, in one statement.
//!
//! A domain declares its edges as [`Relation`]s. [`Plan`] walks the selection below a root field and picks the
//! relations that it touches; [`statement`] writes them as one `UNION ALL` of plain rows of a common shape;
//! [`Tree`] holds the rows, and the GraphQL objects are [`Handle`]s into it. So every root field costs one
//! statement and sees one moment, whatever it selects.

pub mod connection;
pub mod eager;
pub mod plan;
pub mod relation;
pub mod row;
pub mod sql;
mod statement;
pub mod tree;

use async_graphql::Context;

pub use connection::{Connection, Listed, PageArguments, Place};
pub use eager::Eager;
pub use plan::Plan;
pub use relation::{Access, Find, Join, Order, Pieces, Relation, Root, RowType, Shape};
pub use row::{Cells, Column, Row};
pub use sql::Sql;
pub use tree::{Handle, Tree};

use crate::cache::Point;
use crate::error::Fault;
use crate::scope::Scope;

/// Reads what the current field selects, starting at `root`.
///
/// # Errors
/// A bad argument of the root, or a database that does not answer.
pub async fn read(ctx: &Context<'_>, scope: &Scope, root: Root) -> Result<Tree, Fault> {
    let plan = Plan::of(ctx.field(), scope, root)?;
    let written = statement::write(&plan, scope);
    let Some(reads) = scope.reads() else {
        let rows = scope.run(written.statement.clone()).await?;
        return Tree::build(plan, &written, &rows, scope);
    };
    // What the answer rests on has to be known before the database is asked.
    let cache = &scope.state().cache;
    let finding = match &plan.root.find {
        Find::One(pieces) if plan.root.access == Access::Itself => Some((pieces.as_text(), pieces.digest(), pieces.id())),
        _ => None,
    };
    let guess = finding.as_ref().and_then(|(_, found_by, id)| cache.guess(found_by).or(*id));
    let ground = scope.ground(guess).await;
    cache.points.pass(Point::BeforeRead).await;
    let rows = scope.run(written.statement.clone()).await?;
    let tree = Tree::build(plan, &written, &rows, scope)?;
    let customer = tree.first();
    if let (Some((_, found_by, _)), Some(customer)) = (&finding, customer) {
        cache.learn(*found_by, customer);
    }
    let finding = finding.as_ref().map(|(text, ..)| text.as_str());
    reads.statement(&written.statement.sql, finding, customer, ground.as_ref());
    cache.points.pass(Point::BeforeKeep).await;
    Ok(tree)
}
