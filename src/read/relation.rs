//! Edges of the graph, as the domains declare them.

use async_graphql::{InputType, Name, Value};

use super::connection::{PageArguments, Place};
use super::row::{self, Column, Columns, Kind, Row};
use super::sql::Sql;
use super::tree::{AnyRows, Rows};
use crate::digest::{Digest, sha256};
use crate::error::Fault;

/// The arguments of a field, with the variables put in.
pub type Arguments = [(Name, Value)];

/// Turns a field's own arguments into conditions over the table, whose alias is `x`.
pub type Filter = fn(&Arguments) -> Result<Vec<Pieces>, Fault>;

/// The conditions that the argument `filter` stands for.
///
/// # Errors
/// `BAD_USER_INPUT` when the argument is not what its type says.
pub fn filtered<T: InputType>(
    arguments: &Arguments,
    conditions: fn(T) -> Result<Vec<Pieces>, Fault>,
) -> Result<Vec<Pieces>, Fault> {
    let Some((_, value)) = arguments.iter().find(|(name, _)| name == "filter") else { return Ok(Vec::new()) };
    let filter: Option<T> =
        InputType::parse(Some(value.clone())).map_err(|_| Fault::bad_input("filter", "cannot be used here"))?;
    filter.map_or_else(|| Ok(Vec::new()), conditions)
}

/// How the rows of one GraphQL edge are had.
#[derive(Debug)]
pub struct Relation {
    /// The GraphQL type that the edge starts from.
    pub on: &'static str,
    /// The fields that read these rows; they share them.
    pub fields: &'static [&'static str],
    /// The GraphQL type that it leads to.
    pub to: &'static str,
    /// The table, which the columns know as `x`.
    pub table: &'static str,
    /// Columns and reader of the rows.
    pub rows: RowType,
    /// Which rows belong to which parent.
    pub join: Join,
    /// How many rows there are for one parent.
    pub shape: Shape,
    /// How they are ordered.
    pub order: Order,
    /// A condition that always holds, or an empty text.
    pub only: &'static str,
    /// Conditions from arguments, for edges that have other arguments than those of a page.
    pub filter: Option<Filter>,
    /// What the caller may see of them.
    pub access: Access,
}

impl Relation {
    /// Whether the rows depend on arguments of the field.
    pub(super) fn has_arguments(&self) -> bool {
        self.shape == Shape::Page || self.filter.is_some()
    }
}

/// A row type without its type.
#[derive(Clone, Copy, Debug)]
pub struct RowType {
    pub(super) columns: &'static [Column],
    pub(super) collect: fn() -> Box<dyn AnyRows>,
}

impl RowType {
    /// That of `R`.
    pub const fn of<R: Row>() -> Self {
        Self { columns: R::COLUMNS, collect: || Box::new(Rows::<R>::default()) }
    }

    /// What is read whatever is selected: without the sort key a row has no place.
    pub(super) fn always(self, order: Order) -> Columns {
        row::always(self.columns) | row::named(self.columns, order.field)
    }

    /// Those of the columns that are read, each with its place.
    pub(super) fn columns_in(self, columns: Columns) -> impl Iterator<Item = (usize, &'static Column)> + Clone {
        self.columns.iter().enumerate().filter(move |(at, _)| columns >> at & 1 == 1)
    }

    /// The sort key: its kind, and how many of the columns that are read come before it.
    pub(super) fn key(self, order: Order, columns: Columns) -> Option<(Kind, usize)> {
        let at = self.columns.iter().position(|column| column.name == order.field)?;
        Some((self.columns[at].kind, self.columns_in(columns).take_while(|(other, _)| *other < at).count()))
    }
}

/// `x.child = parent.parent`: the child's foreign key and the parent's `id`, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join {
    /// A column of the child.
    pub child: &'static str,
    /// A column of the parent.
    pub parent: &'static str,
}

impl Join {
    /// Children that carry the parent's id.
    pub const fn by(child: &'static str) -> Self {
        Self { child, parent: "id" }
    }

    /// The one row whose id the parent carries.
    pub const fn to(parent: &'static str) -> Self {
        Self { child: "id", parent }
    }
}

/// How many rows an edge gives for one parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// At most one.
    One,
    /// All, but never more than this.
    Few(u32),
    /// A page.
    Page,
}

/// The order within one parent: by a column of the row, then by id in the same direction.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// A field of the row, of kind `Int` or `Time`.
    pub field: &'static str,
    /// The column of `x` behind it.
    pub column: &'static str,
    /// Newest or largest first.
    pub descending: bool,
    /// No two rows of one parent have the same value.
    pub unique: bool,
}

impl Order {
    /// Newest or largest first.
    pub const fn newest(field: &'static str, column: &'static str) -> Self {
        Self { field, column, descending: true, unique: false }
    }

    /// By a place that only one row of a parent has.
    pub const fn by_place(field: &'static str, column: &'static str) -> Self {
        Self { field, column, descending: false, unique: true }
    }

    /// Oldest or smallest first.
    pub const fn oldest(field: &'static str, column: &'static str) -> Self {
        Self { field, column, descending: false, unique: false }
    }
}

/// Which rows of a table the caller may see, apart from those of parents that it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// All that belong to a visible parent.
    Parent,
    /// Those of the caller's own customer, or of a partner's own source: the table has `customer_id`, `source`.
    Records(crate::auth::Domain),
    /// Those of the caller's own customer: the table has `customer_id`.
    Customer,
    /// Events, by domain and visibility.
    Timeline,
    /// The customer itself.
    Itself,
}

/// Where reading starts.
#[derive(Debug)]
pub struct Root {
    /// The GraphQL type of the rows.
    pub to: &'static str,
    /// The table, as `x`.
    pub table: &'static str,
    /// Columns and reader of the rows.
    pub rows: RowType,
    /// What the caller may see of them.
    pub access: Access,
    /// Which rows.
    pub find: Find,
}

/// Which rows a root starts from.
#[derive(Debug)]
pub enum Find {
    /// The one row whose id the statement `SELECT … AS id` gives; it may give several, which is an ambiguity.
    One(Pieces),
    /// The row with this id. What hangs from it is found by the id, without waiting for the row.
    Row {
        /// Its id.
        id: uuid::Uuid,
        /// A condition over `x`: without it, another row stands for this one.
        itself: &'static str,
        /// How that other row is found by the same id.
        instead: fn(uuid::Uuid) -> Pieces,
    },
    /// Those with these ids, as far as they exist.
    Ids(Vec<uuid::Uuid>),
    /// A page of those that something else has found: one row more than the page, as far as there is one.
    Found {
        /// Where each stands in its list, in the list's order. The key is the list's own affair.
        places: Vec<Place>,
        /// How many there are in all, if that was asked for.
        total: Option<i64>,
        /// What makes this list another than its siblings, for its cursors.
        list: u64,
        /// Which page.
        page: PageArguments,
    },
    /// A page of those that meet the conditions.
    Page {
        /// Conditions over `x`.
        conditions: Vec<Pieces>,
        /// Their order.
        order: Order,
        /// What makes this list another than its siblings, for its cursors.
        list: u64,
        /// Which page.
        page: PageArguments,
    },
}

/// Text with parameters, not yet in the words of a database.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    pub(super) parts: Vec<Piece>,
}

#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(String),
    Value(sea_orm::Value),
    OneOf(&'static str, Vec<uuid::Uuid>),
    OneOfWords(&'static str, Vec<&'static str>),
}

impl Pieces {
    /// Starts with a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().and(text)
    }

    /// Goes on with a text.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Piece::Text(text.into()));
        self
    }

    /// Goes on with a parameter.
    #[must_use]
    pub fn value(mut self, value: impl Into<sea_orm::Value>) -> Self {
        self.parts.push(Piece::Value(value.into()));
        self
    }

    /// Goes on with other pieces.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// A condition that `column` is one of `ids`.
    pub fn one_of(column: &'static str, ids: Vec<uuid::Uuid>) -> Self {
        Self { parts: vec![Piece::OneOf(column, ids)] }
    }

    /// A condition that `column` is one of `words`.
    pub fn one_of_words(column: &'static str, words: Vec<&'static str>) -> Self {
        Self { parts: vec![Piece::OneOfWords(column, words)] }
    }

    /// The text, without what the parameters hold.
    pub(super) fn as_text(&self) -> String {
        let text = |part: &Piece| match part {
            Piece::Text(text) => text.clone(),
            Piece::Value(_) => "?".to_owned(),
            Piece::OneOf(column, _) | Piece::OneOfWords(column, _) => (*column).to_owned(),
        };
        self.parts.iter().map(text).collect()
    }

    /// What tells it from others, parameters and all.
    pub(super) fn digest(&self) -> Digest {
        sha256(format!("{:?}", self.parts).as_bytes())
    }

    pub(crate) fn write(&self, sql: &mut Sql) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Piece::Text(text) => text.clone(),
                Piece::Value(value) => sql.parameter(value.clone()),
                Piece::OneOf(column, ids) => sql.one_of(column, ids),
                Piece::OneOfWords(column, words) => sql.one_of_words(column, words),
            })
            .collect()
    }
}
