//! A token taken apart, strictly: what is unclear about a token is a reason to refuse it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::token::Refused;

/// Longest token, in bytes. Real ones have one or two thousand.
pub(super) const LONGEST: usize = 16 * 1024;

/// What says that a token means more than this gateway understands: extensions, and encryption.
const NOT_UNDERSTOOD: [&str; 4] = ["crit", "b64", "enc", "zip"];

/// A token that has the right form. Nothing about it is verified.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    /// What the signature is over.
    pub(super) signed: &'a str,
    pub(super) signature: &'a str,
    pub(super) alg: String,
    pub(super) typ: String,
    pub(super) kid: Option<String>,
    pub(super) claims: Map<String, Value>,
}

/// Takes a token apart.
pub(super) fn parse(token: &str) -> Result<Parsed<'_>, Refused> {
    if token.len() > LONGEST {
        return Err(Refused);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused)?;
    let (head, body) = signed.split_once('.').ok_or(Refused)?;
    if body.contains('.') || signature.is_empty() {
        return Err(Refused);
    }
    let (head, claims) = (object(head)?, object(body)?);
    if NOT_UNDERSTOOD.iter().any(|name| head.contains_key(*name)) {
        return Err(Refused);
    }
    let text = |name: &str| match head.get(name) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refused),
        None => Ok(None),
    };
    let alg = text("alg")?.ok_or(Refused)?;
    Ok(Parsed { signed, signature, alg, typ: text("typ")?.unwrap_or_default(), kid: text("kid")?, claims })
}

fn object(part: &str) -> Result<Map<String, Value>, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused)?;
    serde_json::from_slice::<Unambiguous>(&bytes).map(|object| object.0).map_err(|_| Refused)
}

/// A JSON object that names nothing twice: two readers might take two different values for it.
struct Unambiguous(Map<String, Value>);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Unambiguous;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unambiguous, A::Error> {
                let mut object = Map::new();
                while let Some((name, value)) = members.next_entry()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                }
                Ok(Unambiguous(object))
            }
        }
        deserializer.deserialize_map(Names)
    }
}
