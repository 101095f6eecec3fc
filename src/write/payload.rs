//! Payloads: what a mutation has made, read anew, or why it has not.

use super::Refusal;
use crate::error::Fault;

/// What a mutation answers. Declared with [`crate::payload!`].
pub trait Payload<Made>: Sized {
    /// From what was made, or why nothing was.
    ///
    /// # Errors
    /// A refusal with a code that the mutation does not have: `INTERNAL_SERVER_ERROR`.
    fn of(outcome: Result<Made, Refusal>) -> Result<Self, Fault>;
}

/// Declares the payload of a mutation: the objects, each with where it is read from; the errors; their codes.
#[macro_export]
macro_rules! payload {
    (
        $(#[$meta:meta])* $payload:ident of $made:ty {
            $($(#[$field_meta:meta])* $field:ident : $object:ty = |$m:ident| $root:expr),+ $(,)?
        }
        $error:ident { $code:ident: $($problem:ident),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $payload(Result<$made, $error>);

        impl $crate::write::Payload<$made> for $payload {
            fn of(outcome: Result<$made, $crate::write::Refusal>) -> Result<Self, $crate::error::Fault> {
                Ok(Self(match outcome {
                    Ok(made) => Ok(made),
                    Err(refusal) => Err($error::of(refusal)?),
                }))
            }
        }

        $(#[$meta])*
        #[async_graphql::Object]
        impl $payload {
            $(
                $(#[$field_meta])*
                async fn $field(&self, ctx: &async_graphql::Context<'_>) -> async_graphql::Result<Option<$crate::read::Eager<$object>>> {
                    let Ok($m) = &self.0 else { return Ok(None) };
                    let scope = ctx.data_unchecked::<$crate::scope::Scope>();
                    let root: Option<$crate::read::Root> = $root;
                    let Some(root) = root else { return Ok(None) };
                    let tree = $crate::read::read(ctx, scope, root).await?;
                    Ok(tree.one("id")?.map(Into::into))
                }
            )+

            /// Why nothing was changed; empty if all went well.
            async fn user_errors(&self) -> Vec<$error> {
                self.0.as_ref().err().cloned().into_iter().collect()
            }
        }

        /// Why a mutation did not do what it was asked for.
        #[derive(Clone, Debug, async_graphql::SimpleObject)]
        pub struct $error {
            /// The way to the field of the input that is at fault, such as `["input", "points"]`; null if it is none.
            field: Option<Vec<&'static str>>,
            /// What is wrong, in words for the developer or for staff.
            message: String,
            /// What is wrong, for programs.
            code: $code,
            /// With `CONFLICT`: the version that the object has now.
            current_version: Option<i32>,
        }

        impl $error {
            fn of(refusal: $crate::write::Refusal) -> Result<Self, $crate::error::Fault> {
                let Some(code) = $code::of(refusal.problem) else {
                    tracing::error!(problem = ?refusal.problem, codes = stringify!($code), "a code that the mutation does not have");
                    return Err($crate::error::Fault::internal());
                };
                Ok(Self {
                    field: (!refusal.field.is_empty()).then(|| ["input"].into_iter().chain(refusal.field.split('.')).collect()),
                    message: refusal.message,
                    code,
                    current_version: refusal.current_version,
                })
            }
        }

        $crate::write::codes! {
            /// What can be wrong.
            pub enum $code { $($problem),+ }
        }
    };
}
