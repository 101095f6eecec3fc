//! Partners, and the people who work here.

use c360_entities::{partner, staff, team};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::id;
use crate::retailer::rows::Rows;

/// Client id, name, source, kind, scopes, purposes.
const PARTNERS: [(&str, &str, &str, &str, &str, &str); 9] = [
    (
        "pos-partner",
        "Point of sale",
        "pos",
        "POS",
        "customers:read orders:read orders:write loyalty:read loyalty:write pii:read ingest:write",
        "SERVICE",
    ),
    (
        "shop-partner",
        "Shop platform",
        "shop",
        "SHOP",
        "customers:read customers:write orders:read orders:write tickets:read tickets:write loyalty:read pii:read ingest:write",
        "SERVICE DELIVERY",
    ),
    ("marketplace-partner", "Marketplace", "marketplace", "SHOP", "orders:read orders:write ingest:write", "SERVICE"),
    (
        "carrier-partner",
        "Parcel carriers",
        "carrier",
        "CARRIER",
        "orders:read orders:write pii:read ingest:write",
        "DELIVERY",
    ),
    (
        "reviews-partner",
        "Review site",
        "reviews",
        "REVIEW_SITE",
        "feedback:read feedback:write ingest:write",
        "RESEARCH",
    ),
    (
        "surveys-partner",
        "Survey tool",
        "surveys",
        "SURVEY_TOOL",
        "customers:read feedback:read feedback:write ingest:write",
        "RESEARCH",
    ),
    (
        "marketing-partner",
        "Marketing cloud",
        "marketing",
        "MARKETING",
        "customers:read orders:read loyalty:read feedback:read pii:read ingest:write",
        "MARKETING PROFILING",
    ),
    (
        "social-partner",
        "Social listening",
        "social",
        "MARKETING",
        "feedback:read feedback:write ingest:write",
        "RESEARCH THIRD_PARTY_SHARING",
    ),
    (
        "payments-partner",
        "Payment provider",
        "payments",
        "PAYMENT_PROVIDER",
        "orders:read orders:settle ingest:write",
        "SERVICE",
    ),
];

pub(super) fn partners(rows: &mut Rows, opened: DateTime<Utc>) {
    for (client_id, name, source, kind, scopes, purposes) in PARTNERS {
        rows.partners.push(partner::Model {
            id: id(opened, &format!("partner {client_id}")),
            client_id: client_id.to_owned(),
            name: name.to_owned(),
            source: source.to_owned(),
            kind: kind.to_owned(),
            scopes: scopes.to_owned(),
            purposes: purposes.to_owned(),
            disabled_at: None,
            created_at: opened,
        });
    }
}

/// The teams, by what they do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teams {
    pub(crate) care: Uuid,
    pub(crate) vip: Uuid,
    pub(crate) returns: Uuid,
    pub(crate) social: Uuid,
}

pub(super) fn teams(rows: &mut Rows, opened: DateTime<Utc>) -> Teams {
    let mut team = |name: &str, serves_vip| {
        let id = id(opened, &format!("team {name}"));
        rows.teams.push(team::Model { id, name: name.to_owned(), serves_vip });
        id
    };
    Teams {
        care: team("Customer care", false),
        vip: team("VIP care", true),
        returns: team("Returns", false),
        social: team("Social media", false),
    }
}

/// Somebody who works here.
#[derive(Debug)]
pub(crate) struct Colleague {
    pub(crate) id: Uuid,
    pub(crate) subject: &'static str,
    pub(crate) team: Uuid,
    /// Whether they answer tickets now.
    pub(crate) answers: bool,
}

/// Subject, name, role, team (C care, V VIP, R returns, S social), still here.
const STAFF: [(&str, &str, &str, char, bool); 13] = [
    ("agent-1", "Ana Petrova", "AGENT", 'C', true),
    ("agent-2", "김하늘", "AGENT", 'C', true),
    ("agent-3", "Jonas Weber", "AGENT", 'C', true),
    ("agent-4", "Мила Радева", "AGENT", 'C', true),
    ("agent-5", "ليلى حداد", "AGENT", 'C', true),
    ("agent-6", "Grace Okonkwo", "AGENT", 'V', true),
    ("agent-7", "박서준", "AGENT", 'V', true),
    ("agent-8", "Inês Duarte", "AGENT", 'R', true),
    ("agent-9", "Tomasz Wójcik", "AGENT", 'S', true),
    ("agent-10", "Erik Lund", "AGENT", 'C', false),
    ("supervisor-1", "Maria Keller", "SUPERVISOR", 'C', true),
    ("supervisor-2", "يوسف العلي", "SUPERVISOR", 'V', true),
    ("admin-1", "Sam Rivera", "ADMIN", 'C', true),
];

pub(super) fn staff(rows: &mut Rows, opened: DateTime<Utc>, teams: &Teams) -> Vec<Colleague> {
    let mut people = Vec::new();
    for (subject, name, role, letter, active) in STAFF {
        let id = id(opened, &format!("staff {subject}"));
        let team = match letter {
            'V' => teams.vip,
            'R' => teams.returns,
            'S' => teams.social,
            _ => teams.care,
        };
        rows.staff.push(staff::Model {
            id,
            subject: subject.to_owned(),
            display_name: name.to_owned(),
            email: Some(format!("{subject}@retailer.example")),
            role: role.to_owned(),
            team_id: Some(team),
            active,
            created_at: opened,
        });
        people.push(Colleague { id, subject, team, answers: active && role == "AGENT" });
    }
    people
}
