//! Whose account a mutation is about.

use uuid::Uuid;

use super::query::CustomerIdentifier;
use super::store;
use crate::auth::Actor;
use crate::error::Fault;
use crate::read::{Access, Find};
use crate::write::{Locked, Outcome, Refusal, Tx, get};

/// The customer that an input names, locked; for a customer's own token the input may leave it out.
///
/// # Errors
/// `NOT_FOUND` for whoever the caller may not know of; `BAD_USER_INPUT` when nobody is named, or when several customers
/// share the identifier (reason `AMBIGUOUS_IDENTIFIER`).
pub(crate) async fn whose(tx: &mut Tx, by: Option<&CustomerIdentifier>) -> Outcome<Locked> {
    let find = match (by, tx.caller().map(|caller| &caller.actor)) {
        (Some(by), _) => by.clone().find(tx.caller(), &tx.state().config.retailer.phone_regions)?,
        (None, Some(Actor::Customer(identity))) => store::own(identity),
        (None, _) => return Err(Fault::bad_input("input.customer", "say which customer").into()),
    };
    match found(tx, find).await?.as_slice() {
        [] => Err(Refusal::not_found("customer").into()),
        [id] => tx.lock_customer(*id).await?.ok_or_else(|| Refusal::not_found("customer").into()),
        _ => {
            let message = "several customers share this: name the customer by id";
            Err(Fault::bad_input("input.customer", message).because("AMBIGUOUS_IDENTIFIER").into())
        }
    }
}

/// Up to two customers that the caller may know of.
async fn found(tx: &mut Tx, find: Find) -> Outcome<Vec<Uuid>> {
    let mut sql = tx.sql();
    sql.push("SELECT x.id FROM customers x WHERE x.id IN (");
    match find {
        Find::Ids(ids) => {
            let condition = sql.one_of("y.id", &ids);
            sql.push(&format!("SELECT y.id FROM customers y WHERE {condition}"));
        }
        Find::One(pieces) => {
            let text = pieces.write(&mut sql);
            sql.push(&text);
        }
        Find::Found { .. } | Find::Page { .. } => return Err(Fault::internal().into()),
    }
    sql.push(")");
    let conditions = tx.conditions(Access::Itself, &mut sql);
    sql.push(&format!("{conditions} LIMIT 2"));
    tx.rows(sql).await?.iter().map(|row| get(row, "id")).collect()
}
