//! What the database has of what a batch names, looked up in a few statements before anything is decided.

use std::collections::{BTreeSet, HashMap, HashSet};

use c360_entities::{
    consent, customer, customer_identity, customer_tag, event, feedback, ingested_item, loyalty_account,
    loyalty_transaction, order, order_line, order_return, points_allocation, points_lot, product, refund, return_line,
    ticket, ticket_message,
};
use c360_rules::ledger::{Entry, TransactionKind};
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use super::book::{self, Book, Redeemed};
use super::items::{Link, Whose};
use super::lookup::{by_ids, by_texts, owners};
use super::parse::{Item, Key, Parsed, Problem};
use super::world::World;

/// An item that was brought in before.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) customer_id: Uuid,
    pub(super) subject_id: Uuid,
    pub(super) version: i64,
    pub(super) hash: Vec<u8>,
}

/// Kind, namespace and normal form of an identity.
pub(super) type Mark = (&'static str, String, String);

/// What is known. Items of the same batch add to it.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) items: HashMap<Key, Seen>,
    pub(super) customers: HashMap<Uuid, customer::Model>,
    /// New ones of this batch need no lock.
    pub(super) new_customers: HashSet<Uuid>,
    /// The records that were merged into customers who are in the books, each with who is left.
    pub(super) merged: Vec<(Uuid, customer::Model)>,
    pub(super) identities: HashMap<Mark, Vec<customer_identity::Model>>,
    pub(super) numbers: HashMap<String, Uuid>,
    pub(super) cards: HashMap<String, Uuid>,
    pub(super) books: HashMap<Uuid, Book>,
    pub(super) products: HashMap<(String, String), Uuid>,
    pub(super) lines: HashMap<(Uuid, i32), Uuid>,
    // Of items that change.
    pub(super) identity_rows: HashMap<Uuid, customer_identity::Model>,
    pub(super) tags: HashMap<Uuid, Vec<customer_tag::Model>>,
    pub(super) consents: HashMap<Uuid, Vec<consent::Model>>,
    pub(super) orders: HashMap<Uuid, order::Model>,
    pub(super) order_lines: HashMap<Uuid, Vec<order_line::Model>>,
    /// Orders that have earned points.
    pub(super) accrued: HashSet<Uuid>,
    pub(super) refunds: HashMap<Uuid, Vec<refund::Model>>,
    pub(super) returns: HashMap<Uuid, Vec<(order_return::Model, Vec<return_line::Model>)>>,
    pub(super) tickets: HashMap<Uuid, ticket::Model>,
    pub(super) messages: HashMap<Uuid, Vec<ticket_message::Model>>,
    pub(super) feedback: HashMap<Uuid, feedback::Model>,
}

impl Known {
    /// Looks up what these items name.
    pub(super) async fn of(db: &DatabaseConnection, world: &World, items: &[Parsed]) -> Result<Self, DbErr> {
        let mut known = Self::default();
        let wanted = Wanted::by(world, items);
        known.find_items(db, &wanted).await?;
        known.find_customers(db, &wanted).await?;
        known.find_things(db, &wanted).await?;
        let (old, spending) = known.changing(items);
        known.find_old(db, &old).await?;
        known.find_books(db, world, &spending).await?;
        known.find_redeemed(db, items).await?;
        Ok(known)
    }

    /// The customer who is meant, of merged ones the one that is left.
    pub(super) fn whose(&self, world: &World, source: &str, whose: &Whose) -> Result<Uuid, Problem> {
        let (found, what) = match mark_of(world, source, whose)? {
            Sought::Number(number) => (self.numbers.get(&number).copied(), "customer number"),
            Sought::Card(number) => (self.cards.get(&number).copied(), "loyalty number"),
            Sought::Mark(mark) => {
                let all = self.identities.get(&mark).map(Vec::as_slice).unwrap_or_default();
                let verified = all.iter().find(|identity| identity.verified_at.is_some());
                match (verified, mark.0) {
                    (Some(identity), "EMAIL" | "PHONE") => (Some(identity.customer_id), ""),
                    (None, "EMAIL") => (None, "verified e-mail address"),
                    (None, "PHONE") => (None, "verified phone number"),
                    (found, _) => (found.map(|identity| identity.customer_id), "id"),
                }
            }
        };
        let unknown = || Problem::missing("customer", format!("unknown customer: no customer has this {what}"));
        self.living(found.ok_or_else(unknown)?)
    }

    /// Follows merges; nothing is added to somebody who was erased.
    fn living(&self, mut id: Uuid) -> Result<Uuid, Problem> {
        for _ in 0..MERGES {
            match self.customers.get(&id) {
                Some(row) if row.status == "ERASED" => {
                    return Err(Problem::new("customer", "the customer was erased: nothing is added"));
                }
                Some(customer::Model { merged_into_id: Some(into), .. }) => id = *into,
                Some(_) => return Ok(id),
                None => break,
            }
        }
        Err(Problem::missing("customer", "unknown customer"))
    }

    /// The customer who is left of this one after merges.
    pub(super) fn survivor(&self, id: Uuid) -> Uuid {
        self.living(id).unwrap_or(id)
    }

    /// The row of another item of the same customer.
    pub(super) fn linked(
        &self,
        field: &str,
        kind: &'static str,
        source: &str,
        customer_id: Uuid,
        link: &Link,
    ) -> Result<Uuid, Problem> {
        let key = link_key(kind, source, link);
        let Some(seen) = self.items.get(&key) else {
            return Err(Problem::missing(
                field,
                format!("unknown {kind}: no item of this source and id was brought in"),
            ));
        };
        if self.living(seen.customer_id)? == customer_id {
            Ok(seen.subject_id)
        } else {
            Err(Problem::new(field, format!("this {kind} is another customer's")))
        }
    }

    async fn find_items(&mut self, db: &DatabaseConnection, wanted: &Wanted) -> Result<(), DbErr> {
        for ((source, kind), ids) in &wanted.items {
            let same = [("source", source.as_str()), ("kind", *kind)];
            for row in by_texts::<ingested_item::Entity>(db, "ingested_items", &same, "external_id", ids).await? {
                let key = Key { source: row.source, kind, id: row.external_id };
                let ingested_item::Model { customer_id, subject_id, version, content_hash: hash, .. } = row;
                self.items.insert(key, Seen { customer_id, subject_id, version, hash });
            }
        }
        Ok(())
    }

    async fn find_customers(&mut self, db: &DatabaseConnection, wanted: &Wanted) -> Result<(), DbErr> {
        let mut ids: HashSet<Uuid> = self.items.values().map(|seen| seen.customer_id).collect();
        for ((kind, namespace), values) in &wanted.marks {
            let same = [("kind", *kind), ("namespace", namespace.as_str())];
            for row in
                by_texts::<customer_identity::Entity>(db, "customer_identities", &same, "normalized", values).await?
            {
                ids.insert(row.customer_id);
                let mark = (*kind, row.namespace.clone(), row.normalized.clone());
                self.identities.entry(mark).or_default().push(row);
            }
        }
        for (number, customer_id) in owners(db, ["loyalty_accounts", "loyalty_cards"], &wanted.cards).await? {
            ids.insert(customer_id);
            self.cards.insert(number, customer_id);
        }
        let mut found = by_texts::<customer::Entity>(db, "customers", &[], "number", &wanted.numbers).await?;
        self.numbers.extend(found.iter().map(|row| (row.number.clone(), row.id)));
        for _ in 0..MERGES {
            let missing: Vec<Uuid> = ids
                .drain()
                .chain(found.iter().filter_map(|row| row.merged_into_id))
                .filter(|id| !self.customers.contains_key(id))
                .collect();
            self.customers.extend(found.drain(..).map(|row| (row.id, row)));
            if missing.is_empty() {
                break;
            }
            found = by_ids::<customer::Entity>(db, "customers", "id", &missing).await?;
        }
        self.customers.extend(found.into_iter().map(|row| (row.id, row)));
        Ok(())
    }

    async fn find_things(&mut self, db: &DatabaseConnection, wanted: &Wanted) -> Result<(), DbErr> {
        for (source, skus) in &wanted.products {
            let found =
                by_texts::<product::Entity>(db, "products", &[("source", source.as_str())], "sku", skus).await?;
            let found = found.into_iter().map(|row| ((row.source, row.sku), row.id));
            self.products.extend(found);
        }
        let orders: Vec<Uuid> =
            wanted.orders_with_lines.iter().filter_map(|key| self.items.get(key)).map(|seen| seen.subject_id).collect();
        for line in by_ids::<order_line::Entity>(db, "order_lines", "order_id", &orders).await? {
            self.lines.insert((line.order_id, line.position), line.id);
        }
        Ok(())
    }

    /// The rows of items that are there in an older version, by kind, and whose open lots must be known.
    fn changing(&self, items: &[Parsed]) -> (HashMap<&'static str, Vec<Uuid>>, HashSet<Uuid>) {
        let (mut old, mut spending): (HashMap<_, Vec<_>>, HashSet<_>) = (HashMap::new(), HashSet::new());
        for parsed in items {
            let older = self.items.get(&parsed.key).filter(|seen| seen.version < parsed.version);
            if let Some(seen) = older {
                old.entry(parsed.key.kind).or_default().push(seen.subject_id);
                spending.insert(self.survivor(seen.customer_id));
            }
            // A customer may be there without having been brought in by this importer.
            if let Item::Customer(item) = &parsed.item {
                let mark = ("EXTERNAL", item.source.0.clone(), item.id.0.clone());
                let there = self.identities.get(&mark).into_iter().flatten().map(|row| row.customer_id);
                old.entry("customer").or_default().extend(there);
            }
        }
        (old, spending)
    }

    async fn find_old(&mut self, db: &DatabaseConnection, old: &HashMap<&'static str, Vec<Uuid>>) -> Result<(), DbErr> {
        let ids = |kind| old.get(kind).map(Vec::as_slice).unwrap_or_default();
        for row in by_ids::<customer_identity::Entity>(db, "customer_identities", "id", ids("identity")).await? {
            self.identity_rows.insert(row.id, row);
        }
        for row in by_ids::<customer::Entity>(db, "customers", "merged_into_id", ids("customer")).await? {
            self.merged.extend(row.merged_into_id.map(|into| (into, row)));
        }
        for row in by_ids::<customer_tag::Entity>(db, "customer_tags", "customer_id", ids("customer")).await? {
            self.tags.entry(row.customer_id).or_default().push(row);
        }
        for row in by_ids::<consent::Entity>(db, "consents", "customer_id", ids("customer")).await? {
            self.consents.entry(row.customer_id).or_default().push(row);
        }
        self.find_old_orders(db, ids("order")).await?;
        for row in by_ids::<ticket::Entity>(db, "tickets", "id", ids("ticket")).await? {
            self.tickets.insert(row.id, row);
        }
        for row in by_ids::<ticket_message::Entity>(db, "ticket_messages", "ticket_id", ids("ticket")).await? {
            self.messages.entry(row.ticket_id).or_default().push(row);
        }
        for kind in ["surveyResponse", "review", "mention", "suggestion"] {
            for row in by_ids::<feedback::Entity>(db, "feedback", "id", ids(kind)).await? {
                self.feedback.insert(row.id, row);
            }
        }
        Ok(())
    }

    async fn find_old_orders(&mut self, db: &DatabaseConnection, ids: &[Uuid]) -> Result<(), DbErr> {
        for row in by_ids::<order::Entity>(db, "orders", "id", ids).await? {
            self.orders.insert(row.id, row);
        }
        for row in by_ids::<order_line::Entity>(db, "order_lines", "order_id", ids).await? {
            self.order_lines.entry(row.order_id).or_default().push(row);
        }
        for row in by_ids::<loyalty_transaction::Entity>(db, "loyalty_transactions", "order_id", ids).await? {
            self.accrued.extend(row.order_id.filter(|_| row.kind == "ACCRUAL"));
        }
        for row in by_ids::<refund::Entity>(db, "refunds", "order_id", ids).await? {
            self.refunds.entry(row.order_id).or_default().push(row);
        }
        let returns = by_ids::<order_return::Entity>(db, "returns", "order_id", ids).await?;
        let mut lines: HashMap<Uuid, Vec<return_line::Model>> = HashMap::new();
        let return_ids: Vec<Uuid> = returns.iter().map(|row| row.id).collect();
        for line in by_ids::<return_line::Entity>(db, "return_lines", "return_id", &return_ids).await? {
            lines.entry(line.return_id).or_default().push(line);
        }
        for row in returns {
            let lines = lines.remove(&row.id).unwrap_or_default();
            self.returns.entry(row.order_id).or_default().push((row, lines));
        }
        Ok(())
    }

    async fn find_books(
        &mut self,
        db: &DatabaseConnection,
        world: &World,
        spending: &HashSet<Uuid>,
    ) -> Result<(), DbErr> {
        let customers: Vec<Uuid> = self.customers.keys().copied().collect();
        let accounts = by_ids::<loyalty_account::Entity>(db, "loyalty_accounts", "customer_id", &customers).await?;
        let accounts: Vec<_> = accounts.into_iter().filter(|row| row.programme_id == world.programme.id).collect();
        // Who spends by entries of a ledger, changes an order, or owes points may need any lot.
        let needs = |row: &loyalty_account::Model| {
            row.earning == "LEDGER" || row.owed_points > 0 || spending.contains(&row.customer_id)
        };
        let with_lots: Vec<Uuid> = accounts.iter().filter(|row| needs(row)).map(|row| row.id).collect();
        let mut lots = book::open_lots(db, &with_lots).await?;
        for row in accounts {
            let lots = needs(&row).then(|| lots.remove(&row.id).unwrap_or_default());
            self.books.insert(row.customer_id, Book::stored(row, lots));
        }
        Ok(())
    }

    /// The redemptions that are to be given back, with the lots that they took from.
    async fn find_redeemed(&mut self, db: &DatabaseConnection, items: &[Parsed]) -> Result<(), DbErr> {
        let reversed = items.iter().filter_map(|parsed| match &parsed.item {
            Item::LoyaltyTransaction(item) => {
                item.reverses.as_ref().map(|link| link_key(parsed.key.kind, &parsed.key.source, link))
            }
            _ => None,
        });
        let ids: Vec<Uuid> = reversed.filter_map(|key| self.items.get(&key)).map(|seen| seen.subject_id).collect();
        let redemptions = by_ids::<loyalty_transaction::Entity>(db, "loyalty_transactions", "id", &ids).await?;
        let parts = by_ids::<points_allocation::Entity>(db, "points_allocations", "transaction_id", &ids).await?;
        let accounts: Vec<Uuid> = redemptions.iter().map(|row| row.account_id).collect();
        let back = "reverses_id IS NOT NULL AND account_id";
        let back = by_ids::<loyalty_transaction::Entity>(db, "loyalty_transactions", back, &accounts).await?;
        let lots: Vec<Uuid> = parts.iter().map(|part| part.lot_id).collect();
        let lots = by_ids::<points_lot::Entity>(db, "points_lots", "id", &lots).await?;
        let owners: HashMap<Uuid, Uuid> = self.books.iter().map(|(owner, book)| (book.row.id, *owner)).collect();
        let mut earned: HashMap<Uuid, _> = HashMap::new();
        for lot in lots {
            earned.insert(lot.id, (lot.earned_at, lot.id));
            if let Some(book) = owners.get(&lot.account_id).and_then(|owner| self.books.get_mut(owner)) {
                book.add_lot(lot);
            }
        }
        let mut allocations: HashMap<Uuid, Vec<(Uuid, i64)>> = HashMap::new();
        for part in parts {
            allocations.entry(part.transaction_id).or_default().push((part.lot_id, part.points));
        }
        for row in redemptions.into_iter().filter(|row| row.kind == "REDEMPTION") {
            let book = owners.get(&row.account_id).and_then(|owner| self.books.get_mut(owner));
            let Some(book) = book else { continue };
            // As they were taken: the oldest first.
            let mut allocations = allocations.remove(&row.id).unwrap_or_default();
            allocations.sort_by_key(|(lot, _)| earned.get(lot).copied());
            let entry = Entry {
                kind: TransactionKind::Redemption,
                points: row.points,
                at: row.occurred_at,
                order_id: row.order_id,
                allocations,
            };
            let refunded =
                back.iter().filter(|other| other.reverses_id == Some(row.id)).map(|other| other.points).sum();
            book.redeemed.insert(row.id, Redeemed { entry, refunded });
        }
        Ok(())
    }
}

/// More merges in a row than anybody makes.
const MERGES: usize = 16;

/// What items name, sorted by where to look.
#[derive(Default)]
struct Wanted {
    items: HashMap<(String, &'static str), BTreeSet<String>>,
    marks: HashMap<(&'static str, String), BTreeSet<String>>,
    numbers: BTreeSet<String>,
    cards: BTreeSet<String>,
    products: HashMap<String, BTreeSet<String>>,
    orders_with_lines: HashSet<Key>,
}

impl Wanted {
    fn by(world: &World, items: &[Parsed]) -> Self {
        let mut wanted = Self::default();
        for parsed in items {
            let source = &parsed.key.source;
            wanted.item(parsed.key.clone());
            if let Some(Ok(sought)) = parsed.item.whose().map(|whose| mark_of(world, source, whose)) {
                wanted.sought(sought);
            }
            let mut link = |kind, link: &Option<Link>| {
                link.iter().for_each(|link| wanted.item(link_key(kind, source, link)));
            };
            match &parsed.item {
                Item::Customer(item) => {
                    wanted.sought(Sought::Mark(("EXTERNAL", source.clone(), parsed.key.id.clone())));
                    wanted.numbers.insert(super::customers::number_of(item));
                    let card =
                        item.loyalty.as_ref().map(|loyalty| c360_rules::identifier::loyalty_number(&loyalty.number.0));
                    wanted.cards.extend(card.and_then(Result::ok));
                }
                Item::Identity(item) => {
                    if let Ok(mark) = super::customers::mark(world, item) {
                        wanted.sought(Sought::Mark(mark));
                    }
                }
                Item::Order(item) => {
                    let skus = item.lines.iter().map(|line| line.sku.0.clone());
                    wanted.products.entry(source.clone()).or_default().extend(skus);
                }
                Item::Ticket(item) => item.orders.iter().for_each(|link| wanted.item(link_key("order", source, link))),
                Item::LoyaltyTransaction(item) => {
                    link("order", &item.order);
                    link("loyaltyTransaction", &item.reverses);
                }
                Item::SurveyResponse(item) => {
                    link("order", &item.order);
                    link("ticket", &item.ticket);
                }
                Item::Review(item) => {
                    link("order", &item.order);
                    if let (Some(order), Some(_)) = (&item.order, item.line) {
                        wanted.orders_with_lines.insert(link_key("order", source, order));
                    }
                }
                Item::Mention(_) | Item::Suggestion(_) => {}
            }
        }
        wanted
    }

    fn item(&mut self, key: Key) {
        self.items.entry((key.source, key.kind)).or_default().insert(key.id);
    }

    fn sought(&mut self, sought: Sought) {
        match sought {
            Sought::Number(number) => self.numbers.insert(number),
            Sought::Card(number) => self.cards.insert(number),
            Sought::Mark((kind, namespace, value)) => self.marks.entry((kind, namespace)).or_default().insert(value),
        };
    }
}

pub(super) fn link_key(kind: &'static str, source: &str, link: &Link) -> Key {
    let source = link.source.as_ref().map_or(source, |source| &source.0).to_owned();
    Key { source, kind, id: link.id.0.clone() }
}

/// By what a customer is sought.
pub(super) enum Sought {
    Number(String),
    Card(String),
    Mark(Mark),
}

fn mark_of(world: &World, source: &str, whose: &Whose) -> Result<Sought, Problem> {
    let problem = |field: &str, error: c360_rules::identifier::IdentifierError| {
        Problem::new(format!("customer.{field}"), error.to_string())
    };
    match whose {
        Whose { id: Some(id), number: None, email: None, phone: None, loyalty_number: None, source: of } => {
            let of = of.as_ref().map_or(source, |of| &of.0);
            Ok(Sought::Mark(("EXTERNAL", of.to_owned(), id.0.clone())))
        }
        Whose { number: Some(number), id: None, source: None, email: None, phone: None, loyalty_number: None } => {
            Ok(Sought::Number(number.0.trim().to_uppercase()))
        }
        Whose { email: Some(email), id: None, source: None, number: None, phone: None, loyalty_number: None } => {
            let email = c360_rules::identifier::email(&email.0).map_err(|error| problem("email", error))?;
            Ok(Sought::Mark(("EMAIL", String::new(), email)))
        }
        Whose { phone: Some(phone), id: None, source: None, number: None, email: None, loyalty_number: None } => {
            let phone = world.phone(&phone.0).map_err(|error| problem("phone", error))?;
            Ok(Sought::Mark(("PHONE", String::new(), phone)))
        }
        Whose { loyalty_number: Some(number), id: None, source: None, number: None, email: None, phone: None } => {
            let number = c360_rules::identifier::loyalty_number(&number.0);
            Ok(Sought::Card(number.map_err(|error| problem("loyaltyNumber", error))?))
        }
        _ => {
            Err(Problem::new("customer", "name the customer by exactly one of id, number, email, phone, loyaltyNumber"))
        }
    }
}

/// Which of these events are in the log.
pub(super) async fn logged(db: &DatabaseConnection, ids: &[Uuid]) -> Result<HashSet<Uuid>, DbErr> {
    Ok(by_ids::<event::Entity>(db, "events", "id", ids).await?.into_iter().map(|event| event.id).collect())
}
