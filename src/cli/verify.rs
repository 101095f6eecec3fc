//! `c360 verify`.

use super::Failure;
use crate::config::Config;
use crate::verify;

pub(super) async fn run(mut config: Config) -> Result<(), Failure> {
    // Sums over whole tables take as long as they take.
    config.database.statement_timeout_ms = 0;
    let database = super::open(&config).await?;
    super::require_current_schema(&database).await?;
    let findings = verify::verify(&database, |line| println!("{line}")).await?;
    if findings.violations > 0 {
        return Err(Failure::Other(format!("{} rows are wrong", findings.violations)));
    }
    println!("all {} laws hold", findings.laws);
    Ok(())
}
