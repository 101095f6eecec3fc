//! Checking the log: that nothing in it was edited, removed, moved or cut off since it was sealed.

use c360_entities::{event_head, event_value};
use c360_rules::id::{self, Kind};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult as _};

use super::chain::{COLUMNS, Entry, GENESIS};
use super::heads::{self, HeadKeys, Signature};
use crate::read::Sql;

/// How many events are held at once.
const PAGE: i64 = 1_000;
/// Most violations that are told one by one.
const TOLD: usize = 20;
/// Events that wait for longer than this to be sealed are worth a word.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);

/// What the log is checked against besides itself.
#[derive(Debug, Default)]
pub struct Against {
    /// The keys whose signatures are believed.
    pub keys: HeadKeys,
    /// Heads that were kept elsewhere.
    pub exported: Vec<event_head::Model>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// The position of the last event.
    pub sealed: i64,
    /// How often the log is not what it was.
    pub violations: usize,
    /// What is not wrong, and worth knowing.
    pub notices: Vec<String>,
}

struct Check<'c, T> {
    against: &'c Against,
    tell: T,
    violations: usize,
    good: usize,
    unknown: usize,
    previous: (i64, Vec<u8>),
}

/// Checks the whole log, a page at a time; `tell` is called with a line for each violation, up to a bound.
///
/// # Errors
/// The database cannot be read.
pub async fn check<C: ConnectionTrait>(
    db: &C,
    against: &Against,
    now: DateTime<Utc>,
    tell: impl FnMut(String),
) -> Result<Checked, DbErr> {
    let previous = (0, GENESIS.to_vec());
    let mut check = Check { against, tell, violations: 0, good: 0, unknown: 0, previous };
    let mut after = i64::MIN;
    loop {
        let page = page(db, after).await?;
        let Some(until) = page.last().and_then(|entry| entry.position) else { break };
        let values = values(db, after, until).await?;
        for entry in &page {
            let first = values.partition_point(|value| value.event_id < entry.id);
            let count = values[first..].partition_point(|value| value.event_id == entry.id);
            check.entry(entry, &values[first..first + count]);
        }
        check.heads(&page, &heads::between(db, after, until).await?, "");
        let kept = against.exported.iter().filter(|head| after < head.position && head.position <= until);
        check.heads(&page, &kept.cloned().collect::<Vec<_>>(), "exported ");
        after = until;
    }
    let end = check.previous.0.max(0);
    for head in heads::between(db, end, i64::MAX).await? {
        check.wrong(format!(
            "the log ends at position {end}, but its head at {} was signed: its end is gone",
            head.position
        ));
    }
    for head in against.exported.iter().filter(|head| head.position > end) {
        check.wrong(format!(
            "the log ends at position {end}, but its head at {} was exported: its end is gone",
            head.position
        ));
    }
    let mut notices = notices(db, now).await?;
    if check.unknown > 0 {
        notices.push(format!("{} heads are signed by keys that are not known here", check.unknown));
    }
    if check.good + check.unknown == 0 && end > 0 {
        notices.push("no head of the log is signed: set events.signing_key_files, and keep heads elsewhere".into());
    }
    if check.violations > TOLD {
        let more = check.violations - TOLD;
        (check.tell)(format!("and {more} more (the log is what was sealed)"));
    }
    Ok(Checked { sealed: end, violations: check.violations, notices })
}

impl<T: FnMut(String)> Check<'_, T> {
    fn wrong(&mut self, text: String) {
        self.violations += 1;
        if self.violations <= TOLD {
            (self.tell)(text);
        }
    }

    fn entry(&mut self, entry: &Entry, values: &[event_value::Model]) {
        let (last, previous) = std::mem::take(&mut self.previous);
        let position = entry.position.unwrap_or_default();
        let hash = entry.hash.clone().unwrap_or_default();
        if position != last + 1 {
            self.wrong(format!("position {position} comes after position {last}: events between them are gone"));
        }
        if entry.link(position, &previous, entry.words_digest.as_deref())[..] != hash {
            self.wrong(format!(
                "{}: this is not what was sealed at position {position}",
                id::encode(Kind::Event, entry.id)
            ));
        } else if !words_hold(entry, values) {
            self.wrong(format!(
                "{}: these are not the words that it was sealed with",
                id::encode(Kind::Event, entry.id)
            ));
        }
        self.previous = (position, hash);
    }

    /// Whether heads are those of the events at their positions.
    fn heads(&mut self, page: &[Entry], heads: &[event_head::Model], origin: &str) {
        for head in heads {
            let at = page.partition_point(|entry| entry.position < Some(head.position));
            let same = page
                .get(at)
                .is_some_and(|entry| entry.position == Some(head.position) && entry.hash.as_ref() == Some(&head.hash));
            let position = head.position;
            if !same {
                self.wrong(format!(
                    "the {origin}head at position {position} is another one's: the log was written anew"
                ));
            }
            match self.against.keys.check(head) {
                Signature::Good => self.good += 1,
                Signature::Unknown => self.unknown += 1,
                Signature::Bad => self.wrong(format!("the {origin}head at position {position} has a wrong signature")),
            }
        }
    }
}

/// Whether the words are those that were sealed, or were emptied with their salt.
fn words_hold(entry: &Entry, values: &[event_value::Model]) -> bool {
    match (&entry.words_salt, &entry.words_digest) {
        (Some(salt), Some(digest)) => entry.words(salt, values)[..] == digest[..],
        (None, _) => !entry.has_words(values),
        (Some(_), None) => false,
    }
}

async fn page<C: ConnectionTrait>(db: &C, after: i64) -> Result<Vec<Entry>, DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    sql.push(&format!("SELECT {COLUMNS} FROM events x WHERE x.position > "));
    sql.bind(after);
    sql.push(&format!(" ORDER BY x.position LIMIT {PAGE}"));
    let rows = db.query_all_raw(sql.finish()).await?;
    rows.iter().map(|row| Entry::from_query_result(row, "")).collect()
}

async fn values<C: ConnectionTrait>(db: &C, after: i64, until: i64) -> Result<Vec<event_value::Model>, DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    sql.push(
        "SELECT v.event_id, v.customer_id, v.field, v.before_value, v.after_value FROM events x \
         JOIN event_values v ON v.event_id = x.id WHERE x.position > ",
    );
    sql.bind(after);
    sql.push(" AND x.position <= ");
    sql.bind(until);
    let rows = db.query_all_raw(sql.finish()).await?;
    let mut values =
        rows.iter().map(|row| event_value::Model::from_query_result(row, "")).collect::<Result<Vec<_>, _>>()?;
    values.sort_unstable_by(|a, b| (a.event_id, &a.field).cmp(&(b.event_id, &b.field)));
    Ok(values)
}

/// What is not sealed yet. That is not wrong: whoever commits does not wait for it.
async fn notices<C: ConnectionTrait>(db: &C, now: DateTime<Utc>) -> Result<Vec<String>, DbErr> {
    let mut sql = Sql::new(db.get_database_backend());
    sql.push("SELECT count(*) AS count, MIN(recorded_at) AS oldest FROM events WHERE position IS NULL");
    let Some(row) = db.query_one_raw(sql.finish()).await? else { return Ok(Vec::new()) };
    let (count, oldest): (i64, Option<DateTime<Utc>>) = (row.try_get("", "count")?, row.try_get("", "oldest")?);
    Ok(oldest
        .filter(|oldest| now - oldest > PATIENCE)
        .map(|oldest| {
            format!("{count} events wait to be sealed, the oldest since {oldest:?}: run `c360 jobs run seal`")
        })
        .into_iter()
        .collect())
}
