//! Registering partners, and their secrets.
//!
//! A secret is 256 random bits, so a plain SHA-256 of it is enough to store: there is nothing to guess that a slow hash
//! would have to protect.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use c360_entities::{partner, partner_secret};
use c360_rules::access::Scopes;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, SqlErr,
};
use uuid::Uuid;

use super::registry::{begin_change, still_good};
use crate::clock;
use crate::digest::sha256;

/// What a secret begins with, so that scanners for leaked ones know it.
const PREFIX: &str = "c360s_";

/// What is to be registered.
#[derive(Clone, Debug)]
pub struct NewPartner {
    /// What people call it.
    pub name: String,
    /// What it calls itself when it asks for a token.
    pub client_id: String,
    /// The source under which its records stand; nobody else's.
    pub source: String,
    /// As in `partners.kind`.
    pub kind: String,
    /// The most that its tokens grant.
    pub scopes: Scopes,
    /// The purposes for which customers may have consented, as in `consents.purpose`.
    pub purposes: Vec<String>,
}

/// Why a partner cannot be registered or changed.
#[derive(Debug, thiserror::Error)]
pub enum PartnerError {
    /// The client id or the source is taken.
    #[error("there is a partner with this client id or this source already")]
    Taken,
    /// No partner has this client id.
    #[error("no partner has the client id {0}")]
    Unknown(String),
    /// The database says no.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Registers a partner; its first secret, which is not kept.
///
/// # Errors
/// The client id or the source is taken, or the database cannot be reached.
pub async fn create(db: &DatabaseConnection, new: NewPartner, now: DateTime<Utc>) -> Result<String, PartnerError> {
    let transaction = begin_change(db).await?;
    let id = clock::derived_id(now, "partner", &new.client_id);
    let row = partner::ActiveModel {
        id: Set(id),
        client_id: Set(new.client_id),
        name: Set(new.name),
        source: Set(new.source),
        kind: Set(new.kind),
        scopes: Set(new.scopes.to_string()),
        purposes: Set(new.purposes.join(" ")),
        disabled_at: Set(None),
        created_at: Set(now),
    };
    partner::Entity::insert(row).exec_without_returning(&transaction).await.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => PartnerError::Taken,
        _ => error.into(),
    })?;
    let secret = add_secret(&transaction, id, now).await?;
    transaction.commit().await?;
    Ok(secret)
}

/// Gives a partner a new secret; the ones before go on working for `grace`, and so do the tokens got with them.
///
/// # Errors
/// No such partner, or the database cannot be reached.
pub async fn rotate(
    db: &DatabaseConnection,
    client_id: &str,
    grace: TimeDelta,
    now: DateTime<Utc>,
) -> Result<String, PartnerError> {
    let transaction = begin_change(db).await?;
    let partner = find(&transaction, client_id).await?;
    let until = now + grace;
    let others = partner_secret::Entity::delete_many().filter(partner_secret::Column::PartnerId.eq(partner.id));
    others.filter(partner_secret::Column::ExpiresAt.lte(now)).exec(&transaction).await?;
    partner_secret::Entity::update_many()
        .set(partner_secret::ActiveModel { expires_at: Set(Some(until)), ..Default::default() })
        .filter(partner_secret::Column::PartnerId.eq(partner.id))
        .filter(still_good(partner_secret::Column::ExpiresAt, until))
        .exec(&transaction)
        .await?;
    let secret = add_secret(&transaction, partner.id, now).await?;
    transaction.commit().await?;
    Ok(secret)
}

/// Shuts a partner out, or lets it in again.
///
/// # Errors
/// No such partner, or the database cannot be reached.
pub async fn set_disabled(
    db: &DatabaseConnection,
    client_id: &str,
    disabled_at: Option<DateTime<Utc>>,
) -> Result<(), PartnerError> {
    let transaction = begin_change(db).await?;
    let mut partner = find(&transaction, client_id).await?.into_active_model();
    partner.disabled_at = Set(disabled_at);
    partner.update(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// All partners, each with the number of its secrets that work at `now`.
///
/// # Errors
/// The database cannot be reached.
pub async fn list(db: &DatabaseConnection, now: DateTime<Utc>) -> Result<Vec<(partner::Model, usize)>, DbErr> {
    let partners = partner::Entity::find().order_by_asc(partner::Column::ClientId).all(db).await?;
    let secrets =
        partner_secret::Entity::find().filter(still_good(partner_secret::Column::ExpiresAt, now)).all(db).await?;
    let counted = partners.into_iter().map(|partner| {
        let count = secrets.iter().filter(|secret| secret.partner_id == partner.id).count();
        (partner, count)
    });
    Ok(counted.collect())
}

/// Who asks with this secret: the partner, and which of its secrets it is.
///
/// # Errors
/// The database cannot be reached.
pub async fn recognise(
    db: &DatabaseConnection,
    client_id: &str,
    secret: &str,
    now: DateTime<Utc>,
) -> Result<Option<(partner::Model, Uuid)>, DbErr> {
    let partner = partner::Entity::find()
        .filter(partner::Column::ClientId.eq(client_id))
        .filter(partner::Column::DisabledAt.is_null())
        .one(db)
        .await?;
    // A client that does not exist costs the same two statements.
    let secrets = partner_secret::Entity::find()
        .filter(partner_secret::Column::PartnerId.eq(partner.as_ref().map_or(Uuid::nil(), |partner| partner.id)))
        .filter(still_good(partner_secret::Column::ExpiresAt, now))
        .all(db)
        .await?;
    let hash = hash(secret);
    // Hashes are compared, and in constant time: neither tells anything about the secret.
    let matching = secrets.into_iter().find(|secret| {
        aws_lc_rs::constant_time::verify_slices_are_equal(secret.hash.as_bytes(), hash.as_bytes()).is_ok()
    });
    Ok(partner.zip(matching.map(|secret| secret.id)))
}

async fn find(transaction: &DatabaseTransaction, client_id: &str) -> Result<partner::Model, PartnerError> {
    let found = partner::Entity::find().filter(partner::Column::ClientId.eq(client_id)).one(transaction).await?;
    found.ok_or_else(|| PartnerError::Unknown(client_id.to_owned()))
}

async fn add_secret(transaction: &DatabaseTransaction, partner_id: Uuid, now: DateTime<Utc>) -> Result<String, DbErr> {
    let random = clock::random_bytes().map_err(|error| DbErr::Custom(error.to_string()))?;
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    let hash = hash(&secret);
    let row = partner_secret::ActiveModel {
        id: Set(clock::derived_id(now, "partner secret", &hash)),
        partner_id: Set(partner_id),
        hash: Set(hash),
        created_at: Set(now),
        expires_at: Set(None),
    };
    partner_secret::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(secret)
}

fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(secret.as_bytes()))
}
