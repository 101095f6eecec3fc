//! The search index: what is wrong with it, and how it is made right.
//!
//! Every row in it follows from the customers' names and numbers, so it can always be made anew: after rows were written
//! by other means, and when a new build reads names in another way.

use std::collections::{BTreeMap, BTreeSet};

use c360_entities::{customer, customer_search_entry as entry};
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use crate::bulk::Batch;
use crate::cache::lease;
use crate::domains::customers::search::{Record, entries};

/// Customers that are looked at together.
const CHUNK: u64 = 5_000;
/// Ids in one statement.
const IDS: usize = 1_000;

/// What was found, and made right if that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Customers looked at.
    pub customers: u64,
    /// Customers whose entries were wrong or missing.
    pub wrong: u64,
}

/// Looks at all customers, and writes the entries of those that have wrong ones if `mend` says so. `tell` is called after
/// each chunk, with those of it that were wrong.
///
/// # Errors
/// The database cannot be read or written.
pub async fn reindex(
    db: &DatabaseConnection,
    mend: bool,
    mut tell: impl FnMut(Summary, &[Uuid]),
) -> Result<Summary, DbErr> {
    let mut summary = Summary::default();
    let mut after = None;
    loop {
        let page = customer::Entity::find()
            .filter(after.map_or_else(|| customer::Column::Id.is_not_null(), |id| customer::Column::Id.gt(id)))
            .order_by_asc(customer::Column::Id)
            .limit(CHUNK)
            .all(db)
            .await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let ids: Vec<Uuid> = page.iter().map(|customer| customer.id).collect();
        let (right, there) = (expected(db, &page).await?, present(db, &ids).await?);
        let none = BTreeSet::new();
        let wrong: Vec<Uuid> =
            ids.into_iter().filter(|id| right.get(id).unwrap_or(&none) != there.get(id).unwrap_or(&none)).collect();
        if mend {
            write(db, &wrong, &right).await?;
        }
        summary.customers += page.len() as u64;
        summary.wrong += wrong.len() as u64;
        tell(summary, &wrong);
    }
    if mend {
        lease::reopen(db).await?;
    }
    Ok(summary)
}

type Entries = BTreeMap<Uuid, BTreeSet<entry::Model>>;

/// The entries that the customers in use ought to have.
async fn expected(db: &DatabaseConnection, page: &[customer::Model]) -> Result<Entries, DbErr> {
    let in_use: Vec<&customer::Model> = page.iter().filter(|customer| customer.status == "ACTIVE").collect();
    let mut merged: BTreeMap<Uuid, Vec<customer::Model>> = BTreeMap::new();
    for some in in_use.chunks(IDS) {
        let into = customer::Column::MergedIntoId.is_in(some.iter().map(|customer| customer.id));
        for record in customer::Entity::find().filter(into).order_by_asc(customer::Column::Id).all(db).await? {
            if let Some(survivor) = record.merged_into_id {
                merged.entry(survivor).or_default().push(record);
            }
        }
    }
    let of = |customer: &&customer::Model| {
        let others = merged.get(&customer.id).into_iter().flatten();
        let records: Vec<_> = std::iter::once(*customer).chain(others).map(Record::of).collect();
        (customer.id, entries(customer.id, &records).into_iter().collect())
    };
    Ok(in_use.iter().map(of).collect())
}

async fn present(db: &DatabaseConnection, ids: &[Uuid]) -> Result<Entries, DbErr> {
    let mut there = Entries::new();
    for some in ids.chunks(IDS) {
        let of = entry::Column::CustomerId.is_in(some.iter().copied());
        for row in entry::Entity::find().filter(of).all(db).await? {
            there.entry(row.customer_id).or_default().insert(row);
        }
    }
    Ok(there)
}

async fn write(db: &DatabaseConnection, wrong: &[Uuid], right: &Entries) -> Result<(), DbErr> {
    for some in wrong.chunks(IDS) {
        let of = entry::Column::CustomerId.is_in(some.iter().copied());
        entry::Entity::delete_many().filter(of).exec(db).await?;
    }
    let mut batch = Batch::new(db);
    for rows in wrong.iter().filter_map(|id| right.get(id)) {
        rows.iter().for_each(|row| batch.push(row));
    }
    if batch.is_empty() { Ok(()) } else { batch.write(db).await }
}
