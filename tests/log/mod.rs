//! The event log: sealed in order, by one leader; what is done to it afterwards shows; supervisors read it.

mod audit;
mod jobs;
mod sealing;
mod tampering;
mod typed;

use c360::jobs::{self as c360_jobs, Ran};
use c360::state::State;
use sea_orm::{ConnectionTrait as _, Statement};
use std::sync::Arc;

use crate::harness::App;

/// Seals all there is; how many events.
pub(crate) async fn seal(state: &Arc<State>) -> usize {
    match c360_jobs::by_hand(state, c360_jobs::named("seal").unwrap()).await.unwrap() {
        Ran::Done(done) => done,
        Ran::Led(by) => panic!("led by {by:?}"),
    }
}

pub(crate) async fn number(app: &App, sql: &str) -> i64 {
    number_of(&app.state.db, sql).await
}

pub(crate) async fn number_of(db: &sea_orm::DatabaseConnection, sql: &str) -> i64 {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

pub(crate) async fn execute(app: &App, sql: &str) {
    app.state.db.execute_unprepared(sql).await.unwrap();
}
