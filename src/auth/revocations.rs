//! Taking trust back before it ends by itself: from a token, a client or a key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use c360_entities::revocation;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DatabaseConnection, DbErr, EntityTrait as _, QueryFilter as _};

use super::jws;
use super::registry::begin_change;
use super::token::{Proven, Refused};
use crate::clock;
use crate::db::Watch;
use crate::digest::{Digest, sha256};

/// How long a token's revocation is kept beyond its `exp`.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Revoked {
    /// One token, by the hash of what is signed.
    Token(Digest),
    /// One token, by its issuer and its `jti`.
    TokenId(String, String),
    /// All tokens of a client.
    Client(String),
    /// All tokens signed by a key of an issuer.
    Key(String, String),
}

impl Revoked {
    /// One token, and when it would have ended by itself. The token need not be valid.
    ///
    /// # Errors
    /// The text is no token.
    pub fn token(token: &str) -> Result<(Self, Option<DateTime<Utc>>), Refused> {
        let parsed = jws::parse(token)?;
        let exp = parsed.claims.get("exp").and_then(serde_json::Value::as_f64);
        #[expect(clippy::cast_possible_truncation, reason = "a float is cut to what fits, which is no time then")]
        let ends = exp.and_then(|exp| DateTime::from_timestamp(exp.ceil() as i64, 0));
        let ends = ends.and_then(|exp| exp.checked_add_signed(MARGIN));
        Ok((Self::Token(sha256(parsed.signed.as_bytes())), ends))
    }

    /// All the ways in which a token may be revoked.
    pub(super) fn all_of(proven: &Proven) -> impl Iterator<Item = Self> {
        let token_id = proven.vouched.token_id.clone().map(|id| Self::TokenId(proven.issuer.clone(), id));
        let key = proven.kid.clone().map(|kid| Self::Key(proven.issuer.clone(), kid));
        [Self::Token(proven.signed), Self::Client(proven.vouched.client_id.clone())]
            .into_iter()
            .chain(token_id)
            .chain(key)
    }

    /// Kind, issuer and name, as in the database.
    fn columns(&self) -> (&'static str, String, String) {
        match self {
            Self::Token(hash) => ("TOKEN", String::new(), URL_SAFE_NO_PAD.encode(hash)),
            Self::TokenId(issuer, id) => ("TOKEN_ID", issuer.clone(), id.clone()),
            Self::Client(id) => ("CLIENT", String::new(), id.clone()),
            Self::Key(issuer, kid) => ("KEY", issuer.clone(), kid.clone()),
        }
    }

    pub(super) fn from_row(row: &revocation::Model) -> Option<Self> {
        Some(match row.kind.as_str() {
            "TOKEN" => Self::Token(URL_SAFE_NO_PAD.decode(&row.subject).ok()?.try_into().ok()?),
            "TOKEN_ID" => Self::TokenId(row.issuer.clone(), row.subject.clone()),
            "CLIENT" => Self::Client(row.subject.clone()),
            "KEY" => Self::Key(row.issuer.clone(), row.subject.clone()),
            _ => return None,
        })
    }
}

/// Revokes until `ends`, or for good. Doing it again changes nothing but the end.
///
/// # Errors
/// The database cannot be reached.
pub async fn revoke(
    db: &DatabaseConnection,
    what: &Revoked,
    ends: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let transaction = begin_change(db).await?;
    delete(&transaction, what).await?;
    let (kind, issuer, subject) = what.columns();
    let row = revocation::ActiveModel {
        id: Set(clock::derived_id(now, kind, &format!("{issuer} {subject}"))),
        kind: Set(kind.to_owned()),
        issuer: Set(issuer),
        subject: Set(subject),
        revoked_at: Set(now),
        expires_at: Set(ends),
    };
    revocation::Entity::insert(row).exec_without_returning(&transaction).await?;
    transaction.commit().await
}

/// Takes a revocation back; whether there was one.
///
/// # Errors
/// The database cannot be reached.
pub async fn restore(db: &DatabaseConnection, what: &Revoked) -> Result<bool, DbErr> {
    let transaction = begin_change(db).await?;
    let was_revoked = delete(&transaction, what).await?;
    transaction.commit().await?;
    Ok(was_revoked)
}

async fn delete(transaction: &sea_orm::DatabaseTransaction, what: &Revoked) -> Result<bool, DbErr> {
    let (kind, issuer, subject) = what.columns();
    let deleted = revocation::Entity::delete_many()
        .filter(revocation::Column::Kind.eq(kind))
        .filter(revocation::Column::Issuer.eq(issuer))
        .filter(revocation::Column::Subject.eq(subject))
        .exec(transaction)
        .await?;
    Ok(deleted.rows_affected > 0)
}

/// Deletes the revocations of tokens that have ended.
pub(super) async fn prune(watch: &Watch, now: DateTime<Utc>) -> Result<(), DbErr> {
    revocation::Entity::delete_many()
        .filter(revocation::Column::ExpiresAt.lt(now))
        .exec(watch.connection().await?)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_would_never_end_is_revoked_for_good() {
        for (exp, ends) in [(i64::MAX, false), (8_210_266_876_799, false), (253_402_300_799, true)] {
            let claims = URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{exp}}}"));
            let token = format!("{}.{claims}.AA", URL_SAFE_NO_PAD.encode("{\"alg\":\"EdDSA\"}"));
            assert_eq!(Revoked::token(&token).map(|(_, until)| until.is_some()), Ok(ends), "{exp}");
        }
    }
}
