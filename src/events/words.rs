//! What events are called: in the log, and in the timeline.

use crate::choice;

choice! {
    /// What happened.
    pub enum TimelineEntryKind {
        /// The customer became known.
        CustomerCreated = "CUSTOMER_CREATED",
        /// The customer's profile changed.
        CustomerUpdated = "CUSTOMER_UPDATED",
        /// Another record of the same person was joined with this one.
        CustomerMerged = "CUSTOMER_MERGED",
        /// Something that the customer is recognised by was added.
        IdentityAdded = "IDENTITY_ADDED",
        /// Something that the customer is recognised by was proved to be theirs.
        IdentityVerified = "IDENTITY_VERIFIED",
        /// Something that the customer was recognised by was removed.
        IdentityRemoved = "IDENTITY_REMOVED",
        /// An address was added.
        AddressAdded = "ADDRESS_ADDED",
        /// An address changed.
        AddressUpdated = "ADDRESS_UPDATED",
        /// An address was removed.
        AddressRemoved = "ADDRESS_REMOVED",
        /// Staff checked whether the caller is the customer.
        CallerVerified = "CALLER_VERIFIED",
        /// Staff tagged the customer, or took a tag away.
        TagsUpdated = "TAGS_UPDATED",
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
        /// A ticket changed: its subject, type, priority, status or tags.
        TicketUpdated = "TICKET_UPDATED",
        /// A ticket was handed to somebody.
        TicketAssigned = "TICKET_ASSIGNED",
        /// A ticket was linked with an order or a return.
        TicketLinked = "TICKET_LINKED",
        /// A solved ticket was opened again.
        TicketReopened = "TICKET_REOPENED",
        /// A ticket goes on in another one.
        TicketMerged = "TICKET_MERGED",
        /// A solved ticket was closed for good.
        TicketClosed = "TICKET_CLOSED",
        /// A promise to the customer was broken.
        SlaBreached = "SLA_BREACHED",
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
        /// Points can be spent now that were pending.
        PointsActivated = "POINTS_ACTIVATED",
        /// Points were reserved at a till.
        PointsHeld = "POINTS_HELD",
        /// Points that were reserved can be spent again.
        PointsReleased = "POINTS_RELEASED",
        /// Points had to be taken back that were spent already: later points pay for them.
        PointsOwed = "POINTS_OWED",
        /// Points came from another account, or went to one.
        PointsTransferred = "POINTS_TRANSFERRED",
        /// The loyalty tier changed.
        TierChanged = "TIER_CHANGED",
        /// A reward was bought with points.
        RewardRedeemed = "REWARD_REDEEMED",
        /// A reward was called off.
        RewardCancelled = "REWARD_CANCELLED",
        /// A coupon was given.
        CouponIssued = "COUPON_ISSUED",
        /// A coupon was used.
        CouponRedeemed = "COUPON_REDEEMED",
        /// A coupon was called off.
        CouponCancelled = "COUPON_CANCELLED",
        /// A loyalty card was handed out in place of another one.
        LoyaltyCardReplaced = "LOYALTY_CARD_REPLACED",
        /// A loyalty card was stopped.
        LoyaltyCardBlocked = "LOYALTY_CARD_BLOCKED",
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
        /// A note of staff was put on top, or is no longer there.
        NoteUpdated = "NOTE_UPDATED",
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
