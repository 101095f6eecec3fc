//! Members and their cards.

use async_graphql::InputObject;
use c360_entities::{customer_identity, loyalty_account, loyalty_card, loyalty_programme};
use c360_rules::id::Kind;
use c360_rules::identifier;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::object::{LoyaltyAccount, LoyaltyCard};
use super::super::{numbers, standing, store};
use super::keyed;
use crate::domains::customers::{CustomerIdentifier, on_behalf, verified, whose};
use crate::error::Fault;
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::payload;
use crate::write::{Action, Locked, Outcome, Problem, Refusal, Tx, Work};

/// How often a number is made anew that somebody has already.
const ATTEMPTS: usize = 5;

/// A customer to become a member.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyEnrollInput {
    /// The customer; a customer's own token may leave it out.
    customer: Option<CustomerIdentifier>,
    /// The number on the card that is handed out: letters and digits. A new number if left out.
    card_number: Option<String>,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: without it, a repetition is refused as `ALREADY_MEMBER`.
    idempotency_key: Option<String>,
}

/// A card to be stopped.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyCardBlockInput {
    /// The customer; a customer's own token may leave it out.
    customer: Option<CustomerIdentifier>,
    /// The number on the card; the card in use if left out.
    number: Option<String>,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: the card is stopped once.
    idempotency_key: String,
}

/// A card to be replaced.
#[derive(Clone, Debug, InputObject)]
pub struct LoyaltyCardReplaceInput {
    /// The customer; a customer's own token may leave it out.
    customer: Option<CustomerIdentifier>,
    /// The number on the old card; the card in use, or else the one that was blocked last, if left out.
    number: Option<String>,
    /// The number on the new card that is handed out: letters and digits. A new number if left out.
    new_number: Option<String>,
    /// Why you do this on the customer's behalf; staff must say.
    reason: Option<String>,
    /// Makes it safe to send the request again: one new card for each key.
    idempotency_key: String,
}

/// An account, and a card of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Carded {
    account: Uuid,
    card: Uuid,
}

payload! {
    /// What came of becoming a member.
    LoyaltyEnrollPayload of Carded {
        /// The account.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
        /// Its card.
        card: LoyaltyCard = |made| Some(store::card(made.card)),
    }
    LoyaltyEnrollUserError {
        LoyaltyEnrollErrorCode:
        NotFound, AlreadyMember, NumberTaken, InvalidText, Blank, TooLong,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of stopping a card.
    LoyaltyCardBlockPayload of Carded {
        /// The card.
        card: LoyaltyCard = |made| Some(store::card(made.card)),
        /// Its account, which goes on.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
    }
    LoyaltyCardBlockUserError {
        LoyaltyCardBlockErrorCode:
        NotFound, CardBlocked, InvalidText, Blank, TooLong,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of replacing a card.
    LoyaltyCardReplacePayload of Carded {
        /// The new card.
        card: LoyaltyCard = |made| Some(store::card(made.card)),
        /// Its account.
        account: LoyaltyAccount = |made| Some(store::account(made.account)),
    }
    LoyaltyCardReplaceUserError {
        LoyaltyCardReplaceErrorCode:
        NotFound, NotActive, CallerNotVerified, CardBlocked, NumberTaken, InvalidText, Blank, TooLong,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

keyed!(LoyaltyCardBlockInput = "loyaltyCardBlock");
keyed!(LoyaltyCardReplaceInput = "loyaltyCardReplace");

impl Action for LoyaltyEnrollInput {
    const NAME: &'static str = "loyaltyEnroll";

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }
}

impl Work for LoyaltyEnrollInput {
    type Made = Carded;

    async fn run(&self, tx: &mut Tx) -> Outcome<Carded> {
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let number = given("cardNumber", self.card_number.as_deref())?;
        let customer = whose(tx, self.customer.as_ref()).await?;
        if account(tx, &customer).await?.is_some() {
            return Err(Problem::AlreadyMember.at("customer", "the customer is a member already").into());
        }
        let programme = loyalty_programme::Entity::find().filter(store::is_active_programme());
        let Some(programme) = tx.one(programme).await? else {
            return Err(Problem::NotFound.at("", "there is no loyalty programme to join").into());
        };
        let tier_id = standing::lowest(tx, programme.id).await?;
        let row = |tx: &Tx, number| loyalty_account::Model {
            id: tx.new_id(),
            programme_id: programme.id,
            customer_id: customer.id,
            number,
            status: "ACTIVE".to_owned(),
            tier_id,
            tier_until: None,
            active_points: 0,
            pending_points: 0,
            held_points: 0,
            owed_points: 0,
            spent_points: 0,
            expired_points: 0,
            lifetime_points: 0,
            qualifying_points: 0,
            version: 1,
            enrolled_at: tx.now(),
            earning: "ORDERS".to_owned(),
            review_at: None,
            kept_points: None,
        };
        for _ in 0..ATTEMPTS {
            let account = row(tx, number.clone().map_or_else(numbers::card_number, Ok)?);
            if is_free(tx, &account.number).await? && tx.insert_new(account.clone()).await? {
                let card = hand_out(tx, &account, account.number.clone()).await?;
                let joined = Event::of(TimelineEntryKind::LoyaltyEnrolled, TimelineDomain::Loyalty)
                    .customer(customer.id)
                    .about(Kind::LoyaltyAccount, account.id)
                    .label(account.number)
                    .because(reason);
                tx.tell(joined);
                return Ok(Carded { account: account.id, card });
            }
            if number.is_some() {
                return Err(taken("cardNumber"));
            }
        }
        Err(Fault::internal().into())
    }
}

impl Work for LoyaltyCardBlockInput {
    type Made = Carded;

    async fn run(&self, tx: &mut Tx) -> Outcome<Carded> {
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let number = given("number", self.number.as_deref())?;
        let customer = whose(tx, self.customer.as_ref()).await?;
        let account = account(tx, &customer).await?.ok_or_else(|| Refusal::not_found("customer"))?;
        let mut card = card(tx, &account, number.as_deref(), |status| status == "ACTIVE").await?;
        if card.status != "ACTIVE" {
            return Err(Problem::CardBlocked.at("number", "this card was stopped before").into());
        }
        card.status = "BLOCKED".to_owned();
        card.blocked_at = Some(tx.now());
        tell(tx, TimelineEntryKind::LoyaltyCardBlocked, &account, &card.number, reason);
        let made = Carded { account: account.id, card: card.id };
        tx.put(card).await?;
        changed(tx, account).await?;
        Ok(made)
    }
}

impl Work for LoyaltyCardReplaceInput {
    type Made = Carded;

    async fn run(&self, tx: &mut Tx) -> Outcome<Carded> {
        let reason = on_behalf(tx, self.reason.as_deref())?;
        let number = given("number", self.number.as_deref())?;
        let new_number = given("newNumber", self.new_number.as_deref())?;
        let customer = whose(tx, self.customer.as_ref()).await?;
        verified(tx, customer.id).await?;
        let account = account(tx, &customer).await?.ok_or_else(|| Refusal::not_found("customer"))?;
        if account.status == "CLOSED" {
            return Err(Problem::NotActive.at("customer", "the loyalty account is closed").into());
        }
        let mut old = card(tx, &account, number.as_deref(), |status| status != "REPLACED").await?;
        if old.status == "REPLACED" {
            return Err(Problem::CardBlocked.at("number", "this card was replaced before").into());
        }
        old.status = "REPLACED".to_owned();
        old.blocked_at = old.blocked_at.or(Some(tx.now()));
        tx.put(old).await?;
        for _ in 0..ATTEMPTS {
            let number = new_number.clone().map_or_else(numbers::card_number, Ok)?;
            if is_free(tx, &number).await? {
                tell(tx, TimelineEntryKind::LoyaltyCardReplaced, &account, &number, reason);
                let card = hand_out(tx, &account, number).await?;
                let account = changed(tx, account).await?;
                return Ok(Carded { account, card });
            }
            if new_number.is_some() {
                return Err(taken("newNumber"));
            }
        }
        Err(Fault::internal().into())
    }
}

/// A number that an input gives, as cards are compared.
fn given(field: &'static str, number: Option<&str>) -> Outcome<Option<String>> {
    let read =
        |text| identifier::loyalty_number(text).map_err(|error| Problem::InvalidText.at(field, error.to_string()));
    Ok(number.map(read).transpose()?)
}

fn taken(field: &'static str) -> crate::write::Stop {
    Problem::NumberTaken.at(field, "somebody has this number already").into()
}

/// The account of a locked customer in the active programme.
async fn account(tx: &mut Tx, customer: &Locked) -> Outcome<Option<loyalty_account::Model>> {
    let of_customer = loyalty_account::Column::CustomerId.eq(customer.id);
    tx.one(loyalty_account::Entity::find().filter(of_customer).filter(store::in_active_programme())).await
}

/// A card of an account: the one with this number, or the one in use, or else the newest that fits.
async fn card(
    tx: &mut Tx,
    account: &loyalty_account::Model,
    number: Option<&str>,
    fits: impl Fn(&str) -> bool,
) -> Outcome<loyalty_card::Model> {
    let cards = loyalty_card::Entity::find().filter(loyalty_card::Column::AccountId.eq(account.id));
    let mut cards = tx.all(cards.order_by_desc(loyalty_card::Column::IssuedAt)).await?;
    match number {
        Some(number) => cards.retain(|card| card.number == number),
        None => cards.retain(|card| fits(&card.status)),
    }
    cards.sort_by_key(|card| card.status != "ACTIVE");
    cards.into_iter().next().ok_or_else(|| Refusal::not_found("number").into())
}

/// Whether no account, card or other customer has a number.
async fn is_free(tx: &mut Tx, number: &str) -> Outcome<bool> {
    let mut sql = tx.sql();
    let number = sql.parameter(number.to_owned());
    sql.push(&format!(
        "SELECT 1 AS taken WHERE EXISTS (SELECT 1 FROM loyalty_accounts WHERE number = {number}) \
         OR EXISTS (SELECT 1 FROM loyalty_cards WHERE number = {number}) \
         OR EXISTS (SELECT 1 FROM customer_identities WHERE kind = 'LOYALTY_CARD' AND normalized = {number})"
    ));
    Ok(tx.row(sql).await?.is_none())
}

/// Gives an account a card, by whose number the customer is found from now on; the card's id.
async fn hand_out(tx: &mut Tx, account: &loyalty_account::Model, number: String) -> Outcome<Uuid> {
    let card = loyalty_card::Model {
        id: tx.new_id(),
        account_id: account.id,
        customer_id: account.customer_id,
        number: number.clone(),
        status: "ACTIVE".to_owned(),
        issued_at: tx.now(),
        blocked_at: None,
    };
    let identity = customer_identity::Model {
        id: tx.new_id(),
        customer_id: account.customer_id,
        kind: "LOYALTY_CARD".to_owned(),
        namespace: String::new(),
        value: number.clone(),
        normalized: number,
        verified_at: Some(tx.now()),
        source: tx.source(),
        created_at: tx.now(),
    };
    let id = card.id;
    // Another transaction may have taken the number meanwhile.
    if !tx.insert_new(card).await? || !tx.insert_new(identity).await? {
        return Err(crate::write::Stop::Again);
    }
    let version = ("version", Expr::col("version").add(1));
    tx.set("customers", ("id", account.customer_id), [version, ("updated_at", tx.now().into())]).await?;
    Ok(id)
}

fn tell(tx: &mut Tx, kind: TimelineEntryKind, account: &loyalty_account::Model, number: &str, reason: Option<String>) {
    let event = Event::of(kind, TimelineDomain::Loyalty)
        .customer(account.customer_id)
        .about(Kind::LoyaltyAccount, account.id)
        .label(number)
        .because(reason);
    tx.tell(event);
}

/// Gives an account a new version; its id.
async fn changed(tx: &mut Tx, mut account: loyalty_account::Model) -> Outcome<Uuid> {
    account.version += 1;
    let id = account.id;
    tx.put(account).await?;
    Ok(id)
}
