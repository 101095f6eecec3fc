//! Answers in JSON.
//!
//! Whole parts of an answer may be written already when the rest of it is put together: they stand in it as
//! [`Value::Binary`], which nothing else makes, because the schema has no binary values.

use async_graphql::{Name, Value};
use serde::Serialize;

/// Appends a value. The names in its objects are those of GraphQL, which need no escape.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_plain(number, out),
        Value::String(text) => write_plain(text, out),
        Value::Enum(name) => write_plain(name.as_str(), out),
        Value::Binary(written) => out.extend_from_slice(written),
        Value::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            out.push(b'{');
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_field(name, value, out);
            }
            out.push(b'}');
        }
    }
}

/// Appends a field of an object.
fn write_field(name: &Name, value: &Value, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write(value, out);
}

/// Appends what always can be written.
fn write_plain(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok(), "texts and numbers are always JSON");
}

/// An object in the making that is written field by field.
#[derive(Debug)]
pub struct Object(Vec<u8>);

/// Most objects are shorter, and the others grow.
const SHORT: usize = 192;

impl Object {
    /// An object without fields.
    pub fn begin() -> Self {
        let mut bytes = Vec::with_capacity(SHORT);
        bytes.push(b'{');
        Self(bytes)
    }

    /// Adds a field.
    pub fn field(&mut self, name: &Name, value: &Value) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        write_field(name, value, &mut self.0);
    }

    /// The object, to stand in another one.
    pub fn end(mut self) -> Value {
        self.0.push(b'}');
        Value::Binary(self.0.into())
    }
}

/// How many bytes the fields of an object take that are written already.
pub fn written(value: &Value) -> usize {
    let Value::Object(fields) = value else { return 0 };
    fields.values().map(|value| if let Value::Binary(written) = value { written.len() } else { 0 }).sum()
}

/// The same value with all that was written read again, for those who look into it.
///
/// # Errors
/// It has more levels than can be read, some 120.
pub fn opened(value: Value) -> Result<Value, serde_json::Error> {
    Ok(match value {
        Value::Binary(written) => serde_json::from_slice(&written)?,
        Value::List(items) => Value::List(items.into_iter().map(opened).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let opened = |(name, value)| Ok((name, opened(value)?));
            Value::Object(fields.into_iter().map(opened).collect::<Result<_, serde_json::Error>>()?)
        }
        leaf => leaf,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC*|[\"\\\\\u{0}-\u{1f}\u{2028}]*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::vec(("[_A-Za-z][_0-9A-Za-z]{0,9}", inner), 0..5).prop_map(|fields| {
                    Value::Object(fields.into_iter().map(|(name, value)| (Name::new(name), value)).collect())
                }),
            ]
        })
    }

    /// The same, with every object written.
    fn closed(value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut object = Object::begin();
                fields.into_iter().for_each(|(name, value)| object.field(&name, &closed(value)));
                object.end()
            }
            Value::List(items) => Value::List(items.into_iter().map(closed).collect()),
            leaf => leaf,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_the_library_writes_and_opens_to_what_it_was(value in value()) {
            let mut written = Vec::new();
            write(&value, &mut written);
            prop_assert_eq!(&written, &serde_json::to_vec(&value).unwrap());
            let closed = closed(value.clone());
            let mut again = Vec::new();
            write(&closed, &mut again);
            prop_assert_eq!(again, written);
            prop_assert_eq!(opened(closed).unwrap(), value);
        }
    }
}
