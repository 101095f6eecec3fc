//! What customers are recognised by, as it is written down.

use async_graphql::InputObject;
use c360_entities::customer_identity;
use c360_rules::id::Kind;
use c360_rules::identifier::{self, IdentifierError};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store::IdentityKind;
use crate::auth::{Actor, Caller};
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::write::{self, Outcome, Problem, Refusal, Stop, Tx, get};

/// Most characters of a value, and of a namespace.
const LONGEST_VALUE: usize = 254;
const LONGEST_NAMESPACE: usize = 128;

/// Something that a customer is recognised by.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerIdentityInput {
    /// What it is. Customers give `EMAIL`, `PHONE`, `SOCIAL` and `DEVICE` themselves.
    kind: IdentityKind,
    /// The address, number, handle or id, as the customer writes it; at most 254 characters. A phone number without a
    /// country code is taken as one of the retailer's own regions.
    value: String,
    /// With `SOCIAL`, `DEVICE` and `EXTERNAL`: the network or the system, at most 128 characters. A partner's `EXTERNAL`
    /// ids are those of its own source, and it may leave this out.
    namespace: Option<String>,
    /// Whether the customer has proved that it is theirs: it belongs to nobody else then. Staff, and partners for
    /// customers whose record they have made, may say so. A partner's own `EXTERNAL` ids always are.
    #[graphql(default)]
    pub(super) verified: bool,
}

impl IdentityKind {
    /// What customers change themselves.
    pub(super) const OWN: [Self; 4] = [Self::Email, Self::Phone, Self::Social, Self::Device];
}

/// What the fields of an input are called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) kind: &'static str,
    pub(super) value: &'static str,
    pub(super) namespace: &'static str,
    pub(super) verified: &'static str,
}

impl Fields {
    /// Of an input with one identity.
    pub(super) const ONE: Self = Self {
        kind: "identity.kind",
        value: "identity.value",
        namespace: "identity.namespace",
        verified: "identity.verified",
    };
    /// Of an input with several.
    pub(super) const SEVERAL: Self = Self {
        kind: "identities.kind",
        value: "identities.value",
        namespace: "identities.namespace",
        verified: "identities.verified",
    };
}

/// An identity in its normal form.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    kind: IdentityKind,
    namespace: String,
    value: String,
    normalized: String,
    verified: bool,
}

impl Identity {
    /// What an input says.
    ///
    /// # Errors
    /// `INVALID_VALUE`, `BLANK`, `TOO_LONG`, `INVALID_TEXT`, `NOT_ALLOWED`.
    pub(super) fn read(tx: &Tx, input: &CustomerIdentityInput, fields: &Fields) -> Outcome<Self> {
        let kind = input.kind;
        if let Some(Actor::Customer(_)) = tx.caller().map(|caller| &caller.actor) {
            if input.verified {
                let message = "that it is yours is for staff to say, or for whoever has checked it";
                return Err(Problem::NotAllowed.at(fields.verified, message).into());
            }
            if !IdentityKind::OWN.contains(&kind) {
                let message = "cards and ids of other systems are added by staff, or by the system";
                return Err(Problem::NotAllowed.at(fields.kind, message).into());
            }
        }
        let value = write::line(fields.value, &input.value, LONGEST_VALUE)?;
        let wrong = |error: IdentifierError| Stop::from(Problem::InvalidValue.at(fields.value, error.to_string()));
        let normalized = match kind {
            IdentityKind::Email => identifier::email(&value).map_err(wrong)?,
            IdentityKind::Phone => {
                let regions = &tx.state().config.retailer.phone_regions;
                let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
                identifier::phone(&value, &regions).map_err(wrong)?
            }
            IdentityKind::LoyaltyCard => identifier::loyalty_number(&value).map_err(wrong)?,
            IdentityKind::Social => value.strip_prefix('@').unwrap_or(&value).to_owned(),
            IdentityKind::Device | IdentityKind::External => value.clone(),
        };
        let partner = tx.caller().and_then(own_source);
        let verified = input.verified || (kind == IdentityKind::External && partner.is_some());
        let namespace = namespace(kind, input.namespace.as_deref(), partner, fields.namespace)?;
        Ok(Self { kind, namespace, value, normalized, verified })
    }
}

fn own_source(caller: &Caller) -> Option<&str> {
    match &caller.actor {
        Actor::Partner(partner) => Some(&partner.source),
        _ => None,
    }
}

/// The network or the system that a value belongs to.
fn namespace(kind: IdentityKind, given: Option<&str>, partner: Option<&str>, field: &'static str) -> Outcome<String> {
    let needed = matches!(kind, IdentityKind::Social | IdentityKind::Device | IdentityKind::External);
    let wrong = |message: &str| Err(Problem::InvalidValue.at(field, message).into());
    match (given, partner) {
        (Some(_), _) if !needed => wrong("only SOCIAL, DEVICE and EXTERNAL have one"),
        (None, _) if !needed => Ok(String::new()),
        (None, Some(source)) if kind == IdentityKind::External => Ok(source.to_owned()),
        (Some(given), Some(source)) if kind == IdentityKind::External && given != source => {
            wrong("your ids are those of your own source: leave it out")
        }
        (Some(given), _) => write::line(field, given, LONGEST_NAMESPACE),
        (None, _) => wrong("SOCIAL, DEVICE and EXTERNAL need one: name the network or the system"),
    }
}

/// Adds an identity to a locked customer; its id.
///
/// # Errors
/// `IDENTITY_TAKEN`, `IDENTITY_EXISTS`.
pub(super) async fn add(
    tx: &mut Tx,
    customer_id: Uuid,
    identity: Identity,
    created_at: DateTime<Utc>,
    fields: &Fields,
) -> Outcome<Uuid> {
    let row = customer_identity::Model {
        id: tx.new_id(),
        customer_id,
        kind: identity.kind.as_str().into(),
        namespace: identity.namespace,
        value: identity.value,
        normalized: identity.normalized,
        verified_at: identity.verified.then(|| tx.now()),
        source: tx.source(),
        created_at,
    };
    if identity.kind == IdentityKind::LoyaltyCard && is_card_of_another(tx, &row).await? {
        return Err(Problem::IdentityTaken.at(fields.value, "the card is another customer's").into());
    }
    if !tx.insert_new(row.clone()).await? {
        return Err(conflict(tx, &row, fields.value).await?.into());
    }
    tx.tell(told(TimelineEntryKind::IdentityAdded, &row).change("value", None, Some(row.value)));
    Ok(row.id)
}

/// Why an identity cannot be written: the customer has it already, or it is verified for somebody else. Only staff, who
/// may find any customer, read for whom.
///
/// # Errors
/// The database fails, or whoever had it has just lost it.
pub(super) async fn conflict(tx: &mut Tx, row: &customer_identity::Model, field: &'static str) -> Outcome<Refusal> {
    let mut sql = tx.sql();
    sql.push("SELECT x.customer_id, c.number FROM customer_identities x JOIN customers c ON c.id = x.customer_id WHERE x.kind = ");
    sql.bind(row.kind.clone());
    sql.push(" AND x.namespace = ");
    sql.bind(row.namespace.clone());
    sql.push(" AND x.normalized = ");
    sql.bind(row.normalized.clone());
    let own = sql.parameter(row.customer_id);
    sql.push(&format!(
        " AND (x.customer_id = {own} OR x.verified_at IS NOT NULL) \
         ORDER BY CASE WHEN x.customer_id = {own} THEN 0 ELSE 1 END LIMIT 1"
    ));
    let holder = tx.row(sql).await?.ok_or(Stop::Again)?;
    if get::<Uuid>(&holder, "customer_id")? == row.customer_id {
        return Ok(Problem::IdentityExists.at(field, "the customer has it already; verify it if it is theirs"));
    }
    let message = match tx.caller().is_some_and(Caller::is_staff) {
        true => format!("it is verified for customer {}", get::<String>(&holder, "number")?),
        false => "it is verified for another customer".to_owned(),
    };
    Ok(Problem::IdentityTaken.at(field, message))
}

/// Whether the loyalty programme has given a card, or an account, of this number to somebody else.
async fn is_card_of_another(tx: &mut Tx, row: &customer_identity::Model) -> Outcome<bool> {
    let mut sql = tx.sql();
    let (number, own) = (sql.parameter(row.normalized.clone()), sql.parameter(row.customer_id));
    sql.push(&format!(
        "SELECT k.customer_id FROM loyalty_cards k WHERE k.number = {number} AND k.customer_id <> {own} \
         UNION ALL SELECT a.customer_id FROM loyalty_accounts a WHERE a.number = {number} AND a.customer_id <> {own}"
    ));
    Ok(tx.row(sql).await?.is_some())
}

/// What happened to an identity. Its value is personal, and stands beside the event.
pub(super) fn told(kind: TimelineEntryKind, row: &customer_identity::Model) -> Event {
    Event::of(kind, TimelineDomain::Customers)
        .customer(row.customer_id)
        .about(Kind::Identity, row.id)
        .label(row.kind.clone())
}
