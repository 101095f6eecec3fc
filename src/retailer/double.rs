//! A person who was in the books twice: the other row, and how both became one.

use c360_entities::{customer, customer_merge, customer_statistics, loyalty_account};
use c360_rules::id::Kind;
use c360_rules::identifier;
use c360_rules::ledger::{Entry, NewLot};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::book::{Book, Posting};
use super::person::{Actor, Happening, Person};
use super::profile::{card_number, customer_number};

/// The other row's id, and since when it was there.
pub(super) type Double = (uuid::Uuid, DateTime<Utc>);

impl Person<'_> {
    /// Makes the customer that this one absorbs, with an account of their own and the entries of it.
    pub(super) fn make_double(&mut self, at: DateTime<Utc>, index: u64) -> (Book, Vec<Entry>, Double) {
        let created = at - TimeDelta::days(60);
        let id = self.id_at(created);
        let name = self.traits.handle.replace('.', " ");
        self.rows.customers.push(customer::Model {
            id,
            number: customer_number(index),
            status: "MERGED".to_owned(),
            merged_into_id: Some(self.id),
            name_folded: Some(identifier::name_fold(&name)),
            name: Some(name),
            locale: Some(self.traits.home.locale.to_owned()),
            birthday: self.rows.customers[0].birthday,
            preferred_channel: None,
            member_since: Some(created),
            vip: false,
            risk: "LOW".to_owned(),
            source: "pos".to_owned(),
            version: 2,
            created_at: created,
            updated_at: at,
        });
        let email = format!("{}.home@example.com", self.traits.handle);
        self.identity("EMAIL", "", &email, &email, Some(created), "pos", created);
        let merge = self.id_at(at);
        let supervisor = self.world.staff.iter().find(|colleague| colleague.subject == "supervisor-1");
        self.rows.customer_merges.push(customer_merge::Model {
            id: merge,
            customer_id: self.id,
            merged_customer_id: id,
            rule: "SAME_BIRTHDAY_AND_PHONE".to_owned(),
            evidence: json!({"birthday": true, "phone": true, "name": "similar", "confirmedBy": "customer"}),
            staff_id: supervisor.map(|colleague| colleague.id),
            merged_at: at,
            undone_at: None,
        });
        let merged = Happening::new("CUSTOMER_MERGED", "CUSTOMERS", at, (Kind::Merge, merge));
        let actor = Actor::Staff(supervisor.map_or("supervisor-1", |colleague| colleague.subject));
        self.happened(Happening { label: Some(customer_number(index)), actor, staff_only: true, ..merged });
        let mut book = Book::new(self.id_at(created));
        let lot = NewLot { id: self.id_at(created), expires_at: Some(created + self.world.programme.expiry) };
        let entries = book.account.adjust(150, created, lot).unwrap_or_default();
        (book, entries, (id, created))
    }

    /// Writes the account that was joined to another one, and is empty now.
    pub(super) fn finish_double(&mut self, book: &mut Book, entries: &[Entry], gone: &[Entry], (id, since): Double) {
        for (entries, reason) in [(entries, "Welcome"), (gone, "Accounts joined")] {
            for entry in entries {
                book.post(
                    id,
                    entry,
                    Posting { reason: Some(reason), ..Posting::default() },
                    &mut self.rng,
                    &mut self.rows,
                );
            }
        }
        let balance = book.account.balance();
        let index = self.traits.absorbs.unwrap_or_default();
        self.rows.loyalty_accounts.push(loyalty_account::Model {
            id: book.id,
            programme_id: self.world.programme.id,
            customer_id: id,
            number: card_number(index),
            status: "CLOSED".to_owned(),
            tier_id: self.world.programme.tiers[0].0,
            tier_until: None,
            active_points: balance.active,
            pending_points: balance.pending,
            held_points: balance.held,
            owed_points: balance.owed,
            spent_points: balance.spent,
            expired_points: balance.expired,
            lifetime_points: balance.lifetime,
            qualifying_points: 0,
            version: 2,
            enrolled_at: since,
            earning: "ORDERS".to_owned(),
            review_at: None,
            kept_points: None,
        });
        self.write_lots(book, id);
        let currency = self.currency();
        self.rows.customer_statistics.push(customer_statistics::Model {
            customer_id: id,
            currency,
            order_count: 0,
            spent_total: 0,
            refunded_total: 0,
            return_count: 0,
            first_order_at: None,
            last_order_at: None,
            ticket_count: 0,
            open_ticket_count: 0,
            feedback_count: 0,
            last_nps: None,
            last_nps_at: None,
            previous_nps: None,
            last_csat: None,
            last_csat_at: None,
            previous_csat: None,
            last_ces: None,
            last_ces_at: None,
            previous_ces: None,
            updated_at: since,
        });
    }
}
