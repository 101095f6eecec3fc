//! Table `customers`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "customers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub number: String,
    pub status: String,
    pub merged_into_id: Option<Uuid>,
    pub name: Option<String>,
    pub name_folded: Option<String>,
    pub locale: Option<String>,
    pub birthday: Option<Date>,
    pub preferred_channel: Option<String>,
    pub member_since: Option<DateTimeUtc>,
    pub vip: bool,
    pub risk: String,
    pub source: String,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
