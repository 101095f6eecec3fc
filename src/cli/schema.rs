//! `c360 schema`.

use super::Failure;
use crate::auth::policy;
use crate::schema;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print who may read what instead, as a page in Markdown.
    #[arg(long)]
    policy: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    print!("{}", if arguments.policy { policy::reference() } else { schema::sdl(&schema::build()) });
    Ok(())
}
