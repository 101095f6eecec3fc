//! What a customer decides about purposes.

use std::collections::BTreeSet;

use async_graphql::InputObject;
use c360_entities::consent;
use c360_rules::id::Kind;
use chrono::{DateTime as Time, TimeDelta, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::changed;
use crate::auth::Actor;
use crate::domains::customers::object::Consent;
use crate::domains::customers::store::{ConsentChannel, ConsentPurpose, ConsentStatus};
use crate::domains::customers::whose::{Among, named};
use crate::domains::customers::{CustomerIdentifier, on_behalf, store};
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::graphql::DateTime;
use crate::payload;
use crate::view360::Customer;
use crate::write::{Action, Outcome, Problem, Tx, Work};

/// How long ago what is recorded now may have been decided.
const FURTHEST_BACK: TimeDelta = TimeDelta::days(3653);

/// What was decided about one purpose.
#[derive(Clone, Debug, InputObject)]
pub struct ConsentInput {
    /// What for.
    pub(super) purpose: ConsentPurpose,
    /// On which channel.
    #[graphql(default_with = "ConsentChannel::Any")]
    pub(super) channel: ConsentChannel,
    /// What was decided.
    pub(super) status: ConsentStatus,
}

/// A decision of a customer.
#[derive(Clone, Debug, InputObject)]
pub struct ConsentUpdateInput {
    /// Who decided; customers may leave it out.
    customer: Option<CustomerIdentifier>,
    /// What was decided.
    consent: ConsentInput,
    /// When it was decided, if it is recorded later than that, such as from a paper form: no time to come, at most ten years
    /// back, and not before what is on record was decided. Now, if left out.
    decided_at: Option<DateTime>,
    /// Why, in a line of at most 500 characters. Staff must say it; the customer sees it not, the audit does.
    reason: Option<String>,
}

/// A decision, and whose.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Decided {
    customer: Uuid,
    consent: Uuid,
}

payload! {
    /// What came of recording a decision.
    ConsentUpdatePayload of Decided {
        /// The consent, as it is now.
        consent: Consent = |made| Some(store::consent(made.consent)),
        /// The customer.
        customer: Customer = |made| Some(store::root(store::by_id(made.customer))),
    }
    ConsentUpdateUserError { ConsentUpdateErrorCode: NotFound, NotAllowed, OutOfRange, Blank, TooLong, InvalidText }
}

impl Action for ConsentUpdateInput {
    const NAME: &'static str = "consentUpdate";
}

impl Work for ConsentUpdateInput {
    type Made = Decided;

    async fn run(&self, tx: &mut Tx) -> Outcome<Decided> {
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let customer = named(tx, self.customer.as_ref(), Among::Known).await?.id;
        self.may_be_said(tx)?;
        let at = self.decided_at(tx)?;
        let consent = decide(tx, customer, &self.consent, at, reason.as_ref()).await?;
        changed(tx, customer).await?;
        Ok(Decided { customer, consent })
    }
}

impl ConsentUpdateInput {
    /// When the customer decided.
    fn decided_at(&self, tx: &Tx) -> Outcome<Time<Utc>> {
        let now = tx.now();
        match self.decided_at {
            None => Ok(now),
            Some(DateTime(at)) if at <= now && now - at <= FURTHEST_BACK => Ok(at),
            Some(_) => Err(Problem::OutOfRange.at("decidedAt", "give a time of the last ten years").into()),
        }
    }

    /// A partner cannot open to itself what the customer has not opened.
    fn may_be_said(&self, tx: &Tx) -> Outcome<()> {
        let Some(Actor::Partner(partner)) = tx.caller().map(|caller| &caller.actor) else { return Ok(()) };
        let opens = partner.purposes.iter().any(|purpose| purpose == self.consent.purpose.as_str());
        if opens && self.consent.status == ConsentStatus::Granted {
            let message =
                "this consent would open the customer's data to you: only the customer or staff can record it";
            return Err(Problem::NotAllowed.at("consent.purpose", message).into());
        }
        Ok(())
    }
}

/// Records the decisions that come with a new customer.
///
/// # Errors
/// `INVALID_VALUE` for two about the same.
pub(super) async fn decide_all(tx: &mut Tx, customer_id: Uuid, decisions: &[ConsentInput]) -> Outcome<()> {
    let (mut seen, now) = (BTreeSet::new(), tx.now());
    for decision in decisions {
        if !seen.insert((decision.purpose.as_str(), decision.channel.as_str())) {
            let message = "there are two decisions about one purpose and channel";
            return Err(Problem::InvalidValue.at("consents", message).into());
        }
        decide(tx, customer_id, decision, now, None).await?;
    }
    Ok(())
}

/// Records what a locked customer decided at a time; the consent's id.
///
/// # Errors
/// `OUT_OF_RANGE` if what it would change was decided later.
async fn decide(
    tx: &mut Tx,
    customer_id: Uuid,
    decision: &ConsentInput,
    at: Time<Utc>,
    reason: Option<&String>,
) -> Outcome<Uuid> {
    let ConsentInput { purpose, channel, status } = decision;
    let of_purpose = consent::Entity::find()
        .filter(consent::Column::CustomerId.eq(customer_id))
        .filter(consent::Column::Purpose.eq(purpose.as_str()));
    let before = tx.all(of_purpose).await?;
    if *channel == ConsentChannel::Any && *status != ConsentStatus::Granted {
        let single = |row: &&consent::Model| row.channel != channel.as_str() && row.status == "GRANTED";
        for stored in before.iter().filter(single) {
            let row = consent::Model { decided_at: at, ..stored.clone() };
            save(tx, Some(stored), row, ConsentStatus::Revoked, reason).await?;
        }
    }
    let same = before.iter().find(|row| row.channel == channel.as_str());
    let row = consent::Model {
        id: same.map_or_else(|| tx.new_id(), |row| row.id),
        customer_id,
        purpose: purpose.as_str().into(),
        channel: channel.as_str().into(),
        status: String::new(),
        source: String::new(),
        decided_at: at,
    };
    let id = row.id;
    save(tx, same, row, *status, reason).await?;
    Ok(id)
}

/// Writes a consent with its new status, and tells of it.
async fn save(
    tx: &mut Tx,
    before: Option<&consent::Model>,
    row: consent::Model,
    status: ConsentStatus,
    reason: Option<&String>,
) -> Outcome<()> {
    if before.is_some_and(|before| row.decided_at < before.decided_at) {
        let message = "the customer has decided anew since then: what was decided last counts";
        return Err(Problem::OutOfRange.at("decidedAt", message).into());
    }
    let status = status.as_str();
    let event = Event::of(TimelineEntryKind::ConsentUpdated, TimelineDomain::Privacy)
        .customer(row.customer_id)
        .about(Kind::Consent, row.id)
        .label(format!("{} {status}", row.purpose))
        .because(reason.cloned())
        .change("status", before.map(|row| row.status.as_str()), Some(status));
    tx.tell(event);
    let row = consent::Model { status: status.into(), source: tx.source(), ..row };
    match before {
        Some(_) => tx.put(row).await,
        None => tx.insert([row]).await,
    }
}
