//! Customers by an identifier that somebody typed in full.

use c360_rules::identifier::{self, Entry};
use uuid::Uuid;

use super::CustomerFilter;
use super::matches::{CANDIDATES, conditions};
use crate::auth::Domain;
use crate::error::Fault;
use crate::read::Sql;
use crate::scope::{Scope, readable};

/// What a text may identify: as many readings as it has.
#[derive(Debug)]
pub(super) struct Exact {
    text: String,
    email: Option<String>,
    phones: Vec<String>,
    number: Option<String>,
    is_staff: bool,
}

impl Exact {
    pub(super) fn read(text: &str, phone_regions: &[String], is_staff: bool) -> Self {
        // Without a country code it may be a number of any of the regions.
        let mut phones: Vec<String> =
            phone_regions.iter().filter_map(|region| identifier::phone(text, &[region]).ok()).collect();
        phones.extend(identifier::phone(text, &[]).ok());
        phones.sort_unstable();
        phones.dedup();
        Self {
            text: text.trim().to_owned(),
            email: identifier::email(text).ok(),
            phones,
            number: identifier::customer_number(text).ok(),
            is_staff,
        }
    }

    /// Everybody who has it, staff's list by name, a partner's by id; of a crowd the first 500 of each reading.
    pub(super) async fn find(&self, scope: &Scope, filter: &CustomerFilter) -> Result<Vec<Uuid>, Fault> {
        let mut sql = Sql::new(scope.backend());
        let readings: Vec<_> = self.readings(scope, &mut sql).iter().map(|reading| limited(reading)).collect();
        if readings.is_empty() {
            return Ok(Vec::new());
        }
        let filter = conditions(filter, "c", &mut sql);
        let order = if self.is_staff { "COALESCE(c.name_folded, ''), c.id" } else { "c.id" };
        sql.push(&format!(
            "WITH k AS MATERIALIZED (SELECT DISTINCT COALESCE(m.merged_into_id, m.id) AS id FROM ({}) y \
             JOIN customers m ON m.id = y.customer_id) \
             SELECT c.id FROM k JOIN customers c ON c.id = k.id WHERE c.status = 'ACTIVE'{filter} ORDER BY {order}",
            readings.join(" UNION ALL ")
        ));
        let rows = scope.rows(sql.finish()).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }

    fn readings(&self, scope: &Scope, sql: &mut Sql) -> Vec<String> {
        let identity = |kinds: &str, value: &str| {
            format!("SELECT i.customer_id FROM customer_identities i WHERE i.kind {kinds} AND i.normalized = {value}")
        };
        let mut readings = Vec::new();
        if let Some(email) = &self.email {
            readings.push(identity("= 'EMAIL'", &sql.parameter(email.clone())));
        }
        for phone in &self.phones {
            readings.push(identity("= 'PHONE'", &sql.parameter(phone.clone())));
        }
        if let Some(number) = &self.number {
            let number = sql.parameter(number.clone());
            readings.push(format!(
                "SELECT s.customer_id FROM customer_search_entries s WHERE s.text = {number} AND s.kind = {}",
                Entry::Number as i16
            ));
            readings.push(identity("= 'LOYALTY_CARD'", &number));
            readings.push(format!("SELECT a.customer_id FROM loyalty_accounts a WHERE a.number = {number}"));
            let cards = "SELECT a.customer_id FROM loyalty_cards a WHERE a.status = 'ACTIVE' AND a.number =";
            readings.push(format!("{cards} {number}"));
            let typed = sql.parameter(self.text.to_uppercase());
            let readable = readable(scope.caller(), Domain::Orders, "o.source").write(sql);
            readings.push(format!("SELECT o.customer_id FROM orders o WHERE o.number = {typed}{readable}"));
        }
        if self.is_staff {
            let handle = self.text.strip_prefix('@').unwrap_or(&self.text);
            readings.push(identity("IN ('SOCIAL', 'EXTERNAL')", &sql.parameter(handle.to_owned())));
        }
        readings
    }
}

/// On both databases a part of a union takes its own limit only as a table.
fn limited(reading: &str) -> String {
    format!("SELECT * FROM ({reading} LIMIT {CANDIDATES}) l")
}
