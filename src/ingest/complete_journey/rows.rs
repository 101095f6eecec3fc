//! The rows of one or more households, table by table, written at once or within a transaction.

use c360_entities::{
    campaign_member, coupon, customer, customer_identity, customer_search_entry, customer_statistics, customer_tag,
    event, loyalty_account, loyalty_card, loyalty_transaction, order, order_discount, order_line, payment,
    points_allocation, points_lot, store,
};
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel as _, Iterable as _};

use crate::bulk::Batch;

/// Parameters that one statement may take on either database.
const MAX_PARAMETERS: usize = 30_000;

/// Declares the tables in the order in which every foreign key finds its row.
macro_rules! tables {
    ($($field:ident: $entity:ident,)*) => {
        /// Rows that wait to be written.
        #[derive(Debug, Default)]
        pub(super) struct Rows {
            $(pub(super) $field: Vec<$entity::Model>,)*
        }

        impl Rows {
            /// Hands all rows to a bulk load.
            pub(super) fn load(self, batch: &mut Batch) {
                $(self.$field.iter().for_each(|row| batch.push(row));)*
            }

            /// Inserts all rows within a transaction.
            pub(super) async fn insert(self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
                $({
                    let width = $entity::Column::iter().count();
                    let mut rows = self.$field.into_iter().map(|row| row.into_active_model()).peekable();
                    while rows.peek().is_some() {
                        let some: Vec<_> = rows.by_ref().take(MAX_PARAMETERS / width).collect();
                        $entity::Entity::insert_many(some).exec_without_returning(transaction).await?;
                    }
                })*
                Ok(())
            }
        }
    };
}

tables! {
    stores: store,
    customers: customer,
    search_entries: customer_search_entry,
    identities: customer_identity,
    tags: customer_tag,
    orders: order,
    lines: order_line,
    discounts: order_discount,
    payments: payment,
    members: campaign_member,
    accounts: loyalty_account,
    cards: loyalty_card,
    transactions: loyalty_transaction,
    lots: points_lot,
    allocations: points_allocation,
    coupons: coupon,
    events: event,
    statistics: customer_statistics,
}
