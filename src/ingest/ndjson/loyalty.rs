//! Entries of a points ledger that the source keeps.

use c360_entities::event;
use c360_rules::id::Kind;
use c360_rules::ledger::{LedgerError, TransactionKind};
use uuid::Uuid;

use super::book::{Posted, Posting};
use super::draft::{Draft, Slot};
use super::items::LoyaltyTransaction;
use super::parse::Problem;

/// An entry. It is new: entries never change.
pub(super) fn apply(draft: &mut Draft<'_>, item: &LoyaltyTransaction, slot: Slot) -> Result<(), Problem> {
    if !slot.is_new {
        return Err(Problem::new(
            "version",
            "an entry of the ledger never changes: bring the correction as another entry",
        ));
    }
    check(item)?;
    let link = |field: &'static str, kind, link: &Option<super::items::Link>| match link {
        Some(link) => draft.known.linked(field, kind, &item.source.0, slot.customer_id, link).map(Some),
        None => Ok(None),
    };
    let order_id = link("order", "order", &item.order)?;
    let reverses_id = link("reverses", "loyaltyTransaction", &item.reverses)?;
    let posting = Posting {
        source: &item.source.0,
        name: format!("item/{}", item.id.0),
        reason: item.reason.as_ref().map(|reason| reason.0.clone()),
        reverses_id,
        id: Some(slot.id),
    };
    let none = || Problem::missing("customer", "the customer has no loyalty account");
    let book = draft.known.books.get_mut(&slot.customer_id).ok_or_else(none)?;
    if book.row.earning != "LEDGER" {
        return Err(Problem::new("customer", "the account earns by its orders: loyalty.earning is not LEDGER"));
    }
    let (points, at) = (item.points.0, item.occurred_at.0);
    let posted = match item.kind.0 {
        "ACCRUAL" => book.accrue(points, at, order_id, &posting),
        "ADJUSTMENT" => book.adjust(points, at, &posting),
        "REDEMPTION" => book.redeem(-points, at, &posting),
        "REVERSAL" => book.take_back(-points, at, order_id, &posting),
        "EXPIRATION" => book.expire(-points, at, &posting),
        _ => {
            let unknown = || Problem::new("reverses", "not a redemption");
            book.refund(reverses_id.unwrap_or_default(), points, at, &posting).ok_or_else(unknown)?
        }
    };
    let posted = posted.map_err(|error| match error {
        // What gives them may be still to come.
        LedgerError::Insufficient { .. } => Problem::missing("points", error.to_string()),
        error => Problem::new("points", error.to_string()),
    })?;
    log(draft, &item.source.0, slot.customer_id, &posted, None);
    Ok(())
}

fn check(item: &LoyaltyTransaction) -> Result<(), Problem> {
    let (kind, points) = (item.kind.0, item.points.0);
    let sound = match kind {
        "ACCRUAL" | "REFUND" => points > 0,
        "ADJUSTMENT" => points != 0,
        _ => points < 0,
    };
    if !sound {
        return Err(Problem::new(
            "points",
            "ACCRUAL and REFUND are above zero, REDEMPTION, REVERSAL, EXPIRATION below",
        ));
    }
    if item.reverses.is_some() != (kind == "REFUND") {
        return Err(Problem::new("reverses", "a REFUND needs it, and nothing else has it"));
    }
    if item.order.is_some() && !matches!(kind, "ACCRUAL" | "REVERSAL") {
        return Err(Problem::new("order", "only for ACCRUAL and REVERSAL"));
    }
    Ok(())
}

/// Tells what happened to the points.
pub(super) fn log(draft: &mut Draft<'_>, source: &str, customer_id: Uuid, posted: &[Posted], label: Option<&str>) {
    for entry in posted {
        let kind = match entry.kind {
            TransactionKind::Accrual => "POINTS_EARNED",
            TransactionKind::Adjustment => "POINTS_ADJUSTED",
            TransactionKind::Redemption => "POINTS_REDEEMED",
            TransactionKind::Refund => "POINTS_REFUNDED",
            TransactionKind::Expiration => "POINTS_EXPIRED",
            _ => "POINTS_TAKEN_BACK",
        };
        let subject = (Kind::LoyaltyTransaction, entry.id);
        let event = draft.world.event(source, customer_id, (kind, "LOYALTY"), subject, entry.at);
        draft.log(true, event::Model { label: label.map(str::to_owned), points: Some(entry.points), ..event });
    }
}
