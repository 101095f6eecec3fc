//! The values that the files hold: numbers, amounts, times, words in capitals.

use c360_rules::money::{Currency, Money};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use uuid::Uuid;

use crate::clock::derived_id;

/// What every row is marked with that this import makes.
pub(super) const SOURCE: &str = "complete-journey";
/// The data is of a retailer in the United States.
pub(super) const CURRENCY: &str = "USD";
/// No amount of a line goes beyond it, so that no sum can.
const MAX_CENTS: i64 = 100_000_000_000;

/// When the records began that carry no time of their own: the first day of the data.
pub(super) fn beginning() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(2017, 1, 1).map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc()).unwrap_or_default()
}

/// The id of a record, from its kind and its name in the data.
pub(super) fn id(at: DateTime<Utc>, kind: &str, name: impl std::fmt::Display) -> Uuid {
    derived_id(at, SOURCE, &format!("{kind}/{name}"))
}

/// A household's customer number.
pub(super) fn customer_number(household: u64) -> String {
    format!("CJ-{household}")
}

/// A number that names something: digits only.
pub(super) fn key(text: &str, column: &str) -> Result<u64, String> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // Ids are kept as texts in the database and never go beyond what JSON readers take as a whole number.
    text.parse().ok().filter(|n| plain && *n < 1 << 53).ok_or_else(|| format!("{column} is not a number: {text:?}"))
}

/// How many were bought: none for some coupons and weighed goods, never less than none.
pub(super) fn quantity(text: &str) -> Result<i32, String> {
    match text.parse::<i32>() {
        Ok(n) if n < 0 => Err(format!("quantity is negative: {text}")),
        Ok(n) => Ok(n),
        Err(_) => Err(format!("quantity is not a whole number: {text:?}")),
    }
}

/// An amount of dollars, in cents.
pub(super) fn cents(text: &str, column: &str, currency: Currency) -> Result<i64, String> {
    match Money::parse(text, currency) {
        Ok(money) if money.minor < 0 => Err(format!("{column} is negative: {text}")),
        Ok(money) if money.minor > MAX_CENTS => Err(format!("{column} is too large: {text}")),
        Ok(money) => Ok(money.minor),
        Err(error) => Err(format!("{column} is no amount: {text:?}: {error}")),
    }
}

/// A time without a zone, which is taken as UTC; a day alone is its first instant.
pub(super) fn time(text: &str, column: &str) -> Result<DateTime<Utc>, String> {
    let plain = text.strip_suffix('Z').unwrap_or(text);
    let time = NaiveDateTime::parse_from_str(plain, "%Y-%m-%d %H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(plain, "%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| NaiveDate::parse_from_str(plain, "%Y-%m-%d").map(|day| day.and_time(chrono::NaiveTime::MIN)));
    // Beyond these years UUIDs of that time, or a database, could not hold it.
    let in_range = |time: &DateTime<Utc>| (1971..2200).contains(&chrono::Datelike::year(time));
    let micros = time.ok().and_then(|time| DateTime::from_timestamp_micros(time.and_utc().timestamp_micros()));
    micros.filter(in_range).ok_or_else(|| format!("{column} is not a time: {text:?}"))
}

/// Words as people write them, from the capitals of a till: `FLUID MILK` → `Fluid Milk`; nothing from nothing.
pub(super) fn words(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let mut start = true;
        for c in word.chars() {
            if start {
                out.extend(c.to_uppercase())
            } else {
                out.extend(c.to_lowercase())
            }
            start = !c.is_alphanumeric() && c != '\'';
        }
    }
    (!out.is_empty() && out != "Na").then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_never_negative() {
        let usd = CURRENCY.parse();
        let cents = |text| cents(text, "sales_value", usd.unwrap_or_else(|_| unreachable!("a currency")));
        for (text, expected) in [("1.39", 139), ("0.5", 50), ("3", 300), ("0.00", 0), ("840.00", 84_000)] {
            assert_eq!(cents(text), Ok(expected), "{text}");
        }
        for text in ["", "-1.00", "1e3", "NaN", "1,5", "1.395", "99999999999999"] {
            assert!(cents(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_utc() {
        let noon = time("2017-03-01 12:00:00", "t").map(|t| t.to_rfc3339());
        assert_eq!(noon.as_deref(), Ok("2017-03-01T12:00:00+00:00"));
        assert_eq!(time("2017-03-01T12:00:00Z", "t"), time("2017-03-01 12:00:00.000", "t"));
        assert_eq!(time("2017-03-01", "t"), time("2017-03-01 00:00:00", "t"));
        for text in ["", "2017-02-30", "2017-03-01 25:00:00", "01/03/2017", "0001-01-01"] {
            assert!(time(text, "t").is_err(), "{text}");
        }
    }

    #[test]
    fn keys_and_quantities_are_plain_whole_numbers() {
        assert_eq!(key("0042", "basket_id"), Ok(42));
        for text in ["", "-1", "+1", "1.0", "x", "99999999999999999"] {
            assert!(key(text, "basket_id").is_err(), "{text}");
        }
        assert_eq!((quantity("0"), quantity("7")), (Ok(0), Ok(7)));
        assert_eq!(quantity("-1"), Err("quantity is negative: -1".into()));
        assert!(quantity("1.5").is_err() && quantity("9999999999").is_err());
    }

    #[test]
    fn capitals_become_words() {
        assert_eq!(words("ICE - CRUSHED/CUBED").as_deref(), Some("Ice - Crushed/Cubed"));
        assert_eq!(words("  CHILDREN'S   WEAR ").as_deref(), Some("Children's Wear"));
        assert_eq!(words(" "), None);
        assert_eq!(words("NA"), None);
    }
}
