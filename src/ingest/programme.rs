//! The loyalty programme that imported customers are enrolled in.

use c360_entities::{loyalty_account, loyalty_programme, loyalty_tier};
use c360_rules::tier::{self, Tier};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::Error;
use crate::bulk::Batch;
use crate::clock::derived_id;

/// What a programme is in that an import has to make.
const CURRENCY: &str = "USD";
/// The programme that the gateway starts with.
const CODE: &str = "default";
/// Code, name, points within the qualification period, benefits.
const TIERS: [(&str, &str, i64, &str); 4] = [
    ("MEMBER", "Member", 0, "Points on every purchase"),
    ("SILVER", "Silver", 1_000, "Offers before others"),
    ("GOLD", "Gold", 2_500, "Free delivery"),
    ("PLATINUM", "Platinum", 5_000, "A team of its own in customer service"),
];

/// A programme and its tiers.
#[derive(Debug)]
pub(super) struct Programme {
    pub(super) id: Uuid,
    /// How far back points count for the tier, in days.
    pub(super) qualification_days: i64,
    tiers: Vec<(Uuid, Tier)>,
}

impl Programme {
    /// An account that is new: nothing has been earned, in the lowest tier. `earning` is `ORDERS` or `LEDGER`.
    pub(super) fn account(
        &self,
        id: Uuid,
        customer_id: Uuid,
        number: String,
        enrolled_at: DateTime<Utc>,
        earning: &str,
    ) -> loyalty_account::Model {
        loyalty_account::Model {
            id,
            programme_id: self.id,
            customer_id,
            number,
            status: "ACTIVE".into(),
            tier_id: self.tier(0),
            tier_until: None,
            active_points: 0,
            pending_points: 0,
            held_points: 0,
            owed_points: 0,
            spent_points: 0,
            expired_points: 0,
            lifetime_points: 0,
            qualifying_points: 0,
            version: 1,
            enrolled_at,
            earning: earning.into(),
            review_at: None,
            kept_points: None,
        }
    }

    /// The default programme; made now if there is none.
    pub(super) async fn ensure(db: &DatabaseConnection, now: DateTime<Utc>) -> Result<Self, Error> {
        let find = loyalty_programme::Entity::find().filter(loyalty_programme::Column::Code.eq(CODE));
        let Some(row) = find.one(db).await? else {
            let (programme, tiers) = default_programme(now);
            let mut batch = Batch::new(db);
            batch.push(&programme);
            tiers.iter().for_each(|tier| batch.push(tier));
            batch.write(db).await?;
            return Ok(Self::new(&programme, tiers));
        };
        let tiers = loyalty_tier::Entity::find().filter(loyalty_tier::Column::ProgrammeId.eq(row.id)).all(db).await?;
        if tiers.is_empty() {
            return Err(Error::Format(format!("the loyalty programme {CODE:?} has no tiers")));
        }
        Ok(Self::new(&row, tiers))
    }

    fn new(row: &loyalty_programme::Model, tiers: Vec<loyalty_tier::Model>) -> Self {
        let tiers = tiers
            .into_iter()
            .map(|tier| (tier.id, Tier { rank: tier.rank.into(), threshold: tier.threshold_points }))
            .collect();
        Self { id: row.id, qualification_days: row.qualification_days.into(), tiers }
    }

    /// The tier that so many points reach; the lowest if they reach none.
    pub(super) fn tier(&self, points: i64) -> Uuid {
        let tiers: Vec<Tier> = self.tiers.iter().map(|(_, tier)| *tier).collect();
        let reached = tier::current(points, &tiers).or_else(|| tiers.iter().min_by_key(|tier| tier.threshold));
        self.tiers.iter().find(|(_, tier)| Some(tier) == reached).map(|(id, _)| *id).unwrap_or_default()
    }

    /// Whether a tier is above another.
    pub(super) fn is_better(&self, tier: Uuid, than: Uuid) -> bool {
        let rank = |id| self.tiers.iter().find(|(tier, _)| *tier == id).map(|(_, tier)| tier.rank);
        rank(tier) > rank(than)
    }
}

fn default_programme(now: DateTime<Utc>) -> (loyalty_programme::Model, Vec<loyalty_tier::Model>) {
    let programme = loyalty_programme::Model {
        id: id("loyalty_programme", CODE),
        code: CODE.into(),
        name: "Rewards".into(),
        currency: CURRENCY.into(),
        points_per_unit_bp: 10_000,
        pending_days: 0,
        expiry_days: None,
        qualification_days: 365,
        active: true,
        created_at: now,
        grace_days: 30,
        point_value_bp: None,
    };
    let tiers = TIERS.iter().zip(1..).map(|((code, name, threshold, benefits), rank)| loyalty_tier::Model {
        id: id("loyalty_tier", format_args!("{CODE}/{code}")),
        programme_id: programme.id,
        code: (*code).into(),
        name: (*name).into(),
        rank,
        threshold_points: *threshold,
        multiplier_bp: 10_000,
        benefits: Some((*benefits).into()),
    });
    let tiers = tiers.collect();
    (programme, tiers)
}

/// The same, whichever import makes it.
fn id(kind: &str, name: impl std::fmt::Display) -> Uuid {
    let beginning = DateTime::from_timestamp(1_483_228_800, 0).unwrap_or_default();
    derived_id(beginning, "complete-journey", &format!("{kind}/{name}"))
}
