//! What stands in a customer's profile.

use async_graphql::{InputObject, MaybeUndefined};
use c360_entities::{customer, customer_search_entry};
use c360_rules::id::Kind;
use c360_rules::identifier::name_fold;
use c360_rules::profile;
use chrono::NaiveDate;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use crate::auth::Caller;
use crate::domains::customers::search::{Record, entries};
use crate::domains::customers::store::{ContactChannel, RiskLevel};
use crate::domains::customers::whose::{Among, named};
use crate::domains::customers::{CustomerIdentifier, store};
use crate::error::Fault;
use crate::events::{Event, TimelineDomain, TimelineEntryKind, Visibility};
use crate::graphql::Date;
use crate::payload;
use crate::view360::Customer;
use crate::write::{self, Action, Outcome, Problem, Refusal, Tx, Work};

/// Most characters of a name.
const LONGEST_NAME: usize = 200;

/// What changes in a profile. What is left out stays as it is; null empties it.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerUpdateInput {
    /// Whose profile; customers may leave it out.
    customer: Option<CustomerIdentifier>,
    /// The name as the person writes it, at most 200 characters.
    name: MaybeUndefined<String>,
    /// Language and region, as in BCP 47: `ko-KR`.
    locale: MaybeUndefined<String>,
    /// The birthday; not in the future.
    birthday: MaybeUndefined<Date>,
    /// How the customer likes to be reached.
    preferred_channel: MaybeUndefined<ContactChannel>,
    /// Whether the customer is served first. Staff only.
    vip: Option<bool>,
    /// How likely the customer is to be a fraud. Staff only.
    risk: Option<RiskLevel>,
    /// The version of the customer that you have read; leave it out to go on whatever else has changed.
    expected_version: Option<i32>,
}

payload! {
    /// What came of changing a profile.
    CustomerUpdatePayload of Uuid {
        /// The customer.
        customer: Customer = |id| Some(store::root(store::by_id(*id))),
    }
    CustomerUpdateUserError {
        CustomerUpdateErrorCode: NotFound, InvalidValue, Blank, TooLong, InvalidText, Conflict,
    }
}

impl Action for CustomerUpdateInput {
    const NAME: &'static str = "customerUpdate";
}

impl Work for CustomerUpdateInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        if (self.vip.is_some() || self.risk.is_some()) && !tx.caller().is_some_and(Caller::is_staff) {
            return Err(Fault::forbidden("a role of staff to set vip and risk").into());
        }
        let name = checked(&self.name, |text| name(text))?;
        let locale = checked(&self.locale, |text| locale(text))?;
        let birthday = checked(&self.birthday, |day| birthday(tx, *day))?;
        let customer = named(tx, self.customer.as_ref(), Among::Own).await?;
        Refusal::unless_current(self.expected_version, customer.version)?;
        let before = tx.one(customer::Entity::find_by_id(customer.id)).await?;
        let before = before.ok_or_else(|| Refusal::not_found("customer"))?;
        let mut row = before.clone();
        set(&mut row.name, name);
        set(&mut row.locale, locale);
        set(&mut row.birthday, birthday);
        set(&mut row.preferred_channel, self.preferred_channel.map_value(|channel| channel.as_str().into()));
        row.vip = self.vip.unwrap_or(row.vip);
        row.risk = self.risk.map_or(row.risk, |risk| risk.as_str().into());
        if row != before {
            save(tx, before, row).await?;
        }
        Ok(customer.id)
    }
}

/// A field's new value in its normal form.
fn checked<T, U>(given: &MaybeUndefined<T>, check: impl Fn(&T) -> Outcome<U>) -> Outcome<MaybeUndefined<U>> {
    Ok(match given {
        MaybeUndefined::Undefined => MaybeUndefined::Undefined,
        MaybeUndefined::Null => MaybeUndefined::Null,
        MaybeUndefined::Value(value) => MaybeUndefined::Value(check(value)?),
    })
}

fn set<T>(column: &mut Option<T>, given: MaybeUndefined<T>) {
    match given {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *column = None,
        MaybeUndefined::Value(value) => *column = Some(value),
    }
}

/// Writes a changed profile of a locked customer, and what it is found by, and tells of it.
async fn save(tx: &mut Tx, before: customer::Model, mut row: customer::Model) -> Outcome<()> {
    let is_renamed = row.name != before.name;
    row.name_folded = row.name.as_deref().map(name_fold);
    row.version += 1;
    row.updated_at = tx.now();
    let event = Event::of(TimelineEntryKind::CustomerUpdated, TimelineDomain::Customers)
        .customer(row.id)
        .about(Kind::Customer, row.id)
        .label(row.number.clone())
        .change("name", before.name, row.name.clone())
        .change("locale", before.locale, row.locale.clone())
        .change("birthday", before.birthday, row.birthday)
        .change("preferredChannel", before.preferred_channel, row.preferred_channel.clone());
    let visibility = if event.changes.is_empty() { Visibility::Staff } else { Visibility::Customer };
    let event = event.change("vip", Some(before.vip), Some(row.vip));
    tx.tell(event.change("risk", Some(before.risk), Some(row.risk.clone())).seen_by(visibility));
    tx.put(row.clone()).await?;
    if is_renamed {
        find_anew(tx, &row).await?;
    }
    Ok(())
}

/// Writes what a customer is found by: its own name and number, and those of records that were merged into it.
pub(super) async fn find_anew(tx: &mut Tx, row: &customer::Model) -> Outcome<()> {
    let merged = customer::Entity::find().filter(customer::Column::MergedIntoId.eq(row.id));
    let merged = tx.all(merged.order_by_asc(customer::Column::Id)).await?;
    let records: Vec<_> = std::iter::once(row).chain(&merged).map(Record::of).collect();
    let rows: Vec<customer_search_entry::Model> = entries(row.id, &records);
    let mut sql = tx.sql();
    sql.push("DELETE FROM customer_search_entries WHERE customer_id = ");
    sql.bind(row.id);
    tx.execute(sql).await?;
    tx.insert(rows).await
}

/// A name.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID_TEXT`.
pub(super) fn name(text: &str) -> Outcome<String> {
    write::line("name", text, LONGEST_NAME)
}

/// A locale in its normal form.
///
/// # Errors
/// `INVALID_VALUE`.
pub(super) fn locale(text: &str) -> Outcome<String> {
    let wrong = || Problem::InvalidValue.at("locale", "write language and region, like ko-KR (BCP 47)");
    profile::locale(text).ok_or_else(|| wrong().into())
}

/// A birthday that somebody can have.
///
/// # Errors
/// `INVALID_VALUE`.
pub(super) fn birthday(tx: &Tx, day: Date) -> Outcome<NaiveDate> {
    let today = tx.now().with_timezone(&tx.state().config.retailer.timezone).date_naive();
    if profile::is_birthday(day.0, today) {
        return Ok(day.0);
    }
    Err(Problem::InvalidValue.at("birthday", "nobody who is a customer today was born on this day").into())
}
