//! The two ways to a customer.

use async_graphql::{Context, Object, Result};

use super::Customer;
use crate::auth::Actor;
use crate::domains::customers::CustomerIdentifier;
use crate::domains::customers::store::{self, CustomerRow};
use crate::read::{self, Eager, Find};
use crate::scope::Scope;

/// Root reads of customers.
#[derive(Debug, Default)]
pub struct CustomerQuery;

#[Object]
impl CustomerQuery {
    /// One customer with everything about the relationship, or null if there is none that you may see. When several
    /// customers share the identifier, the error's reason is `AMBIGUOUS_IDENTIFIER`.
    async fn customer360(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which customer.")] by: CustomerIdentifier,
    ) -> Result<Option<Eager<Customer>>> {
        let scope = ctx.data_unchecked::<Scope>();
        find(ctx, scope, by.find(scope.phone_regions())?).await
    }

    /// The customer whose own token this is.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<Eager<Customer>>> {
        let scope = ctx.data_unchecked::<Scope>();
        match &scope.caller().actor {
            Actor::Customer(identity) => find(ctx, scope, store::own(identity)).await,
            Actor::Staff(_) | Actor::Partner(_) => Ok(None),
        }
    }
}

async fn find(ctx: &Context<'_>, scope: &Scope, find: Find) -> Result<Option<Eager<Customer>>> {
    let tree = read::read(ctx, scope, store::root(find)).await?;
    Ok(tree.one::<CustomerRow>("by")?.map(Eager::from))
}
