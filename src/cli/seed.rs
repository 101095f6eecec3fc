//! `c360 seed`.

use super::Failure;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How many customers to make.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    customers: u64,
    /// The same seed makes the same retailer.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let database = super::open(config).await?;
    super::require_current_schema(&database).await?;
    let _ = arguments;
    Ok(())
}
