//! What the database says about callers, held in memory: the registered partners, and what is revoked.
//!
//! Every change raises one number in the database, in its own transaction. Each gateway looks at that number every
//! second, and reads everything anew when it has moved. A gateway that has heard nothing for some seconds asks before it
//! believes another token, and believes none if there is no answer. So what is revoked works nowhere after five seconds.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use c360_entities::{partner, partner_secret, revocation, trust_version};
use c360_rules::access::Scopes;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _,
};
use tokio::time::Instant;
use uuid::Uuid;

use super::Partner;
use super::revocations::{Revoked, prune};
use super::token::{Denied, Proven};
use crate::clock::Clock;
use crate::db::{self, Watch};

/// How often the number is looked at.
const POLL: Duration = Duration::from_secs(1);
/// How long a gateway goes on without having looked. Less than the five seconds that are promised.
const SILENCE: Duration = Duration::from_secs(4);
/// How long an answer is waited for. A connection that is lost must be replaced before the gateway counts as out of touch.
const PATIENCE: Duration = Duration::from_secs(1);
/// After a failure nobody asks for this long.
const PAUSE: Duration = Duration::from_millis(500);
/// Everything is read anew after this time in any case, for what was changed by hand or by the passing of time.
const RELOAD: Duration = Duration::from_secs(60);
/// How often revocations that have outlived their tokens are deleted.
const PRUNE: Duration = Duration::from_secs(3600);

/// The registered partners and the revocations, kept current.
#[derive(Debug)]
pub(super) struct Registry {
    current: RwLock<Arc<Registered>>,
    history: Mutex<History>,
    reading: tokio::sync::Mutex<()>,
    generation: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct History {
    heard: Option<Instant>,
    failed: Option<Instant>,
    loaded: Option<Instant>,
}

/// As it was at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Registered {
    version: i64,
    partners: HashMap<String, Known>,
    revoked: HashSet<Revoked>,
}

/// A partner that is registered and not disabled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) partner: Partner,
    pub(super) scopes: Scopes,
    secrets: Vec<Uuid>,
}

impl Registered {
    /// The partner of a token.
    pub(super) fn partner(&self, proven: &Proven) -> Option<&Known> {
        let known = self.partners.get(&proven.vouched.client_id)?;
        if !proven.by_gateway {
            return Some(known);
        }
        let secret = proven.vouched.secret.as_deref()?.parse().ok()?;
        known.secrets.contains(&secret).then_some(known)
    }

    /// Whether the token, its client or its key is revoked.
    pub(super) fn has_revoked(&self, proven: &Proven) -> bool {
        !self.revoked.is_empty() && Revoked::all_of(proven).any(|one| self.revoked.contains(&one))
    }
}

impl Registry {
    /// Nothing is known yet.
    pub(super) fn new(generation: Arc<AtomicU64>) -> Self {
        Self {
            current: RwLock::default(),
            history: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            generation,
        }
    }

    pub(super) fn current(&self) -> Arc<Registered> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes sure that what is known is young enough.
    pub(super) async fn heard(&self, watch: &Watch, now: DateTime<Utc>) -> Result<(), Denied> {
        if self.is_silent() {
            let _one = self.reading.lock().await;
            if self.is_silent() {
                let failed = self.with_history(|history| history.failed);
                if failed.is_some_and(|failed| failed.elapsed() < PAUSE)
                    || Box::pin(self.look(watch, now)).await.is_err()
                {
                    return Err(Denied::Unavailable);
                }
            }
        }
        Ok(())
    }

    /// Looks at once.
    pub(super) async fn look_now(&self, watch: &Watch, now: DateTime<Utc>) -> Result<(), Denied> {
        let _one = self.reading.lock().await;
        self.look(watch, now).await.map_err(|_| Denied::Unavailable)
    }

    /// Looks every second, for as long as the gateway runs.
    pub(super) async fn keep_current(&self, watch: &Watch, clock: &Clock) {
        let mut pruned: Option<Instant> = None;
        loop {
            {
                let _one = self.reading.lock().await;
                let looked = self.look(watch, clock.now()).await;
                if looked.is_ok() && pruned.is_none_or(|pruned| pruned.elapsed() > PRUNE) {
                    pruned = Some(Instant::now());
                    if let Err(error) = prune(watch, clock.now()).await {
                        tracing::warn!(%error, "old revocations cannot be deleted");
                    }
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn is_silent(&self) -> bool {
        self.with_history(|history| history.heard.is_none_or(|heard| heard.elapsed() > SILENCE))
    }

    fn with_history<T>(&self, with: impl FnOnce(&mut History) -> T) -> T {
        with(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the database, once.
    async fn look(&self, watch: &Watch, now: DateTime<Utc>) -> Result<(), DbErr> {
        let begun = Instant::now();
        let outcome = tokio::time::timeout(PATIENCE, self.load_if_changed(watch, now)).await;
        match outcome.unwrap_or_else(|_| Err(DbErr::Custom("no answer in time".into()))) {
            Ok(is_loaded) => {
                self.with_history(|history| {
                    history.heard = Some(begun);
                    history.failed = None;
                    if is_loaded {
                        history.loaded = Some(begun);
                    }
                });
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "partners and revocations cannot be read");
                self.with_history(|history| history.failed = Some(Instant::now()));
                Err(error)
            }
        }
    }

    async fn load_if_changed(&self, watch: &Watch, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let db = watch.connection().await?;
        let version = trust_version::Entity::find_by_id(1_i16).one(db).await?.map_or(0, |row| row.version);
        let loaded = self.with_history(|history| history.loaded);
        let before = self.current();
        if version == before.version && loaded.is_some_and(|loaded| loaded.elapsed() < RELOAD) {
            return Ok(false);
        }
        // What is read may be newer than the number, never older; then the number moves with the next look.
        let registered = load(db, version, now).await?;
        if registered != *before {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(registered);
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        Ok(true)
    }
}

async fn load(db: &DatabaseConnection, version: i64, now: DateTime<Utc>) -> Result<Registered, DbErr> {
    let partners = partner::Entity::find().filter(partner::Column::DisabledAt.is_null()).all(db).await?;
    let mut secrets: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for secret in
        partner_secret::Entity::find().filter(still_good(partner_secret::Column::ExpiresAt, now)).all(db).await?
    {
        secrets.entry(secret.partner_id).or_default().push(secret.id);
    }
    let known = partners.into_iter().map(|row| {
        let purposes = row.purposes.split_whitespace().map(str::to_owned).collect();
        let partner = Partner { source: row.source, purposes };
        let secrets = secrets.remove(&row.id).unwrap_or_default();
        (row.client_id, Known { partner, scopes: Scopes::parse(&row.scopes), secrets })
    });
    let known = known.collect();
    let revoked = revocation::Entity::find().filter(still_good(revocation::Column::ExpiresAt, now)).all(db).await?;
    let revoked = revoked.iter().filter_map(Revoked::from_row).collect();
    Ok(Registered { version, partners: known, revoked })
}

/// Rows that do not expire, or not yet.
pub(super) fn still_good(column: impl sea_orm::ColumnTrait, now: DateTime<Utc>) -> Condition {
    Condition::any().add(column.is_null()).add(column.gt(now))
}

/// Begins a change of partners or revocations, which every gateway will notice. The changes follow one another, so that
/// whoever sees a number sees all that was changed under it.
pub(super) async fn begin_change(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let transaction = db::begin_writing(db).await?;
    let next = Expr::col(trust_version::Column::Version).add(1);
    trust_version::Entity::update_many().col_expr(trust_version::Column::Version, next).exec(&transaction).await?;
    Ok(transaction)
}
