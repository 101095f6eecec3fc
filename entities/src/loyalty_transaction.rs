//! Table `loyalty_transactions`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "loyalty_transactions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub customer_id: Uuid,
    pub kind: String,
    pub points: i64,
    pub balance_after: i64,
    pub reason: Option<String>,
    pub order_id: Option<Uuid>,
    pub reverses_id: Option<Uuid>,
    pub staff_id: Option<Uuid>,
    pub source: String,
    pub occurred_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
