//! `c360 verify`.

use std::path::PathBuf;

use super::{Failure, events};
use crate::config::Config;
use crate::events::check::Against;
use crate::events::heads::HeadKeys;
use crate::verify;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Heads of the event log that `c360 events heads --export` wrote earlier: the log must still lead up to each.
    #[arg(long, value_name = "FILE")]
    heads: Option<PathBuf>,
}

pub(super) async fn run(mut config: Config, arguments: &Arguments) -> Result<(), Failure> {
    // Sums over whole tables take as long as they take.
    config.database.statement_timeout_ms = 0;
    let mut against = Against { keys: HeadKeys::read(&config.events.signing_key_files)?, exported: Vec::new() };
    if let Some(path) = &arguments.heads {
        let file = events::read(path)?;
        against.exported = file.read().map_err(|error| Failure::Other(format!("{}: {error}", path.display())))?;
        against.keys = against.keys.and(&file.keys);
    }
    let database = super::open(&config).await?;
    super::require_current_schema(&database).await?;
    let findings = verify::verify_against(&database, &against, |line| println!("{line}")).await?;
    for notice in &findings.notices {
        println!("note: {notice}");
    }
    if findings.violations > 0 {
        return Err(Failure::Other(format!("{} rows are wrong", findings.violations)));
    }
    println!("all {} laws hold, and {} events are as they were sealed", findings.laws, findings.sealed);
    Ok(())
}
