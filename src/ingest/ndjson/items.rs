//! The items that a line may hold. What stands here is what is read, and what the reference page says.

use super::form::{Amount, Code, Country, Day, Prose, Tag, Text, Time, Whole, item, words};

/// A source, an id in it, a number, a code.
pub(super) type Name = Text<128>;
/// The version of an item.
pub(super) type Version = Whole<1, 9_007_199_254_740_991>;
/// How many of something.
pub(super) type Quantity = Whole<0, 1_000_000>;
/// One or more of something.
pub(super) type Count = Whole<1, 1_000_000>;
/// The place of a line in its order.
pub(super) type Position = Whole<1, 100_000>;
/// Points, of either sign.
pub(super) type Points = Whole<-1_000_000_000_000, 1_000_000_000_000>;

words! {
    ContactChannel: "EMAIL" "SMS" "PHONE" "PUSH" "POST" "CHAT";
    Risk: "LOW" "MEDIUM" "HIGH";
    AddressKind: "HOME" "SHIPPING" "BILLING";
    Purpose: "SERVICE" "MARKETING" "PROFILING" "RESEARCH" "DELIVERY" "THIRD_PARTY_SHARING";
    ConsentChannel: "ANY" "EMAIL" "SMS" "PHONE" "PUSH" "POST";
    ConsentStatus: "GRANTED" "DENIED" "REVOKED";
    Earning: "ORDERS" "LEDGER";
    IdentityKind: "EMAIL" "PHONE" "LOYALTY_CARD" "SOCIAL" "DEVICE" "EXTERNAL";
    OrderChannel: "POS" "WEB" "MOBILE_APP" "SOCIAL" "PHONE" "PARTNER";
    OrderStatus: "OPEN" "FULFILLED" "CANCELLED";
    DiscountKind: "LOYALTY" "COUPON" "COUPON_MATCH" "PROMOTION" "MANUAL";
    PaymentMethod: "CARD" "CASH" "BANK_TRANSFER" "GIFT_CARD" "STORE_CREDIT" "POINTS" "WALLET" "UNKNOWN";
    PaymentStatus: "AUTHORIZED" "CAPTURED" "FAILED" "VOIDED";
    FulfillmentStatus: "PENDING" "OPEN" "SUCCESS" "CANCELLED" "ERROR" "FAILURE";
    StepStatus: "LABEL_PURCHASED" "LABEL_PRINTED" "CONFIRMED" "CARRIER_PICKED_UP" "IN_TRANSIT" "OUT_FOR_DELIVERY"
        "ATTEMPTED_DELIVERY" "DELAYED" "READY_FOR_PICKUP" "PICKED_UP" "DELIVERED" "FAILURE";
    ReturnStatus: "REQUESTED" "OPEN" "CLOSED" "DECLINED" "CANCELED";
    ReturnReason: "COLOR" "DEFECTIVE" "NOT_AS_DESCRIBED" "OTHER" "SIZE_TOO_LARGE" "SIZE_TOO_SMALL" "STYLE" "UNKNOWN"
        "UNWANTED" "WRONG_ITEM";
    RefundStatus: "GRANTED" "PENDING" "SETTLED" "FAILED";
    TicketStatus: "NEW" "OPEN" "PENDING" "ON_HOLD" "SOLVED" "CLOSED";
    Priority: "LOW" "NORMAL" "HIGH" "URGENT";
    TicketKind: "QUESTION" "INCIDENT" "PROBLEM" "TASK";
    TicketChannel: "EMAIL" "PHONE" "CHAT" "WEB" "MOBILE_APP" "SOCIAL" "POS" "PARTNER";
    Visibility: "PUBLIC" "INTERNAL";
    Author: "CUSTOMER" "STAFF" "PARTNER" "SYSTEM";
    TransactionKind: "ACCRUAL" "ADJUSTMENT" "REDEMPTION" "REFUND" "REVERSAL" "EXPIRATION";
    Metric: "NPS" "CSAT" "CES";
    Sentiment: "POSITIVE" "NEUTRAL" "NEGATIVE";
    FeedbackChannel: "EMAIL" "SMS" "PHONE" "PUSH" "POST" "CHAT" "WEB" "MOBILE_APP" "SOCIAL" "POS" "PARTNER";
}

item! {
    /// Whose something is: exactly one of the fields (`source` only goes with `id`).
    struct Whose {
        optional {
            /// The customer's id at the source.
            id: Option<Name>,
            /// The source that `id` is of. Default: the item's own.
            source: Option<Name>,
            /// The customer number.
            number: Option<Name>,
            /// A verified e-mail address.
            email: Option<Text<254>>,
            /// A verified phone number, in any notation.
            phone: Option<Text<64>>,
            /// The number of a loyalty account or card.
            loyalty_number: Option<Name>,
        }
    }
}

item! {
    /// Another item, by its key.
    struct Link {
        /// Its id at the source.
        id: Name,
        optional {
            /// Its source. Default: the item's own.
            source: Option<Name>,
        }
    }
}

item! {
    /// A customer. Becomes recognisable by its source and id, too.
    struct Customer {
        /// `customer`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// The customer's id there.
        id: Name,
        /// When the customer became known.
        created_at: Time,
        optional {
            /// Grows with every change at the source. Default: 1.
            version: Option<Version>,
            /// The customer number, unique, in capitals. Default: the id.
            number: Option<Text<64>>,
            /// The name as the person writes it.
            name: Option<Text<200>>,
            /// BCP 47, like `ko-KR`.
            locale: Option<Text<35>>,
            /// The day of birth.
            birthday: Option<Day>,
            /// How the customer likes to be reached.
            preferred_channel: Option<ContactChannel>,
            /// Since when. Default: `createdAt`.
            member_since: Option<Time>,
            /// Default: false.
            vip: bool,
            /// Default: `LOW`.
            risk: Option<Risk>,
            /// Tags. Those that staff set stay whatever stands here.
            tags: Vec<Text<64>>,
            /// Addresses, at most 20.
            addresses: Vec<Address>,
            /// Decisions; of two on the same purpose and channel, the later one holds.
            consents: Vec<Consent>,
            /// Enrols the customer in the programme. What it says counts when the account is made, and not later.
            loyalty: Option<Enrolment>,
        }
    }
}

item! {
    /// An address.
    struct Address {
        /// What it is for.
        kind: AddressKind,
        /// Street and number.
        line1: Text<200>,
        /// Town.
        city: Text<100>,
        /// ISO 3166-1 alpha-2.
        country: Country,
        optional {
            /// Who gets it, if it is not the customer.
            recipient: Option<Text<200>>,
            /// Floor, flat, building.
            line2: Option<Text<200>>,
            /// State, province, county.
            region: Option<Text<100>>,
            /// Postal code.
            postal_code: Option<Text<20>>,
            /// Default: false.
            is_default: bool,
        }
    }
}

item! {
    /// A decision about what may be done with the customer's data.
    struct Consent {
        /// What for.
        purpose: Purpose,
        /// What was decided.
        status: ConsentStatus,
        /// When.
        decided_at: Time,
        optional {
            /// On which channel. Default: `ANY`.
            channel: Option<ConsentChannel>,
        }
    }
}

item! {
    /// A loyalty account.
    struct Enrolment {
        /// The number of the account, and of its card; unique. Stored in capitals, without spaces and dashes.
        number: Text<64>,
        optional {
            /// Default: the customer's `createdAt`.
            enrolled_at: Option<Time>,
            /// Where its points come from: `ORDERS`, one for each whole unit of an order's net total; `LEDGER`, only
            /// `loyaltyTransaction` items. Default: `ORDERS`.
            earning: Option<Earning>,
        }
    }
}

item! {
    /// Something that a customer is recognised by.
    struct Identity {
        /// `identity`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// The identity's id there.
        id: Name,
        /// Whose it is.
        customer: Whose,
        /// What it is.
        kind: IdentityKind,
        /// The address, number, handle or id. E-mails, phones and cards are stored in their normal form, too.
        value: Text<254>,
        /// When it became known.
        created_at: Time,
        optional {
            /// Grows with every change at the source. Default: 1.
            version: Option<Version>,
            /// The network, app or system that `value` is of; needed for `SOCIAL`, `DEVICE`, `EXTERNAL`, and for no
            /// other.
            namespace: Option<Name>,
            /// When it was proven to be the customer's. A verified identity belongs to one customer only.
            verified_at: Option<Time>,
        }
    }
}

item! {
    /// An order, with all that belongs to it. Amounts are in its currency.
    struct Order {
        /// `order`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// The order's id there.
        id: Name,
        /// Whose it is.
        customer: Whose,
        /// Where it was placed.
        channel: OrderChannel,
        /// What has become of it.
        status: OrderStatus,
        /// ISO 4217.
        currency: Code,
        /// When it was placed.
        placed_at: Time,
        /// What was bought; a later version may add lines at the end, and take none away.
        lines: Vec<Line>,
        optional {
            /// Grows with every change at the source. Default: 1.
            version: Option<Version>,
            /// The number that people know it by, unique within the source. Default: the id.
            number: Option<Name>,
            /// The number of a store of the same source that is there.
            store: Option<Name>,
            /// Needed for `CANCELLED`, and for no other.
            cancelled_at: Option<Time>,
            /// Default: 0.
            shipping_total: Option<Amount>,
            /// What comes on top of the prices. Default: 0.
            tax_total: Option<Amount>,
            /// What was to be paid. It is computed; one that differs is refused.
            total: Option<Amount>,
            /// Where the parcels go.
            shipping_address: Option<Destination>,
            /// Discounts on the whole order.
            discounts: Vec<Discount>,
            /// How it was paid; what is `CAPTURED` counts as paid.
            payments: Vec<Payment>,
            /// Parcels.
            fulfillments: Vec<Fulfillment>,
            /// What came back. A later version takes none away.
            returns: Vec<Return>,
            /// Money given back. A later version takes none away.
            refunds: Vec<Refund>,
        }
    }
}

item! {
    /// A line of an order: `quantity` times `unitPrice`, less its discounts.
    struct Line {
        /// The article's number. A product of the same source with this SKU is linked.
        sku: Name,
        /// What it is called.
        title: Text<300>,
        /// How many. 0 for what is weighed.
        quantity: Quantity,
        /// The price of one.
        unit_price: Amount,
        optional {
            /// Before discounts; for what is weighed. Default: `quantity` times `unitPrice`.
            subtotal: Option<Amount>,
            /// What one cost the retailer.
            unit_cost: Option<Amount>,
            /// Discounts on this line.
            discounts: Vec<Discount>,
        }
    }
}

item! {
    /// A discount.
    struct Discount {
        /// Where it comes from.
        kind: DiscountKind,
        /// More than 0.
        amount: Amount,
        optional {
            /// The coupon's code.
            code: Option<Name>,
        }
    }
}

item! {
    /// A payment.
    struct Payment {
        /// How.
        method: PaymentMethod,
        /// How far it is.
        status: PaymentStatus,
        /// How much.
        amount: Amount,
        /// When.
        paid_at: Time,
        optional {
            /// Who handled it.
            provider: Option<Name>,
            /// What the provider calls it.
            reference: Option<Name>,
        }
    }
}

item! {
    /// Where parcels go.
    struct Destination {
        /// Street and number.
        line1: Text<200>,
        /// Town.
        city: Text<100>,
        /// ISO 3166-1 alpha-2.
        country: Country,
        optional {
            /// Who gets it.
            recipient: Option<Text<200>>,
            /// State, province, county.
            region: Option<Text<100>>,
            /// Postal code.
            postal_code: Option<Text<20>>,
        }
    }
}

item! {
    /// A parcel, or goods to be picked up.
    struct Fulfillment {
        /// Its id, unique within the order.
        id: Name,
        /// How far it is.
        status: FulfillmentStatus,
        /// When it was made.
        created_at: Time,
        optional {
            /// Who carries it.
            carrier: Option<Name>,
            /// The carrier's number.
            tracking_number: Option<Name>,
            /// Where to look it up.
            tracking_url: Option<Text<2000>>,
            /// When it left.
            shipped_at: Option<Time>,
            /// When it should arrive.
            estimated_delivery_at: Option<Time>,
            /// When it arrived.
            delivered_at: Option<Time>,
            /// What is in it; each line of the order once.
            lines: Vec<Packed>,
            /// Its steps.
            events: Vec<Step>,
        }
    }
}

item! {
    /// Part of a parcel.
    struct Packed {
        /// The line's place in the order, from 1.
        line: Position,
        /// How many.
        quantity: Count,
    }
}

item! {
    /// A step of a parcel.
    struct Step {
        /// Its id, unique within the parcel.
        id: Name,
        /// What happened.
        status: StepStatus,
        /// When.
        happened_at: Time,
        optional {
            /// The carrier's words.
            message: Option<Text<500>>,
            /// Where.
            city: Option<Text<100>>,
            /// ISO 3166-1 alpha-2.
            country: Option<Country>,
        }
    }
}

item! {
    /// A return.
    struct Return {
        /// Its number, unique.
        number: Name,
        /// How far it is; `OPEN` and `CLOSED` are approved.
        status: ReturnStatus,
        /// When it was asked for.
        requested_at: Time,
        /// What comes back.
        lines: Vec<ReturnLine>,
        optional {
            /// When it was approved or declined.
            decided_at: Option<Time>,
            /// When it was done.
            closed_at: Option<Time>,
            /// Why it was declined.
            decline_reason: Option<Text<500>>,
            /// What goes out instead.
            exchange_lines: Vec<ExchangeLine>,
        }
    }
}

item! {
    /// Part of a return.
    struct ReturnLine {
        /// The line's place in the order, from 1.
        line: Position,
        /// How many.
        quantity: Count,
        /// Why.
        reason: ReturnReason,
        optional {
            /// The customer's words.
            note: Option<Prose<2000>>,
        }
    }
}

item! {
    /// Goods that go out instead of those that came back.
    struct ExchangeLine {
        /// The article's number.
        sku: Name,
        /// What it is called.
        title: Text<300>,
        /// How many.
        quantity: Count,
    }
}

item! {
    /// Money given back.
    struct Refund {
        /// Its id, unique within the order.
        id: Name,
        /// More than 0; those that did not fail are together no more than was paid.
        amount: Amount,
        /// How far it is.
        status: RefundStatus,
        /// When it was granted.
        granted_at: Time,
        optional {
            /// The number of the order's return that it is for. Only such a refund takes points back.
            r#return: Option<Name>,
            /// Why.
            reason: Option<Text<500>>,
            /// What the payment provider calls it.
            provider_reference: Option<Name>,
            /// Needed for `SETTLED`, and for no other.
            settled_at: Option<Time>,
        }
    }
}

item! {
    /// A ticket with its messages. It has no running promises: the source has handled it.
    struct Ticket {
        /// `ticket`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// The ticket's id there.
        id: Name,
        /// Whose it is.
        customer: Whose,
        /// How far it is.
        status: TicketStatus,
        /// Where it came in.
        channel: TicketChannel,
        /// What it is about.
        subject: Text<300>,
        /// When it came in.
        created_at: Time,
        optional {
            /// Grows with every change at the source. Default: 1.
            version: Option<Version>,
            /// The number that people know it by, unique. Default: the id.
            number: Option<Name>,
            /// Default: `NORMAL`.
            priority: Option<Priority>,
            /// Default: `QUESTION`.
            kind: Option<TicketKind>,
            /// The subject (`sub`) of a member of staff who is there.
            assignee: Option<Name>,
            /// The name of a team that is there.
            team: Option<Name>,
            /// When it was first answered.
            first_replied_at: Option<Time>,
            /// Needed for `SOLVED` and `CLOSED`, and for no other.
            solved_at: Option<Time>,
            /// Tags.
            tags: Vec<Text<64>>,
            /// Orders of the same customer that it is about.
            orders: Vec<Link>,
            /// What was said. A later version takes none away.
            messages: Vec<Message>,
        }
    }
}

item! {
    /// A message of a ticket.
    struct Message {
        /// Its id, unique within the source.
        id: Name,
        /// Who wrote it.
        author: Author,
        /// What it says.
        body: Prose<50_000>,
        /// When.
        created_at: Time,
        optional {
            /// `INTERNAL` is for `STAFF` and `SYSTEM` only. Default: `PUBLIC`.
            visibility: Option<Visibility>,
            /// Default: the ticket's.
            channel: Option<TicketChannel>,
        }
    }
}

item! {
    /// An entry of the points ledger of an account whose `earning` is `LEDGER`. It never changes: a correction is
    /// another entry. Those of one account should come oldest first.
    struct LoyaltyTransaction {
        /// `loyaltyTransaction`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// The entry's id there.
        id: Name,
        /// Whose account it is.
        customer: Whose,
        /// Why points moved. `ACCRUAL` and `REFUND` are above zero; `REDEMPTION`, `REVERSAL` and `EXPIRATION` below.
        kind: TransactionKind,
        /// How many, with their sign; never 0.
        points: Points,
        /// When.
        occurred_at: Time,
        optional {
            /// Must stay the same. Default: 1.
            version: Option<Version>,
            /// Why, in words.
            reason: Option<Text<500>>,
            /// The order of the same customer that it is about; for `ACCRUAL` and `REVERSAL`.
            order: Option<Link>,
            /// The `REDEMPTION` whose points a `REFUND` gives back; needed for it, and for no other.
            reverses: Option<Link>,
        }
    }
}

item! {
    /// A customer's answer to a survey.
    struct SurveyResponse {
        /// `surveyResponse`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// Its id there.
        id: Name,
        /// Who answered.
        customer: Whose,
        /// On which channel.
        channel: FeedbackChannel,
        /// When.
        given_at: Time,
        /// The survey's code. One that is not there is made, switched off.
        survey: Name,
        /// What the survey measures.
        metric: Metric,
        /// `NPS` 0 to 10, `CSAT` 1 to 5, `CES` 1 to 7.
        score: Whole<0, 10>,
        optional {
            /// Grows with every change at the source. Default: 1.
            version: Option<Version>,
            /// BCP 47.
            language: Option<Text<35>>,
            /// What the words are like.
            sentiment: Option<Sentiment>,
            /// What the customer wrote.
            body: Option<Prose<20_000>>,
            /// What was asked, and answered.
            answers: Vec<Answer>,
            /// The customer's order that it is about.
            order: Option<Link>,
            /// The customer's ticket that it is about.
            ticket: Option<Link>,
        }
    }
}

item! {
    /// An answer to one question.
    struct Answer {
        /// The question's code, once per response.
        code: Name,
        /// The question.
        question: Text<500>,
        /// The answer.
        answer: Prose<5000>,
    }
}

item! {
    /// A review, with stars.
    struct Review {
        /// `review`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// Its id there.
        id: Name,
        /// Who wrote it.
        customer: Whose,
        /// On which channel.
        channel: FeedbackChannel,
        /// When.
        given_at: Time,
        /// Stars.
        score: Whole<1, 5>,
        optional {
            /// Grows with every change at the source. Default: 1.
            version: Option<Version>,
            /// BCP 47.
            language: Option<Text<35>>,
            /// What the words are like.
            sentiment: Option<Sentiment>,
            /// Its heading.
            title: Option<Text<300>>,
            /// What the customer wrote.
            body: Option<Prose<20_000>>,
            /// The name it is signed with.
            author_handle: Option<Name>,
            /// Where it stands.
            url: Option<Text<2000>>,
            /// The customer's order that it is about.
            order: Option<Link>,
            /// The place of the order's line that it is about, from 1. Needs `order`.
            line: Option<Position>,
        }
    }
}

item! {
    /// A mention on a social network.
    struct Mention {
        /// `mention`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// Its id there.
        id: Name,
        /// Who wrote it.
        customer: Whose,
        /// The network.
        network: Name,
        /// When.
        given_at: Time,
        optional {
            /// Grows with every change at the source. Default: 1.
            version: Option<Version>,
            /// BCP 47.
            language: Option<Text<35>>,
            /// What the words are like.
            sentiment: Option<Sentiment>,
            /// What the customer wrote.
            body: Option<Prose<20_000>>,
            /// The name it is signed with.
            author_handle: Option<Name>,
            /// Where it stands.
            url: Option<Text<2000>>,
        }
    }
}

item! {
    /// A suggestion.
    struct Suggestion {
        /// `suggestion`.
        r#type: Tag,
        /// The system that the item comes from.
        source: Name,
        /// Its id there.
        id: Name,
        /// Who made it.
        customer: Whose,
        /// On which channel.
        channel: FeedbackChannel,
        /// When.
        given_at: Time,
        /// What the customer wrote.
        body: Prose<20_000>,
        optional {
            /// Grows with every change at the source. Default: 1.
            version: Option<Version>,
            /// BCP 47.
            language: Option<Text<35>>,
            /// What the words are like.
            sentiment: Option<Sentiment>,
            /// Its heading.
            title: Option<Text<300>>,
        }
    }
}
