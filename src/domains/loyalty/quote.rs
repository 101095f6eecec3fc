//! What a till wants to know before it takes points: how many there are, what they pay, what a basket earns.

use async_graphql::SimpleObject;
use c360_rules::earning::{self, ONE};
use c360_rules::identifier;
use c360_rules::money::Currency;
use c360_rules::worth;
use sea_orm::QueryResult;
use uuid::Uuid;

use super::earning::{multiplier, multipliers};
use super::store::{self, LoyaltyAccountStatus, LoyaltyCardStatus};
use crate::domains::customers::{CustomerIdentifier, seen};
use crate::domains::orders::store::OrderChannel;
use crate::error::Fault;
use crate::graphql::{DateTime, Decimal, Money, int};
use crate::read::{Access, Sql};
use crate::scope::Scope;

/// What a customer's points can do at a till now. Nothing is reserved: hold the points to be sure of them.
#[derive(Clone, Debug, SimpleObject)]
pub struct LoyaltyQuote {
    /// What has become of the account: only an active one can spend.
    account_status: LoyaltyAccountStatus,
    /// What has become of the card, if the customer was named by one: a card that was stopped cannot spend.
    card_status: Option<LoyaltyCardStatus>,
    /// The code of the customer's tier.
    tier_code: String,
    /// How many points can be spent now.
    spendable_points: i32,
    /// What one point pays, in whole units of the programme's currency; null if points do not pay at a till.
    point_value: Option<Decimal>,
    /// How many points can be used: no more than can be spent, than `points`, and than pay the basket in full. Null if
    /// points do not pay, or not in the basket's currency.
    usable_points: Option<i32>,
    /// What the usable points pay, rounded down to the currency's smallest coin.
    worth: Option<Money>,
    /// How many points the basket earns when it is sold now on this channel; null without a basket.
    earned_points: Option<i32>,
    /// From when on those can be spent; null without a basket.
    earned_points_available_at: Option<DateTime>,
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct Question {
    /// The customer; `None` for a customer's own token.
    pub(super) customer: Option<CustomerIdentifier>,
    /// The value of the goods, less discounts.
    pub(super) basket: Option<c360_rules::money::Money>,
    /// Where they are sold.
    pub(super) channel: OrderChannel,
    /// Most points to use.
    pub(super) points: Option<i64>,
}

/// Answers; `None` for whoever the caller may not know of, and for those who are not members.
///
/// # Errors
/// `BAD_USER_INPUT`; the database fails.
pub(super) async fn quote(scope: &Scope, question: Question) -> Result<Option<LoyaltyQuote>, Fault> {
    let Some(row) = account(scope, question.customer.as_ref()).await? else { return Ok(None) };
    let status: String = row.try_get("", "status")?;
    let status = LoyaltyAccountStatus::from_column(&status)?;
    let card: Option<String> = row.try_get("", "card")?;
    let card_status = card.as_deref().map(LoyaltyCardStatus::from_column).transpose()?;
    let spendable: i64 = row.try_get("", "spendable")?;
    let can_spend =
        status == LoyaltyAccountStatus::Active && card_status.is_none_or(|card| card == LoyaltyCardStatus::Active);
    let spendable = if can_spend { spendable } else { 0 };
    let usable = usable(&row, &question, spendable)?;
    let earned = match question.basket {
        Some(basket) => Some(earns(scope, &row, basket, question.channel).await?),
        None => None,
    };
    let value: Option<i32> = row.try_get("", "point_value_bp")?;
    Ok(Some(LoyaltyQuote {
        account_status: status,
        card_status,
        tier_code: row.try_get("", "tier_code")?,
        spendable_points: int(spendable),
        point_value: value.map(|value| Decimal::scaled(value.into(), 4)),
        usable_points: usable.map(|(points, _)| int(points)),
        worth: usable.map(|(_, worth)| Money::new(worth.minor, worth.currency.code())),
        earned_points: earned.map(|(points, _)| int(points)),
        earned_points_available_at: earned.map(|(_, at)| at),
    }))
}

/// How many points can be used, and what they pay.
fn usable(
    row: &QueryResult,
    question: &Question,
    spendable: i64,
) -> Result<Option<(i64, c360_rules::money::Money)>, Fault> {
    let (value, currency): (Option<i32>, String) = (row.try_get("", "point_value_bp")?, row.try_get("", "currency")?);
    let (Some(value), Ok(currency)) = (value.and_then(|value| u32::try_from(value).ok()), currency.parse::<Currency>())
    else {
        return Ok(None);
    };
    let most = spendable.min(question.points.unwrap_or(i64::MAX));
    let most = match question.basket {
        Some(basket) if basket.currency != currency => return Ok(None),
        Some(basket) => most.min(worth::points_for(basket, value).unwrap_or(0)),
        None => most,
    };
    let mut pays = worth::worth(most, value, currency);
    // The last point may be worth more than what is left to pay.
    if let Some(basket) = question.basket {
        pays.minor = pays.minor.min(basket.minor);
    }
    Ok(Some((most, pays)))
}

/// How many points a basket earns, and from when on they can be spent.
async fn earns(
    scope: &Scope,
    row: &QueryResult,
    basket: c360_rules::money::Money,
    channel: OrderChannel,
) -> Result<(i64, DateTime), Fault> {
    let (programme, customer): (Uuid, Uuid) = (row.try_get("", "programme_id")?, row.try_get("", "customer_id")?);
    let rows = scope.rows(multipliers(scope.backend(), programme, customer).finish()).await?;
    let multipliers = rows.iter().map(multiplier).collect::<Result<Vec<_>, _>>()?;
    let basis = |column: &str| row.try_get::<i32>("", column).map(|basis| u32::try_from(basis).unwrap_or(ONE));
    let (per_unit, tier) = (basis("points_per_unit_bp")?, basis("multiplier_bp")?);
    let rule = earning::rule(per_unit, &multipliers, tier, &channel.as_str().to_owned(), scope.now());
    let (available, _) = earning::times(scope.now(), row.try_get("", "pending_days")?, None);
    Ok((rule.points(basket), available.into()))
}

/// The account of a customer in the active programme, its programme and tier, and what can be spent.
async fn account(scope: &Scope, by: Option<&CustomerIdentifier>) -> Result<Option<QueryResult>, Fault> {
    let mut sql = Sql::new(scope.backend());
    let now = sql.parameter(scope.now());
    let card = match by {
        Some(CustomerIdentifier::LoyaltyNumber(text)) => identifier::loyalty_number(text).unwrap_or_default(),
        _ => String::new(),
    };
    let card = sql.parameter(card);
    sql.push(&format!(
        "SELECT x.customer_id, x.programme_id, x.status, t.code AS tier_code, t.multiplier_bp, p.points_per_unit_bp, \
         p.pending_days, p.currency, p.point_value_bp, \
         (SELECT k.status FROM loyalty_cards k WHERE k.number = {card}) AS card, \
         (SELECT CAST(COALESCE(SUM(l.remaining - l.held), 0) AS bigint) FROM points_lots l WHERE l.account_id = x.id \
          AND l.remaining > 0 AND l.available_at <= {now} AND (l.expires_at IS NULL OR l.expires_at > {now})) AS spendable \
         FROM loyalty_accounts x JOIN loyalty_programmes p ON p.id = x.programme_id JOIN loyalty_tiers t ON t.id = x.tier_id \
         WHERE {} AND x.customer_id IN (",
        store::OF_ACTIVE_PROGRAMME,
    ));
    seen(scope, by, &mut sql)?;
    sql.push(")");
    for condition in scope.row_conditions(Access::Customer, &mut sql) {
        sql.push(&format!(" AND {condition}"));
    }
    sql.push(" LIMIT 2");
    let mut rows = scope.rows(sql.finish()).await?;
    if rows.len() > 1 {
        let message = "several customers share this: name the customer by id";
        return Err(Fault::bad_input("customer", message).because("AMBIGUOUS_IDENTIFIER"));
    }
    Ok(rows.pop())
}
