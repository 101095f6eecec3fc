//! New customers.

use async_graphql::InputObject;
use c360_entities::customer;
use c360_rules::id::Kind;
use c360_rules::identifier::name_fold;
use chrono::TimeDelta;
use uuid::Uuid;

use super::address::{self, CustomerAddressInput};
use super::consent::{ConsentInput, decide_all};
use super::profile::{birthday, find_anew, locale, name};
use crate::clock;
use crate::domains::customers::identity::{self, CustomerIdentityInput, Fields, Identity};
use crate::domains::customers::store::{self, ContactChannel};
use crate::error::Fault;
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::graphql::Date;
use crate::payload;
use crate::view360::Customer;
use crate::write::{Action, Outcome, Problem, Stop, Tx, Work};

/// Most identities that a new customer comes with.
const MOST_IDENTITIES: usize = 20;
/// Most decisions that a new customer comes with: one for each purpose and channel.
const MOST_CONSENTS: usize = 36;
/// How many numbers are tried; one of a billion is rarely taken.
const TRIES: u32 = 8;

/// A new customer. Give a name, or something to recognise the customer by.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerCreateInput {
    /// The name as the person writes it, at most 200 characters.
    name: Option<String>,
    /// Language and region, as in BCP 47: `ko-KR`.
    locale: Option<String>,
    /// The birthday; not in the future.
    birthday: Option<Date>,
    /// How the customer likes to be reached.
    preferred_channel: Option<ContactChannel>,
    /// What the customer is recognised by, at most 20. The first e-mail and phone are those to write to and to call.
    #[graphql(default)]
    identities: Vec<CustomerIdentityInput>,
    /// Where the customer lives.
    address: Option<CustomerAddressInput>,
    /// What the customer has decided on this occasion.
    #[graphql(default)]
    consents: Vec<ConsentInput>,
    /// Makes it safe to send the request again: there is one customer for each key.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of making a new customer.
    CustomerCreatePayload of Uuid {
        /// The new customer.
        customer: Customer = |id| Some(store::root(store::by_id(*id))),
    }
    CustomerCreateUserError {
        CustomerCreateErrorCode:
        IdentityTaken, IdentityExists, TooMany, InvalidValue, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

impl Action for CustomerCreateInput {
    const NAME: &'static str = "customerCreate";

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }
}

impl Work for CustomerCreateInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        let row = self.read(tx)?;
        let identities = self.identities.iter().map(|input| Identity::read(tx, input, &Fields::SEVERAL));
        let identities = identities.collect::<Outcome<Vec<_>>>()?;
        let address = self.address.as_ref().map(|address| address.read(tx.new_id(), row.id, tx.now())).transpose()?;

        let row = insert(tx, row).await?;
        tx.lock_customer(row.id).await?.ok_or_else(Fault::internal)?;
        tx.tell(
            Event::of(TimelineEntryKind::CustomerCreated, TimelineDomain::Customers)
                .customer(row.id)
                .about(Kind::Customer, row.id)
                .label(row.number.clone())
                .change("name", None, row.name.clone())
                .change("locale", None, row.locale.clone())
                .change("birthday", None, row.birthday)
                .change("preferredChannel", None, row.preferred_channel.clone()),
        );
        find_anew(tx, &row).await?;
        for (place, new) in (0..).zip(identities) {
            // The first one is the oldest.
            let created_at = row.created_at + TimeDelta::microseconds(place);
            identity::add(tx, row.id, new, created_at, &Fields::SEVERAL).await?;
        }
        if let Some(address) = address {
            address::add(tx, address).await?;
        }
        decide_all(tx, row.id, &self.consents).await?;
        Ok(row.id)
    }
}

impl CustomerCreateInput {
    /// The row that it stands for, without a number.
    fn read(&self, tx: &Tx) -> Outcome<customer::Model> {
        if self.name.is_none() && self.identities.is_empty() {
            let message = "give a name, or something to recognise the customer by";
            return Err(Problem::Blank.at("name", message).into());
        }
        if self.identities.len() > MOST_IDENTITIES {
            return Err(Problem::TooMany.at("identities", format!("give at most {MOST_IDENTITIES}")).into());
        }
        if self.consents.len() > MOST_CONSENTS {
            return Err(Problem::TooMany.at("consents", format!("give at most {MOST_CONSENTS}")).into());
        }
        let name = self.name.as_deref().map(name).transpose()?;
        Ok(customer::Model {
            id: tx.new_id(),
            number: String::new(),
            status: "ACTIVE".into(),
            merged_into_id: None,
            name_folded: name.as_deref().map(name_fold),
            name,
            locale: self.locale.as_deref().map(locale).transpose()?,
            birthday: self.birthday.map(|day| birthday(tx, day)).transpose()?,
            preferred_channel: self.preferred_channel.map(|channel| channel.as_str().into()),
            member_since: Some(tx.now()),
            vip: false,
            risk: "LOW".into(),
            source: tx.source(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
        })
    }
}

/// Adds a row under a number that nobody has.
async fn insert(tx: &mut Tx, row: customer::Model) -> Outcome<customer::Model> {
    for _ in 0..TRIES {
        let row = customer::Model { number: number()?, ..row.clone() };
        if tx.insert_new(row.clone()).await? {
            return Ok(row);
        }
    }
    Err(Stop::Again)
}

/// A number of nine digits that nobody can guess, and that no counter makes creators wait for.
fn number() -> Outcome<String> {
    let bytes = clock::random_bytes().map_err(|_| Fault::internal())?;
    let random = bytes.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Ok(format!("C-{:09}", random % 1_000_000_000))
}
