//! What a customer is found by, as rows.

use c360_entities::customer;
use c360_entities::customer_search_entry::Model;
use c360_rules::identifier::{Entry, NameEntries, customer_number};
use uuid::Uuid;

/// A record of the books: a customer's own, or one that was merged into it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The number that the retailer gave.
    pub number: &'a str,
    /// The name.
    pub name: Option<&'a str>,
}

impl<'a> Record<'a> {
    /// That of a row.
    pub fn of(row: &'a customer::Model) -> Self {
        Self { number: &row.number, name: row.name.as_deref() }
    }
}

/// The rows of a customer in use: its own record, then those that were merged into it. Whoever writes a customer, or
/// changes a name, a number, a status or a merge, writes these in the same transaction; records that are not in use
/// have none.
pub fn entries(customer_id: Uuid, records: &[Record<'_>]) -> Vec<Model> {
    let own = records.first().and_then(|record| record.name).unwrap_or_default();
    let mut names = vec![own];
    names.extend(records.iter().skip(1).filter_map(|record| record.name));
    let NameEntries { names, mut entries } = NameEntries::of(&names);
    entries.retain(|text, _| !text.is_empty());
    let numbers = records.iter().filter_map(|record| customer_number(record.number).ok());
    let words = entries.into_iter().chain(numbers.map(|number| (number, Entry::Number)));
    words.map(|(text, entry)| Model { text, kind: entry as i16, names: names.clone(), customer_id }).collect()
}
