//! What fuzzing has found its way to holds: each target over its committed corpus.
//!
//! The bodies are those that `scripts/fuzz` runs; only processor time and memory are measured there alone.

use std::path::Path;

#[path = "../fuzz/targets/cursors.rs"]
mod cursors;
#[path = "../fuzz/targets/document.rs"]
pub mod document;
#[path = "../fuzz/targets/identifiers.rs"]
mod identifiers;
#[path = "../fuzz/targets/ids.rs"]
mod ids;
#[path = "../fuzz/targets/ndjson.rs"]
mod ndjson;
#[path = "../fuzz/targets/token.rs"]
mod token;

/// Runs a target over its corpus, and over nothing.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let input = std::fs::read(&path).unwrap();
        let outcome = std::panic::catch_unwind(|| run(&input));
        assert!(outcome.is_ok(), "{}", path.display());
        inputs += 1;
    }
    assert!(inputs > 20, "only {inputs} inputs in {}", folder.display());
    run(b"");
}

#[test]
fn cursors_hold_over_the_corpus() {
    replay("cursors", cursors::run);
}

#[test]
fn documents_hold_over_the_corpus() {
    document::begin();
    replay("document", |input| {
        document::check(input);
        document::run(input);
    });
}

#[test]
fn identifiers_hold_over_the_corpus() {
    replay("identifiers", identifiers::run);
}

#[test]
fn ids_hold_over_the_corpus() {
    replay("ids", ids::run);
}

#[test]
fn lines_of_the_import_hold_over_the_corpus() {
    replay("ndjson", ndjson::run);
}

#[test]
fn tokens_hold_over_the_corpus() {
    token::begin();
    replay("token", token::run);
}
