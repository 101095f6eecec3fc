//! What a client asks, as GraphQL over HTTP has it: a POST of JSON, or a GET.

use apollo_compiler::response::JsonMap;
use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::body::Unreadable;
use crate::error::{Code, Fault};

/// The parameters of a request: which operation, with what.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(super) struct Parameters {
    /// The document.
    pub(super) query: Option<String>,
    /// The document's name in the gateway's manifest.
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<JsonMap>,
    extensions: Option<Map<Extensions>>,
}

/// A request as it was sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// The body of a POST.
    InBody(Bytes),
    /// The address of a GET.
    InAddress(Uri),
}

impl Sent {
    /// The bytes that say all that is asked.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::InBody(bytes) => bytes,
            Self::InAddress(uri) => uri.query().unwrap_or_default().as_bytes(),
        }
    }

    /// What is asked.
    pub(super) fn parameters(&self) -> Result<Parameters, Rejected> {
        match self {
            Self::InBody(bytes) => Parameters::of_body(bytes),
            Self::InAddress(uri) => Parameters::of_uri(uri),
        }
    }
}

/// Only a JSON object: a struct alone would be read from a list, too.
#[derive(Debug)]
struct Map<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Map<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = serde_json::Map::deserialize(deserializer)?;
        serde_json::from_value(map.into()).map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Extensions {
    persisted_query: Option<PersistedQuery>,
}

/// Apollo's automatic persisted queries.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct PersistedQuery {
    version: u32,
    sha256_hash: String,
}

/// A request that is refused before anything is known about its document.
#[derive(Debug)]
pub(super) struct Rejected(pub(super) StatusCode, pub(super) Fault);

impl Rejected {
    fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, Fault::new(Code::BadUserInput, message))
    }
}

impl From<Unreadable> for Rejected {
    fn from(why: Unreadable) -> Self {
        let code = if why == Unreadable::TooLarge { Code::QueryTooComplex } else { Code::BadUserInput };
        Self(why.status(), Fault::new(code, why.message()))
    }
}

impl Parameters {
    /// What stands in the body of a POST.
    fn of_body(bytes: &[u8]) -> Result<Self, Rejected> {
        if bytes.trim_ascii_start().starts_with(b"[") {
            return Err(Rejected::bad(
                "batches are not served: send one operation at a time (over HTTP/2, side by side)",
            ));
        }
        serde_json::from_slice(bytes)
            .map_err(|error| Rejected::bad(format!("the body is not a GraphQL request in JSON ({error})")))
            .and_then(Self::with_a_document)
    }

    /// What stands in the address of a GET.
    fn of_uri(uri: &Uri) -> Result<Self, Rejected> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Rejected::bad("the address is not url-encoded"))?;
        let mut parameters = Self::default();
        for (key, value) in pairs {
            let is_new = match key.as_str() {
                "query" => parameters.query.replace(value).is_none(),
                "documentId" => parameters.document_id.replace(value).is_none(),
                "operationName" => parameters.operation_name.replace(value).is_none(),
                "variables" => std::mem::replace(&mut parameters.variables, json(&key, &value)?).is_none(),
                "extensions" => std::mem::replace(&mut parameters.extensions, json(&key, &value)?).is_none(),
                _ => true,
            };
            if !is_new {
                return Err(Rejected::bad(format!("{key} stands twice in the address")));
            }
        }
        parameters.with_a_document()
    }

    /// Refuses a request that names no document at all.
    fn with_a_document(self) -> Result<Self, Rejected> {
        if self.query.is_none() && self.document_id.is_none() && self.extensions.is_none() {
            return Err(Rejected::bad("there is no document: send its text as query"));
        }
        Ok(self)
    }

    /// The name of the operation; an empty one is none.
    pub(super) fn operation_name(&self) -> Option<&str> {
        self.operation_name.as_deref().filter(|name| !name.is_empty())
    }

    /// The values of the variables.
    pub(super) fn variables(&mut self) -> JsonMap {
        self.variables.take().unwrap_or_default()
    }

    /// The name of a document that the gateway may know already.
    ///
    /// # Errors
    /// A version of persisted queries that is not served.
    pub(super) fn document_id(&self) -> Result<Option<&str>, Fault> {
        let persisted = self.extensions.as_ref().and_then(|extensions| extensions.0.persisted_query.as_ref());
        match persisted {
            Some(persisted) if persisted.version != 1 => {
                let message = "only version 1 of persisted queries is served";
                Err(Fault::bad_input("extensions.persistedQuery.version", message))
            }
            Some(persisted) => Ok(Some(&persisted.sha256_hash)),
            None => Ok(self.document_id.as_deref().map(|id| id.strip_prefix("sha256:").unwrap_or(id))),
        }
    }
}

fn json<T: DeserializeOwned>(key: &str, text: &str) -> Result<Option<T>, Rejected> {
    if text.is_empty() {
        return Ok(None);
    }
    serde_json::from_str(text)
        .map_err(|error| Rejected::bad(format!("{key} is not what it must be, in JSON ({error})")))
}

/// Whether a body is JSON in UTF-8, as its content type says.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.filter_map(|parameter| parameter.split_once('=')).all(|(key, value)| {
            !key.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}
