//! The commands that earn, spend, give back and take back points.
//!
//! Each returns the entries to append. Each first decides, then changes: an error leaves the account untouched.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Account, Entry, Hold, LedgerError, Lot, LotState, MAX_POINTS, NewLot, TransactionKind};

type Entries = Result<Vec<Entry>, LedgerError>;

impl Account {
    /// Records what an order earned; nothing for zero points. Points that are available at once are active at once.
    ///
    /// While points are owed, as many of these as that takes are taken back at once, by an entry of their own.
    ///
    /// # Errors
    /// [`LedgerError::OutOfRange`], [`LedgerError::ExpiresTooSoon`].
    pub fn accrue(
        &mut self,
        points: i64,
        at: DateTime<Utc>,
        available_at: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
        order_id: Option<Uuid>,
        new_lot_id: Uuid,
    ) -> Entries {
        if points == 0 {
            return Ok(Vec::new());
        }
        in_range(points)?;
        if expires_at.is_some_and(|expiry| expiry <= available_at.max(at)) {
            return Err(LedgerError::ExpiresTooSoon);
        }
        let state = if available_at <= at { LotState::Active } else { LotState::Pending };
        let lot = Lot { order_id, available_at, state, ..lot(NewLot { id: new_lot_id, expires_at }, points, at) };
        let mut entries = vec![entry(TransactionKind::Accrual, at, order_id, vec![(lot.id, points)])];
        self.lots.push(lot);
        self.lifetime += points;
        let met = self.owed.min(points);
        if met > 0 {
            self.owed -= met;
            let taken = self.take(&[(self.lots.len() - 1, met)]);
            entries.push(entry(TransactionKind::Reversal, at, None, taken));
        }
        Ok(entries)
    }

    /// Makes the pending points active whose time has come, and returns the lots. Nothing enters the ledger.
    pub fn activate(&mut self, now: DateTime<Utc>) -> Vec<Uuid> {
        let due = |lot: &&mut Lot| lot.state == LotState::Pending && lot.available_at <= now;
        let activate = |lot: &mut Lot| {
            lot.state = LotState::Active;
            lot.id
        };
        self.lots.iter_mut().filter(due).map(activate).collect()
    }

    /// Takes the points whose expiry has come, lot by lot. Held points stay until they are captured or released.
    pub fn expire(&mut self, now: DateTime<Utc>) -> Vec<Entry> {
        let mut entries = Vec::new();
        for lot in self.lots.iter_mut().filter(|lot| lot.is_open() && lot.is_past(now) && lot.free() > 0) {
            let lapsed = lot.free();
            lot.add(-lapsed);
            if lot.remaining == 0 {
                lot.state = LotState::Expired;
            }
            self.expired += lapsed;
            entries.push(entry(TransactionKind::Expiration, now, None, vec![(lot.id, -lapsed)]));
        }
        entries
    }

    /// Carries out what is due: [`Account::activate`], then [`Account::expire`].
    pub fn sweep(&mut self, now: DateTime<Utc>) -> Vec<Entry> {
        self.activate(now);
        self.expire(now)
    }

    /// Credits points to a new lot, or debits (negative) active points. Neither counts as earned or spent.
    ///
    /// # Errors
    /// [`LedgerError::OutOfRange`] for zero, [`LedgerError::ExpiresTooSoon`], [`LedgerError::Insufficient`].
    pub fn adjust(&mut self, points: i64, at: DateTime<Utc>, new_lot: NewLot) -> Entries {
        in_range(points.saturating_abs())?;
        let allocations = if points > 0 {
            in_future(new_lot, at)?;
            self.lots.push(lot(new_lot, points, at));
            vec![(new_lot.id, points)]
        } else {
            let picks = self.pick_active(-points, at)?;
            self.take(&picks)
        };
        Ok(vec![entry(TransactionKind::Adjustment, at, None, allocations)])
    }

    /// Spends active points.
    ///
    /// # Errors
    /// [`LedgerError::OutOfRange`], [`LedgerError::Insufficient`].
    pub fn redeem(&mut self, points: i64, at: DateTime<Utc>) -> Entries {
        in_range(points)?;
        let picks = self.pick_active(points, at)?;
        self.spent += points;
        Ok(vec![entry(TransactionKind::Redemption, at, None, self.take(&picks))])
    }

    /// Gives points of a redemption back to their lots, last spent first; those whose lot has expired, or is of
    /// another account since, come back as a new lot.
    ///
    /// `refunded` is how many were given back before.
    ///
    /// # Errors
    /// [`LedgerError::WrongKind`] unless the entry is a redemption, [`LedgerError::Exceeds`],
    /// [`LedgerError::OutOfRange`], [`LedgerError::ExpiresTooSoon`].
    pub fn refund(
        &mut self,
        redemption: &Entry,
        refunded: i64,
        points: i64,
        at: DateTime<Utc>,
        new_lot: NewLot,
    ) -> Entries {
        if redemption.kind != TransactionKind::Redemption {
            return Err(LedgerError::WrongKind);
        }
        in_range(points)?;
        in_future(new_lot, at)?;
        let left = redemption.points.saturating_neg().saturating_sub(refunded.max(0));
        if points > left {
            return Err(LedgerError::Exceeds { left: left.max(0) });
        }
        let spent = redemption.allocations.iter().rev().map(|&(id, points)| (id, -points));
        let mut allocations = Vec::new();
        let mut homeless = 0;
        for (id, points) in window(spent, refunded.max(0), points) {
            match self.lots.iter_mut().find(|lot| lot.id == id && lot.state != LotState::Expired && !lot.is_past(at)) {
                Some(lot) => {
                    lot.add(points);
                    allocations.push((id, points));
                }
                None => homeless += points,
            }
        }
        if homeless > 0 {
            self.lots.push(lot(new_lot, homeless, at));
            allocations.push((new_lot.id, homeless));
        }
        self.spent = (self.spent - points).max(0);
        Ok(vec![entry(TransactionKind::Refund, at, redemption.order_id, allocations)])
    }

    /// Takes back what an order earned: first its own pending points, then its own active ones, then the
    /// account's other active points, earliest expiry first. Never held points. The rest becomes owed.
    ///
    /// Never refused for lack of points. Takes no more than was ever earned: `points` beyond `lifetime` are ignored.
    ///
    /// # Errors
    /// [`LedgerError::OutOfRange`] for negative points; zero takes nothing.
    pub fn take_back_order(&mut self, order_id: Uuid, points: i64, at: DateTime<Utc>) -> Entries {
        if points == 0 {
            return Ok(Vec::new());
        }
        in_range(points)?;
        Ok(self.take_back(points, at, Some(order_id), |lot| lot.order_id == Some(order_id)))
    }

    /// Takes back an accrual that should not have been, as [`Account::take_back_order`] does, from its own lot first:
    /// what has not been taken back of it before. Its lot has to be listed; all of it is taken if the lot is not of
    /// this account any more.
    ///
    /// # Errors
    /// [`LedgerError::WrongKind`] unless the entry is an accrual: adjustments are corrected by adjustments,
    /// redemptions by refunds. [`LedgerError::AlreadyTakenBack`].
    pub fn reverse(&mut self, accrual: &Entry, at: DateTime<Utc>) -> Entries {
        if accrual.kind != TransactionKind::Accrual {
            return Err(LedgerError::WrongKind);
        }
        in_range(accrual.points)?;
        let own = |lot: &Lot| accrual.allocations.iter().any(|&(id, _)| id == lot.id);
        let points = self.lots.iter().find(|lot| own(lot)).map_or(accrual.points, Lot::at_stake);
        if points == 0 {
            return Err(LedgerError::AlreadyTakenBack);
        }
        Ok(self.take_back(points, at, accrual.order_id, own))
    }

    fn take_back(
        &mut self,
        points: i64,
        at: DateTime<Utc>,
        order_id: Option<Uuid>,
        own: impl Fn(&Lot) -> bool,
    ) -> Vec<Entry> {
        let points = points.min(self.lifetime);
        let mut unmarked = points;
        for lot in self.lots.iter_mut().filter(|lot| own(lot)) {
            let marked = lot.at_stake().min(unmarked);
            lot.taken_back += marked;
            unmarked -= marked;
        }
        let picks = self.pick(points, |lot| match (own(lot), lot.state) {
            (true, LotState::Pending) => Some((0, lot.free())),
            (true, _) => Some((1, lot.spendable(at))),
            (false, _) => Some((2, lot.spendable(at))),
        });
        let taken: i64 = picks.iter().map(|&(_, points)| points).sum();
        self.lifetime -= points;
        self.owed += points - taken;
        let allocations = self.take(&picks);
        if taken == 0 { Vec::new() } else { vec![entry(TransactionKind::Reversal, at, order_id, allocations)] }
    }

    /// Moves everything to another account: open lots as they are, under new ids, with their holds; and what is
    /// owed, spent, expired and earned. Returns the entries of this account and those of the target.
    pub fn transfer(
        &mut self,
        target: &mut Account,
        at: DateTime<Utc>,
        mut new_lot_id: impl FnMut() -> Uuid,
    ) -> (Vec<Entry>, Vec<Entry>) {
        let (mut gone, mut come, mut renamed) = (Vec::new(), Vec::new(), Vec::new());
        for lot in self.lots.iter_mut().filter(|lot| lot.is_open()) {
            let moved = Lot { id: new_lot_id(), ..lot.clone() };
            gone.push((lot.id, -lot.remaining));
            come.push((moved.id, lot.remaining));
            renamed.push((lot.id, moved.id));
            target.lots.push(moved);
            lot.held = 0;
            lot.add(-lot.remaining);
        }
        let rename = |id: Uuid| renamed.iter().find(|&&(old, _)| old == id).map_or(id, |&(_, new)| new);
        for hold in self.holds.drain(..) {
            let allocations = hold.allocations.iter().map(|&(id, points)| (rename(id), points)).collect();
            target.holds.push(Hold { allocations, ..hold });
        }
        for (from, to) in [
            (&mut self.owed, &mut target.owed),
            (&mut self.spent, &mut target.spent),
            (&mut self.expired, &mut target.expired),
            (&mut self.lifetime, &mut target.lifetime),
        ] {
            *to += std::mem::take(from);
        }
        if gone.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let moved = |kind, allocations| vec![entry(kind, at, None, allocations)];
        (moved(TransactionKind::TransferOut, gone), moved(TransactionKind::TransferIn, come))
    }

    /// All of `points` from active lots in the order of spending.
    pub(super) fn pick_active(&self, points: i64, at: DateTime<Utc>) -> Result<Vec<(usize, i64)>, LedgerError> {
        let available = self.spendable(at);
        if points > available {
            return Err(LedgerError::Insufficient { available });
        }
        Ok(self.pick(points, |lot| Some((0, lot.spendable(at)))))
    }

    /// Up to `points` from lots, by the rank that is given to them, then in the order of spending.
    fn pick(&self, points: i64, offer: impl Fn(&Lot) -> Option<(u8, i64)>) -> Vec<(usize, i64)> {
        let offers = self.lots.iter().enumerate().filter_map(|(at, lot)| offer(lot).map(|offer| (at, lot, offer)));
        let mut offers: Vec<_> = offers.filter(|&(_, _, (_, free))| free > 0).collect();
        offers.sort_by_key(|&(_, lot, (rank, _))| (rank, lot.spending_order()));
        window(offers.into_iter().map(|(at, _, (_, free))| (at, free)), 0, points).collect()
    }

    /// Takes picked points out of their lots.
    fn take(&mut self, picks: &[(usize, i64)]) -> Vec<(Uuid, i64)> {
        let take = |&(at, points): &(usize, i64)| {
            let lot = &mut self.lots[at];
            lot.add(-points);
            (lot.id, -points)
        };
        picks.iter().map(take).collect()
    }
}

/// The part of a series of amounts that comes after `skip` and is `length` long, in points.
pub(super) fn window<T>(
    amounts: impl Iterator<Item = (T, i64)>,
    mut skip: i64,
    mut length: i64,
) -> impl Iterator<Item = (T, i64)> {
    amounts.filter_map(move |(key, amount)| {
        let skipped = amount.min(skip);
        let taken = (amount - skipped).min(length);
        skip -= skipped;
        length -= taken;
        (taken > 0).then_some((key, taken))
    })
}

pub(super) fn entry(
    kind: TransactionKind,
    at: DateTime<Utc>,
    order_id: Option<Uuid>,
    allocations: Vec<(Uuid, i64)>,
) -> Entry {
    let points = allocations.iter().map(|&(_, points)| points).sum();
    Entry { kind, points, at, order_id, allocations }
}

/// A lot of points that can be spent at once.
pub(super) fn lot(new: NewLot, points: i64, at: DateTime<Utc>) -> Lot {
    Lot {
        id: new.id,
        order_id: None,
        points,
        remaining: points,
        held: 0,
        taken_back: 0,
        state: LotState::Active,
        earned_at: at,
        available_at: at,
        expires_at: new.expires_at,
    }
}

pub(super) fn in_range(points: i64) -> Result<(), LedgerError> {
    if (1..=MAX_POINTS).contains(&points) { Ok(()) } else { Err(LedgerError::OutOfRange) }
}

pub(super) fn in_future(new: NewLot, at: DateTime<Utc>) -> Result<(), LedgerError> {
    if new.expires_at.is_some_and(|expiry| expiry <= at) { Err(LedgerError::ExpiresTooSoon) } else { Ok(()) }
}
