//! Rows, and how a domain says what is in its own.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sqlx::sqlite::SqliteRow;
use sea_orm::sqlx::{Decode, Row as _, Sqlite};
use sea_orm::{DbErr, QueryResult, RuntimeErr};
use uuid::Uuid;

/// What a cell holds.
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

/// One column that a row asks for.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The field's name, by which an [`super::Order`] finds it.
    pub name: &'static str,
    /// An expression over the table, whose alias is `x`; `{pii}` stands for whether the caller may read the
    /// personal data of the row's customer, and `{name}` for the customer's name where the caller may not, so that
    /// it can be hidden in a text.
    pub sql: &'static str,
    /// What it holds.
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

/// The cells of one row, taken one after the other. PostgreSQL sends them as one record, so that no row has cells that only
/// others need; SQLite as columns.
#[derive(Debug)]
pub struct Cells<'r> {
    from: Source<'r>,
    /// Those of the columns still to be taken that were read.
    read: Columns,
}

#[derive(Clone, Copy, Debug)]
enum Source<'r> {
    /// What is left of a record: for each cell its type, its length and its value.
    Record(&'r [u8]),
    /// A row, and the column that comes next.
    Row(&'r SqliteRow, usize),
}

impl<'r> Cells<'r> {
    /// All cells of a row.
    ///
    /// # Errors
    /// It is not one of a read.
    pub(super) fn new(row: &'r QueryResult) -> Result<Self, DbErr> {
        let from = match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
            (Some(row), _) => {
                let record = row.try_get_raw(0).map_err(failed)?;
                let bytes = record.as_bytes().map_err(|_| cut_off())?;
                Source::Record(bytes.get(size_of::<i32>()..).ok_or_else(cut_off)?)
            }
            (None, Some(row)) => Source::Row(row, 0),
            (None, None) => return Err(cut_off()),
        };
        Ok(Self { from, read: Columns::MAX })
    }

    /// The rest of them, of which those of these columns were read.
    pub(super) fn of(self, columns: Columns) -> Self {
        Self { read: columns, ..self }
    }

    /// The cell that is so many after the next one, without taking any.
    ///
    /// # Errors
    /// A cell of another type.
    pub(super) fn peek<T: Cell>(&self, after: usize) -> Result<T, DbErr> {
        let mut ahead = Self { from: self.from, read: Columns::MAX };
        for _ in 0..after {
            ahead.skip()?;
        }
        ahead.take()
    }

    fn skip(&mut self) -> Result<(), DbErr> {
        match &mut self.from {
            Source::Record(rest) => next_of(rest).map(drop),
            Source::Row(_, next) => {
                *next += 1;
                Ok(())
            }
        }
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
        T::of(match &mut self.from {
            Source::Record(rest) => next_of(rest)?.map(|bytes| of_postgres(bytes, T::KIND)).transpose()?,
            Source::Row(row, next) => {
                *next += 1;
                of_sqlite(row, *next - 1, T::KIND)?
            }
        })
    }
}

/// Which of the ids that a statement takes a row is for, from 1 on.
///
/// # Errors
/// It is not one of such a statement.
pub(super) fn place(row: &QueryResult) -> Result<i64, DbErr> {
    row.try_as_pg_row().ok_or_else(cut_off)?.try_get_unchecked(1).map_err(failed)
}

/// A value as a database gives it.
#[derive(Clone, Copy, Debug)]
pub enum Scalar<'r> {
    /// A UUID.
    Id(Uuid),
    /// A number.
    Int(i64),
    /// A text.
    Text(&'r str),
    /// A point in time.
    Time(DateTime<Utc>),
}

/// The next value of a record in PostgreSQL's binary form: the type's number, the length, and as many bytes; a length of -1
/// for null. (`record_send` of its source.)
fn next_of<'r>(rest: &mut &'r [u8]) -> Result<Option<&'r [u8]>, DbErr> {
    let (head, tail) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
    let length = i32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let Ok(length) = usize::try_from(length) else {
        *rest = tail;
        return Ok(None);
    };
    let (value, tail) = tail.split_at_checked(length).ok_or_else(cut_off)?;
    *rest = tail;
    Ok(Some(value))
}

/// Microseconds from the beginning of 1970, from which times are counted here, to that of 2000, from which PostgreSQL does.
const EPOCH_OF_POSTGRES: i64 = 946_684_800_000_000;

fn of_postgres(bytes: &[u8], kind: Kind) -> Result<Scalar<'_>, DbErr> {
    let number = || bytes.try_into().map(i64::from_be_bytes).map_err(|_| cut_off());
    Ok(match kind {
        Kind::Id => Scalar::Id(Uuid::from_slice(bytes).map_err(|_| cut_off())?),
        Kind::Int => Scalar::Int(number()?),
        Kind::Text => Scalar::Text(std::str::from_utf8(bytes).map_err(|_| cut_off())?),
        Kind::Time => {
            let micros = number()?.checked_add(EPOCH_OF_POSTGRES).ok_or_else(cut_off)?;
            Scalar::Time(DateTime::from_timestamp_micros(micros).ok_or_else(cut_off)?)
        }
    })
}

fn of_sqlite(row: &SqliteRow, index: usize, kind: Kind) -> Result<Option<Scalar<'_>>, DbErr> {
    fn get<'r, T: Decode<'r, Sqlite>>(row: &'r SqliteRow, index: usize) -> Result<Option<T>, DbErr> {
        row.try_get_unchecked(index).map_err(failed)
    }
    Ok(match kind {
        Kind::Id => get(row, index)?.map(Scalar::Id),
        Kind::Int => get(row, index)?.map(Scalar::Int),
        Kind::Text => get(row, index)?.map(Scalar::Text),
        Kind::Time => get(row, index)?.map(Scalar::Time),
    })
}

/// A type that a cell can be read as.
pub trait Cell: Sized {
    /// What the cell holds.
    const KIND: Kind;

    /// Takes the value of a cell, which is of that kind.
    ///
    /// # Errors
    /// A null where none may be, or a value that the type does not have.
    fn of(value: Option<Scalar<'_>>) -> Result<Self, DbErr>;

    /// What stands where a column was not read, because nothing that is selected needs it.
    fn empty() -> Self;
}

macro_rules! cell {
    ($($kind:ident => $($ty:ty : $convert:expr),+;)+) => {$($(
        impl Cell for $ty {
            const KIND: Kind = Kind::$kind;
            fn of(value: Option<Scalar<'_>>) -> Result<Self, DbErr> {
                <Option<$ty>>::of(value)?.ok_or_else(missing)
            }
            fn empty() -> Self {
                Self::default()
            }
        }
        impl Cell for Option<$ty> {
            const KIND: Kind = Kind::$kind;
            fn of(value: Option<Scalar<'_>>) -> Result<Self, DbErr> {
                match value {
                    Some(Scalar::$kind(value)) => Ok(Some($convert(value))),
                    Some(_) => Err(cut_off()),
                    None => Ok(None),
                }
            }
            fn empty() -> Self {
                None
            }
        }
    )+)+};
}

cell! {
    Id => Uuid: |v| v;
    Int => i64: |v| v, i32: |v| i32::try_from(v).unwrap_or(i32::MAX), bool: |v| v != 0;
    Text => String: str::to_owned, NaiveDate: |v: &str| v.parse().unwrap_or_default();
    Time => DateTime<Utc>: |v| v;
}

fn failed(error: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

/// What a null is called where none may be.
pub fn missing() -> DbErr {
    DbErr::Type("a value is null".to_owned())
}

/// What a row is called that is not as the statement has it.
pub fn cut_off() -> DbErr {
    DbErr::Type("a row is not of the shape that was asked for".to_owned())
}

/// The kind of a field's type; lets [`crate::row!`] infer it.
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
