//! Imports point one way.

use std::path::Path;

/// The layers, lowest first: a file may name layers at its own height or below.
const LAYERS: &[&[&str]] = &[
    &["clock", "config", "digest", "examples", "json", "metrics", "shutdown"],
    &["db", "telemetry"],
    &["error"],
    &["admission", "auth", "throttle"],
    &["cache", "events", "read", "scope", "state", "write"],
    &["document", "graphql"],
    &["domains", "view360"],
    &["node"],
    &["jobs"],
    &["schema"],
    &["http"],
    &["bulk"],
    &["ingest", "reindex", "retailer"],
    &["verify"],
    &["cli"],
];

fn height(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    found
        .into_iter()
        .map(|path| (path.strip_prefix(&root).unwrap().display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect()
}

#[test]
fn no_module_imports_from_a_higher_layer() {
    for (file, text) in sources() {
        let module = file.split(['/', '.']).next().unwrap();
        if matches!(module, "lib" | "main") {
            continue;
        }
        let mine = height(module).unwrap_or_else(|| panic!("{file} stands in no layer"));
        for used in text
            .split("crate::")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())
        {
            let Some(theirs) = height(used) else { continue };
            assert!(theirs <= mine, "{file} uses crate::{used}, which is above it");
        }
    }
}

#[test]
fn stores_know_nothing_of_http() {
    for (file, text) in sources() {
        if file.ends_with("store.rs") {
            assert!(!text.contains("axum"), "{file} names axum");
        }
    }
}

#[test]
fn only_the_clock_reads_time() {
    for (file, text) in sources() {
        if file == "clock.rs" {
            continue;
        }
        for ambient in ["Utc::now", "SystemTime::now", "Uuid::now_v7"] {
            assert!(!text.contains(ambient), "{file} uses {ambient}");
        }
    }
}
