//! Business time, against a model that looks at every minute.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use proptest::prelude::*;

use super::*;

/// Zones with clock changes by an hour, half an hour and two; at midnight, in the night and by the moon; one that left
/// out a day; one that is 45 minutes off; one that never changes.
const ZONES: [&str; 12] = [
    "Europe/Sofia",
    "America/New_York",
    "Asia/Seoul",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Santiago",
    "Asia/Beirut",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/St_Johns",
    "UTC",
];

/// Sundays of clock changes, and the day that Apia left out.
const CHANGES: [&str; 14] = [
    "2026-03-29T00:00:00Z",
    "2026-10-25T00:00:00Z",
    "2026-03-08T00:00:00Z",
    "2026-11-01T00:00:00Z",
    "2026-04-04T12:00:00Z",
    "2026-10-03T12:00:00Z",
    "2026-02-15T00:00:00Z",
    "2026-03-22T00:00:00Z",
    "2026-04-05T00:00:00Z",
    "2026-09-06T00:00:00Z",
    "2026-10-24T18:00:00Z",
    "2011-12-30T00:00:00Z",
    "2011-09-24T12:00:00Z",
    "2026-07-01T00:00:00Z",
];

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// As the definition says it.
#[derive(Debug)]
pub(crate) struct Naive {
    pub(crate) zone: Tz,
    pub(crate) intervals: Vec<Interval>,
    pub(crate) holidays: Vec<NaiveDate>,
}

impl Naive {
    pub(crate) fn calendar(&self) -> Calendar {
        Calendar::hours(self.zone.name(), &self.intervals, self.holidays.clone()).unwrap()
    }

    pub(crate) fn is_open(&self, at: DateTime<Utc>) -> bool {
        use chrono::Timelike as _;
        let local = at.with_timezone(&self.zone).naive_local();
        let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap();
        let weekday = u8::try_from(local.weekday().number_from_monday()).unwrap();
        let is_in = |i: &Interval| i.weekday == weekday && i.opens <= minute && minute < i.closes;
        !self.holidays.contains(&local.date()) && self.intervals.iter().any(is_in)
    }

    fn between(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
        let minutes = (until - from).num_minutes();
        (0..minutes).filter(|&n| self.is_open(from + TimeDelta::minutes(n))).count() as i64
    }

    /// The end of the minute in which the last of these business minutes passes, if that is within the limit.
    fn add(&self, from: DateTime<Utc>, business: i64, limit: i64) -> Option<DateTime<Utc>> {
        let mut left = business;
        let mut n = 0;
        while left > 0 {
            if n > limit {
                return None;
            }
            left -= i64::from(self.is_open(from + TimeDelta::minutes(n)));
            n += 1;
        }
        Some(from + TimeDelta::minutes(n))
    }
}

pub(crate) fn naive() -> impl Strategy<Value = (Naive, DateTime<Utc>)> {
    let interval = (1_u8..=7, 0_u16..DAY, 1_u16..=DAY)
        .prop_filter_map("it opens before it closes", |(weekday, a, b)| {
            (a != b).then(|| Interval { weekday, opens: a.min(b), closes: a.max(b) })
        });
    let usual = prop::sample::select(vec![(0, DAY), (480, 1080), (0, 180), (60, 240), (1200, DAY), (1439, DAY)]);
    let week = prop::collection::vec(usual, 7).prop_map(|days| {
        (1..).zip(days).map(|(weekday, (opens, closes))| Interval { weekday, opens, closes }).collect()
    });
    let intervals = prop_oneof![prop::collection::vec(interval, 1..12), week];
    (
        prop::sample::select(&ZONES),
        intervals,
        prop::sample::select(&CHANGES),
        -4_000_i64..4_000,
        prop::collection::vec(-3_i64..10, 0..4),
    )
        .prop_map(|(zone, intervals, change, minutes, days)| {
            let start = at(change) + TimeDelta::minutes(minutes);
            let holidays = days.into_iter().map(|day| (start + TimeDelta::days(day)).date_naive()).collect();
            (Naive { zone: zone.parse().unwrap(), intervals, holidays }, start)
        })
}

proptest! {
    #[test]
    fn business_time_is_what_counting_minutes_gives((naive, from) in naive(), length in 0_i64..20_000) {
        let until = from + TimeDelta::minutes(length);
        prop_assert_eq!(naive.calendar().between(from, until).num_minutes(), naive.between(from, until));
        prop_assert_eq!(naive.calendar().between(until, from), TimeDelta::zero());
    }

    #[test]
    fn adding_business_time_ends_when_counting_minutes_does((naive, from) in naive(), minutes in 0_i64..6_000) {
        let sum = naive.calendar().add(from, TimeDelta::minutes(minutes));
        match naive.add(from, minutes, 25_000) {
            Some(expected) => prop_assert_eq!(sum, expected),
            None => prop_assert!(sum > from + TimeDelta::minutes(25_000)),
        }
    }

    #[test]
    fn what_is_added_lies_between((naive, from) in naive(), micros in 0_i64..30_000_000_000) {
        let (calendar, business) = (naive.calendar(), TimeDelta::microseconds(micros));
        let sum = calendar.add(from, business);
        prop_assert_eq!(calendar.between(from, sum), business);
        // And not a moment earlier.
        let before = sum - TimeDelta::microseconds(1);
        prop_assert!(micros == 0 || calendar.between(from, before) < business);
    }

    #[test]
    fn around_the_clock_is_plain_time(start in 0_i64..4_000_000_000, micros in 0_i64..100_000_000_000_000) {
        let (from, time) = (DateTime::from_timestamp(start, 0).unwrap(), TimeDelta::microseconds(micros));
        prop_assert_eq!(Calendar::AroundTheClock.add(from, time), from + time);
        prop_assert_eq!(Calendar::AroundTheClock.between(from, from + time), time);
    }
}

fn sofia(opens: u16, closes: u16) -> Calendar {
    let week: Vec<_> = (1..=7).map(|weekday| Interval { weekday, opens, closes }).collect();
    Calendar::hours("Europe/Sofia", &week, []).unwrap()
}

#[test]
fn an_hour_that_is_skipped_is_not_worked_and_one_that_is_repeated_is_worked_twice() {
    let nights = sofia(120, 300);
    let night = |day: &str| {
        nights.between(at(&format!("{day}T20:00:00Z")) - TimeDelta::days(1), at(&format!("{day}T20:00:00Z")))
    };
    assert_eq!(night("2026-03-29"), TimeDelta::hours(2));
    assert_eq!(night("2026-10-25"), TimeDelta::hours(4));
    assert_eq!(night("2026-07-01"), TimeDelta::hours(3));
}

#[test]
fn hours_until_midnight_go_on_on_the_next_day() {
    let week: Vec<_> = (1..=7).map(|weekday| Interval { weekday, opens: 1320, closes: DAY }).collect();
    let calendar = Calendar::hours("Asia/Seoul", &week, ["2026-11-23".parse().unwrap()]).unwrap();
    // 22:00 on a Sunday in Seoul; Monday is a holiday.
    let due = calendar.add(at("2026-11-22T13:00:00Z"), TimeDelta::minutes(150));
    assert_eq!(due, at("2026-11-24T13:30:00Z"));
    // What ends exactly at closing time is due then, not at the next opening.
    assert_eq!(calendar.add(at("2026-11-22T13:00:00Z"), TimeDelta::minutes(120)), at("2026-11-22T15:00:00Z"));
}

#[test]
fn hours_that_touch_or_overlap_count_once() {
    let parts =
        [(540, 720), (720, 900), (600, 660), (840, 1080)].map(|(opens, closes)| Interval { weekday: 1, opens, closes });
    let whole = [Interval { weekday: 1, opens: 540, closes: 1080 }];
    assert_eq!(Calendar::hours("UTC", &parts, []), Calendar::hours("UTC", &whole, []));
}

#[test]
fn a_calendar_that_nothing_can_be_reckoned_by_is_refused() {
    let interval = |weekday, opens, closes| [Interval { weekday, opens, closes }];
    assert_eq!(Calendar::hours("UTC", &[], []), Err(CalendarError::NeverOpen));
    for bad in [interval(0, 0, 1), interval(8, 0, 1), interval(1, 5, 5), interval(1, 6, 5), interval(1, 0, 1441)] {
        assert_eq!(Calendar::hours("UTC", &bad, []), Err(CalendarError::BadInterval));
    }
    let unknown = Calendar::hours("Europe/Atlantis", &interval(1, 0, 1), []).unwrap_err();
    assert_eq!(unknown.to_string(), "Europe/Atlantis is not a time zone of the IANA database, such as Europe/Berlin");
}

#[test]
fn the_search_ends_when_hardly_anything_is_open() {
    let calendar = Calendar::hours("UTC", &[Interval { weekday: 1, opens: 0, closes: 1 }], []).unwrap();
    let start = at("2026-11-22T00:00:00Z");
    assert_eq!(calendar.add(start, TimeDelta::minutes(i64::from(i32::MAX))), start + HORIZON);
    // One minute of the year, and that on holidays.
    let holidays = (0..9_000).map(|day| (start + TimeDelta::days(day)).date_naive());
    let never = Calendar::hours("UTC", &[Interval { weekday: 1, opens: 0, closes: 1 }], holidays).unwrap();
    assert_eq!(never.add(start, TimeDelta::minutes(1)), start + HORIZON);
}
