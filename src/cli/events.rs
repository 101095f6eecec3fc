//! `c360 events`: the signed ends of the event log.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Failure, serve};
use crate::config::Config;
use crate::events::heads::{self, Exported};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the newest heads: up to where the log was signed, and when. With a key, its end is signed first.
    Heads {
        /// Write them to a file, for `c360 verify --heads`. Keep it where nobody who can write the database can.
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
    },
}

pub(super) async fn run(config: Config, arguments: Arguments) -> Result<(), Failure> {
    let Command::Heads { export } = arguments.command;
    let state = serve::state_of_nobody(config).await?;
    heads::sign_now(&state).await.map_err(|fault| Failure::Other(fault.to_string()))?;
    let exported = heads::export(&state).await?;
    if exported.heads.is_empty() {
        return Err(Failure::Other("no head is signed: set events.signing_key_files, and seal events".into()));
    }
    let Some(path) = export else {
        for head in &exported.heads {
            println!("{:>12}  {}  {}  {}", head.position, head.signed_at, head.hash, head.key_id);
        }
        return Ok(());
    };
    let text = serde_json::to_string_pretty(&exported).map_err(|error| Failure::Other(error.to_string()))?;
    std::fs::write(&path, text + "\n")
        .map_err(|error| Failure::Other(format!("cannot write {}: {error}", path.display())))?;
    println!("{} heads in {}", exported.heads.len(), path.display());
    Ok(())
}

/// Heads that were exported before.
pub(super) fn read(path: &Path) -> Result<Exported, Failure> {
    let wrong = |what: String| Failure::Other(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text)
        .map_err(|error| wrong(format!("is not what `c360 events heads --export` writes: {error}")))
}
