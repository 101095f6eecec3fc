//! `c360 reindex`.

use super::Failure;
use crate::config::Config;
use crate::reindex;

pub(super) async fn run(mut config: Config) -> Result<(), Failure> {
    config.database.statement_timeout_ms = 0;
    let db = super::open(&config).await?;
    super::require_current_schema(&db).await?;
    let summary = reindex::reindex(&db, true, |so_far, _| {
        eprintln!("{} customers looked at, {} mended", so_far.customers, so_far.wrong);
    })
    .await?;
    println!("{} customers, {} of them mended", summary.customers, summary.wrong);
    Ok(())
}
