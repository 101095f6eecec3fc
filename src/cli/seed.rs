//! `c360 seed`.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Failure;
use crate::config::Config;
use crate::retailer::{self, Plan, Progress};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How many customers to make.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=9_999_999))]
    customers: u64,
    /// The same seed makes the same retailer.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// How long the histories are: how many of a hundred of the usual orders, tickets and opinions there are.
    #[arg(long, default_value_t = 100, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
    history: u32,
    /// The present, as the retailer sees it; the same one makes the same retailer.
    #[arg(long, default_value = "2026-11-01T00:00:00Z", value_name = "TIME")]
    as_of: DateTime<Utc>,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let database = super::open(config).await?;
    super::require_current_schema(&database).await?;
    if !retailer::is_empty(&database).await? {
        return Err(Failure::Other("the database is not empty: seed fills a new one (`c360 migrate` makes it)".into()));
    }
    let Arguments { customers, seed, history, as_of } = *arguments;
    let plan = Plan { seed, customers, most_orders: retailer::MOST_ORDERS, history, as_of, cast: true };
    let mut meter = Meter::new();
    let summary = retailer::load(&database, plan, |progress| meter.show(&progress)).await?;
    meter.end();
    println!(
        "{} customers, {} rows in {:.1} s ({:.0} rows/s), seed {}, as of {}",
        summary.customers,
        summary.rows,
        summary.elapsed.as_secs_f64(),
        per_second(summary.rows, summary.elapsed),
        plan.seed,
        plan.as_of.format("%Y-%m-%dT%H:%M:%SZ"),
    );
    Ok(())
}

/// Progress on standard error: one line that is rewritten on a terminal, else a line every few seconds.
struct Meter {
    terminal: bool,
    shown: Duration,
}

impl Meter {
    fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), shown: Duration::ZERO }
    }

    fn show(&mut self, progress: &Progress) {
        let pause = if self.terminal { Duration::from_millis(100) } else { Duration::from_secs(5) };
        let done = progress.customers == progress.of;
        if progress.elapsed < self.shown + pause && !(done && self.terminal) {
            return;
        }
        self.shown = progress.elapsed;
        let line = line(progress);
        if self.terminal {
            eprint!("\r\x1b[K{line}");
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{line}");
        }
    }

    fn end(&self) {
        if self.terminal {
            eprintln!();
        }
    }
}

fn line(progress: &Progress) -> String {
    let Progress { customers, of, rows, elapsed } = *progress;
    let left = elapsed.as_secs_f64() * (of - customers) as f64 / customers.max(1) as f64;
    format!(
        "{customers} of {of} customers ({} %), {:.0} rows/s, {left:.0} s left",
        customers * 100 / of.max(1),
        per_second(rows, elapsed)
    )
}

fn per_second(rows: u64, elapsed: Duration) -> f64 {
    rows as f64 / elapsed.as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_and_how_long_it_will_take() {
        let progress = Progress { customers: 250, of: 1_000, rows: 50_000, elapsed: Duration::from_secs(10) };
        assert_eq!(line(&progress), "250 of 1000 customers (25 %), 5000 rows/s, 30 s left");
    }
}
