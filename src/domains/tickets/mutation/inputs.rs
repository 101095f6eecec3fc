//! What inputs of tickets have in common: tags, and what a ticket is about.

use async_graphql::ID;
use c360_entities::{ticket_link, ticket_tag};
use c360_rules::id::Kind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::{Domain, Reach};
use crate::graphql::id;
use crate::read::Access;
use crate::write::{Outcome, Problem, Refusal, Tx, get, short_text};

/// Most tags and most links of a ticket: as many as can be read.
const MOST: i64 = 100;
/// Most characters of a tag.
const TAG: usize = 50;

/// A ticket, and what was written on it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Written {
    pub(super) ticket: Uuid,
    pub(super) message: Uuid,
}

/// The ticket that an input names.
///
/// # Errors
/// `BAD_USER_INPUT`.
pub(super) fn ticket_id(id: &ID) -> Outcome<Uuid> {
    Ok(id::parse("input.ticketId", Kind::Ticket, id)?)
}

/// Tags in the form in which they are stored: lower case, without spaces.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID_TEXT`.
pub(super) fn tags(field: &'static str, tags: &[String]) -> Outcome<Vec<String>> {
    tags.iter()
        .map(|tag| {
            let tag = short_text(field, tag)?.to_lowercase();
            if tag.chars().nth(TAG).is_some() {
                return Err(Problem::TooLong.at(field, format!("at most {TAG} characters")).into());
            }
            Ok(tag.split_whitespace().collect::<Vec<_>>().join("-"))
        })
        .collect()
}

/// Adds tags that a ticket does not have yet; those that it got.
///
/// # Errors
/// `OUT_OF_RANGE`.
pub(super) async fn add_tags(
    tx: &mut Tx,
    ticket: (Uuid, Uuid),
    field: &'static str,
    tags: Vec<String>,
) -> Outcome<Vec<String>> {
    let (ticket_id, customer_id) = ticket;
    let mut added = Vec::new();
    for tag in tags {
        if tx.insert_new(ticket_tag::Model { ticket_id, customer_id, tag: tag.clone() }).await? {
            added.push(tag);
        }
    }
    if !added.is_empty() {
        within_most(tx, "ticket_tags", ticket_id, field).await?;
    }
    Ok(added)
}

/// Takes tags away; those that it had.
///
/// # Errors
/// The database fails.
pub(super) async fn remove_tags(tx: &mut Tx, ticket_id: Uuid, tags: Vec<String>) -> Outcome<Vec<String>> {
    let mut removed = Vec::new();
    for tag in tags {
        let mut sql = tx.sql();
        sql.push("DELETE FROM ticket_tags WHERE ticket_id = ");
        sql.bind(ticket_id);
        sql.push(" AND tag = ");
        sql.bind(tag.clone());
        if tx.execute(sql).await? > 0 {
            removed.push(tag);
        }
    }
    Ok(removed)
}

/// Something that a ticket may be about.
#[derive(Clone, Copy, Debug)]
pub(super) enum About {
    Order(Uuid),
    Return(Uuid),
}

/// The orders and returns of a list of ids.
///
/// # Errors
/// `BAD_USER_INPUT` for ids of something else.
pub(super) fn abouts(orders: &[ID], returns: &[ID]) -> Outcome<Vec<About>> {
    let orders = orders.iter().map(|order| Ok(About::Order(id::parse("input.orderIds", Kind::Order, order)?)));
    let returns = returns.iter().map(|back| Ok(About::Return(id::parse("input.returnIds", Kind::Return, back)?)));
    orders.chain(returns).collect()
}

/// Says that a ticket is about these; those that it was not about yet.
///
/// # Errors
/// `NOT_FOUND` for what is not the customer's own, or nothing that the caller may know of; `OUT_OF_RANGE`.
pub(super) async fn link(
    tx: &mut Tx,
    ticket: (Uuid, Uuid),
    abouts: &[About],
    fields: [&'static str; 2],
) -> Outcome<Vec<About>> {
    let (ticket_id, customer_id) = ticket;
    let mut linked = Vec::new();
    for about in abouts {
        let (table, found, field) = match about {
            About::Order(id) => ("orders", *id, fields[0]),
            About::Return(id) => ("returns", *id, fields[1]),
        };
        if !is_visible(tx, table, found, customer_id).await? {
            return Err(Refusal::not_found(field).into());
        }
        let mut row = ticket_link::Model { id: tx.new_id(), ticket_id, customer_id, order_id: None, return_id: None };
        match about {
            About::Order(id) => row.order_id = Some(*id),
            About::Return(id) => row.return_id = Some(*id),
        }
        if tx.insert_new(row).await? {
            linked.push(*about);
        }
    }
    if !linked.is_empty() {
        within_most(tx, "ticket_links", ticket_id, fields[0]).await?;
    }
    Ok(linked)
}

/// Whether an order or a return is the customer's, and the caller may know of it.
async fn is_visible(tx: &mut Tx, table: &str, id: Uuid, customer_id: Uuid) -> Outcome<bool> {
    if tx.caller().is_some_and(|caller| caller.reach(Domain::Orders) == Reach::Nothing) {
        return Ok(false);
    }
    let mut sql = tx.sql();
    // A return is as visible as its order.
    sql.push(match table {
        "returns" => "SELECT x.id FROM returns r JOIN orders x ON x.id = r.order_id WHERE r.id = ",
        _ => "SELECT x.id FROM orders x WHERE x.id = ",
    });
    sql.bind(id);
    sql.push(" AND x.customer_id = ");
    sql.bind(customer_id);
    let conditions = tx.conditions(Access::Records(Domain::Orders), &mut sql);
    sql.push(&conditions);
    Ok(tx.row(sql).await?.is_some())
}

async fn within_most(tx: &mut Tx, table: &str, ticket_id: Uuid, field: &'static str) -> Outcome<()> {
    let mut sql = tx.sql();
    sql.push(&format!("SELECT COUNT(*) AS have FROM {table} WHERE ticket_id = "));
    sql.bind(ticket_id);
    let have: i64 = tx.row(sql).await?.map(|row| get(&row, "have")).transpose()?.unwrap_or_default();
    if have > MOST {
        return Err(Problem::OutOfRange.at(field, format!("a ticket has at most {MOST} of them")).into());
    }
    Ok(())
}
