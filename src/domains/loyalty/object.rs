//! GraphQL types of loyalty, and this domain's part of `Customer`.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use c360_rules::id::Kind;
use c360_rules::{mask, tier};
use chrono::TimeDelta;

use super::holds::PointsHoldStatus;
use super::store::{
    AccountRow, CardRow, CouponKind, CouponRow, CouponStatus, EarningRuleRow, ExpiringRow, HoldRow, LotRow,
    LoyaltyAccountStatus, LoyaltyCardStatus, LoyaltyTransactionKind, PointsLotState, ProgrammeRow, RedemptionRow,
    RedemptionStatus, RewardKind, RewardRow, TierRow, TransactionRow,
};
use crate::domains::customers::object::Staff;
use crate::domains::customers::store::{CustomerRow, StaffRow};
use crate::domains::orders::object::Order;
use crate::domains::orders::store::{OrderChannel, OrderRow};
use crate::graphql::money::CurrencyCode;
use crate::graphql::{DateTime, Decimal, Money, gid, int};
use crate::objects;
use crate::read::{Connection, Eager, Handle, PageArguments};

/// How far ahead `expiringSoon` looks.
const SOON: TimeDelta = TimeDelta::days(90);

objects! {
    /// A member's account.
    LoyaltyAccount(AccountRow);
    /// A programme.
    LoyaltyProgramme(ProgrammeRow);
    /// A tier.
    LoyaltyTier(TierRow);
    /// A rule by which orders earn points.
    EarningRule(EarningRuleRow);
    /// A card.
    LoyaltyCard(CardRow);
    /// An entry of the ledger.
    LoyaltyTransaction(TransactionRow);
    /// Points that were earned together.
    PointsLot(LotRow);
    /// A lot that will expire.
    ExpiringLot(ExpiringRow);
    /// Something that points buy.
    Reward(RewardRow);
    /// A reward that was bought.
    Redemption(RedemptionRow);
    /// Points reserved at a till.
    PointsHold(HoldRow);
    /// A coupon.
    Coupon(CouponRow);
}

/// The loyalty of a customer.
#[derive(Clone, Debug)]
pub struct CustomerLoyalty(pub(crate) Handle<CustomerRow>);

/// Loyalty of a customer.
#[Object]
impl CustomerLoyalty {
    /// The customer's account in the active loyalty programme; null for those who are not members.
    async fn loyalty(&self) -> Result<Option<Eager<LoyaltyAccount>>> {
        Ok(self.0.one::<AccountRow, _>("loyalty", Some(self.0.id))?)
    }
}

/// A customer's membership in a loyalty programme: points, tier, and what they buy.
#[Object]
impl LoyaltyAccount {
    /// The account's id.
    async fn id(&self) -> ID {
        gid(Kind::LoyaltyAccount, self.0.id)
    }

    /// The membership number. Masked without `pii:read`.
    async fn number(&self) -> String {
        shown(&self.0.number, self.0.pii)
    }

    /// What has become of the account.
    async fn status(&self) -> LoyaltyAccountStatus {
        self.0.status
    }

    /// Since when the customer is a member.
    async fn enrolled_at(&self) -> DateTime {
        self.0.enrolled_at.into()
    }

    /// Grows with every change; give it back as `expectedVersion`.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The programme that the account belongs to.
    async fn programme(&self) -> Result<Option<Eager<LoyaltyProgramme>>> {
        Ok(self.0.one::<ProgrammeRow, _>("programme", Some(self.0.programme_id))?)
    }

    /// The tier that the customer is in now.
    async fn tier(&self) -> Result<Option<Eager<LoyaltyTier>>> {
        Ok(self.tiers()?.into_iter().find(|tier| tier.0.id == self.0.tier_id))
    }

    /// The nearest higher tier that `qualifyingPoints` do not reach yet; null at the top.
    async fn next_tier(&self) -> Result<Option<Eager<LoyaltyTier>>> {
        Ok(pick(self.higher_tiers()?, |tiers| tier::next(self.0.qualifying, tiers)))
    }

    /// The tier that the next review would give if the customer gained nothing more until then, by the points that still
    /// count at that time: lower than `tier` if it would be lost.
    async fn projected_tier(&self) -> Result<Option<Eager<LoyaltyTier>>> {
        let kept = self.0.kept.unwrap_or(self.0.qualifying);
        Ok(pick(self.tiers()?, |tiers| tier::projected(kept, tiers)))
    }

    /// How many more qualifying points `nextTier` takes; null at the top.
    async fn points_to_next_tier(&self) -> Result<Option<i32>> {
        Ok(tier::points_to_next(self.0.qualifying, &rules(&self.higher_tiers()?)).map(int))
    }

    /// Until when the tier is safe; null if it does not end.
    async fn tier_until(&self) -> Option<DateTime> {
        self.0.tier_until.map(Into::into)
    }

    /// Where the points stand.
    async fn balance(&self) -> PointsBalance {
        let row = &self.0;
        PointsBalance {
            active: int(row.active),
            pending: int(row.pending),
            held: int(row.held),
            owed: int(row.owed),
            spent: int(row.spent),
            expired: int(row.expired),
        }
    }

    /// All points that the customer ever earned.
    async fn lifetime_points(&self) -> i32 {
        int(self.0.lifetime)
    }

    /// The points that count for the tier: those gained in the programme's qualification period, less those taken
    /// back.
    async fn qualifying_points(&self) -> i32 {
        int(self.0.qualifying)
    }

    /// The points that expire next, unless they are spent; null if none will. It is read from the 20 lots that expire
    /// first.
    async fn next_expiry(&self) -> Result<Option<ExpiringPoints>> {
        Ok(self.expiring()?.into_iter().next())
    }

    /// The points that expire within 90 days, unless they are spent, soonest first; points that expire at the same
    /// time are added up. It is read from the 20 lots that expire first.
    async fn expiring_soon(&self) -> Result<Vec<ExpiringPoints>> {
        let scope = self.0.scope();
        Ok(self.expiring()?.into_iter().filter(|points| scope.reached(points.expires_at.0 - SOON)).collect())
    }

    /// The lots that the points lie in, newest first.
    async fn lots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<PointsLot>>> {
        Ok(Some(self.0.page::<LotRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// The ledger: every movement of points, newest first. Entries are never changed; a correction is a new entry.
    async fn transactions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<LoyaltyTransaction>>> {
        Ok(Some(self.0.page::<TransactionRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// The points that are reserved at tills at this moment, newest first; at most 100.
    async fn holds(&self) -> Result<Vec<Eager<PointsHold>>> {
        Ok(self.0.few::<HoldRow, _>("holds", self.0.id)?)
    }

    /// The rewards that the customer can have now: on offer and in stock, for the customer's tier, and for no more
    /// than the active points. Dearest first; of at most 100. Empty while the account is blocked or closed.
    async fn rewards_in_reach(&self) -> Result<Vec<Eager<Reward>>> {
        let scope = self.0.scope();
        let mut rewards: Vec<Eager<Reward>> = self.0.few::<RewardRow, _>("rewardsInReach", self.0.id)?;
        rewards.retain(|reward| {
            let row = &reward.0;
            row.starts_at.is_none_or(|starts| scope.reached(starts))
                && row.ends_at.is_none_or(|ends| !scope.reached(ends))
        });
        Ok(rewards)
    }

    /// The rewards that the customer has bought with points, newest first.
    async fn redemptions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<Redemption>>> {
        Ok(Some(self.0.page::<RedemptionRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// The customer's coupons, newest first.
    async fn coupons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<Coupon>>> {
        let page = PageArguments::new(first, after, last, before);
        Ok(Some(self.0.page_by::<CouponRow, _>(ctx, self.0.customer_id, &page)?))
    }

    /// The cards of the account, newest first; at most 100.
    async fn cards(&self) -> Result<Vec<Eager<LoyaltyCard>>> {
        Ok(self.0.few::<CardRow, _>("cards", self.0.id)?)
    }
}

impl LoyaltyAccount {
    fn tiers(&self) -> Result<Vec<Eager<LoyaltyTier>>> {
        Ok(self.0.few::<TierRow, _>("tier", self.0.programme_id)?)
    }

    fn higher_tiers(&self) -> Result<Vec<Eager<LoyaltyTier>>> {
        let mut tiers = self.tiers()?;
        let rank = tiers.iter().find(|tier| tier.0.id == self.0.tier_id).map(|tier| tier.0.rank);
        tiers.retain(|tier| rank.is_none_or(|rank| tier.0.rank > rank));
        Ok(tiers)
    }

    /// What expires and when, soonest first.
    fn expiring(&self) -> Result<Vec<ExpiringPoints>> {
        let scope = self.0.scope();
        let lots: Vec<ExpiringLot> = self.0.few::<ExpiringRow, _>("expiringSoon", self.0.id)?;
        let due = lots.iter().filter(|lot| !scope.reached(lot.0.expires_at));
        let ahead: Vec<_> = due.map(|lot| (lot.0.expires_at, lot.0.points)).collect();
        Ok(ahead
            .chunk_by(|(one, _), (other, _)| one == other)
            .map(|same| ExpiringPoints {
                points: int(same.iter().map(|(_, points)| points).sum()),
                expires_at: same[0].0.into(),
            })
            .collect())
    }
}

fn rules(tiers: &[Eager<LoyaltyTier>]) -> Vec<tier::Tier> {
    tiers.iter().map(|tier| tier::Tier { rank: tier.0.rank, threshold: tier.0.threshold }).collect()
}

/// The tier that a rule chooses; a programme has only one of each rank.
fn pick(
    tiers: Vec<Eager<LoyaltyTier>>,
    choose: impl Fn(&[tier::Tier]) -> Option<&tier::Tier>,
) -> Option<Eager<LoyaltyTier>> {
    let rank = choose(&rules(&tiers))?.rank;
    tiers.into_iter().find(|tier| tier.0.rank == rank)
}

/// A number or code by which a customer is recognised.
fn shown(text: &str, pii: bool) -> String {
    if pii { text.to_owned() } else { mask::name(text) }
}

/// Where the points of an account stand. Active, pending and held points together are what the ledger adds up to.
#[derive(Clone, Debug, SimpleObject)]
pub struct PointsBalance {
    /// Points that can be spent now.
    active: i32,
    /// Points that can be spent once the order that earned them can no longer be returned.
    pending: i32,
    /// Points that are reserved at a till.
    held: i32,
    /// Points that were taken back after they had been spent; later points pay for them.
    owed: i32,
    /// Points that were spent so far.
    spent: i32,
    /// Points that expired so far.
    expired: i32,
}

/// Points that expire together.
#[derive(Clone, Debug, SimpleObject)]
pub struct ExpiringPoints {
    /// How many.
    points: i32,
    /// When.
    expires_at: DateTime,
}

/// A loyalty programme of the retailer.
#[Object]
impl LoyaltyProgramme {
    /// The programme's id.
    async fn id(&self) -> ID {
        gid(Kind::Programme, self.0.id)
    }

    /// Its code.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The retailer's main currency in this programme.
    async fn currency_code(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency.clone())
    }

    /// How many points each whole unit of an order's currency earns, before multipliers.
    async fn points_per_unit(&self) -> Decimal {
        factor(self.0.points_per_unit_bp)
    }

    /// What one point pays at a till, in whole units of `currencyCode`; null if points do not pay there.
    async fn point_value(&self) -> Option<Decimal> {
        self.0.point_value_bp.map(factor)
    }

    /// For how many days points are pending after they were earned.
    async fn pending_days(&self) -> i32 {
        self.0.pending_days
    }

    /// After how many days points expire; null if they do not.
    async fn expiry_days(&self) -> Option<i32> {
        self.0.expiry_days
    }

    /// Of how many days the points count for the tier.
    async fn qualification_days(&self) -> i32 {
        self.0.qualification_days
    }

    /// How many days a tier stays after its end, in which it can still be kept by earning the points for it.
    async fn grace_days(&self) -> i32 {
        self.0.grace_days
    }

    /// The tiers, lowest first; at most 100.
    async fn tiers(&self) -> Result<Vec<Eager<LoyaltyTier>>> {
        Ok(self.0.few::<TierRow, _>("tiers", self.0.id)?)
    }

    /// The rewards that are offered, cheapest first.
    async fn rewards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<Reward>>> {
        Ok(Some(self.0.page::<RewardRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// The rules in force by which orders earn more or fewer points; at most 100.
    async fn earning_rules(&self) -> Result<Vec<Eager<EarningRule>>> {
        Ok(self.0.few::<EarningRuleRow, _>("earningRules", self.0.id)?)
    }
}

/// A tier of a loyalty programme.
#[Object]
impl LoyaltyTier {
    /// The tier's id.
    async fn id(&self) -> ID {
        gid(Kind::Tier, self.0.id)
    }

    /// Its code.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its place among the tiers: a higher one is better.
    async fn rank(&self) -> i32 {
        self.0.rank
    }

    /// The qualifying points from which on it is reached.
    async fn threshold_points(&self) -> i32 {
        int(self.0.threshold)
    }

    /// What the points of an order are multiplied by.
    async fn multiplier(&self) -> Decimal {
        factor(self.0.multiplier_bp)
    }

    /// What it gives, in words for the customer.
    async fn benefits(&self) -> Option<&str> {
        self.0.benefits.as_deref()
    }
}

/// What multiplies the points of an order, on a channel or in a campaign.
#[Object]
impl EarningRule {
    /// The channel that it is for; null for all.
    async fn channel(&self) -> Option<OrderChannel> {
        self.0.channel
    }

    /// What the points are multiplied by.
    async fn multiplier(&self) -> Decimal {
        factor(self.0.multiplier_bp)
    }

    /// The name of the campaign that it belongs to.
    async fn campaign(&self) -> Option<&str> {
        self.0.campaign.as_deref()
    }

    /// From when on it holds; null for always.
    async fn starts_at(&self) -> Option<DateTime> {
        self.0.starts_at.map(Into::into)
    }

    /// Until when it holds; null for ever.
    async fn ends_at(&self) -> Option<DateTime> {
        self.0.ends_at.map(Into::into)
    }
}

/// A number of basis points as a factor.
fn factor(basis_points: i64) -> Decimal {
    Decimal::scaled(basis_points, 4)
}

/// A card of a loyalty account.
#[Object]
impl LoyaltyCard {
    /// The number on the card. Masked without `pii:read`.
    async fn number(&self) -> String {
        shown(&self.0.number, self.0.pii)
    }

    /// What has become of it.
    async fn status(&self) -> LoyaltyCardStatus {
        self.0.status
    }

    /// When it was handed out.
    async fn issued_at(&self) -> DateTime {
        self.0.issued_at.into()
    }

    /// When it was stopped; null while it can be used.
    async fn blocked_at(&self) -> Option<DateTime> {
        self.0.blocked_at.map(Into::into)
    }
}

/// An entry of the points ledger.
#[Object]
impl LoyaltyTransaction {
    /// The entry's id.
    async fn id(&self) -> ID {
        gid(Kind::LoyaltyTransaction, self.0.id)
    }

    /// Why points moved.
    async fn kind(&self) -> LoyaltyTransactionKind {
        self.0.kind
    }

    /// How many; negative for points that went away.
    async fn points(&self) -> i32 {
        int(self.0.points)
    }

    /// What the ledger added up to afterwards: active, pending and held points together.
    async fn balance_after(&self) -> i32 {
        int(self.0.balance_after)
    }

    /// What was said about it.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The system that it comes from.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// When.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// The order that it is about.
    async fn order(&self) -> Result<Option<Eager<Order>>> {
        Ok(self.0.one::<OrderRow, _>("order", self.0.order_id)?)
    }

    /// The member of staff who gave or took the points; null if nobody did.
    async fn credited_by(&self) -> Result<Option<Eager<Staff>>> {
        Ok(self.0.one::<StaffRow, _>("creditedBy", self.0.staff_id)?)
    }
}

/// Points that were earned together, and expire together.
#[Object]
impl PointsLot {
    /// The lot's id.
    async fn id(&self) -> ID {
        gid(Kind::PointsLot, self.0.id)
    }

    /// What can be done with its points.
    async fn state(&self) -> PointsLotState {
        self.0.state
    }

    /// How many points there were at first.
    async fn points(&self) -> i32 {
        int(self.0.points)
    }

    /// How many are left, those that are held among them.
    async fn remaining(&self) -> i32 {
        int(self.0.remaining)
    }

    /// How many are reserved at a till.
    async fn held(&self) -> i32 {
        int(self.0.held)
    }

    /// When they were earned.
    async fn earned_at(&self) -> DateTime {
        self.0.earned_at.into()
    }

    /// From when on they can be spent.
    async fn available_at(&self) -> DateTime {
        self.0.available_at.into()
    }

    /// When what is left expires; null if it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(Into::into)
    }

    /// The order that earned them.
    async fn order(&self) -> Result<Option<Eager<Order>>> {
        Ok(self.0.one::<OrderRow, _>("order", self.0.order_id)?)
    }
}

/// Points that are, or were, reserved at a till.
#[Object]
impl PointsHold {
    /// The hold's id, by which it is captured or released.
    async fn id(&self) -> ID {
        gid(Kind::PointsHold, self.0.id)
    }

    /// What has become of it.
    async fn status(&self) -> PointsHoldStatus {
        self.0.status
    }

    /// How many points were reserved.
    async fn points(&self) -> i32 {
        int(self.0.points)
    }

    /// How many of them were spent.
    async fn captured_points(&self) -> i32 {
        int(self.0.captured)
    }

    /// What they were reserved for, in the till's words.
    async fn reference(&self) -> Option<&str> {
        self.0.reference.as_deref()
    }

    /// The system that reserved them.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// When they are given back by themselves.
    async fn lapses_at(&self) -> DateTime {
        self.0.lapses_at.into()
    }

    /// When they were reserved.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When they were spent or given back; null as long as they are reserved.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(Into::into)
    }
}

/// Something that points buy.
#[Object]
impl Reward {
    /// The reward's id.
    async fn id(&self) -> ID {
        gid(Kind::Reward, self.0.id)
    }

    /// Its code.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is, in words for the customer.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// What kind of thing it is.
    async fn kind(&self) -> RewardKind {
        self.0.kind
    }

    /// How many points it takes.
    async fn cost_points(&self) -> i32 {
        int(self.0.cost_points)
    }

    /// The rank of the lowest tier that may have it.
    async fn min_tier_rank(&self) -> i32 {
        self.0.min_tier_rank
    }

    /// How many are left; null if there is no limit. Staff only.
    async fn stock(&self) -> Option<i32> {
        self.0.stock
    }

    /// Whether there are any left.
    async fn in_stock(&self) -> bool {
        self.0.stock.is_none_or(|stock| stock > 0)
    }

    /// The money that it is worth, of a discount or a gift card.
    async fn value(&self) -> Option<Eager<Money>> {
        Some(Eager::of(Money::new(self.0.value?, self.0.currency.as_deref()?)))
    }

    /// From when on it is offered; null for always.
    async fn starts_at(&self) -> Option<DateTime> {
        self.0.starts_at.map(Into::into)
    }

    /// Until when it is offered; null for ever.
    async fn ends_at(&self) -> Option<DateTime> {
        self.0.ends_at.map(Into::into)
    }
}

/// A reward that a customer bought with points.
#[Object]
impl Redemption {
    /// The redemption's id.
    async fn id(&self) -> ID {
        gid(Kind::Redemption, self.0.id)
    }

    /// What was bought.
    async fn reward(&self) -> Result<Option<Eager<Reward>>> {
        Ok(self.0.one::<RewardRow, _>("reward", Some(self.0.reward_id))?)
    }

    /// The coupon that it came as; null if it came otherwise.
    async fn coupon(&self) -> Result<Option<Eager<Coupon>>> {
        Ok(self.0.one::<CouponRow, _>("coupon", self.0.coupon_id)?)
    }

    /// How many points it took.
    async fn points(&self) -> i32 {
        int(self.0.points)
    }

    /// How far it has come.
    async fn status(&self) -> RedemptionStatus {
        self.0.status
    }

    /// When it was bought.
    async fn redeemed_at(&self) -> DateTime {
        self.0.redeemed_at.into()
    }

    /// When it was called off.
    async fn cancelled_at(&self) -> Option<DateTime> {
        self.0.cancelled_at.map(Into::into)
    }
}

/// A coupon that was given to a customer.
#[Object]
impl Coupon {
    /// The coupon's id.
    async fn id(&self) -> ID {
        gid(Kind::Coupon, self.0.id)
    }

    /// The code that the customer shows or types. Masked without `pii:read`.
    async fn code(&self) -> String {
        shown(&self.0.code, self.0.pii)
    }

    /// What it is for, in words for the customer.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What it takes off.
    async fn kind(&self) -> CouponKind {
        self.0.kind
    }

    /// The amount of money that it takes off, if it takes off an amount.
    async fn value(&self) -> Option<Eager<Money>> {
        Some(Eager::of(Money::new(self.0.value?, self.0.currency.as_deref()?)))
    }

    /// How much of a hundred it takes off, if it takes off a share: "12.5" for 12.5 %.
    async fn percentage(&self) -> Option<Decimal> {
        self.0.percentage_bp.map(|basis_points| Decimal::scaled(basis_points, 2))
    }

    /// What has become of it.
    async fn status(&self) -> CouponStatus {
        self.0.status
    }

    /// When the customer got it.
    async fn issued_at(&self) -> DateTime {
        self.0.issued_at.into()
    }

    /// Until when it can be used; null for ever.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(Into::into)
    }

    /// When it was used.
    async fn redeemed_at(&self) -> Option<DateTime> {
        self.0.redeemed_at.map(Into::into)
    }

    /// The order that it was used for.
    async fn order(&self) -> Result<Option<Eager<Order>>> {
        Ok(self.0.one::<OrderRow, _>("order", self.0.order_id)?)
    }
}
