//! Campaigns, the coupons that go with them, and the products that a coupon is good for.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use c360_entities::{campaign, coupon_definition, coupon_product};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::catalogue::Catalogue;
use super::values::{SOURCE, id, key, time};
use crate::bulk::Batch;
use crate::ingest::table::Table;
use crate::ingest::{Error, Report};

const CAMPAIGNS: &str = "campaign_descriptions.csv";
const COUPONS: &str = "coupons.csv";
/// Rows that are written together.
const BATCH: usize = 20_000;

/// A campaign as members and coupons need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Campaign {
    pub(super) id: Uuid,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
}

/// What the retailer offered.
#[derive(Debug, Default)]
pub(super) struct Offers {
    campaigns: HashMap<u64, Campaign>,
    /// By campaign and the number under the coupon's bars.
    coupons: HashMap<(u64, u64), Uuid>,
}

impl Offers {
    pub(super) fn campaign(&self, number: u64) -> Option<&Campaign> {
        self.campaigns.get(&number)
    }

    pub(super) fn coupon(&self, campaign: u64, upc: u64) -> Option<Uuid> {
        self.coupons.get(&(campaign, upc)).copied()
    }

    /// What the database knows of this source.
    pub(super) async fn load(db: &DatabaseConnection) -> Result<Self, Error> {
        let mut offers = Self::default();
        let mut numbers = HashMap::new();
        for row in campaign::Entity::find().filter(campaign::Column::Source.eq(SOURCE)).all(db).await? {
            if let Ok(number) = row.code.parse::<u64>() {
                numbers.insert(row.id, number);
                let campaign = Campaign { id: row.id, starts_at: row.starts_at, ends_at: row.ends_at };
                offers.campaigns.insert(number, campaign);
            }
        }
        let definitions = coupon_definition::Entity::find().filter(coupon_definition::Column::Source.eq(SOURCE));
        for row in definitions.all(db).await? {
            let campaign = row.campaign_id.and_then(|id| numbers.get(&id));
            if let (Some(campaign), Ok(upc)) = (campaign, row.code.parse()) {
                offers.coupons.insert((*campaign, upc), row.id);
            }
        }
        Ok(offers)
    }

    /// Brings in what the database does not know yet.
    pub(super) async fn import(
        &mut self,
        db: &DatabaseConnection,
        folder: &Path,
        catalogue: &Catalogue,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut batch = Batch::new(db);
        self.import_campaigns(folder, &mut batch, report)?;
        batch.write(db).await?;
        self.import_coupons(db, folder, catalogue, report).await
    }

    fn import_campaigns(&mut self, folder: &Path, batch: &mut Batch, report: &mut Report) -> Result<(), Error> {
        let columns = ["campaign_id", "campaign_type", "start_date", "end_date"];
        let Some(mut table) = Table::open(folder, CAMPAIGNS, columns)? else { return Ok(()) };
        report.begin(CAMPAIGNS);
        while let Some(row) = table.next(report)? {
            let line = row.line;
            match campaign(row.fields) {
                Ok((number, model)) if !self.campaigns.contains_key(&number) => {
                    let campaign = Campaign { id: model.id, starts_at: model.starts_at, ends_at: model.ends_at };
                    self.campaigns.insert(number, campaign);
                    batch.push(&model);
                    report.count("campaigns", 1);
                }
                Ok(_) => {}
                Err(reason) => report.reject(CAMPAIGNS, line, reason),
            }
        }
        Ok(())
    }

    async fn import_coupons(
        &mut self,
        db: &DatabaseConnection,
        folder: &Path,
        catalogue: &Catalogue,
        report: &mut Report,
    ) -> Result<(), Error> {
        let Some(mut table) = Table::open(folder, COUPONS, ["campaign_id", "coupon_upc", "product_id"])? else {
            return Ok(());
        };
        report.begin(COUPONS);
        let known = coupon_product::Entity::find().all(db).await?;
        let mut known: HashSet<_> = known.into_iter().map(|row| (row.definition_id, row.product_id)).collect();
        let (mut batch, mut rows) = (Batch::new(db), 0);
        while let Some(row) = table.next(report)? {
            rows += 1;
            let line = row.line;
            let (key, campaign, product) = match self.coupon_row(row.fields, catalogue) {
                Ok(found) => found,
                Err(reason) => {
                    report.reject(COUPONS, line, reason);
                    continue;
                }
            };
            let definition = *self.coupons.entry(key).or_insert_with(|| {
                let model = definition(key, &campaign);
                batch.push(&model);
                report.count("coupon definitions", 1);
                model.id
            });
            // The data names some pairs several times.
            if known.insert((definition, product)) {
                batch.push(&coupon_product::Model { definition_id: definition, product_id: product });
                report.count("coupon products", 1);
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

    fn coupon_row(
        &self,
        [campaign, upc, product]: [&str; 3],
        catalogue: &Catalogue,
    ) -> Result<((u64, u64), Campaign, Uuid), String> {
        let number = key(campaign, "campaign_id")?;
        let upc = key(upc, "coupon_upc")?;
        let product = key(product, "product_id")?;
        let campaign = self.campaign(number).ok_or_else(|| format!("there is no campaign {number}"))?;
        let product = catalogue.product(product).ok_or_else(|| format!("there is no product {product}"))?;
        Ok(((number, upc), *campaign, product.id))
    }
}

fn campaign([number, kind, start, end]: [&str; 4]) -> Result<(u64, campaign::Model), String> {
    let number = key(number, "campaign_id")?;
    let starts_at = time(start, "start_date")?;
    // The last day is part of it.
    let ends_at = time(end, "end_date")? + TimeDelta::days(1) - TimeDelta::seconds(1);
    if ends_at < starts_at {
        return Err(format!("the campaign ends ({end}) before it starts ({start})"));
    }
    let model = campaign::Model {
        id: id(starts_at, "campaign", number),
        source: SOURCE.into(),
        code: number.to_string(),
        name: format!("Campaign {number}"),
        kind: if kind.is_empty() { "UNKNOWN".into() } else { kind.to_uppercase().replace(' ', "_") },
        starts_at,
        ends_at,
    };
    Ok((number, model))
}

fn definition((campaign_number, upc): (u64, u64), campaign: &Campaign) -> coupon_definition::Model {
    coupon_definition::Model {
        id: id(campaign.starts_at, "coupon_definition", format_args!("{campaign_number}/{upc}")),
        campaign_id: Some(campaign.id),
        source: SOURCE.into(),
        code: upc.to_string(),
        title: format!("Manufacturer's coupon {upc}"),
        kind: "MANUFACTURER".into(),
        value_minor: None,
        percentage_bp: None,
        currency: None,
    }
}
