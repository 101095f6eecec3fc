//! Points reserved at a till: held, then captured or released.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::commands::{entry, in_future, in_range, lot, window};
use super::{Account, Entry, Hold, LedgerError, Lot, NewLot, TransactionKind};

impl Account {
    /// Reserves active points, in the order of spending. Nothing enters the ledger.
    ///
    /// # Errors
    /// [`LedgerError::OutOfRange`], [`LedgerError::Insufficient`], [`LedgerError::DuplicateHold`].
    pub fn hold(&mut self, hold_id: Uuid, points: i64, at: DateTime<Utc>) -> Result<Hold, LedgerError> {
        in_range(points)?;
        if self.holds.iter().any(|hold| hold.id == hold_id) {
            return Err(LedgerError::DuplicateHold);
        }
        let picks = self.pick_active(points, at)?;
        let hold = |&(at, points): &(usize, i64)| {
            let lot = &mut self.lots[at];
            lot.held += points;
            (lot.id, points)
        };
        let allocations = picks.iter().map(hold).collect();
        let hold = Hold { id: hold_id, allocations };
        self.holds.push(hold.clone());
        Ok(hold)
    }

    /// Spends held points, even if their lot has expired since, and releases the rest of the hold.
    ///
    /// # Errors
    /// [`LedgerError::UnknownHold`], [`LedgerError::OutOfRange`], [`LedgerError::Exceeds`],
    /// [`LedgerError::ExpiresTooSoon`].
    pub fn capture(
        &mut self,
        hold_id: Uuid,
        points: i64,
        at: DateTime<Utc>,
        new_lot: NewLot,
    ) -> Result<Vec<Entry>, LedgerError> {
        in_range(points)?;
        self.settle(hold_id, points, at, new_lot)
    }

    /// Gives held points back to their lots.
    ///
    /// Those whose lot has expired since come back as a new lot, which two adjustments record (out of the old lot,
    /// into the new one); otherwise nothing enters the ledger.
    ///
    /// # Errors
    /// [`LedgerError::UnknownHold`], [`LedgerError::ExpiresTooSoon`].
    pub fn release(&mut self, hold_id: Uuid, at: DateTime<Utc>, new_lot: NewLot) -> Result<Vec<Entry>, LedgerError> {
        self.settle(hold_id, 0, at, new_lot)
    }

    /// Ends a hold: spends its first `points`, gives the rest back.
    fn settle(
        &mut self,
        hold_id: Uuid,
        points: i64,
        at: DateTime<Utc>,
        new_lot: NewLot,
    ) -> Result<Vec<Entry>, LedgerError> {
        in_future(new_lot, at)?;
        let place = self.holds.iter().position(|hold| hold.id == hold_id).ok_or(LedgerError::UnknownHold)?;
        let left = self.holds[place].allocations.iter().map(|&(_, points)| points).sum();
        if points > left {
            return Err(LedgerError::Exceeds { left });
        }
        let hold = self.holds.swap_remove(place);
        let mut entries = Vec::new();
        if points > 0 {
            let spent = window(hold.allocations.iter().copied(), 0, points);
            let allocations = self.unhold(spent, |_| true);
            self.spent += points;
            entries.push(entry(TransactionKind::Redemption, at, None, allocations));
        }
        let given_back = window(hold.allocations.iter().copied(), points, left - points);
        let homeless = self.unhold(given_back, |lot| lot.is_past(at));
        let moved: i64 = homeless.iter().map(|&(_, points)| -points).sum();
        if moved > 0 {
            entries.push(entry(TransactionKind::Adjustment, at, None, homeless));
            entries.push(entry(TransactionKind::Adjustment, at, None, vec![(new_lot.id, moved)]));
            self.lots.push(lot(new_lot, moved, at));
        }
        Ok(entries)
    }

    /// Frees held points, and takes those that `leaves` says out of their lots.
    fn unhold(&mut self, parts: impl Iterator<Item = (Uuid, i64)>, leaves: impl Fn(&Lot) -> bool) -> Vec<(Uuid, i64)> {
        let mut left = Vec::new();
        for (id, points) in parts {
            let Some(lot) = self.lots.iter_mut().find(|lot| lot.id == id) else { continue };
            lot.held -= points;
            if leaves(lot) {
                lot.add(-points);
                left.push((id, -points));
            }
        }
        left
    }
}
