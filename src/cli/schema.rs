//! `c360 schema`.

use super::Failure;
use crate::schema::Schemas;

pub(super) fn run() -> Result<(), Failure> {
    print!("{}", Schemas::default().sdl());
    Ok(())
}
