//! Who asks: from a token to a [`Caller`], and what the caller may do.

mod claims;
mod fetch;
pub mod issue;
mod issuer;
mod jws;
mod keys;
pub mod partners;
pub mod policy;
mod registry;
pub mod revocations;
mod source;
pub mod token;

use c360_rules::access::{Role, Scope as Grant, Scopes};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The parts of the data that have scopes of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Profiles, identities, consents.
    Customers,
    /// Orders, fulfillments, returns, refunds.
    Orders,
    /// Tickets and their messages.
    Tickets,
    /// Accounts, points, rewards, coupons.
    Loyalty,
    /// Surveys, reviews, mentions, suggestions.
    Feedback,
}

impl Domain {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Customers, Self::Orders, Self::Tickets, Self::Loyalty, Self::Feedback];

    /// As it stands in the event log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "CUSTOMERS",
            Self::Orders => "ORDERS",
            Self::Tickets => "TICKETS",
            Self::Loyalty => "LOYALTY",
            Self::Feedback => "FEEDBACK",
        }
    }

    fn read(self) -> Grant {
        match self {
            Self::Customers => Grant::CustomersRead,
            Self::Orders => Grant::OrdersRead,
            Self::Tickets => Grant::TicketsRead,
            Self::Loyalty => Grant::LoyaltyRead,
            Self::Feedback => Grant::FeedbackRead,
        }
    }

    fn write(self) -> Grant {
        match self {
            Self::Customers => Grant::CustomersWrite,
            Self::Orders => Grant::OrdersWrite,
            Self::Tickets => Grant::TicketsWrite,
            Self::Loyalty => Grant::LoyaltyWrite,
            Self::Feedback => Grant::FeedbackWrite,
        }
    }
}

/// One of the three kinds of caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person at a console.
    Staff(Role),
    /// A customer, in an app or a shop.
    Customer(CustomerIdentity),
    /// A machine.
    Partner(Partner),
}

/// How a customer's token names the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerIdentity {
    /// By the claim `customer_id`.
    Id(Uuid),
    /// By `iss` and `sub`, which are an external identity of the customer.
    External {
        /// The token's `iss`.
        issuer: String,
        /// The token's `sub`.
        subject: String,
    },
}

/// What is registered about a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partner {
    /// The source under which its records stand.
    pub source: String,
    /// The purposes for which customers may have consented, as in `consents.purpose`.
    pub purposes: Vec<String>,
}

/// Who asks, as the verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The kind.
    pub actor: Actor,
    /// What the token grants; for staff, what the roles grant.
    pub scopes: Scopes,
    /// The token's `sub`.
    pub subject: String,
    /// The token's `client_id`.
    pub client_id: String,
    /// The token's `exp`.
    pub expires_at: DateTime<Utc>,
}

/// Which records of a domain a caller may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All, as far as the rows themselves allow.
    All,
    /// Those of a partner's own source.
    OwnSource,
    /// None: the token lacks the scope.
    Nothing,
}

/// What callers have in common who may read the same, each of what each may know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kin {
    /// Of staff.
    role: Option<Role>,
    scopes: Scopes,
}

impl Caller {
    /// Who else may read what this caller may; of partners, each stands alone.
    pub fn kin(&self) -> Option<Kin> {
        let role = match self.actor {
            Actor::Staff(role) => Some(role),
            Actor::Customer(_) => None,
            Actor::Partner(_) => return None,
        };
        Some(Kin { role, scopes: self.scopes })
    }

    /// The kind of caller, in one word.
    pub fn kind(&self) -> &'static str {
        match self.actor {
            Actor::Staff(_) => "staff",
            Actor::Customer(_) => "customer",
            Actor::Partner(_) => "partner",
        }
    }

    /// Whether a person at a console asks.
    pub fn is_staff(&self) -> bool {
        matches!(self.actor, Actor::Staff(_))
    }

    /// Which records of `domain` the caller may read. A partner that may write but not read sees what it wrote.
    pub fn reach(&self, domain: Domain) -> Reach {
        match self.actor {
            Actor::Staff(_) | Actor::Customer(_) => Reach::All,
            Actor::Partner(_) if self.scopes.contains(domain.read()) => Reach::All,
            Actor::Partner(_) if self.scopes.contains(domain.write()) => Reach::OwnSource,
            Actor::Partner(_) => Reach::Nothing,
        }
    }
}
