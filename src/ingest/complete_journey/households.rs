//! What the smaller files say about households: who lives there, the campaigns they got, the coupons they used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::offers::Offers;
use super::values::{key, time};
use crate::ingest::table::Table;
use crate::ingest::{Error, Report};

const DEMOGRAPHICS: &str = "demographics.csv";
const MEMBERS: &str = "campaigns.csv";
const REDEMPTIONS: &str = "coupon_redemptions.csv";

/// The column of each fact about a household, and what its tag is called.
const FACTS: [(&str, &str); 7] = [
    ("age", "age"),
    ("income", "income"),
    ("home_ownership", "home"),
    ("marital_status", "marital-status"),
    ("household_size", "household-size"),
    ("household_comp", "household"),
    ("kids_count", "kids"),
];

/// What is known of one household besides its baskets.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) tags: BTreeSet<String>,
    pub(super) campaigns: BTreeSet<u64>,
    pub(super) redemptions: BTreeSet<Redemption>,
}

/// A coupon that was handed in at a till.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Redemption {
    pub(super) at: DateTime<Utc>,
    pub(super) campaign: u64,
    pub(super) upc: u64,
    pub(super) definition: Uuid,
}

/// Every household of the smaller files.
#[derive(Debug, Default)]
pub(super) struct Households(BTreeMap<u64, Facts>);

impl Households {
    /// Reads the three files; those that are not there say nothing.
    pub(super) fn read(folder: &Path, offers: &Offers, report: &mut Report) -> Result<Self, Error> {
        let mut households = Self::default();
        households.read_demographics(folder, report)?;
        households.read_members(folder, offers, report)?;
        households.read_redemptions(folder, offers, report)?;
        Ok(households)
    }

    /// What is known of a household; it is forgotten here.
    pub(super) fn take(&mut self, household: u64) -> Facts {
        self.0.remove(&household).unwrap_or_default()
    }

    /// Some household that was not taken yet.
    pub(super) fn pop(&mut self) -> Option<(u64, Facts)> {
        self.0.pop_first()
    }

    fn read_demographics(&mut self, folder: &Path, report: &mut Report) -> Result<(), Error> {
        let [a, b, c, d, e, f, g] = FACTS.map(|(column, _)| column);
        let columns = ["household_id", a, b, c, d, e, f, g];
        let Some(mut table) = Table::open(folder, DEMOGRAPHICS, columns)? else { return Ok(()) };
        while let Some(row) = table.next(report)? {
            let [household, facts @ ..] = row.fields;
            let (line, tags) = (row.line, tags(facts));
            match key(household, "household_id") {
                Ok(household) => self.0.entry(household).or_default().tags.extend(tags),
                Err(reason) => report.reject(DEMOGRAPHICS, line, reason),
            }
        }
        Ok(())
    }

    fn read_members(&mut self, folder: &Path, offers: &Offers, report: &mut Report) -> Result<(), Error> {
        let Some(mut table) = Table::open(folder, MEMBERS, ["campaign_id", "household_id"])? else { return Ok(()) };
        while let Some(row) = table.next(report)? {
            let line = row.line;
            match member(row.fields, offers) {
                Ok((campaign, household)) => {
                    self.0.entry(household).or_default().campaigns.insert(campaign);
                }
                Err(reason) => report.reject(MEMBERS, line, reason),
            }
        }
        Ok(())
    }

    fn read_redemptions(&mut self, folder: &Path, offers: &Offers, report: &mut Report) -> Result<(), Error> {
        let columns = ["household_id", "coupon_upc", "campaign_id", "redemption_date"];
        let Some(mut table) = Table::open(folder, REDEMPTIONS, columns)? else { return Ok(()) };
        while let Some(row) = table.next(report)? {
            let line = row.line;
            match redemption(row.fields, offers) {
                Ok((household, redemption)) => {
                    self.0.entry(household).or_default().redemptions.insert(redemption);
                }
                Err(reason) => report.reject(REDEMPTIONS, line, reason),
            }
        }
        Ok(())
    }
}

/// `age:35-44`, `household:2-Adults-No-Kids`; nothing for what is not known.
fn tags(facts: [&str; 7]) -> Vec<String> {
    let known = facts.into_iter().zip(FACTS).filter(|(value, _)| !matches!(*value, "" | "NA" | "Unknown"));
    known.map(|(value, (_, tag))| format!("{tag}:{}", value.replace(' ', "-"))).collect()
}

fn member([campaign, household]: [&str; 2], offers: &Offers) -> Result<(u64, u64), String> {
    let campaign = key(campaign, "campaign_id")?;
    let household = key(household, "household_id")?;
    offers.campaign(campaign).map(|_| (campaign, household)).ok_or_else(|| format!("there is no campaign {campaign}"))
}

fn redemption([household, upc, campaign, at]: [&str; 4], offers: &Offers) -> Result<(u64, Redemption), String> {
    let household = key(household, "household_id")?;
    let upc = key(upc, "coupon_upc")?;
    let campaign = key(campaign, "campaign_id")?;
    let at = time(at, "redemption_date")?;
    let definition = offers.coupon(campaign, upc);
    let definition = definition.ok_or_else(|| format!("there is no coupon {upc} in campaign {campaign}"))?;
    Ok((household, Redemption { at, campaign, upc, definition }))
}
