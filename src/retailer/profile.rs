//! Who a customer is: profile, identities, addresses, consents, notes, tags, segments.

use c360_entities::{address, consent, customer, customer_identity, customer_note, customer_segment, customer_tag};
use c360_rules::id::Kind;
use c360_rules::identifier;
use chrono::{DateTime, Days, TimeDelta, Utc};

use super::person::{Actor, Happening, Person};
use super::text::{Place, TEXT};
use crate::domains::customers::search;

/// The number of the customer at an index.
pub fn customer_number(index: u64) -> String {
    format!("C-{index:06}")
}

/// The number on a member's card.
pub(super) fn card_number(index: u64) -> String {
    format!("77{index:010}")
}

impl Person<'_> {
    pub(super) fn make_profile(&mut self) {
        self.make_customer();
        self.make_identities();
        self.make_addresses();
        self.make_consents();
        self.make_notes();
    }

    fn make_customer(&mut self) {
        let birthday = self.chance(75).then(|| {
            let day = self.as_of().date_naive() - Days::new(self.rng.u64(18 * 365..80 * 365));
            if self.index % 40 == 7 { near_birthday(day, self.as_of()) } else { day }
        });
        let channel = self.pick(&[
            Some("EMAIL"),
            Some("EMAIL"),
            Some("SMS"),
            Some("PHONE"),
            Some("PUSH"),
            Some("CHAT"),
            Some("POST"),
            None,
        ]);
        let source = self.pick(&["shop", "shop", "pos", "app"]);
        let updated_at = self.later(self.since, 0..24 * self.traits.days.max(1));
        self.rows.customers.push(customer::Model {
            id: self.id,
            number: customer_number(self.index),
            status: "ACTIVE".to_owned(),
            merged_into_id: None,
            name: Some(self.traits.name.clone()),
            name_folded: Some(identifier::name_fold(&self.traits.name)),
            locale: Some(self.traits.home.locale.to_owned()),
            birthday,
            preferred_channel: channel.map(str::to_owned),
            member_since: self.traits.member.then_some(self.since),
            vip: self.traits.vip,
            risk: self.traits.risk.to_owned(),
            source: source.to_owned(),
            version: 1 + self.rng.i64(0..9),
            created_at: self.since,
            updated_at,
        });
        let actor = if source == "app" { Actor::Customer } else { Actor::Partner(source) };
        let label = Some(customer_number(self.index));
        let created = Happening::new("CUSTOMER_CREATED", "CUSTOMERS", self.since, (Kind::Customer, self.id));
        self.happened(Happening { label, actor, ..created });
    }

    /// What the customer is found by; a double is found as the customer.
    pub(super) fn make_search_entries(&mut self) {
        let records: Vec<_> = self.rows.customers.iter().map(search::Record::of).collect();
        self.rows.customer_search_entries = search::entries(self.id, &records);
    }

    fn make_identities(&mut self) {
        let (since, index) = (self.since, self.index);
        let verified = self.chance(92).then(|| self.later(since, 0..2));
        let email = self.traits.email.clone();
        self.identity("EMAIL", "", &email, &email, verified, "shop", since);
        if self.traits.phone.is_some() || self.chance(88) {
            let way = self.rng.usize(..3);
            let (written, e164) = self.traits.phone.clone().unwrap_or_else(|| self.traits.home.phone(index, way));
            let verified = self.traits.phone_verified.then(|| self.later(since, 1..400));
            self.identity("PHONE", "", &written, &e164, verified, "pos", since);
        }
        if self.traits.member {
            let card = card_number(index);
            self.identity("LOYALTY_CARD", "", &card, &card, Some(since), "c360", since);
        }
        if self.chance(70) {
            let shop = format!("{}", 400_000 + index);
            self.identity("EXTERNAL", "shop", &shop, &shop, Some(since), "shop", since);
        }
        if self.chance(30) {
            let till = format!("K{index:07}");
            self.identity("EXTERNAL", "pos", &till, &till, Some(since), "pos", since);
        }
        if self.chance(25) {
            let network = self.pick(&["instagram", "x", "kakao"]);
            let handle = format!("{}{index}", self.traits.handle.replace('.', "_"));
            self.identity("SOCIAL", network, &format!("@{handle}"), &handle, None, "social", since);
        }
        if self.chance(45) {
            let device = format!("{:016x}", self.rng.u64(..));
            let at = self.later(since, 1..24 * 300);
            self.identity("DEVICE", "app", &device, &device, Some(at), "app", at);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row, in their order")]
    pub(super) fn identity(
        &mut self,
        kind: &str,
        namespace: &str,
        value: &str,
        normalized: &str,
        verified_at: Option<DateTime<Utc>>,
        source: &str,
        at: DateTime<Utc>,
    ) {
        let id = self.id_at(at);
        self.rows.customer_identities.push(customer_identity::Model {
            id,
            customer_id: self.id,
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            value: value.to_owned(),
            normalized: normalized.to_owned(),
            verified_at,
            source: source.to_owned(),
            created_at: at,
        });
    }

    fn make_addresses(&mut self) {
        let places: Vec<&'static Place> = self.traits.home.places().collect();
        let home = self.pick(&places);
        self.address("HOME", home, true);
        if self.chance(30) {
            let place = if self.chance(60) { home } else { self.pick(&places) };
            let kind = self.pick(&["SHIPPING", "SHIPPING", "BILLING"]);
            self.address(kind, place, false);
        }
    }

    fn address(&mut self, kind: &str, place: &'static Place, is_default: bool) {
        let street = self.pick(&place.streets);
        let number = self.rng.u16(1..190);
        let line1 = match place.country {
            "US" => format!("{number} {street}"),
            "AE" => format!("{street}، مبنى {number}"),
            _ => format!("{street} {number}"),
        };
        let flat = self.rng.u16(1..40);
        let line2 = match place.country {
            "US" if flat > 25 => Some(format!("Apt {flat}")),
            "KR" => Some(format!("{}동 {}호", 101 + flat % 9, 100 * flat + 1)),
            "BG" if flat > 10 => Some(format!("ет. {}, ап. {flat}", flat % 8 + 1)),
            _ => None,
        };
        let id = self.id_at(self.since);
        self.rows.addresses.push(address::Model {
            id,
            customer_id: self.id,
            kind: kind.to_owned(),
            recipient: Some(self.traits.name.clone()),
            line1,
            line2,
            city: place.city.to_owned(),
            region: Some(place.region.to_owned()),
            postal_code: place.postal_code.map(str::to_owned),
            country: place.country.to_owned(),
            is_default,
            created_at: self.since,
        });
    }

    fn make_consents(&mut self) {
        self.consent("SERVICE", "ANY", "GRANTED", self.since);
        let choices: [(&str, &str, u8); 6] = [
            ("MARKETING", "EMAIL", 85),
            ("MARKETING", "SMS", 40),
            ("PROFILING", "ANY", 65),
            ("RESEARCH", "ANY", 60),
            ("DELIVERY", "ANY", 55),
            ("THIRD_PARTY_SHARING", "ANY", 30),
        ];
        for (purpose, channel, asked) in choices {
            if self.chance(asked) {
                let status = self.pick(&["GRANTED", "GRANTED", "GRANTED", "GRANTED", "DENIED", "REVOKED"]);
                let at = if status == "REVOKED" { self.later(self.since, 24..24 * 400) } else { self.since };
                self.consent(purpose, channel, status, at);
            }
        }
    }

    fn consent(&mut self, purpose: &'static str, channel: &str, status: &str, at: DateTime<Utc>) {
        let source = self.pick(&["shop", "app", "pos"]);
        let id = self.id_at(at);
        self.rows.consents.push(consent::Model {
            id,
            customer_id: self.id,
            purpose: purpose.to_owned(),
            channel: channel.to_owned(),
            status: status.to_owned(),
            source: source.to_owned(),
            decided_at: at,
        });
        // What was agreed to when the account was made is part of its making.
        if at > self.since {
            let label = Some(format!("{purpose} {status}"));
            let updated = Happening::new("CONSENT_UPDATED", "PRIVACY", at, (Kind::Consent, id));
            self.happened(Happening { label, actor: Actor::Customer, ..updated });
        }
    }

    fn make_notes(&mut self) {
        if self.chance(18) {
            let body = self.pick(&TEXT.customer_notes);
            self.note(body, false);
        }
        for tag in ["gift-buyer", "press", "wholesale", "newsletter-reader", "store-friend"] {
            if self.chance(6) {
                let staff_id = Some(self.colleague(None).id);
                let created_at = self.later(self.since, 1..24 * 500);
                let tag = tag.to_owned();
                self.rows.customer_tags.push(customer_tag::Model { customer_id: self.id, tag, staff_id, created_at });
            }
        }
        let mut segments = Vec::new();
        if self.traits.vip {
            segments.push("VIP");
        }
        if self.traits.days < 90 {
            segments.push("NEW");
        }
        if self.traits.orders > 20 {
            segments.push("BIG_SPENDERS");
        }
        for segment in ["PARENTS", "FASHION", "HOME_COOKS", "APP_USERS", "LAPSING"] {
            if self.chance(14) {
                segments.push(segment);
            }
        }
        for segment in segments {
            let Some(segment_id) = self.world.segment(segment) else { continue };
            let since = self.later(self.since, 1..24 * 60);
            self.rows.customer_segments.push(customer_segment::Model { customer_id: self.id, segment_id, since });
        }
    }

    pub(super) fn note(&mut self, body: &str, pinned: bool) {
        let at = self.later(self.since, 24..24 * 900);
        let colleague = self.colleague(None);
        let id = self.id_at(at);
        self.rows.customer_notes.push(customer_note::Model {
            id,
            customer_id: self.id,
            staff_id: Some(colleague.id),
            body: body.to_owned(),
            pinned,
            created_at: at,
        });
        let added = Happening::new("NOTE_ADDED", "CUSTOMERS", at, (Kind::Note, id));
        self.happened(Happening { actor: Actor::Staff(colleague.subject), staff_only: true, ..added });
    }
}

/// The same year, but a few days from now.
fn near_birthday(day: chrono::NaiveDate, as_of: DateTime<Utc>) -> chrono::NaiveDate {
    use chrono::Datelike;
    let soon = (as_of + TimeDelta::days(4)).date_naive();
    soon.with_year(day.year()).unwrap_or(day)
}
