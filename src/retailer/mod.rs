//! A synthetic retailer of any size: the data behind `c360 seed` and `c360 demo`.
//!
//! The same [`Plan`] makes the same rows, ids included. Each customer is made from randomness of their own, so
//! customers do not depend on each other and nothing but the chunk in hand is kept in memory.
//!
//! | module | what it makes |
//! | --- | --- |
//! | [`demo`] | the customers that are placed by hand |
//! | `reference` | what belongs to the business: products, staff, programme, surveys |
//! | `person` | what a customer is like; their rows so far; the event log |
//! | `profile`, `orders`, `shipping`, `returns`, `loyalty`, `spending`, `tickets`, `feedback`, `contacts`, `statistics` | the rows of a customer |
//! | `book` | an account's ledger as rows, by the rules of `c360_rules::ledger` |
//! | `double` | a customer who was in the books twice |
//! | `homes`, `text` | countries; names and words, from the files in `data/` |

mod book;
mod contacts;
pub mod demo;
mod double;
mod feedback;
mod homes;
mod load;
mod loyalty;
mod orders;
mod person;
mod profile;
mod reference;
mod returns;
mod rows;
mod shipping;
mod spending;
mod statistics;
#[cfg(test)]
mod tests;
mod text;
mod tickets;

use chrono::{DateTime, Utc};

pub use self::load::{Progress, Summary, is_empty, load};
pub use self::profile::customer_number;
pub use self::rows::Rows;

use self::person::{Person, Traits};
use self::reference::World;

/// What retailer to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The same seed makes the same retailer.
    pub seed: u64,
    /// How many customers it has.
    pub customers: u64,
    /// Orders of the busiest of them; the others have a third of that on average.
    pub most_orders: u32,
    /// How many of a hundred of the orders, tickets and opinions of each there are.
    pub history: u32,
    /// The present, as the retailer sees it: everything happened before it.
    pub as_of: DateTime<Utc>,
    /// Whether the first customers are those of [`demo`].
    pub cast: bool,
}

/// [`Plan::most_orders`] of a retailer as large as life.
pub const MOST_ORDERS: u32 = 31;

/// Makes the rows of a retailer, piece by piece.
#[derive(Debug)]
pub struct Retailer {
    world: World,
}

impl Retailer {
    /// The retailer, with nothing but its reference data made.
    pub fn new(plan: Plan) -> Self {
        Self { world: World::new(plan) }
    }

    /// What belongs to no customer. Everything else refers to it.
    pub fn reference(&self) -> &Rows {
        &self.world.rows
    }

    /// The rows of one customer; `index` counts from 1 to the plan's number of customers.
    pub fn customer(&self, index: u64) -> Rows {
        let plan = &self.world.plan;
        let mut rng = fastrand::Rng::with_seed(mixed(plan.seed, index));
        let traits = match demo::traits(plan, index) {
            demo::Place::Taken(traits) => *traits,
            demo::Place::Elsewhere => return Rows::default(),
            demo::Place::Free => Traits::random(&mut rng, plan, index),
        };
        let mut person = Person::new(&self.world, index, rng, traits);
        person.make_profile();
        let placed = person.make_orders();
        let taken = person.make_returns(&placed);
        person.make_loyalty(&placed, &taken);
        person.make_tickets();
        person.make_feedback();
        person.make_contacts();
        person.make_statistics();
        person.make_search_entries();
        person.rows
    }
}

/// A seed for one customer: neighbours share nothing (the finaliser of SplitMix64).
fn mixed(seed: u64, index: u64) -> u64 {
    let mut z = seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
