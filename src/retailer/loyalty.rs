//! A member's points: what happened to the account, in order, by the rules of the ledger.

use c360_entities::{loyalty_account, loyalty_card, points_lot};
use c360_rules::earning;
use c360_rules::id::Kind;
use c360_rules::ledger::{Entry, LotState, NewLot, TransactionKind};
use c360_rules::money::{Currency, Money};
use c360_rules::tier;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::book::{Book, Posting};
use super::orders::Placed;
use super::person::{Actor, Happening, Person};
use super::profile::card_number;
use super::returns::TakenBack;

/// Something that moves points.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// An order is paid.
    Earn { order: usize },
    /// A discount of an order is bought with points.
    Voucher { discount: usize, order: usize },
    /// Part of an order comes back.
    TakeBack(TakenBack),
    /// The member looks for a reward.
    Redeem,
    /// Points are spent at a till, by way of a hold; all of them if it says so.
    Till { all: bool },
    /// Points are reserved at a till and released, or lapse.
    Released { lapsed: bool },
    /// Points are reserved at a till now.
    Held,
    /// The programme or staff give points, or take some.
    Adjust { points: i64, reason: &'static str, days: Option<i64> },
    /// Another account of the same person is joined to this one.
    Absorb { index: u64 },
}

impl Person<'_> {
    pub(super) fn make_loyalty(&mut self, placed: &[Placed], taken: &[TakenBack]) {
        if !self.traits.member {
            return self.void_vouchers(placed);
        }
        let account_id = self.id_at(self.since);
        let mut book = Book::new(account_id);
        let enrolled = Happening::new("LOYALTY_ENROLLED", "LOYALTY", self.since, (Kind::LoyaltyAccount, account_id));
        self.happened(Happening { label: Some(card_number(self.index)), actor: Actor::Customer, ..enrolled });
        let mut moves = self.moves(placed, taken);
        moves.sort_by_key(|(at, _)| *at);
        for (at, step) in moves {
            self.sweep(&mut book, at);
            self.step(&mut book, at, step);
        }
        let now = self.as_of();
        self.sweep(&mut book, now);
        self.write_account(&book);
    }

    fn moves(&mut self, placed: &[Placed], taken: &[TakenBack]) -> Vec<(DateTime<Utc>, Move)> {
        let now = self.as_of();
        let mut moves = Vec::with_capacity(placed.len() + 8);
        for order in placed {
            let row = &self.rows.orders[order.order];
            let at = row.placed_at;
            if row.paid_total > 0 {
                moves.push((at + TimeDelta::minutes(1), Move::Earn { order: order.order }));
            }
            if let Some(discount) = order.voucher {
                moves.push((
                    (at - TimeDelta::minutes(20)).max(self.since),
                    Move::Voucher { discount, order: order.order },
                ));
            }
        }
        moves.extend(taken.iter().map(|taken| (taken.at, Move::TakeBack(*taken))));
        let span = (now - self.since).num_hours().max(3);
        for _ in 0..self.traits.orders / 4 {
            let at = self.since + TimeDelta::hours(self.rng.i64(1..span));
            let step = match self.rng.u8(..100) {
                0..60 => Move::Redeem,
                60..80 => Move::Till { all: false },
                80..90 => Move::Released { lapsed: self.rng.bool() },
                90..97 => Move::Adjust { points: self.pick(&[50, 100, 200]), reason: "Goodwill", days: None },
                _ => Move::Adjust { points: -self.pick(&[5, 10, 25]), reason: "Credited by mistake", days: None },
            };
            moves.push((at, step));
        }
        if self.chance(40) {
            moves.push((
                self.since + TimeDelta::minutes(5),
                Move::Adjust { points: 25, reason: "Welcome", days: Some(180) },
            ));
        }
        if self.traits.points_owed {
            moves.retain(|(at, step)| {
                *at < now - TimeDelta::days(60) || matches!(step, Move::Earn { .. } | Move::TakeBack(_))
            });
            moves.push((now - TimeDelta::days(8), Move::Till { all: true }));
        }
        if self.traits.points_expiring {
            moves.retain(|(at, step)| {
                *at < now - TimeDelta::days(26) || matches!(step, Move::Earn { .. } | Move::TakeBack(_))
            });
            let bonus = Move::Adjust { points: 120, reason: "Birthday", days: Some(30) };
            moves.push((now - TimeDelta::days(26), bonus));
        }
        if self.traits.points_held {
            moves.push((now - TimeDelta::minutes(3), Move::Held));
        }
        if let Some(index) = self.traits.absorbs {
            moves.push((now - TimeDelta::days(70), Move::Absorb { index }));
        }
        moves.retain(|(at, _)| *at >= self.since);
        let bought = |discount| {
            moves.iter().any(|(_, step)| matches!(step, Move::Voucher { discount: d, .. } if *d == discount))
        };
        for discount in placed.iter().filter_map(|order| order.voucher).filter(|discount| !bought(*discount)) {
            self.rows.order_discounts[discount].kind = "PROMOTION".to_owned();
        }
        moves
    }

    fn step(&mut self, book: &mut Book, at: DateTime<Utc>, step: Move) {
        match step {
            Move::Earn { order } => self.earn(book, at, order),
            Move::Voucher { discount, order } => self.buy_voucher(book, at, discount, order),
            Move::TakeBack(taken) => self.take_back(book, taken),
            Move::Redeem => self.redeem(book, at),
            Move::Till { all } => {
                let spendable = book.account.spendable(at);
                let points = if all { spendable } else { (spendable / 3).min(500) };
                self.till(book, at, points);
            }
            Move::Released { lapsed } => self.release(book, at, lapsed),
            Move::Held => self.hold_now(book, at),
            Move::Adjust { points, reason, days } => self.adjust(book, at, points, reason, days),
            Move::Absorb { index } => self.absorb(book, at, index),
        }
    }

    /// Lets points become active and expire, each at its own time, until an instant.
    fn sweep(&mut self, book: &mut Book, until: DateTime<Utc>) {
        while let Some(due) = book.next_expiry(until) {
            for entry in book.account.sweep(due) {
                let transaction = self.post(book, &entry, Posting::default());
                let expired = Happening::new("POINTS_EXPIRED", "LOYALTY", due, transaction);
                self.happened(Happening { points: Some(entry.points), ..expired });
            }
        }
        book.account.activate(until);
    }

    /// The points that goods of this value earn.
    fn worth(&self, net: i64) -> i64 {
        let currency: Result<Currency, _> = self.traits.home.currency.parse();
        currency.map_or(0, |currency| earning::Rule::default().points(Money::new(net, currency)))
    }

    fn earn(&mut self, book: &mut Book, at: DateTime<Utc>, order: usize) {
        let row = &self.rows.orders[order];
        let (order_id, number, source) = (row.id, row.number.clone(), row.source.clone());
        let points = self.worth(row.subtotal - row.discount_total);
        let (available, expires) = (at + self.world.programme.pending, at + self.world.programme.expiry);
        let lot = self.id_at(at);
        let entries =
            book.account.accrue(points, at, available, Some(expires), Some(order_id), lot).unwrap_or_default();
        for entry in entries {
            let posting = Posting { source: Some(&source), ..Posting::default() };
            let transaction = self.post(book, &entry, posting);
            let earned = entry.kind == TransactionKind::Accrual;
            let kind = if earned { "POINTS_EARNED" } else { "POINTS_TAKEN_BACK" };
            if earned {
                book.earned.push((order_id, transaction.1));
            }
            let happened = Happening::new(kind, "LOYALTY", at, transaction);
            self.happened(Happening { label: Some(number.clone()), points: Some(entry.points), ..happened });
        }
        self.review_tier(book, at);
    }

    /// Raises the tier if the points of the qualification period reach it, or extends it.
    fn review_tier(&mut self, book: &mut Book, at: DateTime<Utc>) {
        let tiers: Vec<_> = self.world.programme.tiers.iter().map(|(_, tier)| *tier).collect();
        let gained = book.gained(at - self.world.programme.qualification);
        let rank = tier::current(gained.max(0), &tiers).map_or(1, |tier| tier.rank);
        if rank >= book.rank || book.tier_until <= at {
            if rank > book.rank {
                let name = self.rank_name(rank);
                let raised = Happening::new("TIER_CHANGED", "LOYALTY", at, (Kind::LoyaltyAccount, book.id));
                self.happened(Happening { label: Some(name), ..raised });
            }
            book.rank = rank;
            book.tier_until = at + self.world.programme.qualification;
        }
    }

    fn rank_name(&self, rank: i32) -> String {
        let tier = self.world.rows.loyalty_tiers.iter().find(|tier| i32::from(tier.rank) == rank);
        tier.map_or_else(String::new, |tier| tier.code.clone())
    }

    fn take_back(&mut self, book: &mut Book, taken: TakenBack) {
        let row = &self.rows.orders[taken.order];
        let (order_id, number) = (row.id, row.number.clone());
        let points = self.worth(row.subtotal - row.discount_total) - self.worth(taken.net_after);
        let reverses_id = book.earned.iter().find(|(order, _)| *order == order_id).map(|(_, transaction)| *transaction);
        for entry in book.account.take_back_order(order_id, points, taken.at).unwrap_or_default() {
            let transaction =
                self.post(book, &entry, Posting { reason: Some("Return"), reverses_id, ..Posting::default() });
            let happened = Happening::new("POINTS_TAKEN_BACK", "LOYALTY", taken.at, transaction);
            self.happened(Happening { label: Some(number.clone()), points: Some(entry.points), ..happened });
        }
    }

    fn adjust(&mut self, book: &mut Book, at: DateTime<Utc>, points: i64, reason: &'static str, days: Option<i64>) {
        let expires_at = Some(at + days.map_or(self.world.programme.expiry, TimeDelta::days));
        let new = NewLot { id: self.id_at(at), expires_at };
        let colleague = self.colleague(None);
        let by_staff = days.is_none();
        for entry in book.account.adjust(points, at, new).unwrap_or_default() {
            let staff_id = by_staff.then_some(colleague.id);
            let transaction = self.post(book, &entry, Posting { reason: Some(reason), staff_id, ..Posting::default() });
            let actor = if by_staff { Actor::Staff(colleague.subject) } else { Actor::System };
            let happened = Happening::new("POINTS_ADJUSTED", "LOYALTY", at, transaction);
            self.happened(Happening { label: Some(reason.to_owned()), points: Some(entry.points), actor, ..happened });
        }
    }

    fn write_account(&mut self, book: &Book) {
        let balance = book.account.balance();
        let now = self.as_of();
        let qualifying = book.gained(now - self.world.programme.qualification).max(0);
        let tiers: Vec<_> = self.world.programme.tiers.iter().map(|(_, tier)| *tier).collect();
        let lapsed = book.tier_until <= now;
        let rank =
            if lapsed { tier::current(qualifying, &tiers).map_or(1, |tier| tier.rank) } else { book.rank.max(1) };
        self.rank = rank;
        let tier = self.world.programme.tiers.iter().find(|(_, tier)| tier.rank == rank).map_or(book.id, |(id, _)| *id);
        let tier_until = (rank > 1).then(|| book.tier_until.max(now + TimeDelta::days(30)));
        let status = if self.chance(1) { "BLOCKED" } else { "ACTIVE" };
        self.rows.loyalty_accounts.push(loyalty_account::Model {
            id: book.id,
            programme_id: self.world.programme.id,
            customer_id: self.id,
            number: card_number(self.index),
            status: status.to_owned(),
            tier_id: tier,
            tier_until,
            active_points: balance.active,
            pending_points: balance.pending,
            held_points: balance.held,
            owed_points: balance.owed,
            spent_points: balance.spent,
            expired_points: balance.expired,
            lifetime_points: balance.lifetime,
            qualifying_points: qualifying,
            version: 1 + i64::try_from(book.posted).unwrap_or(0),
            enrolled_at: self.since,
            earning: "ORDERS".to_owned(),
            review_at: book.next_review(tier_until, &self.world.programme, now),
            kept_points: tier_until.map(|until| book.gained(until - self.world.programme.qualification)),
        });
        self.write_lots(book, self.id);
        self.write_cards(book.id);
    }

    pub(super) fn write_lots(&mut self, book: &Book, customer_id: Uuid) {
        for lot in &book.account.lots {
            let Some((_, transaction_id)) = book.origins.iter().find(|(id, _)| *id == lot.id) else { continue };
            let state = match lot.state {
                LotState::Pending => "PENDING",
                LotState::Active => "ACTIVE",
                LotState::Spent => "SPENT",
                LotState::Expired => "EXPIRED",
            };
            self.rows.points_lots.push(points_lot::Model {
                id: lot.id,
                account_id: book.id,
                customer_id,
                transaction_id: *transaction_id,
                order_id: lot.order_id,
                state: state.to_owned(),
                points: lot.points,
                remaining: lot.remaining,
                held: lot.held,
                earned_at: lot.earned_at,
                available_at: lot.available_at,
                expires_at: lot.expires_at,
                taken_back: lot.taken_back,
            });
        }
    }

    fn write_cards(&mut self, account_id: Uuid) {
        let replaced = self.chance(4);
        let issued_again = self.later(self.since, 24..24 * 300);
        let mut card = |number: String, status: &str, at: DateTime<Utc>, blocked_at, rng: &mut fastrand::Rng| {
            self.rows.loyalty_cards.push(loyalty_card::Model {
                id: crate::clock::id_at(at, rng),
                account_id,
                customer_id: self.id,
                number,
                status: status.to_owned(),
                issued_at: at,
                blocked_at,
            });
        };
        let mut rng = self.rng.fork();
        if replaced {
            card(format!("76{:010}", self.index), "REPLACED", self.since, Some(issued_again), &mut rng);
            card(card_number(self.index), "ACTIVE", issued_again, None, &mut rng);
        } else {
            card(card_number(self.index), "ACTIVE", self.since, None, &mut rng);
        }
    }

    /// Joins the account of the same person under another number to this one.
    fn absorb(&mut self, book: &mut Book, at: DateTime<Utc>, index: u64) {
        let (mut other, entries, created) = self.make_double(at, index);
        let mut rng = self.rng.fork();
        let (gone, come) = other.account.transfer(&mut book.account, at, || crate::clock::id_at(at, &mut rng));
        self.finish_double(&mut other, &entries, &gone, created);
        let posting = |reason| Posting { reason: Some(reason), ..Posting::default() };
        for entry in come {
            let transaction = self.post(book, &entry, posting("Accounts joined"));
            let happened = Happening::new("POINTS_TRANSFERRED", "LOYALTY", at, transaction);
            self.happened(Happening { points: Some(entry.points), staff_only: true, ..happened });
        }
    }

    /// Appends an entry to the books. Returns what the transaction is called.
    pub(super) fn post(&mut self, book: &mut Book, entry: &Entry, posting: Posting<'_>) -> (Kind, Uuid) {
        let id = book.post(self.id, entry, posting, &mut self.rng, &mut self.rows);
        (Kind::LoyaltyTransaction, id)
    }
}
