//! Who may read what: the one table, for every field of the schema.
//!
//! A field that does not stand here is refused to everyone. Rows are a matter of the request's scope: this table
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
    /// Staff whose role may read the audit log.
    Audit,
    /// Staff, and partners who may read customers.
    Find,
    /// Customers only.
    Own,
    /// A change: staff, and customers of their own; partners by scope.
    Write(Domain),
    /// A change by staff, whose role has the scope.
    StaffWrite(Domain),
    /// A change by a person: staff, whose role has the scope, and customers of their own.
    PersonWrite(Domain),
    /// A change at a till or a desk: staff, and partners by scope.
    DeskWrite(Domain),
    /// A change by partners with the scope.
    PartnerWrite(Domain),
}

use Rule::{Audit, DeskWrite, Find, Own, PartnerWrite, PersonWrite, Personal, Records, Row, Staff, StaffWrite, Write};

/// The policy: types, and for each the fields under their rule.
pub const POLICY: &[(&str, &[(Rule, &str)])] = &[
    (
        "Query",
        &[
            (Find, "customer360 customers"),
            (Own, "me"),
            (Row, "node nodes"),
            (Records(Domain::Orders), "order"),
            (Records(Domain::Tickets), "ticket"),
            (Staff, "tickets macros"),
            (Records(Domain::Loyalty), "loyaltyProgramme loyaltyQuote"),
            (Audit, "auditLog"),
        ],
    ),
    (
        "Mutation",
        &[
            (DeskWrite(Domain::Customers), "customerCreate customerIdentityVerify"),
            (
                Write(Domain::Customers),
                "customerUpdate customerIdentityAdd customerIdentityRemove customerAddressAdd \
                 customerAddressUpdate customerAddressRemove consentUpdate",
            ),
            (
                StaffWrite(Domain::Customers),
                "customerTagsAdd customerTagsRemove customerNoteAdd customerNotePin customerVerificationRecord",
            ),
            (StaffWrite(Domain::Loyalty), "loyaltyPointsCredit loyaltyPointsDebit loyaltyPointsReverse couponIssue"),
            (PersonWrite(Domain::Loyalty), "loyaltyEnroll redemptionCancel loyaltyCardBlock loyaltyCardReplace"),
            (DeskWrite(Domain::Loyalty), "loyaltyPointsHold loyaltyPointsCapture loyaltyPointsRelease couponRedeem"),
            (Write(Domain::Loyalty), "rewardRedeem"),
            (Write(Domain::Tickets), "ticketCreate"),
            (PersonWrite(Domain::Tickets), "ticketReply"),
            (PartnerWrite(Domain::Tickets), "ticketMessageReceive"),
            (
                StaffWrite(Domain::Tickets),
                "ticketNoteAdd ticketUpdate ticketAssign ticketEscalate ticketSolve ticketReopen ticketMerge ticketLink \
                 ticketMacroApply",
            ),
        ],
    ),
    ("Node", &[(Row, "id")]),
    (
        "Customer",
        &[
            (
                Row,
                "id number status locale preferredChannel memberSince source version createdAt updatedAt consents timeline",
            ),
            (Personal, "name birthday email phone identities addresses"),
            (Staff, "vip risk tags segments notes verification"),
            (Records(Domain::Orders), "orders"),
            (Records(Domain::Tickets), "tickets"),
            (Records(Domain::Orders), "statistics"),
            (Records(Domain::Loyalty), "loyalty"),
            (Records(Domain::Feedback), "feedback satisfaction"),
        ],
    ),
    ("CustomerIdentity", &[(Row, "id kind namespace verifiedAt source"), (Personal, "value")]),
    ("CustomerAddress", &[(Row, "id kind isDefault"), (Personal, "address")]),
    ("PostalAddress", &[(Row, "city region country"), (Personal, "recipient lines postalCode")]),
    ("Consent", &[(Row, "purpose channel status source decidedAt")]),
    ("CustomerSegment", &[(Row, "code name since")]),
    ("CustomerVerification", &[(Row, "id method outcome checkedAt validUntil checkedBy")]),
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
    (
        "Ticket",
        &[
            (
                Row,
                "id number status priority type channel source firstRepliedAt solvedAt createdAt updatedAt version \
                 messages links mergedInto mergedTickets",
            ),
            (Personal, "subject"),
            (Staff, "assignee team slaDueAt slaBreached escalatedAt tags notes history slaClocks slaPolicy"),
            (Records(Domain::Customers), "customer"),
        ],
    ),
    ("TicketMessage", &[(Row, "id authorKind channel createdAt"), (Personal, "body"), (Staff, "author")]),
    ("TicketLink", &[(Records(Domain::Orders), "order return")]),
    ("Team", &[(Row, "id name servesVip")]),
    ("SlaClock", &[(Row, "id metric status targetMinutes startedAt dueAt stoppedAt breachedAt")]),
    ("SlaPolicy", &[(Row, "id name")]),
    ("TicketMacro", &[(Row, "id name description actions")]),
    ("TicketMacroAction", &[(Row, "kind value")]),
    (
        "LoyaltyAccount",
        &[
            (
                Row,
                "id status enrolledAt version programme tier nextTier projectedTier pointsToNextTier tierUntil balance \
                 lifetimePoints qualifyingPoints nextExpiry expiringSoon lots transactions holds rewardsInReach \
                 redemptions coupons cards",
            ),
            (Personal, "number"),
        ],
    ),
    ("PointsBalance", &[(Row, "active pending held owed spent expired")]),
    ("ExpiringPoints", &[(Row, "points expiresAt")]),
    (
        "LoyaltyProgramme",
        &[(
            Row,
            "id code name currencyCode pointsPerUnit pointValue pendingDays expiryDays qualificationDays graceDays tiers \
             rewards earningRules",
        )],
    ),
    ("LoyaltyTier", &[(Row, "id code name rank thresholdPoints multiplier benefits")]),
    ("EarningRule", &[(Row, "channel multiplier campaign startsAt endsAt")]),
    ("LoyaltyCard", &[(Row, "status issuedAt blockedAt"), (Personal, "number")]),
    (
        "LoyaltyTransaction",
        &[
            (Row, "id kind points balanceAfter reason source occurredAt"),
            (Records(Domain::Orders), "order"),
            (Staff, "creditedBy"),
        ],
    ),
    (
        "PointsLot",
        &[(Row, "id state points remaining held earnedAt availableAt expiresAt"), (Records(Domain::Orders), "order")],
    ),
    (
        "Reward",
        &[
            (Row, "id code name description kind costPoints minTierRank inStock value startsAt endsAt"),
            (Staff, "stock"),
        ],
    ),
    ("PointsHold", &[(Row, "id status points capturedPoints reference source lapsesAt createdAt closedAt")]),
    (
        "LoyaltyQuote",
        &[(
            Row,
            "accountStatus cardStatus tierCode spendablePoints pointValue usablePoints worth earnedPoints \
             earnedPointsAvailableAt",
        )],
    ),
    ("Redemption", &[(Row, "id reward coupon points status redeemedAt cancelledAt")]),
    (
        "Coupon",
        &[
            (Row, "id title kind value percentage status issuedAt expiresAt redeemedAt"),
            (Personal, "code"),
            (Records(Domain::Orders), "order"),
        ],
    ),
    (
        "CustomerStatistics",
        &[
            (Row, "orderCount totalSpent averageOrderValue refundedTotal returnCount firstOrderAt lastOrderAt"),
            (Records(Domain::Tickets), "ticketCount openTicketCount"),
            (Records(Domain::Feedback), "feedbackCount"),
            (Staff, "rfm"),
        ],
    ),
    ("CustomerRfm", &[(Row, "recency frequency monetary group")]),
    (
        "TimelineEntry",
        &[
            (Row, "id kind domain occurredAt channel amount points actorKind subjectId"),
            (Personal, "label"),
            (Staff, "reason"),
        ],
    ),
    (
        "AuditEntry",
        &[
            (
                Row,
                "id position kind domain occurredAt recordedAt actorKind actorId staff customer subjectId amount points \
                 channel source clientId requestId changes",
            ),
            (Personal, "label reason"),
        ],
    ),
    ("AuditChange", &[(Row, "field"), (Personal, "before after")]),
    // An interface has the rules of all its kinds: a selection on it reads on behalf of each.
    (
        "Feedback",
        &[
            (Row, FEEDBACK),
            (Personal, FEEDBACK_WORDS),
            (Row, "survey answers"),
            (Records(Domain::Orders), "order orderLine"),
            (Records(Domain::Tickets), "ticket"),
            (Staff, "followUp"),
        ],
    ),
    (
        "SurveyResponse",
        &[
            (Row, FEEDBACK),
            (Personal, FEEDBACK_WORDS),
            (Row, "survey answers"),
            (Records(Domain::Orders), "order"),
            (Records(Domain::Tickets), "ticket"),
            (Staff, "followUp"),
        ],
    ),
    (
        "Review",
        &[
            (Row, FEEDBACK),
            (Personal, FEEDBACK_WORDS),
            (Personal, "url"),
            (Records(Domain::Orders), "order orderLine"),
            (Records(Domain::Tickets), "ticket"),
            (Staff, "followUp"),
        ],
    ),
    (
        "SocialMention",
        &[
            (Row, FEEDBACK),
            (Personal, FEEDBACK_WORDS),
            (Row, "network"),
            (Personal, "authorHandle url"),
            (Records(Domain::Orders), "order"),
            (Records(Domain::Tickets), "ticket"),
            (Staff, "followUp"),
        ],
    ),
    (
        "Suggestion",
        &[
            (Row, FEEDBACK),
            (Personal, FEEDBACK_WORDS),
            (Records(Domain::Orders), "order"),
            (Records(Domain::Tickets), "ticket"),
            (Staff, "followUp"),
        ],
    ),
    ("Survey", &[(Row, "code name metric")]),
    ("SurveyAnswer", &[(Row, "question"), (Personal, "answer")]),
    ("FollowUp", &[(Row, "id status owner dueAt outcome createdAt closedAt isOverdue")]),
    ("Satisfaction", &[(Row, "nps csat ces")]),
    ("SatisfactionScore", &[(Row, "metric last lastAt previous trend category")]),
    ("LoyaltyPointsCreditPayload", &[(Row, "account transaction userErrors")]),
    ("LoyaltyPointsDebitPayload", &[(Row, "account transaction userErrors")]),
    ("LoyaltyPointsReversePayload", &[(Row, "account transaction userErrors")]),
    ("LoyaltyPointsHoldPayload", &[(Row, "hold account userErrors")]),
    ("LoyaltyPointsCapturePayload", &[(Row, "hold account transaction userErrors")]),
    ("LoyaltyPointsReleasePayload", &[(Row, "hold account userErrors")]),
    ("RewardRedeemPayload", &[(Row, "redemption coupon account userErrors")]),
    ("RedemptionCancelPayload", &[(Row, "redemption account userErrors")]),
    ("CouponIssuePayload", &[(Row, "coupon userErrors")]),
    ("CouponRedeemPayload", &[(Row, "coupon userErrors")]),
    ("LoyaltyEnrollPayload", &[(Row, "account card userErrors")]),
    ("LoyaltyCardBlockPayload", &[(Row, "card account userErrors")]),
    ("LoyaltyCardReplacePayload", &[(Row, "card account userErrors")]),
    ("TicketCreatePayload", &[(Row, "ticket message userErrors")]),
    ("TicketReplyPayload", &[(Row, "ticket message userErrors")]),
    ("TicketMessageReceivePayload", &[(Row, "ticket message userErrors")]),
    ("TicketNoteAddPayload", &[(Row, "ticket note userErrors")]),
    ("TicketUpdatePayload", &[(Row, "ticket userErrors")]),
    ("TicketAssignPayload", &[(Row, "ticket userErrors")]),
    ("TicketEscalatePayload", &[(Row, "ticket userErrors")]),
    ("TicketSolvePayload", &[(Row, "ticket userErrors")]),
    ("TicketReopenPayload", &[(Row, "ticket userErrors")]),
    ("TicketMergePayload", &[(Row, "ticket into userErrors")]),
    ("TicketLinkPayload", &[(Row, "ticket userErrors")]),
    ("TicketMacroApplyPayload", &[(Row, "ticket userErrors")]),
    ("CustomerCreatePayload", &[(Row, "customer userErrors")]),
    ("CustomerUpdatePayload", &[(Row, "customer userErrors")]),
    ("CustomerIdentityAddPayload", &[(Row, "identity customer userErrors")]),
    ("CustomerIdentityVerifyPayload", &[(Row, "identity customer userErrors")]),
    ("CustomerIdentityRemovePayload", &[(Row, "customer userErrors")]),
    ("CustomerAddressAddPayload", &[(Row, "address customer userErrors")]),
    ("CustomerAddressUpdatePayload", &[(Row, "address customer userErrors")]),
    ("CustomerAddressRemovePayload", &[(Row, "customer userErrors")]),
    ("CustomerTagsAddPayload", &[(Row, "customer userErrors")]),
    ("CustomerTagsRemovePayload", &[(Row, "customer userErrors")]),
    ("CustomerNoteAddPayload", &[(Row, "note userErrors")]),
    ("CustomerNotePinPayload", &[(Row, "note userErrors")]),
    ("ConsentUpdatePayload", &[(Row, "consent customer userErrors")]),
    ("CustomerVerificationRecordPayload", &[(Row, "verification userErrors")]),
    ("Money", &[(Row, "amount currencyCode")]),
    ("PageInfo", &[(Row, "hasNextPage hasPreviousPage startCursor endCursor")]),
    ("TotalCount", &[(Row, "value exact")]),
];

/// What all kinds of feedback have in common.
const FEEDBACK: &str = "id channel language metric score sentiment givenAt source store";
const FEEDBACK_WORDS: &str = "title text";

/// Wrappers of lists have the same fields everywhere.
const CONNECTION: &str = "nodes edges pageInfo totalCount";
const EDGE: &str = "node cursor";
/// What is wrong with an input is told to whoever sent it.
const USER_ERROR: &str = "field message code currentVersion";

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
    } else if on.ends_with("UserError") {
        USER_ERROR
    } else {
        return None;
    };
    wrapper.split(' ').any(|name| name == field).then_some(Row)
}

/// The table as a page for people, in Markdown; `docs/policy.md` is this.
pub fn reference() -> String {
    let mut page = String::from(
        "# Who may read what\n\nWritten by `c360 schema --policy` from the table in `src/auth/policy.rs`, which is what the gateway enforces.\n\n\
         | type | who | fields |\n| --- | --- | --- |\n",
    );
    for (on, rules) in POLICY {
        for (rule, names) in *rules {
            let fields: Vec<_> = names.split_whitespace().map(|name| format!("`{name}`")).collect();
            page += &format!("| `{on}` | {} | {} |\n", rule.in_words(), fields.join(" "));
        }
    }
    page + &format!(
        "\nConnections (`{CONNECTION}`) and their edges (`{EDGE}`) are read by whoever may read the list, and what is wrong with \
         an input (`{USER_ERROR}`) by whoever sent it.\n"
    )
}

impl Rule {
    fn in_words(self) -> String {
        match self {
            Self::Row => "everyone who may know of the row".into(),
            Self::Personal => {
                "everyone who may know of the row; masked without `pii:read` (partners: and consent)".into()
            }
            Self::Records(domain) => {
                format!("staff; customers their own; partners with `{}`", domain.read().as_str())
            }
            Self::Staff => "staff".into(),
            Self::Audit => "staff with `audit:read`".into(),
            Self::Find => "staff; partners with `customers:read`".into(),
            Self::Own => "customers".into(),
            Self::Write(domain) => {
                format!("staff; customers for themselves; partners with `{}`", domain.write().as_str())
            }
            Self::StaffWrite(domain) => format!("staff with `{}`", domain.write().as_str()),
            Self::PersonWrite(domain) => format!("staff with `{}`; customers for themselves", domain.write().as_str()),
            Self::DeskWrite(domain) => format!("staff; partners with `{}`", domain.write().as_str()),
            Self::PartnerWrite(domain) => format!("partners with `{}`", domain.write().as_str()),
        }
    }
}

/// Whether the caller may read the field.
///
/// # Errors
/// `FORBIDDEN`, saying what the token would need.
pub fn check(caller: &Caller, on: &str, field: &str) -> Result<(), Fault> {
    let Some(rule) = rule(on, field) else {
        return Err(Fault::forbidden("a rule that nobody has written"));
    };
    match (rule, &caller.actor) {
        (Row | Personal, _) | (Staff | Find, Actor::Staff(_)) | (Own, Actor::Customer(_)) => Ok(()),
        (Audit, Actor::Staff(_)) if caller.scopes.contains(Grant::AuditRead) => Ok(()),
        (Records(domain), _) if caller.reach(domain) != Reach::Nothing => Ok(()),
        (Find, Actor::Partner(_)) if caller.scopes.contains(Grant::CustomersRead) => Ok(()),
        (Write(_) | PersonWrite(_), Actor::Customer(_)) => Ok(()),
        (Write(domain), _)
        | (StaffWrite(domain) | PersonWrite(domain), Actor::Staff(_))
        | (DeskWrite(domain), Actor::Staff(_) | Actor::Partner(_))
        | (PartnerWrite(domain), Actor::Partner(_))
            if caller.scopes.contains(domain.write()) =>
        {
            Ok(())
        }
        (PersonWrite(_), _) => Err(Fault::forbidden("a role of staff, or to be a customer's own token")),
        (DeskWrite(_), Actor::Customer(_)) => Err(Fault::forbidden("a role of staff, or to be a partner's token")),
        (Write(domain) | DeskWrite(domain), _) => {
            Err(Fault::forbidden(format!("the scope {}", domain.write().as_str())))
        }
        (PartnerWrite(domain), _) => {
            Err(Fault::forbidden(format!("to be a partner's token with the scope {}", domain.write().as_str())))
        }
        (StaffWrite(_), _) => Err(Fault::forbidden("a role of staff")),
        (Records(domain), _) => Err(Fault::forbidden(format!("the scope {}", domain.read().as_str()))),
        (Staff, _) => Err(Fault::forbidden("a role of staff")),
        (Audit, _) => Err(Fault::forbidden("a role of staff with audit:read")),
        (Find, Actor::Customer(_)) => Err(Fault::forbidden("a role of staff; a customer reads `me`")),
        (Find, Actor::Partner(_)) => Err(Fault::forbidden("the scope customers:read")),
        (Own, _) => Err(Fault::forbidden("to be a customer's own token")),
    }
}
