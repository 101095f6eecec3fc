//! What customers are promised, and who serves them.

use c360_entities::{sla_policy, team};
use c360_rules::calendar::{Calendar, Interval};
use c360_rules::ticket::Promise;
use chrono::{NaiveDate, TimeDelta};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use super::store::{SlaMetric, TicketPriority};
use super::words::read;
use crate::read::Sql;
use crate::write::{Locked, Outcome, Tx, get};

/// A policy and its business hours.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) calendar: Calendar,
    targets: Vec<Target>,
}

/// How long something may take at a priority.
#[derive(Clone, Copy, Debug)]
struct Target {
    priority: TicketPriority,
    metric: SlaMetric,
    minutes: i32,
}

/// Where a new ticket goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    /// Whether the customer is served first.
    pub(super) first: bool,
    pub(super) team_id: Option<Uuid>,
    pub(super) policy_id: Option<Uuid>,
}

impl Service {
    /// What a policy promises; nothing if there is none.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn of(tx: &mut Tx, policy_id: Option<Uuid>) -> Outcome<Self> {
        let mut service = Self { calendar: Calendar::AroundTheClock, targets: Vec::new() };
        let Some(policy_id) = policy_id else { return Ok(service) };
        let mut sql = tx.sql();
        let policy = sql.parameter(policy_id);
        sql.push(&BOOK.replace("{policy}", &policy));
        let (mut name, mut intervals, mut holidays) = (None, Vec::new(), Vec::new());
        for row in tx.rows(sql).await? {
            let number = |column| get::<Option<i32>>(&row, column).map(Option::unwrap_or_default);
            let minute = |column| number(column).map(|minute| u16::try_from(minute).unwrap_or(u16::MAX));
            match get::<i32>(&row, "part")? {
                0 => service.targets.push(Target {
                    priority: read(TicketPriority::from_column(&get::<String>(&row, "a")?))?,
                    metric: read(SlaMetric::from_column(&get::<String>(&row, "b")?))?,
                    minutes: number("i")?,
                }),
                1 => name = Some((get::<String>(&row, "a")?, get::<String>(&row, "b")?)),
                2 => intervals.push(Interval {
                    weekday: u8::try_from(number("i")?).unwrap_or(0),
                    opens: minute("j")?,
                    closes: minute("k")?,
                }),
                _ => holidays.push(get::<NaiveDate>(&row, "day")?),
            }
        }
        if let Some((name, timezone)) = name {
            service.calendar = calendar(&name, &timezone, &intervals, holidays);
        }
        Ok(service)
    }

    /// What is promised at a priority.
    pub(super) fn promise(&self, priority: TicketPriority) -> Promise {
        let targets = self.targets.iter().filter(|target| target.priority == priority);
        let targets = targets.map(|target| (target.metric.into(), TimeDelta::minutes(target.minutes.into())));
        Promise { targets: targets.collect() }
    }
}

/// What there is of a policy: its targets, and the calendar, hours and holidays that it counts by.
const BOOK: &str = "SELECT 0 AS part, t.priority AS a, t.metric AS b, CAST(t.target_minutes AS integer) AS i, \
    CAST(NULL AS integer) AS j, CAST(NULL AS integer) AS k, CAST(NULL AS date) AS day \
    FROM sla_targets t WHERE t.policy_id = {policy} \
    UNION ALL SELECT 1, c.name, c.timezone, NULL, NULL, NULL, NULL \
    FROM sla_policies p JOIN business_calendars c ON c.id = p.calendar_id WHERE p.id = {policy} \
    UNION ALL SELECT 2, NULL, NULL, CAST(h.weekday AS integer), CAST(h.opens_minute AS integer), \
    CAST(h.closes_minute AS integer), NULL \
    FROM sla_policies p JOIN business_hours h ON h.calendar_id = p.calendar_id WHERE p.id = {policy} \
    UNION ALL SELECT 3, NULL, NULL, NULL, NULL, NULL, d.day \
    FROM sla_policies p JOIN business_holidays d ON d.calendar_id = p.calendar_id WHERE p.id = {policy}";

/// A calendar's business hours. Hours that nothing can be reckoned by are told to operators, and stand for all hours, so
/// that customers are served all the same.
fn calendar(name: &str, timezone: &str, intervals: &[Interval], holidays: Vec<NaiveDate>) -> Calendar {
    Calendar::hours(timezone, intervals, holidays).unwrap_or_else(|error| {
        tracing::error!(calendar = name, %error, "a calendar that cannot be used; promises count around the clock");
        Calendar::AroundTheClock
    })
}

/// Where a new ticket of a customer goes: those who are served first have a team and a policy of their own.
///
/// # Errors
/// The database fails.
pub(super) async fn route(tx: &mut Tx, customer: &Locked) -> Outcome<Route> {
    let first = customer.vip || is_distinguished(tx, customer.id).await?;
    let policies = sla_policy::Entity::find()
        .filter(sla_policy::Column::Active.eq(true))
        .order_by_asc(sla_policy::Column::Position);
    let policies = tx.all(policies).await?;
    let policy = policies.iter().find(|policy| policy.serves_vip == first);
    let policy = policy.or_else(|| policies.iter().find(|policy| !policy.serves_vip));
    let team = match first {
        true => {
            let teams = team::Entity::find().filter(team::Column::ServesVip.eq(true)).order_by_asc(team::Column::Name);
            tx.one(teams).await?
        }
        false => None,
    };
    Ok(Route { first, team_id: team.map(|team| team.id), policy_id: policy.map(|policy| policy.id) })
}

/// Whether the customer is in a segment or has a tier that is served first.
async fn is_distinguished(tx: &mut Tx, customer_id: Uuid) -> Outcome<bool> {
    let mut sql = tx.sql();
    let settings = &tx.state().config.tickets;
    let customer = sql.parameter(customer_id);
    let segments = one_of(&mut sql, &settings.vip_segments);
    let tiers = one_of(&mut sql, &settings.vip_tiers);
    sql.push(&format!(
        "SELECT 1 AS served_first FROM customer_segments m JOIN segments s ON s.id = m.segment_id \
         WHERE m.customer_id = {customer} AND s.code IN ({segments}) \
         UNION ALL SELECT 1 FROM loyalty_accounts a JOIN loyalty_tiers t ON t.id = a.tier_id \
         WHERE a.customer_id = {customer} AND a.status = 'ACTIVE' AND t.code IN ({tiers})"
    ));
    Ok(tx.row(sql).await?.is_some())
}

fn one_of(sql: &mut Sql, codes: &[String]) -> String {
    let codes: Vec<_> = codes.iter().map(|code| sql.parameter(code.clone())).collect();
    if codes.is_empty() { "NULL".to_owned() } else { codes.join(", ") }
}
