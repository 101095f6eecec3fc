//! `c360 import`.

use std::path::PathBuf;

use super::Failure;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    format: Format,
}

#[derive(Debug, clap::Subcommand)]
enum Format {
    /// The 84.51° Complete Journey data, as CSV files made by scripts/fetch-complete-journey.
    CompleteJourney {
        /// The folder that holds the CSV files.
        path: PathBuf,
    },
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let database = super::open(config).await?;
    super::require_current_schema(&database).await?;
    let _ = &arguments.format;
    Ok(())
}
