//! Importers: real data of other systems, brought in by bulk load.
//!
//! What every importer promises: running it again changes nothing; a broken row is reported with its file and
//! line and does not lose the others; memory is bounded whatever the size of the files.

pub mod complete_journey;
pub mod ndjson;
mod programme;
mod report;
mod table;

use std::io;
use std::path::PathBuf;

pub use report::Report;
use sea_orm::DbErr;

/// Why an import stopped. What was written before stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file that is not what its name says.
    #[error("{0}")]
    Format(String),
    /// The database refused.
    #[error("the database says: {0}")]
    Database(#[from] DbErr),
    /// The points ledger refused.
    #[error("the points ledger says: {0}")]
    Ledger(#[from] c360_rules::ledger::LedgerError),
}
