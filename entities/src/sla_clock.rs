//! Table `sla_clocks`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sla_clocks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub ticket_id: Uuid,
    pub customer_id: Uuid,
    pub metric: String,
    pub status: String,
    pub target_minutes: i32,
    pub elapsed_seconds: i64,
    pub started_at: DateTimeUtc,
    pub due_at: Option<DateTimeUtc>,
    pub stopped_at: Option<DateTimeUtc>,
    pub breached_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
