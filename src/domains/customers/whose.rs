//! Whose account a mutation is about.

use uuid::Uuid;

use super::query::CustomerIdentifier;
use super::store;
use crate::auth::{Actor, Caller, Domain, Reach};
use crate::error::Fault;
use crate::read::{Access, Find, Sql};
use crate::scope::Scope;
use crate::write::{Locked, Outcome, Problem, Refusal, Tx, get, short_text};

/// The customer that an input names, locked; for a customer's own token the input may leave it out.
///
/// # Errors
/// `NOT_FOUND` for whoever the caller may not know of; `BAD_USER_INPUT` when nobody is named, or when several customers
/// share the identifier (reason `AMBIGUOUS_IDENTIFIER`).
pub(crate) async fn whose(tx: &mut Tx, by: Option<&CustomerIdentifier>) -> Outcome<Locked> {
    named(tx, by, Among::Anybody).await
}

/// Among whom a partner may pick a customer. Staff and customers have the same choice everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// Whoever it can name.
    Anybody,
    /// Whoever it may know of: everybody with `customers:read`, else those whose record it has made.
    Known,
    /// Those whose record it has made.
    Own,
}

impl Among {
    /// The source that a customer must have first come from, if it matters.
    fn source(self, tx: &Tx) -> Option<String> {
        let caller = tx.caller()?;
        let Actor::Partner(partner) = &caller.actor else { return None };
        let any = match self {
            Self::Anybody => true,
            Self::Known => caller.reach(Domain::Customers) == Reach::All,
            Self::Own => false,
        };
        (!any).then(|| partner.source.clone())
    }
}

/// As [`whose`], but a partner may pick from fewer.
///
/// # Errors
/// As [`whose`].
pub(crate) async fn named(tx: &mut Tx, by: Option<&CustomerIdentifier>, among: Among) -> Outcome<Locked> {
    let find = match (by, tx.caller().map(|caller| &caller.actor)) {
        (Some(by), _) => by.clone().find(tx.caller(), &tx.state().config.retailer.phone_regions)?,
        (None, Some(Actor::Customer(identity))) => store::own(identity),
        (None, _) => return Err(Fault::bad_input("input.customer", "say which customer").into()),
    };
    match found(tx, find, among).await?.as_slice() {
        [] => Err(Refusal::not_found("customer").into()),
        [id] => tx.lock_customer(*id).await?.ok_or_else(|| Refusal::not_found("customer").into()),
        _ => {
            let message = "several customers share this: name the customer by id";
            Err(Fault::bad_input("input.customer", message).because("AMBIGUOUS_IDENTIFIER").into())
        }
    }
}

/// Writes a statement of the ids of the customers that an input names; for a customer's own token it may leave it out.
///
/// # Errors
/// `BAD_USER_INPUT`.
pub(crate) fn seen(scope: &Scope, by: Option<&CustomerIdentifier>, sql: &mut Sql) -> Result<(), Fault> {
    let find = match (by, &scope.caller().actor) {
        (Some(by), _) => by.clone().find(Some(scope.caller()), scope.phone_regions())?,
        (None, Actor::Customer(identity)) => store::own(identity),
        (None, _) => return Err(Fault::bad_input("customer", "say which customer")),
    };
    ids(find, sql)
}

fn ids(find: Find, sql: &mut Sql) -> Result<(), Fault> {
    match find {
        Find::Ids(ids) => {
            let condition = sql.one_of("y.id", &ids);
            sql.push(&format!("SELECT y.id FROM customers y WHERE {condition}"));
        }
        Find::Row { id, instead, .. } => {
            let text = instead(id).write(sql);
            sql.push(&text);
        }
        Find::One(pieces) => {
            let text = pieces.write(sql);
            sql.push(&text);
        }
        Find::Found { .. } | Find::Page { .. } => return Err(Fault::internal()),
    }
    Ok(())
}

/// Up to two customers that the caller may know of.
async fn found(tx: &mut Tx, find: Find, among: Among) -> Outcome<Vec<Uuid>> {
    let mut sql = tx.sql();
    sql.push("SELECT x.id FROM customers x WHERE x.id IN (");
    ids(find, &mut sql)?;
    sql.push(")");
    if let Some(source) = among.source(tx) {
        sql.push(" AND x.source = ");
        sql.bind(source);
    }
    let conditions = tx.conditions(Access::Itself, &mut sql);
    sql.push(&format!("{conditions} LIMIT 2"));
    tx.rows(sql).await?.iter().map(|row| get(row, "id")).collect()
}

/// Why staff do something on a customer's behalf, which they must say; a customer and a partner need not.
///
/// # Errors
/// `BLANK`, and what else is wrong with the text.
pub(crate) fn on_behalf(tx: &Tx, reason: Option<&str>) -> Outcome<Option<String>> {
    match reason {
        Some(reason) => short_text("reason", reason).map(Some),
        None if tx.caller().is_some_and(Caller::is_staff) => {
            Err(Problem::Blank.at("reason", "say why you do this on the customer's behalf").into())
        }
        None => Ok(None),
    }
}

/// The customer that something of the table belongs to, locked. The input names it by `field`.
///
/// # Errors
/// `NOT_FOUND` unless the caller may know of it.
pub(super) async fn owner(tx: &mut Tx, table: &str, id: Uuid, field: &'static str, among: Among) -> Outcome<Locked> {
    let mut sql = tx.sql();
    sql.push(&format!("SELECT x.customer_id FROM {table} x WHERE x.id = "));
    sql.bind(id);
    if let Some(source) = among.source(tx) {
        sql.push(" AND x.customer_id IN (SELECT c.id FROM customers c WHERE c.source = ");
        sql.bind(source);
        sql.push(")");
    }
    let conditions = tx.conditions(Access::Customer, &mut sql);
    sql.push(&conditions);
    let Some(row) = tx.row(sql).await? else { return Err(Refusal::not_found(field).into()) };
    let customer = get(&row, "customer_id")?;
    tx.lock_customer(customer).await?.ok_or_else(|| Refusal::not_found(field).into())
}
