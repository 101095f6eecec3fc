//! The general import: a line is read or refused with a reason, and how it is written says nothing.

use c360::ingest::ndjson::content_hash;
use serde_json::Value;

/// A line.
pub fn run(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    match content_hash(line) {
        Ok(hash) => {
            // Members sorted by name, and spaces between them.
            let value: Value = serde_json::from_str(line).unwrap();
            for other in [value.to_string(), format!("{value:#}")] {
                assert_eq!(content_hash(&other).as_ref(), Ok(&hash), "{other}");
            }
        }
        Err((field, reason)) => {
            assert!(!reason.is_empty(), "{field:?}: {reason:?}");
        }
    }
}
