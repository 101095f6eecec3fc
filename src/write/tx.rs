//! One transaction of the write path: what it has locked, what it will tell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use c360_entities::{event, event_value};
use c360_rules::id::Kind;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{
    DbBackend, DbErr, EntityTrait, FromQueryResult as _, IntoActiveModel, ModelTrait, QueryResult, QuerySelect as _,
    QueryTrait as _, Select, SelectTwo, Statement,
};
use tracing::Instrument as _;
use uuid::Uuid;

use super::queue::{Clash, MOST_ROWS, Queue, Write};
use super::{Outcome, Stop};
use crate::auth::{Actor, Caller, CustomerIdentity};
use crate::cache::lease;
use crate::cache::writes::{self, Telling, Touched};
use crate::clock;
use crate::db::{self, Trouble};
use crate::error::Fault;
use crate::events::{Event, TimelineActorKind};
use crate::metrics;
use crate::read::{Access, Sql};
use crate::scope::Scope;
use crate::state::State;
use crate::telemetry::trace;

/// Who makes the changes of a transaction.
#[derive(Clone, Debug)]
pub enum Author {
    /// Whoever sent the request.
    Caller(Scope),
    /// The gateway itself, by one of its jobs.
    Job(&'static str),
}

/// A customer whose changes nobody else makes until the transaction ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The customer.
    pub id: Uuid,
    /// Whether the customer is served first.
    pub vip: bool,
    /// What `expectedVersion` is compared with.
    pub version: i64,
}

/// A transaction in the making. When it is dropped, nothing of it remains.
pub struct Tx {
    state: Arc<State>,
    author: Author,
    transaction: db::Transaction,
    now: DateTime<Utc>,
    customers: BTreeMap<Uuid, Locked>,
    events: Vec<Event>,
    staff_id: Option<Option<Uuid>>,
    touched: Touched,
    queue: Queue,
}

impl Tx {
    pub(super) fn new(state: Arc<State>, author: Author, transaction: db::Transaction) -> Self {
        let now = state.clock.now();
        let (customers, events, touched, queue) = (BTreeMap::new(), Vec::new(), Touched::default(), Queue::default());
        Self { state, author, transaction, now, customers, events, staff_id: None, touched, queue }
    }

    /// The time of the transaction. Changes of one customer have times in the order in which they are committed.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// What all requests share.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Who asks; `None` when the gateway itself does it.
    pub fn caller(&self) -> Option<&Caller> {
        match &self.author {
            Author::Caller(scope) => Some(scope.caller()),
            Author::Job(_) => None,
        }
    }

    /// The source under which new rows stand: a partner's own, or the gateway's.
    pub fn source(&self) -> String {
        match self.caller().map(|caller| &caller.actor) {
            Some(Actor::Partner(partner)) => partner.source.clone(),
            _ => "c360".to_owned(),
        }
    }

    /// A new id, of the time of the transaction.
    pub fn new_id(&self) -> Uuid {
        clock::new_id(self.now)
    }

    /// An empty statement.
    pub fn sql(&self) -> Sql {
        Sql::new(self.backend())
    }

    /// In whose words statements are written.
    pub fn backend(&self) -> DbBackend {
        self.transaction.backend()
    }

    /// Ends a statement that reads rows which nobody else may change until the transaction ends: writers of SQLite
    /// are alone anyway.
    pub fn for_update(&self, sql: &mut Sql) {
        if sql.is_postgres() {
            sql.push(" FOR NO KEY UPDATE OF x");
        }
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rows(&mut self, sql: Sql) -> Outcome<Vec<QueryResult>> {
        self.query(sql.finish()).await
    }

    async fn query(&mut self, statement: Statement) -> Outcome<Vec<QueryResult>> {
        self.flush().await?;
        if !statement.sql.starts_with("SELECT ") {
            self.touched.statement(&statement.sql);
        }
        let (running, span) = (self.state.metrics.statement(self.pool()), trace::statement(self.backend()));
        let rows = self.transaction.rows(statement).instrument(span).await;
        let rows = rows.inspect_err(|error| running.failed(db::trouble(error).as_str())).map_err(stop)?;
        self.charge(rows.len() as u64);
        Ok(rows)
    }

    /// The pool in which a statement begins, which is counted.
    fn pool(&self) -> metrics::Pool {
        self.state.statements.fetch_add(1, Ordering::Relaxed);
        db::pool(&self.state.db, &self.state.config.database)
    }

    /// Counts rows on the caller's account.
    fn charge(&self, rows: u64) {
        if let Author::Caller(scope) = &self.author {
            scope.count(rows);
        }
    }

    /// The first row of a statement.
    ///
    /// # Errors
    /// The database fails.
    pub async fn row(&mut self, sql: Sql) -> Outcome<Option<QueryResult>> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// Runs a statement, and says how many rows it changed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn execute(&mut self, sql: Sql) -> Outcome<u64> {
        self.flush().await?;
        self.charge(1);
        self.run(sql.finish()).await
    }

    /// Runs a statement that changes nothing that an answer about a customer shows, and says how many rows it changed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn execute_unseen(&mut self, sql: Sql) -> Outcome<u64> {
        self.flush().await?;
        self.charge(1);
        let touched = self.touched.clone();
        let done = self.run(sql.finish()).await;
        self.touched = touched;
        done
    }

    async fn run(&mut self, statement: Statement) -> Outcome<u64> {
        self.touched.statement(&statement.sql);
        let (running, span) = (self.state.metrics.statement(self.pool()), trace::statement(self.backend()));
        let done = self.transaction.execute(statement).instrument(span).await;
        done.inspect_err(|error| running.failed(db::trouble(error).as_str())).map_err(stop)
    }

    /// Lets a write wait for others that can be sent with it.
    async fn later(&mut self, write: Write) -> Outcome<()> {
        if !self.queue.takes(&write) {
            self.flush().await?;
        }
        self.charge(1);
        self.queue.push(write);
        Ok(())
    }

    /// Drops what waits, when nothing will come of it.
    pub(super) fn forget(&mut self) {
        self.queue = Queue::default();
    }

    /// Sends what waits; how many rows its last write changed.
    async fn flush(&mut self) -> Outcome<u64> {
        let mut changed = 0;
        for statement in std::mem::take(&mut self.queue).statements(self.backend()) {
            changed = self.run(statement).await?;
        }
        Ok(changed)
    }

    /// Adds rows. Like everything that is written without asking what comes of it, they are sent with what is written
    /// next, and are there for whatever is read next.
    ///
    /// # Errors
    /// The database fails, or a constraint does not hold.
    pub async fn insert<M>(&mut self, models: impl IntoIterator<Item = M>) -> Outcome<()>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    {
        self.insert_many(models, Clash::Fail).await
    }

    /// Adds rows, or writes them over those with their keys.
    ///
    /// # Errors
    /// The database fails, or a constraint does not hold.
    pub async fn save<M>(&mut self, models: impl IntoIterator<Item = M>) -> Outcome<()>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    {
        self.insert_many(models, Clash::Replace).await
    }

    async fn insert_many<M>(&mut self, models: impl IntoIterator<Item = M>, clash: Clash) -> Outcome<()>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    {
        let mut models = models.into_iter();
        loop {
            let some: Vec<_> = models.by_ref().take(MOST_ROWS).collect();
            if some.is_empty() {
                return Ok(());
            }
            self.later(Write::insert(some, clash)).await?;
        }
    }

    /// Adds a row unless one with the same name is there, whatever unique constraint says so.
    ///
    /// # Errors
    /// The database fails, or another constraint does not hold.
    pub async fn insert_new<M>(&mut self, model: M) -> Outcome<bool>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    {
        self.later(Write::insert(vec![model], Clash::Keep)).await?;
        Ok(self.flush().await? == 1)
    }

    /// Writes a row over the one with its key.
    ///
    /// # Errors
    /// The database fails, or a constraint does not hold.
    pub async fn put<M>(&mut self, model: M) -> Outcome<()>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    {
        self.later(Write::put(model).map_err(stop)?).await
    }

    /// Changes columns of the row with a key.
    ///
    /// # Errors
    /// The database fails, or a constraint does not hold.
    pub async fn set(
        &mut self,
        table: &'static str,
        key: (&'static str, Uuid),
        values: impl IntoIterator<Item = (&'static str, SimpleExpr)>,
    ) -> Outcome<()> {
        self.later(Write::set(table, key, values)).await
    }

    /// The rows of a table that a query selects.
    ///
    /// # Errors
    /// The database fails.
    pub async fn all<E: EntityTrait>(&mut self, select: Select<E>) -> Outcome<Vec<E::Model>> {
        let rows = self.query(select.build(self.backend())).await?;
        rows.iter().map(|row| E::Model::from_query_result(row, "").map_err(stop)).collect()
    }

    /// The first row of a table that a query selects.
    ///
    /// # Errors
    /// The database fails.
    pub async fn one<E: EntityTrait>(&mut self, select: Select<E>) -> Outcome<Option<E::Model>> {
        Ok(self.all(select.limit(1)).await?.pop())
    }

    /// The rows of a query over two tables: of the first, and what the second has for each.
    ///
    /// # Errors
    /// The database fails.
    pub async fn pairs<E: EntityTrait, F: EntityTrait>(
        &mut self,
        select: SelectTwo<E, F>,
    ) -> Outcome<Vec<(E::Model, Option<F::Model>)>> {
        let rows = self.query(select.build(self.backend())).await?;
        let pair =
            |row| Ok((E::Model::from_query_result(row, "A_")?, F::Model::from_query_result_optional(row, "B_")?));
        rows.iter().map(|row| pair(row).map_err(stop)).collect()
    }

    /// Conditions over the table `x` that keep out what the caller may not know of.
    pub fn conditions(&self, access: Access, sql: &mut Sql) -> String {
        match &self.author {
            Author::Caller(scope) => {
                scope.row_conditions(access, sql).iter().map(|condition| format!(" AND {condition}")).collect()
            }
            Author::Job(_) => String::new(),
        }
    }

    /// Locks a customer: all that is read and written of it afterwards is of one moment. Every action that changes
    /// anything of a customer begins with this; of several customers, the one with the smallest id goes first.
    /// `None` if there is no such customer in use that the caller may know of.
    ///
    /// # Errors
    /// The database fails.
    pub async fn lock_customer(&mut self, id: Uuid) -> Outcome<Option<Locked>> {
        if let Some(locked) = self.customers.get(&id) {
            return Ok(Some(locked.clone()));
        }
        let which = |_: &Self, sql: &mut Sql| {
            sql.bind(id);
            Ok(())
        };
        Ok(self.lock("x.id = ", which, "").await?.pop())
    }

    /// Locks the customers whose ids a statement finds: see [`Tx::lock_customer`]. They are at most two, of which the
    /// second only shows that it is not clear who is meant.
    ///
    /// # Errors
    /// Those of `find`; the database fails.
    pub async fn lock_found(&mut self, find: impl FnOnce(&Self, &mut Sql) -> Outcome<()>) -> Outcome<Vec<Locked>> {
        self.lock("x.id IN (SELECT * FROM (", find, " LIMIT 2) found)").await
    }

    async fn lock(
        &mut self,
        before: &str,
        which: impl FnOnce(&Self, &mut Sql) -> Outcome<()>,
        after: &str,
    ) -> Outcome<Vec<Locked>> {
        let mut sql = self.sql();
        sql.push("SELECT x.id, CAST(x.vip AS integer) AS vip, x.version, x.event_clock");
        // Who asks is of interest to most of what changes a customer.
        let staff = self.caller().filter(|caller| caller.is_staff()).map(|caller| caller.subject.clone());
        if let Some(subject) = &staff {
            sql.push(", (SELECT s.id FROM staff s WHERE s.subject = ");
            sql.bind(subject.clone());
            sql.push(") AS staff_id");
        }
        sql.push(" FROM customers x WHERE ");
        sql.push(before);
        which(self, &mut sql)?;
        sql.push(after);
        let conditions = self.conditions(Access::Itself, &mut sql);
        sql.push(&format!("{conditions} AND x.status = 'ACTIVE' ORDER BY x.id"));
        self.for_update(&mut sql);
        let mut found = Vec::new();
        for row in self.rows(sql).await? {
            let (id, vip): (Uuid, i32) = (get(&row, "id")?, get(&row, "vip")?);
            let last: i64 = get(&row, "event_clock")?;
            if staff.is_some() {
                self.staff_id = Some(get(&row, "staff_id")?);
            }
            // Whoever held the lock before may have had a clock that was ahead.
            let after = DateTime::from_timestamp_micros(last.saturating_add(1)).unwrap_or(self.now);
            self.now = self.state.clock.now().max(self.now).max(after);
            let locked = Locked { id, vip: vip != 0, version: get(&row, "version")? };
            found.push(self.customers.entry(id).or_insert(locked).clone());
        }
        Ok(found)
    }

    /// The member of staff who asks, as far as the directory has them.
    ///
    /// # Errors
    /// The database fails.
    pub async fn staff_id(&mut self) -> Outcome<Option<Uuid>> {
        if let Some(known) = self.staff_id {
            return Ok(known);
        }
        let subject = self.caller().filter(|caller| caller.is_staff()).map(|caller| caller.subject.clone());
        let found = match subject {
            Some(subject) => {
                let mut sql = self.sql();
                sql.push("SELECT id FROM staff WHERE subject = ");
                sql.bind(subject);
                self.row(sql).await?.map(|row| get(&row, "id")).transpose()?
            }
            None => None,
        };
        self.staff_id = Some(found);
        Ok(found)
    }

    /// Whether `holder` leads a job; then nobody else does until the transaction ends.
    ///
    /// # Errors
    /// The database fails.
    pub async fn leads(&mut self, job: &str, holder: &str) -> Outcome<bool> {
        let mut sql = self.sql();
        // A process that is stopped with the lease locked must not keep others from it for long.
        sql.push(match sql.is_postgres() {
            true => "SELECT set_config('idle_in_transaction_session_timeout', '4000', true) FROM job_leases x WHERE x.name = ",
            false => "SELECT x.name FROM job_leases x WHERE x.name = ",
        });
        sql.bind(job);
        sql.push(" AND x.holder = ");
        sql.bind(holder);
        sql.push(&format!(" AND x.leased_until > {}", db::clock(sql.backend, 0)));
        self.for_update(&mut sql);
        Ok(self.row(sql).await?.is_some())
    }

    /// Notes what happened. It is written when all else is.
    pub fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Writes the events, and a last row that nobody may have written before; tells all gateways what changes; then makes
    /// everything durable. Whether there were events. If not all gateways can be told, nothing is changed, and it is to be
    /// tried again.
    pub(super) async fn commit(mut self, last: Option<Write>) -> Outcome<bool> {
        let tells = !self.events.is_empty();
        self.write_events().await?;
        if let Some(last) = last {
            self.later(last).await?;
            if self.flush().await? != 1 {
                return Err(Stop::Again);
            }
        }
        self.flush().await?;
        let customers: Vec<Uuid> = self.customers.keys().copied().collect();
        let telling =
            writes::tell(&self.state, &mut self.transaction, &self.touched, &customers).await.map_err(stop)?;
        let told = match telling {
            Telling::Told(told) => told,
            Telling::Unheard(serving) => {
                drop(self.transaction);
                let (settings, db) = (&self.state.config.database, &self.state.db);
                let closing = lease::close(db, &serving, lease::CLOSED);
                db::in_time_and(settings, lease::TERM, closing).await.map_err(stop)?;
                return Err(Stop::Again);
            }
        };
        self.transaction.commit().await.map_err(stop)?;
        told.settle(&self.state).await.map_err(stop)?;
        Ok(tells)
    }

    async fn write_events(&mut self) -> Outcome<()> {
        let events = std::mem::take(&mut self.events);
        let (mut rows, mut values) = (Vec::with_capacity(events.len()), Vec::new());
        let mut last = BTreeMap::new();
        for (place, event) in (0..).zip(&events) {
            let recorded_at = self.now + TimeDelta::microseconds(place);
            if let Some(id) = event.customer_id {
                if !self.customers.contains_key(&id) {
                    tracing::error!(kind = event.kind.as_str(), "an event of a customer that was not locked");
                    return Err(Fault::internal().into());
                }
                last.insert(id, recorded_at.timestamp_micros());
            }
            let row = self.row_of(event, recorded_at);
            values.extend(event.changes.iter().map(|change| event_value::Model {
                event_id: row.id,
                customer_id: event.customer_id,
                field: change.field.to_owned(),
                before_value: change.before.clone(),
                after_value: change.after.clone(),
            }));
            rows.push(row);
        }
        self.insert(rows).await?;
        self.insert(values).await?;
        for (id, clock) in last {
            self.set("customers", ("id", id), [("event_clock", clock.into())]).await?;
        }
        Ok(())
    }

    fn row_of(&self, event: &Event, recorded_at: DateTime<Utc>) -> event::Model {
        let (actor_kind, actor_id) = self.actor();
        let scope = match &self.author {
            Author::Caller(scope) => Some(scope),
            Author::Job(_) => None,
        };
        event::Model {
            id: clock::new_id(recorded_at),
            customer_id: event.customer_id,
            kind: event.kind.as_str().to_owned(),
            domain: event.domain.as_str().to_owned(),
            visibility: event.visibility.as_str().to_owned(),
            subject_kind: event.subject.map(|(kind, _): (Kind, Uuid)| kind.prefix().to_owned()),
            subject_id: event.subject.map(|(_, id)| id),
            label: event.label.clone(),
            amount: event.amount.as_ref().map(|(minor, _)| *minor),
            currency: event.amount.as_ref().map(|(_, currency)| currency.clone()),
            points: event.points,
            channel: event.channel.clone(),
            actor_kind: actor_kind.as_str().to_owned(),
            actor_id: Some(actor_id),
            source: self.source(),
            reason: event.reason.clone(),
            occurred_at: recorded_at,
            recorded_at,
            position: None,
            hash: None,
            client_id: scope.map(|scope| scope.caller().client_id.clone()),
            request_id: scope.and_then(Scope::request_id),
        }
    }

    fn actor(&self) -> (TimelineActorKind, String) {
        match &self.author {
            Author::Job(job) => (TimelineActorKind::System, (*job).to_owned()),
            Author::Caller(scope) => match &scope.caller().actor {
                Actor::Staff(_) => (TimelineActorKind::Staff, scope.caller().subject.clone()),
                Actor::Partner(_) => (TimelineActorKind::Partner, scope.caller().client_id.clone()),
                Actor::Customer(CustomerIdentity::Id(id)) => (TimelineActorKind::Customer, id.to_string()),
                Actor::Customer(CustomerIdentity::External { subject, .. }) => {
                    (TimelineActorKind::Customer, subject.clone())
                }
            },
        }
    }
}

/// A value of a row that was read by its column's name.
///
/// # Errors
/// The column holds something else.
pub(crate) fn get<T: sea_orm::TryGetable>(row: &QueryResult, column: &str) -> Outcome<T> {
    row.try_get("", column).map_err(stop)
}

/// What a failure of the database means for an action.
pub(super) fn stop(error: DbErr) -> Stop {
    match db::trouble(&error) {
        Trouble::Clash => Stop::Again,
        _ => Stop::Fault(error.into()),
    }
}
