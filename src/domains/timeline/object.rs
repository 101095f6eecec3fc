//! GraphQL types of the timeline, and this domain's part of `Customer`.

use async_graphql::{Context, ID, InputObject, Object, Result};
use c360_rules::id::Kind;

use super::store::EventRow;
use crate::domains::customers::store::CustomerRow;
use crate::events::{TimelineActorKind, TimelineDomain, TimelineEntryKind};
use crate::graphql::{DateTime, Money, free_text, gid, int};
use crate::objects;
use crate::read::{Connection, Eager, Handle, PageArguments};

objects! {
    /// Something that happened.
    TimelineEntry(EventRow);
}

/// The timeline of a customer.
#[derive(Clone, Debug)]
pub struct CustomerTimeline(pub(crate) Handle<CustomerRow>);

/// Timeline of a customer.
#[Object]
impl CustomerTimeline {
    /// Everything that happened with the customer, on every channel, newest first, as far as you may know of it.
    async fn timeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only entries that meet all of these.", name = "filter")] _filter: Option<TimelineFilter>,
    ) -> Result<Option<Connection<TimelineEntry>>> {
        Ok(Some(self.0.page::<EventRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }
}

/// Which entries of a timeline.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TimelineFilter {
    /// Of one of these kinds; of all if left out or empty.
    pub kind: Option<Vec<TimelineEntryKind>>,
    /// About one of these parts of the business; about all if left out or empty.
    pub domain: Option<Vec<TimelineDomain>>,
    /// On one of these channels, such as `POS` or `EMAIL`, at most 20; on all and on none if left out or empty.
    pub channel: Option<Vec<String>>,
    /// At this time or later.
    pub from: Option<DateTime>,
    /// Before this time.
    pub before: Option<DateTime>,
}

/// Something that happened with a customer.
#[Object]
impl TimelineEntry {
    /// The id of the event.
    async fn id(&self) -> ID {
        gid(Kind::Event, self.0.id)
    }

    /// What happened.
    async fn kind(&self) -> TimelineEntryKind {
        self.0.kind()
    }

    /// Which part of the business it is about.
    async fn domain(&self) -> TimelineDomain {
        self.0.domain
    }

    /// When.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// On which channel, such as `POS` or `EMAIL`; null where there is none.
    async fn channel(&self) -> Option<&str> {
        self.0.channel.as_deref()
    }

    /// The number or name of what it is about, such as an order's number. Masked without `pii:read`.
    async fn label(&self) -> Option<String> {
        let row = &self.0;
        let label = row.label.as_deref()?;
        // Numbers that say nothing about the person stay whole.
        let is_number = matches!(
            self.subject_kind(),
            Some(Kind::Order | Kind::Return | Kind::Refund | Kind::Fulfillment | Kind::Ticket)
        );
        Some(free_text(label, row.pii || is_number, row.hidden_name.as_deref()))
    }

    /// The amount of money that it is about.
    async fn amount(&self) -> Option<Eager<Money>> {
        Some(Eager::of(Money::new(self.0.amount?, self.0.currency.as_deref()?)))
    }

    /// The points that it is about; negative for points that went away.
    async fn points(&self) -> Option<i32> {
        self.0.points.map(int)
    }

    /// Who did it.
    async fn actor_kind(&self) -> TimelineActorKind {
        self.0.actor_kind
    }

    /// Why. Staff only.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The id of what it is about, such as an order or a ticket.
    async fn subject_id(&self) -> Option<ID> {
        Some(gid(self.subject_kind()?, self.0.subject_id?))
    }
}

impl TimelineEntry {
    fn subject_kind(&self) -> Option<Kind> {
        Kind::from_prefix(self.0.subject_kind.as_deref()?)
    }
}
