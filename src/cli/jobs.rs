//! `c360 jobs`: what gateways do by themselves, seen and done by hand.

use std::sync::Arc;

use clap::Subcommand;

use super::{Failure, serve};
use crate::config::Config;
use crate::jobs::{self, JOBS, Ran};
use crate::state::State;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print each job: what it does, for how many seconds something has been due, who leads it.
    List,
    /// Do all that is due of one job now. It fails if a gateway leads the job: then it is done there anyway.
    Run {
        /// The job's name.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

pub(super) async fn run(config: Config, arguments: Arguments) -> Result<(), Failure> {
    let state = serve::state_of_nobody(config).await?;
    match arguments.command {
        Command::List => list(&state).await,
        Command::Run { name } => run_one(&state, &name).await,
    }
}

async fn list(state: &State) -> Result<(), Failure> {
    let held = jobs::held(state).await?;
    for job in JOBS {
        let lag = jobs::lag(job, state).await?;
        let leader = held.iter().find(|held| held.job == job.name).map_or("nobody", |held| held.holder.as_str());
        println!("{:<10} {lag:>8.1} s late   led by {leader}   {}", job.name, job.about);
    }
    Ok(())
}

async fn run_one(state: &Arc<State>, name: &str) -> Result<(), Failure> {
    let Some(job) = jobs::named(name) else {
        let names: Vec<&str> = JOBS.iter().map(|job| job.name).collect();
        return Err(Failure::Other(format!("there is no job {name}: there are {}", names.join(", "))));
    };
    match jobs::by_hand(state, job).await {
        Ok(Ran::Done(done)) => {
            println!("{name}: {done} done");
            Ok(())
        }
        Ok(Ran::Led(by)) => Err(Failure::Other(format!(
            "{name} is led by {} until {} at least: it is done there",
            by.holder,
            by.until.format("%H:%M:%S")
        ))),
        Err(fault) => Err(Failure::Other(format!("{name} failed: {fault}"))),
    }
}
