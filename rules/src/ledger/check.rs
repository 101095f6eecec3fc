//! What `c360 verify` asks of a ledger.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{Account, Entry, LotState, TransactionKind};

/// A law that an account breaks, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The two sides of the ledger differ.
    #[error("the lots hold {lots} points, but the entries add up to {entries}")]
    Balance {
        /// Σ remaining of the lots.
        lots: i64,
        /// Σ points of the entries.
        entries: i64,
    },
    /// A lot is not what its entries made it.
    #[error("lot {lot} has {remaining} points left, but its entries add up to {entries}")]
    Remaining {
        /// The lot.
        lot: Uuid,
        /// What it says.
        remaining: i64,
        /// What its entries say.
        entries: i64,
    },
    /// A lot has more left than it began with.
    #[error("lot {lot} has {remaining} points left of {points}")]
    Overfull {
        /// The lot.
        lot: Uuid,
        /// What is left.
        remaining: i64,
        /// What it began with.
        points: i64,
    },
    /// A lot's state contradicts what is left of it.
    #[error("lot {lot} is {state:?} with {remaining} points left, {held} of them held")]
    State {
        /// The lot.
        lot: Uuid,
        /// Its state.
        state: LotState,
        /// What is left.
        remaining: i64,
        /// What is held of it.
        held: i64,
    },
    /// A lot's held points are not those of the holds.
    #[error("lot {lot} has {held} points held, but its holds add up to {holds}")]
    Held {
        /// The lot.
        lot: Uuid,
        /// What it says.
        held: i64,
        /// What the holds say.
        holds: i64,
    },
    /// Something is below zero.
    #[error("{what} is {value}")]
    Negative {
        /// What it is.
        what: &'static str,
        /// Its value.
        value: i64,
    },
    /// A figure of the account is not what the entries make of it.
    #[error("{what} is {stored}, but the entries make it {entries}")]
    Figure {
        /// Which one.
        what: &'static str,
        /// What the account says.
        stored: i64,
        /// What the entries say.
        entries: i64,
    },
    /// An entry does not add up, or has the wrong sign for its kind.
    #[error("entry {place} ({kind:?}) moves {points} points, but its lots {allocations}")]
    Entry {
        /// Its place among the entries, from zero.
        place: usize,
        /// Its kind.
        kind: TransactionKind,
        /// Its points.
        points: i64,
        /// The sum of its allocations.
        allocations: i64,
    },
    /// Two lots with one id.
    #[error("lot {lot} is there twice")]
    Twice {
        /// The lot.
        lot: Uuid,
    },
}

impl Account {
    /// Everything that is wrong with the account, given all its entries in any order; nothing if all is well.
    ///
    /// Spent, expired and lifetime figures are compared only while no transfer has mixed two accounts' histories. A
    /// transfer from an account without any open lot leaves no entry: whoever knows of it disregards
    /// [`Violation::Figure`].
    /// Lots that are not listed count as having nothing left.
    pub fn check(&self, entries: &[Entry]) -> Vec<Violation> {
        let mut found = Vec::new();
        let lots = sum(self.lots.iter().map(|lot| lot.remaining));
        let total = sum(entries.iter().map(|entry| entry.points));
        if lots != total {
            found.push(Violation::Balance { lots, entries: total });
        }
        self.check_lots(entries, &mut found);
        self.check_figures(entries, &mut found);
        found.extend(entries.iter().enumerate().filter_map(|(place, entry)| check_entry(place, entry)));
        found
    }

    fn check_lots(&self, entries: &[Entry], found: &mut Vec<Violation>) {
        let mut moved = by_lot(entries.iter().flat_map(|entry| &entry.allocations));
        let mut holds = by_lot(self.holds.iter().flat_map(|hold| &hold.allocations));
        let mut seen = HashSet::new();
        for lot in &self.lots {
            let (id, state, points, remaining, held) = (lot.id, lot.state, lot.points, lot.remaining, lot.held);
            if !seen.insert(id) {
                found.push(Violation::Twice { lot: id });
                continue;
            }
            let entries = moved.remove(&id).unwrap_or_default();
            if entries != remaining {
                found.push(Violation::Remaining { lot: id, remaining, entries });
            }
            let reserved = holds.remove(&id).unwrap_or_default();
            if reserved != held {
                found.push(Violation::Held { lot: id, held, holds: reserved });
            }
            if lot.at_stake() < 0 {
                found.push(Violation::Negative { what: "what can be taken back of a lot", value: lot.at_stake() });
            }
            if lot.taken_back < 0 {
                found.push(Violation::Negative { what: "what was taken back of a lot", value: lot.taken_back });
            }
            if remaining > points {
                found.push(Violation::Overfull { lot: id, remaining, points });
            }
            let sound = match state {
                LotState::Pending => remaining > 0 && held == 0,
                LotState::Active => remaining > 0 && (0..=remaining).contains(&held),
                LotState::Spent | LotState::Expired => remaining == 0 && held == 0,
            };
            if !sound {
                found.push(Violation::State { lot: id, state, remaining, held });
            }
        }
        let mut unlisted: Vec<_> = moved.into_iter().filter(|&(_, entries)| entries != 0).collect();
        unlisted.sort_unstable();
        found.extend(unlisted.into_iter().map(|(lot, entries)| Violation::Remaining { lot, remaining: 0, entries }));
        let mut unfounded: Vec<_> = holds.into_iter().filter(|&(_, holds)| holds != 0).collect();
        unfounded.sort_unstable();
        found.extend(unfounded.into_iter().map(|(lot, holds)| Violation::Held { lot, held: 0, holds }));
    }

    fn check_figures(&self, entries: &[Entry], found: &mut Vec<Violation>) {
        use TransactionKind::{Accrual, Expiration, Redemption, Refund, Reversal, TransferIn, TransferOut};
        let of = |kinds: &[TransactionKind]| {
            sum(entries.iter().filter(|entry| kinds.contains(&entry.kind)).map(|entry| entry.points))
        };
        let mixed = entries.iter().any(|entry| matches!(entry.kind, TransferIn | TransferOut));
        for (what, stored, made) in [
            ("the number of points spent", self.spent, of(&[Redemption, Refund]).saturating_neg()),
            ("the number of points expired", self.expired, of(&[Expiration]).saturating_neg()),
            ("the number of points ever earned", self.lifetime, of(&[Accrual, Reversal]).saturating_sub(self.owed)),
        ] {
            if stored < 0 {
                found.push(Violation::Negative { what, value: stored });
            }
            if !mixed && stored != made {
                found.push(Violation::Figure { what, stored, entries: made });
            }
        }
        if self.owed < 0 {
            found.push(Violation::Negative { what: "the number of points owed", value: self.owed });
        }
    }
}

fn check_entry(place: usize, entry: &Entry) -> Option<Violation> {
    use TransactionKind::{Accrual, Adjustment, Expiration, Redemption, Refund, Reversal, TransferIn, TransferOut};
    let allocations = sum(entry.allocations.iter().map(|&(_, points)| points));
    let sign = match entry.kind {
        Accrual | Refund | TransferIn => 1,
        Redemption | Reversal | Expiration | TransferOut => -1,
        Adjustment => entry.points.signum(),
    };
    let sound = entry.points.signum() == sign
        && sign != 0
        && allocations == entry.points
        && entry.allocations.iter().all(|&(_, points)| points.signum() == sign);
    let violation = Violation::Entry { place, kind: entry.kind, points: entry.points, allocations };
    (!sound).then_some(violation)
}

fn by_lot<'a>(allocations: impl Iterator<Item = &'a (Uuid, i64)>) -> HashMap<Uuid, i64> {
    let mut lots = HashMap::new();
    for &(lot, points) in allocations {
        let sum: &mut i64 = lots.entry(lot).or_default();
        *sum = sum.saturating_add(points);
    }
    lots
}

/// A sum that stays wrong instead of wrapping when a ledger is broken beyond 64 bits.
fn sum(points: impl Iterator<Item = i64>) -> i64 {
    points.fold(0, i64::saturating_add)
}
