//! A naive model to compare with: every point is a token of its own, moved one at a time.
//!
//! `PROPTEST_CASES=10000 cargo test -p c360-rules model` is the long form.

use std::collections::HashMap;
use std::mem::swap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Pending,
    Active,
    Held(u128),
    Gone,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    lot: u128,
    order: Option<u128>,
    earned: i64,
    available: i64,
    expires: Option<i64>,
    state: State,
}

#[derive(Default)]
struct Naive {
    tokens: Vec<Token>,
    /// Of each lot of an order, the points that can still be taken back.
    at_stake: HashMap<u128, i64>,
    owed: i64,
    spent: i64,
    expired: i64,
    lifetime: i64,
}

impl Naive {
    /// The token to spend next among those that a rank is given to.
    fn next(&self, rank: impl Fn(&Token) -> Option<u8>) -> Option<usize> {
        let key = |token: &Token| Some((rank(token)?, token.expires.unwrap_or(i64::MAX), token.earned, token.lot));
        (0..self.tokens.len()).filter(|&at| key(&self.tokens[at]).is_some()).min_by_key(|&at| key(&self.tokens[at]))
    }

    /// Turns up to `points` tokens that can be spent into another state, and tells which.
    fn turn(&mut self, points: i64, now: i64, to: State) -> Vec<usize> {
        (0..points)
            .map_while(|_| {
                let at = self.next(|token| usable(token, now).then_some(0))?;
                self.tokens[at].state = to;
                Some(at)
            })
            .collect()
    }

    fn mint(&mut self, points: i64, token: Token) {
        *self.at_stake.entry(token.lot).or_default() += points;
        self.tokens.extend((0..points).map(|_| token));
    }

    fn count(&self, state: impl Fn(State) -> bool) -> i64 {
        self.tokens.iter().filter(|token| state(token.state)).count() as i64
    }

    fn usable(&self, now: i64) -> i64 {
        self.tokens.iter().filter(|token| usable(token, now)).count() as i64
    }

    fn take_back(&mut self, points: i64, now: i64, own: impl Fn(&Token) -> bool) {
        for _ in 0..points.min(self.lifetime) {
            let rank = |token: &Token| match token.state {
                State::Pending if own(token) => Some(0),
                _ if usable(token, now) => Some(if own(token) { 1 } else { 2 }),
                _ => None,
            };
            match self.next(rank) {
                Some(at) => self.tokens[at].state = State::Gone,
                None => self.owed += 1,
            }
            self.lifetime -= 1;
        }
    }

    /// Remembers that points of certain lots were taken back, the oldest lot first.
    fn mark(&mut self, points: i64, own: impl Fn(&Token) -> bool) {
        for _ in 0..points.min(self.lifetime) {
            let lots = self.tokens.iter().filter(|token| own(token)).map(|token| token.lot);
            let Some(lot) = lots.filter(|lot| self.at_stake[lot] > 0).min() else { return };
            self.at_stake.entry(lot).and_modify(|points| *points -= 1);
        }
    }

    /// Moves every living token to another account, each lot under a new name; tells where each token went.
    fn transfer(&mut self, to: &mut Naive, mut rename: impl FnMut() -> u128) -> HashMap<usize, usize> {
        let mut names: HashMap<u128, u128> = HashMap::new();
        let mut places = HashMap::new();
        for (at, token) in self.tokens.iter_mut().enumerate().filter(|(_, token)| token.state != State::Gone) {
            let lot = *names.entry(token.lot).or_insert_with(&mut rename);
            places.insert(at, to.tokens.len());
            to.tokens.push(Token { lot, ..*token });
            token.state = State::Gone;
            to.at_stake.insert(lot, self.at_stake[&token.lot]);
        }
        for (from, to) in [
            (&mut self.owed, &mut to.owed),
            (&mut self.spent, &mut to.spent),
            (&mut self.expired, &mut to.expired),
            (&mut self.lifetime, &mut to.lifetime),
        ] {
            *to += *from;
            *from = 0;
        }
        places
    }

    fn sweep(&mut self, now: i64) {
        for token in &mut self.tokens {
            if token.state == State::Pending && token.available <= now {
                token.state = State::Active;
            }
            if matches!(token.state, State::Pending | State::Active) && past(token, now) {
                token.state = State::Gone;
                self.expired += 1;
            }
        }
    }

    /// Makes a token of a certain lot spendable again, or a new one if it expired.
    fn give_back(&mut self, at: usize, now: i64, new_lot: u128) {
        let token = self.tokens[at];
        if past(&token, now) {
            self.tokens[at].state = State::Gone;
            self.mint(1, plain(new_lot, now));
        } else {
            self.tokens[at].state = State::Active;
        }
    }

    fn balance(&self) -> Balance {
        Balance {
            active: self.count(|state| state == State::Active),
            pending: self.count(|state| state == State::Pending),
            held: self.count(|state| matches!(state, State::Held(_))),
            owed: self.owed,
            spent: self.spent,
            expired: self.expired,
            lifetime: self.lifetime,
        }
    }
}

fn past(token: &Token, now: i64) -> bool {
    token.expires.is_some_and(|expires| expires <= now)
}

fn usable(token: &Token, now: i64) -> bool {
    token.state == State::Active && !past(token, now)
}

fn plain(lot: u128, now: i64) -> Token {
    Token { lot, order: None, earned: now, available: now, expires: None, state: State::Active }
}

#[derive(Clone, Debug)]
enum Operation {
    Accrue { points: i64, delay: i64, life: Option<i64>, order: u128 },
    Wait { days: i64, sweep: bool },
    Adjust(i64),
    Redeem(i64),
    Refund { which: usize, points: i64 },
    Hold(i64),
    Capture { which: usize, points: i64 },
    Release(usize),
    Lapse,
    TakeBack { order: u128, points: i64 },
    Reverse(usize),
    Transfer,
}

fn operation() -> impl Strategy<Value = Operation> {
    let points = || 1_i64..13;
    let which = || 0_usize..64;
    let life = prop_oneof![Just(None), (8_i64..40).prop_map(Some)];
    prop_oneof![
        4 => (points(), prop_oneof![Just(0), Just(7)], life, 0..6_u128)
            .prop_map(|(points, delay, life, order)| Operation::Accrue { points, delay, life, order }),
        3 => (0_i64..9, prop::bool::weighted(0.8)).prop_map(|(days, sweep)| Operation::Wait { days, sweep }),
        1 => (-12_i64..13).prop_map(Operation::Adjust),
        3 => points().prop_map(Operation::Redeem),
        2 => (which(), points()).prop_map(|(which, points)| Operation::Refund { which, points }),
        2 => points().prop_map(Operation::Hold),
        1 => (which(), points()).prop_map(|(which, points)| Operation::Capture { which, points }),
        1 => which().prop_map(Operation::Release),
        1 => Just(Operation::Lapse),
        2 => (0..6_u128, points()).prop_map(|(order, points)| Operation::TakeBack { order, points }),
        1 => which().prop_map(Operation::Reverse),
        1 => Just(Operation::Transfer),
    ]
}

/// The ledger and the model side by side.
#[derive(Default)]
struct Pair {
    account: Account,
    entries: Vec<Entry>,
    naive: Naive,
    /// Another account, which a transfer changes places with.
    other: (Account, Vec<Entry>, Naive),
    /// How many transfers there were.
    moves: usize,
    now: i64,
    ids: u128,
    /// Redemptions with the tokens that each spent and has not given back, and after how many transfers.
    redemptions: Vec<(Entry, Vec<usize>, usize)>,
    /// Holds with their tokens, in the order in which they were held.
    holds: Vec<(u128, Vec<usize>)>,
}

impl Pair {
    fn run(&mut self, operation: Operation) -> Result<(), TestCaseError> {
        let before = self.account.clone();
        self.ids += 1;
        let (now, at, new) = (self.now, day(self.now), 1000 + self.ids);
        let lot = fresh(new);
        let (outcome, expected) = match operation {
            Operation::Accrue { points, delay, life, order } => {
                let expires = life.map(|life| now + life);
                let state = if delay == 0 { State::Active } else { State::Pending };
                let order_id = Some(order);
                let met = self.naive.owed.min(points);
                self.naive.owed -= met;
                self.naive.lifetime += points;
                let token = Token { lot: new, order: order_id, earned: now, available: now + delay, expires, state };
                self.naive.mint(points, token);
                self.naive.tokens.iter_mut().rev().take(met as usize).for_each(|token| token.state = State::Gone);
                (self.account.accrue(points, at, day(now + delay), expires.map(day), order_id.map(id), id(new)), true)
            }
            Operation::Wait { days, sweep } => {
                self.now += days;
                if sweep {
                    self.naive.sweep(self.now);
                }
                (Ok(if sweep { self.account.sweep(day(self.now)) } else { Vec::new() }), true)
            }
            Operation::Adjust(points) if points > 0 => {
                self.naive.mint(points, plain(new, now));
                (self.account.adjust(points, at, lot), true)
            }
            Operation::Adjust(points) => {
                let possible = points != 0 && -points <= self.naive.usable(now);
                if possible {
                    self.naive.turn(-points, now, State::Gone);
                }
                (self.account.adjust(points, at, lot), possible)
            }
            Operation::Redeem(points) => {
                let possible = points <= self.naive.usable(now);
                let outcome = self.account.redeem(points, at);
                if let (true, Ok([redemption])) = (possible, outcome.as_deref()) {
                    let tokens = self.naive.turn(points, now, State::Gone);
                    self.naive.spent += points;
                    self.redemptions.push((redemption.clone(), tokens, self.moves));
                }
                (outcome, possible)
            }
            Operation::Refund { which, points } => {
                if self.redemptions.is_empty() {
                    return Ok(());
                }
                let which = which % self.redemptions.len();
                let (redemption, mut tokens, moves) = self.redemptions[which].clone();
                // A lot of the other account gets nothing back.
                let here = (self.moves - moves).is_multiple_of(2);
                let possible = points <= tokens.len() as i64;
                let refunded = -redemption.points - tokens.len() as i64;
                if possible {
                    for token in tokens.split_off(tokens.len() - points as usize) {
                        if here { self.naive.give_back(token, now, new) } else { self.naive.mint(1, plain(new, now)) }
                    }
                    self.naive.spent -= points;
                    self.redemptions[which].1 = tokens;
                }
                (self.account.refund(&redemption, refunded, points, at, lot), possible)
            }
            Operation::Hold(points) => {
                let possible = points <= self.naive.usable(now);
                if possible {
                    let tokens = self.naive.turn(points, now, State::Held(new));
                    self.holds.push((new, tokens));
                }
                (self.account.hold(id(new), points, at).map(|_| Vec::new()), possible)
            }
            Operation::Capture { which, points } => {
                let Some((hold, mut tokens)) = self.held(which) else { return Ok(()) };
                let possible = points <= tokens.len() as i64;
                let outcome = self.account.capture(id(hold), points, at, lot);
                if let (true, Ok([redemption, ..])) = (possible, outcome.as_deref()) {
                    for token in tokens.split_off(points as usize) {
                        self.naive.give_back(token, now, new);
                    }
                    tokens.iter().for_each(|&token| self.naive.tokens[token].state = State::Gone);
                    self.naive.spent += points;
                    self.redemptions.push((redemption.clone(), tokens, self.moves));
                    self.holds.retain(|&(other, _)| other != hold);
                }
                (outcome, possible)
            }
            Operation::Release(which) => {
                let Some((hold, tokens)) = self.held(which) else { return Ok(()) };
                tokens.iter().for_each(|&token| self.naive.give_back(token, now, new));
                self.holds.retain(|&(other, _)| other != hold);
                (self.account.release(id(hold), at, lot), true)
            }
            Operation::Lapse => {
                let mut entries = Vec::new();
                for (hold, tokens) in std::mem::take(&mut self.holds) {
                    self.ids += 1;
                    let lot = 1000 + self.ids;
                    tokens.iter().for_each(|&token| self.naive.give_back(token, now, lot));
                    entries.extend(self.account.release(id(hold), at, fresh(lot)).unwrap_or_default());
                }
                (Ok(entries), true)
            }
            Operation::TakeBack { order, points } => {
                let own = |token: &Token| token.order == Some(order);
                self.naive.mark(points, own);
                self.naive.take_back(points, now, own);
                (self.account.take_back_order(id(order), points, at), true)
            }
            Operation::Reverse(which) => {
                let accruals: Vec<_> = self.entries.iter().filter(|entry| entry.kind == Accrual).cloned().collect();
                if accruals.is_empty() {
                    return Ok(());
                }
                let accrual = &accruals[which % accruals.len()];
                let own = |token: &Token| id(token.lot) == accrual.allocations[0].0;
                let lot = self.naive.tokens.iter().find(|token| own(token)).map(|token| token.lot);
                let points = lot.map_or(accrual.points, |lot| self.naive.at_stake[&lot]);
                self.naive.mark(points, own);
                self.naive.take_back(points, now, own);
                (self.account.reverse(accrual, at), points > 0)
            }
            Operation::Transfer => {
                self.transfer();
                (Ok(Vec::new()), true)
            }
        };
        prop_assert_eq!(outcome.is_ok(), expected);
        match outcome {
            Ok(entries) => self.entries.extend(entries),
            Err(_) => prop_assert_eq!(&self.account, &before),
        }
        prop_assert_eq!(self.wrong(&self.account, &self.entries), vec![]);
        prop_assert_eq!(self.wrong(&self.other.0, &self.other.1), vec![]);
        for lot in self.account.lots.iter().filter(|lot| lot.order_id.is_some()) {
            prop_assert_eq!(lot.at_stake(), self.naive.at_stake[&lot.id.as_u128()]);
        }
        prop_assert_eq!(self.account.balance(), self.naive.balance());
        prop_assert_eq!(self.account.spendable(day(self.now)), self.naive.usable(self.now));
        Ok(())
    }

    /// Moves everything to the other account, which is the one that the next commands are for.
    fn transfer(&mut self) {
        let (account, entries, naive) = &mut self.other;
        let mut ids = 1001 + self.ids..;
        let mut first = ids.clone();
        let (gone, come) = self.account.transfer(account, day(self.now), || id(ids.next().unwrap()));
        let places = self.naive.transfer(naive, || first.next().unwrap());
        self.ids = self.ids.max(first.start.max(ids.start) - 1000);
        self.entries.extend(gone);
        entries.extend(come);
        self.moves += 1;
        self.holds.iter_mut().flat_map(|(_, tokens)| tokens).for_each(|token| *token = places[token]);
        swap(&mut self.account, account);
        swap(&mut self.entries, entries);
        swap(&mut self.naive, naive);
    }

    /// What is wrong with an account, but for figures whose origin a transfer without points left no trace of.
    fn wrong(&self, account: &Account, entries: &[Entry]) -> Vec<Violation> {
        let mut wrong = account.check(entries);
        wrong.retain(|wrong| !(self.moves > 0 && matches!(wrong, Violation::Figure { .. })));
        wrong
    }

    fn held(&self, which: usize) -> Option<(u128, Vec<usize>)> {
        self.holds.get(which.checked_rem(self.holds.len())?).cloned()
    }
}

/// The short form has fewer.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn every_sequence_of_commands_keeps_every_law_and_agrees_with_the_model(
        operations in prop::collection::vec(operation(), 50),
    ) {
        let mut pair = Pair::default();
        for operation in operations {
            pair.run(operation)?;
        }
    }
}
