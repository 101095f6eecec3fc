//! Which order a mutation is about.

use c360_entities::order;
use c360_rules::id::Kind;
use sea_orm::EntityTrait as _;
use uuid::Uuid;

use super::query::{OrderIdentifier, OrderNumber};
use crate::auth::{Caller, Domain, Reach};
use crate::graphql::id;
use crate::read::Access;
use crate::write::{Outcome, Problem, Refusal, Tx, get};

/// The order of a locked customer that an input's field `order` names.
///
/// # Errors
/// `NOT_FOUND` for what the caller may not know of, and for orders of others; `AMBIGUOUS` when several systems use the
/// number.
pub(crate) async fn which(tx: &mut Tx, by: &OrderIdentifier, customer_id: Uuid) -> Outcome<order::Model> {
    let missing = || Refusal::not_found("order");
    let reach = tx.caller().map_or(Reach::All, |caller: &Caller| caller.reach(Domain::Orders));
    if reach == Reach::Nothing {
        return Err(missing().into());
    }
    let mut sql = tx.sql();
    sql.push("SELECT x.id FROM orders x WHERE x.customer_id = ");
    sql.bind(customer_id);
    match by {
        OrderIdentifier::Id(id) => {
            sql.push(" AND x.id = ");
            sql.bind(id::parse("input.order.id", Kind::Order, id)?);
        }
        OrderIdentifier::Number(OrderNumber { number, source }) => {
            sql.push(" AND x.number = ");
            sql.bind(number.clone());
            if let Some(source) = source {
                sql.push(" AND x.source = ");
                sql.bind(source.clone());
            }
        }
    }
    let conditions = tx.conditions(Access::Records(Domain::Orders), &mut sql);
    sql.push(&format!("{conditions} LIMIT 2"));
    let id = match tx.rows(sql).await?.as_slice() {
        [] => return Err(missing().into()),
        [row] => get::<Uuid>(row, "id")?,
        _ => return Err(Problem::Ambiguous.at("order", "several systems use this number: name its source").into()),
    };
    tx.one(order::Entity::find_by_id(id)).await?.ok_or_else(|| missing().into())
}
