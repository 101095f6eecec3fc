//! What an answer rests on, noted while it is made.
//!
//! Nothing has to be declared: the statement names the tables that it reads, the row of the root is the customer, and
//! whoever looks at the clock says for which moment, or else the answer is good for this one only.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::tables::{Rows, Table, Tables};
use super::versions::{Found, Key, Seen, Version};

/// Why an answer is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The versions cannot be had: Redis does not answer, or another gateway alone caches.
    NoVersions,
    /// The customer is found by something that has no version, or not at all.
    Finding,
    /// It is read from something that has no version, or by more than one statement.
    Source,
    /// It shows the time.
    Clock,
    /// It changes at this very moment.
    Changing,
    /// Something went wrong with it.
    Errors,
}

impl Reason {
    /// As it stands in `extensions.cache` and in figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoVersions => "NO_VERSIONS",
            Self::Finding => "FINDING",
            Self::Source => "SOURCE",
            Self::Clock => "CLOCK",
            Self::Changing => "CHANGING",
            Self::Errors => "ERRORS",
        }
    }
}

/// The ground under which a statement was run: who keeps the versions, and what they were just before.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Generation and authority, as one name.
    pub stamp: String,
    /// The versions, of the customer that is looked for (if it is known) and of all tables that have one.
    pub seen: Seen,
}

/// What an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Generation and authority, as one name.
    pub stamp: String,
    /// The versions that it was made under.
    pub versions: Arc<[(Key, Version)]>,
    /// From when on it is another one by itself.
    pub until: Option<DateTime<Utc>>,
}

/// Notes what an answer rests on.
#[derive(Debug, Default)]
pub struct Reads(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    basis: Option<Basis>,
    until: Option<DateTime<Utc>>,
    why_not: Option<Reason>,
}

impl Reads {
    fn note(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Says that the answer cannot be kept. The first reason counts.
    pub fn refuse(&self, reason: Reason) {
        self.note(|noted| noted.why_not = noted.why_not.or(Some(reason)));
    }

    /// Says that the answer is another one from an instant on.
    pub fn until(&self, at: DateTime<Utc>) {
        self.note(|noted| noted.until = Some(noted.until.map_or(at, |before| before.min(at))));
    }

    /// Notes a statement: its text, the part of it that finds the customer, whom it found, and the ground that it was run
    /// on.
    pub fn statement(&self, text: &str, finding: Option<&str>, customer: Option<Uuid>, ground: Option<&Ground>) {
        match basis_of(text, finding, customer, ground) {
            Ok(basis) => self.note(|noted| match noted.basis {
                None => noted.basis = Some(basis),
                Some(_) => noted.why_not = noted.why_not.or(Some(Reason::Source)),
            }),
            Err(reason) => self.refuse(reason),
        }
    }

    /// What the answer rests on.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn basis(&self) -> Result<Basis, Reason> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (noted.why_not, &noted.basis) {
            (Some(reason), _) => Err(reason),
            (None, None) => Err(Reason::Source),
            (None, Some(basis)) => Ok(Basis { until: noted.until, ..basis.clone() }),
        }
    }
}

/// Words by which a statement asks the database for the time.
const CLOCKS: [&str; 8] = [
    "now",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "julianday",
    "strftime",
];

fn basis_of(
    text: &str,
    finding: Option<&str>,
    customer: Option<Uuid>,
    ground: Option<&Ground>,
) -> Result<Basis, Reason> {
    let customer = customer.ok_or(Reason::Finding)?;
    let finding = finding.map(Tables::in_text).ok_or(Reason::Finding)?;
    let customers = Table::named("customers");
    // Customers are found by what cannot pass to another one (their id, their number), or by tables with a version.
    if finding.iter().any(|table| Some(table) != customers && !matches!(table.rows(), Rows::Finding | Rows::Shared)) {
        return Err(Reason::Finding);
    }
    let tables = Tables::in_text(text);
    if tables.any(|rows| rows == Rows::Unseen) {
        return Err(Reason::Source);
    }
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    if words.any(|word| CLOCKS.contains(&word)) {
        return Err(Reason::Clock);
    }
    let Ground { stamp, seen } = ground.ok_or(Reason::NoVersions)?;
    let shared = tables.iter().filter(|table| table.rows() == Rows::Shared);
    let found_by = finding.versioned();
    let keys = shared.chain(found_by).map(Key::Table).chain([Key::Customer(customer)]);
    let versions = keys.map(|key| match seen.get(&key) {
        Some(Found::Version(version)) => Ok((key, *version)),
        Some(Found::Marked(_)) => Err(Reason::Changing),
        // Whom it would find was not known before.
        Some(Found::Nothing) | None => Err(Reason::Finding),
    });
    Ok(Basis { stamp: stamp.clone(), versions: versions.collect::<Result<_, _>>()?, until: None })
}
