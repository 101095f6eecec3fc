//! The forms that values take in a line, each with its JSON Schema: what is read and what is documented is one thing.

use c360_rules::money::{Currency, Money};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value, json};

/// No amount goes beyond it, so that no sum of a line can.
const MAX_MINOR: i64 = 100_000_000_000_000;

/// A form that has a JSON Schema.
pub(super) trait Described {
    fn schema() -> Value;
}

/// A text in one line, of 1 to `MAX` characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Text<const MAX: usize>(pub(super) String);

/// A text of 1 to `MAX` characters that may have several lines.
#[derive(Clone, Debug)]
pub(super) struct Prose<const MAX: usize>(pub(super) String);

/// A moment, in whole microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(pub(super) DateTime<Utc>);

/// A day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day(pub(super) NaiveDate);

/// An amount of money that is not negative, as it is written.
#[derive(Clone, Debug)]
pub(super) struct Amount(String);

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole<const MIN: i64, const MAX: i64>(pub(super) i64);

/// A currency.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code(pub(super) Currency);

/// A country.
#[derive(Clone, Debug)]
pub(super) struct Country(pub(super) String);

/// What an object says it is; looked at before the object is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag;

impl Amount {
    /// The amount in minor units.
    pub(super) fn minor(&self, currency: Currency) -> Result<i64, String> {
        match Money::parse(&self.0, currency) {
            Ok(money) if money.minor < 0 => Err("an amount must not be negative".into()),
            Ok(money) if money.minor > MAX_MINOR => Err("the amount is too large".into()),
            Ok(money) => Ok(money.minor),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn checked(text: String, max: usize, allowed: &[char]) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("an empty text".into());
    }
    if text.chars().any(|c| c.is_control() && !allowed.contains(&c)) {
        return Err("a control character".into());
    }
    match text.chars().count() {
        length if length > max => Err(format!("{length} characters, where at most {max} are taken")),
        _ => Ok(text),
    }
}

/// Reads a form from a JSON string.
macro_rules! from_text {
    (($($generics:tt)*) $form:ty, $read:expr) => {
        impl<'de, $($generics)*> Deserialize<'de> for $form {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let read: fn(String) -> Result<Self, String> = $read;
                read(String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    };
}

from_text!((const MAX: usize) Text<MAX>, |text| checked(text, MAX, &[]).map(Self));
from_text!((const MAX: usize) Prose<MAX>, |text| checked(text, MAX, &['\n', '\r', '\t']).map(Self));
from_text!(() Amount, |text| {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    if plain { Ok(Self(text)) } else { Err("not a decimal amount: write it like \"12.30\"".into()) }
});
from_text!(() Time, |text| {
    let time = DateTime::parse_from_rfc3339(&text).map_err(|_| "not a time: write it like 2026-11-22T09:30:00Z")?;
    let time = DateTime::from_timestamp_micros(time.timestamp_micros());
    // Beyond these years an id of that time, or a database, could not hold it.
    let time = time.filter(|time| (1971..2200).contains(&time.year()));
    time.map(Self).ok_or_else(|| "a time before 1971 or after 2199".into())
});
from_text!(() Day, |text| {
    let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|day| (1850..2200).contains(&day.year()));
    day.filter(|_| text.len() == 10).map(Self).ok_or_else(|| "not a day: write it like 1984-05-17".into())
});
from_text!(() Code, |text| text.parse().map(Self).map_err(|error: c360_rules::money::UnknownCurrency| error.to_string()));
from_text!(() Country, |text| {
    let plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    if plain { Ok(Self(text)) } else { Err("not a country: write two capital letters, like DE (ISO 3166-1)".into()) }
});
from_text!(() Tag, |_| Ok(Self));

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            number if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            number => Err(D::Error::custom(format!("{number} does not lie between {MIN} and {MAX}"))),
        }
    }
}

impl<const MAX: usize> Described for Text<MAX> {
    fn schema() -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": MAX})
    }
}

impl<const MAX: usize> Described for Prose<MAX> {
    fn schema() -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": MAX})
    }
}

impl<const MIN: i64, const MAX: i64> Described for Whole<MIN, MAX> {
    fn schema() -> Value {
        json!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

macro_rules! described {
    ($($form:ty: $schema:tt;)*) => {
        $(impl Described for $form {
            fn schema() -> Value {
                json!($schema)
            }
        })*
    };
}

described! {
    bool: {"type": "boolean"};
    Time: {"type": "string", "format": "date-time"};
    Day: {"type": "string", "format": "date"};
    Amount: {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$"};
    Code: {"type": "string", "pattern": "^[A-Z]{3}$"};
    Country: {"type": "string", "pattern": "^[A-Z]{2}$"};
    Tag: {"type": "string"};
}

impl<T: Described> Described for Option<T> {
    fn schema() -> Value {
        T::schema()
    }
}

impl<T: Described> Described for Vec<T> {
    fn schema() -> Value {
        json!({"type": "array", "items": T::schema()})
    }
}

/// The schema of an object from its fields: name, schema, description, whether it must be there.
pub(super) fn object(description: &str, fields: Vec<(&str, Value, &str, bool)>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, schema, description, must) in fields {
        let name = camel(name);
        let mut schema = schema;
        schema["description"] = json!(description.trim());
        if must {
            required.push(json!(name));
        }
        properties.insert(name, schema);
    }
    json!({
        "type": "object",
        "description": description.trim(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// `placed_at` → `placedAt`.
fn camel(name: &str) -> String {
    let mut words = name.trim_start_matches("r#").split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        name + letters.as_str()
    })
}

/// Words of a closed list, as the database and the GraphQL schema write them.
macro_rules! words {
    ($($name:ident: $($word:literal)+;)*) => {
        $(
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(super) struct $name(pub(super) &'static str);

            impl $name {
                const ALL: &[&str] = &[$($word),+];
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    let word = Self::ALL.iter().find(|word| **word == text).copied();
                    word.map(Self).ok_or_else(|| {
                        serde::de::Error::custom(format!("not one of {}", Self::ALL.join(", ")))
                    })
                }
            }

            impl $crate::ingest::ndjson::form::Described for $name {
                fn schema() -> serde_json::Value {
                    serde_json::json!({"type": "string", "enum": Self::ALL})
                }
            }
        )*
    };
}
pub(super) use words;

/// An object: fields that must be there, then, after `optional`, fields that need not. Others are refused.
macro_rules! item {
    (
        $(#[doc = $doc:literal])+
        struct $name:ident {
            $($(#[doc = $must_doc:literal])+ $must:ident: $must_form:ty,)*
            $(optional { $($(#[doc = $may_doc:literal])+ $may:ident: $may_form:ty,)* })?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, serde::Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub(super) struct $name {
            $($(#[doc = $must_doc])+ pub(super) $must: $must_form,)*
            $($($(#[doc = $may_doc])+ #[serde(default)] pub(super) $may: $may_form,)*)?
        }

        impl $crate::ingest::ndjson::form::Described for $name {
            fn schema() -> serde_json::Value {
                use $crate::ingest::ndjson::form::{Described, object};
                object(concat!($($doc),+), vec![
                    $((stringify!($must), <$must_form as Described>::schema(), concat!($($must_doc),+), true),)*
                    $($((stringify!($may), <$may_form as Described>::schema(), concat!($($may_doc),+), false),)*)?
                ])
            }
        }
    };
}
pub(super) use item;
