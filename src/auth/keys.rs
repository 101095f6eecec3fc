//! The keys of one issuer, as they are at one moment.

use std::str::FromStr as _;
use std::sync::Arc;

use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use crate::config::ConfigError;

/// Most keys that are taken from one set.
const MOST: usize = 32;

/// A key, and what it may verify.
pub(super) struct Key {
    pub(super) kid: Option<String>,
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
    /// What it was made from, to know it again.
    origin: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

impl Key {
    /// Whether this key made the signature.
    pub(super) fn verifies(&self, signed: &str, signature: &str, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
            && jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &self.key, algorithm).unwrap_or(false)
    }
}

/// The keys of one issuer.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Arc<Key>>);

/// A JWK set whose members are read one by one: a key of a kind that is not known does not spoil the others.
#[derive(Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// From a JWK set (RFC 7517): those of its keys that verify signatures by an algorithm of `allowed`.
    pub(super) fn from_jwks(bytes: &[u8], allowed: &[Algorithm]) -> Result<Self, String> {
        let published: Published =
            serde_json::from_slice(bytes).map_err(|error| format!("is not a JWK set: {error}"))?;
        let keys: Vec<_> =
            published.keys.into_iter().filter_map(|value| from_jwk(value, allowed)).take(MOST).map(Arc::new).collect();
        if keys.is_empty() {
            return Err("holds no key of an accepted asymmetric algorithm".into());
        }
        Ok(Self(keys))
    }

    /// From one public key in PEM.
    pub(super) fn from_pem(pem: &[u8], allowed: &[Algorithm]) -> Result<Self, String> {
        let readers = [DecodingKey::from_ed_pem, DecodingKey::from_ec_pem, DecodingKey::from_rsa_pem];
        let key = readers
            .iter()
            .find_map(|read| read(pem).ok())
            .ok_or("is not a public key in PEM (RSA, P-256, P-384 or Ed25519)")?;
        let algorithms = allowed.iter().copied().filter(|algorithm| fits(&key, *algorithm)).collect();
        Ok(Self(vec![Arc::new(Key { kid: None, key, algorithms, origin: pem.to_vec() })]))
    }

    /// The keys that may have signed a token with this key id: those of that name, or those that have no name.
    pub(super) fn candidates(&self, kid: Option<&str>) -> impl Iterator<Item = &Arc<Key>> {
        let is_known = kid.is_some() && self.0.iter().any(|key| key.kid.as_deref() == kid);
        self.0.iter().filter(move |key| match kid {
            None => true,
            Some(_) if is_known => key.kid.as_deref() == kid,
            Some(_) => key.kid.is_none(),
        })
    }

    /// Whether this very key is in the set.
    pub(super) fn holds(&self, key: &Arc<Key>) -> bool {
        self.0.iter().any(|own| Arc::ptr_eq(own, key))
    }

    /// This set, with the keys that are in `before` as they were: what was verified by them need not be again.
    pub(super) fn after(mut self, before: &Self) -> Self {
        for key in &mut self.0 {
            if let Some(same) = before.0.iter().find(|other| other.origin == key.origin) {
                *key = same.clone();
            }
        }
        self
    }

    /// Whether both sets hold the same keys.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|key| other.holds(key))
    }
}

fn from_jwk(value: serde_json::Value, allowed: &[Algorithm]) -> Option<Key> {
    let origin = value.to_string().into_bytes();
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
        && jwk.common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let key = DecodingKey::from_jwk(&jwk).ok().filter(|_| signs)?;
    let named = jwk.common.key_algorithm.map(|name| name.to_string());
    let algorithms: Vec<_> = allowed
        .iter()
        .copied()
        .filter(|algorithm| {
            named.as_ref().is_none_or(|named| Algorithm::from_str(named) == Ok(*algorithm)) && fits(&key, *algorithm)
        })
        .collect();
    (!algorithms.is_empty()).then_some(Key { kid: jwk.common.key_id, key, algorithms, origin })
}

/// The algorithms of these names, all of them asymmetric.
pub(super) fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, ConfigError> {
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
