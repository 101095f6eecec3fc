//! `Customer`: each domain's part, merged.

use async_graphql::MergedObject;

use crate::domains::customers::store::CustomerRow;
use crate::domains::{customers::CustomerProfile, orders::CustomerOrders};
use crate::read::{Handle, Listed, Place};

/// One customer of the retailer, and everything about the relationship.
#[derive(Clone, Debug, MergedObject)]
pub struct Customer(CustomerProfile, CustomerOrders);

impl From<Handle<CustomerRow>> for Customer {
    fn from(handle: Handle<CustomerRow>) -> Self {
        Self(CustomerProfile(handle.clone()), CustomerOrders(handle))
    }
}

impl Listed for Customer {
    fn place(&self) -> Place {
        self.0.0.place()
    }
}
