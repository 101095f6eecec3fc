//! Every other contact, and what campaigns sent.

use c360_entities::{campaign_member, interaction, referral};
use c360_rules::id::Kind;
use chrono::TimeDelta;

use super::person::{Actor, Happening, Person};

/// Kind, inbound, channel, subject, source.
const CONTACTS: [(&str, bool, &str, Option<&str>, &str); 11] = [
    ("VISIT", true, "POS", Some("Visit to the store"), "pos"),
    ("VISIT", true, "POS", Some("Visit to the store"), "pos"),
    ("BROWSE", true, "WEB", Some("Looked at new arrivals"), "shop"),
    ("BROWSE", true, "MOBILE_APP", Some("Looked at the wish list"), "shop"),
    ("EMAIL", false, "EMAIL", Some("Newsletter"), "marketing"),
    ("EMAIL", false, "EMAIL", Some("Warm evenings: the autumn catalogue"), "marketing"),
    ("PUSH", false, "PUSH", Some("Your points are active"), "marketing"),
    ("SMS", false, "SMS", Some("Your parcel is on its way"), "carrier"),
    ("CALL", true, "PHONE", Some("Question about an order"), "c360"),
    ("CHAT", true, "CHAT", Some("Question about a product"), "c360"),
    ("SOCIAL", true, "SOCIAL", Some("Direct message"), "social"),
];

impl Person<'_> {
    pub(super) fn make_contacts(&mut self) {
        for _ in 0..self.rng.usize(..8) {
            self.make_contact();
        }
        for place in 0..self.world.programme.campaigns.len() {
            if self.chance(35) {
                let campaign_id = self.world.programme.campaigns[place];
                self.rows.campaign_members.push(campaign_member::Model { campaign_id, customer_id: self.id });
            }
        }
        if self.chance(25) {
            self.make_campaign_coupon();
        }
        if self.traits.member && self.chance(6) {
            let created_at = self.later(self.since, 24..24 * 300);
            let id = self.id_at(created_at);
            let status = self.pick(&["INVITED", "INVITED", "JOINED"]);
            self.rows.referrals.push(referral::Model {
                id,
                customer_id: self.id,
                referred_customer_id: None,
                code: format!("FRIEND-{:06}", self.index),
                status: status.to_owned(),
                transaction_id: None,
                created_at,
            });
        }
    }

    fn make_contact(&mut self) {
        let (kind, inbound, channel, subject, source) = self.pick(&CONTACTS);
        let at = self.later(self.since, 0..24 * self.traits.days.max(1));
        let id = self.id_at(at);
        let talk = matches!(kind, "CALL" | "CHAT" | "VISIT");
        let seconds = self.rng.i32(40..1_500);
        let colleague = (kind == "CALL" || kind == "CHAT").then(|| self.colleague(None));
        let shops = super::homes::HOMES.iter().position(|home| home == self.traits.home).unwrap_or(0);
        let store_id = (kind == "VISIT").then(|| self.pick(&self.world.shops[shops]));
        self.rows.interactions.push(interaction::Model {
            id,
            customer_id: self.id,
            kind: kind.to_owned(),
            direction: if inbound { "INBOUND" } else { "OUTBOUND" }.to_owned(),
            channel: channel.to_owned(),
            subject: subject.map(str::to_owned),
            duration_seconds: talk.then_some(seconds),
            staff_id: colleague.map(|colleague| colleague.id),
            store_id,
            source: source.to_owned(),
            external_id: None,
            occurred_at: at,
        });
        let actor = match colleague {
            Some(colleague) => Actor::Staff(colleague.subject),
            None => Actor::Partner(source),
        };
        let happened = Happening::new("INTERACTION", "CUSTOMERS", at, (Kind::Interaction, id));
        self.happened(Happening { label: Some(kind.to_owned()), channel: Some(channel), actor, ..happened });
    }

    fn make_campaign_coupon(&mut self) {
        let offer = &self.world.programme.offers[self.rng.usize(..self.world.programme.offers.len())];
        let at = self.later(self.since, 0..24 * self.traits.days.max(1));
        let expired = at + TimeDelta::days(90) <= self.as_of();
        let status = if expired { "EXPIRED" } else { "ISSUED" };
        let code = format!("{}-{:06}", offer.prefix, self.index);
        let id = self.coupon(offer.id, code, status, None, at, None);
        let happened = Happening::new("COUPON_ISSUED", "LOYALTY", at, (Kind::Coupon, id));
        self.happened(Happening { label: Some(offer.prefix.to_owned()), ..happened });
    }
}
