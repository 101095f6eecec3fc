//! Rows of the timeline: the event log, as far as it is for reading.

use async_graphql::resolver_utils::EnumType as _;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Value as Parameter;
use uuid::Uuid;

use super::object::TimelineFilter;
use crate::choice;
use crate::error::Fault;
use crate::read::relation::filtered;
use crate::read::{Access, Join, Order, Pieces, Relation, RowType, Shape};
use crate::row;

/// Most channels of a filter.
const MAX_CHANNELS: usize = 20;

choice! {
    /// What happened.
    pub enum TimelineEntryKind {
        /// The customer became known.
        CustomerCreated = "CUSTOMER_CREATED",
        /// The customer's profile changed.
        CustomerUpdated = "CUSTOMER_UPDATED",
        /// Another record of the same person was joined with this one.
        CustomerMerged = "CUSTOMER_MERGED",
        /// The customer agreed to something, or did not, or took it back.
        ConsentUpdated = "CONSENT_UPDATED",
        /// An order was placed.
        OrderPlaced = "ORDER_PLACED",
        /// An order changed at its source.
        OrderUpdated = "ORDER_UPDATED",
        /// An order was called off.
        OrderCancelled = "ORDER_CANCELLED",
        /// A payment was taken.
        PaymentCaptured = "PAYMENT_CAPTURED",
        /// A parcel left, or goods wait to be picked up.
        FulfillmentShipped = "FULFILLMENT_SHIPPED",
        /// A parcel is later than promised.
        FulfillmentDelayed = "FULFILLMENT_DELAYED",
        /// A parcel arrived, or goods were picked up.
        FulfillmentDelivered = "FULFILLMENT_DELIVERED",
        /// A parcel was lost, refused or destroyed.
        FulfillmentFailed = "FULFILLMENT_FAILED",
        /// A return was asked for.
        ReturnRequested = "RETURN_REQUESTED",
        /// A return was approved.
        ReturnApproved = "RETURN_APPROVED",
        /// A return is done.
        ReturnClosed = "RETURN_CLOSED",
        /// A return was not approved.
        ReturnDeclined = "RETURN_DECLINED",
        /// A return was called off by the customer.
        ReturnCanceled = "RETURN_CANCELED",
        /// A refund was granted.
        RefundGranted = "REFUND_GRANTED",
        /// The payment provider paid a refund out.
        RefundSettled = "REFUND_SETTLED",
        /// The payment provider could not pay a refund out.
        RefundFailed = "REFUND_FAILED",
        /// A ticket was opened.
        TicketCreated = "TICKET_CREATED",
        /// A ticket was replied to.
        TicketReplied = "TICKET_REPLIED",
        /// A ticket was solved.
        TicketSolved = "TICKET_SOLVED",
        /// A ticket was escalated.
        TicketEscalated = "TICKET_ESCALATED",
        /// The customer joined the loyalty programme.
        LoyaltyEnrolled = "LOYALTY_ENROLLED",
        /// Points were earned.
        PointsEarned = "POINTS_EARNED",
        /// Points were spent.
        PointsRedeemed = "POINTS_REDEEMED",
        /// Points were given back, because what they had bought was called off.
        PointsRefunded = "POINTS_REFUNDED",
        /// Points expired.
        PointsExpired = "POINTS_EXPIRED",
        /// Points were corrected, either way.
        PointsAdjusted = "POINTS_ADJUSTED",
        /// Points were taken back, because the goods that had earned them came back.
        PointsTakenBack = "POINTS_TAKEN_BACK",
        /// An entry of the points ledger was undone by another one.
        PointsReversed = "POINTS_REVERSED",
        /// Points came from another account, or went to one.
        PointsTransferred = "POINTS_TRANSFERRED",
        /// The loyalty tier changed.
        TierChanged = "TIER_CHANGED",
        /// A reward was bought with points.
        RewardRedeemed = "REWARD_REDEEMED",
        /// A coupon was given.
        CouponIssued = "COUPON_ISSUED",
        /// A coupon was used.
        CouponRedeemed = "COUPON_REDEEMED",
        /// The customer gave feedback.
        FeedbackGiven = "FEEDBACK_GIVEN",
        /// The customer was invited to a survey.
        SurveySent = "SURVEY_SENT",
        /// Bad feedback is being followed up.
        FollowUpOpened = "FOLLOW_UP_OPENED",
        /// Following up bad feedback is done.
        FollowUpClosed = "FOLLOW_UP_CLOSED",
        /// A contact that is not one of the above, such as a call or a visit.
        Interaction = "INTERACTION",
        /// Staff noted something.
        NoteAdded = "NOTE_ADDED",
        /// Anything else; a later version may name it.
        Other = "OTHER",
    }
}

choice! {
    /// Which part of the business something is about.
    pub enum TimelineDomain {
        /// Who the customer is.
        Customers = "CUSTOMERS",
        /// Orders, parcels, returns and refunds.
        Orders = "ORDERS",
        /// Tickets.
        Tickets = "TICKETS",
        /// Points, tiers, rewards and coupons.
        Loyalty = "LOYALTY",
        /// Surveys, reviews, mentions and suggestions.
        Feedback = "FEEDBACK",
        /// Access to personal data, exports and erasures.
        Privacy = "PRIVACY",
        /// The business as a whole.
        Business = "BUSINESS",
    }
}

choice! {
    /// Who did something.
    pub enum TimelineActorKind {
        /// A member of staff.
        Staff = "STAFF",
        /// The customer.
        Customer = "CUSTOMER",
        /// A system of a partner, such as a till or a carrier.
        Partner = "PARTNER",
        /// The gateway itself, when something was due.
        System = "SYSTEM",
        /// Brought in from elsewhere.
        Import = "IMPORT",
    }
}

row! {
    /// Something that happened.
    pub struct EventRow {
        subject_id: Option<Uuid> = "x.subject_id" for ["subjectId"],
        pii: bool = "{pii}" for ["label"],
        amount: Option<i64> = "x.amount" for ["amount"],
        points: Option<i64> = "x.points" for ["points"],
        written_kind: String = "x.kind",
        domain: TimelineDomain = "x.domain" for ["domain"],
        subject_kind: Option<String> = "x.subject_kind" for ["subjectId", "label"],
        label: Option<String> = "x.label" for ["label"],
        hidden_name: Option<String> = "{name}" for ["label"],
        currency: Option<String> = "x.currency" for ["amount"],
        channel: Option<String> = "x.channel" for ["channel"],
        actor_kind: TimelineActorKind = "x.actor_kind" for ["actorKind"],
        reason: Option<String> = "x.reason" for ["reason"],
        occurred_at: DateTime<Utc> = "x.occurred_at",
    }
}

impl EventRow {
    /// What happened. The log may hold kinds that this version does not know.
    pub fn kind(&self) -> TimelineEntryKind {
        TimelineEntryKind::from_column(&self.written_kind).unwrap_or(TimelineEntryKind::Other)
    }
}

/// The edges of this domain.
pub static RELATIONS: &[Relation] = &[Relation {
    on: "Customer",
    fields: &["timeline"],
    to: "TimelineEntry",
    table: "events",
    rows: RowType::of::<EventRow>(),
    join: Join::by("customer_id"),
    shape: Shape::Page,
    order: Order::newest("occurred_at", "x.occurred_at"),
    only: "",
    filter: Some(|arguments| filtered(arguments, conditions)),
    access: Access::Timeline,
}];

fn conditions(filter: TimelineFilter) -> Result<Vec<Pieces>, Fault> {
    let at = |condition: &str, at: Parameter| Pieces::text(format!("x.occurred_at {condition} ")).value(at);
    let mut all = Vec::new();
    all.extend(filter.kind.filter(|kinds| !kinds.is_empty()).map(|kinds| of_kinds(&kinds)));
    all.extend(
        filter
            .domain
            .filter(|domains| !domains.is_empty())
            .map(|domains| Pieces::one_of_words("x.domain", domains.into_iter().map(TimelineDomain::as_str).collect())),
    );
    if let Some(channels) = filter.channel.filter(|channels| !channels.is_empty()) {
        if channels.len() > MAX_CHANNELS {
            return Err(Fault::bad_input("filter.channel", format!("give at most {MAX_CHANNELS}")));
        }
        let first = Pieces::text("x.channel IN (NULL");
        all.push(channels.into_iter().fold(first, |list, channel| list.and(", ").value(channel)).and(")"));
    }
    all.extend(filter.from.map(|from| at(">=", from.0.into())));
    all.extend(filter.before.map(|before| at("<", before.0.into())));
    Ok(all)
}

/// Of one of these kinds; what this version does not know is of kind `OTHER`.
fn of_kinds(kinds: &[TimelineEntryKind]) -> Pieces {
    let named = Pieces::one_of_words("x.kind", kinds.iter().map(|kind| kind.as_str()).collect());
    if !kinds.contains(&TimelineEntryKind::Other) {
        return named;
    }
    let known = TimelineEntryKind::items().iter().map(|item| item.value.as_str()).collect();
    Pieces::text("(").then(named).and(" OR NOT ").then(Pieces::one_of_words("x.kind", known)).and(")")
}
