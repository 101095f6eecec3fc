//! Table `fulfillment_events`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fulfillment_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub fulfillment_id: Uuid,
    pub customer_id: Uuid,
    pub status: String,
    pub message: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub source: String,
    pub external_id: String,
    pub happened_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
