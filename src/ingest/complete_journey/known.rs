//! What of a chunk the database has already, found by the numbers that the data gives things.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use c360_entities::{campaign_member, coupon, customer};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DatabaseConnection, DbErr, EntityTrait as _, QueryFilter as _,
    QuerySelect as _, Statement,
};
use uuid::Uuid;

use super::values::{SOURCE, customer_number};

/// Numbers or ids that go into one statement.
const AT_ONCE: usize = 5_000;

/// A customer whom the database has.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownCustomer {
    pub(super) id: Uuid,
    pub(super) erased: bool,
}

/// An order that the database has.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownOrder {
    pub(super) id: Uuid,
    pub(super) total: i64,
    pub(super) lines: usize,
}

/// The customers of these households, by household; of merged ones, the one that is left.
pub(super) async fn customers(
    db: &DatabaseConnection,
    households: impl Iterator<Item = u64>,
) -> Result<HashMap<u64, KnownCustomer>, DbErr> {
    let numbers: HashMap<String, u64> = households.map(|number| (customer_number(number), number)).collect();
    let mut known = HashMap::new();
    for some in lists(numbers.keys()) {
        let sql = format!("SELECT number, id, status, merged_into_id FROM customers WHERE number IN ({some})");
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
            let number: String = row.try_get("", "number")?;
            let Some(household) = numbers.get(&number) else { continue };
            let (mut id, mut status): (Uuid, String) = (row.try_get("", "id")?, row.try_get("", "status")?);
            let mut merged: Option<Uuid> = row.try_get("", "merged_into_id")?;
            while let Some(into) = merged {
                let Some(next) = customer::Entity::find_by_id(into).one(db).await? else { break };
                (id, status, merged) = (next.id, next.status, next.merged_into_id);
            }
            known.insert(*household, KnownCustomer { id, erased: status == "ERASED" });
        }
    }
    Ok(known)
}

/// The orders of these baskets, by basket.
pub(super) async fn orders(
    db: &DatabaseConnection,
    baskets: impl Iterator<Item = u64>,
) -> Result<HashMap<u64, KnownOrder>, DbErr> {
    let mut known = HashMap::new();
    for some in lists(baskets) {
        let sql = format!(
            "SELECT o.number, o.id, o.total, (SELECT count(*) FROM order_lines l WHERE l.order_id = o.id) AS lines
             FROM orders o WHERE o.source = '{SOURCE}' AND o.number IN ({some})"
        );
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
            let number: String = row.try_get("", "number")?;
            let lines = usize::try_from(row.try_get::<i64>("", "lines")?).unwrap_or_default();
            if let Ok(number) = number.parse() {
                known
                    .insert(number, KnownOrder { id: row.try_get("", "id")?, total: row.try_get("", "total")?, lines });
            }
        }
    }
    Ok(known)
}

/// Numbers as SQL texts, so many at once. They are digits, with a prefix at most, and need no escape.
///
/// They stand in the statement itself so that it is planned for the tables as they are now: a plan that was made
/// while these were still empty reads them from end to end, for every chunk.
fn lists(numbers: impl Iterator<Item = impl Display>) -> Vec<String> {
    let quoted: Vec<String> = numbers.map(|number| format!("'{number}'")).collect();
    quoted.chunks(AT_ONCE).map(|some| some.join(",")).collect()
}

/// The campaigns and coupons that these customers have: by customer, the campaign's id or the coupon's code.
#[derive(Debug, Default)]
pub(super) struct KnownOffers {
    pub(super) members: HashSet<(Uuid, Uuid)>,
    pub(super) coupons: HashSet<String>,
}

impl KnownOffers {
    pub(super) async fn of(db: &DatabaseConnection, customers: &[Uuid]) -> Result<Self, DbErr> {
        let mut known = Self::default();
        for some in customers.chunks(AT_ONCE) {
            let some = || some.iter().copied();
            let members = campaign_member::Entity::find().filter(campaign_member::Column::CustomerId.is_in(some()));
            known.members.extend(members.all(db).await?.into_iter().map(|row| (row.customer_id, row.campaign_id)));
            let coupons = coupon::Entity::find().filter(coupon::Column::CustomerId.is_in(some()));
            let codes = coupons.select_only().column(coupon::Column::Code).into_tuple::<String>();
            known.coupons.extend(codes.all(db).await?);
        }
        Ok(known)
    }
}
