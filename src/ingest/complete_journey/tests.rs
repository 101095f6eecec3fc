//! Imports of a few made-up households, on SQLite.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement, TryGetable};

use super::import;
use crate::clock::Clock;
use crate::ingest::Report;
use crate::{config, db};

const FILES: [(&str, &str); 6] = [
    (
        "products.csv",
        "product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n\
         100,1,GROCERY,National,FLUID MILK PRODUCTS,FLUID MILK WHITE ONLY,1 GA\n\
         200,2,GROCERY,Private,BREAD,\"BREAD, WHITE\",\n\
         300,2,FUEL,,,GASOLINE-REG UNLEADED,\n",
    ),
    (
        "demographics.csv",
        "household_id,age,income,home_ownership,marital_status,household_size,household_comp,kids_count\n\
         1,35-44,50-74K,Homeowner,Married,2,2 Adults No Kids,0\n\
         9,65+,Under 15K,,,1,1 Adult No Kids,0\n",
    ),
    (
        "campaign_descriptions.csv",
        "campaign_id,campaign_type,start_date,end_date\n7,Type A,2017-02-01 00:00:00,2017-03-01 00:00:00\n",
    ),
    ("campaigns.csv", "campaign_id,household_id\n7,1\n7,2\n"),
    ("coupons.csv", "coupon_upc,product_id,campaign_id\n555,100,7\n555,200,7\n555,100,7\n"),
    (
        "coupon_redemptions.csv",
        "household_id,coupon_upc,campaign_id,redemption_date\n\
         1,555,7,2017-02-03 00:00:00\n1,555,7,2017-02-10 00:00:00\n",
    ),
];

const HEADER: &str = "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,\
                      coupon_match_disc,week,transaction_timestamp\n";

/// The header is line 1: the first of these is line 2.
const SALES: [&str; 9] = [
    "1,5,1001,100,2,5.98,0.50,0.00,0.00,1,2017-01-07 18:55:24",
    "1,5,1001,200,1,1.39,0.00,0.55,0.45,1,2017-01-07 18:55:24",
    "1,5,1001,300,7000,20.00,0.00,0.00,0.00,1,2017-01-07 18:55:24",
    "1,6,1002,100,1,0.99,0.00,0.00,0.00,2,2017-01-09 09:00:00",
    "1,6,1003,100,0,0.00,0.00,0.00,0.00,3,2017-01-19 09:00:00",
    "1,6,1003,200,1,3.10,0.00,0.00,0.00,3,2017-01-19 09:00:00",
    "2,5,1004,200,3,1500.50,0.00,0.00,0.00,2,2017-01-10 10:00:00",
    "2,5,1005,100,1,2.00,0.00,0.00,0.00,4,2017-02-10 10:00:00",
    "2,5,1005,200,1,2.00,0.00,0.00,0.00,4,2017-02-10 10:00:00",
];

const BALANCES: &str = "SELECT c.number || ' ' || s.order_count || ' ' || s.spent_total || ' ' || a.active_points
    || ' ' || a.lifetime_points || ' ' || a.qualifying_points || ' ' || t.code
    FROM customers c JOIN customer_statistics s ON s.customer_id = c.id
    JOIN loyalty_accounts a ON a.customer_id = c.id JOIN loyalty_tiers t ON t.id = a.tier_id ORDER BY c.number";

const ORDERS: &str = "SELECT o.number || ' ' || o.subtotal || '-' || o.discount_total || '=' || o.total || ' '
    || o.paid_total || ' ' || p.amount || ' ' || (SELECT count(*) FROM order_lines l WHERE l.order_id = o.id)
    || ' ' || (SELECT coalesce(sum(l.total), 0) FROM order_lines l WHERE l.order_id = o.id)
    FROM orders o JOIN payments p ON p.order_id = o.id ORDER BY o.number";

/// A folder of files, a database, and what the imports said.
struct Shop {
    folder: tempfile::TempDir,
    db: DatabaseConnection,
    said: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in FILES {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let url = format!("sqlite://{}", folder.path().join("c360.db").display());
        let settings = config::Config::load(None, &|name| (name == "DATABASE_URL").then(|| url.clone())).unwrap();
        let db = db::connect(&settings.database).await.unwrap();
        db::migrate(&db).await.unwrap();
        Self { folder, db, said: Arc::default() }
    }

    /// Imports these sales, and returns how many rows were left out.
    async fn import(&self, sales: &[&str]) -> u64 {
        let content = sales.iter().fold(HEADER.to_owned(), |mut all, line| {
            writeln!(all, "{line}").unwrap();
            all
        });
        self.import_bytes(content.as_bytes()).await
    }

    async fn import_bytes(&self, sales: &[u8]) -> u64 {
        std::fs::write(self.folder.path().join("transactions.csv"), sales).unwrap();
        self.said.lock().unwrap().clear();
        let said = Arc::clone(&self.said);
        let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::fixed(now);
        let mut report = Report::new(clock.clone(), move |line| said.lock().unwrap().push(line.to_owned()));
        let folder: &Path = self.folder.path();
        import(&self.db, &clock, folder, &mut report).await.unwrap();
        report.rejected()
    }

    /// The lines that were reported, as `file:line`.
    fn reported(&self) -> Vec<String> {
        let said = self.said.lock().unwrap();
        said.iter().filter_map(|line| line.split_once(": ").map(|(at, _)| at.to_owned())).collect()
    }

    async fn column<T: TryGetable>(&self, sql: &str) -> Vec<T> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// How many rows each table has, and what people would look at.
    async fn state(&self) -> Vec<String> {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'seaql%' ORDER BY name";
        let mut state = Vec::new();
        for table in self.column::<String>(tables).await {
            let count = self.column::<i64>(&format!("SELECT count(*) FROM {table}")).await;
            state.push(format!("{table}: {count:?}"));
        }
        state.extend(self.column::<String>(BALANCES).await);
        state.extend(self.column::<String>(ORDERS).await);
        state
    }

    /// What must hold between the ledger and the account, whatever was imported.
    async fn check_ledger(&self) {
        let wrong = "SELECT a.number FROM loyalty_accounts a WHERE a.active_points + a.pending_points + a.held_points
            <> (SELECT coalesce(sum(points), 0) FROM loyalty_transactions t WHERE t.account_id = a.id)
            OR a.active_points <> (SELECT coalesce(sum(remaining), 0) FROM points_lots l WHERE l.account_id = a.id)
            OR a.active_points <> (SELECT coalesce(sum(x.points), 0) FROM points_allocations x
                JOIN points_lots l ON l.id = x.lot_id WHERE l.account_id = a.id)";
        assert_eq!(self.column::<String>(wrong).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn orders_and_points_come_out_to_the_cent() {
    let shop = Shop::new().await;
    assert_eq!(shop.import(&SALES).await, 0);
    assert_eq!(shop.reported(), Vec::<String>::new());
    let balances = shop.column::<String>(BALANCES).await;
    assert_eq!(
        balances,
        ["CJ-1 3 3146 30 30 30 MEMBER", "CJ-2 2 150450 1504 1504 1504 SILVER", "CJ-9 0 0 0 0 0 MEMBER"]
    );
    let orders = shop.column::<String>(ORDERS).await;
    assert_eq!(orders[0], "1001 2887-150=2737 2737 2737 3 2737");
    assert_eq!(orders[2], "1003 310-0=310 310 310 2 310");
    let discounts = "SELECT kind || ' ' || amount FROM order_discounts ORDER BY kind";
    assert_eq!(shop.column::<String>(discounts).await, ["COUPON 55", "COUPON_MATCH 45", "LOYALTY 50"]);
    let lines = "SELECT position || ' ' || title || ' ' || unit_price FROM order_lines l JOIN orders o
        ON o.id = l.order_id WHERE o.number = '1001' ORDER BY position";
    assert_eq!(
        shop.column::<String>(lines).await,
        ["1 Fluid Milk White Only, 1 GA 324", "2 Bread, White 239", "3 Gasoline-Reg Unleaded 0"]
    );
    let coupons = shop.column::<String>("SELECT code || ' ' || status FROM coupons ORDER BY code").await;
    assert_eq!(coupons, ["CJ-1-7-555-20170203 REDEEMED", "CJ-1-7-555-20170210 REDEEMED"]);
    assert_eq!(shop.column::<i64>("SELECT count(*) FROM campaign_members").await, [2]);
    assert_eq!(shop.column::<i64>("SELECT count(*) FROM coupon_products").await, [2]);
    let tags = "SELECT t.tag FROM customer_tags t JOIN customers c ON c.id = t.customer_id
        WHERE c.number = 'CJ-9' ORDER BY t.tag";
    let tags = shop.column::<String>(tags).await;
    assert_eq!(tags, ["age:65+", "household-size:1", "household:1-Adult-No-Kids", "income:Under-15K", "kids:0"]);
    let events = "SELECT kind || ' ' || count(*) FROM events GROUP BY kind ORDER BY kind";
    assert_eq!(
        shop.column::<String>(events).await,
        ["COUPON_REDEEMED 2", "CUSTOMER_CREATED 3", "ORDER_PLACED 5", "POINTS_EARNED 4"]
    );
    shop.check_ledger().await;
}

#[tokio::test]
async fn a_second_import_changes_nothing() {
    let shop = Shop::new().await;
    shop.import(&SALES).await;
    let first = shop.state().await;
    assert_eq!(shop.import(&SALES).await, 0);
    assert_eq!(shop.state().await, first);
}

#[tokio::test]
async fn an_import_that_was_cut_off_is_completed_by_the_next() {
    let whole = Shop::new().await;
    whole.import(&SALES).await;
    let balances = whole.column::<String>(BALANCES).await;
    let orders = whole.column::<String>(ORDERS).await;
    for lines in 0..SALES.len() {
        let shop = Shop::new().await;
        shop.import(&SALES[..lines]).await;
        shop.check_ledger().await;
        assert_eq!(shop.import(&SALES).await, 0);
        assert_eq!(shop.column::<String>(BALANCES).await, balances, "after {lines} lines");
        assert_eq!(shop.column::<String>(ORDERS).await, orders, "after {lines} lines");
        shop.check_ledger().await;
        if [0, 3, 4, 6, 7].contains(&lines) {
            assert_eq!(shop.state().await, whole.state().await, "cut between baskets, after {lines} lines");
        }
    }
}

#[tokio::test]
async fn broken_rows_are_reported_with_their_line_and_lose_no_other() {
    let shop = Shop::new().await;
    let mut file = [HEADER, SALES[0]].concat().into_bytes();
    for broken in [
        "1,5,1001,200,-1,1.39,0.00,0.00,0.00,1,2017-01-07 18:55:24".as_bytes(),
        b"1,5,1001,200,1,one,0.00,0.00,0.00,1,2017-01-07 18:55:24",
        b"1,5,1001,200,1,-1.39,0.00,0.00,0.00,1,2017-01-07 18:55:24",
        b"1,5,1001,200,1,1.39,0.00,0.00,0.00,1,2017-13-07 18:55:24",
        b"1,5,1001,200,1,1.39,0.00,0.00,0.00,1",
        b"1,5,1001,200,1,1.39,0.00,0.00,0.00,1,2017-01-07 18:55:24,more",
        b"1,5,1001,2\xff0,1,1.39,0.00,0.00,0.00,1,2017-01-07 18:55:24",
        b"1,5,1001,\"200,1,1.39,0.00,0.00,0.00,1,2017-01-07 18:55:24",
        b"2,5,1001,200,1,1.39,0.00,0.00,0.00,1,2017-01-07 18:55:24",
        b",5,1001,200,1,1.39,0.00,0.00,0.00,1,2017-01-07 18:55:24",
    ] {
        file.extend_from_slice(b"\n");
        file.extend_from_slice(broken);
    }
    for sound in &SALES[1..] {
        file.extend_from_slice(b"\r\n");
        file.extend_from_slice(sound.as_bytes());
    }
    assert_eq!(shop.import_bytes(&file).await, 10);
    let lines: Vec<String> = (3..=12).map(|line| format!("transactions.csv:{line}")).collect();
    assert_eq!(shop.reported(), lines);

    let sound = Shop::new().await;
    sound.import(&SALES).await;
    assert_eq!(shop.state().await, sound.state().await);
}

#[tokio::test]
async fn a_row_that_was_repaired_is_added_to_its_order() {
    let shop = Shop::new().await;
    let mut broken = SALES;
    broken[1] = "1,5,1001,200,1,oops,0.00,0.55,0.45,1,2017-01-07 18:55:24";
    assert_eq!(shop.import(&broken).await, 1);
    assert_eq!(shop.column::<String>(ORDERS).await[0], "1001 2648-50=2598 2598 2598 2 2598");
    assert_eq!(shop.import(&SALES).await, 0);
    assert_eq!(shop.column::<String>(ORDERS).await[0], "1001 2887-150=2737 2737 2737 3 2737");
    assert_eq!(shop.column::<String>(BALANCES).await[0], "CJ-1 3 3146 30 30 30 MEMBER");
    shop.check_ledger().await;
    let state = shop.state().await;
    shop.import(&SALES).await;
    assert_eq!(shop.state().await, state);
}

#[tokio::test]
async fn a_basket_that_changed_is_told_of_and_left_alone() {
    let shop = Shop::new().await;
    shop.import(&SALES).await;
    let state = shop.state().await;
    let mut changed = SALES;
    changed[3] = "1,6,1002,100,1,7.99,0.00,0.00,0.00,2,2017-01-09 09:00:00";
    shop.import(&changed).await;
    assert_eq!(shop.reported(), ["transactions.csv:5"]);
    assert_eq!(shop.state().await, state);
}

#[tokio::test]
async fn a_sale_of_an_unknown_product_keeps_its_money() {
    let shop = Shop::new().await;
    let mut sales = SALES.to_vec();
    sales.push("2,5,1006,999,1,4.00,0.00,0.00,0.00,4,2017-02-11 10:00:00");
    sales.push("2,5,1006,999,1,6.00,0.00,0.00,0.00,4,2017-02-11 10:00:00");
    assert_eq!(shop.import(&sales).await, 0);
    assert_eq!(shop.reported(), ["transactions.csv:11"]);
    let line = "SELECT title || ' ' || total FROM order_lines WHERE product_id IS NULL ORDER BY total";
    assert_eq!(shop.column::<String>(line).await, ["Product 999 400", "Product 999 600"]);
}

#[tokio::test]
async fn households_that_come_again_later_in_the_file_are_added_to() {
    let shop = Shop::new().await;
    let mut sales = SALES.to_vec();
    sales.rotate_left(4);
    assert_eq!(shop.import(&sales).await, 0);
    let sorted = Shop::new().await;
    sorted.import(&SALES).await;
    assert_eq!(shop.state().await, sorted.state().await);
}

#[tokio::test]
async fn broken_rows_of_the_smaller_files_are_reported_too() {
    let shop = Shop::new().await;
    for (name, row) in [
        ("products.csv", "x1,1,GROCERY,National,A,B,1 GA\n"),
        ("demographics.csv", "one,35-44,50-74K,Homeowner,Married,2,2 Adults No Kids,0\n"),
        ("campaign_descriptions.csv", "8,Type A,2017-02-01 00:00:00,yesterday\n"),
        ("campaigns.csv", "99,1\n"),
        ("coupons.csv", "556,12345,7\n"),
        ("coupon_redemptions.csv", "1,999,7,2017-02-03 00:00:00\n"),
    ] {
        let path = shop.folder.path().join(name);
        let content = std::fs::read_to_string(&path).unwrap() + row;
        std::fs::write(&path, content).unwrap();
    }
    assert_eq!(shop.import(&SALES).await, 6);
    let mut reported = shop.reported();
    reported.sort();
    let expected = [
        "campaign_descriptions.csv:3",
        "campaigns.csv:4",
        "coupon_redemptions.csv:4",
        "coupons.csv:5",
        "demographics.csv:4",
        "products.csv:5",
    ];
    assert_eq!(reported, expected);
}
