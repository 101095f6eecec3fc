//! Access tokens: JWTs in the profile of RFC 9068, signed with an asymmetric algorithm.
//!
//! The `iss` of a token chooses the issuer; only that issuer's keys and algorithms are tried. What was verified is
//! remembered by the token's hash, together with the *generation* of what it rests on: the keys, the registered
//! partners, the revocations. When any of these changes, the generation moves, and a remembered token is looked at again
//! (but not its signature, as long as its key is there).

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;

use super::claims::{Vouched, Who};
use super::issue::OwnKeys;
use super::issuer::{self, Issuer};
use super::jws;
use super::keys::Key;
use super::registry::Registry;
use super::source::Source;
use super::{Actor, Caller};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::db::Watch;
use crate::digest::{Digest, sha256};

/// Why a token is refused. Callers are told nothing but that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is missing, expired or not valid")]
pub struct Refused;

/// Why a token does not make a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is not valid.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It cannot be said whether it is: there are no keys yet, or revocations cannot be read.
    #[error("tokens cannot be verified at the moment; try again soon")]
    Unavailable,
}

/// How tokens have fared since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Believed or refused from memory.
    pub remembered: AtomicU64,
    /// Looked at again without their signature, because keys, partners or revocations had changed.
    pub reconsidered: AtomicU64,
    /// Taken apart and, if they had the right form and claims, verified with their signature.
    pub verified: AtomicU64,
    /// Refused, for whatever reason.
    pub refused: AtomicU64,
    /// Neither: there were no keys, or no news of revocations.
    pub undecided: AtomicU64,
}

/// A token is verified anew after this time at the latest.
const REMEMBERED_FOR: Duration = Duration::from_secs(3600);

/// Verifies tokens, and remembers those that it has verified until they expire or something changes.
#[derive(Debug)]
pub struct Verifier {
    issuers: HashMap<String, Arc<Issuer>>,
    registry: Registry,
    own: Option<OwnKeys>,
    generation: Arc<AtomicU64>,
    leeway: i64,
    remembered: moka::sync::Cache<Digest, Remembered>,
    counts: Counts,
}

/// A token whose signature and claims are right.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) issuer: String,
    pub(super) kid: Option<String>,
    /// The hash of what is signed. Not of the signature: it can be written in several ways.
    pub(super) signed: Digest,
    pub(super) vouched: Vouched,
    pub(super) by_gateway: bool,
    key: Arc<Key>,
    keys: Arc<Source>,
}

#[derive(Clone, Debug)]
struct Remembered {
    generation: u64,
    proven: Arc<Proven>,
    caller: Result<Arc<Caller>, Refused>,
}

impl Verifier {
    /// A verifier for the issuers that the settings name, and for the gateway's own tokens.
    ///
    /// # Errors
    /// A setting that is missing or wrong; the message names it.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let generation = Arc::new(AtomicU64::new(0));
        let own = OwnKeys::read(&config.oauth, &config.auth.main.audience)?;
        let issuers = issuer::all(&config.auth, own.as_ref(), &generation)?;
        Ok(Self { issuers, own, ..Self::of_nobody(config, generation) })
    }

    /// A verifier that believes nobody, for commands that nobody sends requests to.
    pub fn unused(config: &Config) -> Self {
        Self::of_nobody(config, Arc::default())
    }

    fn of_nobody(config: &Config, generation: Arc<AtomicU64>) -> Self {
        Self {
            issuers: HashMap::new(),
            registry: Registry::new(generation.clone()),
            own: None,
            generation,
            leeway: config.auth.leeway_seconds.into(),
            remembered: moka::sync::Cache::builder()
                .max_capacity(config.auth.remembered_tokens)
                .weigher(|_, entry: &Remembered| entry.weight())
                .time_to_live(REMEMBERED_FOR)
                .build(),
            counts: Counts::default(),
        }
    }

    /// What the gateway signs its own tokens with, if it issues any.
    pub fn own_keys(&self) -> Option<&OwnKeys> {
        self.own.as_ref()
    }

    /// How tokens have fared, for whoever measures.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How often keys were fetched, and how often that failed.
    pub fn fetches(&self) -> (u64, u64) {
        let keys = self.issuers.values().map(|issuer| &issuer.keys);
        keys.fold((0, 0), |(fetched, failed), keys| {
            (fetched + keys.fetched.load(Ordering::Relaxed), failed + keys.failed.load(Ordering::Relaxed))
        })
    }

    /// Reads the issuers' keys that lie at an address, so that the first tokens need not wait. One that does not answer
    /// is asked again in the background.
    pub async fn warm_up(&self) {
        let empty = self.issuers.values().filter(|issuer| issuer.keys.current().is_none());
        futures_util::future::join_all(empty.map(|issuer| issuer.keys.read())).await;
    }

    /// Keeps keys, partners and revocations current, for as long as the gateway runs.
    pub async fn keep_current(&self, watch: &Watch, clock: &Clock) {
        let keys = futures_util::future::join_all(self.issuers.values().map(|issuer| issuer.keys.keep_current()));
        futures_util::future::join(keys, self.registry.keep_current(watch, clock)).await;
    }

    /// The caller that a token names, at the time `now`. The database is asked only if nothing was heard from it for
    /// some seconds.
    ///
    /// # Errors
    /// Anything at all that is wrong with the token, in the same words; or that it cannot be verified now.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>, watch: &Watch) -> Result<Arc<Caller>, Denied> {
        let verified = self.look_up(token, now, watch).await;
        match &verified {
            Ok(_) => {}
            Err(Denied::Refused(_)) => count(&self.counts.refused),
            Err(Denied::Unavailable) => count(&self.counts.undecided),
        }
        verified
    }

    async fn look_up(&self, token: &str, now: DateTime<Utc>, watch: &Watch) -> Result<Arc<Caller>, Denied> {
        if token.len() > jws::LONGEST {
            return Err(Refused.into());
        }
        self.registry.heard(watch, now).await?;
        // Read before anything that is looked at: a change in between makes what is remembered look old, never new.
        let generation = self.generation.load(Ordering::Acquire);
        let hash = sha256(token.as_bytes());
        let remembered = self.remembered.get(&hash);
        let caller = match remembered {
            Some(known) if known.generation == generation => {
                count(&self.counts.remembered);
                known.caller
            }
            Some(known) if known.proven.is_still_signed() => {
                count(&self.counts.reconsidered);
                self.remember(hash, generation, known.proven)
            }
            _ => {
                count(&self.counts.verified);
                let proven = Arc::new(Box::pin(self.prove(token, now)).await?);
                let generation = match self.caller(&proven) {
                    Ok(_) => generation,
                    // The token is genuine: its partner may have been registered, or let in, a moment ago.
                    Err(Refused) => {
                        self.registry.look_now(watch, now).await?;
                        self.generation.load(Ordering::Acquire)
                    }
                };
                self.remember(hash, generation, proven)
            }
        }?;
        // What is remembered may have expired since.
        if now.timestamp() >= caller.expires_at.timestamp() + self.leeway {
            return Err(Refused.into());
        }
        Ok(caller)
    }

    fn remember(&self, hash: Digest, generation: u64, proven: Arc<Proven>) -> Result<Arc<Caller>, Refused> {
        let caller = self.caller(&proven).map(Arc::new);
        self.remembered.insert(hash, Remembered { generation, proven, caller: caller.clone() });
        caller
    }

    /// What a proven token is worth at present.
    fn caller(&self, proven: &Proven) -> Result<Caller, Refused> {
        let registered = self.registry.current();
        if registered.has_revoked(proven) {
            return Err(Refused);
        }
        let vouched = &proven.vouched;
        let (actor, scopes) = match &vouched.who {
            Who::Staff(role) => (Actor::Staff(*role), vouched.scopes),
            Who::Customer(identity) => (Actor::Customer(identity.clone()), vouched.scopes),
            Who::Partner => {
                let partner = registered.partner(proven).ok_or(Refused)?;
                // Never worth more than what the partner is registered for, whoever issued the token.
                (Actor::Partner(partner.partner.clone()), vouched.scopes.intersection(partner.scopes))
            }
        };
        Ok(Caller {
            actor,
            scopes,
            subject: vouched.subject.clone(),
            client_id: vouched.client_id.clone(),
            expires_at: vouched.expires_at,
        })
    }

    async fn prove(&self, token: &str, now: DateTime<Utc>) -> Result<Proven, Denied> {
        let parsed = jws::parse(token)?;
        let iss = parsed.claims.get("iss").and_then(serde_json::Value::as_str).ok_or(Refused)?;
        let issuer = self.issuers.get(iss).ok_or(Refused)?;
        let typ = parsed.typ.strip_prefix("application/").unwrap_or(&parsed.typ);
        let algorithm = Algorithm::from_str(&parsed.alg).map_err(|_| Refused)?;
        if !typ.eq_ignore_ascii_case(&issuer.typ) || !issuer.algorithms.contains(&algorithm) {
            return Err(Refused.into());
        }
        // Before the signature, so that only a token that could be right makes the gateway look for its key.
        let vouched = issuer.reader.read(&parsed.claims, now, self.leeway)?;
        let key = issuer.signing_key(&parsed, algorithm).await?;
        Ok(Proven {
            issuer: issuer.name.clone(),
            kid: key.kid.clone(),
            signed: sha256(parsed.signed.as_bytes()),
            vouched,
            by_gateway: issuer.is_own,
            key,
            keys: issuer.keys.clone(),
        })
    }
}

impl Proven {
    fn is_still_signed(&self) -> bool {
        self.keys.current().is_some_and(|keys| keys.holds(&self.key))
    }
}

impl Remembered {
    /// In kilobytes, about, beyond the first.
    fn weight(&self) -> u32 {
        let vouched = &self.proven.vouched;
        let bytes = self.proven.issuer.len() + 2 * (vouched.subject.len() + vouched.client_id.len());
        1 + u32::try_from(bytes / 1024).unwrap_or(u32::MAX - 1)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
