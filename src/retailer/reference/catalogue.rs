//! Products, stores and segments.

use c360_entities::{product, segment, store};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::id;
use crate::retailer::homes::HOMES;
use crate::retailer::rows::Rows;
use crate::retailer::text::TEXT;

/// A product in one size.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) id: Uuid,
    pub(crate) sku: String,
    pub(crate) title: String,
    /// What it costs in euro cents.
    pub(crate) cents: i64,
}

pub(super) fn products(rows: &mut Rows, opened: DateTime<Utc>) -> Vec<Item> {
    let mut items = Vec::new();
    for (number, ware) in TEXT.wares.iter().enumerate() {
        for (place, size) in ware.sizes.iter().enumerate() {
            let letters: String = ware.department.chars().take(2).collect::<String>().to_uppercase();
            let sku = format!("{letters}-{:04}-{}", 1001 + number * 7, place + 1);
            // A larger pack costs more; a larger shirt does not.
            let grows = matches!(ware.department, "Grocery" | "Beauty" | "Home" | "Garden" | "Pets");
            let cents =
                if grows { ware.cents * (100 + 60 * i64::try_from(place).unwrap_or(0)) / 100 } else { ware.cents };
            let title = if *size == "One size" { ware.title.to_owned() } else { format!("{}, {size}", ware.title) };
            let id = id(opened, &sku);
            rows.products.push(product::Model {
                id,
                sku: sku.clone(),
                title: title.clone(),
                brand: Some(ware.brand.to_owned()),
                department: Some(ware.department.to_owned()),
                category: Some(ware.category.to_owned()),
                package_size: Some((*size).to_owned()),
                source: "shop".to_owned(),
                created_at: opened,
            });
            items.push(Item { id, sku, title, cents });
        }
    }
    items
}

/// Number, name, country, time zone.
const SHOPS: [(&str, &str, &str, &str); 12] = [
    ("101", "Portland Pearl District", "US", "America/Los_Angeles"),
    ("102", "Chicago Lincoln Park", "US", "America/Chicago"),
    ("103", "Brooklyn Park Slope", "US", "America/New_York"),
    ("201", "Berlin Prenzlauer Berg", "DE", "Europe/Berlin"),
    ("202", "Hamburg Schanze", "DE", "Europe/Berlin"),
    ("203", "München Glockenbach", "DE", "Europe/Berlin"),
    ("301", "서울 강남점", "KR", "Asia/Seoul"),
    ("302", "부산 해운대점", "KR", "Asia/Seoul"),
    ("401", "София Витоша", "BG", "Europe/Sofia"),
    ("402", "Пловдив Капана", "BG", "Europe/Sofia"),
    ("501", "دبي مول", "AE", "Asia/Dubai"),
    ("502", "أبوظبي الكورنيش", "AE", "Asia/Dubai"),
];

pub(super) fn stores(rows: &mut Rows, opened: DateTime<Utc>) -> ([Vec<Uuid>; HOMES.len()], Uuid) {
    let mut push = |number: &str, name: &str, kind: &str, country: Option<&str>, timezone: &str, source: &str| {
        let id = id(opened, &format!("store {number}"));
        rows.stores.push(store::Model {
            id,
            number: number.to_owned(),
            name: name.to_owned(),
            kind: kind.to_owned(),
            country: country.map(str::to_owned),
            timezone: timezone.to_owned(),
            source: source.to_owned(),
            created_at: opened,
        });
        id
    };
    let mut shops = [const { Vec::new() }; HOMES.len()];
    for (number, name, country, zone) in SHOPS {
        let id = push(number, name, "STORE", Some(country), zone, "pos");
        if let Some(home) = HOMES.iter().position(|home| home.country == country) {
            shops[home].push(id);
        }
    }
    push("801", "Lager Leipzig", "WAREHOUSE", Some("DE"), "Europe/Berlin", "pos");
    push("802", "인천 물류센터", "WAREHOUSE", Some("KR"), "Asia/Seoul", "pos");
    (shops, push("900", "Web shop", "WEB_SHOP", None, "UTC", "shop"))
}

/// Code, name, description.
const SEGMENTS: [(&str, &str, &str); 8] = [
    ("VIP", "VIP", "Served first, by their own team"),
    ("NEW", "New customers", "First order within the last 90 days"),
    ("BIG_SPENDERS", "Big spenders", "The highest spend of the last years"),
    ("LAPSING", "Lapsing", "Bought often, but not within the last half year"),
    ("PARENTS", "Parents", "Buy for children"),
    ("FASHION", "Fashion lovers", "Mostly fashion and shoes"),
    ("HOME_COOKS", "Home cooks", "Mostly groceries and kitchen"),
    ("APP_USERS", "App users", "Order by the mobile app"),
];

pub(super) fn segments(rows: &mut Rows, opened: DateTime<Utc>) -> Vec<(&'static str, Uuid)> {
    let mut segments = Vec::new();
    for (code, name, description) in SEGMENTS {
        let id = id(opened, &format!("segment {code}"));
        rows.segments.push(segment::Model {
            id,
            code: code.to_owned(),
            name: name.to_owned(),
            description: Some(description.to_owned()),
            source: "c360".to_owned(),
        });
        segments.push((code, id));
    }
    segments
}
