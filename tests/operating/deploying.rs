//! What is named in the files for operators exists.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use c360::metrics::{Kind, Metrics, Outcome, Pool};

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Words of capitals that start so.
fn words<'t>(text: &'t str, start: &str) -> BTreeSet<&'t str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(start) && word.len() > start.len())
        .collect()
}

/// The variables of all settings.
fn variables() -> BTreeSet<String> {
    fn add(table: &toml::Table, path: &str, all: &mut BTreeSet<String>) {
        for (key, value) in table {
            let name = format!("{path}_{}", key.to_uppercase());
            match value {
                toml::Value::Table(inner) => add(inner, &name, all),
                _ => all.extend([format!("{name}_FILE"), name]),
            }
        }
    }
    let mut all = BTreeSet::from(["C360_CONFIG".to_owned()]);
    add(&c360::config::DEFAULTS.parse().unwrap(), "C360", &mut all);
    all
}

#[test]
fn only_settings_that_exist_are_set() {
    let known = variables();
    for file in ["Dockerfile", "compose.yaml", "deploy/c360.service", "docs/operations.md"] {
        for name in words(&text(file), "C360_") {
            assert!(known.contains(name), "{file} names {name}, which is no setting");
        }
    }
}

#[test]
fn only_commands_that_exist_are_run() {
    let help = Command::new(env!("CARGO_BIN_EXE_c360")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let exists = |command: &str| help.lines().any(|line| line.split_whitespace().next() == Some(command));
    let quoted = |line: &str| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let docker = text("Dockerfile");
    let check = docker.lines().find(|line| line.starts_with("HEALTHCHECK")).unwrap();
    assert!(exists(quoted(check).last().unwrap()), "{check}");
    let command = docker.lines().find(|line| line.starts_with("CMD")).unwrap();
    assert!(exists(&quoted(command)[0]), "{command}");
    let compose = text("compose.yaml");
    let own = compose.lines().filter(|line| line.trim().starts_with("command:") && !line.contains("redis"));
    assert_eq!(own.inspect(|line| assert!(exists(&quoted(line)[0]), "{line}")).count(), 2);
    let unit = text("deploy/c360.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(exists(start.split_whitespace().nth(1).unwrap()), "{start}");
}

#[test]
fn only_files_that_exist_are_built_and_installed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for line in text(".dockerignore").lines().filter_map(|line| line.strip_prefix('!')) {
        assert!(root.join(line).exists(), "{line}");
    }
    // What the build needs is let in.
    let let_in = text(".dockerignore");
    let workspace: toml::Table = text("Cargo.toml").parse().unwrap();
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        assert!(let_in.contains(&format!("!{}\n", member.as_str().unwrap())), "{member:?} is kept out");
    }
    for path in ["config.default.toml", "deploy/c360.service"] {
        assert!(text("deploy/c360.service").contains(path) && root.join(path).exists());
    }
}

/// The three files leave the gateway the time that it takes to go.
#[test]
fn whoever_stops_a_gateway_waits_long_enough() {
    let defaults: toml::Table = c360::config::DEFAULTS.parse().unwrap();
    let milliseconds = |key: &str| defaults["shutdown"][key].as_integer().unwrap();
    let needed = (milliseconds("grace_ms") + milliseconds("drain_ms")) / 1000 + 5;
    assert!(needed <= 30);
    assert!(text("compose.yaml").contains("stop_grace_period: 35s"));
    assert!(text("deploy/c360.service").contains("TimeoutStopSec=35"));
}

#[test]
fn every_figure_is_explained_and_no_other() {
    let metrics = Metrics::new(crate::harness::now());
    metrics.request(Some("Screen"), Kind::Query, 200, Outcome::Ok, Duration::from_millis(1));
    metrics.error("TIMEOUT");
    metrics.statement(Pool::default()).failed("timeout");
    metrics.refused("depth");
    metrics.throttled("partner");
    metrics.shed("full");
    metrics.cached("hit", "");
    metrics.load(1, 0, 0);
    metrics.trust(&[("verified", 1)], &[("ok", 1)]);
    metrics.job_led("seal", true);
    metrics.job_lag("seal", 0.0);
    metrics.job_ran("seal", 1);
    let figures = metrics.text(Pool::default()).unwrap();
    let served: BTreeSet<_> =
        figures.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let page = text("docs/operations.md");
    let explained: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.starts_with("c360_") || name.starts_with("process_"))
        .map(|name| name.trim_end_matches("_total").trim_end_matches("_info"))
        .collect();
    assert_eq!(served, explained);
}
