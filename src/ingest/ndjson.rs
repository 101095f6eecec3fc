//! The general import: customers, identities, orders, tickets, points and feedback, one JSON object per line.
//!
//! | step | module |
//! | --- | --- |
//! | lines of files, folders and standard input, never held when they are too long | `lines` |
//! | a line becomes an item, or a problem with its field; the forms double as the documentation | `parse`, `items`, `form` |
//! | batches; what fails is found by halving; what names something that is still to come waits | `writer`, `waiting` |
//! | what the database has of what a batch names | `known`, `world` |
//! | items become rows, one after the other | `draft`, `customers`, `orders`, `parcels`, `returns`, `tickets`, `loyalty`, `book`, `feedback` |
//! | figures that follow from the rows | `statistics` |
//!
//! A batch is one transaction. Its outcome depends on the items and their order alone, not on where batches begin:
//! so a run that was killed is gone on with by running it again.

mod book;
mod customers;
mod draft;
mod feedback;
mod form;
mod items;
mod known;
mod lines;
mod lookup;
mod loyalty;
mod orders;
mod parcels;
mod parse;
mod reference;
mod returns;
mod statistics;
mod tickets;
mod waiting;
mod world;
mod writer;

use std::path::Path;

use sea_orm::DatabaseConnection;

pub use self::parse::content_hash;
pub use self::reference::{json_schema, reference};
use self::world::World;
use self::writer::Writer;
use super::{Error, Report};
use crate::clock::Clock;

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Where a phone number without a country code may be from.
    pub phone_regions: &'a [String],
    /// A file to write rejected lines to, as NDJSON; standard error has them if there is none.
    pub rejects: Option<&'a Path>,
    /// How many items are written together.
    pub batch: usize,
}

/// A good size of a batch: what it costs to begin one is shared by many.
pub const BATCH: usize = 16_000;

/// Brings in what the database does not have yet of the items at `path`.
///
/// # Errors
/// A file that cannot be read or written, or a database that fails. What was written before stays whole.
pub async fn import(
    db: &DatabaseConnection,
    clock: &Clock,
    path: &Path,
    options: Options<'_>,
    report: &mut Report,
) -> Result<(), Error> {
    let lines = lines::Lines::open(path)?;
    let world = World::load(db, clock.now(), options.phone_regions).await?;
    let mut writer = Writer::new(db, world, options, report)?;
    writer.read(lines).await?;
    writer.finish().await
}
