//! Sorts out what is new of each chunk, and writes it while the next chunk is read.

use std::collections::{HashMap, HashSet};

use sea_orm::{DatabaseConnection, DbErr};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::builder::{Owner, World, coupon_code};
use super::catalogue::Catalogue;
use super::extend::{News, extend};
use super::households::{Facts, Households};
use super::known::{self, KnownCustomer, KnownOffers, KnownOrder};
use super::points::{self, Points};
use super::rows::Rows;
use super::sales::{Basket, Chunk, FILE, Household};
use super::statistics;
use super::values::{beginning, id};
use crate::bulk::Batch;
use crate::ingest::{Error, Report};

/// Writes households. One chunk is on its way to the database while the next is made.
pub(super) struct Writer<'a> {
    db: &'a DatabaseConnection,
    world: World,
    on_its_way: Option<OnItsWay>,
}

struct OnItsWay {
    task: JoinHandle<Result<(), DbErr>>,
    households: HashSet<u64>,
    baskets: HashSet<u64>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(db: &'a DatabaseConnection, world: World) -> Self {
        Self { db, world, on_its_way: None }
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.world.catalogue
    }

    /// Writes what is new of a chunk.
    pub(super) async fn write(
        &mut self,
        chunk: Chunk,
        households: &mut Households,
        report: &mut Report,
    ) -> Result<(), Error> {
        let facts = chunk.households.iter().map(|household| households.take(household.number)).collect();
        self.write_households(chunk.households, facts, report).await
    }

    /// Writes the households that have no basket.
    pub(super) async fn write_rest(
        &mut self,
        households: &mut Households,
        at_once: usize,
        report: &mut Report,
    ) -> Result<(), Error> {
        loop {
            let some: Vec<_> = std::iter::from_fn(|| households.pop()).take(at_once).collect();
            if some.is_empty() {
                return Ok(());
            }
            let (rest, facts) =
                some.into_iter().map(|(number, facts)| (Household { number, baskets: Vec::new() }, facts)).unzip();
            self.write_households(rest, facts, report).await?;
        }
    }

    /// Waits until everything is written.
    pub(super) async fn finish(&mut self) -> Result<(), Error> {
        if let Some(on_its_way) = self.on_its_way.take() {
            let outcome = on_its_way.task.await;
            outcome.map_err(|error| DbErr::Custom(format!("the writer stopped: {error}")))??;
        }
        Ok(())
    }

    async fn write_households(
        &mut self,
        households: Vec<Household>,
        facts: Vec<Facts>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let numbers: HashSet<u64> = households.iter().map(|household| household.number).collect();
        let baskets = households.iter().flat_map(|household| &household.baskets);
        let baskets: HashSet<u64> = baskets.map(|basket| basket.number).collect();
        // What is on its way is not found in the database yet.
        if self
            .on_its_way
            .as_ref()
            .is_some_and(|before| !before.households.is_disjoint(&numbers) || !before.baskets.is_disjoint(&baskets))
        {
            self.finish().await?;
        }
        let customers = known::customers(self.db, numbers.iter().copied()).await?;
        let orders = known::orders(self.db, baskets.iter().copied()).await?;

        let (mut rows, mut there) = (Rows::default(), Vec::new());
        for (household, facts) in households.into_iter().zip(facts) {
            match customers.get(&household.number) {
                Some(customer) => there.push((household, facts, *customer)),
                None => self.new_household(household, &facts, &orders, &mut rows, report)?,
            }
        }
        count(&rows, report);
        let mut batch = Batch::new(self.db);
        rows.load(&mut batch);
        self.finish().await?;
        if !batch.is_empty() {
            let db = self.db.clone();
            let task = tokio::spawn(async move { batch.write(&db).await });
            self.on_its_way = Some(OnItsWay { task, households: numbers, baskets });
        }
        if there.is_empty() { Ok(()) } else { self.add_to(there, &orders, report).await }
    }

    /// A household that is new: every row of it, with its account and its figures.
    fn new_household(
        &mut self,
        household: Household,
        facts: &Facts,
        orders: &HashMap<u64, KnownOrder>,
        rows: &mut Rows,
        report: &mut Report,
    ) -> Result<(), Error> {
        let (taken, baskets): (Vec<_>, Vec<_>) =
            household.baskets.into_iter().partition(|basket| orders.contains_key(&basket.number));
        for basket in &taken {
            let reason = format!("basket {} is there already, of another customer", basket.number);
            report.reject(FILE, basket.line, reason);
        }
        if baskets.is_empty() && !taken.is_empty() {
            return Ok(());
        }
        let since = baskets.first().map_or_else(beginning, |basket| basket.placed_at);
        let owner = Owner {
            household: household.number,
            customer_id: id(since, "customer", household.number),
            account_id: id(since, "account", household.number),
        };
        self.world.customer(&owner, since, facts, rows);
        let mut account = points::enrol(&owner, &self.world.programme, since, rows);
        let mut points = Points::default();
        let mut statistics = statistics::empty(&owner, self.world.now);
        for basket in &baskets {
            let sums = self.world.basket(&owner, basket, &mut points, rows);
            statistics::add_order(&mut statistics, basket.placed_at, sums.total);
        }
        facts.campaigns.iter().for_each(|campaign| self.world.member(&owner, *campaign, rows));
        facts.redemptions.iter().for_each(|redemption| self.world.redemption(&owner, redemption, rows));
        account.qualifying_points = points.qualifying(&self.world.programme);
        account.tier_id = self.world.programme.tier(account.qualifying_points);
        points.finish(&owner, &mut account, rows)?;
        rows.accounts.push(account);
        rows.statistics.push(statistics);
        Ok(())
    }

    /// Households that are there: what they lack, if anything.
    async fn add_to(
        &mut self,
        there: Vec<(Household, Facts, KnownCustomer)>,
        orders: &HashMap<u64, KnownOrder>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let ids: Vec<Uuid> = there.iter().map(|(_, _, customer)| customer.id).collect();
        let offers = KnownOffers::of(self.db, &ids).await?;
        for (household, facts, customer) in there {
            let number = household.number;
            let facts = self.missing(number, customer.id, facts, &offers);
            let (baskets, partial) = sort_out(household, orders, report);
            let news = News { baskets, partial, facts };
            if news.is_empty() {
                continue;
            }
            if customer.erased {
                report.say(&format!("household {number} was erased: nothing is added to it"));
                continue;
            }
            // Stores that are on their way must be there before orders refer to them.
            self.finish().await?;
            let account_id = id(self.world.now, "account", number);
            let owner = Owner { household: number, customer_id: customer.id, account_id };
            let added = extend(self.db, &mut self.world, owner, &news, report).await?;
            report.count("orders", added.orders);
            report.count("order lines", added.lines);
        }
        Ok(())
    }

    /// The campaigns and coupons that a customer does not have yet.
    fn missing(&self, household: u64, customer_id: Uuid, mut facts: Facts, known: &KnownOffers) -> Facts {
        facts.campaigns.retain(|campaign| {
            let campaign = self.world.offers.campaign(*campaign);
            campaign.is_some_and(|campaign| !known.members.contains(&(customer_id, campaign.id)))
        });
        facts.redemptions.retain(|redemption| !known.coupons.contains(&coupon_code(household, redemption)));
        facts
    }
}

/// The baskets that are new, and those whose orders lack lines.
fn sort_out(
    household: Household,
    orders: &HashMap<u64, KnownOrder>,
    report: &mut Report,
) -> (Vec<Basket>, Vec<(Basket, KnownOrder)>) {
    let (mut new, mut partial) = (Vec::new(), Vec::new());
    for basket in household.baskets {
        match orders.get(&basket.number) {
            None => new.push(basket),
            Some(order) if order.lines < basket.sales.len() => partial.push((basket, *order)),
            Some(order) if order.lines == basket.sales.len() && order.total != basket.total() => {
                report.note(FILE, basket.line, conflict(basket.number));
            }
            Some(_) => {}
        }
    }
    (new, partial)
}

/// What is said of a basket that is not the order that was made of it.
pub(super) fn conflict(basket: u64) -> String {
    format!("basket {basket} was brought in with other lines; the order stays as it is")
}

fn count(rows: &Rows, report: &mut Report) {
    for (what, n) in [
        ("customers", rows.customers.len()),
        ("orders", rows.orders.len()),
        ("order lines", rows.lines.len()),
        ("points transactions", rows.transactions.len()),
        ("coupons redeemed", rows.coupons.len()),
        ("stores", rows.stores.len()),
    ] {
        if n > 0 {
            report.count(what, n as u64);
        }
    }
}
