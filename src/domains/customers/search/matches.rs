//! The kinds of match, each as one statement whose work is bounded by what it gives.

use c360_rules::identifier::{Entry, Lookup, NameQuery, customer_number};
use sea_orm::Statement;
use uuid::Uuid;

use super::CustomerFilter;
use crate::error::Fault;
use crate::read::Sql;
use crate::read::connection::{DEFAULT_PAGE, MAX_COUNT, MAX_PAGE};
use crate::scope::Scope;

/// Of identifiers that start with a text, as many are looked at: the first of them, in their own order.
pub(super) const CANDIDATES: usize = 500;

/// One more than is counted.
const COUNTED: usize = MAX_COUNT as usize + 1;
/// Limits of statements: the usual page, the largest, and what is counted, each with one more.
const LIMITS: [usize; 3] = [DEFAULT_PAGE as usize + 1, MAX_PAGE as usize + 1, COUNTED];

/// A kind of match.
#[derive(Debug)]
pub(super) enum Match {
    /// By whole words of a name, or (`whole` is false) by the starts of some.
    Name { lookup: Lookup, whole: bool },
    /// By the start of an e-mail, if not by the name.
    Email { start: String, name: Option<NameQuery> },
    /// By the start of a number, if not by what comes before.
    Number { start: String, email: Option<String>, name: Option<NameQuery> },
    /// All customers, by name.
    Everyone,
    /// All customers, by the time since when they are.
    Since { newest: bool },
}

impl Match {
    /// The kinds that a query may have besides identifiers in full, the best first.
    pub(super) fn of(query: &str) -> Vec<Self> {
        let mut all = Vec::new();
        let is_email = query.contains('@');
        let name = NameQuery::parse(query).filter(|_| !is_email);
        if let Some(name) = &name {
            all.push(Self::Name { lookup: name.whole(), whole: true });
            all.push(Self::Name { lookup: name.part(), whole: false });
        }
        let word = query.trim().to_lowercase();
        let email = (!word.contains(char::is_whitespace)).then_some(word);
        if let Some(start) = &email {
            all.push(Self::Email { start: start.clone(), name: name.clone() });
        }
        // A number has a digit in it, and two characters are the start of too many.
        let number = customer_number(query).ok().filter(|_| !is_email);
        let is_number = |number: &String| number.chars().count() > 2 && number.chars().any(|c| c.is_ascii_digit());
        if let Some(start) = number.filter(is_number) {
            all.push(Self::Number { start, email, name });
        }
        all
    }

    /// The place of the kind, which the cursors carry. Identifiers in full come before all.
    pub(super) fn rank(&self) -> i64 {
        match self {
            Self::Name { whole: true, .. } => 2,
            Self::Name { whole: false, .. } => 3,
            Self::Email { .. } => 4,
            Self::Number { .. } => 5,
            Self::Everyone | Self::Since { .. } => 6,
        }
    }
}

/// The ids of at least so many customers after a place, if there are, in the order of the kind.
pub(super) fn statement(
    kind: &Match,
    scope: &Scope,
    filter: &CustomerFilter,
    exact: &[Uuid],
    after: Option<Uuid>,
    most: usize,
) -> Statement {
    // Limits that stand in the text make good plans, and few of them few texts.
    let most = LIMITS.into_iter().find(|limit| *limit >= most).unwrap_or(COUNTED);
    let mut writer = Writer { sql: Sql::new(scope.backend()), filter, exact, after, most };
    let text = match kind {
        Match::Name { lookup, .. } => writer.by_name(lookup),
        Match::Email { start, name } => {
            let candidates = writer.identities("EMAIL", start);
            writer.by_start(&candidates, None, name.as_ref())
        }
        Match::Number { start, email, name } => {
            let cards = writer.identities("LOYALTY_CARD", start);
            let numbers = writer.numbers(start);
            let candidates = format!("SELECT * FROM ({cards}) a UNION ALL SELECT * FROM ({numbers}) b");
            writer.by_start(&candidates, email.as_deref(), name.as_ref())
        }
        Match::Everyone => writer.everyone(),
        Match::Since { newest } => writer.since(*newest),
    };
    writer.sql.push(&text);
    writer.sql.finish()
}

/// How many rows a statement has.
pub(super) async fn count(scope: &Scope, of: Statement) -> Result<i64, Fault> {
    let text = format!("SELECT count(*) FROM ({}) counted", of.sql);
    let statement = Statement { sql: text, ..of };
    let rows = scope.rows(statement).await?;
    Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default())
}

struct Writer<'a> {
    sql: Sql,
    filter: &'a CustomerFilter,
    exact: &'a [Uuid],
    after: Option<Uuid>,
    most: usize,
}

impl Writer<'_> {
    /// An entry's rows stand in the order of the names, so that they are read from the place on until there are enough.
    fn by_name(&mut self, lookup: &Lookup) -> String {
        let text = self.sql.parameter(lookup.text.clone());
        let mut conditions: String = contained(&lookup.having, &mut self.sql).concat();
        if !lookup.lacking.is_empty() {
            let lacking: String = contained(&lookup.lacking, &mut self.sql).concat();
            conditions += &format!(" AND NOT (1 = 1{lacking})");
        }
        conditions += &self.unless_exact("s.customer_id");
        let filter = self::conditions(self.filter, "c", &mut self.sql);
        if !filter.is_empty() {
            conditions += &format!(" AND EXISTS (SELECT 1 FROM customers c WHERE c.id = s.customer_id{filter})");
        }
        if let Some(after) = self.after {
            let after = self.sql.parameter(after);
            conditions += &format!(
                " AND (s.names, s.customer_id) > (COALESCE((SELECT p.names FROM customer_search_entries p \
                 WHERE p.customer_id = {after} LIMIT 1), ''), {after})"
            );
        }
        let most = self.most;
        let parts: Vec<_> = lookup.entries.iter().map(|entry| {
            format!(
                "SELECT s.customer_id, s.names FROM customer_search_entries s WHERE s.text = {text} AND s.kind = {}{conditions} \
                 ORDER BY s.names, s.customer_id LIMIT {most}",
                *entry as i16
            )
        }).collect();
        match parts.as_slice() {
            [one] => one.clone(),
            _ => {
                let parts: Vec<_> = parts.iter().map(|part| format!("SELECT * FROM ({part}) p")).collect();
                format!("SELECT * FROM ({}) u ORDER BY names, customer_id LIMIT {most}", parts.join(" UNION ALL "))
            }
        }
    }

    /// Customers of candidates, but not those who are found by their name or by the start of their e-mail.
    fn by_start(&mut self, candidates: &str, email: Option<&str>, name: Option<&NameQuery>) -> String {
        let mut conditions = self.unless_exact("c.id");
        if let Some(name) = name {
            let parts: String = contained(&name.parts(), &mut self.sql).concat();
            conditions += &format!(
                " AND NOT EXISTS (SELECT 1 FROM (SELECT e.names FROM customer_search_entries e \
                 WHERE e.customer_id = c.id LIMIT 1) s WHERE 1 = 1{parts})"
            );
        }
        if let Some(email) = email {
            let (from, to) = self.range(email);
            conditions += &format!(
                " AND NOT EXISTS (SELECT 1 FROM customer_identities i WHERE i.customer_id = c.id AND i.kind = 'EMAIL' \
                 AND i.normalized >= {from} AND i.normalized < {to})"
            );
        }
        conditions += &self::conditions(self.filter, "c", &mut self.sql);
        // Not the expression of an index: it would be read from end to end for a few customers.
        let name = "(COALESCE(c.name_folded, '') || '')";
        if let Some(after) = self.after {
            let after = self.sql.parameter(after);
            conditions += &format!(
                " AND ({name}, c.id) > (COALESCE((SELECT p.name_folded FROM customers p WHERE p.id = {after}), ''), {after})"
            );
        }
        format!(
            "WITH k AS MATERIALIZED (SELECT DISTINCT COALESCE(m.merged_into_id, m.id) AS id FROM ({candidates}) y \
             JOIN customers m ON m.id = y.customer_id) \
             SELECT c.id FROM k JOIN customers c ON c.id = k.id WHERE c.status = 'ACTIVE'{conditions} \
             ORDER BY {name}, c.id LIMIT {}",
            self.most
        )
    }

    fn identities(&mut self, kind: &str, start: &str) -> String {
        let (from, to) = self.range(start);
        format!(
            "SELECT i.customer_id FROM customer_identities i WHERE i.kind = '{kind}' AND i.normalized >= {from} \
             AND i.normalized < {to} ORDER BY i.normalized LIMIT {CANDIDATES}"
        )
    }

    fn numbers(&mut self, start: &str) -> String {
        let (from, to) = self.range(start);
        format!(
            "SELECT s.customer_id FROM customer_search_entries s WHERE s.kind = {} AND s.text >= {from} \
             AND s.text < {to} ORDER BY s.text LIMIT {CANDIDATES}",
            Entry::Number as i16
        )
    }

    /// The first text that starts so, and one behind the last: the largest of all characters comes after it.
    fn range(&mut self, start: &str) -> (String, String) {
        (self.sql.parameter(start.to_owned()), self.sql.parameter(format!("{start}\u{10ffff}")))
    }

    fn everyone(&mut self) -> String {
        let mut conditions = self::conditions(self.filter, "c", &mut self.sql);
        if let Some(after) = self.after {
            let after = self.sql.parameter(after);
            conditions += &format!(
                " AND (COALESCE(c.name_folded, ''), c.id) > \
                 (COALESCE((SELECT p.name_folded FROM customers p WHERE p.id = {after}), ''), {after})"
            );
        }
        format!(
            "SELECT c.id FROM customers c WHERE c.status = 'ACTIVE'{conditions} \
             ORDER BY COALESCE(c.name_folded, ''), c.id LIMIT {}",
            self.most
        )
    }

    fn since(&mut self, newest: bool) -> String {
        let (direction, beyond) = if newest { ("DESC", "<") } else { ("ASC", ">") };
        let mut conditions = self::conditions(self.filter, "c", &mut self.sql);
        if let Some(after) = self.after {
            let after = self.sql.parameter(after);
            conditions += &format!(
                " AND (c.member_since, c.id) {beyond} ((SELECT p.member_since FROM customers p WHERE p.id = {after}), {after})"
            );
        }
        format!(
            "SELECT c.id FROM customers c WHERE c.status = 'ACTIVE' AND c.member_since IS NOT NULL{conditions} \
             ORDER BY c.member_since {direction}, c.id {direction} LIMIT {}",
            self.most
        )
    }

    fn unless_exact(&mut self, column: &str) -> String {
        if self.exact.is_empty() {
            return String::new();
        }
        format!(" AND NOT {}", self.sql.one_of(column, self.exact))
    }
}

/// That the names of `s` contain each of these, with a space before and after the names.
fn contained(texts: &[String], sql: &mut Sql) -> Vec<String> {
    let condition = |text: &String| {
        // Words are letters, digits and marks: none of them means anything in a pattern.
        let pattern = sql.parameter(format!("%{text}%"));
        format!(" AND (' ' || s.names || ' ') LIKE {pattern}")
    };
    // The longest last: most names that are looked at have it, for it is what was looked up.
    let mut texts: Vec<&String> = texts.iter().collect();
    texts.sort_by_key(|text| text.len());
    texts.into_iter().map(condition).collect()
}

/// The filter, over customers by that alias; each condition after an `AND`.
pub(super) fn conditions(filter: &CustomerFilter, alias: &str, sql: &mut Sql) -> String {
    let mut conditions = String::new();
    match filter.vip {
        Some(true) => conditions += &format!(" AND {alias}.vip"),
        Some(false) => conditions += &format!(" AND NOT {alias}.vip"),
        None => {}
    }
    for (sign, at) in [(">=", filter.member_since_from), ("<", filter.member_since_before)] {
        if let Some(at) = at {
            conditions += &format!(" AND {alias}.member_since {sign} {}", sql.parameter(at.0));
        }
    }
    conditions
}
