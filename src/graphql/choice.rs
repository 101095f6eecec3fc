//! Enums that are the same in the schema and in the database.

/// Declares an enum whose GraphQL names are the texts of a column.
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
        $vis enum $name { $($(#[$variant_meta])* #[graphql(name = $text)] $variant),+ }

        impl $name {
            /// As it stands in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            const FIRST: Self = [$(Self::$variant),+][0];

            pub(crate) fn from_column(text: &str) -> Result<Self, sea_orm::DbErr> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(sea_orm::DbErr::Type(format!("{} has no {other}", stringify!($name)))),
                }
            }
        }

        impl $crate::read::row::Cell for $name {
            const KIND: $crate::read::row::Kind = $crate::read::row::Kind::Text;
            fn of(value: Option<$crate::read::row::Scalar<'_>>) -> Result<Self, sea_orm::DbErr> {
                <Option<Self>>::of(value)?.ok_or_else($crate::read::row::missing)
            }
            fn empty() -> Self {
                Self::FIRST
            }
        }

        impl $crate::read::row::Cell for Option<$name> {
            const KIND: $crate::read::row::Kind = $crate::read::row::Kind::Text;
            fn of(value: Option<$crate::read::row::Scalar<'_>>) -> Result<Self, sea_orm::DbErr> {
                match value {
                    Some($crate::read::row::Scalar::Text(text)) => $name::from_column(text).map(Some),
                    Some(_) => Err($crate::read::row::cut_off()),
                    None => Ok(None),
                }
            }
            fn empty() -> Self {
                None
            }
        }
    };
}
