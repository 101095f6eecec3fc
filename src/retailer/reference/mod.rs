//! What belongs to the business and to no customer, and what the makers of customers need to know of it.

mod catalogue;
mod loyalty;
mod partners;
mod service;
mod surveys;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

pub(super) use self::catalogue::Item;
pub(super) use self::loyalty::Programme;
pub(super) use self::partners::Colleague;
pub(super) use self::service::{METRICS, PRIORITIES, Promise, Service};
pub(super) use self::surveys::Poll;
use super::Plan;
use super::homes::HOMES;
use super::rows::Rows;
use crate::clock;

/// The retailer without its customers.
#[derive(Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    /// When the retailer opened.
    pub(super) opened: DateTime<Utc>,
    /// The rows of all that is here.
    pub(super) rows: Rows,
    pub(super) items: Vec<Item>,
    /// The shops of each country, in the order of [`HOMES`].
    pub(super) shops: [Vec<Uuid>; HOMES.len()],
    pub(super) web_shop: Uuid,
    pub(super) segments: Vec<(&'static str, Uuid)>,
    pub(super) staff: Vec<Colleague>,
    pub(super) service: Service,
    pub(super) programme: Programme,
    pub(super) polls: Vec<Poll>,
}

impl World {
    pub(super) fn new(plan: Plan) -> Self {
        let opened = plan.as_of - TimeDelta::days(6 * 365);
        let mut rows = Rows::default();
        let items = catalogue::products(&mut rows, opened);
        let (shops, web_shop) = catalogue::stores(&mut rows, opened);
        let segments = catalogue::segments(&mut rows, opened);
        partners::partners(&mut rows, opened);
        let teams = partners::teams(&mut rows, opened);
        let staff = partners::staff(&mut rows, opened, &teams);
        let service = service::service(&mut rows, opened, &teams);
        let programme = loyalty::programme(&mut rows, opened, plan.as_of, &items);
        let polls = surveys::surveys(&mut rows, opened);
        Self { plan, opened, rows, items, shops, web_shop, segments, staff, service, programme, polls }
    }

    pub(super) fn segment(&self, code: &str) -> Option<Uuid> {
        self.segments.iter().find(|(known, _)| *known == code).map(|(_, id)| *id)
    }
}

/// The id of a row of reference data: the same name has the same id in every retailer of one age.
fn id(at: DateTime<Utc>, name: &str) -> Uuid {
    clock::derived_id(at, "retailer", name)
}
