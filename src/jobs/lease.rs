//! Leases: who leads a job, by the clock of the database.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, DbErr};
use tokio::time::Instant;

use crate::clock;
use crate::db;
use crate::read::Sql;
use crate::state::State;

/// How long a lease is good for. Who dies leads no longer than this.
pub(super) const TERM: Duration = Duration::from_secs(5);
/// How often a leader renews its lease, and everybody else tries to get it.
pub(super) const RENEWAL: Duration = Duration::from_secs(2);

/// One gateway's claim to lead one job.
#[derive(Clone, Debug)]
pub struct Lease {
    job: &'static str,
    /// Who claims it: the machine, the process, and something that no other process has.
    pub holder: String,
}

/// Who leads a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The job.
    pub job: String,
    /// The machine and the process.
    pub holder: String,
    /// Until when, if it does not go on.
    pub until: DateTime<Utc>,
}

impl Lease {
    /// A claim to lead a job.
    pub fn on(job: &'static str) -> Self {
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let machine = match machine.trim() {
            "" => "machine",
            name => name,
        };
        let own = clock::random_id().simple().to_string();
        Self { job, holder: format!("{machine}:{}:{}", std::process::id(), &own[..8]) }
    }

    /// Takes or renews the lease; until when it is good for certain, or `None` if another has it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn take(&self, state: &State) -> Result<Option<Instant>, DbErr> {
        let started = Instant::now();
        let mut sql = Sql::new(state.db.get_database_backend());
        let (now, until) = (db::clock(sql.backend, 0), db::clock(sql.backend, TERM.as_secs()));
        sql.push("INSERT INTO job_leases (name, holder, leased_until) VALUES (");
        sql.bind(self.job);
        sql.push(", ");
        sql.bind(self.holder.clone());
        sql.push(&format!(
            ", {until}) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until \
             WHERE job_leases.holder = excluded.holder OR job_leases.leased_until < {now}"
        ));
        let _turn = state.writers.turn(&state.db).await;
        let taken = db::in_time(&state.config.database, state.db.execute_raw(sql.finish())).await?.rows_affected() == 1;
        Ok(taken.then(|| started + TERM))
    }

    /// Lets others have the lease at once.
    ///
    /// # Errors
    /// The database fails; then it runs out by itself.
    pub async fn give_back(&self, state: &State) -> Result<(), DbErr> {
        let mut sql = Sql::new(state.db.get_database_backend());
        sql.push("DELETE FROM job_leases WHERE name = ");
        sql.bind(self.job);
        sql.push(" AND holder = ");
        sql.bind(self.holder.clone());
        let _turn = state.writers.turn(&state.db).await;
        db::in_time(&state.config.database, state.db.execute_raw(sql.finish())).await.map(drop)
    }
}

/// The leases that have not run out.
///
/// # Errors
/// The database fails.
pub async fn held(state: &State) -> Result<Vec<Held>, DbErr> {
    let mut sql = Sql::new(state.db.get_database_backend());
    let now = db::clock(sql.backend, 0);
    sql.push(&format!("SELECT name, holder, leased_until FROM job_leases WHERE leased_until >= {now} ORDER BY name"));
    let rows = db::in_time(&state.config.database, state.db.query_all_raw(sql.finish())).await?;
    rows.iter()
        .map(|row| {
            let (job, holder) = (row.try_get("", "name")?, row.try_get("", "holder")?);
            Ok(Held { job, holder, until: row.try_get("", "leased_until")? })
        })
        .collect()
}
