//! Table `loyalty_programmes`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loyalty_programmes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub currency: String,
    pub points_per_unit_bp: i32,
    pub pending_days: i32,
    pub expiry_days: Option<i32>,
    pub qualification_days: i32,
    pub active: bool,
    pub created_at: DateTimeUtc,
    pub grace_days: i32,
    pub point_value_bp: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
