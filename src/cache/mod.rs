//! Finished answers, and the protocol that keeps them true: what anybody was answered is what everybody is answered from
//! then on, or something later, on any gateway. `docs/freshness.md` has the protocol, its proof and what happens when something dies.
//!
//! | what | where |
//! | --- | --- |
//! | whose rows a table holds | [`tables`] |
//! | what an answer rests on, noted while it is read | [`reads`] |
//! | versions of customers and tables: in memory, or in Redis | [`versions`] |
//! | which generation counts and who keeps the versions, by the database | [`lease`] |
//! | the answers themselves | [`answers`] |
//! | what a change touches; told before its commit, and after | [`writes`] |

pub mod answers;
pub mod lease;
pub mod reads;
pub mod tables;
pub mod versions;
pub mod writes;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::config::Config;
use crate::db::Watch;
use crate::digest::{Digest, sha256};
use crate::state::State;
use answers::{Answer, Answers};
use lease::Lease;
use reads::Ground;
use tables::{TABLES, Table, Tables};
use versions::{Authority, Found, Key, Links, Memory};

/// How long a request waits for the lease, and how long nobody tries after that failed.
const PATIENCE: Duration = Duration::from_millis(250);
const REST: Duration = Duration::from_millis(400);

/// Customers of whom it is remembered by what they were found.
const FOUND: u64 = 50_000;

/// The finished answers of this gateway, and whom it asks whether they still hold.
#[derive(Debug)]
pub struct Cache {
    /// Whether answers are kept at all; changes are told either way.
    is_on: bool,
    keeper: Keeper,
    /// The answers.
    pub answers: Answers,
    lease: Mutex<Option<Arc<Lease>>>,
    /// Whose turn it is to read the lease, and when that failed last.
    reading: tokio::sync::Mutex<Option<Instant>>,
    /// Whom a way of finding found last. A guess: it only says whose version to read beforehand.
    found: moka::sync::Cache<Digest, Uuid>,
    /// Marks that were looked into a moment ago.
    looked_into: moka::sync::Cache<String, ()>,
    /// Where a test can stop, and what it does there.
    pub points: Points,
}

/// Who keeps the versions.
#[derive(Debug)]
enum Keeper {
    Memory(Arc<Memory>),
    Redis(Arc<Links>),
}

/// A place in the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// The versions were read; the database is next.
    BeforeRead,
    /// The database was read; the answer is kept next.
    BeforeKeep,
    /// The change is marked; the commit is next.
    BeforeCommit,
    /// The change is committed; the versions are next.
    BeforeSettle,
    /// All is done; the answer to the writer is next.
    BeforeReturn,
}

/// What a test does at a point of the protocol; nothing at all otherwise. `true` is to go on, `false` to die there.
pub type AtPoint = dyn Fn(Point) -> std::pin::Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync;

/// Where the protocol can be stopped, to prove that it holds wherever it is.
#[derive(Default)]
pub struct Points(std::sync::OnceLock<Box<AtPoint>>);

impl std::fmt::Debug for Points {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Points").finish_non_exhaustive()
    }
}

impl Points {
    /// Sets what is done, once.
    pub fn set(&self, at: Box<AtPoint>) {
        _ = self.0.set(at);
    }

    pub(crate) async fn pass(&self, point: Point) -> bool {
        match self.0.get() {
            None => true,
            Some(at) => at(point).await,
        }
    }
}

impl Cache {
    /// With the settings of a gateway.
    pub fn new(config: &Config) -> Self {
        let links = (!config.redis.url.is_empty()).then(|| Links::new(&config.redis.url)).flatten();
        let keeper = links.map_or_else(|| Keeper::Memory(Arc::default()), |links| Keeper::Redis(Arc::new(links)));
        Self {
            is_on: config.cache.enabled,
            keeper,
            answers: Answers::new(config.cache.max_bytes),
            lease: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            found: moka::sync::Cache::new(FOUND),
            looked_into: moka::sync::Cache::builder()
                .max_capacity(10_000)
                .time_to_live(Duration::from_millis(500))
                .build(),
            points: Points::default(),
        }
    }

    /// Whether answers are kept at all.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Who keeps the versions at this moment.
    pub(crate) async fn authority(&self) -> Option<Authority> {
        match &self.keeper {
            Keeper::Memory(memory) => Some(Authority::Memory(memory.clone())),
            Keeper::Redis(links) => links.current().await.map(Authority::Redis),
        }
    }

    /// The answer to a request, if nothing that it rests on has changed until now.
    pub async fn holding(&self, state: &Arc<State>, request: &Digest, now: DateTime<Utc>) -> Option<Arc<Answer>> {
        let answer = self.answers.get(request)?;
        if answer.basis.until.is_some_and(|until| until <= now) || answer.made_at > now {
            return None;
        }
        let authority = self.authority().await?;
        if authority.still_has(&answer.basis.versions).await != Ok(true) {
            return None;
        }
        // Last, so that whoever has changed the row and waited knows that this was not served any more.
        let lease = self.lease(state, &authority).await?;
        (stamp(&lease, &authority) == answer.basis.stamp).then_some(answer)
    }

    /// The ground for a statement that looks for a customer, to be had before it is run.
    pub async fn ground(&self, state: &Arc<State>, customer: Option<Uuid>) -> Option<Ground> {
        let authority = self.authority().await?;
        let lease = self.lease(state, &authority).await?;
        let all = TABLES.iter().flat_map(|(_, names)| names.split_whitespace()).filter_map(Table::named);
        let tables = all.fold(Tables::default(), Tables::with);
        let keys = tables.versioned().map(Key::Table).chain(customer.map(Key::Customer)).collect();
        let seen = authority.read(keys).await.ok()?;
        self.look_into(state, &authority, &seen);
        Some(Ground { stamp: stamp(&lease, &authority), seen })
    }

    /// Whom a way of finding found last.
    pub fn guess(&self, finding: &Digest) -> Option<Uuid> {
        self.found.get(finding)
    }

    /// Remembers whom a way of finding has found.
    pub fn learn(&self, finding: Digest, customer: Uuid) {
        self.found.insert(finding, customer);
    }

    /// The lease, if answers that `authority` finds unchanged may be served.
    async fn lease(&self, state: &Arc<State>, authority: &Authority) -> Option<Arc<Lease>> {
        let name = authority.name();
        let known = self.known_lease().filter(|lease| lease.lets(name));
        if let Some(lease) = known {
            if lease.is_old() && self.reading.try_lock().is_ok() {
                let (state, name) = (state.clone(), name.to_owned());
                tokio::spawn(async move { state.cache.read_lease(&state.watch, &name).await });
            }
            return Some(lease);
        }
        self.read_lease(&state.watch, name).await.filter(|lease| lease.lets(name))
    }

    fn known_lease(&self) -> Option<Arc<Lease>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the lease, for all who wait for it. Nobody waits for long: without it, answers are made anew.
    async fn read_lease(&self, watch: &Watch, name: &str) -> Option<Arc<Lease>> {
        let mut failed_at = timeout(PATIENCE, self.reading.lock()).await.ok()?;
        if let Some(lease) = self.known_lease().filter(|lease| lease.is_current() && !lease.is_old()) {
            return Some(lease);
        }
        if failed_at.is_some_and(|at| at.elapsed() < REST) {
            return None;
        }
        let read = timeout(PATIENCE, renewed(watch, name)).await;
        let lease = match read {
            Ok(Ok(lease)) => Some(Arc::new(lease)),
            Ok(Err(error)) => {
                tracing::warn!(error = crate::db::describe(&error), "what is cached cannot be used");
                None
            }
            Err(_) => None,
        };
        *failed_at = lease.is_none().then(Instant::now);
        self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&lease);
        lease
    }

    /// Takes marks away whose transactions are over: whoever made them has died.
    fn look_into(&self, state: &Arc<State>, authority: &Authority, seen: &versions::Seen) {
        for (key, found) in seen {
            let Found::Marked(marks) = found else { continue };
            for mark in String::from_utf8_lossy(marks).split(',').filter(|mark| !mark.is_empty()) {
                let entry = self.looked_into.entry(format!("{key:?} {mark}")).or_insert(());
                if entry.is_fresh() {
                    let (state, authority, key, mark) = (state.clone(), authority.clone(), *key, mark.to_owned());
                    tokio::spawn(async move { writes::bury(&state, &authority, key, &mark).await });
                }
            }
        }
    }
}

/// What the row says, after `name` was made the authority where that is due.
async fn renewed(watch: &Watch, name: &str) -> Result<Lease, DbErr> {
    let db = watch.connection().await?;
    let lease = Lease::read(db).await?;
    if !lease.wants(name, db.get_database_backend()) {
        return Ok(lease);
    }
    // A transaction that is begun must not be broken off.
    let holding = tokio::spawn({
        let (db, name, lease) = (db.clone(), name.to_owned(), lease.clone());
        async move { lease::hold(&db, &name, &lease).await }
    });
    if lease.authority.as_deref().is_some_and(|other| other != name) {
        return Ok(lease); // Its writers have to be waited for.
    }
    match holding.await {
        Ok(held) => held?,
        Err(_) => return Ok(lease),
    }
    Lease::read(db).await
}

fn stamp(lease: &Lease, authority: &Authority) -> String {
    format!("{} {}", lease.generation, authority.name())
}

/// What a request is called: what was sent, by a caller with this view of the data.
pub fn request(view: &[u8], sent: &[u8]) -> Digest {
    let mut named = Vec::with_capacity(8 + view.len() + sent.len());
    named.extend_from_slice(&(view.len() as u64).to_be_bytes());
    named.extend_from_slice(view);
    named.extend_from_slice(sent);
    sha256(&named)
}
