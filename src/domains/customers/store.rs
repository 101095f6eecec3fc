//! Rows of customers and the edges between them.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::verification::VerificationRow;
use crate::auth::{Caller, CustomerIdentity, Domain};
use crate::choice;
use crate::read::{Access, Find, Join, Order, Pieces, Relation, Root, RowType, Shape};
use crate::row;
use crate::scope::readable;

choice! {
    /// What has become of a customer record.
    pub enum CustomerStatus {
        /// In use.
        Active = "ACTIVE",
        /// Joined with another record, which is found instead.
        Merged = "MERGED",
        /// Erased at the person's request; only the books remain.
        Erased = "ERASED",
    }
}

choice! {
    /// How likely a customer is to be a fraud, as the retailer's own checks say.
    pub enum RiskLevel {
        /// Nothing unusual.
        Low = "LOW",
        /// Look twice.
        Medium = "MEDIUM",
        /// Ask a supervisor.
        High = "HIGH",
    }
}

choice! {
    /// How a customer likes to be reached.
    pub enum ContactChannel {
        /// E-mail.
        Email = "EMAIL",
        /// Text message.
        Sms = "SMS",
        /// Phone call.
        Phone = "PHONE",
        /// Message of the mobile app.
        Push = "PUSH",
        /// Letter.
        Post = "POST",
        /// Chat.
        Chat = "CHAT",
    }
}

choice! {
    /// What a customer is recognised by.
    pub enum IdentityKind {
        /// An e-mail address.
        Email = "EMAIL",
        /// A phone number.
        Phone = "PHONE",
        /// The number of a loyalty card.
        LoyaltyCard = "LOYALTY_CARD",
        /// A name on a social network.
        Social = "SOCIAL",
        /// A device.
        Device = "DEVICE",
        /// The id in another system.
        External = "EXTERNAL",
    }
}

choice! {
    /// What an address is for.
    pub enum AddressKind {
        /// Where the customer lives.
        Home = "HOME",
        /// Where parcels go.
        Shipping = "SHIPPING",
        /// Where invoices go.
        Billing = "BILLING",
    }
}

choice! {
    /// What a customer may agree to.
    pub enum ConsentPurpose {
        /// Being served: orders, tickets, returns.
        Service = "SERVICE",
        /// Advertising.
        Marketing = "MARKETING",
        /// Being analysed as a person.
        Profiling = "PROFILING",
        /// Surveys and research.
        Research = "RESEARCH",
        /// Delivery by a carrier.
        Delivery = "DELIVERY",
        /// Data being given to others.
        ThirdPartySharing = "THIRD_PARTY_SHARING",
    }
}

choice! {
    /// On which channel a consent holds.
    pub enum ConsentChannel {
        /// On all.
        Any = "ANY",
        /// E-mail.
        Email = "EMAIL",
        /// Text message.
        Sms = "SMS",
        /// Phone call.
        Phone = "PHONE",
        /// Message of the mobile app.
        Push = "PUSH",
        /// Letter.
        Post = "POST",
    }
}

choice! {
    /// What a customer decided.
    pub enum ConsentStatus {
        /// Agreed.
        Granted = "GRANTED",
        /// Did not agree.
        Denied = "DENIED",
        /// Agreed once, and took it back.
        Revoked = "REVOKED",
    }
}

row! {
    /// A customer.
    pub struct CustomerRow {
        pii: bool = "{pii}",
        vip: bool = "CAST(x.vip AS integer)" for ["vip"],
        version: i64 = "x.version" for ["version"],
        number: String = "x.number" for ["number"],
        status: CustomerStatus = "x.status" for ["status"],
        name: Option<String> = "x.name" for ["name"],
        locale: Option<String> = "x.locale" for ["locale"],
        birthday: Option<NaiveDate> = "CAST(x.birthday AS text)" for ["birthday"],
        preferred_channel: Option<ContactChannel> = "x.preferred_channel" for ["preferredChannel"],
        risk: RiskLevel = "x.risk" for ["risk"],
        source: String = "x.source" for ["source"],
        member_since: Option<DateTime<Utc>> = "x.member_since" for ["memberSince"],
        created_at: DateTime<Utc> = "x.created_at" for ["createdAt"],
        updated_at: DateTime<Utc> = "x.updated_at" for ["updatedAt"],
    }
}

row! {
    /// Something that a customer is recognised by.
    pub struct IdentityRow {
        pii: bool = "{pii}",
        kind: IdentityKind = "x.kind",
        namespace: String = "x.namespace" for ["namespace"],
        value: String = "x.value",
        source: String = "x.source" for ["source"],
        created_at: DateTime<Utc> = "x.created_at",
        verified_at: Option<DateTime<Utc>> = "x.verified_at",
    }
}

row! {
    /// An address.
    pub struct AddressRow {
        pii: bool = "{pii}",
        is_default: bool = "CAST(x.is_default AS integer)",
        kind: AddressKind = "x.kind",
        recipient: Option<String> = "x.recipient",
        line1: String = "x.line1",
        line2: Option<String> = "x.line2",
        city: String = "x.city",
        region: Option<String> = "x.region",
        postal_code: Option<String> = "x.postal_code",
        country: String = "x.country",
    }
}

row! {
    /// A consent.
    pub struct ConsentRow {
        purpose: ConsentPurpose = "x.purpose",
        channel: ConsentChannel = "x.channel",
        status: ConsentStatus = "x.status",
        source: String = "x.source",
        decided_at: DateTime<Utc> = "x.decided_at",
    }
}

row! {
    /// A note by staff.
    pub struct NoteRow {
        staff_id: Option<Uuid> = "x.staff_id",
        pinned: bool = "CAST(x.pinned AS integer)",
        body: String = "x.body",
        created_at: DateTime<Utc> = "x.created_at",
    }
}

row! {
    /// A tag.
    pub struct TagRow {
        tag: String = "x.tag",
        created_at: DateTime<Utc> = "x.created_at",
    }
}

row! {
    /// A segment that a customer is in.
    pub struct SegmentRow {
        code: String = "x.code",
        name: String = "x.name",
        since: DateTime<Utc> = "x.since",
    }
}

row! {
    /// A member of staff.
    pub struct StaffRow {
        display_name: String = "x.display_name",
        role: StaffRole = "x.role",
    }
}

choice! {
    /// What a member of staff may do.
    pub enum StaffRole {
        /// Serves customers.
        Agent = "AGENT",
        /// Leads agents, with higher limits.
        Supervisor = "SUPERVISOR",
        /// Runs the system.
        Admin = "ADMIN",
    }
}

/// Edges to a member of staff look the same everywhere.
pub const fn staff_member(on: &'static str, fields: &'static [&'static str], column: &'static str) -> Relation {
    Relation {
        on,
        fields,
        to: "Staff",
        table: "staff",
        rows: RowType::of::<StaffRow>(),
        join: Join::to(column),
        shape: Shape::One,
        ..BASE
    }
}

/// The edge back to the customer looks the same everywhere.
pub const fn customer_of(on: &'static str) -> Relation {
    Relation {
        on,
        fields: &["customer"],
        to: "Customer",
        table: "customers",
        rows: RowType::of::<CustomerRow>(),
        join: Join::to("customer_id"),
        shape: Shape::One,
        access: Access::Itself,
        ..BASE
    }
}

const BASE: Relation = Relation {
    on: "Customer",
    fields: &[],
    to: "",
    table: "",
    rows: RowType::of::<CustomerRow>(),
    join: Join::by("customer_id"),
    shape: Shape::Few(100),
    order: Order::oldest("", "x.id"),
    only: "",
    filter: None,
    access: Access::Parent,
};

/// The edges of this domain.
pub static RELATIONS: &[Relation] = &[
    Relation {
        fields: &["identities", "email", "phone"],
        to: "CustomerIdentity",
        table: "customer_identities",
        rows: RowType::of::<IdentityRow>(),
        order: Order::oldest("created_at", "x.created_at"),
        ..BASE
    },
    Relation {
        fields: &["addresses"],
        to: "CustomerAddress",
        table: "addresses",
        rows: RowType::of::<AddressRow>(),
        ..BASE
    },
    Relation {
        fields: &["consents"],
        to: "Consent",
        table: "consents",
        rows: RowType::of::<ConsentRow>(),
        order: Order::newest("decided_at", "x.decided_at"),
        ..BASE
    },
    Relation {
        fields: &["notes"],
        to: "CustomerNote",
        table: "customer_notes",
        rows: RowType::of::<NoteRow>(),
        shape: Shape::Page,
        order: Order::newest("created_at", "x.created_at"),
        ..BASE
    },
    Relation {
        fields: &["tags"],
        to: "Tag",
        table: "(SELECT t.customer_id AS id, t.* FROM customer_tags t)",
        rows: RowType::of::<TagRow>(),
        order: Order::oldest("created_at", "x.created_at"),
        ..BASE
    },
    Relation {
        fields: &["segments"],
        to: "CustomerSegment",
        table: "(SELECT s.id, s.code, s.name, m.customer_id, m.since FROM customer_segments m JOIN segments s ON s.id = m.segment_id)",
        rows: RowType::of::<SegmentRow>(),
        order: Order::oldest("since", "x.since"),
        ..BASE
    },
    Relation {
        fields: &["verification"],
        to: "CustomerVerification",
        table: "customer_verifications",
        rows: RowType::of::<VerificationRow>(),
        shape: Shape::Few(1),
        order: Order::newest("checked_at", "x.checked_at"),
        ..BASE
    },
    staff_member("CustomerNote", &["author"], "staff_id"),
    staff_member("CustomerVerification", &["checkedBy"], "staff_id"),
    customer_of("Order"),
    customer_of("Ticket"),
];

/// The customer that `find` points at.
pub fn root(find: Find) -> Root {
    Root { to: "Customer", table: "customers", rows: RowType::of::<CustomerRow>(), access: Access::Itself, find }
}

/// The identity of this id.
pub fn identity(id: Uuid) -> Root {
    of_customer("CustomerIdentity", "customer_identities", RowType::of::<IdentityRow>(), id)
}

/// The address of this id.
pub fn address(id: Uuid) -> Root {
    of_customer("CustomerAddress", "addresses", RowType::of::<AddressRow>(), id)
}

/// The consent of this id.
pub fn consent(id: Uuid) -> Root {
    of_customer("Consent", "consents", RowType::of::<ConsentRow>(), id)
}

/// The note of this id.
pub fn note(id: Uuid) -> Root {
    of_customer("CustomerNote", "customer_notes", RowType::of::<NoteRow>(), id)
}

/// The check of who is calling of this id.
pub fn verification(id: Uuid) -> Root {
    of_customer("CustomerVerification", "customer_verifications", RowType::of::<VerificationRow>(), id)
}

fn of_customer(to: &'static str, table: &'static str, rows: RowType, id: Uuid) -> Root {
    Root { to, table, rows, access: Access::Customer, find: Find::Ids(vec![id]) }
}

const SURVIVOR: &str = "SELECT DISTINCT COALESCE(m.merged_into_id, m.id) AS id FROM customers m ";

/// By id.
pub fn by_id(id: Uuid) -> Find {
    Find::Row { id, itself: "x.merged_into_id IS NULL", instead: survivor }
}

/// The customer of this id, or the one that it was merged into.
pub(super) fn survivor(id: Uuid) -> Pieces {
    Pieces::text(format!("{SURVIVOR} WHERE m.id = ")).value(id)
}

/// By the number that the retailer gave.
pub fn by_customer_number(number: String) -> Find {
    Find::One(Pieces::text(format!("{SURVIVOR} WHERE m.number = ")).value(number))
}

/// By something that customers are recognised by. If one of those that have it has proved it, it is that one.
pub fn by_identity(kind: IdentityKind, namespace: Option<String>, normalized: String) -> Find {
    let matches = |alias: &str| {
        let pieces = Pieces::text(format!("{alias}.kind = '{}' AND {alias}.normalized = ", kind.as_str()))
            .value(normalized.clone());
        match &namespace {
            Some(namespace) => pieces.and(format!(" AND {alias}.namespace = ")).value(namespace.clone()),
            None => pieces,
        }
    };
    Find::One(
        Pieces::text(format!("{SURVIVOR} JOIN customer_identities i ON i.customer_id = m.id WHERE "))
            .then(matches("i"))
            .and(" AND (i.verified_at IS NOT NULL OR NOT EXISTS (SELECT 1 FROM customer_identities v WHERE v.verified_at IS NOT NULL AND ")
            .then(matches("v"))
            .and("))"),
    )
}

/// By the number of a loyalty account or of one of its cards.
pub fn by_loyalty_number(number: String) -> Find {
    Find::One(
        Pieces::text(format!(
            "{SURVIVOR} WHERE m.id IN (SELECT a.customer_id FROM loyalty_accounts a WHERE a.number = "
        ))
        .value(number.clone())
        .and(" UNION SELECT k.customer_id FROM loyalty_cards k WHERE k.status = 'ACTIVE' AND k.number = ")
        .value(number.clone())
        .and(" UNION SELECT i.customer_id FROM customer_identities i WHERE i.kind = 'LOYALTY_CARD' AND i.normalized = ")
        .value(number)
        .and(")"),
    )
}

/// By the number of an order that the caller, if there is one, may read.
pub fn by_order(number: String, source: Option<String>, caller: Option<&Caller>) -> Find {
    let query =
        Pieces::text(format!("{SURVIVOR} JOIN orders o ON o.customer_id = m.id WHERE o.number = ")).value(number);
    let query = match caller {
        Some(caller) => query.then(readable(caller, Domain::Orders, "o.source")),
        None => query,
    };
    Find::One(match source {
        Some(source) => query.and(" AND o.source = ").value(source),
        None => query,
    })
}

/// The customer whom a customer's own token names.
pub fn own(identity: &CustomerIdentity) -> Find {
    match identity {
        CustomerIdentity::Id(id) => by_id(*id),
        CustomerIdentity::External { issuer, subject } => Find::One(
            Pieces::text(format!(
                "{SURVIVOR} JOIN customer_identities i ON i.customer_id = m.id \
                 WHERE i.verified_at IS NOT NULL AND i.kind = 'EXTERNAL' AND i.namespace = "
            ))
            .value(issuer.clone())
            .and(" AND i.normalized = ")
            .value(subject.clone()),
        ),
    }
}
