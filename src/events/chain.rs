//! The chain: what each event's hash covers. `docs/events.md` writes the form down for others.
//!
//! Words that a person may have to be forgotten with (the label, the reason, the values before and after) are covered by
//! a salted digest of their own. When they are emptied, their salt goes too: the digest that is left says nothing about
//! them, and the chain still holds.

use aws_lc_rs::digest::{Context, SHA256};
use c360_entities::event_value;
use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// What comes before the first event.
pub const GENESIS: [u8; 32] = [0; 32];

/// The columns of `events x` that an [`Entry`] is read from.
pub(super) const COLUMNS: &str = "x.id, x.customer_id, x.kind, x.domain, x.visibility, x.subject_kind, x.subject_id, \
    x.label, x.amount, x.currency, x.points, x.channel, x.actor_kind, x.actor_id, x.source, x.reason, x.occurred_at, \
    x.recorded_at, x.client_id, x.request_id, x.position, x.hash, x.words_salt, x.words_digest";

/// An event as it stands in the log, with what sealing has added.
#[derive(Clone, Debug, FromQueryResult)]
#[expect(missing_docs, reason = "the columns of the table, as they are")]
pub struct Entry {
    pub id: Uuid,
    pub customer_id: Option<Uuid>,
    pub kind: String,
    pub domain: String,
    pub visibility: String,
    pub subject_kind: Option<String>,
    pub subject_id: Option<Uuid>,
    pub label: Option<String>,
    pub amount: Option<i64>,
    pub currency: Option<String>,
    pub points: Option<i64>,
    pub channel: Option<String>,
    pub actor_kind: String,
    pub actor_id: Option<String>,
    pub source: String,
    pub reason: Option<String>,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub client_id: Option<String>,
    pub request_id: Option<Uuid>,
    pub position: Option<i64>,
    pub hash: Option<Vec<u8>>,
    pub words_salt: Option<Vec<u8>>,
    pub words_digest: Option<Vec<u8>>,
}

impl Entry {
    /// Whether it has words, with these values.
    pub fn has_words(&self, values: &[event_value::Model]) -> bool {
        self.label.is_some() || self.reason.is_some() || !values.is_empty()
    }

    /// The digest of its words under a salt. The values are in the order of their fields.
    pub fn words(&self, salt: &[u8], values: &[event_value::Model]) -> [u8; 32] {
        let mut hash = Hash::of("c360 words 1");
        hash.bytes(Some(salt)).text(self.label.as_deref()).text(self.reason.as_deref());
        for value in values {
            hash.text(Some(&value.field)).text(value.before_value.as_deref()).text(value.after_value.as_deref());
        }
        hash.finish()
    }

    /// Its hash at a position, after another one.
    pub fn link(&self, position: i64, previous: &[u8], words: Option<&[u8]>) -> [u8; 32] {
        let mut hash = Hash::of("c360 event 1");
        hash.bytes(Some(previous)).number(Some(position));
        hash.id(Some(self.id)).id(self.customer_id);
        hash.text(Some(&self.kind)).text(Some(&self.domain)).text(Some(&self.visibility));
        hash.text(self.subject_kind.as_deref()).id(self.subject_id);
        hash.number(self.amount).text(self.currency.as_deref()).number(self.points);
        hash.text(self.channel.as_deref()).text(Some(&self.actor_kind)).text(self.actor_id.as_deref());
        hash.text(Some(&self.source));
        hash.number(Some(self.occurred_at.timestamp_micros())).number(Some(self.recorded_at.timestamp_micros()));
        hash.text(self.client_id.as_deref()).id(self.request_id);
        hash.bytes(words);
        hash.finish()
    }
}

/// A hash in the making: of each part whether it is there, how long it is, and what it is, so that no two lists of parts
/// give the same bytes.
pub(super) struct Hash(Context);

impl Hash {
    pub(super) fn of(what: &str) -> Self {
        let mut hash = Self(Context::new(&SHA256));
        hash.text(Some(what));
        hash
    }

    pub(super) fn bytes(&mut self, part: Option<&[u8]>) -> &mut Self {
        match part {
            None => self.0.update(&[0]),
            Some(part) => {
                self.0.update(&[1]);
                self.0.update(&(part.len() as u64).to_be_bytes());
                self.0.update(part);
            }
        }
        self
    }

    pub(super) fn text(&mut self, part: Option<&str>) -> &mut Self {
        self.bytes(part.map(str::as_bytes))
    }

    pub(super) fn number(&mut self, part: Option<i64>) -> &mut Self {
        self.bytes(part.map(i64::to_be_bytes).as_ref().map(|bytes| &bytes[..]))
    }

    pub(super) fn id(&mut self, part: Option<Uuid>) -> &mut Self {
        self.bytes(part.as_ref().map(|id| &id.as_bytes()[..]))
    }

    pub(super) fn finish(self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: Uuid::from_u128(1),
            customer_id: Some(Uuid::from_u128(2)),
            kind: "NOTE_ADDED".into(),
            domain: "CUSTOMERS".into(),
            visibility: "STAFF".into(),
            subject_kind: None,
            subject_id: None,
            label: Some("ab".into()),
            amount: None,
            currency: None,
            points: None,
            channel: None,
            actor_kind: "STAFF".into(),
            actor_id: Some("agent-1".into()),
            source: "c360".into(),
            reason: Some("c".into()),
            occurred_at: DateTime::UNIX_EPOCH,
            recorded_at: DateTime::UNIX_EPOCH,
            client_id: None,
            request_id: None,
            position: None,
            hash: None,
            words_salt: None,
            words_digest: None,
        }
    }

    #[test]
    fn words_are_told_apart_wherever_they_end() {
        let one = entry();
        let other = Entry { label: Some("a".into()), reason: Some("bc".into()), ..entry() };
        assert_ne!(one.words(&[1], &[]), other.words(&[1], &[]));
        assert_ne!(one.words(&[1], &[]), one.words(&[2], &[]), "the salt counts");
        let none = Entry { reason: None, ..entry() };
        let empty = Entry { reason: Some(String::new()), ..entry() };
        assert_ne!(none.words(&[1], &[]), empty.words(&[1], &[]));
    }

    #[test]
    fn a_link_covers_the_place_and_what_came_before_and_no_words() {
        let one = entry();
        let link = one.link(1, &GENESIS, Some(&[7]));
        assert_ne!(link, one.link(2, &GENESIS, Some(&[7])));
        assert_ne!(link, one.link(1, &[1; 32], Some(&[7])));
        assert_ne!(link, one.link(1, &GENESIS, None));
        let emptied = Entry { label: None, reason: None, ..entry() };
        assert_eq!(link, emptied.link(1, &GENESIS, Some(&[7])));
        let edited = Entry { channel: Some("POS".into()), ..entry() };
        assert_ne!(link, edited.link(1, &GENESIS, Some(&[7])));
        // The form is for good: a log that was sealed once must hold in every later version.
        let hex: String = link.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "b75ccbfe523d773c730abeb00b66623797ccb921e9d9b464427a1eed1f0961f6");
    }
}
