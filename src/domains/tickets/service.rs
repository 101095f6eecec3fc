//! What customers are promised, and who serves them.

use c360_entities::{business_calendar, business_holiday, business_hours, sla_policy, sla_target, team};
use c360_rules::calendar::{Calendar, Interval};
use c360_rules::ticket::Promise;
use chrono::TimeDelta;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use super::store::{SlaMetric, TicketPriority};
use super::words::read;
use crate::read::Sql;
use crate::write::{Locked, Outcome, Tx};

/// A policy and its business hours.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) calendar: Calendar,
    targets: Vec<sla_target::Model>,
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
        let none = Self { calendar: Calendar::AroundTheClock, targets: Vec::new() };
        let Some(policy_id) = policy_id else { return Ok(none) };
        let Some(policy) = tx.one(sla_policy::Entity::find_by_id(policy_id)).await? else { return Ok(none) };
        let calendar = match policy.calendar_id {
            Some(id) => calendar(tx, id).await?,
            None => Calendar::AroundTheClock,
        };
        let targets = sla_target::Entity::find().filter(sla_target::Column::PolicyId.eq(policy_id));
        Ok(Self { calendar, targets: tx.all(targets).await? })
    }

    /// What is promised at a priority.
    ///
    /// # Errors
    /// The database holds a word that there is not.
    pub(super) fn promise(&self, priority: TicketPriority) -> Outcome<Promise> {
        let targets = self.targets.iter().filter(|target| target.priority == priority.as_str()).map(|target| {
            let metric = read(SlaMetric::from_column(&target.metric))?;
            Ok((metric.into(), TimeDelta::minutes(target.target_minutes.into())))
        });
        Ok(Promise { targets: targets.collect::<Outcome<_>>()? })
    }
}

/// A calendar's business hours. Hours that nothing can be reckoned by are told to operators, and stand for all hours, so
/// that customers are served all the same.
async fn calendar(tx: &mut Tx, id: Uuid) -> Outcome<Calendar> {
    let Some(row) = tx.one(business_calendar::Entity::find_by_id(id)).await? else {
        return Ok(Calendar::AroundTheClock);
    };
    let hours = tx.all(business_hours::Entity::find().filter(business_hours::Column::CalendarId.eq(id))).await?;
    let holidays = tx.all(business_holiday::Entity::find().filter(business_holiday::Column::CalendarId.eq(id))).await?;
    let minute = |minute: i16| u16::try_from(minute).unwrap_or(u16::MAX);
    let intervals: Vec<_> = hours
        .into_iter()
        .map(|hours| Interval {
            weekday: u8::try_from(hours.weekday).unwrap_or(0),
            opens: minute(hours.opens_minute),
            closes: minute(hours.closes_minute),
        })
        .collect();
    Ok(Calendar::hours(&row.timezone, &intervals, holidays.into_iter().map(|holiday| holiday.day)).unwrap_or_else(
        |error| {
            tracing::error!(calendar = row.name, %error, "a calendar that cannot be used; promises count around the clock");
            Calendar::AroundTheClock
        },
    ))
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
