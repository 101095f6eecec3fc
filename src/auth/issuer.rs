//! The issuers whose tokens are believed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jsonwebtoken::Algorithm;

use super::claims::Reader;
use super::issue::OwnKeys;
use super::jws::Parsed;
use super::keys::{Key, KeySet, algorithms};
use super::source::Source;
use super::token::{Denied, Refused};
use crate::config::{self, ConfigError};

/// Somebody whose tokens are believed.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) name: String,
    pub(super) typ: String,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) reader: Reader,
    pub(super) keys: Arc<Source>,
    /// Whether this is the gateway itself.
    pub(super) is_own: bool,
}

impl Issuer {
    /// The key that signed a token, which may have to be looked for.
    pub(super) async fn signing_key(&self, parsed: &Parsed<'_>, algorithm: Algorithm) -> Result<Arc<Key>, Denied> {
        let kid = parsed.kid.as_deref();
        let mut keys = self.keys.current();
        if keys.as_ref().is_none_or(|keys| keys.candidates(kid).next().is_none()) {
            keys = self.keys.look_again(keys.as_ref()).await;
        }
        let keys = keys.ok_or(Denied::Unavailable)?;
        let signer = keys.candidates(kid).find(|key| key.verifies(parsed.signed, parsed.signature, algorithm)).cloned();
        Ok(signer.ok_or(Refused)?)
    }
}

/// The issuers that the settings name and, if it issues tokens, the gateway itself; by what stands in `iss`.
pub(super) fn all(
    settings: &config::Auth,
    own: Option<&OwnKeys>,
    generation: &Arc<AtomicU64>,
) -> Result<HashMap<String, Arc<Issuer>>, ConfigError> {
    if settings.main.issuer.is_empty() && settings.issuers.is_empty() {
        return Err(ConfigError(
            "auth.issuer (C360_AUTH_ISSUER) is not set: without it no token can be verified".into(),
        ));
    }
    let main = Some(&settings.main).filter(|main| !main.issuer.is_empty());
    let mut issuers = HashMap::new();
    for issuer in main.into_iter().chain(settings.issuers.values()) {
        let allowed = algorithms(&issuer.algorithms)?;
        let reader = Reader::new(issuer)?;
        let keys = Source::new(issuer, settings, allowed.clone(), generation.clone())?;
        add(&mut issuers, issuer, allowed, reader, keys, false)?;
    }
    if let Some(own) = own {
        let issuer = config::Issuer {
            issuer: own.issuer().to_owned(),
            typ: "at+jwt".into(),
            callers: vec![config::Callers::Partners],
            claims: own_claims(),
            ..settings.main.clone()
        };
        let allowed = vec![Algorithm::EdDSA, Algorithm::ES256];
        let keys = KeySet::from_jwks(own.jwks().as_bytes(), &allowed)
            .map_err(|error| ConfigError(format!("oauth.signing_key_files {error}")))?;
        let reader = Reader::new(&issuer)?;
        add(&mut issuers, &issuer, allowed, reader, Source::fixed(keys), true)?;
    }
    Ok(issuers)
}

fn add(
    issuers: &mut HashMap<String, Arc<Issuer>>,
    issuer: &config::Issuer,
    algorithms: Vec<Algorithm>,
    reader: Reader,
    keys: Source,
    is_own: bool,
) -> Result<(), ConfigError> {
    let name = issuer.issuer.clone();
    if name.is_empty() {
        return Err(ConfigError("auth.issuers: one of them has no issuer".into()));
    }
    let keys = Arc::new(keys);
    let entry = Arc::new(Issuer { name: name.clone(), typ: issuer.typ.clone(), algorithms, reader, keys, is_own });
    match issuers.insert(name.clone(), entry) {
        None => Ok(()),
        Some(_) => {
            Err(ConfigError(format!("the issuer {name} is set twice (auth.issuer, auth.issuers, oauth.issuer)")))
        }
    }
}

/// The gateway's own tokens are in the profile of RFC 9068 whatever others call their claims.
fn own_claims() -> config::Claims {
    let one = |name: &str| vec![name.to_owned()];
    config::Claims {
        client_id: one("client_id"),
        scope: one("scope"),
        roles: Vec::new(),
        customer_id: Vec::new(),
        partner: Vec::new(),
    }
}
