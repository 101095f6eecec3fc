//! Stores and products: what lines refer to. Held in memory, since every line looks them up.

use std::collections::HashMap;
use std::path::Path;

use c360_entities::{product, store};
use sea_orm::{ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::values::{SOURCE, beginning, id, key, words};
use crate::bulk::Batch;
use crate::ingest::table::Table;
use crate::ingest::{Error, Report};

const FILE: &str = "products.csv";
const COLUMNS: [&str; 6] = ["product_id", "department", "brand", "product_category", "product_type", "package_size"];
/// Rows that are written together.
const BATCH: usize = 20_000;

/// A product as lines show it.
#[derive(Clone, Debug)]
pub(super) struct Product {
    pub(super) id: Uuid,
    pub(super) title: Box<str>,
}

/// What there is to buy, and where.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    products: HashMap<u64, Product>,
    stores: HashMap<u64, Uuid>,
}

impl Catalogue {
    /// What the database knows of this source.
    pub(super) async fn load(db: &DatabaseConnection) -> Result<Self, Error> {
        let mut catalogue = Self::default();
        for row in product::Entity::find().filter(product::Column::Source.eq(SOURCE)).all(db).await? {
            if let Ok(sku) = row.sku.parse() {
                catalogue.products.insert(sku, Product { id: row.id, title: row.title.into() });
            }
        }
        for row in store::Entity::find().filter(store::Column::Source.eq(SOURCE)).all(db).await? {
            if let Ok(number) = row.number.parse() {
                catalogue.stores.insert(number, row.id);
            }
        }
        Ok(catalogue)
    }

    /// Brings in the products that the database does not know yet.
    pub(super) async fn import(
        &mut self,
        db: &DatabaseConnection,
        folder: &Path,
        report: &mut Report,
    ) -> Result<(), Error> {
        let Some(mut table) = Table::open(folder, FILE, COLUMNS)? else {
            return Err(Error::Format(format!("{}: there is no file {FILE}", folder.display())));
        };
        report.begin(FILE);
        let (mut batch, mut rows) = (Batch::new(db), 0);
        while let Some(row) = table.next(report)? {
            rows += 1;
            let line = row.line;
            match product(row.fields) {
                Ok((number, model)) if !self.products.contains_key(&number) => {
                    self.products.insert(number, Product { id: model.id, title: model.title.clone().into() });
                    batch.push(&model);
                    report.count("products", 1);
                }
                Ok(_) => {}
                Err(reason) => report.reject(FILE, line, reason),
            }
            if batch.len() >= BATCH {
                batch.write(db).await?;
                let (read, size) = table.position();
                report.progress(rows, read, size);
            }
        }
        batch.write(db).await?;
        Ok(())
    }

    pub(super) fn product(&self, number: u64) -> Option<&Product> {
        self.products.get(&number)
    }

    /// The id of a store; one that is new is handed to `add`.
    pub(super) fn store(&mut self, number: u64, add: impl FnOnce(store::Model)) -> Uuid {
        *self.stores.entry(number).or_insert_with(|| {
            let model = store_row(number);
            let id = model.id;
            add(model);
            id
        })
    }
}

fn store_row(number: u64) -> store::Model {
    store::Model {
        id: id(beginning(), "store", number),
        number: number.to_string(),
        name: format!("Store {number}"),
        kind: "STORE".into(),
        country: Some("US".into()),
        timezone: "UTC".into(),
        source: SOURCE.into(),
        created_at: beginning(),
    }
}

fn product([number, department, brand, category, kind, size]: [&str; 6]) -> Result<(u64, product::Model), String> {
    let number = key(number, "product_id")?;
    let (department, category, kind) = (words(department), words(category), words(kind));
    // Sizes are short and in capitals that mean something: 12 OZ, 750 ML.
    let size = Some(size.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|size| !size.is_empty());
    let model = product::Model {
        id: id(beginning(), "product", number),
        sku: number.to_string(),
        title: title([&kind, &category, &department], size.as_deref(), number),
        brand: words(brand),
        department,
        category,
        package_size: size,
        source: SOURCE.into(),
        created_at: beginning(),
    };
    Ok((number, model))
}

/// The most exact name there is, with the size: `Fluid Milk White Only, 1/2 GAL`.
fn title(names: [&Option<String>; 3], size: Option<&str>, number: u64) -> String {
    let name = names.into_iter().flatten().next().cloned().unwrap_or_else(|| format!("Product {number}"));
    match size {
        Some(size) => format!("{name}, {size}"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_most_exact_name_and_the_size() {
        let titled = |fields| product(fields).map(|(_, product)| product.title);
        let milk = titled(["7", "GROCERY", "National", "FLUID MILK PRODUCTS", "FLUID MILK WHITE ONLY", " 1/2  GAL"]);
        assert_eq!(milk.as_deref(), Ok("Fluid Milk White Only, 1/2 GAL"));
        assert_eq!(titled(["7", "PASTRY", "", "BREAD", "", ""]).as_deref(), Ok("Bread"));
        assert_eq!(titled(["7", "MISC. TRANS.", "", "", "", ""]).as_deref(), Ok("Misc. Trans."));
        assert_eq!(titled(["7", "", "", "", "", ""]).as_deref(), Ok("Product 7"));
        assert!(titled(["seven", "", "", "", "", ""]).is_err());
    }
}
