//! The loyalty programme, its rewards, and campaigns with their coupons.

use c360_entities::{
    campaign, coupon_definition, coupon_product, earning_rule, loyalty_programme, loyalty_tier, reward,
};
use c360_rules::tier::Tier;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Item, id};
use crate::retailer::homes::HOMES;
use crate::retailer::rows::Rows;

/// A reward, as the makers of redemptions need it.
#[derive(Debug)]
pub(crate) struct Prize {
    pub(crate) id: Uuid,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) cost: i64,
    pub(crate) min_rank: i16,
    /// The money that it is worth, of a discount or a gift card.
    pub(crate) value: Option<(i64, &'static str)>,
    pub(crate) available: bool,
}

/// A coupon that campaigns give out.
#[derive(Debug)]
pub(crate) struct CouponOffer {
    pub(crate) id: Uuid,
    pub(crate) prefix: &'static str,
    /// Off the order, in basis points.
    pub(crate) percentage_bp: i64,
}

/// What the makers of accounts need.
#[derive(Debug)]
pub(crate) struct Programme {
    pub(crate) id: Uuid,
    /// Ordered by rank.
    pub(crate) tiers: Vec<(Uuid, Tier)>,
    pub(crate) pending: TimeDelta,
    pub(crate) expiry: TimeDelta,
    pub(crate) qualification: TimeDelta,
    pub(crate) prizes: Vec<Prize>,
    pub(crate) offers: Vec<CouponOffer>,
    /// The coupon that a redeemed discount becomes, per currency and value.
    pub(crate) vouchers: Vec<(i64, &'static str, Uuid)>,
    pub(crate) campaigns: Vec<Uuid>,
}

const TIERS: [(&str, &str, i64, &str); 4] = [
    ("BRONZE", "Bronze", 0, "One point for each whole unit you spend; free shipping"),
    ("SILVER", "Silver", 300, "A gift on your birthday; returns within 30 days"),
    ("GOLD", "Gold", 900, "Early access to sales; free alterations"),
    ("PLATINUM", "Platinum", 2_500, "A team of your own, day and night; same-day delivery"),
];

pub(super) fn programme(rows: &mut Rows, opened: DateTime<Utc>, as_of: DateTime<Utc>, items: &[Item]) -> Programme {
    let programme = id(opened, "programme");
    rows.loyalty_programmes.push(loyalty_programme::Model {
        id: programme,
        code: "CIRCLE".to_owned(),
        name: "Circle".to_owned(),
        currency: "EUR".to_owned(),
        points_per_unit_bp: 10_000,
        pending_days: 14,
        expiry_days: Some(365),
        qualification_days: 365,
        active: true,
        created_at: opened,
        grace_days: 30,
        point_value_bp: Some(100),
    });
    let tiers = tiers(rows, opened, programme);
    let campaigns = campaigns(rows, opened, as_of);
    rows.earning_rules.push(rule(programme, id(opened, "earning rule"), None));
    for channel in ["POS", "WEB", "MOBILE_APP"] {
        rows.earning_rules.push(rule(programme, id(opened, &format!("earning rule {channel}")), Some(channel)));
    }
    let (prizes, vouchers) = rewards(rows, opened, programme);
    let offers = offers(rows, opened, &campaigns, items);
    Programme {
        id: programme,
        tiers,
        pending: TimeDelta::days(14),
        expiry: TimeDelta::days(365),
        qualification: TimeDelta::days(365),
        prizes,
        offers,
        vouchers,
        campaigns,
    }
}

fn tiers(rows: &mut Rows, opened: DateTime<Utc>, programme: Uuid) -> Vec<(Uuid, Tier)> {
    let mut tiers = Vec::new();
    for (rank, (code, name, threshold, benefits)) in (1_i16..).zip(TIERS) {
        let id = id(opened, &format!("tier {code}"));
        rows.loyalty_tiers.push(loyalty_tier::Model {
            id,
            programme_id: programme,
            code: code.to_owned(),
            name: name.to_owned(),
            rank,
            threshold_points: threshold,
            multiplier_bp: 10_000,
            benefits: Some(benefits.to_owned()),
        });
        tiers.push((id, Tier { rank: i32::from(rank), threshold }));
    }
    tiers
}

/// No multiplier: one point for each whole unit, on every channel.
fn rule(programme_id: Uuid, id: Uuid, channel: Option<&str>) -> earning_rule::Model {
    earning_rule::Model {
        id,
        programme_id,
        campaign_id: None,
        channel: channel.map(str::to_owned),
        multiplier_bp: 10_000,
        starts_at: None,
        ends_at: None,
        active: true,
    }
}

/// Code, name, kind, cost, least rank, stock, value and currency, offered.
type Row = (&'static str, &'static str, &'static str, i64, i16, Option<i32>, Option<(i64, &'static str)>, bool);

#[rustfmt::skip]
const REWARDS: [Row; 21] = [
    ("EUR-5", "€5 off", "DISCOUNT", 100, 1, None, Some((500, "EUR")), true),
    ("EUR-15", "€15 off", "DISCOUNT", 250, 2, None, Some((1_500, "EUR")), true),
    ("USD-5", "$5 off", "DISCOUNT", 100, 1, None, Some((500, "USD")), true),
    ("USD-15", "$15 off", "DISCOUNT", 250, 2, None, Some((1_500, "USD")), true),
    ("BGN-10", "10 лв. отстъпка", "DISCOUNT", 100, 1, None, Some((1_000, "BGN")), true),
    ("AED-20", "خصم 20 درهماً", "DISCOUNT", 100, 1, None, Some((2_000, "AED")), true),
    ("KRW-5000", "5,000원 할인", "DISCOUNT", 100_000, 1, None, Some((5_000, "KRW")), true),
    ("KRW-20000", "20,000원 할인", "DISCOUNT", 300_000, 3, None, Some((20_000, "KRW")), true),
    ("GIFT-EUR-25", "Gift card €25", "GIFT_CARD", 500, 2, Some(900), Some((2_500, "EUR")), true),
    ("GIFT-USD-25", "Gift card $25", "GIFT_CARD", 500, 2, Some(700), Some((2_500, "USD")), true),
    ("MUG", "Stoneware mug", "GIFT", 80, 1, Some(2_500), None, true),
    ("TOTE", "Canvas tote", "GIFT", 180, 1, Some(1_200), None, true),
    ("CANDLE", "Soy candle", "GIFT", 150, 1, Some(0), None, true),
    ("THROW", "Wool throw", "GIFT", 600, 3, Some(140), None, true),
    ("ADVENT", "Advent calendar", "GIFT", 120, 1, Some(0), None, false),
    ("BARISTA", "Barista workshop", "EXPERIENCE", 700, 2, Some(24), None, true),
    ("STYLIST", "An hour with a stylist", "EXPERIENCE", 500, 3, Some(60), None, true),
    ("ATELIER", "Evening at the atelier", "EXPERIENCE", 1_500, 4, Some(12), None, true),
    ("TREES", "Plant five trees", "DONATION", 50, 1, None, None, true),
    ("FOODBANK", "A box for the food bank", "DONATION", 120, 1, None, None, true),
    ("SHELTER", "Help for an animal shelter", "DONATION", 80, 1, None, None, true),
];

fn rewards(rows: &mut Rows, opened: DateTime<Utc>, programme: Uuid) -> (Vec<Prize>, Vec<(i64, &'static str, Uuid)>) {
    let (mut prizes, mut vouchers) = (Vec::new(), Vec::new());
    for (code, name, kind, cost, min_rank, stock, value, active) in REWARDS {
        let reward = id(opened, &format!("reward {code}"));
        rows.rewards.push(reward::Model {
            id: reward,
            programme_id: programme,
            code: code.to_owned(),
            name: name.to_owned(),
            description: None,
            kind: kind.to_owned(),
            cost_points: cost,
            min_tier_rank: min_rank,
            stock,
            value_minor: value.map(|(minor, _)| minor),
            currency: value.map(|(_, currency)| currency.to_owned()),
            starts_at: None,
            ends_at: None,
            active,
        });
        let available = active && stock != Some(0);
        prizes.push(Prize { id: reward, name, kind, cost, min_rank, value, available });
        if let Some((minor, currency)) = value {
            let definition = id(opened, &format!("coupon reward {code}"));
            rows.coupon_definitions.push(coupon_definition::Model {
                id: definition,
                campaign_id: None,
                source: "c360".to_owned(),
                code: format!("REWARD-{code}"),
                title: name.to_owned(),
                kind: "AMOUNT".to_owned(),
                value_minor: Some(minor),
                percentage_bp: None,
                currency: Some(currency.to_owned()),
            });
            vouchers.push((minor, currency, definition));
        }
    }
    (prizes, vouchers)
}

fn campaigns(rows: &mut Rows, opened: DateTime<Utc>, as_of: DateTime<Utc>) -> Vec<Uuid> {
    let mut campaigns = Vec::new();
    for (code, name, kind, starts, ends) in [
        ("SPRING", "Spring refresh", "SEASON", -240, -180),
        ("SUMMER", "Summer of linen", "SEASON", -150, -90),
        ("WELCOME", "Welcome", "ALWAYS_ON", -1_500, 700),
        ("AUTUMN", "Warm evenings", "SEASON", -40, 30),
    ] {
        let id = id(opened, &format!("campaign {code}"));
        rows.campaigns.push(campaign::Model {
            id,
            source: "marketing".to_owned(),
            code: code.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            starts_at: as_of + TimeDelta::days(starts),
            ends_at: as_of + TimeDelta::days(ends),
        });
        campaigns.push(id);
    }
    campaigns
}

fn offers(rows: &mut Rows, opened: DateTime<Utc>, campaigns: &[Uuid], items: &[Item]) -> Vec<CouponOffer> {
    let mut offers = Vec::new();
    for (place, prefix, title, percentage_bp) in [
        (2, "HELLO", "10 % off your next order", 1_000),
        (1, "LINEN", "15 % off linen", 1_500),
        (3, "WARM", "20 % off for warm evenings", 2_000),
    ] {
        let id = id(opened, &format!("coupon {prefix}"));
        let campaign = campaigns.get(place).copied();
        rows.coupon_definitions.push(coupon_definition::Model {
            id,
            campaign_id: campaign,
            source: "marketing".to_owned(),
            code: prefix.to_owned(),
            title: title.to_owned(),
            kind: "PERCENTAGE".to_owned(),
            value_minor: None,
            percentage_bp: Some(percentage_bp),
            currency: None,
        });
        offers.push(CouponOffer { id, prefix, percentage_bp: i64::from(percentage_bp) });
    }
    for item in items.iter().filter(|item| item.title.contains("inen")) {
        rows.coupon_products.push(coupon_product::Model { definition_id: offers[1].id, product_id: item.id });
    }
    for (code, title, kind, value, currency) in [
        ("SHIP-FREE", "Free shipping", "FREE_SHIPPING", None, None),
        ("KLAR-10", "€10 from Klar", "MANUFACTURER", Some(1_000), Some(HOMES[1].currency)),
    ] {
        rows.coupon_definitions.push(coupon_definition::Model {
            id: id(opened, &format!("coupon {code}")),
            campaign_id: campaigns.first().copied(),
            source: "marketing".to_owned(),
            code: code.to_owned(),
            title: title.to_owned(),
            kind: kind.to_owned(),
            value_minor: value,
            percentage_bp: None,
            currency: currency.map(str::to_owned),
        });
    }
    offers
}
