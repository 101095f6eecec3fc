//! `Customer`: each domain's part, merged.

use async_graphql::{Context, ID, MergedObject, Result};
use c360_rules::id::Kind;

use crate::domains::customers::store::CustomerRow;
use crate::domains::{customers::CustomerProfile, orders::CustomerOrders};
use crate::graphql::gid;
use crate::read::{Handle, Listed, Place};

/// One customer of the retailer, and everything about the relationship.
#[derive(Clone, Debug, MergedObject)]
pub struct Customer(CustomerProfile, CustomerOrders);

impl From<Handle<CustomerRow>> for Customer {
    fn from(handle: Handle<CustomerRow>) -> Self {
        Self(CustomerProfile(handle.clone()), CustomerOrders(handle))
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
