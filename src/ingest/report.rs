//! What an import tells the person who waits for it: broken rows, progress, a summary.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// How often progress is shown.
const EVERY: TimeDelta = TimeDelta::seconds(2);

/// Collects the outcome of an import, and passes each line for people on at once.
pub struct Report {
    clock: Clock,
    say: Box<dyn FnMut(&str) + Send>,
    rejected: u64,
    counts: BTreeMap<Cow<'static, str>, u64>,
    phase: Option<Phase>,
}

struct Phase {
    name: &'static str,
    started: DateTime<Utc>,
    shown: DateTime<Utc>,
    rows: u64,
}

impl Report {
    /// A report whose lines go to `say`.
    pub fn new(clock: Clock, say: impl FnMut(&str) + Send + 'static) -> Self {
        Self { clock, say: Box::new(say), rejected: 0, counts: BTreeMap::new(), phase: None }
    }

    /// A row that is left out.
    pub fn reject(&mut self, file: &str, line: u64, reason: impl Display) {
        self.rejected += 1;
        (self.say)(&one_line(&format!("{file}:{line}: {reason}; the row is left out")));
    }

    /// A row that is left out, and told of elsewhere.
    pub fn leave_out(&mut self) {
        self.rejected += 1;
    }

    /// Something about a row that is brought in all the same.
    pub fn note(&mut self, file: &str, line: u64, note: impl Display) {
        (self.say)(&one_line(&format!("{file}:{line}: {note}")));
    }

    /// A line that is about no row.
    pub fn say(&mut self, text: &str) {
        (self.say)(text);
    }

    /// How many rows were left out.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Counts what was written, or seen, for the summary.
    pub fn count(&mut self, what: impl Into<Cow<'static, str>>, n: u64) {
        *self.counts.entry(what.into()).or_default() += n;
    }

    /// What was counted under a name.
    pub fn counted(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// A new file begins; progress and rate are its own.
    pub fn begin(&mut self, name: &'static str) {
        let now = self.clock.now();
        self.phase = Some(Phase { name, started: now, shown: now, rows: 0 });
    }

    /// Shows progress if some time has passed: rows since [`Report::begin`], bytes read so far and in all.
    pub fn progress(&mut self, rows: u64, read: u64, size: u64) {
        let now = self.clock.now();
        let Some(phase) = &mut self.phase else { return };
        phase.rows = rows;
        if now - phase.shown < EVERY {
            return;
        }
        phase.shown = now;
        let text = progress_line(phase.name, rows, now - phase.started, read, size);
        (self.say)(&text);
    }

    /// The last words: what was counted, and how many rows were left out.
    pub fn summary(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        for (what, n) in &counts {
            (self.say)(&format!("{n:>12} {what}"));
        }
        self.counts = counts;
        (self.say)(&format!("{:>12} rows left out", self.rejected));
    }
}

/// Control characters of a file are shown and not obeyed: a row could otherwise write lines of its own, or to a terminal.
fn one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// `transactions.csv: 420000 rows, 28 %, 61234 rows/s, 17 s left`.
fn progress_line(name: &str, rows: u64, passed: TimeDelta, read: u64, size: u64) -> String {
    let millis = u64::try_from(passed.num_milliseconds()).unwrap_or(0).max(1);
    let rate = rows.saturating_mul(1000) / millis;
    if size == 0 {
        return format!("{name}: {rows} rows, {rate} rows/s");
    }
    let left = size.saturating_sub(read).saturating_mul(millis) / read.max(1) / 1000;
    format!("{name}: {rows} rows, {} %, {rate} rows/s, {left} s left", read.saturating_mul(100) / size)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_row_never_breaks_the_line() {
        let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let lines = said.clone();
        let mut report = Report::new(Clock::System, move |line| lines.lock().unwrap().push(line.to_owned()));
        report.reject("a.ndjson", 1, "unknown field `a\nb\u{1b}[2J`");
        report.note("a.ndjson", 2, "é\r");
        let said = said.lock().unwrap().join("|");
        assert_eq!(said, "a.ndjson:1: unknown field `a\\nb\\u{1b}[2J`; the row is left out|a.ndjson:2: é\\r");
    }

    #[test]
    fn progress_tells_rate_and_time_left() {
        assert_eq!(
            progress_line("a.csv", 50_000, TimeDelta::seconds(2), 25, 100),
            "a.csv: 50000 rows, 25 %, 25000 rows/s, 6 s left"
        );
        assert_eq!(progress_line("a.csv", 0, TimeDelta::zero(), 0, 9), "a.csv: 0 rows, 0 %, 0 rows/s, 0 s left");
        assert_eq!(progress_line("-", 10, TimeDelta::seconds(1), 25, 0), "-: 10 rows, 10 rows/s");
    }
}
