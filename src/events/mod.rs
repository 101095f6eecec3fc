//! The event log: what every change leaves behind, written in its own transaction.
//!
//! An event says who did what to whom, when and why, in ids and names. Values before and after lie in a table beside it,
//! which an erasure can empty. An event is complete when it is committed; its position, and its link to the one before,
//! are given afterwards, so that writers never wait for one another here.

pub mod chain;
pub mod check;
pub mod heads;
pub mod seal;
mod words;

use std::fmt::Display;

use c360_rules::id::Kind;
use uuid::Uuid;

pub use words::{TimelineActorKind, TimelineDomain, TimelineEntryKind};

/// Who may see an event besides those who read the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// The customer, and whoever may read the customer.
    Customer,
    /// Staff.
    Staff,
    /// Nobody else.
    Audit,
}

impl Visibility {
    /// As it stands in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "CUSTOMER",
            Self::Staff => "STAFF",
            Self::Audit => "AUDIT",
        }
    }
}

/// A value before and after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field, as clients know it.
    pub field: &'static str,
    /// What it was; `None` if there was nothing.
    pub before: Option<String>,
    /// What it is now; `None` if there is nothing.
    pub after: Option<String>,
}

/// Something that happened, about to be written. Who did it, when and from where is known to the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: TimelineEntryKind,
    /// Which part of the business it is about.
    pub domain: TimelineDomain,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whom it happened to; `None` for what concerns the business alone.
    pub customer_id: Option<Uuid>,
    /// What it is about.
    pub subject: Option<(Kind, Uuid)>,
    /// The number or name of what it is about.
    pub label: Option<String>,
    /// Minor units and currency.
    pub amount: Option<(i64, String)>,
    /// Points that it is about, with their sign.
    pub points: Option<i64>,
    /// On which channel.
    pub channel: Option<String>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What changed.
    pub changes: Vec<Change>,
}

impl Event {
    /// An event that the customer may see.
    pub fn of(kind: TimelineEntryKind, domain: TimelineDomain) -> Self {
        Self {
            kind,
            domain,
            visibility: Visibility::Customer,
            customer_id: None,
            subject: None,
            label: None,
            amount: None,
            points: None,
            channel: None,
            reason: None,
            changes: Vec::new(),
        }
    }

    /// For others than the customer, too, or only.
    #[must_use]
    pub fn seen_by(self, visibility: Visibility) -> Self {
        Self { visibility, ..self }
    }

    /// Whom it happened to.
    #[must_use]
    pub fn customer(self, id: Uuid) -> Self {
        Self { customer_id: Some(id), ..self }
    }

    /// What it is about.
    #[must_use]
    pub fn about(self, kind: Kind, id: Uuid) -> Self {
        Self { subject: Some((kind, id)), ..self }
    }

    /// The number or name of what it is about.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// How many points it is about.
    #[must_use]
    pub fn points(self, points: i64) -> Self {
        Self { points: Some(points), ..self }
    }

    /// On which channel.
    #[must_use]
    pub fn channel(self, channel: impl Into<String>) -> Self {
        Self { channel: Some(channel.into()), ..self }
    }

    /// Why.
    #[must_use]
    pub fn because(self, reason: Option<String>) -> Self {
        Self { reason, ..self }
    }

    /// That a field changed; nothing if it did not.
    #[must_use]
    pub fn change<T: Display + PartialEq>(mut self, field: &'static str, before: Option<T>, after: Option<T>) -> Self {
        if before != after {
            let text = |value: Option<T>| value.map(|value| value.to_string());
            self.changes.push(Change { field, before: text(before), after: text(after) });
        }
        self
    }
}
