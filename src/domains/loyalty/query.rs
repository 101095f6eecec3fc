//! Root reads of loyalty.

use async_graphql::{Context, Object, Result};

use super::object::LoyaltyProgramme;
use super::store::{self, ProgrammeRow};
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
}
