//! Signing tokens: those that partners get at `/oauth/token`, and those for development and for the demo. In production an
//! identity provider does the rest.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use c360_rules::access::Role;
use c360_rules::id::{self, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::json;
use uuid::Uuid;

use super::claims::SECRET_CLAIM;
use crate::clock;
use crate::config::{self, ConfigError};
use crate::digest::sha256;

/// Why a token cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct IssueError(String);

/// A key that signs tokens.
pub struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    kid: Option<String>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// A new Ed25519 key: the private half as PKCS #8 in PEM, the public half as a JWK set.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The private key, in PEM.
    pub private_pem: String,
    /// The JWK set (RFC 7517) that verifies what the private key signs.
    pub jwks: String,
}

impl NewKey {
    /// Makes a key.
    ///
    /// # Errors
    /// The machine has no randomness to give.
    pub fn generate() -> Result<Self, IssueError> {
        let failed = |_| IssueError("cannot make a key".into());
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(failed)?;
        let body = STANDARD.encode(pkcs8.as_ref());
        let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let private_pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid_of(&x), "use": "sig", "alg": "EdDSA" });
        Ok(Self { private_pem, jwks: format!("{:#}\n", json!({ "keys": [key] })) })
    }
}

/// The JWK thumbprint of an Ed25519 key (RFC 7638, RFC 8037).
fn kid_of(x: &str) -> String {
    let canonical = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
    URL_SAFE_NO_PAD.encode(sha256(canonical.as_bytes()))
}

/// Whom a token is for.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A person at a console.
    Staff {
        /// The `sub`.
        subject: String,
        /// The role.
        role: Role,
    },
    /// A customer.
    Customer(Uuid),
    /// A machine.
    Partner {
        /// The `client_id`, which is also the `sub`.
        client_id: String,
        /// The scopes, separated by spaces.
        scope: String,
    },
}

impl Signer {
    /// From a private key in PEM (PKCS #8): Ed25519, P-256 or RSA.
    ///
    /// # Errors
    /// The text is no such key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, IssueError> {
        if let Ok(key) = EncodingKey::from_ed_pem(pem) {
            let kid = Ed25519KeyPair::from_pkcs8(key.as_bytes())
                .ok()
                .map(|pair| kid_of(&URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())));
            return Ok(Self { key, algorithm: Algorithm::EdDSA, kid });
        }
        if let Ok(key) = EncodingKey::from_ec_pem(pem) {
            return Ok(Self { key, algorithm: Algorithm::ES256, kid: None });
        }
        if let Ok(key) = EncodingKey::from_rsa_pem(pem) {
            return Ok(Self { key, algorithm: Algorithm::RS256, kid: None });
        }
        Err(IssueError("the file holds no private key in PEM (Ed25519, P-256 or RSA)".into()))
    }

    /// A signed token in the profile of RFC 9068.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn token(
        &self,
        issuer: &str,
        audience: &str,
        subject: &Subject,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Result<String, IssueError> {
        let mut claims = json!({
            "iss": issuer,
            "aud": audience,
            "iat": now.timestamp(),
            "exp": (now + lifetime).timestamp(),
            "jti": clock::random_id().to_string(),
        });
        let own = match subject {
            Subject::Staff { subject, role } => {
                json!({ "sub": subject, "client_id": "console", "scope": role.scopes().to_string(), "roles": [role.as_str()] })
            }
            Subject::Customer(customer) => {
                let id = id::encode(Kind::Customer, *customer);
                json!({ "sub": id, "client_id": "app", "scope": "", "customer_id": id })
            }
            Subject::Partner { client_id, scope } => {
                json!({ "sub": client_id, "client_id": client_id, "scope": scope })
            }
        };
        if let (Some(claims), Some(own)) = (claims.as_object_mut(), own.as_object()) {
            claims.extend(own.clone());
        }
        self.sign(&claims)
    }

    /// The signature of something else than a token.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn signature(&self, message: &[u8]) -> Result<Vec<u8>, IssueError> {
        let failed = |error: String| IssueError(format!("cannot sign: {error}"));
        let text = jsonwebtoken::crypto::sign(message, &self.key, self.algorithm).map_err(|e| failed(e.to_string()))?;
        URL_SAFE_NO_PAD.decode(text).map_err(|e| failed(e.to_string()))
    }

    /// What the key is called.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    fn sign(&self, claims: &serde_json::Value) -> Result<String, IssueError> {
        let mut header = Header::new(self.algorithm);
        header.typ = Some("at+jwt".into());
        header.kid.clone_from(&self.kid);
        jsonwebtoken::encode(&header, claims, &self.key).map_err(|error| IssueError(format!("cannot sign: {error}")))
    }

    /// The key under the name of its thumbprint (RFC 7638), with its public half.
    ///
    /// # Errors
    /// An RSA key, or one that cannot be read.
    pub fn named(mut self) -> Result<(Self, Jwk), IssueError> {
        if self.algorithm == Algorithm::RS256 {
            return Err(IssueError("is an RSA key; Ed25519 or P-256 is wanted".into()));
        }
        let failed = |error: jsonwebtoken::errors::Error| IssueError(error.to_string());
        let mut jwk = match (&self.kid, self.algorithm) {
            (Some(_), _) => self.ed25519()?,
            (None, algorithm) => Jwk::from_encoding_key(&self.key, algorithm).map_err(failed)?,
        };
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(failed)?;
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        self.kid = Some(kid);
        Ok((self, jwk))
    }

    /// The public half of an Ed25519 key, whichever of its PKCS #8 forms it came in.
    fn ed25519(&self) -> Result<Jwk, IssueError> {
        let failed = || IssueError("is not an Ed25519 key".into());
        let pair = Ed25519KeyPair::from_pkcs8(self.key.as_bytes()).map_err(|_| failed())?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA" });
        serde_json::from_value(jwk).map_err(|_| failed())
    }
}

/// Whether the key of `jwk` has made a signature of [`Signer::signature`].
pub fn verifies(jwk: &Jwk, message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = DecodingKey::from_jwk(jwk) else { return false };
    let algorithm = match jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(_) => Algorithm::EdDSA,
        _ => Algorithm::ES256,
    };
    jsonwebtoken::crypto::verify(&URL_SAFE_NO_PAD.encode(signature), message, &key, algorithm).unwrap_or(false)
}

/// The keys with which the gateway signs its own tokens.
#[derive(Debug)]
pub struct OwnKeys {
    issuer: String,
    audience: String,
    signer: Signer,
    jwks: String,
    lifetime: TimeDelta,
}

impl OwnKeys {
    /// The keys that the settings name, if they name any.
    ///
    /// # Errors
    /// A setting that is missing or wrong; the message names it.
    pub fn read(settings: &config::Oauth, audience: &str) -> Result<Option<Self>, ConfigError> {
        let wrong = |text: String| ConfigError(format!("oauth.signing_key_files: {text}"));
        let mut signers = Vec::new();
        for path in &settings.signing_key_files {
            let name = path.display();
            let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot read {name}: {error}")))?;
            let signer = Signer::from_pem(&pem).map_err(|error| wrong(format!("{name}: {error}")))?;
            signers.push(signer.named().map_err(|error| wrong(format!("{name}: {error}")))?);
        }
        let keys: Vec<&Jwk> = signers.iter().map(|(_, jwk)| jwk).collect();
        let jwks = format!("{:#}\n", json!({ "keys": keys }));
        let Some((signer, _)) = signers.into_iter().next() else { return Ok(None) };
        if settings.issuer.is_empty() {
            return Err(ConfigError(
                "oauth.issuer (C360_OAUTH_ISSUER) is not set: it is the public address of the gateway".into(),
            ));
        }
        if audience.is_empty() {
            return Err(ConfigError(
                "auth.audience (C360_AUTH_AUDIENCE) is not set: tokens of this gateway are for it".into(),
            ));
        }
        let lifetime = TimeDelta::seconds(settings.token_seconds.max(1).into());
        let issuer = settings.issuer.trim_end_matches('/').to_owned();
        Ok(Some(Self { issuer, audience: audience.to_owned(), signer, jwks, lifetime }))
    }

    /// The `iss` of the tokens, which is the gateway's public address.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public halves of all keys, as a JWK set.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// How long a token is good for.
    pub fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// A token for a partner that has shown one of its secrets.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn token(&self, client_id: &str, scope: &str, secret: Uuid, now: DateTime<Utc>) -> Result<String, IssueError> {
        self.signer.sign(&json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client_id,
            "client_id": client_id,
            "scope": scope,
            "iat": now.timestamp(),
            "exp": (now + self.lifetime).timestamp(),
            "jti": clock::random_id().to_string(),
            SECRET_CLAIM: secret.to_string(),
        }))
    }
}
