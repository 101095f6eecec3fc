//! Whose rows a table holds, and which tables a statement names: from this the gateway knows what an answer depends on
//! and what a change touches, without anybody having to say it.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What the rows of a table mean for a cached answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Each belongs to one customer, whose version changes with it.
    OfCustomer,
    /// They belong to no customer; the table has a version of its own.
    Shared,
    /// Each belongs to one customer, and others are found by it: both versions change with it.
    Finding,
    /// No answer that is cached shows them.
    Unseen,
}

use Rows::{Finding, OfCustomer, Shared, Unseen};

/// Every table of the schema.
pub const TABLES: &[(Rows, &str)] = &[
    (
        OfCustomer,
        "customers addresses consents customer_notes customer_tags customer_segments customer_merges \
         customer_verifications customer_statistics campaign_members interactions events event_values",
    ),
    (
        OfCustomer,
        "orders order_lines order_discounts payments fulfillments fulfillment_lines fulfillment_events returns \
         return_lines exchange_lines refunds",
    ),
    (OfCustomer, "tickets ticket_messages ticket_tags ticket_links sla_clocks"),
    (
        OfCustomer,
        "loyalty_accounts loyalty_transactions points_lots points_allocations points_holds points_hold_allocations \
         redemptions coupons referrals",
    ),
    (OfCustomer, "survey_invitations feedback survey_answers follow_ups"),
    (Finding, "customer_identities loyalty_cards"),
    (Shared, "stores products teams staff segments surveys macros"),
    (Shared, "business_calendars business_hours business_holidays sla_policies sla_targets"),
    (Shared, "loyalty_programmes loyalty_tiers campaigns earning_rules rewards coupon_definitions coupon_products"),
    (
        Unseen,
        "partners partner_secrets revocations trust_version job_leases idempotency_records ingested_items \
         customer_search_entries event_heads cache_state seaql_migrations",
    ),
];

/// A table, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Table(u8);

struct Known {
    all: Vec<(&'static str, Rows)>,
    places: HashMap<&'static str, Table>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let named =
        |(rows, names): &(Rows, &'static str)| names.split_whitespace().map(move |name| (name, *rows)).collect();
    let all: Vec<(&str, Rows)> = TABLES.iter().flat_map(|of| -> Vec<_> { named(of) }).collect();
    let places = (0..).zip(&all).map(|(place, (name, _))| (*name, Table(place))).collect();
    Known { all, places }
});

impl Table {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        KNOWN.places.get(name).copied()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        KNOWN.all[usize::from(self.0)].0
    }

    /// What its rows mean.
    pub fn rows(self) -> Rows {
        KNOWN.all[usize::from(self.0)].1
    }
}

/// Some of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tables(u128);

impl Tables {
    /// Those that a statement names, and perhaps some that share their name with something else in it.
    pub fn in_text(text: &str) -> Self {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.filter_map(Table::named).fold(Self::default(), |all, table| all.with(table))
    }

    /// These and another.
    #[must_use]
    pub fn with(self, table: Table) -> Self {
        Self(self.0 | 1 << table.0)
    }

    /// These and others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Table> {
        (0..128_u8).filter(move |place| self.0 >> place & 1 == 1).map(Table)
    }

    /// Whether there is one with such rows.
    pub fn any(self, of: impl Fn(Rows) -> bool) -> bool {
        self.iter().any(|table| of(table.rows()))
    }

    /// Those whose own version an answer depends on, or a change moves.
    pub fn versioned(self) -> impl Iterator<Item = Table> {
        self.iter().filter(|table| matches!(table.rows(), Shared | Finding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_stands_in_the_list_once() {
        assert_eq!(KNOWN.places.len(), KNOWN.all.len());
        assert!(KNOWN.all.len() <= 128);
    }

    #[test]
    fn a_statement_names_its_tables_however_they_are_written() {
        let text = "WITH n0 AS (SELECT x.id FROM customers x) SELECT * FROM \"loyalty_tiers\" t,staff WHERE (SELECT 1 FROM events)";
        let names: Vec<_> = Tables::in_text(text).iter().map(Table::name).collect();
        assert_eq!(names, ["customers", "events", "staff", "loyalty_tiers"]);
    }
}
