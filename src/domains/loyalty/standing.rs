//! The tier of an account: reached at once, lost only at a review.

use c360_entities::{loyalty_account, loyalty_tier};
use c360_rules::id::Kind;
use c360_rules::tier::{self, Standing, Terms, Tier};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::ledger::Ledger;
use crate::error::Fault;
use crate::events::{Event, TimelineDomain, TimelineEntryKind};
use crate::write::{Outcome, Tx, get};

/// The kinds of entries whose points count for the tier.
pub(super) const COUNTED: [&str; 2] = ["ACCRUAL", "REVERSAL"];

/// Whether the tier has to be looked at: points that count have moved, or the time has come.
pub(super) fn is_due(ledger: &Ledger, now: DateTime<Utc>) -> bool {
    ledger.has_earned() || ledger.row.review_at.is_some_and(|at| at <= now)
}

/// Reviews the tier of an account whose entries are written, and says when the time for the next review comes.
pub(super) async fn review(tx: &mut Tx, ledger: &mut Ledger) -> Outcome<()> {
    let now = tx.now();
    let terms = Terms::days(ledger.programme.qualification_days, ledger.programme.grace_days);
    let since = now.checked_sub_signed(terms.qualification).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let (gained, oldest) = gained(tx, ledger.row.id, since).await?;
    let of_programme = loyalty_tier::Column::ProgrammeId.eq(ledger.programme.id);
    let rows = tx.all(loyalty_tier::Entity::find().filter(of_programme)).await?;
    let tiers: Vec<_> = rows.iter().map(rule).collect();
    let before = rows.iter().find(|tier| tier.id == ledger.row.tier_id).ok_or_else(Fault::internal)?;
    let standing = Standing { rank: before.rank.into(), until: ledger.row.tier_until };
    let standing = tier::review(standing, gained, &tiers, terms, now);
    let after = rows.iter().find(|tier| i32::from(tier.rank) == standing.rank).ok_or_else(Fault::internal)?;
    if after.id != before.id {
        let changed = Event::of(TimelineEntryKind::TierChanged, TimelineDomain::Loyalty)
            .customer(ledger.row.customer_id)
            .about(Kind::LoyaltyAccount, ledger.row.id)
            .label(after.code.clone())
            .change("tier", Some(before.code.clone()), Some(after.code.clone()));
        tx.tell(changed);
    }
    let next = tier::next_review(standing, terms, now);
    // What leaves the period before the review does not hold the tier.
    let kept = match next.and_then(|at| at.checked_sub_signed(terms.qualification)) {
        Some(since) => Some(self::gained(tx, ledger.row.id, since).await?.0),
        None => None,
    };
    let leaves = oldest.and_then(|at| at.checked_add_signed(terms.qualification));
    ledger.row.tier_id = after.id;
    ledger.row.tier_until = standing.until;
    ledger.row.qualifying_points = gained.max(0);
    ledger.row.kept_points = kept;
    ledger.row.review_at = next.into_iter().chain(leaves).min();
    Ok(())
}

/// The lowest tier of a programme.
///
/// # Errors
/// There is none; the database fails.
pub(super) async fn lowest(tx: &mut Tx, programme_id: Uuid) -> Outcome<Uuid> {
    let tiers = loyalty_tier::Entity::find().filter(loyalty_tier::Column::ProgrammeId.eq(programme_id));
    let lowest = tx.all(tiers).await?.into_iter().min_by_key(|tier| (tier.threshold_points, tier.rank));
    Ok(lowest.ok_or_else(Fault::internal)?.id)
}

/// The rank of an account's tier.
///
/// # Errors
/// The database fails.
pub(super) async fn rank(tx: &mut Tx, account: &loyalty_account::Model) -> Outcome<i16> {
    let tier = tx.one(loyalty_tier::Entity::find_by_id(account.tier_id)).await?;
    Ok(tier.ok_or_else(Fault::internal)?.rank)
}

fn rule(row: &loyalty_tier::Model) -> Tier {
    Tier { rank: row.rank.into(), threshold: row.threshold_points }
}

/// The points gained since an instant, less those taken back, and when the first of them was.
async fn gained(tx: &mut Tx, account_id: Uuid, since: DateTime<Utc>) -> Outcome<(i64, Option<DateTime<Utc>>)> {
    let mut sql = tx.sql();
    sql.push("SELECT CAST(COALESCE(SUM(points), 0) AS bigint) AS gained, MIN(occurred_at) AS oldest FROM loyalty_transactions WHERE ");
    let counted = sql.one_of_words("kind", &COUNTED);
    sql.push(&counted);
    sql.push(" AND account_id = ");
    sql.bind(account_id);
    sql.push(" AND occurred_at > ");
    sql.bind(since);
    let row = tx.row(sql).await?.ok_or_else(Fault::internal)?;
    Ok((get(&row, "gained")?, get(&row, "oldest")?))
}
