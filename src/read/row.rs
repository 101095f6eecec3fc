//! Rows of the common shape, and how a domain says what is in its own.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sqlx::Row as _;
use sea_orm::{DbErr, QueryResult, RuntimeErr};
use uuid::Uuid;

/// What a cell of the common shape holds. Each kind has its own range of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A UUID.
    Id,
    /// A whole number or a truth value.
    Int,
    /// A text or a date.
    Text,
    /// A point in time.
    Time,
}

impl Kind {
    /// The type that PostgreSQL knows it by.
    pub(super) const fn as_sql(self) -> &'static str {
        match self {
            Self::Id => "uuid",
            Self::Int => "int8",
            Self::Text => "text",
            Self::Time => "timestamptz",
        }
    }
}

/// All kinds, in the order in which their ranges stand in a row.
pub const KINDS: [Kind; 4] = [Kind::Id, Kind::Int, Kind::Text, Kind::Time];

/// One column that a row asks for.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The field's name, by which an [`super::Order`] finds it.
    pub name: &'static str,
    /// An expression over the table, whose alias is `x`; `{pii}` stands for whether the caller may read the
    /// personal data of the row's customer, and `{name}` for the customer's name where the caller may not, so that
    /// it can be hidden in a text.
    pub sql: &'static str,
    /// Which range it stands in.
    pub kind: Kind,
    /// The GraphQL fields that it is read for; always, if there are none.
    pub fields: &'static [&'static str],
}

/// Columns of a row, a bit for each.
pub(super) type Columns = u64;

/// Those that are read whatever is selected.
pub(super) fn always(columns: &[Column]) -> Columns {
    mask(columns, |column| column.fields.is_empty())
}

/// The one of this name, if there is one.
pub(super) fn named(columns: &[Column], name: &str) -> Columns {
    mask(columns, |column| column.name == name)
}

/// Those that a selected field needs.
pub(super) fn needed(columns: &[Column], field: &str) -> Columns {
    mask(columns, |column| column.fields.contains(&field))
}

fn mask(columns: &[Column], is_in: impl Fn(&Column) -> bool) -> Columns {
    columns.iter().enumerate().filter(|(_, column)| is_in(column)).fold(0, |all, (at, _)| all | 1 << at)
}

/// A row as the objects of a domain see it. Declared with [`crate::row!`].
pub trait Row: Send + Sync + Sized + 'static {
    /// What it asks the database for, in order.
    const COLUMNS: &'static [Column];

    /// Takes its cells in the order of [`Row::COLUMNS`].
    ///
    /// # Errors
    /// A cell of another type.
    fn take(id: Uuid, cells: &mut Cells<'_>) -> Result<Self, DbErr>;

    /// The primary key.
    fn id(&self) -> Uuid;
}

/// The cells of one row, taken one after the other, each kind from its own range.
#[derive(Debug)]
pub struct Cells<'r> {
    row: &'r QueryResult,
    next: [usize; 4],
    /// Those of the columns still to be taken that were read.
    read: Columns,
}

impl<'r> Cells<'r> {
    /// The cells of the columns that were `read`.
    pub(super) fn new(row: &'r QueryResult, starts: [usize; 4], read: Columns) -> Self {
        Self { row, next: starts, read }
    }

    /// The next cell; an empty value if its column was not read.
    ///
    /// # Errors
    /// A cell of another type.
    pub fn take<T: Cell>(&mut self) -> Result<T, DbErr> {
        let read = self.read & 1 == 1;
        self.read >>= 1;
        if !read {
            return Ok(T::empty());
        }
        let next = &mut self.next[T::KIND as usize];
        *next += 1;
        T::read(self.row, *next - 1)
    }
}

/// A type that a cell can be read as.
pub trait Cell: Sized {
    /// The range that it is in.
    const KIND: Kind;

    /// Reads the cell at `index`.
    ///
    /// # Errors
    /// A cell of another type, or a null where none may be.
    fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr>;

    /// What stands where a column was not read, because nothing that is selected needs it.
    fn empty() -> Self;
}

/// The statement fixes the type of every column, so the cells are read without asking for it again.
macro_rules! cell {
    ($($kind:ident $as:ty => $($ty:ty : $convert:expr),+;)+) => {$($(
        impl Cell for $ty {
            const KIND: Kind = Kind::$kind;
            fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
                get::<$as>(row, index)?.map($convert).ok_or_else(|| missing(index))
            }
            fn empty() -> Self {
                Self::default()
            }
        }
        impl Cell for Option<$ty> {
            const KIND: Kind = Kind::$kind;
            fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
                Ok(get::<$as>(row, index)?.map($convert))
            }
            fn empty() -> Self {
                None
            }
        }
    )+)+};
}

cell! {
    Id Uuid => Uuid: |v| v;
    Int i64 => i64: |v| v, i32: |v| i32::try_from(v).unwrap_or(i32::MAX), bool: |v| v != 0;
    Text String => String: |v| v, NaiveDate: |v| v.parse().unwrap_or_default();
    Time DateTime<Utc> => DateTime<Utc>: |v| v;
}

fn get<'r, T>(row: &'r QueryResult, index: usize) -> Result<Option<T>, DbErr>
where
    T: sea_orm::sqlx::Decode<'r, sea_orm::sqlx::Postgres> + sea_orm::sqlx::Decode<'r, sea_orm::sqlx::Sqlite>,
{
    if let Some(row) = row.try_as_pg_row() {
        return row.try_get_unchecked(index).map_err(failed);
    }
    row.try_as_sqlite_row().map_or_else(|| Err(missing(index)), |row| row.try_get_unchecked(index).map_err(failed))
}

/// The text in a cell, without a copy.
///
/// # Errors
/// A cell of another type.
pub fn text(row: &QueryResult, index: usize) -> Result<Option<&str>, DbErr> {
    get(row, index)
}

fn failed(error: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

/// What a null is called where none may be.
pub fn missing(index: usize) -> DbErr {
    DbErr::Type(format!("column {index} is null"))
}

/// The kind of the range that a field's type is read from; lets [`crate::row!`] infer it.
pub const fn kind_of<R, T: Cell>(_: fn(&R) -> &T) -> Kind {
    T::KIND
}

/// Declares a row: each field with the SQL expression that it is read from, and perhaps with the GraphQL fields that
/// it is read for. Without the latter it is always read, and so is what the rows are ordered by. At most 64 columns.
///
/// ```
/// c360::row! {
///     /// A store as the objects see it.
///     pub struct StoreRow { name: String = "x.name", country: Option<String> = "x.country" for ["country"] }
/// }
/// ```
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $row:ident {
        $($field:ident : $ty:ty = $sql:literal $(for $fields:tt)?),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "a column is described where it is served, in the GraphQL schema")]
        $vis struct $row { pub id: uuid::Uuid, $(pub $field: $ty),+ }

        const _: () = assert!(<$row as $crate::read::Row>::COLUMNS.len() <= 64, "a row has at most 64 columns");

        impl $crate::read::Row for $row {
            const COLUMNS: &'static [$crate::read::Column] = &[$($crate::read::Column {
                name: stringify!($field),
                sql: $sql,
                kind: $crate::read::row::kind_of(|row: &$row| &row.$field),
                fields: $crate::columns_for!($($fields)?),
            }),+];

            fn take(id: uuid::Uuid, cells: &mut $crate::read::Cells<'_>) -> Result<Self, sea_orm::DbErr> {
                Ok(Self { id, $($field: cells.take()?),+ })
            }

            fn id(&self) -> uuid::Uuid {
                self.id
            }
        }
    };
}

/// The fields behind `for` in [`crate::row!`], or none.
#[doc(hidden)]
#[macro_export]
macro_rules! columns_for {
    () => {
        &[]
    };
    ($fields:tt) => {
        &$fields
    };
}
