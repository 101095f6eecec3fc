//! GraphQL types of the audit log.

use async_graphql::{ID, Object, Result};
use c360_rules::id::Kind;

use super::store::{AuditRow, ChangeRow};
use crate::domains::customers::object::Staff;
use crate::domains::customers::store::{CustomerRow, StaffRow};
use crate::events::{TimelineActorKind, TimelineDomain, TimelineEntryKind};
use crate::graphql::{DateTime, Money, free_text, gid, int};
use crate::objects;
use crate::read::{Eager, Handle};
use crate::view360::Customer;

objects! {
    /// An entry of the audit log.
    AuditEntry(AuditRow);
    /// A value before and after.
    AuditChange(ChangeRow);
}

/// Something that was done, as it was written down when it was done. Entries never change and are never removed.
#[Object]
impl AuditEntry {
    /// The id of the event.
    async fn id(&self) -> ID {
        gid(Kind::Event, self.0.id)
    }

    /// Its place among all events, a whole number from 1 without gaps; null for the moment until it is sealed.
    async fn position(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, which no log reaches")]
        self.0.position.map(|position| position as f64)
    }

    /// What was done.
    async fn kind(&self) -> TimelineEntryKind {
        self.0.kind()
    }

    /// Which part of the business it is about.
    async fn domain(&self) -> TimelineDomain {
        self.0.domain
    }

    /// When it happened; for what was brought in from elsewhere, when it happened there.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// When it was written down.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }

    /// What kind of actor did it.
    async fn actor_kind(&self) -> TimelineActorKind {
        self.0.actor_kind
    }

    /// Who did it: the token's subject for staff, the client for a partner, the customer's id for a customer, the job's
    /// name for the gateway itself.
    async fn actor_id(&self) -> Option<&str> {
        self.0.actor_id.as_deref()
    }

    /// The member of staff who did it, as far as the directory has them.
    async fn staff(&self) -> Result<Option<Eager<Staff>>> {
        Ok(self.0.one::<StaffRow, _>("staff", self.0.staff_id)?)
    }

    /// Whom it happened to; null for what concerns the business alone.
    async fn customer(&self) -> Result<Option<Eager<Customer>>> {
        Ok(self.0.one::<CustomerRow, _>("customer", self.0.customer_id)?)
    }

    /// The id of what it is about, such as an order or a ticket.
    async fn subject_id(&self) -> Option<ID> {
        let kind = Kind::from_prefix(self.0.subject_kind.as_deref()?)?;
        Some(gid(kind, self.0.subject_id?))
    }

    /// The number or name of what it is about. Masked without `pii:read`.
    async fn label(&self) -> Option<String> {
        let row = &self.0;
        row.label.as_deref().map(|label| free_text(label, row.pii, row.hidden_name.as_deref()))
    }

    /// The amount of money that it is about.
    async fn amount(&self) -> Option<Eager<Money>> {
        Some(Eager::of(Money::new(self.0.amount?, self.0.currency.as_deref()?)))
    }

    /// The points that it is about; negative for points that went away.
    async fn points(&self) -> Option<i32> {
        self.0.points.map(int)
    }

    /// Why, in the words of whoever did it. Masked without `pii:read`.
    async fn reason(&self) -> Option<String> {
        let row = &self.0;
        row.reason.as_deref().map(|reason| free_text(reason, row.pii, row.hidden_name.as_deref()))
    }

    /// On which channel, such as `POS` or `EMAIL`; null where there is none.
    async fn channel(&self) -> Option<&str> {
        self.0.channel.as_deref()
    }

    /// The system that it was done in or brought in from.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// The client of the token with which it was asked for; null for what nobody asked for.
    async fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// The request by which it was asked for: `x-request-id` of its answer, and in the gateway's log.
    async fn request_id(&self) -> Option<String> {
        self.0.request_id.map(|id| id.to_string())
    }

    /// What it changed, by field; at most 100.
    async fn changes(&self) -> Result<Option<Vec<Eager<AuditChange>>>> {
        let mut changes = self.0.few::<ChangeRow, Handle<ChangeRow>>("changes", self.0.id)?;
        changes.sort_by(|a, b| a.field.cmp(&b.field));
        Ok(Some(changes.into_iter().map(Eager::from).collect()))
    }
}

/// A value before and after.
#[Object]
impl AuditChange {
    /// The field that changed.
    async fn field(&self) -> &str {
        &self.0.field
    }

    /// What it was; null if there was nothing, or if the person was erased since. Masked without `pii:read`.
    async fn before(&self) -> Option<String> {
        self.shown(self.0.before.as_deref())
    }

    /// What it became; null if there is nothing, or if the person was erased since. Masked without `pii:read`.
    async fn after(&self) -> Option<String> {
        self.shown(self.0.after.as_deref())
    }
}

impl AuditChange {
    fn shown(&self, value: Option<&str>) -> Option<String> {
        value.map(|value| free_text(value, self.0.pii, self.0.hidden_name.as_deref()))
    }
}
