//! `c360 import`.

use std::path::PathBuf;

use super::Failure;
use crate::clock::Clock;
use crate::config::Config;
use crate::ingest::{self, Report, complete_journey};

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
        /// Exit with an error if a row was left out. Sound rows are brought in all the same.
        #[arg(long)]
        strict: bool,
    },
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let database = super::open(config).await?;
    super::require_current_schema(&database).await?;
    let Format::CompleteJourney { path, strict } = &arguments.format;
    let clock = Clock::System;
    let mut report = Report::new(clock.clone(), |line| eprintln!("{line}"));
    complete_journey::import(&database, &clock, path, &mut report).await?;
    report.summary();
    match report.rejected() {
        rejected @ 1.. if *strict => Err(Failure::Other(format!("{rejected} rows were left out"))),
        _ => Ok(()),
    }
}

impl From<ingest::Error> for Failure {
    fn from(error: ingest::Error) -> Self {
        match error {
            ingest::Error::Database(error) => error.into(),
            other => Self::Other(other.to_string()),
        }
    }
}
