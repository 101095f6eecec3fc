//! The lines that were sold, read in chunks of whole households.

use std::collections::HashMap;
use std::path::Path;

use c360_rules::money::Currency;
use chrono::{DateTime, Utc};

use super::catalogue::Catalogue;
use super::values::{cents, key, quantity, time};
use crate::ingest::table::{Row, Table};
use crate::ingest::{Error, Report};

pub(super) const FILE: &str = "transactions.csv";
const COLUMNS: [&str; 10] = [
    "household_id",
    "store_id",
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "retail_disc",
    "coupon_disc",
    "coupon_match_disc",
    "transaction_timestamp",
];
/// A chunk ends with the household that brings it to so many lines …
const CHUNK: usize = 20_000;
/// … or, for a household that never ends, with the basket.
const LARGE_CHUNK: usize = 4 * CHUNK;
/// No basket is larger; what goes on like one is a broken file.
const MAX_BASKET: usize = 2 * CHUNK;
/// Products without a description are counted one by one up to so many.
const MAX_UNKNOWN: usize = 10_000;

/// A line of a basket. Amounts are in cents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sale {
    household: u64,
    basket: u64,
    store: u64,
    pub(super) product: u64,
    pub(super) quantity: i32,
    /// What the retailer receives.
    pub(super) total: i64,
    pub(super) loyalty_discount: i64,
    pub(super) coupon_discount: i64,
    pub(super) match_discount: i64,
    at: DateTime<Utc>,
    line: u64,
}

impl Sale {
    pub(super) fn discount(&self) -> i64 {
        self.loyalty_discount + self.coupon_discount + self.match_discount
    }
}

/// A basket, as far as its lines are sound.
#[derive(Debug)]
pub(super) struct Basket {
    pub(super) number: u64,
    pub(super) store: u64,
    pub(super) placed_at: DateTime<Utc>,
    /// The line of the file on which it begins.
    pub(super) line: u64,
    pub(super) sales: Vec<Sale>,
}

impl Basket {
    pub(super) fn total(&self) -> i64 {
        self.sales.iter().map(|sale| sale.total).sum()
    }
}

/// The baskets of one household, oldest first.
#[derive(Debug)]
pub(super) struct Household {
    pub(super) number: u64,
    pub(super) baskets: Vec<Basket>,
}

/// Households that are written together.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) households: Vec<Household>,
    pub(super) lines: usize,
    by_household: HashMap<u64, usize>,
    by_basket: HashMap<u64, (usize, usize)>,
}

impl Chunk {
    /// Adds a sale to its basket, or says why it cannot belong to it.
    fn add(&mut self, sale: Sale) -> Result<(), String> {
        if let Some((owner, _)) = self.by_basket.get(&sale.basket)
            && self.households[*owner].number != sale.household
        {
            return Err(format!("basket {} belongs to household {}", sale.basket, self.households[*owner].number));
        }
        let next = self.households.len();
        let at = *self.by_household.entry(sale.household).or_insert(next);
        if at == next {
            self.households.push(Household { number: sale.household, baskets: Vec::new() });
        }
        let baskets = &mut self.households[at].baskets;
        let (_, place) = *self.by_basket.entry(sale.basket).or_insert((at, baskets.len()));
        if place == baskets.len() {
            let Sale { basket: number, store, at: placed_at, line, .. } = sale;
            baskets.push(Basket { number, store, placed_at, line, sales: Vec::new() });
        }
        let sales = &mut baskets[place].sales;
        if sales.len() >= MAX_BASKET {
            return Err(format!("basket {} has more than {MAX_BASKET} lines", sale.basket));
        }
        sales.push(sale);
        self.lines += 1;
        Ok(())
    }

    /// Whether a sale that follows belongs to the next chunk.
    fn ends_before(&self, last: &Sale, next: &Sale) -> bool {
        let other_household = last.household != next.household;
        let other_basket = last.basket != next.basket;
        self.lines >= CHUNK && other_household || self.lines >= LARGE_CHUNK && other_basket
    }
}

/// Reads the file of sales.
pub(super) struct Sales {
    table: Table<10>,
    currency: Currency,
    held_back: Option<Sale>,
    time: (String, DateTime<Utc>),
    /// Products that are in no list, with how often they were sold.
    unknown: HashMap<u64, u64>,
    rows: u64,
}

impl Sales {
    pub(super) fn open(folder: &Path, currency: Currency) -> Result<Self, Error> {
        let Some(table) = Table::open(folder, FILE, COLUMNS)? else {
            return Err(Error::Format(format!("{}: there is no file {FILE}", folder.display())));
        };
        let time = (String::new(), DateTime::default());
        Ok(Self { table, currency, held_back: None, time, unknown: HashMap::new(), rows: 0 })
    }

    /// The next households; `None` at the end.
    pub(super) fn next_chunk(&mut self, catalogue: &Catalogue, report: &mut Report) -> Result<Option<Chunk>, Error> {
        let mut chunk = Chunk::default();
        let mut last = None;
        while let Some(sale) = self.next_sale(catalogue, report)? {
            if last.is_some_and(|last| chunk.ends_before(&last, &sale)) {
                self.held_back = Some(sale);
                break;
            }
            match chunk.add(sale) {
                Ok(()) => last = Some(sale),
                Err(reason) => report.reject(FILE, sale.line, reason),
            }
        }
        for household in &mut chunk.households {
            household.baskets.sort_by_key(|basket| (basket.placed_at, basket.number));
        }
        Ok((chunk.lines > 0).then_some(chunk))
    }

    pub(super) fn progress(&self, report: &mut Report) {
        let (read, size) = self.table.position();
        report.progress(self.rows, read, size);
    }

    /// Products that were sold and are in no list: how many, and how often in all.
    pub(super) fn unknown_products(&self) -> (usize, u64) {
        (self.unknown.len(), self.unknown.values().sum())
    }

    fn next_sale(&mut self, catalogue: &Catalogue, report: &mut Report) -> Result<Option<Sale>, Error> {
        if let Some(sale) = self.held_back.take() {
            return Ok(Some(sale));
        }
        while let Some(row) = self.table.next(report)? {
            self.rows += 1;
            let line = row.line;
            match sale(row, self.currency, &mut self.time) {
                Ok(sale) => {
                    if catalogue.product(sale.product).is_none() {
                        note_unknown(&mut self.unknown, &sale, report);
                    }
                    return Ok(Some(sale));
                }
                Err(reason) => report.reject(FILE, line, reason),
            }
        }
        Ok(None)
    }
}

/// The money was paid whether or not the product has a description: the line stays, and is told of once.
fn note_unknown(unknown: &mut HashMap<u64, u64>, sale: &Sale, report: &mut Report) {
    let product = sale.product;
    if let Some(count) = unknown.get_mut(&product) {
        *count += 1;
        return;
    }
    if unknown.len() < MAX_UNKNOWN {
        unknown.insert(product, 1);
    }
    let note = format!("product {product} is not in products.csv; its lines are kept without a product");
    report.note(FILE, sale.line, note);
}

/// Lines of one basket share their time: it is read once.
fn sale(row: Row<'_, 10>, currency: Currency, known: &mut (String, DateTime<Utc>)) -> Result<Sale, String> {
    let [household, store, basket, product, amount, total, retail, coupon, matched, at] = row.fields;
    if known.0 != at {
        *known = (at.to_owned(), time(at, COLUMNS[9])?);
    }
    Ok(Sale {
        household: key(household, COLUMNS[0])?,
        store: key(store, COLUMNS[1])?,
        basket: key(basket, COLUMNS[2])?,
        product: key(product, COLUMNS[3])?,
        quantity: quantity(amount)?,
        total: cents(total, COLUMNS[5], currency)?,
        loyalty_discount: cents(retail, COLUMNS[6], currency)?,
        coupon_discount: cents(coupon, COLUMNS[7], currency)?,
        match_discount: cents(matched, COLUMNS[8], currency)?,
        at: known.1,
        line: row.line,
    })
}
