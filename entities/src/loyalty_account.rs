//! Table `loyalty_accounts`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loyalty_accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub programme_id: Uuid,
    pub customer_id: Uuid,
    pub number: String,
    pub status: String,
    pub tier_id: Uuid,
    pub tier_until: Option<DateTimeUtc>,
    pub active_points: i64,
    pub pending_points: i64,
    pub held_points: i64,
    pub owed_points: i64,
    pub spent_points: i64,
    pub expired_points: i64,
    pub lifetime_points: i64,
    pub qualifying_points: i64,
    pub version: i64,
    pub enrolled_at: DateTimeUtc,
    pub earning: String,
    pub review_at: Option<DateTimeUtc>,
    pub kept_points: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
