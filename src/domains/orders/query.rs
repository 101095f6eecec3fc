//! Root reads of orders.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result};
use c360_rules::id::Kind;

use super::object::Order;
use super::store::{self, OrderRow};
use crate::graphql::id;
use crate::read::{self, Eager, Find};
use crate::scope::Scope;

/// How an order is named.
#[derive(Clone, Debug, OneofObject)]
pub enum OrderIdentifier {
    /// By its id.
    Id(ID),
    /// By the number that its source gave it.
    Number(OrderNumber),
}

/// An order's number.
#[derive(Clone, Debug, InputObject)]
pub struct OrderNumber {
    /// The number, as on the receipt or in the confirmation.
    pub number: String,
    /// The system that gave it. Needed only where several systems use the same number.
    pub source: Option<String>,
}

/// Root reads of orders.
#[derive(Debug, Default)]
pub struct OrdersQuery;

#[Object]
impl OrdersQuery {
    /// One order, or null if there is none that you may see.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] by: OrderIdentifier,
    ) -> Result<Option<Eager<Order>>> {
        let scope = ctx.data_unchecked::<Scope>();
        let find = match by {
            OrderIdentifier::Id(id) => Find::Ids(vec![id::parse("by.id", Kind::Order, &id)?]),
            OrderIdentifier::Number(OrderNumber { number, source }) => store::by_number(number, source),
        };
        let tree = read::read(ctx, scope, store::root(find)).await?;
        Ok(tree.one::<OrderRow>("by")?.map(Eager::from))
    }
}
