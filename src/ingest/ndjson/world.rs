//! What every item may refer to, and the ids of what it becomes.

use std::collections::HashMap;

use c360_entities::{event, staff, store, survey, team};
use c360_rules::id::Kind;
use c360_rules::identifier::{self, IdentifierError};
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseConnection, EntityTrait as _};
use uuid::Uuid;

use crate::clock::derived_id;
use crate::ingest::Error;
use crate::ingest::programme::Programme;

/// What there is once for the whole business.
pub(super) struct World {
    pub(super) now: DateTime<Utc>,
    pub(super) programme: Programme,
    /// By source and number.
    pub(super) stores: HashMap<(String, String), Uuid>,
    /// By subject.
    pub(super) staff: HashMap<String, Uuid>,
    /// By name.
    pub(super) teams: HashMap<String, Uuid>,
    /// By code, with the metric.
    pub(super) surveys: HashMap<String, (Uuid, String)>,
    phone_regions: Vec<String>,
}

impl World {
    /// Reads it.
    pub(super) async fn load(
        db: &DatabaseConnection,
        now: DateTime<Utc>,
        phone_regions: &[String],
    ) -> Result<Self, Error> {
        let stores = store::Entity::find().all(db).await?;
        let staff = staff::Entity::find().all(db).await?;
        let teams = team::Entity::find().all(db).await?;
        let surveys = survey::Entity::find().all(db).await?;
        Ok(Self {
            now,
            programme: Programme::ensure(db, now).await?,
            stores: stores.into_iter().map(|row| ((row.source, row.number), row.id)).collect(),
            staff: staff.into_iter().map(|row| (row.subject, row.id)).collect(),
            teams: teams.into_iter().map(|row| (row.name, row.id)).collect(),
            surveys: surveys.into_iter().map(|row| (row.code, (row.id, row.metric))).collect(),
            phone_regions: phone_regions.to_vec(),
        })
    }

    /// A phone number in its normal form.
    pub(super) fn phone(&self, text: &str) -> Result<String, IdentifierError> {
        let regions: Vec<&str> = self.phone_regions.iter().map(String::as_str).collect();
        identifier::phone(text, &regions)
    }

    /// Something that happened, for the log. The same thing has the same id, whenever it is brought in.
    pub(super) fn event(
        &self,
        source: &str,
        customer_id: Uuid,
        (kind, domain): (&str, &str),
        (subject_kind, subject_id): (Kind, Uuid),
        occurred_at: DateTime<Utc>,
    ) -> event::Model {
        event::Model {
            id: part_id(subject_id, kind),
            customer_id: Some(customer_id),
            kind: kind.into(),
            domain: domain.into(),
            visibility: "CUSTOMER".into(),
            subject_kind: Some(subject_kind.prefix().into()),
            subject_id: Some(subject_id),
            label: None,
            amount: None,
            currency: None,
            points: None,
            channel: None,
            actor_kind: "IMPORT".into(),
            actor_id: None,
            source: source.into(),
            reason: None,
            occurred_at,
            recorded_at: self.now,
            position: None,
            hash: None,
            client_id: None,
            request_id: None,
        }
    }
}

/// The id of a part of a row: of the row's own time, so that it stays when other times are corrected.
pub(super) fn part_id(of: Uuid, name: impl std::fmt::Display) -> Uuid {
    let millis = i64::try_from(of.as_u128() >> 80).unwrap_or_default();
    let at = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    derived_id(at, &of.to_string(), &name.to_string())
}
