//! A plan as one statement: `UNION ALL` of plain rows of a common shape.
//!
//! Each node of the plan is a part. A part with children is a common table expression, so that it is read once and
//! its children join it; a part without is written where its rows are wanted. A row is `section, parent, id`, then
//! one range of columns for each kind of cell, as wide as the widest part needs; missing cells are null.

use sea_orm::Statement;

use super::connection::{MAX_COUNT, Place};
use super::plan::{Node, Plan};
use super::relation::{Access, Find, Join, Pieces, Relation, RowType, Shape};
use super::row::{Column, KINDS, Kind};
use super::sql::Sql;
use crate::scope::Scope;

/// Where the ranges start, after `section`, `parent` and `id`.
const RANGES_AT: usize = 3;

/// The finished statement and where the ranges of its rows start.
pub(crate) struct Written {
    pub(crate) statement: Statement,
    pub(super) starts: [usize; 4],
}

impl Plan {
    pub(super) fn row_type(&self, at: usize) -> RowType {
        self.nodes[at].relation.map_or(self.root.rows, |relation| relation.rows)
    }

    fn has_children(&self, at: usize) -> bool {
        self.nodes.iter().enumerate().any(|(child, node)| child != 0 && node.parent == at && node.fault.is_none())
    }

    /// The columns other than `id` that children join.
    fn keys(&self, at: usize) -> Vec<&'static str> {
        let mut keys: Vec<_> = self
            .nodes
            .iter()
            .skip(1)
            .filter(|node| node.parent == at)
            .filter_map(|node| node.relation.map(|relation| relation.join.parent))
            .filter(|key| *key != "id")
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

pub(crate) fn write(plan: &Plan, scope: &Scope) -> Written {
    let mut sql = Sql::new(scope.backend());
    let widths = widths(plan);
    let mut branches = vec![header(&widths)];
    let mut tables = Vec::new();

    if let Find::One(candidates) = &plan.root.find {
        tables.push(format!("r AS MATERIALIZED ({})", visible_candidates(plan, candidates, scope, &mut sql)));
    }
    for at in (0..plan.nodes.len()).filter(|at| plan.nodes[*at].fault.is_none()) {
        if at == 0 || plan.has_children(at) {
            tables.push(format!("n{at} AS MATERIALIZED ({})", body(plan, at, scope, &mut sql)));
            let cells = cells(plan, at, &widths, |i, _| format!("c{i}"));
            branches.push(format!("SELECT {at}, p, id{cells} FROM n{at}"));
        } else {
            branches.push(leaf(plan, at, &widths, scope, &mut sql));
        }
        if plan.nodes[at].wants_total {
            branches.push(total(plan, at, &widths, scope, &mut sql));
        }
    }
    if matches!(plan.root.find, Find::One(_)) {
        branches.push(section(COUNTED_CANDIDATES, "NULL", "(SELECT count(*) FROM r)", &widths));
    }
    sql.push("WITH ");
    sql.push(&tables.join(", "));
    sql.push(" ");
    sql.push(&branches.join(" UNION ALL "));
    let mut starts = [RANGES_AT; 4];
    for kind in 1..4 {
        starts[kind] = starts[kind - 1] + widths[kind - 1];
    }
    Written { statement: sql.finish(), starts }
}

/// The section of the header row, which only fixes the types of the columns.
pub(super) const HEADER: i64 = -1;
/// The section that says how many rows the root's identifier matches (2 for several).
pub(super) const COUNTED_CANDIDATES: i64 = -2;
/// Totals of node `n` are section `TOTALS - n`.
pub(super) const TOTALS: i64 = -10;

fn widths(plan: &Plan) -> [usize; 4] {
    let mut widths = [0, 1, 0, 0];
    for at in 0..plan.nodes.len() {
        for (kind, width) in KINDS.iter().zip(&mut widths) {
            let read = plan.row_type(at).columns_in(plan.nodes[at].columns);
            *width = read.filter(|(_, column)| column.kind == *kind).count().max(*width);
        }
    }
    widths
}

/// A row of typed nulls: PostgreSQL takes the columns' types from the first branch.
fn header(widths: &[usize; 4]) -> String {
    let mut columns =
        vec![format!("CAST({HEADER} AS bigint)"), "CAST(NULL AS uuid)".into(), "CAST(NULL AS uuid)".into()];
    for (kind, width) in ["uuid", "bigint", "text", "timestamptz"].iter().zip(widths) {
        columns.extend(std::iter::repeat_n(format!("CAST(NULL AS {kind})"), *width));
    }
    format!("SELECT {}", columns.join(", "))
}

/// A branch with a number in its first `Int` cell and nothing else.
fn section(number: i64, parent: &str, value: &str, widths: &[usize; 4]) -> String {
    let before = vec!["NULL"; 1 + widths[0]].join(", ");
    let after = vec![", NULL"; widths[1] - 1 + widths[2] + widths[3]].concat();
    format!("SELECT {number}, {parent}, {before}, {value}{after}")
}

/// The cells of one part in the common shape, after a comma: its own, and nulls where it has none.
fn cells(plan: &Plan, at: usize, widths: &[usize; 4], cell: impl Fn(usize, &Column) -> String) -> String {
    let mut text = String::new();
    let read = plan.row_type(at).columns_in(plan.nodes[at].columns);
    for (kind, width) in KINDS.iter().zip(widths) {
        let mut missing = *width;
        for (i, column) in read.clone().filter(|(_, column)| column.kind == *kind) {
            text.push_str(", ");
            text.push_str(&cell(i, column));
            missing -= 1;
        }
        text.extend(std::iter::repeat_n(", NULL", missing));
    }
    text
}

/// The rows of a part that has no children, in the common shape.
fn leaf(plan: &Plan, at: usize, widths: &[usize; 4], scope: &Scope, sql: &mut Sql) -> String {
    let personal = Personal::new(plan, at, scope);
    let cells = cells(plan, at, widths, |_, column| personal.expression(column));
    let select = format!("SELECT {at}, {}, x.id{cells} {}", parent(plan, at), from(plan, at, scope, sql));
    // SQLite takes no order and limit for one part of a union by itself.
    if sql.is_postgres() { format!("({select})") } else { format!("SELECT * FROM ({select})") }
}

/// The rows of a part that has some: `p` (what the parent is joined by), `id`, the keys that children join, the cells.
fn body(plan: &Plan, at: usize, scope: &Scope, sql: &mut Sql) -> String {
    let personal = Personal::new(plan, at, scope);
    let mut columns = vec![format!("{} AS p", parent(plan, at)), "x.id AS id".to_owned()];
    columns.extend(plan.keys(at).into_iter().map(|key| format!("x.{key} AS k_{key}")));
    let read = plan.row_type(at).columns_in(plan.nodes[at].columns);
    columns.extend(read.map(|(i, column)| format!("{} AS c{i}", personal.expression(column))));
    format!("SELECT {} {}", columns.join(", "), from(plan, at, scope, sql))
}

/// What a row is joined to its parent by.
fn parent(plan: &Plan, at: usize) -> String {
    plan.nodes[at].relation.map_or("CAST(NULL AS uuid)".to_owned(), |relation| format!("x.{}", relation.join.child))
}

/// What `{pii}` and `{name}` stand for.
struct Personal {
    pii: String,
    name: String,
}

impl Personal {
    fn new(plan: &Plan, at: usize, scope: &Scope) -> Self {
        let customer = if plan_access(plan, at) == Access::Itself { "x.id" } else { "x.customer_id" };
        let pii = scope.personal_data_condition(customer);
        let name = match pii.as_str() {
            "1" => "CAST(NULL AS text)".to_owned(),
            _ => {
                format!("CASE {pii} WHEN 1 THEN NULL ELSE (SELECT h.name FROM customers h WHERE h.id = {customer}) END")
            }
        };
        Self { pii, name }
    }

    fn expression(&self, column: &Column) -> String {
        if column.sql.contains('{') {
            return column.sql.replace("{pii}", &self.pii).replace("{name}", &self.name);
        }
        column.sql.to_owned()
    }
}

fn plan_access(plan: &Plan, at: usize) -> Access {
    plan.nodes[at].relation.map_or(plan.root.access, |relation| relation.access)
}

fn from(plan: &Plan, at: usize, scope: &Scope, sql: &mut Sql) -> String {
    match plan.nodes[at].relation {
        None => from_root(plan, scope, sql),
        Some(relation) => from_parent(plan, at, relation, scope, sql),
    }
}

/// The ids that an identifier matches, as far as the caller may know of them; two are enough to be ambiguous.
fn visible_candidates(plan: &Plan, candidates: &Pieces, scope: &Scope, sql: &mut Sql) -> String {
    let candidates = candidates.write(sql);
    let conditions = scope.row_conditions(plan.root.access, sql);
    if conditions.is_empty() {
        return format!("{candidates} LIMIT 2");
    }
    let rest = conditions.join(" AND ");
    format!("SELECT x.id FROM ({candidates}) c JOIN {} x ON x.id = c.id WHERE {rest} LIMIT 2", plan.root.table)
}

fn from_root(plan: &Plan, scope: &Scope, sql: &mut Sql) -> String {
    let table = plan.root.table;
    if matches!(plan.root.find, Find::One(_)) {
        return format!("FROM {table} x WHERE x.id = (SELECT id FROM r LIMIT 1) AND (SELECT count(*) FROM r) = 1");
    }
    let mut conditions = scope.row_conditions(plan.root.access, sql);
    match &plan.root.find {
        Find::Ids(ids) => {
            conditions.push(sql.one_of("x.id", ids));
            format!("FROM {table} x WHERE {}", conditions.join(" AND "))
        }
        Find::Found { places, .. } => {
            let ids: Vec<_> = places.iter().map(|place| place.id).collect();
            conditions.push(sql.one_of("x.id", &ids));
            format!("FROM {table} x WHERE {}", conditions.join(" AND "))
        }
        _ => {
            let node = &plan.nodes[0];
            conditions.extend(node.conditions.iter().map(|pieces| pieces.write(sql)));
            conditions.extend(keyset(plan, 0, sql));
            if conditions.is_empty() {
                conditions.push("1 = 1".into());
            }
            let limit = sql.parameter(i64::from(node.page.size) + 1);
            format!("FROM {table} x WHERE {} ORDER BY {} LIMIT {limit}", conditions.join(" AND "), order_by(node))
        }
    }
}

fn from_parent(plan: &Plan, at: usize, relation: &Relation, scope: &Scope, sql: &mut Sql) -> String {
    let node = &plan.nodes[at];
    let (table, parent, Join { child, parent: key }) = (relation.table, node.parent, relation.join);
    let key = if key == "id" { "id".to_owned() } else { format!("k_{key}") };
    let mut conditions = own_conditions(node, relation, scope, sql);
    if plan.is_single(parent) {
        conditions.insert(0, format!("x.{child} = (SELECT {key} FROM n{parent})"));
        conditions.extend(keyset(plan, at, sql));
        let rest = conditions.join(" AND ");
        return match relation.shape {
            Shape::One => format!("FROM {table} x WHERE {rest}"),
            _ => format!(
                "FROM {table} x WHERE {rest} ORDER BY {} LIMIT {}",
                order_by(node),
                sql.parameter(limit(node, relation))
            ),
        };
    }
    if relation.shape == Shape::One {
        conditions.insert(0, format!("x.{child} IN (SELECT {key} FROM n{parent})"));
        return format!("FROM {table} x WHERE {}", conditions.join(" AND "));
    }
    conditions.extend(keyset(plan, at, sql));
    let limit = sql.parameter(limit(node, relation));
    let order = order_by(node);
    if sql.is_postgres() {
        let parents =
            if key == "id" { format!("n{parent} p") } else { format!("(SELECT DISTINCT {key} FROM n{parent}) p") };
        conditions.insert(0, format!("x.{child} = p.{key}"));
        let rest = conditions.join(" AND ");
        format!(
            "FROM {parents} CROSS JOIN LATERAL (SELECT x.* FROM {table} x WHERE {rest} ORDER BY {order} LIMIT {limit}) x"
        )
    } else {
        conditions.insert(0, format!("x.{child} IN (SELECT {key} FROM n{parent})"));
        let rest = conditions.join(" AND ");
        format!(
            "FROM (SELECT x.*, row_number() OVER (PARTITION BY x.{child} ORDER BY {order}) AS place \
             FROM {table} x WHERE {rest}) x WHERE x.place <= {limit}"
        )
    }
}

/// A page asks for one row more, to know whether there is one.
fn limit(node: &Node, relation: &Relation) -> i64 {
    i64::from(node.page.size) + i64::from(relation.shape == Shape::Page)
}

fn own_conditions(node: &Node, relation: &Relation, scope: &Scope, sql: &mut Sql) -> Vec<String> {
    let mut conditions = Vec::new();
    if !relation.only.is_empty() {
        conditions.push(relation.only.to_owned());
    }
    conditions.extend(scope.row_conditions(relation.access, sql));
    conditions.extend(node.conditions.iter().map(|pieces| pieces.write(sql)));
    conditions
}

fn order_by(node: &Node) -> String {
    let page = &node.page;
    if page.order.field.is_empty() {
        return "x.id".into();
    }
    let direction = if page.order.descending == page.backwards { "ASC" } else { "DESC" };
    if page.order.unique {
        return format!("{} {direction}", page.order.column);
    }
    format!("{} {direction}, x.id {direction}", page.order.column)
}

fn keyset(plan: &Plan, at: usize, sql: &mut Sql) -> Vec<String> {
    let page = &plan.nodes[at].page;
    let column = page.order.column;
    let is_time = matches!(plan.row_type(at).key(page.order, plan.nodes[at].columns), Some((Kind::Time, _)));
    let mut bound = |place: Place, beyond: bool| {
        let sign = if page.order.descending == beyond { "<" } else { ">" };
        let key = match is_time {
            true => sql.parameter(chrono::DateTime::from_timestamp_micros(place.key).unwrap_or_default()),
            false => sql.parameter(place.key),
        };
        let id = sql.parameter(place.id);
        format!("({column}, x.id) {sign} ({key}, {id})")
    };
    let after = page.after.map(|place| bound(place, true));
    let before = page.before.map(|place| bound(place, false));
    after.into_iter().chain(before).collect()
}

/// How many rows each parent has in all, up to one more than is counted.
fn total(plan: &Plan, at: usize, widths: &[usize; 4], scope: &Scope, sql: &mut Sql) -> String {
    let node = &plan.nodes[at];
    let most = MAX_COUNT + 1;
    let number = TOTALS - i64::try_from(at).unwrap_or_default();
    let Some(relation) = node.relation else {
        let mut conditions = scope.row_conditions(plan.root.access, sql);
        conditions.extend(node.conditions.iter().map(|pieces| pieces.write(sql)));
        conditions.push("1 = 1".into());
        let table = plan.root.table;
        let inner = format!("SELECT 1 FROM {table} x WHERE {} LIMIT {most}", conditions.join(" AND "));
        return section(number, "NULL", &format!("(SELECT count(*) FROM ({inner}) y)"), widths);
    };
    let Join { child, parent: key } = relation.join;
    let key = if key == "id" { "id".to_owned() } else { format!("k_{key}") };
    let mut conditions = own_conditions(node, relation, scope, sql);
    conditions.insert(0, format!("x.{child} = p.{key}"));
    let inner = format!("SELECT 1 FROM {} x WHERE {} LIMIT {most}", relation.table, conditions.join(" AND "));
    let counted = format!("(SELECT count(*) FROM ({inner}) y)");
    format!("{} FROM n{} p", section(number, &format!("p.{key}"), &counted, widths), node.parent)
}
