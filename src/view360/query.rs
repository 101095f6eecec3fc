//! The ways to a customer.

use async_graphql::{Context, Object, Result};

use super::Customer;
use crate::auth::Actor;
use crate::domains::customers::store::{self, CustomerRow};
use crate::domains::customers::{CustomerFilter, CustomerIdentifier, CustomerSort, Search};
use crate::read::{self, Connection, Eager, Find, PageArguments};
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
        find(ctx, scope, by.find(Some(scope.caller()), scope.phone_regions())?).await
    }

    /// Customers by whatever you have of them: the start of any word of the name (any part of it in Chinese, Japanese and
    /// Korean), whatever its case and accents and in any order, the start of an e-mail, a phone number in any notation,
    /// the number of a customer, a card or an order, a name on a social network, an id in another system. Without a query:
    /// all customers. Partners give an e-mail, a phone number or a number in full. Who was merged into another is found
    /// as that other one. Of e-mails and numbers that start so, the first 500 are looked at.
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What you have of the customer. All words must match, in any order.")] query: Option<String>,
        #[graphql(desc = "Only customers that meet all of these. Staff only.")] filter: Option<CustomerFilter>,
        #[graphql(desc = "In which order: BEST_MATCH if there is a query (and no other then), else NAME.")]
        sort: Option<CustomerSort>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if it is not given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<Customer>>> {
        let scope = ctx.data_unchecked::<Scope>();
        let page = PageArguments::new(first, after, None, None);
        let search = Search { query, filter: filter.unwrap_or_default(), sort };
        let tree = read::read(ctx, scope, search.run(ctx, scope, &page).await?).await?;
        Ok(Some(tree.page::<CustomerRow, Customer>(&page)?))
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
