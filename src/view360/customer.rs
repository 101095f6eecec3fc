//! `Customer`: each domain's part, merged.

use async_graphql::{Context, ID, MergedObject, Result};
use c360_rules::id::Kind;

use crate::domains::customers::store::CustomerRow;
use crate::domains::{
    customers::CustomerProfile, feedback::CustomerFeedback, insight::CustomerInsight, loyalty::CustomerLoyalty,
    orders::CustomerOrders, tickets::CustomerTickets, timeline::CustomerTimeline,
};
use crate::graphql::gid;
use crate::read::{Handle, Listed, Place};

/// One customer of the retailer, and everything about the relationship.
#[derive(Clone, Debug, MergedObject)]
pub struct Customer(
    CustomerProfile,
    CustomerOrders,
    CustomerTickets,
    CustomerFeedback,
    CustomerLoyalty,
    CustomerInsight,
    CustomerTimeline,
);

impl From<Handle<CustomerRow>> for Customer {
    fn from(handle: Handle<CustomerRow>) -> Self {
        Self(
            CustomerProfile(handle.clone()),
            CustomerOrders(handle.clone()),
            CustomerTickets(handle.clone()),
            CustomerFeedback(handle.clone()),
            CustomerLoyalty(handle.clone()),
            CustomerInsight(handle.clone()),
            CustomerTimeline(handle),
        )
    }
}

impl Customer {
    /// The id, as the interface `Node` asks for it.
    pub(crate) async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(gid(Kind::Customer, self.0.0.id))
    }
}

impl Listed for Customer {
    fn place(&self) -> Place {
        self.0.0.place()
    }
}
