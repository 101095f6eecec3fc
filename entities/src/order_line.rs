//! Table `order_lines`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_lines")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub customer_id: Uuid,
    pub position: i32,
    pub product_id: Option<Uuid>,
    pub sku: String,
    pub title: String,
    pub quantity: i32,
    pub returned_quantity: i32,
    pub unit_price: i64,
    pub unit_cost: Option<i64>,
    pub currency: String,
    pub subtotal: i64,
    pub discount_total: i64,
    pub total: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
