//! A plan as one statement: `UNION ALL` of plain rows.
//!
//! Each node of the plan is a part. A part with children is a common table expression, so that it is read once and
//! its children join it; a part without is written where its rows are wanted. A row is `section, parent, id` and the
//! cells of its part. PostgreSQL gives it as one record, so that no part pays for what only another one has; SQLite as
//! columns, as many as the widest part needs.
//!
//! On PostgreSQL, a statement whose root is found by its id takes any number of ids, as one text, and says of each row for
//! which of them it is, beside the record ([`super::batch`]).

use std::fmt::Display;

use super::connection::{MAX_COUNT, Place};
use super::plan::{Node, Plan};
use super::relation::{Access, Find, Join, Pieces, Relation, RowType, Shape};
use super::row::{Column, Kind};
use super::sql::Sql;
use crate::db::Query;
use crate::scope::Scope;

/// Which parameter holds the id, or the ids, of a root that is found by its id.
pub(super) const ROOT_PARAMETER: usize = 0;

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

/// The statement of a plan.
pub(super) fn write(plan: &Plan, scope: &Scope) -> Query {
    let cells = (0..plan.nodes.len()).map(|at| plan.row_type(at).columns_in(plan.nodes[at].columns).count());
    let width = cells.max().unwrap_or_default().max(1);
    let mut writer =
        Writer { plan, scope, sql: Sql::new(scope.backend()), width, root: None, ids: None, branches: Vec::new() };
    let tables = writer.tables();
    if let Some(ids) = &writer.ids {
        writer.sql.push(&format!(
            "SELECT u.cells, roots.place FROM unnest(CAST({ids} AS uuid[])) WITH ORDINALITY roots(id, place) \
             CROSS JOIN LATERAL ("
        ));
    }
    if !tables.is_empty() {
        writer.sql.push("WITH ");
        writer.sql.push(&tables.join(", "));
        writer.sql.push(" ");
    }
    writer.sql.push(&writer.branches.join(" UNION ALL "));
    if writer.ids.is_some() {
        writer.sql.push(") u(cells)");
    }
    writer.sql.finish().into()
}

/// The section that says how many rows the root's identifier matches (2 for several).
pub(super) const COUNTED_CANDIDATES: i64 = -2;
/// Totals of node `n` are section `TOTALS - n`.
pub(super) const TOTALS: i64 = -10;

/// A statement in the making.
struct Writer<'p> {
    plan: &'p Plan,
    scope: &'p Scope,
    sql: Sql,
    /// The cells of the widest part.
    width: usize,
    /// What stands for the root's id, if it is known beforehand.
    root: Option<String>,
    /// The parameter that holds the ids of roots, where the statement takes several.
    ids: Option<String>,
    branches: Vec<String>,
}

impl Writer<'_> {
    /// Writes all branches, and gives the common table expressions that they use.
    fn tables(&mut self) -> Vec<String> {
        let plan = self.plan;
        let mut tables = Vec::new();
        match &plan.root.find {
            Find::Row { id, .. } => {
                let root = if self.sql.is_postgres() {
                    self.ids = Some(self.sql.parameter(String::new()));
                    "roots.id".to_owned()
                } else {
                    self.sql.parameter(*id)
                };
                // Of customers, only their own is read this way.
                self.sql.own = self.scope.is_customer().then(|| root.clone());
                self.root = Some(root);
            }
            Find::One(candidates) => {
                tables.push(format!("r AS MATERIALIZED ({})", self.visible_candidates(candidates)));
            }
            _ => {}
        }
        for at in (0..plan.nodes.len()).filter(|at| plan.nodes[*at].fault.is_none()) {
            if self.is_shared(at) {
                tables.push(format!("n{at} AS MATERIALIZED ({})", self.body(at)));
                let cells = self.cells(at, |i, _| format!("c{i}"));
                self.branches.push(format!("SELECT {} FROM n{at}", self.row(at, "p", "id", cells)));
            } else {
                let leaf = self.leaf(at);
                self.branches.push(leaf);
            }
            if plan.nodes[at].wants_total {
                let total = self.total(at);
                self.branches.push(total);
            }
        }
        if matches!(plan.root.find, Find::One(_)) {
            let counted = self.number(COUNTED_CANDIDATES, "NULL", "(SELECT count(*) FROM r)");
            self.branches.push(counted);
        }
        tables
    }

    /// Whether other parts join this one. Those who know the root's id need not.
    fn is_shared(&self, at: usize) -> bool {
        match at {
            0 if self.root.is_some() => !self.plan.keys(0).is_empty(),
            _ => at == 0 || self.plan.has_children(at),
        }
    }

    /// A value as PostgreSQL has to be told of it: a cell is read as what it is said to hold.
    fn typed(&self, value: &str, kind: Kind) -> String {
        match value {
            _ if !self.sql.is_postgres() => value.to_owned(),
            "NULL" => format!("NULL::{}", kind.as_sql()),
            _ => format!("CAST({value} AS {})", kind.as_sql()),
        }
    }

    /// A row of a section.
    fn row(&self, section: impl Display, parent: &str, id: &str, cells: Vec<String>) -> String {
        let section = self.typed(&section.to_string(), Kind::Int);
        let head = [section, self.typed(parent, Kind::Id), self.typed(id, Kind::Id)];
        let missing = self.width - cells.len();
        let row = head.into_iter().chain(cells);
        if self.sql.is_postgres() {
            return format!("ROW({})", row.collect::<Vec<_>>().join(", "));
        }
        row.chain(std::iter::repeat_n("NULL".to_owned(), missing)).collect::<Vec<_>>().join(", ")
    }

    /// A branch with a number and nothing else.
    fn number(&self, section: i64, parent: &str, value: &str) -> String {
        format!("SELECT {}", self.row(section, parent, "NULL", vec![self.typed(value, Kind::Int)]))
    }

    /// The cells of one part.
    fn cells(&self, at: usize, cell: impl Fn(usize, &Column) -> String) -> Vec<String> {
        let read = self.plan.row_type(at).columns_in(self.plan.nodes[at].columns);
        read.map(|(i, column)| self.typed(&cell(i, column), column.kind)).collect()
    }

    /// The rows of a part that no other joins.
    fn leaf(&mut self, at: usize) -> String {
        let from = self.from(at);
        let personal = Personal::new(self.plan, at, self.scope);
        let cells = self.cells(at, |_, column| personal.expression(column));
        let select = format!("SELECT {} {from}", self.row(at, &self.parent(at), "x.id", cells));
        // SQLite takes no order and limit for one part of a union by itself.
        if self.sql.is_postgres() { format!("({select})") } else { format!("SELECT * FROM ({select})") }
    }

    /// The rows of a part that others join: `p` (what its parent is joined by), `id`, the keys that they join, the cells.
    fn body(&mut self, at: usize) -> String {
        let from = self.from(at);
        let personal = Personal::new(self.plan, at, self.scope);
        let mut columns = vec![format!("{} AS p", self.parent(at)), "x.id AS id".to_owned()];
        columns.extend(self.plan.keys(at).into_iter().map(|key| format!("x.{key} AS k_{key}")));
        let read = self.plan.row_type(at).columns_in(self.plan.nodes[at].columns);
        columns.extend(read.map(|(i, column)| format!("{} AS c{i}", personal.expression(column))));
        format!("SELECT {} {from}", columns.join(", "))
    }

    /// What a row is joined to its parent by.
    fn parent(&self, at: usize) -> String {
        let relation = self.plan.nodes[at].relation;
        relation.map_or_else(|| "NULL".to_owned(), |relation| format!("x.{}", relation.join.child))
    }

    fn from(&mut self, at: usize) -> String {
        match self.plan.nodes[at].relation {
            None => self.root_source(),
            Some(relation) => self.child_source(at, relation),
        }
    }

    /// The ids that an identifier matches, as far as the caller may know of them; two are enough to be ambiguous.
    fn visible_candidates(&mut self, candidates: &Pieces) -> String {
        let candidates = candidates.write(&mut self.sql);
        let conditions = self.scope.row_conditions(self.plan.root.access, &mut self.sql);
        if conditions.is_empty() {
            return format!("{candidates} LIMIT 2");
        }
        let (table, rest) = (self.plan.root.table, conditions.join(" AND "));
        format!("SELECT x.id FROM ({candidates}) c JOIN {table} x ON x.id = c.id WHERE {rest} LIMIT 2")
    }

    fn root_source(&mut self) -> String {
        let plan = self.plan;
        let table = plan.root.table;
        if matches!(plan.root.find, Find::One(_)) {
            return format!("FROM {table} x WHERE x.id = (SELECT id FROM r LIMIT 1) AND (SELECT count(*) FROM r) = 1");
        }
        let mut conditions = self.scope.row_conditions(plan.root.access, &mut self.sql);
        match &plan.root.find {
            Find::Row { itself, .. } => {
                conditions.extend(self.root.as_ref().map(|root| format!("x.id = {root}")));
                conditions.push((*itself).to_owned());
            }
            Find::Ids(ids) => conditions.push(self.sql.one_of("x.id", ids)),
            Find::Found { places, .. } => {
                let ids: Vec<_> = places.iter().map(|place| place.id).collect();
                conditions.push(self.sql.one_of("x.id", &ids));
            }
            Find::One(_) | Find::Page { .. } => {
                let node = &plan.nodes[0];
                conditions.extend(node.conditions.iter().map(|pieces| pieces.write(&mut self.sql)));
                conditions.extend(self.keyset(0));
                if conditions.is_empty() {
                    conditions.push("1 = 1".into());
                }
                let limit = self.sql.parameter(i64::from(node.page.size) + 1);
                let rest = conditions.join(" AND ");
                return format!("FROM {table} x WHERE {rest} ORDER BY {} LIMIT {limit}", order_by(node));
            }
        }
        format!("FROM {table} x WHERE {}", conditions.join(" AND "))
    }

    /// The key that the rows of `parent` are joined by, where there is only one row.
    fn single_key(&self, parent: usize, key: &str) -> String {
        match &self.root {
            Some(root) if parent == 0 && key == "id" => root.clone(),
            _ => format!("(SELECT {} FROM n{parent})", joined(key)),
        }
    }

    fn child_source(&mut self, at: usize, relation: &Relation) -> String {
        let node = &self.plan.nodes[at];
        let (table, parent, Join { child, parent: key }) = (relation.table, node.parent, relation.join);
        let mut conditions = self.own_conditions(node, relation);
        if self.plan.is_single(parent) {
            conditions.insert(0, format!("x.{child} = {}", self.single_key(parent, key)));
            conditions.extend(self.keyset(at));
            let rest = conditions.join(" AND ");
            return match relation.shape {
                Shape::One => format!("FROM {table} x WHERE {rest}"),
                _ => {
                    format!(
                        "FROM {table} x WHERE {rest} ORDER BY {} LIMIT {}",
                        order_by(node),
                        self.limit(node, relation)
                    )
                }
            };
        }
        let key = joined(key);
        if relation.shape == Shape::One {
            conditions.insert(0, format!("x.{child} IN (SELECT {key} FROM n{parent})"));
            return format!("FROM {table} x WHERE {}", conditions.join(" AND "));
        }
        conditions.extend(self.keyset(at));
        let limit = self.limit(node, relation);
        let order = order_by(node);
        if self.sql.is_postgres() {
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

    /// How many rows of one parent are read. A page asks for one row more, to know whether there is one. Always a parameter:
    /// where PostgreSQL knows the number and expects few rows, it reads all of a parent's and sorts them, however many.
    fn limit(&mut self, node: &Node, relation: &Relation) -> String {
        self.sql.parameter(i64::from(node.page.size) + i64::from(relation.shape == Shape::Page))
    }

    fn own_conditions(&mut self, node: &Node, relation: &Relation) -> Vec<String> {
        let mut conditions = Vec::new();
        if !relation.only.is_empty() {
            conditions.push(relation.only.to_owned());
        }
        conditions.extend(self.scope.row_conditions(relation.access, &mut self.sql));
        conditions.extend(node.conditions.iter().map(|pieces| pieces.write(&mut self.sql)));
        conditions
    }

    fn keyset(&mut self, at: usize) -> Vec<String> {
        let (plan, sql) = (self.plan, &mut self.sql);
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
    fn total(&mut self, at: usize) -> String {
        let plan = self.plan;
        let node = &plan.nodes[at];
        let most = MAX_COUNT + 1;
        let number = TOTALS - i64::try_from(at).unwrap_or_default();
        let Some(relation) = node.relation else {
            let mut conditions = self.scope.row_conditions(plan.root.access, &mut self.sql);
            conditions.extend(node.conditions.iter().map(|pieces| pieces.write(&mut self.sql)));
            conditions.push("1 = 1".into());
            let table = plan.root.table;
            let inner = format!("SELECT 1 FROM {table} x WHERE {} LIMIT {most}", conditions.join(" AND "));
            return self.number(number, "NULL", &format!("(SELECT count(*) FROM ({inner}) y)"));
        };
        let Join { child, parent: key } = relation.join;
        let (parent, from) = match &self.root {
            Some(root) if node.parent == 0 && key == "id" => (root.clone(), String::new()),
            _ => (format!("p.{}", joined(key)), format!(" FROM n{} p", node.parent)),
        };
        let mut conditions = self.own_conditions(node, relation);
        conditions.insert(0, format!("x.{child} = {parent}"));
        let inner = format!("SELECT 1 FROM {} x WHERE {} LIMIT {most}", relation.table, conditions.join(" AND "));
        self.number(number, &parent, &format!("(SELECT count(*) FROM ({inner}) y)")) + &from
    }
}

/// What a part that others join calls the key that they join it by.
fn joined(key: &str) -> String {
    if key == "id" { "id".to_owned() } else { format!("k_{key}") }
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
