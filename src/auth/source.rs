//! Where an issuer's keys come from, and how they are kept current.
//!
//! Keys are read anew in the background before they go stale, and at once when a token names a key that is not known.
//! The latter happens once per cooldown, however many tokens name however many keys. It has a budget of its own: that the
//! background has just looked must not keep out a key that its issuer began to use a moment later. A key that turns up
//! during the cooldown is looked for at its end, whether or not another token asks, so no flood of invented key ids keeps
//! it out for longer. While an address does not answer, the gap between two looks grows to the cooldown.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use tokio::time::Instant;

use super::fetch::Address;
use super::keys::KeySet;
use crate::config::{self, ConfigError};

/// How often files are looked at.
const FILE_REFRESH: Duration = Duration::from_secs(5);
const FILE_COOLDOWN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
enum Place {
    Url(Address),
    JwksFile(PathBuf),
    PemFile(PathBuf),
    /// The gateway's own keys, which do not change while it runs.
    Own,
}

/// The keys of an issuer, kept current.
#[derive(Debug)]
pub(super) struct Source {
    place: Place,
    allowed: Vec<Algorithm>,
    refresh: Duration,
    cooldown: Duration,
    keep: Duration,
    /// None until they could be read once, and again when they could not be for too long.
    current: RwLock<Option<Arc<KeySet>>>,
    history: Mutex<History>,
    reading: tokio::sync::Mutex<()>,
    /// How often the keys were fetched, and how often that failed.
    pub(super) fetched: AtomicU64,
    pub(super) failed: AtomicU64,
    asked: tokio::sync::Notify,
    /// Counts the changes of all that verification rests on.
    generation: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct History {
    tried: Option<Instant>,
    /// The last time because of a token.
    tried_for_token: Option<Instant>,
    read: Option<Instant>,
    failures: u32,
    /// How long the answer is good for, as the provider says, within bounds.
    good_for: Option<Duration>,
    /// A token has named a key that is not known, and it was too early to look.
    asked: bool,
}

impl Source {
    /// Where the settings of an issuer say. Files are read at once; an address is, by [`Self::read`], when there is time.
    pub(super) fn new(
        issuer: &config::Issuer,
        settings: &config::Auth,
        allowed: Vec<Algorithm>,
        generation: Arc<AtomicU64>,
    ) -> Result<Self, ConfigError> {
        let place = if !issuer.jwks_url.is_empty() {
            Place::Url(Address::new(&issuer.jwks_url, Duration::from_millis(settings.jwks_timeout_ms))?)
        } else if !issuer.jwks_file.as_os_str().is_empty() {
            Place::JwksFile(issuer.jwks_file.clone())
        } else if !issuer.public_key_file.as_os_str().is_empty() {
            Place::PemFile(issuer.public_key_file.clone())
        } else {
            return Err(ConfigError(format!(
                "no keys for the issuer {}: auth.jwks_url (C360_AUTH_JWKS_URL), auth.jwks_file (C360_AUTH_JWKS_FILE) or \
                 auth.public_key_file (C360_AUTH_PUBLIC_KEY_FILE) is not set: without it no token can be verified",
                issuer.issuer
            )));
        };
        let (refresh, cooldown) = match place {
            Place::Url(_) => (seconds(settings.jwks_refresh_seconds), seconds(settings.jwks_cooldown_seconds)),
            _ => (FILE_REFRESH, FILE_COOLDOWN),
        };
        let mut source = Self {
            allowed,
            refresh: refresh.max(cooldown),
            cooldown,
            keep: seconds(settings.jwks_keep_seconds),
            generation,
            ..Self::fixed(KeySet::default())
        };
        source.current = RwLock::new(None);
        if !matches!(place, Place::Url(_)) {
            source.current = RwLock::new(Some(Arc::new(source.read_file(&place).map_err(ConfigError)?)));
        }
        source.place = place;
        Ok(source)
    }

    /// Keys that do not change while the gateway runs.
    pub(super) fn fixed(keys: KeySet) -> Self {
        Self {
            place: Place::Own,
            allowed: Vec::new(),
            refresh: Duration::ZERO,
            cooldown: Duration::ZERO,
            keep: Duration::ZERO,
            current: RwLock::new(Some(Arc::new(keys))),
            history: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            fetched: AtomicU64::default(),
            failed: AtomicU64::default(),
            asked: tokio::sync::Notify::default(),
            generation: Arc::default(),
        }
    }

    /// The keys as they are known now.
    pub(super) fn current(&self) -> Option<Arc<KeySet>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys after looking for one that is not in `seen`, if it is time to look; of requests that wait at the same
    /// time, one looks.
    pub(super) async fn look_again(self: &Arc<Self>, seen: Option<&Arc<KeySet>>) -> Option<Arc<KeySet>> {
        let source = self.clone();
        let seen = seen.cloned();
        // A task of its own: a client that leaves must not take the look with it.
        let look = tokio::spawn(async move {
            let guard = source.reading.lock().await;
            let current = source.current();
            let is_other = match (&current, &seen) {
                (Some(current), Some(seen)) => !Arc::ptr_eq(current, seen),
                (current, _) => current.is_some(),
            };
            if is_other {
                return current;
            }
            if source.earliest().is_some_and(|earliest| earliest > Instant::now()) {
                source.with_history(|history| history.asked = true);
                source.asked.notify_one();
                return current;
            }
            source.read_locked(&guard, true).await;
            source.current()
        });
        look.await.ok().flatten()
    }

    /// Reads the keys now.
    pub(super) async fn read(&self) {
        let guard = self.reading.lock().await;
        let for_token = self.with_history(|history| history.asked);
        self.read_locked(&guard, for_token).await;
    }

    /// Reads the keys again whenever it is time.
    pub(super) async fn keep_current(&self) {
        if matches!(self.place, Place::Own) {
            return;
        }
        loop {
            match self.due() {
                Some(due) if due > Instant::now() => {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        () = self.asked.notified() => {}
                    }
                }
                _ => self.read().await,
            }
        }
    }

    /// When the background looks next.
    fn due(&self) -> Option<Instant> {
        let history = self.with_history(|history| *history);
        if history.failures > 0 {
            return self.earliest();
        }
        let good_for = history.good_for.map_or(self.refresh, |said| said.clamp(self.cooldown, self.refresh));
        let stale = history.tried.map(|tried| tried + good_for);
        if history.asked { stale.min(self.earliest()) } else { stale }
    }

    /// Before this, nobody looks because of a token.
    fn earliest(&self) -> Option<Instant> {
        let history = self.with_history(|history| *history);
        match history.failures {
            0 => history.tried_for_token.map(|tried| tried + self.cooldown),
            n => {
                let pause = Duration::from_secs(1 << (n - 1).min(6)).min(self.cooldown);
                history.tried.map(|tried| tried + pause)
            }
        }
    }

    fn with_history<T>(&self, with: impl FnOnce(&mut History) -> T) -> T {
        with(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn read_locked(&self, _guard: &tokio::sync::MutexGuard<'_, ()>, for_token: bool) {
        let begun = Instant::now();
        self.with_history(|history| {
            history.tried = Some(begun);
            history.asked = false;
            if for_token {
                history.tried_for_token = Some(begun);
            }
        });
        let answer = match &self.place {
            Place::Own => return,
            Place::Url(address) => address.fetch().await.and_then(|(bytes, good_for)| {
                let keys = KeySet::from_jwks(&bytes, &self.allowed).map_err(|error| format!("the answer {error}"))?;
                Ok((keys, good_for))
            }),
            file => self.read_file(file).map(|keys| (keys, None)),
        };
        match answer {
            Ok((keys, good_for)) => {
                self.fetched.fetch_add(1, Ordering::Relaxed);
                self.with_history(|history| {
                    *history = History { read: Some(begun), failures: 0, good_for, ..*history };
                });
                let before = self.current().unwrap_or_default();
                let keys = keys.after(&before);
                if !keys.is_same(&before) {
                    tracing::info!(place = %self.place, "an issuer's keys have changed");
                    self.replace(Some(Arc::new(keys)));
                }
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let history = self.with_history(|history| {
                    history.failures = history.failures.saturating_add(1);
                    *history
                });
                tracing::warn!(place = %self.place, error, "an issuer's keys cannot be read");
                let is_old = history.read.is_some_and(|read| read.elapsed() > self.keep);
                if is_old && self.current().is_some() {
                    tracing::error!(place = %self.place, "an issuer's keys are too old to be believed");
                    self.replace(None);
                }
            }
        }
    }

    fn replace(&self, keys: Option<Arc<KeySet>>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = keys;
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn read_file(&self, place: &Place) -> Result<KeySet, String> {
        let (path, setting) = match place {
            Place::JwksFile(path) => (path, "auth.jwks_file"),
            Place::PemFile(path) => (path, "auth.public_key_file"),
            Place::Url(_) | Place::Own => return Ok(KeySet::default()),
        };
        let bytes =
            std::fs::read(path).map_err(|error| format!("{setting}: cannot read {}: {error}", path.display()))?;
        let keys = match place {
            Place::PemFile(_) => KeySet::from_pem(&bytes, &self.allowed),
            _ => KeySet::from_jwks(&bytes, &self.allowed),
        };
        keys.map_err(|error| format!("{setting} {error}"))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(address) => address.fmt(f),
            Self::JwksFile(path) | Self::PemFile(path) => path.display().fmt(f),
            Self::Own => f.write_str("own keys"),
        }
    }
}

/// A setting in seconds, within what clocks can add.
fn seconds(setting: u64) -> Duration {
    Duration::from_secs(setting.clamp(1, 366 * 86_400))
}
