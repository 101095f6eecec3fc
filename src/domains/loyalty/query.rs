//! Root reads of loyalty.

use async_graphql::{Context, Object, Result};

use super::object::LoyaltyProgramme;
use super::quote::{self, LoyaltyQuote, Question};
use super::store::{self, ProgrammeRow};
use crate::domains::customers::CustomerIdentifier;
use crate::domains::orders::store::OrderChannel;
use crate::error::Fault;
use crate::graphql::MoneyInput;
use crate::read::{self, Eager};
use crate::scope::Scope;

/// Root reads of loyalty.
#[derive(Debug, Default)]
pub struct LoyaltyQuery;

#[Object]
impl LoyaltyQuery {
    /// A loyalty programme: what earns points, what the tiers give, and what points buy. Null if there is none.
    async fn loyalty_programme(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The programme's code; the active programme if left out.")] code: Option<String>,
    ) -> Result<Option<Eager<LoyaltyProgramme>>> {
        let scope = ctx.data_unchecked::<Scope>();
        let find = code.map_or_else(store::active_programme, store::programme_by_code);
        let tree = read::read(ctx, scope, store::root(find)).await?;
        Ok(tree.one::<ProgrammeRow>("code")?.map(Eager::from))
    }

    /// What a customer's points can do at a till now: how many there are, what they pay, and how many a basket earns.
    /// Null if there is no such member that you may know of.
    async fn loyalty_quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The customer; a customer's own token may leave it out.")] customer: Option<
            CustomerIdentifier,
        >,
        #[graphql(desc = "The value of the goods, less discounts, without shipping and tax added on top.")]
        basket: Option<MoneyInput>,
        #[graphql(desc = "Where the goods are sold.", default_with = "OrderChannel::Pos")] channel: OrderChannel,
        #[graphql(desc = "How many points the customer wants to use; all that can be used if left out.")]
        points: Option<i32>,
    ) -> Result<Option<LoyaltyQuote>> {
        let basket = basket.map(|basket| basket.read("basket")).transpose()?;
        if points.is_some_and(|points| points < 0) {
            return Err(Fault::bad_input("points", "give a number of points from 0 on").into());
        }
        let scope = ctx.data_unchecked::<Scope>();
        Ok(quote::quote(scope, Question { customer, basket, channel, points: points.map(i64::from) }).await?)
    }
}
