//! `node` and `nodes`: objects by id, through each type's own checked lookup.

use std::collections::HashMap;

use async_graphql::{Context, ID, Interface, Object, Result};
use c360_rules::id::{self, Kind};
use uuid::Uuid;

use crate::auth::{Actor, policy};
use crate::domains::customers::store::{self as customers, CustomerRow};
use crate::domains::orders::Order;
use crate::domains::orders::store::{self as orders, OrderRow};
use crate::domains::tickets::Ticket;
use crate::domains::tickets::store::{self as tickets, TicketRow};
use crate::error::Fault;
use crate::read::{self, Find};
use crate::scope::Scope;
use crate::view360::Customer;

/// The kinds that are read by id.
const KINDS: [Kind; 3] = [Kind::Customer, Kind::Order, Kind::Ticket];

/// Most ids that `nodes` takes.
const MAX_NODES: usize = 100;

/// An object that can be read again by its id.
#[derive(Clone, Debug, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The object's id."))]
pub enum Node {
    /// A customer.
    Customer(Customer),
    /// An order.
    Order(Order),
    /// A ticket.
    Ticket(Ticket),
}

/// Root reads by id.
#[derive(Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// An object by its id, or null if there is none that you may see.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The object's id.")] id: ID) -> Result<Option<Node>> {
        let (kind, uuid) = parse("id", &id)?;
        Ok(lookup(ctx, kind, vec![uuid]).await?.remove(&uuid))
    }

    /// Objects by their ids, in the same order, with null for each that does not exist or that you may not see.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The objects' ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Option<Vec<Option<Node>>>> {
        if ids.len() > MAX_NODES {
            return Err(Fault::bad_input("ids", format!("at most {MAX_NODES} ids, not {}", ids.len())).into());
        }
        let parsed = ids.iter().map(|id| parse("ids", id)).collect::<Result<Vec<_>, Fault>>()?;
        let mut found = HashMap::new();
        for kind in KINDS {
            let wanted: Vec<Uuid> = parsed.iter().filter(|(k, _)| *k == kind).map(|(_, id)| *id).collect();
            if !wanted.is_empty() {
                found.extend(lookup(ctx, kind, wanted).await?);
            }
        }
        Ok(Some(parsed.iter().map(|(_, id)| found.get(id).cloned()).collect()))
    }
}

fn parse(argument: &str, id: &ID) -> Result<(Kind, Uuid), Fault> {
    let (kind, uuid) = id::parse(id).map_err(|error| Fault::bad_input(argument, error))?;
    match kind {
        kind if KINDS.contains(&kind) => Ok((kind, uuid)),
        other => {
            Err(Fault::bad_input(argument, format!("a {} is read through the object it belongs to", other.prefix())))
        }
    }
}

/// The objects that exist and that the caller may see, by the id that was asked for.
async fn lookup(ctx: &Context<'_>, kind: Kind, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Node>> {
    let scope = ctx.data_unchecked::<Scope>();
    let found = match kind {
        Kind::Order => {
            policy::check(scope.caller(), "Query", "order")?;
            let tree = read::read(ctx, scope, orders::root(Find::Ids(ids))).await?;
            tree.all::<OrderRow>().into_iter().map(|row| (row.id, Node::Order(row.into()))).collect()
        }
        Kind::Ticket => {
            policy::check(scope.caller(), "Query", "ticket")?;
            let tree = read::read(ctx, scope, tickets::root(Find::Ids(ids))).await?;
            tree.all::<TicketRow>().into_iter().map(|row| (row.id, Node::Ticket(row.into()))).collect()
        }
        _ => {
            if matches!(scope.caller().actor, Actor::Partner(_)) {
                policy::check(scope.caller(), "Query", "customer360")?;
            }
            let tree = read::read(ctx, scope, customers::root(Find::Ids(ids))).await?;
            tree.all::<CustomerRow>().into_iter().map(|row| (row.id, Node::Customer(row.into()))).collect()
        }
    };
    Ok(found)
}
