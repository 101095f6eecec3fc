//! How a customer is named.

use async_graphql::{ID, InputObject, OneofObject};
use c360_rules::id::Kind;
use c360_rules::identifier;

use super::store::{self, IdentityKind};
use crate::auth::Caller;
use crate::domains::orders::query::OrderNumber;
use crate::error::Fault;
use crate::graphql::id;
use crate::read::Find;

/// How a customer is named: by exactly one of these.
#[derive(Clone, Debug, OneofObject)]
pub enum CustomerIdentifier {
    /// By the customer's id.
    Id(ID),
    /// By an e-mail address, in any capitals.
    Email(String),
    /// By a phone number, in any notation; without a country code it is taken as one of the retailer's own regions.
    Phone(String),
    /// By the number that the retailer gave.
    CustomerNumber(String),
    /// By the number of the loyalty account, or of an active card.
    LoyaltyNumber(String),
    /// By an order, if you may read it.
    Order(OrderNumber),
    /// By the id in another system.
    External(ExternalIdentifier),
}

/// An id in another system.
#[derive(Clone, Debug, InputObject)]
pub struct ExternalIdentifier {
    /// The system.
    pub source: String,
    /// The id there.
    pub id: String,
}

impl CustomerIdentifier {
    /// What to look for on behalf of a caller, or of the gateway itself.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the identifier.
    pub fn find(self, caller: Option<&Caller>, phone_regions: &[String]) -> Result<Find, Fault> {
        Ok(match self {
            Self::Id(id) => store::by_id(id::parse("by.id", Kind::Customer, &id)?),
            Self::Email(text) => {
                let email = identifier::email(&text).map_err(|error| Fault::bad_input("by.email", error))?;
                store::by_identity(IdentityKind::Email, None, email)
            }
            Self::Phone(text) => {
                let regions: Vec<&str> = phone_regions.iter().map(String::as_str).collect();
                let phone = identifier::phone(&text, &regions).map_err(|error| Fault::bad_input("by.phone", error))?;
                store::by_identity(IdentityKind::Phone, None, phone)
            }
            Self::CustomerNumber(text) => {
                // Checked as any number is; looked up as it was given out, dashes and all.
                identifier::customer_number(&text).map_err(|error| Fault::bad_input("by.customerNumber", error))?;
                store::by_customer_number(text.trim().to_uppercase())
            }
            Self::LoyaltyNumber(text) => {
                let number =
                    identifier::loyalty_number(&text).map_err(|error| Fault::bad_input("by.loyaltyNumber", error))?;
                store::by_loyalty_number(number)
            }
            Self::Order(order) => store::by_order(order.number, order.source, caller),
            Self::External(external) => store::by_identity(IdentityKind::External, Some(external.source), external.id),
        })
    }
}
