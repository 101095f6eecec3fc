//! Adding, verifying and removing what a customer is recognised by.

use async_graphql::{ID, InputObject};
use c360_entities::customer_identity;
use c360_rules::id::Kind;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::changed;
use crate::auth::Actor;
use crate::domains::customers::identity::{CustomerIdentityInput, Fields, Identity, add, conflict, told};
use crate::domains::customers::object::CustomerIdentity;
use crate::domains::customers::store::IdentityKind;
use crate::domains::customers::verification::verified;
use crate::domains::customers::whose::{Among, named, owner};
use crate::domains::customers::{CustomerIdentifier, store};
use crate::events::TimelineEntryKind;
use crate::graphql::id;
use crate::payload;
use crate::view360::Customer;
use crate::write::{Action, Locked, Outcome, Problem, Refusal, Tx, Work};

/// Most identities of a customer.
const MOST: usize = 50;

/// Something new that a customer is recognised by.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerIdentityAddInput {
    /// Whose it is; customers may leave it out.
    customer: Option<CustomerIdentifier>,
    /// What it is. A customer has at most 50.
    identity: CustomerIdentityInput,
    /// The version of the customer that you have read; leave it out to add it whatever else has changed.
    expected_version: Option<i32>,
}

/// What is proved to be the customer's.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerIdentityVerifyInput {
    /// The identity.
    identity_id: ID,
    /// The version of the customer that you have read; leave it out to go on whatever else has changed.
    expected_version: Option<i32>,
}

/// What the customer is no longer recognised by.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerIdentityRemoveInput {
    /// The identity.
    identity_id: ID,
    /// The version of the customer that you have read; leave it out to go on whatever else has changed.
    expected_version: Option<i32>,
}

/// An identity, and whose it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Recognised {
    customer: Uuid,
    identity: Uuid,
}

payload! {
    /// What came of adding something that the customer is recognised by.
    CustomerIdentityAddPayload of Recognised {
        /// What was added.
        identity: CustomerIdentity = |made| Some(store::identity(made.identity)),
        /// The customer.
        customer: Customer = |made| Some(store::root(store::by_id(made.customer))),
    }
    CustomerIdentityAddUserError {
        CustomerIdentityAddErrorCode:
        NotFound, NotAllowed, CallerNotVerified, IdentityTaken, IdentityExists, TooMany,
        InvalidValue, Blank, TooLong, InvalidText, Conflict,
    }
}

payload! {
    /// What came of verifying something that the customer is recognised by.
    CustomerIdentityVerifyPayload of Recognised {
        /// What was verified.
        identity: CustomerIdentity = |made| Some(store::identity(made.identity)),
        /// The customer.
        customer: Customer = |made| Some(store::root(store::by_id(made.customer))),
    }
    CustomerIdentityVerifyUserError {
        CustomerIdentityVerifyErrorCode: NotFound, CallerNotVerified, IdentityTaken, Conflict,
    }
}

payload! {
    /// What came of removing something that the customer was recognised by.
    CustomerIdentityRemovePayload of Uuid {
        /// The customer, without it.
        customer: Customer = |id| Some(store::root(store::by_id(*id))),
    }
    CustomerIdentityRemoveUserError {
        CustomerIdentityRemoveErrorCode: NotFound, NotAllowed, CallerNotVerified, Conflict,
    }
}

impl Action for CustomerIdentityAddInput {
    const NAME: &'static str = "customerIdentityAdd";
}

impl Work for CustomerIdentityAddInput {
    type Made = Recognised;

    async fn run(&self, tx: &mut Tx) -> Outcome<Recognised> {
        let identity = Identity::read(tx, &self.identity, &Fields::ONE)?;
        let customer = named(tx, self.customer.as_ref(), Among::Known).await?;
        verified(tx, customer.id).await?;
        Refusal::unless_current(self.expected_version, customer.version)?;
        if self.identity.verified && !has_made(tx, &customer).await? {
            let message = "only customers whose record you have made can be verified by you";
            return Err(Problem::NotAllowed.at(Fields::ONE.verified, message).into());
        }
        let there = customer_identity::Entity::find().filter(customer_identity::Column::CustomerId.eq(customer.id));
        if tx.all(there).await?.len() >= MOST {
            return Err(Problem::TooMany.at("identity", format!("a customer has at most {MOST}")).into());
        }
        let created_at = tx.now();
        let id = add(tx, customer.id, identity, created_at, &Fields::ONE).await?;
        changed(tx, customer.id).await?;
        Ok(Recognised { customer: customer.id, identity: id })
    }
}

/// Whether the caller may speak for what is the customer's: a partner only where it has made the record.
async fn has_made(tx: &mut Tx, customer: &Locked) -> Outcome<bool> {
    let Some(Actor::Partner(_)) = tx.caller().map(|caller| &caller.actor) else { return Ok(true) };
    let row = tx.one(c360_entities::customer::Entity::find_by_id(customer.id)).await?;
    Ok(row.is_some_and(|row| row.source == tx.source()))
}

impl Action for CustomerIdentityVerifyInput {
    const NAME: &'static str = "customerIdentityVerify";
}

impl Work for CustomerIdentityVerifyInput {
    type Made = Recognised;

    async fn run(&self, tx: &mut Tx) -> Outcome<Recognised> {
        let (customer, row) = known(tx, &self.identity_id, Among::Own, self.expected_version).await?;
        let made = Recognised { customer: customer.id, identity: row.id };
        if row.verified_at.is_some() {
            return Ok(made);
        }
        let row = customer_identity::Model { verified_at: Some(tx.now()), ..row };
        // Written anew, so that the database itself says whether somebody else has proved it, however close the race.
        delete(tx, row.id).await?;
        if !tx.insert_new(row.clone()).await? {
            return Err(conflict(tx, &row, "identityId").await?.into());
        }
        tx.tell(told(TimelineEntryKind::IdentityVerified, &row));
        changed(tx, customer.id).await?;
        Ok(made)
    }
}

impl Action for CustomerIdentityRemoveInput {
    const NAME: &'static str = "customerIdentityRemove";
}

impl Work for CustomerIdentityRemoveInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        let (customer, row) = known(tx, &self.identity_id, Among::Known, self.expected_version).await?;
        match tx.caller().map(|caller| &caller.actor) {
            Some(Actor::Customer(_)) if !IdentityKind::OWN.iter().any(|kind| kind.as_str() == row.kind) => {
                let message = "cards and ids of other systems are removed by staff, or by the system";
                return Err(Problem::NotAllowed.at("identityId", message).into());
            }
            Some(Actor::Partner(partner)) if partner.source != row.source => {
                let message = "you may remove what you have brought in";
                return Err(Problem::NotAllowed.at("identityId", message).into());
            }
            _ => {}
        }
        delete(tx, row.id).await?;
        tx.tell(told(TimelineEntryKind::IdentityRemoved, &row).change("value", Some(row.value), None));
        changed(tx, customer.id).await?;
        Ok(customer.id)
    }
}

/// An identity that the caller may know of, with its customer locked, and whoever is on the phone checked.
async fn known(
    tx: &mut Tx,
    identity_id: &ID,
    among: Among,
    expected_version: Option<i32>,
) -> Outcome<(Locked, customer_identity::Model)> {
    let id = id::parse("input.identityId", Kind::Identity, identity_id)?;
    let customer = owner(tx, "customer_identities", id, "identityId", among).await?;
    let row = tx.one(customer_identity::Entity::find_by_id(id)).await?;
    let row = row.ok_or_else(|| Refusal::not_found("identityId"))?;
    verified(tx, customer.id).await?;
    Refusal::unless_current(expected_version, customer.version)?;
    Ok((customer, row))
}

async fn delete(tx: &mut Tx, id: Uuid) -> Outcome<()> {
    let mut sql = tx.sql();
    sql.push("DELETE FROM customer_identities WHERE id = ");
    sql.bind(id);
    tx.execute(sql).await.map(drop)
}
