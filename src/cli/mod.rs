//! The command line: one file per command.

mod demo;
mod events;
mod health;
mod import;
mod jobs;
mod migrate;
mod partner;
mod reindex;
mod schema;
mod seed;
mod serve;
mod token;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sea_orm::DbErr;

use crate::config::{Config, ConfigError};

/// c360 gives a retailer one view of each customer, and one place to act on it.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    /// A TOML file with settings (see config.default.toml).
    #[arg(long, global = true, env = "C360_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a demo retailer, with nothing to set up: embedded database, ready tokens.
    Demo(demo::Arguments),
    /// Serve, in production: a database and a way to verify tokens must be set.
    Serve(serve::Arguments),
    /// Bring the database's schema up to date. Safe when many processes start at once.
    Migrate(migrate::Arguments),
    /// Fill an empty database with a synthetic retailer of any size; the same seed makes the same retailer.
    Seed(seed::Arguments),
    /// Bring real data in. Running it again changes nothing.
    Import(import::Arguments),
    /// Ask the gateway on this machine whether it is ready; fail if it is not.
    Health(health::Arguments),
    /// Make the search index anew, as far as it is wrong; it may be in use meanwhile.
    Reindex,
    /// See what gateways do by themselves, and who leads it; do it by hand.
    Jobs(jobs::Arguments),
    /// See the signed ends of the event log; take them elsewhere.
    Events(events::Arguments),
    /// Check every ledger, the event log and the search index; print what is wrong, and fail if anything is.
    Verify(verify::Arguments),
    /// Print the GraphQL schema.
    Schema(schema::Arguments),
    /// Make keys and signed tokens for development; revoke tokens, clients and keys.
    Token(token::Arguments),
    /// Register partners, give them secrets, shut them out.
    Partner(partner::Arguments),
}

/// Why a command failed, in one line for the person who typed it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Other(String),
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        let cause = error.to_string().replace('\n', " ");
        Self::Other(match error {
            DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => format!("the database cannot be reached: {cause}"),
            _ => format!("the database says: {cause}"),
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

/// Parses the arguments, runs the command, and says in one line what went wrong if anything did.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("c360: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = Config::load(arguments.config.as_deref(), &|name| std::env::var(name).ok())?;
    let telemetry = crate::telemetry::start(&config)?;
    let outcome = obey(arguments.command, config).await;
    telemetry.finish().await;
    outcome
}

async fn obey(command: Command, config: Config) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => demo::run(config, arguments).await,
        Command::Serve(arguments) => serve::run(config, arguments).await,
        Command::Migrate(arguments) => migrate::run(&config, &arguments).await,
        Command::Seed(arguments) => seed::run(&config, &arguments).await,
        Command::Import(arguments) => import::run(&config, &arguments).await,
        Command::Health(arguments) => health::run(&config, &arguments).await,
        Command::Reindex => reindex::run(config).await,
        Command::Jobs(arguments) => jobs::run(config, arguments).await,
        Command::Events(arguments) => events::run(config, arguments).await,
        Command::Verify(arguments) => verify::run(config, &arguments).await,
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Token(arguments) => token::run(&config, arguments).await,
        Command::Partner(arguments) => partner::run(&config, arguments).await,
    }
}

/// Opens the configured database, or says which setting is missing.
async fn open(config: &Config) -> Result<sea_orm::DatabaseConnection, Failure> {
    require_database(config)?;
    Ok(crate::db::connect(&config.database).await?)
}

fn require_database(config: &Config) -> Result<(), Failure> {
    if config.database.url.is_empty() {
        return Err(Failure::Other(
            "no database: set DATABASE_URL to sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/NAME".into(),
        ));
    }
    Ok(())
}

/// Refuses to go on over a schema that is older than this build.
async fn require_current_schema(db: &sea_orm::DatabaseConnection) -> Result<(), Failure> {
    match crate::db::pending_migrations(db).await? {
        0 => Ok(()),
        n => Err(Failure::Other(format!("{n} migrations are pending: run `c360 migrate` first"))),
    }
}
