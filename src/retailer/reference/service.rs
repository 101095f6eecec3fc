//! The help desk: calendars, promises, macros.

use c360_entities::{business_calendar, business_holiday, business_hours, sla_policy, sla_target, ticket_macro};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sea_orm::JsonValue;
use serde_json::json;
use uuid::Uuid;

use super::id;
use super::partners::Teams;
use crate::retailer::rows::Rows;

/// How soon each priority is served, in minutes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    pub(crate) policy: Uuid,
    /// LOW to URGENT, each: first reply, next reply, resolution.
    pub(crate) minutes: [[i32; 3]; 4],
}

/// What the makers of tickets need.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) teams: Teams,
    pub(crate) vip: Promise,
    pub(crate) standard: Promise,
}

pub(crate) const PRIORITIES: [&str; 4] = ["LOW", "NORMAL", "HIGH", "URGENT"];
pub(crate) const METRICS: [&str; 3] = ["FIRST_REPLY", "NEXT_REPLY", "RESOLUTION"];

pub(super) fn service(rows: &mut Rows, opened: DateTime<Utc>, teams: &Teams) -> Service {
    let hours: [(i16, i16, i16); 6] =
        [(1, 480, 1200), (2, 480, 1200), (3, 480, 1200), (4, 480, 1200), (5, 480, 1200), (6, 540, 960)];
    let berlin = calendar(rows, opened, "Berlin office hours", "Europe/Berlin", &hours);
    let seoul = [(1, 540, 1080), (2, 540, 1080), (3, 540, 1080), (4, 540, 1080), (5, 540, 1080)];
    calendar(rows, opened, "Seoul office hours", "Asia/Seoul", &seoul);
    macros(rows, opened);
    let vip = [[240, 240, 2880], [120, 120, 1440], [60, 60, 720], [30, 30, 240]];
    let standard = [[1440, 1440, 10_080], [480, 480, 4320], [240, 240, 2880], [60, 60, 1440]];
    Service {
        teams: *teams,
        vip: promise(rows, opened, "VIP, around the clock", None, 1, vip),
        standard: promise(rows, opened, "Standard, in office hours", Some(berlin), 2, standard),
    }
}

fn calendar(rows: &mut Rows, opened: DateTime<Utc>, name: &str, zone: &str, hours: &[(i16, i16, i16)]) -> Uuid {
    let id = id(opened, &format!("calendar {name}"));
    rows.business_calendars.push(business_calendar::Model { id, name: name.to_owned(), timezone: zone.to_owned() });
    for &(weekday, opens_minute, closes_minute) in hours {
        rows.business_hours.push(business_hours::Model { calendar_id: id, weekday, opens_minute, closes_minute });
    }
    for year in opened.year()..opened.year() + 8 {
        for (month, day, name) in [(1, 1, "New Year"), (5, 1, "Labour Day"), (12, 25, "Christmas Day")] {
            let Some(day) = NaiveDate::from_ymd_opt(year, month, day) else { continue };
            rows.business_holidays.push(business_holiday::Model { calendar_id: id, day, name: name.to_owned() });
        }
    }
    id
}

fn promise(
    rows: &mut Rows,
    opened: DateTime<Utc>,
    name: &str,
    calendar_id: Option<Uuid>,
    position: i32,
    minutes: [[i32; 3]; 4],
) -> Promise {
    let policy = id(opened, &format!("sla {name}"));
    let serves_vip = calendar_id.is_none();
    rows.sla_policies.push(sla_policy::Model {
        id: policy,
        name: name.to_owned(),
        calendar_id,
        serves_vip,
        position,
        active: true,
    });
    for (priority, targets) in PRIORITIES.iter().zip(&minutes) {
        for (metric, &target_minutes) in METRICS.iter().zip(targets) {
            rows.sla_targets.push(sla_target::Model {
                policy_id: policy,
                priority: (*priority).to_owned(),
                metric: (*metric).to_owned(),
                target_minutes,
            });
        }
    }
    Promise { policy, minutes }
}

fn macros(rows: &mut Rows, opened: DateTime<Utc>) {
    let mut push = |name: &str, description: &str, actions: JsonValue, active| {
        rows.macros.push(ticket_macro::Model {
            id: id(opened, &format!("macro {name}")),
            name: name.to_owned(),
            description: Some(description.to_owned()),
            actions,
            active,
        });
    };
    push(
        "Ask for a photo",
        "Asks for a photo of the damage and waits for it",
        json!([{"reply": "Could you send us a photo of the damage? Then we can settle it today."}, {"status": "PENDING"}, {"tag": "photo-asked"}]),
        true,
    );
    push(
        "Carrier trace started",
        "Tells the customer that the carrier is looking for the parcel",
        json!([{"reply": "The carrier is tracing your parcel. We will write as soon as they answer."}, {"status": "ON_HOLD"}, {"tag": "trace"}]),
        true,
    );
    push(
        "Escalate to a supervisor",
        "Raises the priority and escalates",
        json!([{"priority": "URGENT"}, {"escalate": true}]),
        true,
    );
    push(
        "Solve with thanks",
        "Thanks the customer and solves the ticket",
        json!([{"reply": "Thank you for your patience!"}, {"status": "SOLVED"}]),
        true,
    );
    push("Holiday greeting", "Out of season", json!([{"reply": "Happy holidays!"}]), false);
}
