//! What a token may carry: scopes, and the roles that stand for sets of them.

use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

macro_rules! scopes {
    ($($name:ident $text:literal $what:literal),+ $(,)?) => {
        /// One permission, as a token names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Scope {
            $(#[doc = $what] $name,)+
        }

        impl Scope {
            /// Every scope, in the order of its bit.
            pub const ALL: &'static [Scope] = &[$(Scope::$name),+];

            /// The text of this scope in a token: `orders:read`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Scope::$name => $text),+ }
            }
        }

        impl FromStr for Scope {
            type Err = UnknownScope;

            fn from_str(text: &str) -> Result<Scope, UnknownScope> {
                match text { $($text => Ok(Scope::$name),)+ _ => Err(UnknownScope) }
            }
        }
    };
}

scopes! {
    CustomersRead "customers:read" "Find and read customers.",
    CustomersWrite "customers:write" "Create and change customers.",
    OrdersRead "orders:read" "Read orders, shipments, returns and refunds.",
    OrdersWrite "orders:write" "Record orders, handle returns, grant refunds.",
    OrdersSettle "orders:settle" "Report refunds as settled or failed.",
    TicketsRead "tickets:read" "Read tickets.",
    TicketsWrite "tickets:write" "Open, answer and change tickets.",
    LoyaltyRead "loyalty:read" "Read loyalty accounts and rewards.",
    LoyaltyWrite "loyalty:write" "Redeem, hold and credit points.",
    FeedbackRead "feedback:read" "Read surveys' answers, reviews and mentions.",
    FeedbackWrite "feedback:write" "Record feedback and follow it up.",
    InsightRead "insight:read" "Read figures of the whole business.",
    AuditRead "audit:read" "Read who did what.",
    PiiRead "pii:read" "See personal data in clear.",
    IngestWrite "ingest:write" "Send items in bulk.",
    PrivacyWrite "privacy:write" "Export and erase a person's data.",
    Admin "admin" "Change programme, surveys, partners and roles.",
}

/// Not the text of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope")]
pub struct UnknownScope;

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u32);

impl Scopes {
    /// No scope.
    pub const NONE: Scopes = Scopes(0);
    /// Every scope.
    pub const ALL: Scopes = Scopes::of(Scope::ALL);

    /// These scopes.
    pub const fn of(scopes: &[Scope]) -> Scopes {
        let (mut bits, mut at) = (0, 0);
        while at < scopes.len() {
            bits |= 1 << scopes[at] as u32;
            at += 1;
        }
        Scopes(bits)
    }

    /// Reads the `scope` claim of a token (RFC 8693: separated by spaces); unknown ones grant nothing.
    pub fn parse(claim: &str) -> Scopes {
        claim.split_ascii_whitespace().filter_map(|scope| scope.parse::<Scope>().ok()).collect()
    }

    /// Whether the scope is in the set.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & 1 << scope as u32 != 0
    }

    /// Whether every scope of the other set is in this one.
    pub const fn contains_all(self, other: Scopes) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    pub const fn union(self, other: Scopes) -> Scopes {
        Scopes(self.0 | other.0)
    }

    /// What both sets share.
    pub const fn intersection(self, other: Scopes) -> Scopes {
        Scopes(self.0 & other.0)
    }

    /// This set without the other's scopes.
    pub const fn difference(self, other: Scopes) -> Scopes {
        Scopes(self.0 & !other.0)
    }

    /// Whether there is no scope.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as bits, for keys and hashes within one build.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The scopes, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |&scope| self.contains(scope))
    }
}

impl BitOr for Scopes {
    type Output = Scopes;

    fn bitor(self, other: Scopes) -> Scopes {
        self.union(other)
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Scopes {
        Scopes::of(&[scope])
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Scopes {
        scopes.into_iter().fold(Scopes::NONE, |set, scope| set | scope.into())
    }
}

impl fmt::Display for Scopes {
    /// The `scope` claim of this set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            write!(f, "{}{scope}", if place == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// A role of staff: a set of scopes plus ceilings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Answers customers.
    Agent,
    /// Leads agents.
    Supervisor,
    /// Runs the business's side of the gateway.
    Admin,
}

/// Not the text of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role: expected agent, supervisor or admin")]
pub struct UnknownRole;

/// How much one member of staff may give one customer on one day; `None` is without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Refunds, in whole units of the main currency.
    pub refund_per_customer_day: Option<i64>,
    /// Goodwill points.
    pub goodwill_points_per_customer_day: Option<i64>,
}

impl Role {
    /// Every role, from the least to the most powerful.
    pub const ALL: [Role; 3] = [Role::Agent, Role::Supervisor, Role::Admin];

    /// The role's text in a token.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
            Role::Admin => "admin",
        }
    }

    /// The scopes that the role stands for.
    ///
    /// No role settles refunds: that is the payment provider's word, by `orders:settle`.
    pub const fn scopes(self) -> Scopes {
        const AGENT: Scopes = Scopes::of(&[
            Scope::CustomersRead,
            Scope::CustomersWrite,
            Scope::OrdersRead,
            Scope::OrdersWrite,
            Scope::TicketsRead,
            Scope::TicketsWrite,
            Scope::LoyaltyRead,
            Scope::LoyaltyWrite,
            Scope::FeedbackRead,
            Scope::FeedbackWrite,
            Scope::PiiRead,
        ]);
        match self {
            Role::Agent => AGENT,
            Role::Supervisor => AGENT.union(Scopes::of(&[Scope::InsightRead, Scope::AuditRead])),
            Role::Admin => Scopes::ALL.difference(Scopes::of(&[Scope::OrdersSettle])),
        }
    }

    /// The default ceilings; settings may say otherwise.
    pub const fn ceilings(self) -> Ceilings {
        let (refund, points) = match self {
            Role::Agent => (Some(100), Some(500)),
            Role::Supervisor => (Some(1_000), Some(5_000)),
            Role::Admin => (None, None),
        };
        Ceilings { refund_per_customer_day: refund, goodwill_points_per_customer_day: points }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Role, UnknownRole> {
        Role::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_scope_and_role_reads_back() {
        assert!(Scope::ALL.len() <= 32);
        for &scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert!(Scopes::ALL.contains(scope) && !Scopes::NONE.contains(scope));
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("Agent".parse::<Role>(), Err(UnknownRole));
    }

    #[test]
    fn unknown_scopes_grant_nothing() {
        assert_eq!(Scopes::parse("openid ADMIN admin2 orders: orders"), Scopes::NONE);
        assert_eq!(Scopes::parse(" admin  profile pii:read").to_string(), "pii:read admin");
    }

    #[test]
    fn each_role_may_do_all_that_the_one_below_may() {
        let [agent, supervisor, admin] = Role::ALL.map(Role::scopes);
        assert!(supervisor.contains_all(agent) && admin.contains_all(supervisor));
        assert!(!agent.contains(Scope::InsightRead) && !agent.contains(Scope::AuditRead));
        assert!(!supervisor.contains(Scope::IngestWrite) && !supervisor.contains(Scope::Admin));
        assert!(!admin.contains(Scope::OrdersSettle));
        assert_eq!(Role::Admin.ceilings().refund_per_customer_day, None);
    }

    proptest! {
        #[test]
        fn a_set_reads_back_from_its_claim(bits in 0..1_u32 << Scope::ALL.len()) {
            let set = Scopes(bits);
            prop_assert_eq!(Scopes::parse(&set.to_string()), set);
            prop_assert_eq!(set.iter().collect::<Scopes>(), set);
            prop_assert_eq!(set.difference(set), Scopes::NONE);
            prop_assert!(set.union(Role::Agent.scopes()).contains_all(set));
        }
    }
}
