//! Rows of the audit log.

use async_graphql::ID;
use c360_rules::id::Kind;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::query::AuditFilter;
use crate::domains::customers::store::{customer_of, staff_member};
use crate::domains::timeline::store::of_kinds;
use crate::error::Fault;
use crate::events::{TimelineActorKind, TimelineDomain, TimelineEntryKind};
use crate::graphql::id::{self, any_id};
use crate::read::{Access, Find, Join, Order, Pieces, Relation, Root, RowType, Shape};
use crate::row;

row! {
    /// An event, with what the timeline does not show.
    pub struct AuditRow {
        customer_id: Option<Uuid> = "x.customer_id" for ["customer"],
        subject_id: Option<Uuid> = "x.subject_id" for ["subjectId"],
        staff_id: Option<Uuid> = "x.staff_id" for ["staff"],
        request_id: Option<Uuid> = "x.request_id" for ["requestId"],
        pii: bool = "{pii}" for ["label", "reason"],
        position: Option<i64> = "x.position" for ["position"],
        amount: Option<i64> = "x.amount" for ["amount"],
        points: Option<i64> = "x.points" for ["points"],
        written_kind: String = "x.kind" for ["kind"],
        domain: TimelineDomain = "x.domain" for ["domain"],
        subject_kind: Option<String> = "x.subject_kind" for ["subjectId"],
        label: Option<String> = "x.label" for ["label"],
        reason: Option<String> = "x.reason" for ["reason"],
        hidden_name: Option<String> = "{name}" for ["label", "reason"],
        currency: Option<String> = "x.currency" for ["amount"],
        channel: Option<String> = "x.channel" for ["channel"],
        actor_kind: TimelineActorKind = "x.actor_kind" for ["actorKind"],
        actor_id: Option<String> = "x.actor_id" for ["actorId"],
        source: String = "x.source" for ["source"],
        client_id: Option<String> = "x.client_id" for ["clientId"],
        occurred_at: DateTime<Utc> = "x.occurred_at" for ["occurredAt"],
        recorded_at: DateTime<Utc> = "x.recorded_at",
    }
}

row! {
    /// A value before and after.
    pub struct ChangeRow {
        pii: bool = "{pii}",
        field: String = "x.field",
        before: Option<String> = "x.before_value" for ["before"],
        after: Option<String> = "x.after_value" for ["after"],
        hidden_name: Option<String> = "{name}",
    }
}

impl AuditRow {
    /// What happened. The log may hold kinds that this version does not know.
    pub fn kind(&self) -> TimelineEntryKind {
        TimelineEntryKind::from_column(&self.written_kind).unwrap_or(TimelineEntryKind::Other)
    }
}

/// Events with the member of staff who did it: a token's subject stands in the log, not a row of the directory.
const EVENTS: &str = "(SELECT e.*, s.id AS staff_id FROM events e LEFT JOIN staff s \
    ON s.subject = e.actor_id AND e.actor_kind = 'STAFF')";
/// Values have no id of their own.
const VALUES: &str = "(SELECT v.event_id AS id, v.event_id, v.customer_id, v.field, v.before_value, v.after_value \
    FROM event_values v)";
/// Most changes of one event.
const MOST_CHANGES: u32 = 100;

/// Newest first, by when it was written.
pub const NEWEST: Order = Order::newest("recorded_at", "x.recorded_at");

/// The edges of this domain.
pub static RELATIONS: &[Relation] = &[
    customer_of("AuditEntry"),
    staff_member("AuditEntry", &["staff"], "staff_id"),
    Relation {
        on: "AuditEntry",
        fields: &["changes"],
        to: "AuditChange",
        table: VALUES,
        rows: RowType::of::<ChangeRow>(),
        join: Join::by("event_id"),
        shape: Shape::Few(MOST_CHANGES),
        order: Order::oldest("", "x.id"),
        only: "",
        filter: None,
        access: Access::Customer,
    },
];

/// The audit log, from where `find` says.
pub fn root(find: Find) -> Root {
    Root { to: "AuditEntry", table: EVENTS, rows: RowType::of::<AuditRow>(), access: Access::Customer, find }
}

/// What a filter means.
///
/// # Errors
/// `BAD_USER_INPUT` for an id that is none.
pub fn conditions(filter: AuditFilter) -> Result<Vec<Pieces>, Fault> {
    let customer = filter.customer_id.map(|given: ID| id::parse("filter.customerId", Kind::Customer, &given));
    let subject = filter.subject_id.map(|given: ID| any_id("filter.subjectId", &given)).transpose()?;
    let mut all = Vec::new();
    all.extend(customer.transpose()?.map(|id| Pieces::text("x.customer_id = ").value(id)));
    all.extend(filter.actor_kind.map(|kind| Pieces::text("x.actor_kind = ").value(kind.as_str())));
    all.extend(filter.actor_id.map(|actor| Pieces::text("x.actor_id = ").value(actor)));
    if let Some((kind, id)) = subject {
        all.push(Pieces::text("x.subject_id = ").value(id).and(" AND x.subject_kind = ").value(kind.prefix()));
    }
    all.extend(match filter.kind.unwrap_or_default().as_slice() {
        [] => None,
        // An index has one kind in the order of the list; for several, the list is gone through.
        [kind] if *kind != TimelineEntryKind::Other => Some(Pieces::text("x.kind = ").value(kind.as_str())),
        kinds => Some(of_kinds(kinds)),
    });
    all.extend(match filter.domain.unwrap_or_default().as_slice() {
        [] => None,
        [domain] => Some(Pieces::text("x.domain = ").value(domain.as_str())),
        domains => Some(Pieces::one_of_words("x.domain", domains.iter().map(|domain| domain.as_str()).collect())),
    });
    all.extend(filter.from.map(|from| Pieces::text("x.recorded_at >= ").value(from.0)));
    all.extend(filter.before.map(|before| Pieces::text("x.recorded_at < ").value(before.0)));
    Ok(all)
}
