//! The 84.51° Complete Journey: a year of shopping of 2,469 households, as CSV files.
//!
//! | file | becomes | module |
//! | --- | --- | --- |
//! | `products.csv` | products | [`catalogue`] |
//! | `campaign_descriptions.csv`, `coupons.csv` | campaigns, coupon definitions and their products | [`offers`] |
//! | `demographics.csv`, `campaigns.csv`, `coupon_redemptions.csv` | tags, campaign members, coupons | [`households`] |
//! | `transactions.csv` | stores, orders with lines, discounts and payments, points | [`sales`], [`builder`], [`points`] |
//!
//! The last file is read once, in chunks of whole households; all rows of a household, with its account and its
//! statistics, are written in one transaction. A household that is new goes in by bulk load ([`rows`]); one that
//! is there already is looked up first ([`known`]), and what it lacks is added ([`extend`]).

mod builder;
mod catalogue;
mod extend;
mod households;
mod known;
mod offers;
mod points;
mod rows;
mod sales;
mod statistics;
#[cfg(test)]
mod tests;
mod values;
mod writer;

use std::path::Path;

use c360_rules::money::Currency;
use sea_orm::DatabaseConnection;

use self::builder::World;
use self::catalogue::Catalogue;
use self::households::Households;
use self::offers::Offers;
use self::sales::Sales;
use self::writer::Writer;
use super::programme::Programme;
use super::{Error, Report};
use crate::clock::Clock;

/// Households without a basket that are written together.
const REST: usize = 5_000;

/// Brings in what the database does not have yet of the files in `folder`.
///
/// # Errors
/// A file that cannot be read or lacks a column, or a database that refuses. What was written before stays whole.
pub async fn import(db: &DatabaseConnection, clock: &Clock, folder: &Path, report: &mut Report) -> Result<(), Error> {
    let currency: Currency = values::CURRENCY.parse().map_err(|_| Error::Format("no such currency".into()))?;
    let mut sales = Sales::open(folder, currency)?;
    let now = clock.now();
    let programme = Programme::ensure(db, now).await?;
    let mut catalogue = Catalogue::load(db).await?;
    catalogue.import(db, folder, report).await?;
    let mut offers = Offers::load(db).await?;
    offers.import(db, folder, &catalogue, report).await?;
    let mut households = Households::read(folder, &offers, report)?;

    let world = World { catalogue, offers, programme, currency, now };
    let mut writer = Writer::new(db, world);
    report.begin(sales::FILE);
    while let Some(chunk) = sales.next_chunk(writer.catalogue(), report)? {
        writer.write(chunk, &mut households, report).await?;
        sales.progress(report);
    }
    writer.write_rest(&mut households, REST, report).await?;
    writer.finish().await?;
    if let (products @ 1.., lines) = sales.unknown_products() {
        report.say(&format!("{lines} lines are of {products} products that are not in products.csv"));
    }
    Ok(())
}
