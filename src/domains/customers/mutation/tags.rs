//! Tags that staff give to customers.

use async_graphql::InputObject;
use c360_entities::customer_tag;
use c360_rules::id::Kind;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::changed;
use crate::domains::customers::{CustomerIdentifier, store, whose};
use crate::events::{Event, TimelineDomain, TimelineEntryKind, Visibility};
use crate::payload;
use crate::view360::Customer;
use crate::write::{self, Action, Outcome, Problem, Tx, Work};

/// Most characters of a tag.
const LONGEST: usize = 64;
/// Most tags of a customer, as many as are read.
const MOST: usize = 100;

/// Tags to give.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerTagsAddInput {
    /// Whom to tag.
    customer: CustomerIdentifier,
    /// The tags, each of 1 to 64 characters. A customer has at most 100.
    tags: Vec<String>,
}

/// Tags to take away.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerTagsRemoveInput {
    /// Whose tags.
    customer: CustomerIdentifier,
    /// The tags, each of 1 to 64 characters; at most 100.
    tags: Vec<String>,
}

payload! {
    /// What came of tagging a customer.
    CustomerTagsAddPayload of Uuid {
        /// The customer, with all tags.
        customer: Customer = |id| Some(store::root(store::by_id(*id))),
    }
    CustomerTagsAddUserError { CustomerTagsAddErrorCode: NotFound, Blank, TooLong, InvalidText, TooMany }
}

payload! {
    /// What came of taking tags away.
    CustomerTagsRemovePayload of Uuid {
        /// The customer, with the tags that are left.
        customer: Customer = |id| Some(store::root(store::by_id(*id))),
    }
    CustomerTagsRemoveUserError { CustomerTagsRemoveErrorCode: NotFound, Blank, TooLong, InvalidText, TooMany }
}

impl Action for CustomerTagsAddInput {
    const NAME: &'static str = "customerTagsAdd";
}

impl Work for CustomerTagsAddInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        let tags = checked(&self.tags)?;
        let customer_id = whose(tx, Some(&self.customer)).await?.id;
        let there = tags_of(tx, customer_id).await?;
        let new: Vec<String> = tags.into_iter().filter(|tag| !there.contains(tag)).collect();
        if there.len() + new.len() > MOST {
            return Err(too_many());
        }
        if new.is_empty() {
            return Ok(customer_id);
        }
        let (staff_id, created_at) = (tx.staff_id().await?, tx.now());
        tx.tell(event(customer_id).change("tags", None, Some(new.join(", "))));
        let row = |tag| customer_tag::Model { customer_id, tag, staff_id, created_at };
        tx.insert(new.into_iter().map(row)).await?;
        changed(tx, customer_id).await?;
        Ok(customer_id)
    }
}

impl Action for CustomerTagsRemoveInput {
    const NAME: &'static str = "customerTagsRemove";
}

impl Work for CustomerTagsRemoveInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        let tags = checked(&self.tags)?;
        let customer_id = whose(tx, Some(&self.customer)).await?.id;
        let mut gone = tags_of(tx, customer_id).await?;
        gone.retain(|tag| tags.contains(tag));
        if gone.is_empty() {
            return Ok(customer_id);
        }
        for tag in &gone {
            let mut sql = tx.sql();
            sql.push("DELETE FROM customer_tags WHERE customer_id = ");
            sql.bind(customer_id);
            sql.push(" AND tag = ");
            sql.bind(tag.clone());
            tx.execute(sql).await?;
        }
        tx.tell(event(customer_id).change("tags", Some(gone.join(", ")), None));
        changed(tx, customer_id).await?;
        Ok(customer_id)
    }
}

/// The tags of an input, each once.
fn checked(tags: &[String]) -> Outcome<Vec<String>> {
    if tags.len() > MOST {
        return Err(too_many());
    }
    let mut checked = Vec::with_capacity(tags.len());
    for tag in tags {
        let tag = write::line("tags", tag, LONGEST)?;
        if !checked.contains(&tag) {
            checked.push(tag);
        }
    }
    Ok(checked)
}

fn too_many() -> write::Stop {
    Problem::TooMany.at("tags", format!("a customer has at most {MOST} tags")).into()
}

async fn tags_of(tx: &mut Tx, customer_id: Uuid) -> Outcome<Vec<String>> {
    let tags = customer_tag::Entity::find().filter(customer_tag::Column::CustomerId.eq(customer_id));
    Ok(tx.all(tags).await?.into_iter().map(|row| row.tag).collect())
}

fn event(customer_id: Uuid) -> Event {
    Event::of(TimelineEntryKind::TagsUpdated, TimelineDomain::Customers)
        .seen_by(Visibility::Staff)
        .customer(customer_id)
        .about(Kind::Customer, customer_id)
}
