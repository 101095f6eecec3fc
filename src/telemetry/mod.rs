//! What the process tells about itself: the log on standard error, and traces to a collector.

pub mod trace;

use std::io::IsTerminal as _;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Config, ConfigError, LogFormat};

/// Starts the log, and traces if a collector is set. What is given back sends the last traces when it is finished.
///
/// # Errors
/// A setting cannot be used; the message names it.
pub fn start(config: &Config) -> Result<trace::Exporter, ConfigError> {
    let filter: Targets = config.log.filter.parse().map_err(|error| ConfigError(format!("log.filter: {error}")))?;
    let is_plain = !std::io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(!is_plain);
    let log = if config.log.format == LogFormat::Json {
        log.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        log.boxed()
    };
    let exporter = trace::Exporter::new(&config.tracing)?;
    let traces = exporter.layer();
    let registry = tracing_subscriber::registry().with(traces).with(log.with_filter(filter));
    registry.try_init().map_err(|error| ConfigError(format!("the log cannot be started: {error}")))?;
    Ok(exporter)
}
