//! Table `feedback`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feedback")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub customer_id: Uuid,
    pub kind: String,
    pub channel: String,
    pub language: Option<String>,
    pub metric: Option<String>,
    pub score: Option<i16>,
    pub sentiment: Option<String>,
    pub title: Option<String>,
    pub body: Option<String>,
    pub survey_id: Option<Uuid>,
    pub invitation_id: Option<Uuid>,
    pub order_id: Option<Uuid>,
    pub order_line_id: Option<Uuid>,
    pub ticket_id: Option<Uuid>,
    pub store_id: Option<Uuid>,
    pub network: Option<String>,
    pub author_handle: Option<String>,
    pub url: Option<String>,
    pub source: String,
    pub external_id: Option<String>,
    pub given_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
