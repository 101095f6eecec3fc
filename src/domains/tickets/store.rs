//! Rows of tickets and the edges between them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::object::TicketFilter;
use crate::auth::Domain;
use crate::choice;
use crate::domains::customers::store::staff_member;
use crate::domains::orders::store::{order_of, return_of};
use crate::domains::timeline::store::EventRow;
use crate::read::relation::filtered;
use crate::read::{Access, Find, Join, Order, PageArguments, Pieces, Relation, Root, RowType, Shape};
use crate::row;

choice! {
    /// How far a ticket has come.
    pub enum TicketStatus {
        /// Nobody has looked at it yet.
        New = "NEW",
        /// Staff work on it.
        Open = "OPEN",
        /// Waits for the customer.
        Pending = "PENDING",
        /// Waits for somebody else, such as a supplier.
        OnHold = "ON_HOLD",
        /// Solved; an answer of the customer opens it again.
        Solved = "SOLVED",
        /// Solved for good.
        Closed = "CLOSED",
    }
}

choice! {
    /// How urgent a ticket is.
    pub enum TicketPriority {
        /// It can wait.
        Low = "LOW",
        /// As usual.
        Normal = "NORMAL",
        /// Before the usual ones.
        High = "HIGH",
        /// Before all others.
        Urgent = "URGENT",
    }
}

choice! {
    /// What a ticket is about (as in Zendesk's ticket types).
    pub enum TicketType {
        /// Something to be answered.
        Question = "QUESTION",
        /// Something went wrong for this customer.
        Incident = "INCIDENT",
        /// The cause of several incidents.
        Problem = "PROBLEM",
        /// Something to be done.
        Task = "TASK",
    }
}

choice! {
    /// Where a ticket or a message was written.
    pub enum TicketChannel {
        /// E-mail.
        Email = "EMAIL",
        /// The phone.
        Phone = "PHONE",
        /// A chat.
        Chat = "CHAT",
        /// A form of the web shop.
        Web = "WEB",
        /// The mobile app.
        MobileApp = "MOBILE_APP",
        /// A social network.
        Social = "SOCIAL",
        /// A store.
        Pos = "POS",
        /// A partner's own channel.
        Partner = "PARTNER",
    }
}

choice! {
    /// What kind of author wrote a message.
    pub enum TicketAuthorKind {
        /// The customer.
        Customer = "CUSTOMER",
        /// A member of staff.
        Staff = "STAFF",
        /// A partner's system, on behalf of somebody.
        Partner = "PARTNER",
        /// The gateway itself.
        System = "SYSTEM",
    }
}

choice! {
    /// What a clock measures.
    pub enum SlaMetric {
        /// The time to the first reply by staff.
        FirstReply = "FIRST_REPLY",
        /// The time from a message of the customer to the next reply by staff.
        NextReply = "NEXT_REPLY",
        /// The time until the ticket is solved.
        Resolution = "RESOLUTION",
    }
}

choice! {
    /// How a clock stands.
    pub enum SlaClockStatus {
        /// It runs.
        Running = "RUNNING",
        /// It stands still while others are waited for.
        Paused = "PAUSED",
        /// The promise was kept.
        Met = "MET",
        /// The time has run out.
        Breached = "BREACHED",
    }
}

impl TicketStatus {
    /// Whether there is still something to do.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Solved | Self::Closed)
    }
}

row! {
    /// A ticket.
    pub struct TicketRow {
        customer_id: Uuid = "x.customer_id" for ["customer"],
        assignee_id: Option<Uuid> = "x.assignee_id" for ["assignee"],
        team_id: Option<Uuid> = "x.team_id" for ["team"],
        sla_policy_id: Option<Uuid> = "x.sla_policy_id" for ["slaPolicy"],
        merged_into_id: Option<Uuid> = "x.merged_into_id" for ["mergedInto"],
        pii: bool = "{pii}" for ["subject"],
        urgency: i64 = "-x.priority_rank",
        sla_breached: bool = "CAST(x.sla_breached AS integer)" for ["slaBreached"],
        version: i64 = "x.version" for ["version"],
        number: String = "x.number" for ["number"],
        status: TicketStatus = "x.status",
        priority: TicketPriority = "x.priority" for ["priority"],
        kind: TicketType = "x.kind" for ["type"],
        channel: TicketChannel = "x.channel" for ["channel"],
        source: String = "x.source" for ["source"],
        subject: String = "x.subject" for ["subject"],
        hidden_name: Option<String> = "{name}" for ["subject"],
        sla_due_at: Option<DateTime<Utc>> = "x.sla_due_at",
        escalated_at: Option<DateTime<Utc>> = "x.escalated_at" for ["escalatedAt"],
        first_replied_at: Option<DateTime<Utc>> = "x.first_replied_at" for ["firstRepliedAt"],
        solved_at: Option<DateTime<Utc>> = "x.solved_at" for ["solvedAt"],
        created_at: DateTime<Utc> = "x.created_at",
        updated_at: DateTime<Utc> = "x.updated_at",
    }
}

row! {
    /// A message or a note.
    pub struct MessageRow {
        staff_id: Option<Uuid> = "x.staff_id" for ["author"],
        pii: bool = "{pii}",
        author_kind: TicketAuthorKind = "x.author_kind",
        channel: TicketChannel = "x.channel" for ["channel"],
        body: String = "x.body",
        hidden_name: Option<String> = "{name}",
        created_at: DateTime<Utc> = "x.created_at",
    }
}

row! {
    /// A tag of a ticket.
    pub struct TicketTagRow { tag: String = "x.tag" }
}

row! {
    /// What a ticket is about.
    pub struct LinkRow {
        order_id: Option<Uuid> = "x.order_id",
        return_id: Option<Uuid> = "x.return_id",
    }
}

row! {
    /// A team.
    pub struct TeamRow {
        serves_vip: bool = "CAST(x.serves_vip AS integer)",
        name: String = "x.name",
    }
}

row! {
    /// A clock of a ticket.
    pub struct ClockRow {
        target_minutes: i32 = "x.target_minutes",
        metric: SlaMetric = "x.metric",
        status: SlaClockStatus = "x.status",
        started_at: DateTime<Utc> = "x.started_at",
        due_at: Option<DateTime<Utc>> = "x.due_at",
        stopped_at: Option<DateTime<Utc>> = "x.stopped_at",
        breached_at: Option<DateTime<Utc>> = "x.breached_at",
    }
}

row! {
    /// What customers are promised.
    pub struct SlaPolicyRow { name: String = "x.name" }
}

row! {
    /// A macro.
    pub struct MacroRow {
        name: String = "x.name",
        description: Option<String> = "x.description",
        actions: String = "CAST(x.actions AS text)" for ["actions"],
    }
}

/// Newest tickets first.
pub const NEWEST: Order = Order::newest("created_at", "x.created_at");
/// Oldest tickets first.
pub const OLDEST: Order = Order::oldest("created_at", "x.created_at");
/// Last changed tickets first.
pub const UPDATED: Order = Order::newest("updated_at", "x.updated_at");
/// Most urgent tickets first, and of these the oldest.
pub const URGENT: Order = Order::oldest("urgency", "-x.priority_rank");
/// Tickets that are due first, first.
pub const DUE: Order = Order::oldest("sla_due_at", "x.sla_due_at");

/// Tickets that are not solved, in the words of the partial indexes.
const OPEN: &str = "x.status IN ('NEW','OPEN','PENDING','ON_HOLD')";
const SOLVED: &str = "x.status IN ('SOLVED','CLOSED')";

/// A relation with the usual values; each edge says what is different.
const BASE: Relation = Relation {
    on: "Ticket",
    fields: &[],
    to: "",
    table: "",
    rows: RowType::of::<TicketRow>(),
    join: Join::by("ticket_id"),
    shape: Shape::Few(100),
    order: Order::oldest("", "x.id"),
    only: "",
    filter: None,
    access: Access::Parent,
};

/// Edges to a ticket look the same everywhere.
pub const fn ticket_of(on: &'static str) -> Relation {
    Relation {
        on,
        fields: &["ticket"],
        to: "Ticket",
        table: "tickets",
        join: Join::to("ticket_id"),
        shape: Shape::One,
        access: Access::Records(Domain::Tickets),
        ..BASE
    }
}

/// What is written on a ticket, for one kind of reader.
const fn written(fields: &'static [&'static str], only: &'static str) -> Relation {
    Relation {
        fields,
        to: "TicketMessage",
        table: "ticket_messages",
        rows: RowType::of::<MessageRow>(),
        shape: Shape::Page,
        order: NEWEST,
        only,
        ..BASE
    }
}

/// The edges of this domain.
pub static RELATIONS: &[Relation] = &[
    Relation {
        on: "Customer",
        fields: &["tickets"],
        to: "Ticket",
        table: "tickets",
        join: Join::by("customer_id"),
        shape: Shape::Page,
        order: NEWEST,
        filter: Some(|arguments| filtered(arguments, |filter| Ok(conditions(filter)))),
        access: Access::Records(Domain::Tickets),
        ..BASE
    },
    written(&["messages"], "x.visibility = 'PUBLIC'"),
    written(&["notes"], "x.visibility = 'INTERNAL'"),
    Relation {
        fields: &["tags"],
        to: "TicketTag",
        table: "(SELECT t.ticket_id AS id, t.* FROM ticket_tags t)",
        rows: RowType::of::<TicketTagRow>(),
        ..BASE
    },
    Relation { fields: &["links"], to: "TicketLink", table: "ticket_links", rows: RowType::of::<LinkRow>(), ..BASE },
    order_of("TicketLink"),
    return_of("TicketLink"),
    Relation { fields: &["mergedInto"], join: Join::to("merged_into_id"), ..ticket_of("Ticket") },
    Relation {
        fields: &["mergedTickets"],
        join: Join::by("merged_into_id"),
        shape: Shape::Few(100),
        order: NEWEST,
        ..ticket_of("Ticket")
    },
    Relation {
        fields: &["history"],
        to: "TimelineEntry",
        table: "events",
        rows: RowType::of::<EventRow>(),
        join: Join::by("subject_id"),
        shape: Shape::Page,
        order: Order::newest("occurred_at", "x.occurred_at"),
        only: "x.subject_kind = 'ticket'",
        access: Access::Timeline,
        ..BASE
    },
    staff_member("Ticket", &["assignee"], "assignee_id"),
    Relation {
        fields: &["team"],
        to: "Team",
        table: "teams",
        rows: RowType::of::<TeamRow>(),
        join: Join::to("team_id"),
        shape: Shape::One,
        ..BASE
    },
    Relation {
        fields: &["slaClocks"],
        to: "SlaClock",
        table: "sla_clocks",
        rows: RowType::of::<ClockRow>(),
        order: Order::newest("started_at", "x.started_at"),
        ..BASE
    },
    Relation {
        fields: &["slaPolicy"],
        to: "SlaPolicy",
        table: "sla_policies",
        rows: RowType::of::<SlaPolicyRow>(),
        join: Join::to("sla_policy_id"),
        shape: Shape::One,
        ..BASE
    },
    staff_member("TicketMessage", &["author"], "staff_id"),
];

/// The tickets that `find` points at.
pub fn root(find: Find) -> Root {
    Root {
        to: "Ticket",
        table: "tickets",
        rows: RowType::of::<TicketRow>(),
        access: Access::Records(Domain::Tickets),
        find,
    }
}

/// The message or the note of this id.
pub fn message(id: Uuid) -> Root {
    Root {
        to: "TicketMessage",
        table: "ticket_messages",
        rows: RowType::of::<MessageRow>(),
        access: Access::Records(Domain::Tickets),
        find: Find::Ids(vec![id]),
    }
}

/// A page of the macros that can be applied.
pub(super) fn active_macros(list: u64, page: PageArguments) -> Root {
    Root {
        to: "TicketMacro",
        table: "macros",
        rows: RowType::of::<MacroRow>(),
        access: Access::Parent,
        find: Find::Page { conditions: vec![Pieces::text("x.active")], order: Order::oldest("", "x.id"), list, page },
    }
}

/// By the number that the customer was told.
pub fn by_number(number: String) -> Find {
    Find::One(Pieces::text("SELECT t.id AS id FROM tickets t WHERE t.number = ").value(number))
}

fn conditions(filter: TicketFilter) -> Vec<Pieces> {
    let mut all = states(filter.is_open, filter.status, filter.priority);
    all.extend(filter.channel.map(|channel| Pieces::text("x.channel = ").value(channel.as_str())));
    all
}

/// Tickets by how far they have come and how urgent they are.
pub(super) fn states(
    is_open: Option<bool>,
    status: Option<Vec<TicketStatus>>,
    priority: Option<Vec<TicketPriority>>,
) -> Vec<Pieces> {
    let mut all = Vec::new();
    all.extend(is_open.map(|open| Pieces::text(if open { OPEN } else { SOLVED })));
    all.extend(status.map(|any| Pieces::one_of_words("x.status", any.into_iter().map(TicketStatus::as_str).collect())));
    all.extend(
        priority.map(|any| Pieces::one_of_words("x.priority", any.into_iter().map(TicketPriority::as_str).collect())),
    );
    all
}

/// Tickets of customers who are served first, or of all others.
pub(super) fn of_vip(vip: bool) -> Pieces {
    let not = if vip { "" } else { "NOT " };
    Pieces::text(format!("{not}EXISTS (SELECT 1 FROM customers v WHERE v.id = x.customer_id AND v.vip)"))
}

/// Tickets that have a member of staff, or that have none.
pub(super) fn unassigned(unassigned: bool) -> Pieces {
    Pieces::text(if unassigned { "x.assignee_id IS NULL" } else { "x.assignee_id IS NOT NULL" })
}

/// Tickets with a clock that has run out by `now`, or without.
pub(super) fn breached(breached: bool, now: DateTime<Utc>) -> Pieces {
    let not = if breached { "" } else { "NOT " };
    Pieces::text(format!("{not}(x.sla_breached OR ({OPEN} AND x.sla_due_at IS NOT NULL AND x.sla_due_at < "))
        .value(now)
        .and("))")
}
