//! Business hours in a time zone, and time counted in them.
//!
//! A moment is open if its local day is no holiday and its local time lies in an interval of its weekday. So an hour
//! that a clock change skips is not open, and one that it repeats is open twice.

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// Minutes of a day.
const DAY: u16 = 1440;

/// How far ahead business time is looked for. What is not due by then is due then.
const HORIZON: TimeDelta = TimeDelta::days(3660);

/// When a team works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// Always.
    AroundTheClock,
    /// In these hours.
    Hours(Hours),
}

/// Business hours of a week, in a time zone, without holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    zone: Tz,
    /// For each weekday from Monday on: open times in minutes from midnight, in order, apart from each other.
    week: [Vec<(u16, u16)>; 7],
    holidays: BTreeSet<NaiveDate>,
}

/// One interval of business hours, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// From 1 for Monday to 7 for Sunday.
    pub weekday: u8,
    /// The minute of the day when it opens.
    pub opens: u16,
    /// The minute of the day when it closes; 1440 for midnight at the end of the day.
    pub closes: u16,
}

/// Why business hours make no calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The time zone is not in the IANA database.
    #[error("{0} is not a time zone of the IANA database, such as Europe/Berlin")]
    UnknownZone(String),
    /// An interval is on no weekday, ends before it starts, or reaches beyond its day.
    #[error("business hours lie on weekdays 1 to 7 and between the minutes 0 and 1440, and open before they close")]
    BadInterval,
    /// No interval at all: nothing would ever be due.
    #[error("the calendar has no business hours: no promise could ever be kept or broken")]
    NeverOpen,
}

impl Calendar {
    /// Business hours in the zone of this IANA name; intervals may touch and overlap.
    ///
    /// # Errors
    /// [`CalendarError`], for settings that nothing can be reckoned by.
    pub fn hours(
        zone: &str,
        intervals: &[Interval],
        holidays: impl IntoIterator<Item = NaiveDate>,
    ) -> Result<Self, CalendarError> {
        let zone = zone.parse().map_err(|_| CalendarError::UnknownZone(zone.to_owned()))?;
        let mut week: [Vec<(u16, u16)>; 7] = Default::default();
        let mut sorted = intervals.to_vec();
        sorted.sort_unstable_by_key(|interval| interval.opens);
        for Interval { weekday, opens, closes } in sorted {
            if !(1..=7).contains(&weekday) || opens >= closes || closes > DAY {
                return Err(CalendarError::BadInterval);
            }
            let day = &mut week[usize::from(weekday - 1)];
            match day.last_mut() {
                Some(last) if last.1 >= opens => last.1 = last.1.max(closes),
                _ => day.push((opens, closes)),
            }
        }
        if intervals.is_empty() {
            return Err(CalendarError::NeverOpen);
        }
        Ok(Self::Hours(Hours { zone, week, holidays: holidays.into_iter().collect() }))
    }

    /// The first moment at which this much business time has passed since `from`; `from` itself for nothing or less.
    ///
    /// Ten years later at the latest.
    pub fn add(&self, from: DateTime<Utc>, business: TimeDelta) -> DateTime<Utc> {
        let horizon = from.checked_add_signed(HORIZON).unwrap_or(DateTime::<Utc>::MAX_UTC);
        if business <= TimeDelta::zero() {
            return from;
        }
        let mut left = business;
        for (start, end) in self.open(from, horizon) {
            let length = end - start;
            if left <= length {
                return start + left;
            }
            left -= length;
        }
        horizon
    }

    /// How much business time lies between two moments; nothing if they are the wrong way round.
    pub fn between(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> TimeDelta {
        self.open(from, until).fold(TimeDelta::zero(), |sum, (start, end)| sum + (end - start))
    }

    /// The open stretches between two moments, in order. They may touch.
    fn open(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let (always, hours) = match self {
            Self::AroundTheClock => ((from < until).then_some((from, until)), None),
            Self::Hours(hours) => (None, Some(hours)),
        };
        always.into_iter().chain(hours.into_iter().flat_map(move |hours| hours.open(from, until)))
    }
}

impl Hours {
    fn open(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let mut at = from;
        std::iter::from_fn(move || {
            let stretch = (at < until).then(|| self.stretch(at, until))?;
            at = stretch.until;
            Some(stretch)
        })
        .flat_map(|stretch| self.open_in(stretch))
    }

    /// The stretch from `at` on in which local time runs evenly through a single day.
    fn stretch(&self, at: DateTime<Utc>, until: DateTime<Utc>) -> Stretch {
        let offset = self.offset(at);
        let local = at.naive_utc() + offset;
        let midnight = local.date().succ_opt().map_or(until, |day| (NaiveDateTime::from(day) - offset).and_utc());
        let end = midnight.min(until);
        Stretch { from: at, until: if self.offset(end) == offset { end } else { self.change(at, end) }, offset }
    }

    /// When between two moments the offset stops to be that of the first. No zone changes it twice within a day.
    fn change(&self, before: DateTime<Utc>, after: DateTime<Utc>) -> DateTime<Utc> {
        let moment = |second| DateTime::from_timestamp(second, 0).unwrap_or(after);
        let (mut low, mut high) = (before.timestamp(), after.timestamp());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let same = self.offset(moment(middle)) == self.offset(before);
            *(if same { &mut low } else { &mut high }) = middle;
        }
        moment(high)
    }

    fn open_in(&self, stretch: Stretch) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        let day = (stretch.from.naive_utc() + stretch.offset).date();
        let intervals: &[(u16, u16)] = match self.holidays.contains(&day) {
            true => &[],
            false => &self.week[day.weekday().num_days_from_monday() as usize],
        };
        let moment = move |minute: u16| {
            let local = NaiveDateTime::from(day) + TimeDelta::minutes(i64::from(minute));
            (local - stretch.offset).and_utc()
        };
        intervals
            .iter()
            .map(move |&(opens, closes)| (moment(opens).max(stretch.from), moment(closes).min(stretch.until)))
            .filter(|(start, end)| start < end)
    }

    fn offset(&self, at: DateTime<Utc>) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()))
    }
}

/// A part of one local day with one offset from UTC.
#[derive(Clone, Copy)]
struct Stretch {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    offset: TimeDelta,
}
