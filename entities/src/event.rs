//! Table `events`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub customer_id: Option<Uuid>,
    pub kind: String,
    pub domain: String,
    pub visibility: String,
    pub subject_kind: Option<String>,
    pub subject_id: Option<Uuid>,
    pub label: Option<String>,
    pub amount: Option<i64>,
    pub currency: Option<String>,
    pub points: Option<i64>,
    pub channel: Option<String>,
    pub actor_kind: String,
    pub actor_id: Option<String>,
    pub source: String,
    pub reason: Option<String>,
    pub occurred_at: DateTimeUtc,
    pub recorded_at: DateTimeUtc,
    pub position: Option<i64>,
    pub hash: Option<Vec<u8>>,
    pub client_id: Option<String>,
    pub request_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
