//! Trusted documents: a gateway with a manifest runs what stands in it, and nothing else.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::{Document, Documents};
use crate::config::ConfigError;
use crate::digest::{Digest, from_hex, sha256};
use crate::error::{Code, Fault};

/// The documents of a manifest, checked when the gateway starts.
#[derive(Debug)]
pub(super) struct Manifest {
    by_id: HashMap<String, Arc<Document>>,
    by_hash: HashMap<Digest, Arc<Document>>,
}

/// The two shapes of manifest that tools write.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    /// Apollo's `generate-persisted-query-manifest`.
    Apollo { operations: Vec<Entry> },
    /// Relay's and graphql-codegen's: ids to texts.
    Texts(HashMap<String, String>),
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    body: String,
}

impl Manifest {
    /// Reads a manifest and checks each of its documents.
    pub(super) fn read(path: &Path, documents: &Documents) -> Result<Self, ConfigError> {
        let wrong = |what: String| ConfigError(format!("documents.manifest: {}: {what}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let file: File = serde_json::from_slice(&bytes)
            .map_err(|_| wrong("it is neither Apollo's manifest nor a JSON object of ids and texts".into()))?;
        let entries: Vec<(String, String)> = match file {
            File::Apollo { operations } => operations.into_iter().map(|entry| (entry.id, entry.body)).collect(),
            File::Texts(texts) => texts.into_iter().collect(),
        };
        let mut manifest = Self { by_id: HashMap::new(), by_hash: HashMap::new() };
        for (id, text) in entries {
            let document = documents.check(&text).map_err(|faults| {
                let first = faults.first().map(|fault| fault.message.clone()).unwrap_or_default();
                wrong(format!("the document \"{id}\" cannot run: {first}"))
            })?;
            let document = Arc::new(document);
            manifest.by_hash.insert(sha256(text.as_bytes()), document.clone());
            manifest.by_id.insert(id, document);
        }
        Ok(manifest)
    }

    pub(super) fn of_id(&self, id: &str) -> Option<Arc<Document>> {
        let by_hash = || from_hex(id).and_then(|hash| self.by_hash.get(&hash));
        self.by_id.get(id).or_else(by_hash).cloned()
    }

    pub(super) fn of_hash(&self, hash: &Digest) -> Option<Arc<Document>> {
        self.by_hash.get(hash).cloned()
    }
}

/// For a text that does not stand in the manifest.
pub(super) fn untrusted() -> Fault {
    Fault::new(Code::Forbidden, "this gateway runs only the documents of its manifest").because("UNTRUSTED_DOCUMENT")
}
