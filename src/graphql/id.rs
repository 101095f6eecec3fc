//! Typed ids: TypeIDs on the outside, UUIDs on the inside.

use async_graphql::ID;
use c360_rules::id::{self, Kind};
use uuid::Uuid;

use crate::error::Fault;

/// The id of a `kind` of object as clients see it.
pub fn gid(kind: Kind, id: Uuid) -> ID {
    ID(id::encode(kind, id))
}

/// The kind and the UUID of an id that a client gave for `argument`.
///
/// # Errors
/// `BAD_USER_INPUT` when it is not an id.
pub fn any_id(argument: &str, text: &ID) -> Result<(Kind, Uuid), Fault> {
    id::parse(text).map_err(|error| Fault::bad_input(argument, error))
}

/// The UUID behind an id that a client gave for `argument`.
///
/// # Errors
/// `BAD_USER_INPUT` when it is not an id, or the id of something else.
pub fn parse(argument: &str, kind: Kind, text: &ID) -> Result<Uuid, Fault> {
    id::decode(kind, text).map_err(|error| Fault::bad_input(argument, error))
}
