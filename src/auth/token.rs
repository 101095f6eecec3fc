//! Access tokens: JWTs in the profile of RFC 9068, signed with an asymmetric algorithm.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::Arc;

use c360_rules::access::{Role, Scopes};
use c360_rules::id::{self, Kind};
use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::{Actor, Caller, CustomerIdentity, Partner};
use crate::config::{self, ConfigError};

/// The claims that are read.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    roles: Vec<String>,
    customer_id: Option<String>,
}

/// Why a token is refused. Callers are told nothing but that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is missing, expired or not valid")]
pub struct Refused;

/// Verifies tokens, and remembers those that it has verified until they expire.
#[derive(Debug)]
pub struct Verifier {
    keys: Vec<Key>,
    by_kid: HashMap<String, usize>,
    validation: Validation,
    typ: String,
    leeway: i64,
    remembered: moka::sync::Cache<[u8; 32], Arc<Caller>>,
}

struct Key {
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier with the keys that the settings name.
    ///
    /// # Errors
    /// A setting that is missing or wrong; the message names it.
    pub fn new(settings: &config::Auth) -> Result<Self, ConfigError> {
        let missing = |name| ConfigError(format!("{name} is not set: without it no token can be verified"));
        if settings.issuer.is_empty() {
            return Err(missing("auth.issuer (C360_AUTH_ISSUER)"));
        }
        if settings.audience.is_empty() {
            return Err(missing("auth.audience (C360_AUTH_AUDIENCE)"));
        }
        let allowed = algorithms(&settings.algorithms)?;
        let mut verifier = Self {
            keys: Vec::new(),
            by_kid: HashMap::new(),
            validation: validation(settings),
            typ: settings.typ.clone(),
            leeway: i64::try_from(settings.leeway_seconds).unwrap_or(0),
            remembered: moka::sync::Cache::new(settings.remembered_tokens),
        };
        if !settings.jwks_file.as_os_str().is_empty() {
            verifier.add_jwks(&read(&settings.jwks_file, "auth.jwks_file")?, &allowed)?;
        } else if !settings.public_key_file.as_os_str().is_empty() {
            verifier.add_pem(&read(&settings.public_key_file, "auth.public_key_file")?, &allowed)?;
        } else {
            return Err(missing(
                "auth.jwks_file (C360_AUTH_JWKS_FILE) or auth.public_key_file (C360_AUTH_PUBLIC_KEY_FILE)",
            ));
        }
        Ok(verifier)
    }

    fn add_jwks(&mut self, bytes: &[u8], allowed: &[Algorithm]) -> Result<(), ConfigError> {
        let set: JwkSet =
            serde_json::from_slice(bytes).map_err(|e| ConfigError(format!("auth.jwks_file is not a JWK set: {e}")))?;
        for jwk in &set.keys {
            let Ok(key) = DecodingKey::from_jwk(jwk) else { continue };
            let named = jwk.common.key_algorithm.and_then(|name| Algorithm::from_str(&name.to_string()).ok());
            let algorithms: Vec<_> = allowed
                .iter()
                .copied()
                .filter(|algorithm| named.is_none_or(|named| named == *algorithm) && fits(&key, *algorithm))
                .collect();
            if algorithms.is_empty() {
                continue;
            }
            if let Some(kid) = &jwk.common.key_id {
                self.by_kid.insert(kid.clone(), self.keys.len());
            }
            self.keys.push(Key { key, algorithms });
        }
        if self.keys.is_empty() {
            return Err(ConfigError("auth.jwks_file holds no key of an accepted asymmetric algorithm".into()));
        }
        Ok(())
    }

    fn add_pem(&mut self, pem: &[u8], allowed: &[Algorithm]) -> Result<(), ConfigError> {
        let readers = [DecodingKey::from_ed_pem, DecodingKey::from_ec_pem, DecodingKey::from_rsa_pem];
        let key = readers.iter().find_map(|read| read(pem).ok()).ok_or_else(|| {
            ConfigError("auth.public_key_file is not a public key in PEM (RSA, P-256, P-384 or Ed25519)".into())
        })?;
        let algorithms = allowed.iter().copied().filter(|algorithm| fits(&key, *algorithm)).collect();
        self.keys.push(Key { key, algorithms });
        Ok(())
    }

    /// The caller that a token names, at the time `now`.
    ///
    /// # Errors
    /// Anything at all that is wrong with the token, in the same words.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Arc<Caller>, Refused> {
        let mut hash = [0; 32];
        hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()).as_ref());
        if let Some(caller) = self.remembered.get(&hash) {
            return if self.is_current(&caller, now) { Ok(caller) } else { Err(Refused) };
        }
        let caller = Arc::new(self.verify_anew(token, now)?);
        self.remembered.insert(hash, caller.clone());
        Ok(caller)
    }

    fn is_current(&self, caller: &Caller, now: DateTime<Utc>) -> bool {
        now.timestamp() < caller.expires_at.timestamp() + self.leeway
    }

    fn verify_anew(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, Refused> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refused)?;
        let typ = header.typ.as_deref().unwrap_or_default();
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        if !typ.eq_ignore_ascii_case(&self.typ) {
            return Err(Refused);
        }
        let candidates: Vec<&Key> = match header.kid.as_ref().and_then(|kid| self.by_kid.get(kid)) {
            Some(at) => vec![&self.keys[*at]],
            None if header.kid.is_some() && !self.by_kid.is_empty() => return Err(Refused),
            None => self.keys.iter().collect(),
        };
        let claims = candidates
            .into_iter()
            .filter(|key| key.algorithms.contains(&header.alg))
            .find_map(|key| {
                let mut validation = self.validation.clone();
                validation.algorithms = vec![header.alg];
                jsonwebtoken::decode::<Claims>(token, &key.key, &validation).ok()
            })
            .ok_or(Refused)?
            .claims;
        self.caller(claims, now)
    }

    fn caller(&self, claims: Claims, now: DateTime<Utc>) -> Result<Caller, Refused> {
        let seconds = now.timestamp();
        let early = |at: Option<i64>| at.is_some_and(|at| at > seconds + self.leeway);
        let expires_at = DateTime::from_timestamp(claims.exp, 0).ok_or(Refused)?;
        if seconds >= claims.exp + self.leeway || early(claims.nbf) || early(claims.iat) {
            return Err(Refused);
        }
        if claims.sub.is_empty() || claims.client_id.is_empty() {
            return Err(Refused);
        }
        let (actor, scopes) = if !claims.roles.is_empty() {
            let roles: Vec<Role> = claims.roles.iter().filter_map(|name| name.parse().ok()).collect();
            let role = roles.iter().copied().max().ok_or(Refused)?;
            (Actor::Staff(role), role.scopes())
        } else if let Some(id) = &claims.customer_id {
            let id = id::decode(Kind::Customer, id).map_err(|_| Refused)?;
            (Actor::Customer(CustomerIdentity::Id(id)), Scopes::default())
        } else if claims.sub == claims.client_id {
            // RFC 9068, section 2.2: where no person is involved, `sub` is the client.
            let partner = Partner { source: claims.client_id.clone(), purposes: Vec::new() };
            (Actor::Partner(partner), Scopes::parse(&claims.scope))
        } else {
            let external = CustomerIdentity::External { issuer: claims.iss, subject: claims.sub.clone() };
            (Actor::Customer(external), Scopes::default())
        };
        Ok(Caller { actor, scopes, subject: claims.sub, client_id: claims.client_id, expires_at })
    }
}

/// Time is checked against the gateway's own clock, after the signature.
fn validation(settings: &config::Auth) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[&settings.issuer]);
    validation.set_audience(&[&settings.audience]);
    validation
}

fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, ConfigError> {
    names
        .iter()
        .map(|name| match Algorithm::from_str(name) {
            Ok(Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) | Err(_) => Err(ConfigError(format!(
                "auth.algorithms: \"{name}\" is not an asymmetric signature algorithm that c360 knows"
            ))),
            Ok(algorithm) => Ok(algorithm),
        })
        .collect()
}

fn fits(key: &DecodingKey, algorithm: Algorithm) -> bool {
    use jsonwebtoken::AlgorithmFamily::{Ec, Ed, Rsa};
    match key.family() {
        Rsa => matches!(
            algorithm,
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
        ),
        Ec => matches!(algorithm, Algorithm::ES256 | Algorithm::ES384),
        Ed => algorithm == Algorithm::EdDSA,
        _ => false,
    }
}

fn read(path: &std::path::Path, setting: &str) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|e| ConfigError(format!("{setting}: cannot read {}: {e}", path.display())))
}
