//! Who asks, and through which connection: stores take nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use c360_rules::access::Scope as Grant;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{DbBackend, DbErr, QueryResult};
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::admission::Place;
use crate::auth::{Actor, Caller, CustomerIdentity, Domain, Reach};
use crate::cache::reads::{Basis, Ground, Reads, Reason};
use crate::db::Query;
use crate::error::Fault;
use crate::read::plan::Relations;
use crate::read::{Access, Pieces, Sql, batch};
use crate::state::State;
use crate::telemetry::trace;

/// One caller's view of the data, for one request.
#[derive(Clone, Debug)]
pub struct Scope(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Arc<State>,
    caller: Arc<Caller>,
    request_id: Option<Uuid>,
    now: DateTime<Utc>,
    until: Instant,
    rows: AtomicU64,
    /// What the answer rests on, where that is noted.
    reads: Option<Reads>,
    /// Held by whatever goes on for the request, also when its client has left.
    _place: Place,
}

impl Scope {
    /// The scope of a request, by the name that it has in the log. Its time to be answered begins now. `reads` is there if
    /// the answer may be kept: what it rests on is noted.
    pub fn new(
        state: Arc<State>,
        caller: Arc<Caller>,
        request_id: Option<Uuid>,
        place: Place,
        reads: Option<Reads>,
    ) -> Self {
        let now = state.clock.now();
        let until = Instant::now() + Duration::from_millis(state.config.limits.deadline_ms);
        Self(Arc::new(Inner { state, caller, request_id, now, until, rows: AtomicU64::new(0), reads, _place: place }))
    }

    /// What the answer rests on or why it cannot be kept, where that is noted.
    pub fn basis(&self) -> Option<Result<Basis, Reason>> {
        self.0.reads.as_ref().map(Reads::basis)
    }

    /// What the answer rests on, as far as it is noted.
    pub(crate) fn reads(&self) -> Option<&Reads> {
        self.0.reads.as_ref()
    }

    /// The ground for a statement that looks for a customer, where it is noted what the answer rests on.
    pub(crate) async fn ground(&self, customer: Option<Uuid>) -> Option<Ground> {
        let _noted = self.0.reads.as_ref()?;
        self.0.state.cache.ground(&self.0.state, customer).await
    }

    /// What all requests share.
    pub(crate) fn state(&self) -> &Arc<State> {
        &self.0.state
    }

    /// The request's name in the log.
    pub fn request_id(&self) -> Option<Uuid> {
        self.0.request_id
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// The time of the request; every answer of it is of this moment. What shows it is good for this moment only: ask
    /// whether an instant is [reached](Self::reached) where that is enough.
    pub fn now(&self) -> DateTime<Utc> {
        if let Some(reads) = &self.0.reads {
            reads.refuse(Reason::Clock);
        }
        self.0.now
    }

    /// Whether it is `at` or later. An answer that depends on it is another one from then on.
    pub fn reached(&self, at: DateTime<Utc>) -> bool {
        let reached = at <= self.0.now;
        if let (false, Some(reads)) = (reached, &self.0.reads) {
            reads.until(at);
        }
        reached
    }

    /// Whether it is later than `at`, as [`reached`](Self::reached).
    pub fn passed(&self, at: DateTime<Utc>) -> bool {
        self.reached(at + TimeDelta::microseconds(1))
    }

    /// How many whole days have passed since `at`, as [`reached`](Self::reached).
    pub fn days_since(&self, at: DateTime<Utc>) -> i64 {
        let days = (self.0.now - at).num_days();
        if at <= self.0.now {
            self.reached(at + TimeDelta::days(days + 1));
        } else {
            // The days until then are counted down: the last of them ends after a whole day before it.
            self.passed(at + TimeDelta::days(days));
        }
        days
    }

    /// When the request is answered with `TIMEOUT`, if it was not before.
    pub(crate) fn until(&self) -> Instant {
        self.0.until
    }

    /// Regions for phone numbers without a country code.
    pub fn phone_regions(&self) -> &[String] {
        &self.0.state.config.retailer.phone_regions
    }

    /// In whose words statements are written.
    pub fn backend(&self) -> DbBackend {
        self.0.state.db.get_database_backend()
    }

    /// Whether a customer asks.
    pub(crate) fn is_customer(&self) -> bool {
        matches!(self.caller().actor, Actor::Customer(_))
    }

    /// Whether the caller may know of the customer of this id: a customer of itself alone.
    pub(crate) fn may_name(&self, customer: Uuid) -> bool {
        match &self.caller().actor {
            Actor::Customer(identity) => *identity == CustomerIdentity::Id(customer),
            Actor::Staff(_) | Actor::Partner(_) => true,
        }
    }

    pub(crate) fn relations(&self) -> &Relations {
        &self.0.state.relations
    }

    /// How many rows have been read so far, and one for each statement.
    pub fn rows_read(&self) -> u64 {
        self.0.rows.load(Ordering::Relaxed)
    }

    /// Counts rows that were read or written on behalf of the caller.
    pub(crate) fn count(&self, rows: u64) {
        self.0.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// The rows of a statement. An answer that shows them is not kept.
    pub(crate) async fn rows(&self, query: impl Into<Query>) -> Result<Vec<QueryResult>, Fault> {
        if let Some(reads) = &self.0.reads {
            reads.refuse(Reason::Source);
        }
        self.run(query.into()).await
    }

    /// The rows of a statement whose reader notes what they rest on.
    pub(crate) async fn run(&self, query: Query) -> Result<Vec<QueryResult>, Fault> {
        self.counted(self.0.state.read(query)).await
    }

    /// The rows of a statement that takes ids, for one of them.
    pub(crate) async fn run_for(&self, query: &Query, id: Uuid) -> Result<Vec<QueryResult>, Fault> {
        self.counted(batch::rows(&self.0.state, query, id)).await
    }

    async fn counted(
        &self,
        run: impl Future<Output = Result<Vec<QueryResult>, DbErr>>,
    ) -> Result<Vec<QueryResult>, Fault> {
        let rows = run.instrument(trace::statement(self.backend())).await?;
        self.count(rows.len() as u64 + 1);
        Ok(rows)
    }

    /// Conditions over the table `x` that keep what the caller may not know of from being seen.
    pub(crate) fn row_conditions(&self, access: Access, sql: &mut Sql) -> Vec<String> {
        let caller = self.caller();
        let column = match access {
            Access::Parent => return Vec::new(),
            Access::Itself => "x.id",
            _ => "x.customer_id",
        };
        let mut conditions = Vec::new();
        if let Actor::Customer(identity) = &caller.actor {
            let own = own_customer(identity, sql);
            conditions.push(format!("{column} = {own}"));
        }
        match (access, &caller.actor) {
            (Access::Records(domain), Actor::Partner(partner)) if caller.reach(domain) == Reach::OwnSource => {
                conditions.push(format!("x.source = {}", sql.parameter(partner.source.clone())));
            }
            (Access::Timeline, actor) => {
                conditions.push("x.visibility <> 'AUDIT'".into());
                if !caller.is_staff() {
                    conditions.push("x.visibility = 'CUSTOMER'".into());
                }
                if let Actor::Partner(partner) = actor {
                    conditions.push(self.timeline_of_partner(&partner.source, sql));
                }
            }
            _ => {}
        }
        conditions
    }

    fn timeline_of_partner(&self, source: &str, sql: &mut Sql) -> String {
        let domains: Vec<_> = Domain::ALL
            .iter()
            .filter(|domain| self.caller().reach(**domain) == Reach::All)
            .map(|domain| format!("'{}'", domain.as_str()))
            .chain(["''".to_owned()])
            .collect();
        format!("(x.domain IN ({}) OR x.source = {})", domains.join(", "), sql.parameter(source.to_owned()))
    }

    /// An SQL number, 1 where the caller may read the personal data of the customer in `column`.
    pub(crate) fn personal_data_condition(&self, column: &str) -> String {
        let caller = self.caller();
        match &caller.actor {
            Actor::Staff(_) | Actor::Customer(_) => "1".into(),
            Actor::Partner(partner) if caller.scopes.contains(Grant::PiiRead) && !partner.purposes.is_empty() => {
                let purposes: Vec<_> =
                    partner.purposes.iter().filter(|p| is_word(p)).map(|purpose| format!("'{purpose}'")).collect();
                format!(
                    "CAST(EXISTS (SELECT 1 FROM consents g WHERE g.customer_id = {column} AND g.status = 'GRANTED' \
                     AND g.purpose IN ({})) AS integer)",
                    purposes.join(", ")
                )
            }
            Actor::Partner(_) => "0".into(),
        }
    }
}

/// A condition, after an `AND`, that keeps a caller to the records of a domain that it may read; `source` is their column.
pub(crate) fn readable(caller: &Caller, domain: Domain, source: &str) -> Pieces {
    match (&caller.actor, caller.reach(domain)) {
        (Actor::Partner(partner), Reach::OwnSource) => {
            Pieces::text(format!(" AND {source} = ")).value(partner.source.clone())
        }
        (_, Reach::Nothing) => Pieces::text(" AND 1 = 0"),
        _ => Pieces::default(),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// The id of the caller's own customer, as SQL.
pub(crate) fn own_customer(identity: &CustomerIdentity, sql: &mut Sql) -> String {
    if let Some(own) = &sql.own {
        return own.clone();
    }
    match identity {
        CustomerIdentity::Id(id) => {
            format!("(SELECT COALESCE(m.merged_into_id, m.id) FROM customers m WHERE m.id = {})", sql.parameter(*id))
        }
        CustomerIdentity::External { issuer, subject } => {
            let (issuer, subject) = (sql.parameter(issuer.clone()), sql.parameter(subject.clone()));
            format!(
                "(SELECT COALESCE(m.merged_into_id, m.id) FROM customer_identities i JOIN customers m ON m.id = i.customer_id \
                 WHERE i.kind = 'EXTERNAL' AND i.namespace = {issuer} AND i.normalized = {subject} \
                 AND i.verified_at IS NOT NULL)"
            )
        }
    }
}
