//! Table `customer_statistics`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "customer_statistics")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: Uuid,
    pub currency: String,
    pub order_count: i64,
    pub spent_total: i64,
    pub refunded_total: i64,
    pub return_count: i64,
    pub first_order_at: Option<DateTimeUtc>,
    pub last_order_at: Option<DateTimeUtc>,
    pub ticket_count: i64,
    pub open_ticket_count: i64,
    pub feedback_count: i64,
    pub last_nps: Option<i16>,
    pub last_nps_at: Option<DateTimeUtc>,
    pub previous_nps: Option<i16>,
    pub last_csat: Option<i16>,
    pub last_csat_at: Option<DateTimeUtc>,
    pub previous_csat: Option<i16>,
    pub last_ces: Option<i16>,
    pub last_ces_at: Option<DateTimeUtc>,
    pub previous_ces: Option<i16>,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
