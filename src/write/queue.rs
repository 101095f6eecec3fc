//! Rows on their way to the database.
//!
//! A way to the database and back takes longer than most of what a transaction writes. So rows wait here until something
//! is read, or somebody asks what came of a write: then PostgreSQL gets all of them as one statement, and SQLite, which
//! runs in this process, one after the other. The parts of one statement do not see each other, so that no row is in a
//! statement twice.

use std::collections::HashSet;

use sea_orm::sea_query::{
    CommonTableExpression, Expr, ExprTrait as _, InsertStatement, OnConflict, Query, SimpleExpr, SubQueryStatement,
    UpdateStatement, WithClause,
};
use sea_orm::{
    ActiveModelTrait as _, DbBackend, DbErr, EntityName as _, EntityTrait, IntoActiveModel, Iterable as _, ModelTrait,
    PrimaryKeyToColumn as _, QueryTrait as _, Statement, Update,
};
use uuid::Uuid;

/// Most rows of one write, and most writes of one statement: databases bound the parameters of a statement.
pub(super) const MOST_ROWS: usize = 500;
const MOST_WRITES: usize = 40;
const MOST_WAITING_ROWS: usize = 2 * MOST_ROWS;

/// Rows of one table, to be written.
#[derive(Debug)]
pub(super) struct Write {
    /// The table.
    pub(super) table: &'static str,
    /// What tells its rows apart.
    rows: Vec<String>,
    text: Text,
}

#[derive(Debug)]
enum Text {
    Insert(InsertStatement),
    Update(UpdateStatement),
}

/// What is done about rows that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clash {
    /// It is a fault.
    Fail,
    /// The one that is there stays, whichever constraint says that they are the same.
    Keep,
    /// The one that is there becomes the new one.
    Replace,
    /// So it does if this holds; otherwise it stays.
    ReplaceIf(&'static str),
}

impl Write {
    /// Adds rows.
    pub(super) fn insert<M>(models: Vec<M>, clash: Clash) -> Self
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    {
        let rows = models.iter().map(name).collect();
        let models = models.into_iter().map(IntoActiveModel::into_active_model);
        let mut text = M::Entity::insert_many(models).into_query();
        match clash {
            Clash::Fail => {}
            Clash::Keep => {
                text.on_conflict(OnConflict::new().do_nothing().to_owned());
            }
            Clash::Replace => {
                text.on_conflict(replace::<M::Entity>());
            }
            Clash::ReplaceIf(condition) => {
                text.on_conflict(replace::<M::Entity>().action_and_where(Expr::cust(condition)).to_owned());
            }
        }
        Self { table: M::Entity::default().table_name(), rows, text: Text::Insert(text) }
    }

    /// Writes a row over the one with its key.
    pub(super) fn put<M>(model: M) -> Result<Self, DbErr>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    {
        let rows = vec![name(&model)];
        let whole = model.into_active_model().reset_all();
        let text = Update::one(whole).validate()?.into_query();
        Ok(Self { table: M::Entity::default().table_name(), rows, text: Text::Update(text) })
    }

    /// Changes columns of the row that has an id in its key.
    pub(super) fn set(
        table: &'static str,
        (key, id): (&'static str, Uuid),
        values: impl IntoIterator<Item = (&'static str, SimpleExpr)>,
    ) -> Self {
        let mut text = Query::update();
        text.table(table).values(values).and_where(Expr::col(key).eq(id));
        Self { table, rows: vec![key_of(&sea_orm::sea_query::ValueTuple::One(id.into()))], text: Text::Update(text) }
    }
}

/// Writes all but the key over the row with the same key.
fn replace<E: EntityTrait>() -> OnConflict {
    let key = E::PrimaryKey::iter().map(|key| key.into_column());
    let rest = E::Column::iter().filter(|column| E::PrimaryKey::from_column(*column).is_none());
    OnConflict::columns(key).update_columns(rest).to_owned()
}

/// What tells a row from others of its table.
fn name<M: ModelTrait>(model: &M) -> String {
    key_of(&model.get_primary_key_value())
}

fn key_of(key: &sea_orm::sea_query::ValueTuple) -> String {
    format!("{key:?}")
}

/// Writes that nothing has asked about yet.
#[derive(Debug, Default)]
pub(super) struct Queue {
    writes: Vec<Write>,
    rows: HashSet<(&'static str, String)>,
}

impl Queue {
    /// Whether a write can be sent together with those that wait.
    pub(super) fn takes(&self, write: &Write) -> bool {
        self.writes.len() < MOST_WRITES
            && self.rows.len() + write.rows.len() <= MOST_WAITING_ROWS
            && !write.rows.iter().any(|row| self.rows.contains(&(write.table, row.clone())))
    }

    /// Lets a write wait.
    pub(super) fn push(&mut self, write: Write) {
        self.rows.extend(write.rows.iter().map(|row| (write.table, row.clone())));
        self.writes.push(write);
    }

    /// The statements that carry out what waits. How many rows the last one changes is what the last write changes.
    pub(super) fn statements(self, backend: DbBackend) -> Vec<Statement> {
        let mut texts: Vec<Text> = self.writes.into_iter().map(|write| write.text).collect();
        if backend != DbBackend::Postgres || texts.len() < 2 {
            return texts.iter().map(|text| text.build(backend)).collect();
        }
        let last = texts.pop();
        let mut before = WithClause::new();
        for (place, text) in texts.into_iter().enumerate() {
            let mut part = CommonTableExpression::new();
            part.table_name(format!("w{place}")).query(SubQueryStatement::from(text));
            before.cte(part);
        }
        last.into_iter().map(|last| backend.build(&before.clone().query(SubQueryStatement::from(last)))).collect()
    }
}

impl Text {
    fn build(&self, backend: DbBackend) -> Statement {
        match self {
            Self::Insert(text) => backend.build(text),
            Self::Update(text) => backend.build(text),
        }
    }
}

impl From<Text> for SubQueryStatement {
    fn from(text: Text) -> Self {
        match text {
            Text::Insert(text) => text.into(),
            Text::Update(text) => text.into(),
        }
    }
}
