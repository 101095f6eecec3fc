//! `c360 migrate`.

use super::Failure;
use crate::config::Config;
use crate::db;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Change nothing; exit with an error if migrations are pending.
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let database = super::open(config).await?;
    if arguments.check {
        super::require_current_schema(&database).await?;
        println!("the schema is current");
        return Ok(());
    }
    db::migrate(&database).await?;
    println!("the schema is current");
    Ok(())
}
