//! What members do with their points: rewards, vouchers, the till.

use c360_entities::{coupon, points_hold, points_hold_allocation, redemption};
use c360_rules::id::Kind;
use c360_rules::ledger::NewLot;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::book::{Book, Posting};
use super::orders::Placed;
use super::person::{Actor, Happening, Person};

impl Person<'_> {
    /// Discounts that were to be paid with points become promotions: nobody had the points.
    pub(super) fn void_vouchers(&mut self, placed: &[Placed]) {
        for discount in placed.iter().filter_map(|order| order.voucher) {
            self.rows.order_discounts[discount].kind = "PROMOTION".to_owned();
        }
    }

    /// Buys the voucher that an order's discount stands for, or makes the discount a promotion.
    pub(super) fn buy_voucher(&mut self, book: &mut Book, at: DateTime<Utc>, discount: usize, order: usize) {
        let amount = self.rows.order_discounts[discount].amount;
        let currency = self.traits.home.currency;
        let prizes = &self.world.programme.prizes;
        let prize = prizes.iter().find(|prize| prize.kind == "DISCOUNT" && prize.value == Some((amount, currency)));
        let Some(prize) = prize.filter(|prize| i32::from(prize.min_rank) <= book.rank) else {
            self.rows.order_discounts[discount].kind = "PROMOTION".to_owned();
            return;
        };
        let Ok(entries) = book.account.redeem(prize.cost, at) else {
            self.rows.order_discounts[discount].kind = "PROMOTION".to_owned();
            return;
        };
        let order = &self.rows.orders[order];
        let (order_id, used, code) = (order.id, order.placed_at, format!("PTS-{}", order.number));
        let definition =
            self.world.programme.vouchers.iter().find(|(minor, of, _)| (*minor, *of) == (amount, currency));
        let coupon_id = definition.map(|&(_, _, definition)| {
            self.coupon(definition, code.clone(), "REDEEMED", Some(order_id), at, Some(used))
        });
        self.rows.order_discounts[discount].code = Some(code);
        for entry in entries {
            let transaction = self.post(book, &entry, Posting { reason: Some(prize.name), ..Posting::default() });
            self.redemption(book, prize.id, transaction.1, coupon_id, "FULFILLED", prize.cost, at, None);
            self.redeemed(transaction, prize.name, entry.points, at);
        }
    }

    /// Takes the reward that they can afford and like, if there is one.
    pub(super) fn redeem(&mut self, book: &mut Book, at: DateTime<Utc>) {
        let spendable = book.account.spendable(at);
        let currency = self.traits.home.currency;
        let prizes = &self.world.programme.prizes;
        let fits: Vec<_> = prizes
            .iter()
            .filter(|prize| prize.available && prize.cost <= spendable && i32::from(prize.min_rank) <= book.rank)
            .filter(|prize| prize.value.is_none_or(|(_, of)| of == currency))
            .collect();
        if fits.is_empty() {
            return;
        }
        let prize = fits[self.rng.usize(..fits.len())];
        let entries = book.account.redeem(prize.cost, at).unwrap_or_default();
        let Some(entry) = entries.first() else { return };
        let transaction = self.post(book, entry, Posting { reason: Some(prize.name), ..Posting::default() });
        self.redeemed(transaction, prize.name, entry.points, at);
        let back = at + TimeDelta::hours(self.rng.i64(1..48));
        let cancelled = self.chance(12) && back < self.as_of() && book.next_expiry(back).is_none();
        let voucher = prize.value.and_then(|value| {
            self.world.programme.vouchers.iter().find(|(minor, of, _)| (*minor, *of) == value).map(|(_, _, id)| *id)
        });
        let coupon_id = voucher.map(|definition| {
            let code = format!("PTS-{}-{}", self.index, self.rows.coupons.len() + 1);
            let expired = at + TimeDelta::days(90) < self.as_of();
            let status = if cancelled {
                "CANCELLED"
            } else if expired {
                "EXPIRED"
            } else {
                "ISSUED"
            };
            self.coupon(definition, code, status, None, at, None)
        });
        let status = if cancelled {
            "CANCELLED"
        } else if prize.value.is_some() || self.as_of() - at < TimeDelta::days(7) {
            "ISSUED"
        } else {
            "FULFILLED"
        };
        let cancelled_at = cancelled.then_some(back);
        self.redemption(book, prize.id, transaction.1, coupon_id, status, prize.cost, at, cancelled_at);
        if let Some(at) = cancelled_at {
            let new = NewLot { id: self.id_at(at), expires_at: Some(at + TimeDelta::days(90)) };
            book.account.activate(at);
            for entry in book.account.refund(entry, 0, prize.cost, at, new).unwrap_or_default() {
                let reverses_id = Some(transaction.1);
                let transaction = self.post(
                    book,
                    &entry,
                    Posting { reason: Some("Reward cancelled"), reverses_id, ..Posting::default() },
                );
                let happened = Happening::new("POINTS_REFUNDED", "LOYALTY", at, transaction);
                let label = Some(prize.name.to_owned());
                self.happened(Happening { label, points: Some(entry.points), actor: Actor::Customer, ..happened });
            }
        }
    }

    fn redeemed(&mut self, transaction: (Kind, Uuid), reward: &str, points: i64, at: DateTime<Utc>) {
        let redeemed = Happening::new("POINTS_REDEEMED", "LOYALTY", at, transaction);
        let label = Some(reward.to_owned());
        self.happened(Happening { label, points: Some(points), actor: Actor::Customer, ..redeemed });
    }

    /// Spends points at a till: they are held, then captured.
    pub(super) fn till(&mut self, book: &mut Book, at: DateTime<Utc>, points: i64) {
        let id = self.id_at(at);
        if book.account.hold(id, points, at).is_err() {
            return;
        }
        let done = at + TimeDelta::minutes(1);
        let new = NewLot { id: self.id_at(done), expires_at: None };
        for entry in book.account.capture(id, points, done, new).unwrap_or_default() {
            let transaction = self.post(
                book,
                &entry,
                Posting { reason: Some("Paid at the till"), source: Some("pos"), ..Posting::default() },
            );
            let redeemed = Happening::new("POINTS_REDEEMED", "LOYALTY", done, transaction);
            let (label, actor) = (Some("Paid at the till".to_owned()), Actor::Partner("pos"));
            self.happened(Happening { label, points: Some(entry.points), channel: Some("POS"), actor, ..redeemed });
        }
        self.hold_row(book, id, "CAPTURED", points, points, at, Some(done));
    }

    /// Holds some points and lets them go again.
    pub(super) fn release(&mut self, book: &mut Book, at: DateTime<Utc>, lapsed: bool) {
        let points = (book.account.spendable(at) / 2).min(200);
        let id = self.id_at(at);
        if book.account.hold(id, points, at).is_err() {
            return;
        }
        let (status, minutes) = if lapsed { ("LAPSED", 30) } else { ("RELEASED", 4) };
        let done = at + TimeDelta::minutes(minutes);
        let new = NewLot { id: self.id_at(done), expires_at: Some(done + TimeDelta::days(30)) };
        for entry in book.account.release(id, done, new).unwrap_or_default() {
            self.post(book, &entry, Posting { reason: Some("Released after its expiry"), ..Posting::default() });
        }
        self.hold_row(book, id, status, points, 0, at, Some(done));
    }

    /// Holds some points that stay held.
    pub(super) fn hold_now(&mut self, book: &mut Book, at: DateTime<Utc>) {
        let points = (book.account.spendable(at) / 2).min(300);
        let id = self.id_at(at);
        let Ok(hold) = book.account.hold(id, points, at) else { return };
        self.hold_row(book, id, "HELD", points, 0, at, None);
        for (lot_id, points) in hold.allocations {
            let customer_id = self.id;
            self.rows.points_hold_allocations.push(points_hold_allocation::Model {
                hold_id: id,
                lot_id,
                customer_id,
                points,
            });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row, in their order")]
    fn hold_row(
        &mut self,
        book: &Book,
        id: Uuid,
        status: &str,
        points: i64,
        captured_points: i64,
        at: DateTime<Utc>,
        closed_at: Option<DateTime<Utc>>,
    ) {
        self.rows.points_holds.push(points_hold::Model {
            id,
            account_id: book.id,
            customer_id: self.id,
            status: status.to_owned(),
            points,
            captured_points,
            source: "pos".to_owned(),
            lapses_at: at + TimeDelta::minutes(30),
            created_at: at,
            closed_at,
            reference: None,
            transaction_id: None,
        });
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of one row, in their order")]
    fn redemption(
        &mut self,
        book: &Book,
        reward_id: Uuid,
        transaction_id: Uuid,
        coupon_id: Option<Uuid>,
        status: &str,
        points: i64,
        at: DateTime<Utc>,
        cancelled_at: Option<DateTime<Utc>>,
    ) {
        let id = self.id_at(at);
        self.rows.redemptions.push(redemption::Model {
            id,
            account_id: book.id,
            customer_id: self.id,
            reward_id,
            transaction_id,
            coupon_id,
            status: status.to_owned(),
            points,
            redeemed_at: at,
            cancelled_at,
        });
    }

    /// Makes a coupon that is good for 90 days.
    pub(super) fn coupon(
        &mut self,
        definition_id: Uuid,
        code: String,
        status: &str,
        order_id: Option<Uuid>,
        at: DateTime<Utc>,
        redeemed_at: Option<DateTime<Utc>>,
    ) -> Uuid {
        let id = self.id_at(at);
        self.rows.coupons.push(coupon::Model {
            id,
            definition_id,
            customer_id: self.id,
            code,
            status: status.to_owned(),
            order_id,
            issued_at: at,
            expires_at: Some(at + TimeDelta::days(90)),
            redeemed_at,
        });
        id
    }
}
