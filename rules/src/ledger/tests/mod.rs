//! The laws of the ledger, by example and against an independent model.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod model;

use chrono::TimeDelta;

use super::*;

/// An instant some days after the beginning of the tests' time.
fn day(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(days)
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn fresh(number: u128) -> NewLot {
    NewLot { id: id(number), expires_at: None }
}

/// An account and everything that was appended.
#[derive(Default)]
struct Book {
    account: Account,
    entries: Vec<Entry>,
}

impl Book {
    /// Carries a command out, appends its entries, and checks every law.
    fn run(&mut self, command: impl FnOnce(&mut Account) -> Result<Vec<Entry>, LedgerError>) -> Vec<Entry> {
        let entries = command(&mut self.account).unwrap();
        self.entries.extend(entries.clone());
        assert_eq!(self.account.check(&self.entries), []);
        entries
    }

    /// Expects a command to fail and to change nothing.
    fn refuse<T>(&mut self, command: impl FnOnce(&mut Account) -> Result<T, LedgerError>, error: LedgerError) {
        let before = self.account.clone();
        assert_eq!(command(&mut self.account).err(), Some(error));
        assert_eq!(self.account, before);
    }

    /// Earned on day 0, active at once or from day 30 on.
    fn earn(&mut self, points: i64, order: u128, pending: bool, expires: Option<i64>) {
        let available = day(if pending { 30 } else { 0 });
        let expires = expires.map(day);
        self.run(|account| account.accrue(points, day(0), available, expires, Some(id(order)), id(order)));
    }
}

fn moves(entries: &[Entry]) -> Vec<(TransactionKind, i64)> {
    entries.iter().map(|entry| (entry.kind, entry.points)).collect()
}

use TransactionKind::{Accrual, Adjustment, Expiration, Redemption, Refund, Reversal, TransferIn, TransferOut};

#[test]
fn points_are_spent_by_earliest_expiry_then_age_and_those_for_ever_last() {
    let mut book = Book::default();
    book.earn(10, 1, false, None);
    book.earn(10, 2, false, Some(90));
    book.earn(10, 3, false, Some(60));
    book.earn(10, 4, true, Some(40));
    let redemption = book.run(|account| account.redeem(25, day(1)));
    assert_eq!(redemption[0].allocations, [(id(3), -10), (id(2), -10), (id(1), -5)]);
    book.refuse(|account| account.redeem(6, day(1)), LedgerError::Insufficient { available: 5 });
    book.refuse(|account| account.redeem(0, day(1)), LedgerError::OutOfRange);
}

#[test]
fn points_past_their_expiry_cannot_be_spent_even_before_the_sweep() {
    let mut book = Book::default();
    book.earn(10, 1, false, Some(60));
    assert_eq!(book.account.expiring(day(1), day(60)), 10);
    book.refuse(|account| account.redeem(1, day(60)), LedgerError::Insufficient { available: 0 });
    assert_eq!(moves(&book.run(|account| Ok(account.sweep(day(60))))), [(Expiration, -10)]);
    assert_eq!(book.account.lots[0].state, LotState::Expired);
    assert_eq!(moves(&book.run(|account| Ok(account.sweep(day(61))))), []);
    book.earn(10, 2, true, Some(60));
    assert_eq!(moves(&book.run(|account| Ok(account.expire(day(60))))), [(Expiration, -10)]);
}

#[test]
fn a_return_takes_pending_then_own_then_other_active_points_and_the_rest_is_owed() {
    let mut book = Book::default();
    book.earn(10, 1, true, None);
    book.earn(10, 2, false, Some(60));
    book.run(|account| account.take_back_order(id(1), 4, day(1)));
    assert_eq!((book.account.lots[0].remaining, book.account.lots[1].remaining), (6, 10));
    book.run(|account| account.take_back_order(id(1), 8, day(2)));
    assert_eq!((book.account.lots[0].remaining, book.account.lots[1].remaining), (0, 8));
    book.run(|account| account.redeem(5, day(3)));
    let taken = book.run(|account| account.take_back_order(id(2), 8, day(4)));
    assert_eq!(moves(&taken), [(Reversal, -3)]);
    assert_eq!(book.account.owed, 5);
    assert_eq!(book.account.lifetime, 0);
}

#[test]
fn a_return_never_takes_held_points() {
    let mut book = Book::default();
    book.earn(10, 1, false, None);
    book.account.hold(id(100), 7, day(1)).unwrap();
    let taken = book.run(|account| account.take_back_order(id(1), 10, day(2)));
    assert_eq!(moves(&taken), [(Reversal, -3)]);
    assert_eq!((book.account.balance().held, book.account.owed), (7, 7));
}

#[test]
fn what_is_owed_is_met_from_later_accruals() {
    let mut book = Book::default();
    book.earn(10, 1, false, None);
    book.run(|account| account.redeem(10, day(1)));
    book.run(|account| account.take_back_order(id(1), 10, day(2)));
    assert_eq!(book.account.owed, 10);
    let met = book.run(|account| account.accrue(4, day(3), day(33), None, Some(id(2)), id(2)));
    assert_eq!(moves(&met), [(Accrual, 4), (Reversal, -4)]);
    let met = book.run(|account| account.accrue(9, day(3), day(3), None, Some(id(3)), id(3)));
    assert_eq!(moves(&met), [(Accrual, 9), (Reversal, -6)]);
    assert_eq!(book.account.balance(), Balance { active: 3, spent: 10, lifetime: 13, ..Balance::default() });
}

#[test]
fn no_more_is_taken_back_than_was_ever_earned() {
    let mut book = Book::default();
    book.run(|account| account.adjust(50, day(0), fresh(1)));
    book.earn(10, 2, false, None);
    book.run(|account| account.take_back_order(id(2), 999, day(1)));
    assert_eq!(book.account.balance(), Balance { active: 50, ..Balance::default() });
}

#[test]
fn redeemed_points_go_back_to_their_lots_or_to_a_new_one_if_those_expired() {
    let mut book = Book::default();
    book.earn(10, 1, false, Some(60));
    book.earn(10, 2, false, Some(90));
    let redemption = book.run(|account| account.redeem(15, day(1))).remove(0);
    book.run(|account| account.refund(&redemption, 0, 3, day(2), fresh(10)));
    assert_eq!(book.account.lots[1].remaining, 8);
    book.run(|account| Ok(account.sweep(day(60))));
    let refund = book.run(|account| account.refund(&redemption, 3, 12, day(61), fresh(11)));
    assert_eq!(refund[0].allocations, [(id(2), 2), (id(11), 10)]);
    assert_eq!(moves(&refund), [(Refund, 12)]);
    assert_eq!(book.account.spent, 0);
    book.refuse(|account| account.refund(&redemption, 15, 1, day(61), fresh(12)), LedgerError::Exceeds { left: 0 });
    book.refuse(|account| account.refund(&refund[0], 0, 1, day(61), fresh(12)), LedgerError::WrongKind);
}

#[test]
fn held_points_can_be_captured_in_part_and_the_rest_is_released() {
    let mut book = Book::default();
    book.earn(10, 1, false, Some(60));
    let hold = book.account.hold(id(100), 8, day(1)).unwrap();
    assert_eq!(hold.allocations, [(id(1), 8)]);
    assert_eq!(book.account.balance(), Balance { active: 2, held: 8, lifetime: 10, ..Balance::default() });
    book.refuse(|account| account.hold(id(100), 1, day(1)), LedgerError::DuplicateHold);
    book.refuse(|account| account.redeem(3, day(1)), LedgerError::Insufficient { available: 2 });
    book.refuse(|account| account.capture(id(100), 9, day(1), fresh(9)), LedgerError::Exceeds { left: 8 });
    assert_eq!(moves(&book.run(|account| account.capture(id(100), 5, day(2), fresh(9)))), [(Redemption, -5)]);
    assert_eq!(book.account.balance().active, 5);
    book.refuse(|account| account.release(id(100), day(2), fresh(9)), LedgerError::UnknownHold);
}

#[test]
fn held_points_outlive_their_lot() {
    let mut book = Book::default();
    book.earn(10, 1, false, Some(60));
    book.account.hold(id(100), 8, day(1)).unwrap();
    assert_eq!(moves(&book.run(|account| Ok(account.sweep(day(60))))), [(Expiration, -2)]);
    assert_eq!(book.account.balance().held, 8);
    let entries = book.run(|account| account.capture(id(100), 5, day(61), fresh(9)));
    assert_eq!(moves(&entries), [(Redemption, -5), (Adjustment, -3), (Adjustment, 3)]);
    assert_eq!(book.account.balance().active, 3);
}

#[test]
fn an_accrual_can_be_reversed_and_nothing_else() {
    let mut book = Book::default();
    book.earn(10, 1, false, None);
    book.earn(10, 2, false, Some(60));
    let accrual = book.entries[0].clone();
    book.run(|account| account.reverse(&accrual, day(1)));
    assert_eq!((book.account.lots[0].remaining, book.account.lots[1].remaining), (0, 10));
    let reversal = book.entries[2].clone();
    book.refuse(|account| account.reverse(&reversal, day(1)), LedgerError::WrongKind);
    book.refuse(|account| account.reverse(&accrual, day(1)), LedgerError::AlreadyTakenBack);
}

#[test]
fn what_a_return_took_back_is_not_taken_again_by_a_reversal_even_if_it_is_owed() {
    let mut book = Book::default();
    book.earn(10, 1, false, None);
    book.earn(10, 2, false, None);
    book.run(|account| account.redeem(20, day(1)));
    book.run(|account| account.take_back_order(id(1), 4, day(2)));
    let accrual = book.entries[0].clone();
    book.run(|account| account.reverse(&accrual, day(3)));
    assert_eq!((book.account.owed, book.account.lifetime), (10, 10));
    book.refuse(|account| account.reverse(&accrual, day(4)), LedgerError::AlreadyTakenBack);
}

#[test]
fn a_transfer_conserves_both_balances_together() {
    let (mut from, mut to) = (Book::default(), Book::default());
    from.earn(10, 1, true, None);
    from.earn(10, 2, false, Some(60));
    from.run(|account| account.redeem(4, day(1)));
    from.account.hold(id(100), 3, day(1)).unwrap();
    to.earn(5, 3, false, None);
    let before = from.account.balance();
    let mut ids = (1000..).map(id);
    let (out, into) = from.account.transfer(&mut to.account, day(2), || ids.next().unwrap());
    assert_eq!((moves(&out), moves(&into)), (vec![(TransferOut, -16)], vec![(TransferIn, 16)]));
    from.entries.extend(out);
    to.entries.extend(into);
    assert_eq!((from.account.check(&from.entries), to.account.check(&to.entries)), (vec![], vec![]));
    assert_eq!(from.account.balance(), Balance::default());
    assert_eq!(to.account.balance(), Balance { active: before.active + 5, lifetime: 25, ..before });
    to.run(|account| account.release(id(100), day(3), fresh(9)));
    to.run(|account| account.take_back_order(id(1), 10, day(4)));
    assert_eq!(to.account.balance().pending, 0);
}

#[test]
fn points_must_not_expire_before_they_can_be_spent() {
    let mut book = Book::default();
    let too_soon = LedgerError::ExpiresTooSoon;
    book.refuse(|account| account.accrue(1, day(0), day(30), Some(day(30)), None, id(1)), too_soon);
    let past = NewLot { id: id(1), expires_at: Some(day(0)) };
    book.refuse(|account| account.adjust(1, day(0), past), too_soon);
    book.refuse(|account| account.adjust(0, day(0), fresh(1)), LedgerError::OutOfRange);
    book.refuse(|account| account.adjust(i64::MIN, day(0), fresh(1)), LedgerError::OutOfRange);
    book.refuse(|account| account.accrue(-1, day(0), day(0), None, None, id(1)), LedgerError::OutOfRange);
}

#[test]
fn each_broken_law_is_told_in_words() {
    let mut book = Book::default();
    book.earn(10, 1, false, None);
    let told = |change: &dyn Fn(&mut Book)| {
        let mut broken = Book { account: book.account.clone(), entries: book.entries.clone() };
        change(&mut broken);
        broken.account.check(&broken.entries).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(told(&|_| {}), "");
    let lot = id(1);
    assert_eq!(
        told(&|book| book.account.lots[0].remaining = 9),
        format!(
            "the lots hold 9 points, but the entries add up to 10; lot {lot} has 9 points left, but its entries add up to 10"
        )
    );
    assert!(told(&|book| book.account.lots[0].held = 1).contains("its holds add up to 0"));
    assert!(told(&|book| book.account.lots[0].state = LotState::Spent).contains("is Spent with 10 points left"));
    assert!(told(&|book| book.account.lots[0].points = 9).contains("10 points left of 9"));
    assert!(told(&|book| book.account.spent = 1).contains("spent is 1, but the entries make it 0"));
    assert!(told(&|book| book.account.owed = -1).contains("owed is -1"));
    assert!(told(&|book| book.account.lots.push(book.account.lots[0].clone())).contains("is there twice"));
    assert!(told(&|book| book.account.lots.clear()).contains("has 0 points left, but its entries add up to 10"));
    assert!(told(&|book| book.entries[0].points = -10).contains("entry 0 (Accrual) moves -10 points, but its lots 10"));
    assert!(told(&|book| book.entries.clear()).contains("add up to 0"));
}
