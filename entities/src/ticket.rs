//! Table `tickets`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tickets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub customer_id: Uuid,
    pub number: String,
    pub status: String,
    pub priority: String,
    pub priority_rank: i16,
    pub kind: String,
    pub channel: String,
    pub source: String,
    pub subject: String,
    pub assignee_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub sla_policy_id: Option<Uuid>,
    pub sla_due_at: Option<DateTimeUtc>,
    pub sla_breached: bool,
    pub escalated_at: Option<DateTimeUtc>,
    pub merged_into_id: Option<Uuid>,
    pub first_replied_at: Option<DateTimeUtc>,
    pub solved_at: Option<DateTimeUtc>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
