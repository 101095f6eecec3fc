//! Table `points_lots`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "points_lots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub customer_id: Uuid,
    pub transaction_id: Uuid,
    pub order_id: Option<Uuid>,
    pub state: String,
    pub points: i64,
    pub remaining: i64,
    pub held: i64,
    pub earned_at: DateTimeUtc,
    pub available_at: DateTimeUtc,
    pub expires_at: Option<DateTimeUtc>,
    pub taken_back: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
