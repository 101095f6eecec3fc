//! Who may read what: the one table, for every field of the schema.
//!
//! A field that does not stand here is refused to everyone. Rows are a matter of [`crate::scope::Scope`]: this table
//! says who may read a field of a row that the caller may know of.

use std::collections::HashMap;
use std::sync::LazyLock;

use c360_rules::access::Scope as Grant;

use super::{Actor, Caller, Domain, Reach};
use crate::error::Fault;

/// Who may read a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everyone who may know of the row.
    Row,
    /// Everyone who may know of the row; masked for those who may not read personal data.
    Personal,
    /// Staff, and customers their own; partners by scope, or the records of their own source.
    Records(Domain),
    /// Staff only.
    Staff,
    /// Staff, and partners who may read customers.
    Find,
    /// Customers only.
    Own,
}

use Rule::{Find, Own, Personal, Records, Row, Staff};

/// The policy: types, and for each the fields under their rule.
pub const POLICY: &[(&str, &[(Rule, &str)])] = &[
    ("Query", &[(Find, "customer360"), (Own, "me"), (Row, "node nodes"), (Records(Domain::Orders), "order")]),
    (
        "Customer",
        &[
            (Row, "id number status locale preferredChannel memberSince source version createdAt updatedAt consents"),
            (Personal, "name birthday email phone identities addresses"),
            (Staff, "vip risk tags segments notes"),
            (Records(Domain::Orders), "orders"),
        ],
    ),
    ("CustomerIdentity", &[(Row, "id kind namespace verifiedAt source"), (Personal, "value")]),
    ("CustomerAddress", &[(Row, "id kind isDefault"), (Personal, "address")]),
    ("PostalAddress", &[(Row, "city region country"), (Personal, "recipient lines postalCode")]),
    ("Consent", &[(Row, "purpose channel status source decidedAt")]),
    ("CustomerSegment", &[(Row, "code name since")]),
    ("CustomerNote", &[(Row, "id body pinned author createdAt")]),
    ("Staff", &[(Row, "id displayName role")]),
    (
        "Order",
        &[
            (
                Row,
                "id number source channel status subtotal discountTotal shippingTotal taxTotal total paidTotal refundedTotal \
                 placedAt cancelledAt updatedAt version store lines discounts payments fulfillments returns refunds",
            ),
            (Personal, "shippingAddress"),
            (Records(Domain::Customers), "customer"),
        ],
    ),
    (
        "OrderLine",
        &[
            (Row, "id position sku title quantity returnedQuantity unitPrice subtotal discountTotal total product"),
            (Staff, "margin"),
        ],
    ),
    ("Product", &[(Row, "id sku title brand department category packageSize")]),
    ("Store", &[(Row, "id number name kind country timezone")]),
    ("OrderDiscount", &[(Row, "kind code amount orderLineId")]),
    ("Payment", &[(Row, "id method status amount provider reference paidAt")]),
    (
        "Fulfillment",
        &[(
            Row,
            "id status carrier trackingNumber trackingUrl shippedAt estimatedDeliveryAt deliveredAt isLate events",
        )],
    ),
    ("FulfillmentEvent", &[(Row, "id status message city country happenedAt")]),
    ("Return", &[(Row, "id number status requestedAt decidedAt closedAt declineReason version lines exchangeLines")]),
    ("ReturnLine", &[(Row, "id quantity reason orderLine"), (Personal, "note")]),
    ("ExchangeLine", &[(Row, "sku title quantity")]),
    ("Refund", &[(Row, "id amount status reason grantedAt settledAt")]),
    ("Money", &[(Row, "amount currencyCode")]),
    ("PageInfo", &[(Row, "hasNextPage hasPreviousPage startCursor endCursor")]),
    ("TotalCount", &[(Row, "value exact")]),
];

/// Wrappers of lists have the same fields everywhere.
const CONNECTION: &str = "nodes edges pageInfo totalCount";
const EDGE: &str = "node cursor";

static RULES: LazyLock<HashMap<&'static str, HashMap<&'static str, Rule>>> = LazyLock::new(|| {
    let fields = |rules: &[(Rule, &'static str)]| {
        rules.iter().flat_map(|(rule, names)| names.split_whitespace().map(move |name| (name, *rule))).collect()
    };
    POLICY.iter().map(|(on, rules)| (*on, fields(rules))).collect()
});

/// The rule of a field, if it has one.
pub fn rule(on: &str, field: &str) -> Option<Rule> {
    if let Some(rule) = RULES.get(on).and_then(|fields| fields.get(field)) {
        return Some(*rule);
    }
    let wrapper = if on.ends_with("Connection") {
        CONNECTION
    } else if on.ends_with("Edge") {
        EDGE
    } else {
        return None;
    };
    wrapper.split(' ').any(|name| name == field).then_some(Row)
}

/// Whether the caller may read the field.
///
/// # Errors
/// `FORBIDDEN`, saying what the token would need.
pub fn check(caller: &Caller, on: &str, field: &str) -> Result<(), Fault> {
    let Some(rule) = rule(on, field) else {
        tracing::error!(on, field, "the policy has no rule for this field");
        return Err(Fault::forbidden("a rule that nobody has written"));
    };
    match (rule, &caller.actor) {
        (Row | Personal, _) | (Staff | Find, Actor::Staff(_)) | (Own, Actor::Customer(_)) => Ok(()),
        (Records(domain), _) if caller.reach(domain) != Reach::Nothing => Ok(()),
        (Find, Actor::Partner(_)) if caller.scopes.contains(Grant::CustomersRead) => Ok(()),
        (Records(domain), _) => Err(Fault::forbidden(format!("the scope {}", domain.read().as_str()))),
        (Staff, _) => Err(Fault::forbidden("a role of staff")),
        (Find, Actor::Customer(_)) => Err(Fault::forbidden("a role of staff; a customer reads `me`")),
        (Find, Actor::Partner(_)) => Err(Fault::forbidden("the scope customers:read")),
        (Own, _) => Err(Fault::forbidden("to be a customer's own token")),
    }
}
