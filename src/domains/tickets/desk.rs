//! A ticket on the desk: read with its clocks while its customer is locked, worked on by the rules, put back.

use c360_entities::{sla_clock, staff, team, ticket, ticket_message};
use c360_rules::id::Kind;
use c360_rules::ticket::{Action, Clocks, Refusal as Denial, Status};
use sea_orm::{ColumnTrait as _, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use uuid::Uuid;

use super::books::clock;
use super::service::Service;
use super::store::{TicketAuthorKind, TicketChannel, TicketPriority, TicketStatus};
use super::words::read;
use crate::auth::Domain;
use crate::events::{Event, TimelineDomain, TimelineEntryKind, Visibility};
use crate::read::{Access, Sql};
use crate::write::{Outcome, Problem, Refusal, Tx, get};

/// A ticket whose customer is locked.
#[derive(Debug)]
pub(super) struct Desk {
    /// The ticket as it will be; [`Desk::save`] writes it.
    pub(super) row: ticket::Model,
    /// The ticket as it is stored.
    pub(super) before: ticket::Model,
    pub(super) clocks: Clocks,
    /// The clocks as they are stored, the first of `clocks`.
    pub(super) stored: Vec<sla_clock::Model>,
    service: Option<Service>,
}

/// What somebody writes on a ticket.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) author: TicketAuthorKind,
    pub(super) is_internal: bool,
    pub(super) channel: TicketChannel,
    pub(super) body: String,
    /// What the message is called at its source.
    pub(super) external_id: Option<String>,
}

/// The customer of a ticket that the caller may know of; nobody is locked yet.
///
/// # Errors
/// `NOT_FOUND`.
pub(super) async fn customer_of(tx: &mut Tx, id: Uuid, field: &'static str) -> Outcome<Uuid> {
    let mut sql = tx.sql();
    owner(tx, id, &mut sql);
    let row = tx.row(sql).await?.ok_or_else(|| Refusal::not_found(field))?;
    get(&row, "customer_id")
}

/// Writes a statement of the customer of a ticket that the caller may know of.
fn owner(tx: &Tx, id: Uuid, sql: &mut Sql) {
    sql.push("SELECT x.customer_id FROM tickets x WHERE x.id = ");
    sql.bind(id);
    let conditions = tx.conditions(Access::Records(Domain::Tickets), sql);
    sql.push(&conditions);
}

impl Desk {
    /// A ticket that the caller may know of, in the version that the caller knows.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`.
    pub(super) async fn open(tx: &mut Tx, id: Uuid, field: &'static str, expected: Option<i32>) -> Outcome<Self> {
        let found = |tx: &Tx, sql: &mut Sql| {
            owner(tx, id, sql);
            Ok(())
        };
        let customer = tx.lock_found(found).await?.pop().ok_or_else(|| Refusal::not_found(field))?;
        let desk = Self::find(tx, id).await?.filter(|desk| desk.row.customer_id == customer.id);
        let desk = desk.ok_or_else(|| Refusal::not_found(field))?;
        Refusal::unless_current(expected, desk.row.version)?;
        Ok(desk)
    }

    /// A ticket of a locked customer.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn find(tx: &mut Tx, id: Uuid) -> Outcome<Option<Self>> {
        let clocks = ticket::Entity::belongs_to(sla_clock::Entity)
            .from(ticket::Column::Id)
            .to(sla_clock::Column::TicketId)
            .into();
        let found = ticket::Entity::find_by_id(id)
            .select_also(sla_clock::Entity)
            .join(JoinType::LeftJoin, clocks)
            .order_by_asc(sla_clock::Column::StartedAt)
            .order_by_asc(sla_clock::Column::Id);
        let (mut tickets, mut stored) = (Vec::new(), Vec::new());
        for (row, clock) in tx.pairs(found).await? {
            tickets.push(row);
            stored.extend(clock);
        }
        let Some(row) = tickets.pop() else { return Ok(None) };
        let clocks = Clocks(stored.iter().map(clock).collect::<Outcome<_>>()?);
        Ok(Some(Self { before: row.clone(), row, clocks, stored, service: None }))
    }

    /// A ticket that has just been made, whose clocks begin to run.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn new(tx: &mut Tx, row: ticket::Model) -> Outcome<Self> {
        let service = Service::of(tx, row.sla_policy_id).await?;
        let promise = service.promise(read(TicketPriority::from_column(&row.priority))?);
        let clocks = Clocks::start(&promise, tx.now(), &service.calendar);
        Ok(Self { before: row.clone(), row, clocks, stored: Vec::new(), service: Some(service) })
    }

    /// How far it has come.
    ///
    /// # Errors
    /// The database holds a word that there is not.
    pub(super) fn status(&self) -> Outcome<Status> {
        read(TicketStatus::from_column(&self.row.status)).map(Into::into)
    }

    /// How urgent it is.
    ///
    /// # Errors
    /// The database holds a word that there is not.
    pub(super) fn priority(&self) -> Outcome<TicketPriority> {
        read(TicketPriority::from_column(&self.row.priority))
    }

    /// Where it was made.
    ///
    /// # Errors
    /// The database holds a word that there is not.
    pub(super) fn channel(&self) -> Outcome<TicketChannel> {
        read(TicketChannel::from_column(&self.row.channel))
    }

    /// Does something to the ticket: its status and its clocks follow.
    ///
    /// # Errors
    /// `TICKET_CLOSED`, `TICKET_SOLVED`, `TICKET_NOT_SOLVED`.
    pub(super) async fn act(&mut self, tx: &mut Tx, action: Action) -> Outcome<()> {
        let before = self.status()?;
        let status = match before.after(action) {
            Ok(status) => status,
            Err(denial) => return Err(self.refusal(tx, denial).await?.into()),
        };
        if action == Action::Amend {
            return Ok(());
        }
        self.row.status = TicketStatus::from(status).as_str().to_owned();
        if status.is_open() {
            self.row.solved_at = None;
        } else {
            self.row.solved_at.get_or_insert(tx.now());
        }
        if action == Action::Reply {
            self.row.first_replied_at.get_or_insert(tx.now());
        }
        if !before.is_open() && status.is_open() && action == Action::HearCustomer {
            tx.tell(self.event(TimelineEntryKind::TicketReopened));
        }
        let priority = self.priority()?;
        self.serve(tx).await?;
        let Some(service) = &self.service else { return Ok(()) };
        self.clocks.after(action, status, &service.promise(priority), tx.now(), &service.calendar);
        Ok(())
    }

    /// Gives it another priority: what was promised changes with it.
    ///
    /// # Errors
    /// `TICKET_CLOSED`.
    pub(super) async fn prioritise(&mut self, tx: &mut Tx, priority: TicketPriority) -> Outcome<()> {
        self.act(tx, Action::Amend).await?;
        self.row.priority = priority.as_str().to_owned();
        self.row.priority_rank = priority.rank();
        self.serve(tx).await?;
        let Some(service) = &self.service else { return Ok(()) };
        self.clocks.promise(&service.promise(priority), tx.now(), &service.calendar);
        Ok(())
    }

    /// Hands it to a member of staff who works here, or to nobody.
    ///
    /// # Errors
    /// `TICKET_CLOSED`, `NOT_FOUND`.
    pub(super) async fn assign(&mut self, tx: &mut Tx, assignee_id: Option<Uuid>) -> Outcome<()> {
        if let Some(id) = assignee_id {
            let active = staff::Entity::find_by_id(id).filter(staff::Column::Active.eq(true));
            tx.one(active).await?.ok_or_else(|| Refusal::not_found("assigneeId"))?;
        }
        let action = if assignee_id.is_some() { Action::Assign } else { Action::Amend };
        self.act(tx, action).await?;
        self.row.assignee_id = assignee_id;
        Ok(())
    }

    /// Hands it to a team, or to none.
    ///
    /// # Errors
    /// `TICKET_CLOSED`, `NOT_FOUND`.
    pub(super) async fn hand_over(&mut self, tx: &mut Tx, team_id: Option<Uuid>) -> Outcome<()> {
        if let Some(id) = team_id {
            tx.one(team::Entity::find_by_id(id)).await?.ok_or_else(|| Refusal::not_found("teamId"))?;
        }
        self.act(tx, Action::Amend).await?;
        self.row.team_id = team_id;
        Ok(())
    }

    /// Whether nothing came of what was asked for.
    pub(super) fn is_unchanged(&self) -> bool {
        self.row == self.before
    }

    /// Records what is overdue; how many clocks that is.
    pub(super) fn breach(&mut self, tx: &Tx) -> usize {
        self.clocks.0.iter_mut().map(|clock| usize::from(clock.breach(tx.now()))).sum()
    }

    /// Writes something down on it. The status is another matter: see [`Desk::act`].
    ///
    /// # Errors
    /// `EXTERNAL_ID_REUSED`.
    pub(super) async fn write(&mut self, tx: &mut Tx, words: Words) -> Outcome<Uuid> {
        let id = tx.new_id();
        let staff_id = if words.author == TicketAuthorKind::Staff { tx.staff_id().await? } else { None };
        let message = ticket_message::Model {
            id,
            ticket_id: self.row.id,
            customer_id: self.row.customer_id,
            visibility: if words.is_internal { "INTERNAL" } else { "PUBLIC" }.to_owned(),
            author_kind: words.author.as_str().to_owned(),
            staff_id,
            channel: words.channel.as_str().to_owned(),
            body: words.body,
            source: tx.source(),
            external_id: words.external_id,
            created_at: tx.now(),
        };
        if !tx.insert_new(message).await? {
            return Err(Problem::ExternalIdReused.at("externalId", "this id was used for another message").into());
        }
        Ok(id)
    }

    /// An event about it that the customer may see.
    pub(super) fn event(&self, kind: TimelineEntryKind) -> Event {
        Event::of(kind, TimelineDomain::Tickets)
            .customer(self.row.customer_id)
            .about(Kind::Ticket, self.row.id)
            .label(self.row.number.clone())
    }

    /// An event about it for staff.
    pub(super) fn staff_event(&self, kind: TimelineEntryKind) -> Event {
        self.event(kind).seen_by(Visibility::Staff)
    }

    /// Reads what is promised, unless it was read before.
    async fn serve(&mut self, tx: &mut Tx) -> Outcome<()> {
        if self.service.is_none() {
            self.service = Some(Service::of(tx, self.row.sla_policy_id).await?);
        }
        Ok(())
    }

    /// Why the rules do not allow something, in the words of the mutations.
    async fn refusal(&self, tx: &mut Tx, denial: Denial) -> Outcome<Refusal> {
        let target = match self.row.merged_into_id {
            Some(id) => tx.one(ticket::Entity::find_by_id(id)).await?,
            None => None,
        };
        Ok(match (denial, target) {
            (Denial::Closed, Some(target)) => {
                Problem::TicketClosed.at("ticketId", format!("the ticket goes on as {}", target.number))
            }
            (Denial::Closed, None) => Problem::TicketClosed.at("ticketId", "the ticket is closed: open another one"),
            (Denial::Solved, _) => Problem::TicketSolved.at("ticketId", "the ticket is solved: reopen it first"),
            (Denial::NotSolved, _) => Problem::TicketNotSolved.at("ticketId", "the ticket is not solved"),
        })
    }
}
