//! Checks every ledger against its own rows, by sums in the database, so that it works at any size; the search index; and
//! the event log, event by event.

use c360_rules::id::{self, Kind};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, Statement};
use uuid::Uuid;

use crate::clock::Clock;
use crate::events::check::{Against, check};
use crate::reindex::reindex;

/// Most violations of one law that are told one by one.
const TOLD: usize = 20;

/// A law that every row of a kind keeps.
struct Law {
    name: &'static str,
    kind: Kind,
    /// Gives the id of each row that breaks it, and by how much (`is` and `ought`).
    broken: &'static str,
}

const LAWS: &[Law] = &[
    Law {
        name: "active points are what the active lots have left and nobody holds",
        kind: Kind::LoyaltyAccount,
        broken: "SELECT a.id, a.active_points AS is_now, COALESCE(l.points, 0) AS ought FROM loyalty_accounts a LEFT JOIN \
                 (SELECT account_id, SUM(remaining - held) AS points FROM points_lots WHERE state = 'ACTIVE' GROUP BY account_id) l \
                 ON l.account_id = a.id WHERE a.active_points <> COALESCE(l.points, 0)",
    },
    Law {
        name: "pending points are what the pending lots have left",
        kind: Kind::LoyaltyAccount,
        broken: "SELECT a.id, a.pending_points AS is_now, COALESCE(l.points, 0) AS ought FROM loyalty_accounts a LEFT JOIN \
                 (SELECT account_id, SUM(remaining) AS points FROM points_lots WHERE state = 'PENDING' GROUP BY account_id) l \
                 ON l.account_id = a.id WHERE a.pending_points <> COALESCE(l.points, 0)",
    },
    Law {
        name: "held points are what the lots hold",
        kind: Kind::LoyaltyAccount,
        broken: "SELECT a.id, a.held_points AS is_now, COALESCE(l.points, 0) AS ought FROM loyalty_accounts a LEFT JOIN \
                 (SELECT account_id, SUM(held) AS points FROM points_lots GROUP BY account_id) l \
                 ON l.account_id = a.id WHERE a.held_points <> COALESCE(l.points, 0)",
    },
    Law {
        name: "active, pending and held points together are the sum of the ledger",
        kind: Kind::LoyaltyAccount,
        broken: "SELECT a.id, a.active_points + a.pending_points + a.held_points AS is_now, COALESCE(t.points, 0) AS ought \
                 FROM loyalty_accounts a LEFT JOIN \
                 (SELECT account_id, SUM(points) AS points FROM loyalty_transactions GROUP BY account_id) t ON t.account_id = a.id \
                 WHERE a.active_points + a.pending_points + a.held_points <> COALESCE(t.points, 0)",
    },
    Law {
        name: "spent points are what was redeemed and not given back",
        kind: Kind::LoyaltyAccount,
        broken: "SELECT a.id, a.spent_points AS is_now, t.spent AS ought FROM loyalty_accounts a JOIN \
                 (SELECT account_id, -SUM(CASE WHEN kind IN ('REDEMPTION','REFUND') THEN points ELSE 0 END) AS spent, \
                  SUM(CASE WHEN kind IN ('TRANSFER_IN','TRANSFER_OUT') THEN 1 ELSE 0 END) AS transfers \
                  FROM loyalty_transactions GROUP BY account_id) t ON t.account_id = a.id \
                 WHERE t.transfers = 0 AND a.spent_points <> t.spent",
    },
    Law {
        name: "expired points are the sum of the expirations",
        kind: Kind::LoyaltyAccount,
        broken: "SELECT a.id, a.expired_points AS is_now, t.expired AS ought FROM loyalty_accounts a JOIN \
                 (SELECT account_id, -SUM(CASE WHEN kind = 'EXPIRATION' THEN points ELSE 0 END) AS expired, \
                  SUM(CASE WHEN kind IN ('TRANSFER_IN','TRANSFER_OUT') THEN 1 ELSE 0 END) AS transfers \
                  FROM loyalty_transactions GROUP BY account_id) t ON t.account_id = a.id \
                 WHERE t.transfers = 0 AND a.expired_points <> t.expired",
    },
    Law {
        name: "lifetime points and what is owed are the accruals less what was taken back",
        kind: Kind::LoyaltyAccount,
        broken: "SELECT a.id, a.lifetime_points + a.owed_points AS is_now, t.earned AS ought FROM loyalty_accounts a JOIN \
                 (SELECT account_id, SUM(CASE WHEN kind = 'ACCRUAL' OR (kind = 'REVERSAL') THEN points ELSE 0 END) AS earned, \
                  SUM(CASE WHEN kind IN ('TRANSFER_IN','TRANSFER_OUT') THEN 1 ELSE 0 END) AS transfers \
                  FROM loyalty_transactions GROUP BY account_id) t ON t.account_id = a.id \
                 WHERE t.transfers = 0 AND a.lifetime_points + a.owed_points <> t.earned",
    },
    Law {
        name: "a lot has left what its transactions gave and took",
        kind: Kind::PointsLot,
        broken: "SELECT l.id, l.remaining AS is_now, COALESCE(x.points, 0) AS ought FROM points_lots l LEFT JOIN \
                 (SELECT lot_id, SUM(points) AS points FROM points_allocations GROUP BY lot_id) x ON x.lot_id = l.id \
                 WHERE l.remaining <> COALESCE(x.points, 0)",
    },
    Law {
        name: "a transaction's points are what it gave to lots and took from them",
        kind: Kind::LoyaltyTransaction,
        broken: "SELECT t.id, t.points AS is_now, COALESCE(x.points, 0) AS ought FROM loyalty_transactions t LEFT JOIN \
                 (SELECT transaction_id, SUM(points) AS points FROM points_allocations GROUP BY transaction_id) x \
                 ON x.transaction_id = t.id WHERE t.points <> COALESCE(x.points, 0)",
    },
    Law {
        name: "a lot holds what the open holds have of it",
        kind: Kind::PointsLot,
        broken: "SELECT l.id, l.held AS is_now, COALESCE(x.points, 0) AS ought FROM points_lots l LEFT JOIN \
                 (SELECT a.lot_id, SUM(a.points) AS points FROM points_hold_allocations a JOIN points_holds h ON h.id = a.hold_id \
                  WHERE h.status = 'HELD' GROUP BY a.lot_id) x ON x.lot_id = l.id WHERE l.held <> COALESCE(x.points, 0)",
    },
    Law {
        name: "what was captured of a hold is what its transaction took",
        kind: Kind::PointsHold,
        broken: "SELECT h.id, h.captured_points AS is_now, -t.points AS ought FROM points_holds h \
                 JOIN loyalty_transactions t ON t.id = h.transaction_id WHERE h.captured_points <> -t.points",
    },
    Law {
        name: "a redemption's points were taken once, and given back if it was called off",
        kind: Kind::Redemption,
        broken: "SELECT r.id, -t.points - COALESCE(b.points, 0) AS is_now, CASE r.status WHEN 'CANCELLED' THEN 0 ELSE r.points END AS ought \
                 FROM redemptions r JOIN loyalty_transactions t ON t.id = r.transaction_id LEFT JOIN \
                 (SELECT reverses_id, SUM(points) AS points FROM loyalty_transactions WHERE reverses_id IS NOT NULL GROUP BY reverses_id) b \
                 ON b.reverses_id = t.id \
                 WHERE -t.points - COALESCE(b.points, 0) <> CASE r.status WHEN 'CANCELLED' THEN 0 ELSE r.points END",
    },
    Law {
        name: "an order's refunded total is the sum of its refunds that did not fail",
        kind: Kind::Order,
        broken: "SELECT o.id, o.refunded_total AS is_now, COALESCE(r.amount, 0) AS ought FROM orders o LEFT JOIN \
                 (SELECT order_id, SUM(amount) AS amount FROM refunds WHERE status <> 'FAILED' GROUP BY order_id) r \
                 ON r.order_id = o.id WHERE o.refunded_total <> COALESCE(r.amount, 0)",
    },
    Law {
        name: "a value before and after belongs to an event of the same customer",
        kind: Kind::Event,
        broken: "SELECT v.event_id AS id, 1 AS is_now, 0 AS ought FROM event_values v LEFT JOIN events e ON e.id = v.event_id \
                 WHERE e.id IS NULL OR COALESCE(e.customer_id <> v.customer_id, (e.customer_id IS NULL) <> (v.customer_id IS NULL))",
    },
    Law {
        name: "an event without the words that it was sealed with is one of an erased customer",
        kind: Kind::Event,
        broken: "SELECT e.id, 0 AS is_now, 1 AS ought FROM events e LEFT JOIN customers c ON c.id = e.customer_id \
                 LEFT JOIN customers s ON s.id = c.merged_into_id \
                 WHERE e.words_digest IS NOT NULL AND e.words_salt IS NULL \
                 AND COALESCE(c.status, '') <> 'ERASED' AND COALESCE(s.status, '') <> 'ERASED'",
    },
];

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many laws were checked.
    pub laws: usize,
    /// How many rows break one.
    pub violations: usize,
    /// The position of the last event that is sealed.
    pub sealed: i64,
    /// What is not wrong, and worth knowing.
    pub notices: Vec<String>,
}

/// Whether customers are found by what they are called, and by nothing else.
async fn search_index(
    db: &DatabaseConnection,
    findings: &mut Findings,
    tell: &mut impl FnMut(String),
) -> Result<(), DbErr> {
    let (mut told, law) = (0, "a customer is found by the names and numbers of its records");
    let summary = reindex(db, false, |_, wrong| {
        for id in wrong.iter().take(TOLD - told) {
            tell(format!("{}: run `c360 reindex` ({law})", id::encode(Kind::Customer, *id)));
            told += 1;
        }
    })
    .await?;
    let wrong = usize::try_from(summary.wrong).unwrap_or(usize::MAX);
    if wrong > told {
        tell(format!("and {} more ({law})", wrong - told));
    }
    findings.laws += 1;
    findings.violations += wrong;
    Ok(())
}

/// Checks every law; `tell` is called with a line for each violation, up to a bound for each law.
///
/// # Errors
/// The database cannot be read.
pub async fn verify(db: &DatabaseConnection, tell: impl FnMut(String)) -> Result<Findings, DbErr> {
    verify_against(db, &Against::default(), tell).await
}

/// Checks every law, and the event log against keys and heads from elsewhere, too.
///
/// # Errors
/// The database cannot be read.
pub async fn verify_against(
    db: &DatabaseConnection,
    against: &Against,
    mut tell: impl FnMut(String),
) -> Result<Findings, DbErr> {
    let mut findings = Findings::default();
    for law in LAWS {
        findings.laws += 1;
        let text = format!(
            "SELECT id, CAST(is_now AS bigint) AS is_now, CAST(ought AS bigint) AS ought FROM ({}) broken ORDER BY id",
            law.broken
        );
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), text)).await?;
        findings.violations += rows.len();
        for row in rows.iter().take(TOLD) {
            let id: Uuid = row.try_get("", "id")?;
            let (is, ought): (i64, i64) = (row.try_get("", "is_now")?, row.try_get("", "ought")?);
            tell(format!("{}: {is}, but {ought} would be right ({})", id::encode(law.kind, id), law.name));
        }
        if rows.len() > TOLD {
            tell(format!("and {} more ({})", rows.len() - TOLD, law.name));
        }
    }
    search_index(db, &mut findings, &mut tell).await?;
    let log = check(db, against, Clock::System.now(), &mut tell).await?;
    findings.laws += 1;
    findings.violations += log.violations;
    findings.sealed = log.sealed;
    findings.notices = log.notices;
    Ok(findings)
}
