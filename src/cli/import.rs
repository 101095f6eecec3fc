//! `c360 import`.

use std::path::PathBuf;

use super::Failure;
use crate::cache::lease;
use crate::clock::Clock;
use crate::config::Config;
use crate::db;
use crate::ingest::{self, Report, complete_journey, ndjson};

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
    /// Customers, identities, orders, tickets, points and feedback, one JSON object per line (docs/import.md).
    Ndjson {
        /// A file, a folder of *.ndjson, or - for standard input.
        path: PathBuf,
        /// A file for the lines that were left out, with the reasons, as NDJSON. Without it, standard error has them.
        #[arg(long, value_name = "FILE")]
        rejects: Option<PathBuf>,
        /// How many items are written in one transaction.
        #[arg(long, value_name = "ITEMS", default_value_t = ndjson::BATCH)]
        batch: usize,
        /// Exit with an error if a line was left out. Sound lines are brought in all the same.
        #[arg(long)]
        strict: bool,
    },
    /// Print the fields of NDJSON lines, as docs/import-fields.md has them.
    NdjsonReference {
        /// As a JSON Schema, as docs/import.schema.json has it.
        #[arg(long)]
        json_schema: bool,
    },
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    if let Format::NdjsonReference { json_schema } = arguments.format {
        print!("{}", if json_schema { ndjson::json_schema() } else { ndjson::reference() });
        return Ok(());
    }
    super::require_database(config)?;
    let database = db::connect_to_fill(&config.database).await?;
    super::require_current_schema(&database).await?;
    let clock = Clock::System;
    let mut report = Report::new(clock.clone(), |line| eprintln!("{line}"));
    let strict = match &arguments.format {
        Format::CompleteJourney { path, strict } => {
            complete_journey::import(&database, &clock, path, &mut report).await?;
            *strict
        }
        Format::Ndjson { path, rejects, batch, strict } => {
            let phone_regions = &config.retailer.phone_regions;
            let options = ndjson::Options { phone_regions, rejects: rejects.as_deref(), batch: *batch };
            ndjson::import(&database, &clock, path, options, &mut report).await?;
            *strict
        }
        Format::NdjsonReference { .. } => false,
    };
    lease::reopen(&database).await?;
    report.summary();
    match report.rejected() {
        rejected @ 1.. if strict => Err(Failure::Other(format!("{rejected} rows were left out"))),
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
