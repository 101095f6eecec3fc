//! Addresses of customers.

use async_graphql::{ID, InputObject};
use c360_entities::address;
use c360_rules::id::Kind;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::changed;
use crate::domains::customers::object::CustomerAddress;
use crate::domains::customers::store::AddressKind;
use crate::domains::customers::verification::verified;
use crate::domains::customers::whose::{Among, named, owner};
use crate::domains::customers::{CustomerIdentifier, store};
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::graphql::id;
use crate::payload;
use crate::view360::Customer;
use crate::write::{self, Action, Locked, Outcome, Problem, Refusal, Tx, Work};

/// Most addresses of a customer.
const MOST: usize = 20;

/// A postal address.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerAddressInput {
    /// What it is for.
    kind: AddressKind,
    /// Who receives, if it is not the customer; at most 200 characters.
    recipient: Option<String>,
    /// Street and number; at most 200 characters.
    line1: String,
    /// Floor, flat, building; at most 200 characters.
    line2: Option<String>,
    /// The city; at most 100 characters.
    city: String,
    /// The state or province; at most 100 characters.
    region: Option<String>,
    /// The postal code; at most 20 characters.
    postal_code: Option<String>,
    /// The country: two capital letters, as in ISO 3166-1 alpha-2.
    country: String,
    /// Whether it is used when nothing else is said; no other one is then. The first address always is.
    #[graphql(default)]
    is_default: bool,
}

/// A new address.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerAddressAddInput {
    /// Whose it is; customers may leave it out.
    customer: Option<CustomerIdentifier>,
    /// The address. A customer has at most 20.
    address: CustomerAddressInput,
    /// The version of the customer that you have read; leave it out to go on whatever else has changed.
    expected_version: Option<i32>,
}

/// An address that has changed.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerAddressUpdateInput {
    /// Which one.
    address_id: ID,
    /// What it is now, whole.
    address: CustomerAddressInput,
    /// The version of the customer that you have read; leave it out to go on whatever else has changed.
    expected_version: Option<i32>,
}

/// An address that is no longer good.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerAddressRemoveInput {
    /// Which one.
    address_id: ID,
    /// The version of the customer that you have read; leave it out to go on whatever else has changed.
    expected_version: Option<i32>,
}

/// An address, and whose it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Addressed {
    customer: Uuid,
    address: Uuid,
}

payload! {
    /// What came of adding an address.
    CustomerAddressAddPayload of Addressed {
        /// The address.
        address: CustomerAddress = |made| Some(store::address(made.address)),
        /// The customer.
        customer: Customer = |made| Some(store::root(store::by_id(made.customer))),
    }
    CustomerAddressAddUserError {
        CustomerAddressAddErrorCode:
        NotFound, CallerNotVerified, TooMany, InvalidValue, Blank, TooLong, InvalidText, Conflict,
    }
}

payload! {
    /// What came of changing an address.
    CustomerAddressUpdatePayload of Addressed {
        /// The address.
        address: CustomerAddress = |made| Some(store::address(made.address)),
        /// The customer.
        customer: Customer = |made| Some(store::root(store::by_id(made.customer))),
    }
    CustomerAddressUpdateUserError {
        CustomerAddressUpdateErrorCode:
        NotFound, CallerNotVerified, InvalidValue, Blank, TooLong, InvalidText, Conflict,
    }
}

payload! {
    /// What came of removing an address.
    CustomerAddressRemovePayload of Uuid {
        /// The customer, without it.
        customer: Customer = |id| Some(store::root(store::by_id(*id))),
    }
    CustomerAddressRemoveUserError { CustomerAddressRemoveErrorCode: NotFound, CallerNotVerified, Conflict }
}

impl Action for CustomerAddressAddInput {
    const NAME: &'static str = "customerAddressAdd";
}

impl Work for CustomerAddressAddInput {
    type Made = Addressed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Addressed> {
        let row = self.address.read(Uuid::nil(), Uuid::nil(), tx.now())?;
        let customer = named(tx, self.customer.as_ref(), Among::Own).await?;
        verified(tx, customer.id).await?;
        Refusal::unless_current(self.expected_version, customer.version)?;
        let row = address::Model { id: tx.new_id(), customer_id: customer.id, created_at: tx.now(), ..row };
        let address = add(tx, row).await?;
        changed(tx, customer.id).await?;
        Ok(Addressed { customer: customer.id, address })
    }
}

impl Action for CustomerAddressUpdateInput {
    const NAME: &'static str = "customerAddressUpdate";
}

impl Work for CustomerAddressUpdateInput {
    type Made = Addressed;

    async fn run(&self, tx: &mut Tx) -> Outcome<Addressed> {
        let (customer, before) = known(tx, &self.address_id, self.expected_version).await?;
        let row = self.address.read(before.id, customer.id, before.created_at)?;
        let made = Addressed { customer: customer.id, address: row.id };
        if row == before {
            return Ok(made);
        }
        if row.is_default {
            no_default(tx, customer.id).await?;
        }
        let event = told(TimelineEntryKind::AddressUpdated, &row);
        tx.tell(event.change("address", Some(in_words(&before)), Some(in_words(&row))));
        tx.put(row).await?;
        changed(tx, customer.id).await?;
        Ok(made)
    }
}

impl Action for CustomerAddressRemoveInput {
    const NAME: &'static str = "customerAddressRemove";
}

impl Work for CustomerAddressRemoveInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        let (customer, row) = known(tx, &self.address_id, self.expected_version).await?;
        let mut sql = tx.sql();
        sql.push("DELETE FROM addresses WHERE id = ");
        sql.bind(row.id);
        tx.execute(sql).await?;
        tx.tell(told(TimelineEntryKind::AddressRemoved, &row).change("address", Some(in_words(&row)), None));
        changed(tx, customer.id).await?;
        Ok(customer.id)
    }
}

impl CustomerAddressInput {
    /// The row that it stands for.
    ///
    /// # Errors
    /// `INVALID_VALUE`, `BLANK`, `TOO_LONG`, `INVALID_TEXT`.
    pub(super) fn read(&self, id: Uuid, customer_id: Uuid, created_at: DateTime<Utc>) -> Outcome<address::Model> {
        let line =
            |field, text: &Option<String>, most| text.as_ref().map(|text| write::line(field, text, most)).transpose();
        let country = write::line("address.country", &self.country, 100)?;
        if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let message = "write two capital letters, like DE (ISO 3166-1)";
            return Err(Problem::InvalidValue.at("address.country", message).into());
        }
        Ok(address::Model {
            id,
            customer_id,
            kind: self.kind.as_str().into(),
            recipient: line("address.recipient", &self.recipient, 200)?,
            line1: write::line("address.line1", &self.line1, 200)?,
            line2: line("address.line2", &self.line2, 200)?,
            city: write::line("address.city", &self.city, 100)?,
            region: line("address.region", &self.region, 100)?,
            postal_code: line("address.postalCode", &self.postal_code, 20)?,
            country,
            is_default: self.is_default,
            created_at,
        })
    }
}

/// Adds an address to a locked customer; its id.
///
/// # Errors
/// `TOO_MANY`.
pub(super) async fn add(tx: &mut Tx, mut row: address::Model) -> Outcome<Uuid> {
    let there = address::Entity::find().filter(address::Column::CustomerId.eq(row.customer_id));
    let there = tx.all(there).await?.len();
    if there >= MOST {
        return Err(Problem::TooMany.at("address", format!("a customer has at most {MOST} addresses")).into());
    }
    row.is_default |= there == 0;
    if row.is_default {
        no_default(tx, row.customer_id).await?;
    }
    let id = row.id;
    tx.tell(told(TimelineEntryKind::AddressAdded, &row).change("address", None, Some(in_words(&row))));
    tx.insert([row]).await?;
    Ok(id)
}

/// None of the customer's addresses is the one that is used when nothing else is said.
async fn no_default(tx: &mut Tx, customer_id: Uuid) -> Outcome<()> {
    let mut sql = tx.sql();
    sql.push("UPDATE addresses SET is_default = ");
    sql.bind(false);
    sql.push(" WHERE customer_id = ");
    sql.bind(customer_id);
    tx.execute(sql).await.map(drop)
}

/// An address that the caller may change, with its customer locked, and whoever is on the phone checked.
async fn known(tx: &mut Tx, address_id: &ID, expected_version: Option<i32>) -> Outcome<(Locked, address::Model)> {
    let id = id::parse("input.addressId", Kind::Address, address_id)?;
    let customer = owner(tx, "addresses", id, "addressId", Among::Own).await?;
    let row = tx.one(address::Entity::find_by_id(id)).await?.ok_or_else(|| Refusal::not_found("addressId"))?;
    verified(tx, customer.id).await?;
    Refusal::unless_current(expected_version, customer.version)?;
    Ok((customer, row))
}

fn told(kind: TimelineEntryKind, row: &address::Model) -> Event {
    Event::of(kind, TimelineDomain::Customers)
        .customer(row.customer_id)
        .about(Kind::Address, row.id)
        .label(row.kind.clone())
}

/// An address on one line.
fn in_words(row: &address::Model) -> String {
    let parts =
        [&row.recipient, &Some(row.line1.clone()), &row.line2, &row.postal_code, &Some(row.city.clone()), &row.region];
    let parts = parts.into_iter().flatten().map(String::as_str).chain([row.country.as_str()]);
    let words = parts.collect::<Vec<_>>().join(", ");
    format!("{}: {words}{}", row.kind, if row.is_default { " (default)" } else { "" })
}
