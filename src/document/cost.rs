//! What an operation may cost, known before it runs: the rows that it may read.
//!
//! A page counts with the size that is asked for, a short list with a few rows, an object with rows of its own with one,
//! and a row of which very much is wanted with several. Everything saturates. What depends on variables is kept as a
//! small expression, so that a known document costs a look-up and a few multiplications.

use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet};
use async_graphql::{Name, Value, Variables};

use crate::read::connection::{DEFAULT_PAGE, MAX_PAGE};
use crate::read::plan::Relations;
use crate::read::relation::Shape;

/// What each root field costs besides its rows: it is a statement.
const STATEMENT: u64 = 1;
/// What asking for `totalCount` costs.
const COUNTING: u64 = 20;
/// Rows that a list without a page is taken to have.
const FEW: u64 = 5;
/// Fields of one row that are as much work as reading the row.
const FIELDS: u64 = 32;
/// Items of the schema, when it is looked at, that cost as much as a row.
const ITEMS: u64 = 100;

/// The cost of an operation, as far as it can be known without its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    fixed: u64,
    /// Parts that are taken as often as a variable says.
    scaled: Vec<(Times, Cost)>,
}

/// How often.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Times {
    /// As often as the page has rows: the variables of `first` and `last`, and what stands there as a number.
    Page(Vec<Name>, Option<u64>),
    /// As often as the list in the variable has items.
    Items(Name),
}

impl Cost {
    const fn of(fixed: u64) -> Self {
        Self { fixed, scaled: Vec::new() }
    }

    fn plus(mut self, other: Self) -> Self {
        self.fixed = self.fixed.saturating_add(other.fixed);
        self.scaled.extend(other.scaled);
        self
    }

    fn times(mut self, n: u64) -> Self {
        self.fixed = self.fixed.saturating_mul(n);
        self.scaled = self.scaled.into_iter().map(|(times, cost)| (times, cost.times(n))).collect();
        self
    }

    /// The cost with these variables.
    pub(super) fn with(&self, variables: &Variables) -> u64 {
        self.scaled.iter().fold(self.fixed, |sum, (times, cost)| {
            let n = match times {
                Times::Page(names, written) => {
                    let given = names.iter().filter_map(|name| match variables.get(name) {
                        Some(Value::Number(n)) => Some(page(n.as_i64())),
                        _ => None,
                    });
                    given.chain(*written).max().unwrap_or_else(|| page(None))
                }
                Times::Items(name) => match variables.get(name) {
                    Some(Value::List(items)) => items.len() as u64,
                    _ => 1,
                },
            };
            sum.saturating_add(cost.with(variables).saturating_mul(n))
        })
    }
}

/// A page has at least one row and at most the most; what is beyond is refused when it is read.
fn page(size: Option<i64>) -> u64 {
    u64::try_from(size.unwrap_or(i64::from(DEFAULT_PAGE))).unwrap_or(1).clamp(1, u64::from(MAX_PAGE))
}

/// The cost of an operation of a valid document.
pub(super) fn of(operation: &Operation, document: &ExecutableDocument, relations: &Relations) -> Cost {
    Walk { document, relations }.set(&operation.selection_set).cost_with_fields()
}

/// What is wanted of a row.
#[derive(Clone, Debug)]
struct Wanted {
    /// Fields that the row itself answers, as often as they are written.
    fields: u64,
    /// What it costs to count the list that the row is in.
    count: u64,
    /// What is below the row.
    below: Cost,
}

impl Wanted {
    const NOTHING: Self = Self { fields: 0, count: 0, below: Cost::of(0) };

    fn below(cost: Cost) -> Self {
        Self { below: cost, ..Self::NOTHING }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            count: self.count.saturating_add(other.count),
            below: self.below.plus(other.below),
        }
    }

    fn cost_with_fields(self) -> Cost {
        Cost::of(self.fields / FIELDS).plus(self.below)
    }

    fn row(self) -> Cost {
        Cost::of(1).plus(self.cost_with_fields())
    }
}

struct Walk<'d> {
    document: &'d ExecutableDocument,
    relations: &'d Relations,
}

impl Walk<'_> {
    fn set(&self, set: &SelectionSet) -> Wanted {
        set.selections.iter().map(|selection| self.selection(set, selection)).fold(Wanted::NOTHING, Wanted::plus)
    }

    fn selection(&self, set: &SelectionSet, selection: &Selection) -> Wanted {
        match selection {
            Selection::Field(field) => self.field(set.ty.as_str(), field),
            Selection::InlineFragment(fragment) => self.set(&fragment.selection_set),
            Selection::FragmentSpread(spread) => self
                .document
                .fragments
                .get(&spread.fragment_name)
                .map_or(Wanted::NOTHING, |fragment| self.set(&fragment.selection_set)),
        }
    }

    fn field(&self, on: &str, field: &Field) -> Wanted {
        let name = field.name.as_str();
        if matches!(name, "__schema" | "__type") {
            let items = self.looked_at(&field.selection_set) / ITEMS;
            return Wanted::below(Cost::of(STATEMENT.saturating_add(items)));
        }
        if name == "totalCount" {
            return Wanted { count: COUNTING, ..Wanted::NOTHING };
        }
        if field.selection_set.selections.is_empty() {
            return Wanted { fields: 1, ..Wanted::NOTHING };
        }
        let wanted = self.set(&field.selection_set);
        if field.selection_set.ty.as_str().ends_with("Connection") {
            return Wanted::below(Self::page(field, wanted));
        }
        let is_root = matches!(on, "Query" | "Mutation" | "Subscription");
        let cost = match self.relations.get(on, name).map(|relation| relation.shape) {
            Some(Shape::One) => wanted.row(),
            Some(Shape::Few(most)) => wanted.row().times(FEW.min(u64::from(most))),
            Some(Shape::Page) => Self::page(field, wanted),
            None if is_root && field.ty().is_list() => listed(field, wanted.row()).plus(Cost::of(STATEMENT)),
            None if is_root => wanted.row().plus(Cost::of(STATEMENT)),
            // Edges, nodes and embedded objects belong to rows that are counted already.
            None => return wanted,
        };
        Wanted::below(cost)
    }

    /// How many items of the schema a look at it gives: lists count with about as many items as they have.
    fn looked_at(&self, set: &SelectionSet) -> u64 {
        set.selections.iter().fold(0, |sum: u64, selection| {
            let items = match selection {
                Selection::Field(field) => {
                    let times = match field.name.as_str() {
                        "types" => 300,
                        "fields" | "inputFields" | "enumValues" => 10,
                        "args" | "interfaces" | "possibleTypes" | "directives" | "locations" => 4,
                        _ => 1,
                    };
                    self.looked_at(&field.selection_set).saturating_add(1).saturating_mul(times)
                }
                Selection::InlineFragment(fragment) => self.looked_at(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    fragment.map_or(0, |fragment| self.looked_at(&fragment.selection_set))
                }
            };
            sum.saturating_add(items)
        })
    }

    /// A connection: what is below it is there once for each row of the page.
    fn page(field: &Field, wanted: Wanted) -> Cost {
        let once = Cost::of(STATEMENT.saturating_add(wanted.count));
        let row = wanted.row();
        // Null is as if it were not there, and who gives both is refused when the page is read.
        let (mut names, mut written) = (Vec::new(), None);
        for value in ["first", "last"].iter().filter_map(|name| field.specified_argument_by_name(name)) {
            match value.as_ref() {
                Literal::Variable(name) => names.push(Name::new(name.as_str())),
                Literal::Int(n) => written = written.max(Some(page(n.try_to_i32().ok().map(i64::from)))),
                _ => {}
            }
        }
        let cost = if names.is_empty() {
            row.times(written.unwrap_or_else(|| page(None)))
        } else {
            Cost { fixed: 0, scaled: vec![(Times::Page(names, written), row)] }
        };
        cost.plus(once)
    }
}

/// A root list: as many rows as ids are given.
fn listed(field: &Field, row: Cost) -> Cost {
    match field.specified_argument_by_name("ids").map(|value| value.as_ref()) {
        Some(Literal::Variable(name)) => Cost { fixed: 0, scaled: vec![(Times::Items(Name::new(name.as_str())), row)] },
        Some(Literal::List(ids)) => row.times(ids.len() as u64),
        _ => row.times(FEW),
    }
}
