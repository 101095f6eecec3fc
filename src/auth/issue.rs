//! Signing tokens, for development and for the demo. In production an identity provider does this.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use c360_rules::access::Role;
use c360_rules::id::{self, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use uuid::Uuid;

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
#[derive(Debug)]
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
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes()))
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
            "jti": Uuid::new_v4().to_string(),
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
        let mut header = Header::new(self.algorithm);
        header.typ = Some("at+jwt".into());
        header.kid.clone_from(&self.kid);
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|error| IssueError(format!("cannot sign: {error}")))
    }
}
