//! Relay connections over keyset pages: the only pagination there is.
//!
//! A cursor holds the sort key and the id of its row and the list that it belongs to; it is opaque, and a cursor of
//! another list is refused. (GraphQL Cursor Connections Specification.)

use std::borrow::Cow;

use async_graphql::{ContainerType, Name, Object, OutputType, SimpleObject, TypeName, Value};
use c360_rules::cursor::{Cursor, CursorError, Key, list_hash};
use uuid::Uuid;

use super::eager::Eager;
use super::relation::{Arguments, Order, Relation, Shape};
use crate::error::Fault;

/// Rows of a page when the client does not say.
pub const DEFAULT_PAGE: u32 = 20;
/// Most rows of a page.
pub const MAX_PAGE: u32 = 100;
/// How far `totalCount` counts.
pub const MAX_COUNT: i64 = 10_000;

/// `first`, `after`, `last` and `before`, as the client wrote them.
#[derive(Clone, Debug, Default)]
pub struct PageArguments {
    /// Rows from the start.
    pub first: Option<i32>,
    /// Rows after this cursor.
    pub after: Option<String>,
    /// Rows from the end.
    pub last: Option<i32>,
    /// Rows before this cursor.
    pub before: Option<String>,
}

impl PageArguments {
    /// Gathers the four arguments.
    pub fn new(first: Option<i32>, after: Option<String>, last: Option<i32>, before: Option<String>) -> Self {
        Self { first, after, last, before }
    }

    pub(super) fn from_arguments(arguments: &Arguments) -> Self {
        let number = |name| match argument(arguments, name) {
            Some(Value::Number(n)) => n.as_i64().map(|n| i32::try_from(n).unwrap_or(i32::MAX)),
            _ => None,
        };
        let text = |name| match argument(arguments, name) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        Self { first: number("first"), after: text("after"), last: number("last"), before: text("before") }
    }

    /// Checks the arguments.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the argument.
    pub(super) fn page(&self, order: Order, list: u64) -> Result<Page, Fault> {
        let (argument, size, backwards) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(Fault::bad_input("last", "give either first or last, not both"));
            }
            (None, Some(last)) => ("last", Some(last), true),
            (first, None) => ("first", first, false),
        };
        let size = match size {
            None => DEFAULT_PAGE,
            Some(size) => u32::try_from(size)
                .ok()
                .filter(|size| (1..=MAX_PAGE).contains(size))
                .ok_or_else(|| Fault::bad_input(argument, format!("must be from 1 to {MAX_PAGE}, not {size}")))?,
        };
        let place =
            |name, text: &Option<String>| text.as_deref().map(|text| Place::decode(name, text, list)).transpose();
        Ok(Page { size, backwards, after: place("after", &self.after)?, before: place("before", &self.before)?, order })
    }

    /// How many rows are asked for from the start, and after which place, for lists that are found by other means.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the argument.
    pub fn start(&self, list: u64) -> Result<(usize, Option<Place>), Fault> {
        let page = self.page(Order::oldest("", "x.id"), list)?;
        Ok((usize::try_from(page.size).unwrap_or(usize::MAX), page.after))
    }
}

pub(super) fn argument<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a Value> {
    arguments.iter().find(|(n, value)| n == name && *value != Value::Null).map(|(_, value)| value)
}

/// What identifies a list to its cursors: the edge, and every argument that changes what is in it.
pub(super) fn list_of(relation: &Relation, arguments: &Arguments) -> u64 {
    let paging = ["first", "after", "last", "before"];
    let rest = arguments.iter().filter(|(name, _)| !paging.contains(&name.as_str()));
    list_name(relation.on, relation.fields[0], &same(rest.map(|(name, value)| (name, value))))
}

/// One text for arguments that mean the same, however they are written: as literals or variables, in any order, with
/// null or not at all.
fn same<'a>(fields: impl Iterator<Item = (&'a Name, &'a Value)>) -> String {
    fn value(of: &Value) -> String {
        match of {
            Value::Enum(name) => format!("{:?}", name.as_str()),
            Value::List(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(",")),
            Value::Object(fields) => same(fields.iter()),
            other => other.to_string(),
        }
    }
    let mut written: Vec<String> = fields
        .filter(|(_, of)| **of != Value::Null)
        .map(|(name, of)| format!("{:?}:{}", name.as_str(), value(of)))
        .collect();
    written.sort_unstable();
    format!("{{{}}}", written.join(","))
}

/// The hash that binds cursors to a list.
pub fn list_name(on: &str, field: &str, rest: &str) -> u64 {
    list_hash(&[on.as_bytes(), field.as_bytes(), rest.as_bytes()])
}

/// Where a row stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The sort key: microseconds or a number.
    pub key: i64,
    /// The row.
    pub id: Uuid,
}

impl Place {
    fn decode(argument: &str, text: &str, list: u64) -> Result<Self, Fault> {
        let cursor = Cursor::decode(text, list).map_err(|error| {
            Fault::bad_input(
                argument,
                match error {
                    CursorError::OtherList => "this cursor belongs to another list",
                    CursorError::Malformed => "this is not a cursor of this API",
                },
            )
        })?;
        match cursor.keys.as_slice() {
            [Key::Int(key), Key::Id(id)] => Ok(Self { key: *key, id: *id }),
            _ => Err(Fault::bad_input(argument, "this is not a cursor of this API")),
        }
    }

    pub(super) fn encode(self, list: u64) -> String {
        Cursor { list, keys: vec![Key::Int(self.key), Key::Id(self.id)] }.encode()
    }
}

/// Which part of a list is read: checked, and in the list's own order.
#[derive(Clone, Debug)]
pub struct Page {
    /// Most rows.
    pub(super) size: u32,
    /// From the end.
    pub(super) backwards: bool,
    pub(super) after: Option<Place>,
    pub(super) before: Option<Place>,
    pub(super) order: Order,
}

impl Page {
    pub(super) fn whole(relation: &Relation) -> Self {
        let size = match relation.shape {
            Shape::One => 1,
            Shape::Few(most) => most,
            Shape::Page => MAX_PAGE,
        };
        Self { size, backwards: false, after: None, before: None, order: relation.order }
    }

    pub(super) fn all() -> Self {
        Self { size: MAX_PAGE, backwards: false, after: None, before: None, order: Order::oldest("", "x.id") }
    }
}

/// An object that stands in lists.
pub trait Listed {
    /// Where it stands.
    fn place(&self) -> Place;
}

/// A page of a list, with cursors to go on from.
pub type Connection<T> = Eager<Listing<T>>;

/// A page of a list.
#[derive(Debug)]
pub struct Listing<T> {
    pub(super) items: Vec<Eager<T>>,
    pub(super) list: u64,
    pub(super) has_next: bool,
    pub(super) has_previous: bool,
    pub(super) total: Option<i64>,
}

impl<T: OutputType> TypeName for Listing<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// A page of a list, with cursors to go on from (Relay's connection).
#[Object(name_type)]
impl<T: Listed + ContainerType> Listing<T> {
    /// The items of this page, without cursors.
    async fn nodes(&self) -> &[Eager<T>] {
        &self.items
    }

    /// The items of this page, each with its cursor.
    async fn edges(&self) -> Vec<Eager<Edge<'_, T>>> {
        self.items.iter().map(|node| Eager::of(Edge { node, list: self.list })).collect()
    }

    /// Whether there is more, and where this page starts and ends.
    async fn page_info(&self) -> Eager<PageInfo> {
        let cursor = |item: Option<&Eager<T>>| item.map(|item| item.place().encode(self.list));
        Eager::of(PageInfo {
            has_next_page: self.has_next,
            has_previous_page: self.has_previous,
            start_cursor: cursor(self.items.first()),
            end_cursor: cursor(self.items.last()),
        })
    }

    /// How many items the whole list has. Counting costs; ask only if you show it.
    async fn total_count(&self) -> Option<TotalCount> {
        self.total.map(|counted| TotalCount {
            value: i32::try_from(counted.min(MAX_COUNT)).unwrap_or(i32::MAX),
            exact: counted <= MAX_COUNT,
        })
    }
}

/// An item and its cursor.
#[derive(Debug)]
pub struct Edge<'a, T> {
    node: &'a Eager<T>,
    list: u64,
}

impl<T: OutputType> TypeName for Edge<'_, T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// An item of a connection and its place in the list.
#[Object(name_type)]
impl<T: Listed + ContainerType> Edge<'_, T> {
    /// The item.
    async fn node(&self) -> &Eager<T> {
        self.node
    }

    /// Where the item stands in its list; opaque, and good for this list only.
    async fn cursor(&self) -> String {
        self.node.place().encode(self.list)
    }
}

/// Where a page stands in its list.
#[derive(Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether items follow this page.
    has_next_page: bool,
    /// Whether items precede this page.
    has_previous_page: bool,
    /// The cursor of the first item, for `before`.
    start_cursor: Option<String>,
    /// The cursor of the last item, for `after`.
    end_cursor: Option<String>,
}

/// How many items a list has.
#[derive(Debug, SimpleObject)]
pub struct TotalCount {
    /// The number of items; 10,000 if there are more.
    value: i32,
    /// Whether the value is exact: false when the list has more than 10,000 items.
    exact: bool,
}
