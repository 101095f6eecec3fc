//! Rows of the timeline: the event log, as far as it is for reading.

use async_graphql::resolver_utils::EnumType as _;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Value as Parameter;
use uuid::Uuid;

use super::object::TimelineFilter;
use crate::error::Fault;
use crate::events::{TimelineActorKind, TimelineDomain, TimelineEntryKind};
use crate::read::relation::filtered;
use crate::read::{Access, Join, Order, Pieces, Relation, RowType, Shape};
use crate::row;

/// Most channels of a filter.
const MAX_CHANNELS: usize = 20;

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
pub(crate) fn of_kinds(kinds: &[TimelineEntryKind]) -> Pieces {
    let named = Pieces::one_of_words("x.kind", kinds.iter().map(|kind| kind.as_str()).collect());
    if !kinds.contains(&TimelineEntryKind::Other) {
        return named;
    }
    let known = TimelineEntryKind::items().iter().map(|item| item.value.as_str()).collect();
    Pieces::text("(").then(named).and(" OR NOT ").then(Pieces::one_of_words("x.kind", known)).and(")")
}
