//! The rows of a batch in the making: items are applied to it one after the other, as if each were alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use c360_entities::{event, ingested_item};
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use super::known::{Known, Seen, logged};
use super::parse::{Item, Parsed, Problem};
use super::statistics;
use super::world::World;
use super::{customers, feedback, loyalty, orders, tickets};
use crate::bulk::Batch;
use crate::clock::derived_id;
use crate::domains::customers::search;

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// It is new.
    Added,
    /// It takes the place of an older version.
    Updated,
    /// It is there already.
    Unchanged,
    /// A newer version is there already.
    Older,
}

/// A batch in the making.
pub(super) struct Draft<'w> {
    pub(super) world: &'w World,
    pub(super) known: Known,
    pub(super) batch: Batch,
    /// Events of items that change: some are in the log already.
    late: Vec<event::Model>,
    pub(super) touched: Touched,
    /// Surveys that this batch makes, by code, with the metric.
    pub(super) surveys: HashMap<String, (Uuid, String)>,
    pub(super) outcomes: BTreeMap<(&'static str, Outcome), u64>,
}

/// The customers whose figures change.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) customers: BTreeSet<Uuid>,
    /// Those whose profile was written.
    pub(super) profiles: BTreeSet<Uuid>,
    pub(super) orders: BTreeSet<Uuid>,
    pub(super) tickets: BTreeSet<Uuid>,
    pub(super) feedback: BTreeSet<Uuid>,
}

/// What an item becomes a row of: a new one, or that of an older version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) customer_id: Uuid,
    pub(super) id: Uuid,
    pub(super) is_new: bool,
}

impl Draft<'_> {
    /// What the customers whose profile was written are found by.
    fn write_search_entries(&mut self) {
        for id in &self.touched.profiles {
            let Some(customer) = self.known.customers.get(id) else { continue };
            let merged = self.known.merged.iter().filter(|(into, _)| into == id).map(|(_, record)| record);
            let records: Vec<_> = std::iter::once(customer).chain(merged).map(search::Record::of).collect();
            self.batch.clear("customer_search_entries", "customer_id", *id);
            self.batch.extend(&search::entries(*id, &records));
        }
    }
}

impl<'w> Draft<'w> {
    pub(super) fn new(db: &DatabaseConnection, world: &'w World, known: Known) -> Self {
        let (touched, outcomes) = (Touched::default(), BTreeMap::new());
        let (late, surveys) = (Vec::new(), HashMap::new());
        Self { world, known, batch: Batch::new(db), late, touched, surveys, outcomes }
    }

    /// Applies an item; nothing of it if it has a problem.
    pub(super) fn apply(&mut self, parsed: &Parsed) -> Result<(), Problem> {
        let outcome = self.decide(parsed)?;
        *self.outcomes.entry((parsed.key.kind, outcome)).or_default() += 1;
        Ok(())
    }

    fn decide(&mut self, parsed: &Parsed) -> Result<Outcome, Problem> {
        let seen = self.known.items.get(&parsed.key).cloned();
        match &seen {
            Some(seen) if seen.version > parsed.version => return Ok(Outcome::Older),
            Some(seen) if seen.version == parsed.version && seen.hash == parsed.hash => return Ok(Outcome::Unchanged),
            Some(seen) if seen.version == parsed.version => {
                let reason = format!(
                    "version {} was brought in with another content: a change needs a higher version",
                    seen.version
                );
                return Err(Problem::new("version", reason));
            }
            _ => {}
        }
        let source = &parsed.key.source;
        let slot = match &parsed.item {
            Item::Customer(item) => customers::apply(self, item, seen.as_ref())?,
            other => {
                let Some(whose) = other.whose() else { return Err(Problem::new("customer", "missing")) };
                let customer_id = self.known.whose(self.world, source, whose)?;
                self.apply_to(customer_id, parsed, seen.as_ref())?
            }
        };
        let row = ingested_item::Model {
            source: source.clone(),
            kind: parsed.key.kind.into(),
            external_id: parsed.key.id.clone(),
            customer_id: slot.customer_id,
            subject_id: slot.id,
            version: parsed.version,
            content_hash: parsed.hash.clone(),
        };
        if seen.is_some() {
            self.batch.put(&row)
        } else {
            self.batch.push(&row)
        }
        self.touched.customers.insert(slot.customer_id);
        let (version, hash) = (parsed.version, parsed.hash.clone());
        let now = Seen { customer_id: slot.customer_id, subject_id: slot.id, version, hash };
        self.known.items.insert(parsed.key.clone(), now);
        Ok(if seen.is_some() { Outcome::Updated } else { Outcome::Added })
    }

    fn apply_to(&mut self, customer_id: Uuid, parsed: &Parsed, seen: Option<&Seen>) -> Result<Slot, Problem> {
        let key = &parsed.key;
        let slot = |at| match seen {
            Some(seen) => Slot { customer_id, id: seen.subject_id, is_new: false },
            None => {
                let id = derived_id(at, &key.source, &format!("{}/{}", key.kind, key.id));
                Slot { customer_id, id, is_new: true }
            }
        };
        if let Some(seen) = seen
            && self.known.survivor(seen.customer_id) != customer_id
        {
            return Err(Problem::new("customer", "an older version was brought in for another customer"));
        }
        let slot = match &parsed.item {
            Item::Customer(_) => return Err(Problem::new("type", "a customer belongs to nobody")),
            Item::Identity(item) => {
                let slot = slot(item.created_at.0);
                customers::apply_identity(self, item, slot)?;
                slot
            }
            Item::Order(item) => {
                let slot = slot(item.placed_at.0);
                orders::apply(self, item, slot, parsed.version)?;
                slot
            }
            Item::Ticket(item) => {
                let slot = slot(item.created_at.0);
                tickets::apply(self, item, slot)?;
                slot
            }
            Item::LoyaltyTransaction(item) => {
                let slot = slot(item.occurred_at.0);
                loyalty::apply(self, item, slot)?;
                slot
            }
            Item::SurveyResponse(item) => {
                let slot = slot(item.given_at.0);
                feedback::apply_response(self, item, slot)?;
                slot
            }
            Item::Review(item) => {
                let slot = slot(item.given_at.0);
                feedback::apply_review(self, item, slot)?;
                slot
            }
            Item::Mention(item) => {
                let slot = slot(item.given_at.0);
                feedback::apply_mention(self, item, slot)?;
                slot
            }
            Item::Suggestion(item) => {
                let slot = slot(item.given_at.0);
                feedback::apply_suggestion(self, item, slot)?;
                slot
            }
        };
        Ok(slot)
    }

    /// Logs what happened: with a new item at once, with a changed one if the log does not have it yet.
    pub(super) fn log(&mut self, is_new: bool, event: event::Model) {
        if is_new { self.batch.push(&event) } else { self.late.push(event) }
    }

    /// Writes everything in one transaction, with the figures that follow from it.
    pub(super) async fn write(
        mut self,
        db: &DatabaseConnection,
    ) -> Result<BTreeMap<(&'static str, Outcome), u64>, DbErr> {
        self.write_search_entries();
        let ids: Vec<Uuid> = self.late.iter().map(|event| event.id).collect();
        let mut logged = logged(db, &ids).await?;
        for event in self.late {
            if logged.insert(event.id) {
                self.batch.push(&event);
            }
        }
        for id in self.touched.customers.difference(&self.known.new_customers.iter().copied().collect()) {
            if let Some(row) = self.known.customers.get(id) {
                self.batch.expect("customers", *id, row.version);
            }
        }
        let books = self.known.books.into_values();
        let accounts = books.filter_map(|book| book.finish(&mut self.batch)).collect();
        if !self.batch.is_empty() {
            statistics::afterwards(&mut self.batch, self.touched, accounts, self.world.now);
            self.batch.write(db).await?;
        }
        Ok(self.outcomes)
    }
}
