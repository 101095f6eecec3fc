//! GraphQL types of customers, and this domain's part of `Customer`.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use c360_rules::id::Kind;
use c360_rules::mask;

use super::store::{
    AddressKind, AddressRow, ConsentChannel, ConsentPurpose, ConsentRow, ConsentStatus, ContactChannel, CustomerRow,
    CustomerStatus, IdentityKind, IdentityRow, NoteRow, RiskLevel, SegmentRow, StaffRole, StaffRow, TagRow,
};
use super::verification::{CustomerVerification, VerificationRow};
use crate::domains::orders::store::ShippingRow;
use crate::graphql::{Date, DateTime, gid};
use crate::objects;
use crate::read::{Connection, Eager, PageArguments};

objects! {
    /// The customer itself.
    CustomerProfile(CustomerRow);
    /// Something that a customer is recognised by.
    CustomerIdentity(IdentityRow);
    /// An address.
    CustomerAddress(AddressRow);
    /// A consent.
    Consent(ConsentRow);
    /// A note.
    CustomerNote(NoteRow);
    /// A segment.
    CustomerSegment(SegmentRow);
    /// A member of staff.
    Staff(StaffRow);
    /// A tag.
    Tag(TagRow);
}

/// The profile of a customer.
#[Object]
impl CustomerProfile {
    /// The customer's id.
    async fn id(&self) -> ID {
        gid(Kind::Customer, self.0.id)
    }

    /// The number that the retailer gave.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// What has become of the record.
    async fn status(&self) -> CustomerStatus {
        self.0.status
    }

    /// The name as the customer writes it. Masked without `pii:read`.
    async fn name(&self) -> Option<String> {
        let name = self.0.name.as_deref()?;
        Some(if self.0.pii { name.to_owned() } else { mask::name(name) })
    }

    /// The customer's language and region, as in BCP 47: `ko-KR`.
    async fn locale(&self) -> Option<&str> {
        self.0.locale.as_deref()
    }

    /// The birthday. Null without `pii:read`.
    async fn birthday(&self) -> Option<Date> {
        self.0.birthday.filter(|_| self.0.pii).map(Date)
    }

    /// How the customer likes to be reached.
    async fn preferred_channel(&self) -> Option<ContactChannel> {
        self.0.preferred_channel
    }

    /// Since when the person is a customer.
    async fn member_since(&self) -> Option<DateTime> {
        self.0.member_since.map(Into::into)
    }

    /// Whether the customer is served first.
    async fn vip(&self) -> Option<bool> {
        Some(self.0.vip)
    }

    /// How likely the customer is to be a fraud.
    async fn risk(&self) -> Option<RiskLevel> {
        Some(self.0.risk)
    }

    /// The system that the record first came from.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// Grows with every change; give it back as `expectedVersion`.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// When the record was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the record last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// The e-mail address to write to: a verified one before others. Masked without `pii:read`.
    async fn email(&self) -> Result<Option<String>> {
        self.first(IdentityKind::Email)
    }

    /// The phone number to call, as in E.164: a verified one before others. Masked without `pii:read`.
    async fn phone(&self) -> Result<Option<String>> {
        self.first(IdentityKind::Phone)
    }

    /// Everything that the customer is recognised by, oldest first; at most 100.
    async fn identities(&self) -> Result<Option<Vec<Eager<CustomerIdentity>>>> {
        Ok(Some(self.0.few::<IdentityRow, _>("identities", self.0.id)?))
    }

    /// The customer's addresses; at most 100.
    async fn addresses(&self) -> Result<Option<Vec<Eager<CustomerAddress>>>> {
        Ok(Some(self.0.few::<AddressRow, _>("addresses", self.0.id)?))
    }

    /// What the customer agreed to and what not, newest decision first; at most 100.
    async fn consents(&self) -> Result<Option<Vec<Eager<Consent>>>> {
        Ok(Some(self.0.few::<ConsentRow, _>("consents", self.0.id)?))
    }

    /// What staff have tagged the customer with, oldest first; at most 100.
    async fn tags(&self) -> Result<Option<Vec<String>>> {
        let tags: Vec<Tag> = self.0.few::<TagRow, _>("tags", self.0.id)?;
        Ok(Some(tags.into_iter().map(|tag| tag.0.tag.clone()).collect()))
    }

    /// The last check of whether a caller is the customer. Staff only.
    async fn verification(&self) -> Result<Option<Eager<CustomerVerification>>> {
        let last: Vec<Eager<CustomerVerification>> = self.0.few::<VerificationRow, _>("verification", self.0.id)?;
        Ok(last.into_iter().next())
    }

    /// The segments that the customer is in, oldest first; at most 100.
    async fn segments(&self) -> Result<Option<Vec<Eager<CustomerSegment>>>> {
        Ok(Some(self.0.few::<SegmentRow, _>("segments", self.0.id)?))
    }

    /// What staff have noted, newest first.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<CustomerNote>>> {
        Ok(Some(self.0.page::<NoteRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }
}

impl CustomerProfile {
    fn first(&self, kind: IdentityKind) -> Result<Option<String>> {
        let all: Vec<CustomerIdentity> = self.0.few::<IdentityRow, _>("identities", self.0.id)?;
        let best = all.iter().filter(|identity| identity.0.kind == kind).max_by_key(|identity| {
            (identity.0.verified_at.is_some(), std::cmp::Reverse((identity.0.created_at, identity.0.id)))
        });
        Ok(best.map(CustomerIdentity::shown))
    }
}

/// Something that a customer is recognised by.
#[Object]
impl CustomerIdentity {
    /// The identity's id.
    async fn id(&self) -> ID {
        gid(Kind::Identity, self.0.id)
    }

    /// What it is.
    async fn kind(&self) -> IdentityKind {
        self.0.kind
    }

    /// The network or the system that the value belongs to; null where the kind says enough.
    async fn namespace(&self) -> Option<&str> {
        Some(self.0.namespace.as_str()).filter(|namespace| !namespace.is_empty())
    }

    /// The value, as the customer or the source writes it. Masked without `pii:read`.
    async fn value(&self) -> String {
        self.shown()
    }

    /// When the customer proved that it is theirs; null if they have not.
    async fn verified_at(&self) -> Option<DateTime> {
        self.0.verified_at.map(Into::into)
    }

    /// The system that knows it.
    async fn source(&self) -> &str {
        &self.0.source
    }
}

impl CustomerIdentity {
    fn shown(&self) -> String {
        let value = &self.0.value;
        if self.0.pii {
            return value.clone();
        }
        match self.0.kind {
            IdentityKind::Email => mask::email(value),
            IdentityKind::Phone => mask::phone(value),
            _ => mask::name(value),
        }
    }
}

/// An address of a customer.
#[Object]
impl CustomerAddress {
    /// The address's id.
    async fn id(&self) -> ID {
        gid(Kind::Address, self.0.id)
    }

    /// What it is for.
    async fn kind(&self) -> AddressKind {
        self.0.kind
    }

    /// Whether it is used when nothing else is said.
    async fn is_default(&self) -> bool {
        self.0.is_default
    }

    /// The address itself. Masked without `pii:read`.
    async fn address(&self) -> PostalAddress {
        let row = &self.0;
        let mut lines = vec![row.line1.clone()];
        lines.extend(row.line2.clone());
        PostalAddress {
            recipient: row.recipient.clone(),
            lines,
            city: Some(row.city.clone()),
            region: row.region.clone(),
            postal_code: row.postal_code.clone(),
            country: Some(row.country.clone()),
        }
        .shown(row.pii)
    }
}

/// A postal address.
#[derive(Clone, Debug, SimpleObject)]
pub struct PostalAddress {
    /// Who receives. Masked without `pii:read`.
    recipient: Option<String>,
    /// Street and number, and what else the postman needs. Masked without `pii:read`.
    lines: Vec<String>,
    /// The city.
    city: Option<String>,
    /// The state or province.
    region: Option<String>,
    /// The postal code. Masked without `pii:read`.
    postal_code: Option<String>,
    /// The country, as in ISO 3166-1 alpha-2.
    country: Option<String>,
}

impl PostalAddress {
    /// Where an order is sent, if it is sent.
    pub(crate) fn of_order(row: &ShippingRow) -> Option<Self> {
        let line = row.line1.clone()?;
        let address = Self {
            recipient: row.recipient.clone(),
            lines: vec![line],
            city: row.city.clone(),
            region: row.region.clone(),
            postal_code: row.postal_code.clone(),
            country: row.country.clone(),
        };
        Some(address.shown(row.pii))
    }

    fn shown(self, pii: bool) -> Self {
        if pii {
            return self;
        }
        Self {
            recipient: self.recipient.as_deref().map(mask::name),
            lines: self.lines.iter().map(|line| mask::address_line(line)).collect(),
            postal_code: self.postal_code.as_deref().map(mask::address_line),
            ..self
        }
    }
}

/// What a customer decided about one purpose on one channel.
#[Object]
impl Consent {
    /// What for.
    async fn purpose(&self) -> ConsentPurpose {
        self.0.purpose
    }

    /// On which channel.
    async fn channel(&self) -> ConsentChannel {
        self.0.channel
    }

    /// What was decided.
    async fn status(&self) -> ConsentStatus {
        self.0.status
    }

    /// Where it was decided.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// When it was decided.
    async fn decided_at(&self) -> DateTime {
        self.0.decided_at.into()
    }
}

/// A segment that a customer is in.
#[Object]
impl CustomerSegment {
    /// The segment's code.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Since when the customer is in it.
    async fn since(&self) -> DateTime {
        self.0.since.into()
    }
}

/// A note that staff have made about a customer.
#[Object]
impl CustomerNote {
    /// The note's id.
    async fn id(&self) -> ID {
        gid(Kind::Note, self.0.id)
    }

    /// What it says.
    async fn body(&self) -> &str {
        &self.0.body
    }

    /// Whether it stays on top.
    async fn pinned(&self) -> bool {
        self.0.pinned
    }

    /// Who wrote it.
    async fn author(&self) -> Result<Option<Eager<Staff>>> {
        Ok(self.0.one::<StaffRow, _>("author", self.0.staff_id)?)
    }

    /// When.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// A member of staff.
#[Object]
impl Staff {
    /// The person's id.
    async fn id(&self) -> ID {
        gid(Kind::Staff, self.0.id)
    }

    /// The name that colleagues see.
    async fn display_name(&self) -> &str {
        &self.0.display_name
    }

    /// What the person may do.
    async fn role(&self) -> StaffRole {
        self.0.role
    }
}
