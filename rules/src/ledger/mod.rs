//! The points ledger of one account: lots of points, the entries that changed them, and the laws between both.
//!
//! Always, for every account (see [`Account::check`]):
//!
//! - `active + pending + held = Σ remaining of open lots = Σ points of entries`;
//! - each lot's `remaining` is the sum of the entries' allocations to it;
//! - nothing is negative, and entries are only ever appended: a correction is a new entry.
//!
//! Pending, active and held are states of lots, not entries: to activate, hold and release points appends nothing
//! (but see [`Account::release`]).
//!
//! The model reads no clock. Points are spent and taken only from lots that are active and not past their expiry
//! at the instant given; call [`Account::sweep`] before other commands, so that what is due at that instant
//! has happened.
//!
//! | command | entries | takes from, or gives to |
//! | --- | --- | --- |
//! | [`Account::accrue`] | `Accrual +n`, `Reversal −min(owed, n)` | a new lot |
//! | [`Account::adjust`] | `Adjustment ±n` | a new lot, or active lots |
//! | [`Account::redeem`], [`Account::capture`] | `Redemption −n` | active lots, or held points |
//! | [`Account::refund`] | `Refund +n` | the lots of the redemption, or a new one |
//! | [`Account::take_back_order`], [`Account::reverse`] | `Reversal −n` | own pending, own active, other active lots; then owed |
//! | [`Account::expire`] | `Expiration −n` | active and pending lots past their expiry |
//! | [`Account::transfer`] | `TransferOut −n`, `TransferIn +n` | all open lots, with their states and holds |

mod check;
mod commands;
mod holds;
#[cfg(test)]
mod tests;

pub use check::Violation;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Why points moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TransactionKind {
    /// An order earned them.
    Accrual,
    /// Staff or the programme corrected the account, either way.
    Adjustment,
    /// The customer spent them.
    Redemption,
    /// A redemption was undone.
    Refund,
    /// What was earned was taken back.
    Reversal,
    /// They were not spent in time.
    Expiration,
    /// They came from another account.
    TransferIn,
    /// They went to another account.
    TransferOut,
}

impl TransactionKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Accrual,
        Self::Adjustment,
        Self::Redemption,
        Self::Refund,
        Self::Reversal,
        Self::Expiration,
        Self::TransferIn,
        Self::TransferOut,
    ];

    /// The one that stands as `text` in the books.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// As it stands in the books.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accrual => "ACCRUAL",
            Self::Adjustment => "ADJUSTMENT",
            Self::Redemption => "REDEMPTION",
            Self::Refund => "REFUND",
            Self::Reversal => "REVERSAL",
            Self::Expiration => "EXPIRATION",
            Self::TransferIn => "TRANSFER_IN",
            Self::TransferOut => "TRANSFER_OUT",
        }
    }
}

/// What can be done with the points of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LotState {
    /// Not before `available_at`: the order may still come back.
    Pending,
    /// They can be spent, but for those held.
    Active,
    /// None is left.
    Spent,
    /// None is left, because the last ones were not spent in time.
    Expired,
}

/// Points that came together and expire together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Its id.
    pub id: Uuid,
    /// The order that earned it.
    pub order_id: Option<Uuid>,
    /// The points that it began with.
    pub points: i64,
    /// The points that are left, held ones included.
    pub remaining: i64,
    /// The part of `remaining` that is reserved.
    pub held: i64,
    /// How many of its points were taken back, from wherever: no more than it began with.
    pub taken_back: i64,
    /// What can be done with it.
    pub state: LotState,
    /// When it was earned.
    pub earned_at: DateTime<Utc>,
    /// From when on it can be spent.
    pub available_at: DateTime<Utc>,
    /// From when on it cannot be spent any more; `None` for ever.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Points reserved from certain lots, to be captured or released.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: Uuid,
    /// How many points of which lot, all positive.
    pub allocations: Vec<(Uuid, i64)>,
}

/// One line of the ledger. Never changed once it is appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Why.
    pub kind: TransactionKind,
    /// How many, with the sign of their effect on the balance; never zero.
    pub points: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The order that it is about.
    pub order_id: Option<Uuid>,
    /// The part of each lot: all of the sign of `points`, of which they are the sum.
    pub allocations: Vec<(Uuid, i64)>,
}

/// What an account shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Points to spend.
    pub active: i64,
    /// Points to come.
    pub pending: i64,
    /// Points reserved.
    pub held: i64,
    /// Points spent that had to be taken back: met from later accruals.
    pub owed: i64,
    /// Points redeemed and not given back.
    pub spent: i64,
    /// Points that expired.
    pub expired: i64,
    /// Points ever earned by orders, less those taken back.
    pub lifetime: i64,
}

/// The account of one customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its lots, open ones at least; others only serve to give redeemed points back to them.
    pub lots: Vec<Lot>,
    /// The points reserved now.
    pub holds: Vec<Hold>,
    /// See [`Balance::owed`].
    pub owed: i64,
    /// See [`Balance::spent`].
    pub spent: i64,
    /// See [`Balance::expired`].
    pub expired: i64,
    /// See [`Balance::lifetime`].
    pub lifetime: i64,
}

/// A lot that a command may have to make, for points whose own lot is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLot {
    /// The id to give it.
    pub id: Uuid,
    /// Its expiry.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a command cannot be carried out. The account is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A number of points that is zero, negative or beyond [`MAX_POINTS`].
    #[error("the number of points must lie between 1 and {MAX_POINTS}")]
    OutOfRange,
    /// More points than can be spent.
    #[error("only {available} points can be spent")]
    Insufficient {
        /// What can be spent.
        available: i64,
    },
    /// An expiry that is past before the points can be spent.
    #[error("points must not expire before they can be spent")]
    ExpiresTooSoon,
    /// More points than the redemption, or the hold, still has.
    #[error("only {left} points are left of it")]
    Exceeds {
        /// What is left of it.
        left: i64,
    },
    /// An entry of a kind that the command does not undo.
    #[error("an entry of this kind cannot be undone this way")]
    WrongKind,
    /// All that was earned has been taken back already.
    #[error("these points have been taken back already")]
    AlreadyTakenBack,
    /// No such hold: never made, captured or released.
    #[error("these points are not held")]
    UnknownHold,
    /// A hold with this id is there already.
    #[error("points are already held under this id")]
    DuplicateHold,
}

/// The most points that one command may move: sums stay far from the limits of 64 bits.
pub const MAX_POINTS: i64 = 1_000_000_000_000;

impl Lot {
    /// What is neither spent nor reserved.
    pub const fn free(&self) -> i64 {
        self.remaining - self.held
    }

    /// Whether its expiry has come.
    pub fn is_past(&self, at: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= at)
    }

    /// Whether points are left.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, LotState::Pending | LotState::Active)
    }

    /// What can be spent at an instant.
    fn spendable(&self, at: DateTime<Utc>) -> i64 {
        if self.state == LotState::Active && !self.is_past(at) { self.free() } else { 0 }
    }

    /// The order of spending: earliest expiry first, lots without one last; then oldest; then by id.
    fn spending_order(&self) -> (bool, Option<DateTime<Utc>>, DateTime<Utc>, Uuid) {
        (self.expires_at.is_none(), self.expires_at, self.earned_at, self.id)
    }

    /// What of it can still be taken back.
    pub const fn at_stake(&self) -> i64 {
        self.points - self.taken_back
    }

    /// Adds points, of either sign, and closes or reopens the lot as that leaves it.
    fn add(&mut self, points: i64) {
        self.remaining += points;
        self.state = match (self.remaining, self.state) {
            (0, LotState::Expired) => LotState::Expired,
            (0, _) => LotState::Spent,
            (_, LotState::Spent) => LotState::Active,
            (_, state) => state,
        };
    }
}

impl Account {
    /// The balance, as far as activation and expiry have been carried out.
    pub fn balance(&self) -> Balance {
        let mut balance = Balance {
            owed: self.owed,
            spent: self.spent,
            expired: self.expired,
            lifetime: self.lifetime,
            ..Balance::default()
        };
        for lot in &self.lots {
            balance.held += lot.held;
            match lot.state {
                LotState::Pending => balance.pending += lot.free(),
                LotState::Active => balance.active += lot.free(),
                LotState::Spent | LotState::Expired => {}
            }
        }
        balance
    }

    /// What can be spent at an instant.
    pub fn spendable(&self, at: DateTime<Utc>) -> i64 {
        self.lots.iter().map(|lot| lot.spendable(at)).sum()
    }

    /// How many points that can be spent now expire until an instant, that one included.
    pub fn expiring(&self, now: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
        self.lots.iter().filter(|lot| lot.is_past(until)).map(|lot| lot.spendable(now)).sum()
    }
}
