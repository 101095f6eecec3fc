//! A line becomes an item, or the reason why it is none.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::form::{Described as _, Tag};
use super::items::{
    Customer, Identity, LoyaltyTransaction, Mention, Order, Review, Suggestion, SurveyResponse, Ticket, Whose,
};
use super::lines::Place;
use crate::digest::sha256;

/// What an item is called everywhere: which system, what it is, its id there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) source: String,
    pub(super) kind: &'static str,
    pub(super) id: String,
}

/// Why an item is not brought in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The path of the field, like `lines[0].sku`; empty if it is about the whole item.
    pub(super) field: String,
    pub(super) reason: String,
    /// Whether an item that is still to come may cure it.
    pub(super) may_pass: bool,
}

impl Problem {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into(), may_pass: false }
    }

    /// Something is not there, or not yet.
    pub(super) fn missing(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { may_pass: true, ..Self::new(field, reason) }
    }
}

/// A sound line.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) place: Place,
    pub(super) text: String,
    pub(super) key: Key,
    pub(super) version: i64,
    /// Of what it says, however it is written down.
    pub(super) hash: Vec<u8>,
    pub(super) item: Item,
}

macro_rules! kinds {
    ($($name:ident $word:literal,)+) => {
        /// An item.
        #[derive(Debug)]
        pub(super) enum Item {
            $($name(Box<$name>),)+
        }

        /// Every kind of item, with its schema.
        pub(super) fn schemas() -> Vec<(&'static str, Value)> {
            vec![$(($word, $name::schema()),)+]
        }

        fn item(kind: &str, text: &str) -> Result<(Key, i64, Item), Problem> {
            match kind {
                $($word => {
                    let item: Box<$name> = Box::new(read(text)?);
                    let Tag = item.r#type;
                    let key = Key { source: item.source.0.clone(), kind: $word, id: item.id.0.clone() };
                    let version = item.version.map_or(1, |version| version.0);
                    Ok((key, version, Item::$name(item)))
                })+
                _ => Err(Problem::new("type", format!("not one of {}", [$($word),+].join(", ")))),
            }
        }
    };
}

kinds! {
    Customer "customer",
    Identity "identity",
    Order "order",
    Ticket "ticket",
    LoyaltyTransaction "loyaltyTransaction",
    SurveyResponse "surveyResponse",
    Review "review",
    Mention "mention",
    Suggestion "suggestion",
}

impl Item {
    /// Whose it is; a customer is nobody's.
    pub(super) fn whose(&self) -> Option<&Whose> {
        Some(match self {
            Self::Customer(_) => return None,
            Self::Identity(item) => &item.customer,
            Self::Order(item) => &item.customer,
            Self::Ticket(item) => &item.customer,
            Self::LoyaltyTransaction(item) => &item.customer,
            Self::SurveyResponse(item) => &item.customer,
            Self::Review(item) => &item.customer,
            Self::Mention(item) => &item.customer,
            Self::Suggestion(item) => &item.customer,
        })
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// Reads a line.
pub(super) fn parse(place: Place, text: String) -> Result<Parsed, (Place, Problem)> {
    match parts(&text) {
        Ok((key, version, item, hash)) => Ok(Parsed { place, text, key, version, hash, item }),
        Err(problem) => Err((place, problem)),
    }
}

fn parts(text: &str) -> Result<(Key, i64, Item, Vec<u8>), Problem> {
    if !text.trim_start().starts_with('{') {
        return Err(Problem::new("", "not a JSON object"));
    }
    let head: Head<'_> = read(text)?;
    let (key, version, item) = item(&head.kind, text)?;
    // Sorted by name, so that the order of fields says nothing.
    let value: Value = serde_json::from_str(text).map_err(|error| Problem::new("", without_place(&error)))?;
    if let Some((_, schema)) = SCHEMAS.iter().find(|(word, _)| *word == key.kind) {
        has_shape(&value, schema, "")?;
    }
    Ok((key, version, item, sha256(value.to_string().as_bytes())[..16].to_vec()))
}

/// A hash of what a line says, however it is written down; or what is wrong with the line. Nothing is brought in.
///
/// # Errors
/// The path of the field, if it is about one, and the reason.
pub fn content_hash(line: &str) -> Result<Vec<u8>, (String, String)> {
    parts(line).map(|(.., hash)| hash).map_err(|problem| (problem.field, problem.reason))
}

static SCHEMAS: LazyLock<Vec<(&'static str, Value)>> = LazyLock::new(schemas);

/// Refuses a list where an object should be: reading alone would take its elements for the fields.
fn has_shape(value: &Value, schema: &Value, path: &str) -> Result<(), Problem> {
    match value {
        Value::Array(items) if schema["type"] == "array" => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(place, item)| has_shape(item, &schema["items"], &format!("{path}[{place}]")))
        }
        Value::Array(_) => Err(Problem::new(path, "a list, where an object is expected")),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            has_shape(field, &schema["properties"][name], &path)
        }),
        _ => Ok(()),
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        Problem::new(field, without_place(&error.into_inner()))
    })?;
    json.end().map_err(|error| Problem::new("", without_place(&error)))?;
    Ok(value)
}

/// What went wrong; that it was in the first line of one line helps nobody.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(reason) if error.is_data() => reason.to_owned(),
        Some(reason) => format!("not JSON: {reason} at column {}", error.column()),
        None => text,
    }
}
