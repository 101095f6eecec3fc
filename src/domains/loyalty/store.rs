//! Rows of loyalty and the edges between them.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, SimpleExpr};
use uuid::Uuid;

use super::holds::PointsHoldStatus;
use crate::auth::Domain;
use crate::choice;
use crate::domains::customers::store::staff_member;
use crate::domains::orders::store::{OrderChannel, order_of};
use crate::read::{Access, Find, Join, Order, Pieces, Relation, Root, RowType, Shape};
use crate::row;

choice! {
    /// What has become of a loyalty account.
    pub enum LoyaltyAccountStatus {
        /// In use.
        Active = "ACTIVE",
        /// Stopped by staff: it shows its points and cannot spend them.
        Blocked = "BLOCKED",
        /// Ended.
        Closed = "CLOSED",
    }
}

choice! {
    /// What has become of a loyalty card.
    pub enum LoyaltyCardStatus {
        /// In use.
        Active = "ACTIVE",
        /// Stopped, for example because it was lost.
        Blocked = "BLOCKED",
        /// Another card took its place.
        Replaced = "REPLACED",
    }
}

choice! {
    /// Why points moved.
    pub enum LoyaltyTransactionKind {
        /// An order earned them.
        Accrual = "ACCRUAL",
        /// Staff or the programme corrected the account, either way.
        Adjustment = "ADJUSTMENT",
        /// The customer spent them.
        Redemption = "REDEMPTION",
        /// A redemption was undone.
        Refund = "REFUND",
        /// What was earned was taken back, for example after a return.
        Reversal = "REVERSAL",
        /// They were not spent in time.
        Expiration = "EXPIRATION",
        /// They came from another account.
        TransferIn = "TRANSFER_IN",
        /// They went to another account.
        TransferOut = "TRANSFER_OUT",
    }
}

choice! {
    /// What can be done with the points of a lot.
    pub enum PointsLotState {
        /// Not yet to be spent: the order may still come back.
        Pending = "PENDING",
        /// To be spent, apart from those that are held.
        Active = "ACTIVE",
        /// All spent, or taken back.
        Spent = "SPENT",
        /// The rest was not spent in time.
        Expired = "EXPIRED",
    }
}

choice! {
    /// What kind of thing a reward is.
    pub enum RewardKind {
        /// Money off an order.
        Discount = "DISCOUNT",
        /// Goods.
        Gift = "GIFT",
        /// Something to take part in.
        Experience = "EXPERIENCE",
        /// A donation in the customer's name.
        Donation = "DONATION",
        /// A gift card.
        GiftCard = "GIFT_CARD",
    }
}

choice! {
    /// How far a redemption has come.
    pub enum RedemptionStatus {
        /// The points are spent; the customer does not have the reward yet.
        Issued = "ISSUED",
        /// The customer has the reward.
        Fulfilled = "FULFILLED",
        /// Called off; the points went back.
        Cancelled = "CANCELLED",
    }
}

choice! {
    /// What a coupon takes off.
    pub enum CouponKind {
        /// An amount of money.
        Amount = "AMOUNT",
        /// A share of the price.
        Percentage = "PERCENTAGE",
        /// What shipping costs.
        FreeShipping = "FREE_SHIPPING",
        /// An amount that the manufacturer of a product pays.
        Manufacturer = "MANUFACTURER",
    }
}

choice! {
    /// What has become of a coupon.
    pub enum CouponStatus {
        /// With the customer, to be used.
        Issued = "ISSUED",
        /// Used.
        Redeemed = "REDEEMED",
        /// Not used in time.
        Expired = "EXPIRED",
        /// Called off.
        Cancelled = "CANCELLED",
    }
}

row! {
    /// A member's account.
    pub struct AccountRow {
        programme_id: Uuid = "x.programme_id",
        customer_id: Uuid = "x.customer_id" for ["coupons"],
        tier_id: Uuid = "x.tier_id",
        pii: bool = "{pii}" for ["number"],
        active: i64 = "x.active_points" for ["balance"],
        pending: i64 = "x.pending_points" for ["balance"],
        held: i64 = "x.held_points" for ["balance"],
        owed: i64 = "x.owed_points" for ["balance"],
        spent: i64 = "x.spent_points" for ["balance"],
        expired: i64 = "x.expired_points" for ["balance"],
        lifetime: i64 = "x.lifetime_points" for ["lifetimePoints"],
        qualifying: i64 = "x.qualifying_points",
        kept: Option<i64> = "x.kept_points" for ["projectedTier"],
        version: i64 = "x.version" for ["version"],
        number: String = "x.number" for ["number"],
        status: LoyaltyAccountStatus = "x.status",
        tier_until: Option<DateTime<Utc>> = "x.tier_until" for ["tierUntil"],
        enrolled_at: DateTime<Utc> = "x.enrolled_at" for ["enrolledAt"],
    }
}

row! {
    /// A programme.
    pub struct ProgrammeRow {
        points_per_unit_bp: i64 = "x.points_per_unit_bp",
        point_value_bp: Option<i64> = "x.point_value_bp",
        pending_days: i32 = "x.pending_days",
        expiry_days: Option<i32> = "x.expiry_days",
        qualification_days: i32 = "x.qualification_days",
        grace_days: i32 = "x.grace_days",
        code: String = "x.code",
        name: String = "x.name",
        currency: String = "x.currency",
    }
}

row! {
    /// A tier of a programme.
    pub struct TierRow {
        rank: i32 = "x.rank",
        threshold: i64 = "x.threshold_points",
        multiplier_bp: i64 = "x.multiplier_bp" for ["multiplier"],
        code: String = "x.code",
        name: String = "x.name",
        benefits: Option<String> = "x.benefits" for ["benefits"],
    }
}

row! {
    /// A rule by which orders earn points.
    pub struct EarningRuleRow {
        multiplier_bp: i64 = "x.multiplier_bp",
        channel: Option<OrderChannel> = "x.channel",
        campaign: Option<String> = "x.campaign",
        starts_at: Option<DateTime<Utc>> = "x.starts_at",
        ends_at: Option<DateTime<Utc>> = "x.ends_at",
    }
}

row! {
    /// A card.
    pub struct CardRow {
        pii: bool = "{pii}",
        number: String = "x.number",
        status: LoyaltyCardStatus = "x.status",
        issued_at: DateTime<Utc> = "x.issued_at",
        blocked_at: Option<DateTime<Utc>> = "x.blocked_at",
    }
}

row! {
    /// An entry of the ledger.
    pub struct TransactionRow {
        order_id: Option<Uuid> = "x.order_id" for ["order"],
        staff_id: Option<Uuid> = "x.staff_id" for ["creditedBy"],
        points: i64 = "x.points",
        balance_after: i64 = "x.balance_after" for ["balanceAfter"],
        kind: LoyaltyTransactionKind = "x.kind",
        reason: Option<String> = "x.reason" for ["reason"],
        source: String = "x.source" for ["source"],
        occurred_at: DateTime<Utc> = "x.occurred_at",
    }
}

row! {
    /// Points that were earned together.
    pub struct LotRow {
        order_id: Option<Uuid> = "x.order_id",
        points: i64 = "x.points",
        remaining: i64 = "x.remaining",
        held: i64 = "x.held",
        state: PointsLotState = "x.state",
        earned_at: DateTime<Utc> = "x.earned_at",
        available_at: DateTime<Utc> = "x.available_at",
        expires_at: Option<DateTime<Utc>> = "x.expires_at",
    }
}

row! {
    /// What of a lot will expire: held points do not, as long as they are held.
    pub struct ExpiringRow {
        points: i64 = "x.remaining - x.held",
        expires_at: DateTime<Utc> = "x.expires_at",
    }
}

row! {
    /// Points reserved at a till.
    pub struct HoldRow {
        points: i64 = "x.points",
        captured: i64 = "x.captured_points",
        status: PointsHoldStatus = "x.status",
        source: String = "x.source" for ["source"],
        reference: Option<String> = "x.reference" for ["reference"],
        lapses_at: DateTime<Utc> = "x.lapses_at",
        created_at: DateTime<Utc> = "x.created_at",
        closed_at: Option<DateTime<Utc>> = "x.closed_at",
    }
}

row! {
    /// Something that points buy.
    pub struct RewardRow {
        cost_points: i64 = "x.cost_points",
        min_tier_rank: i32 = "x.min_tier_rank",
        stock: Option<i32> = "x.stock",
        value: Option<i64> = "x.value_minor",
        code: String = "x.code",
        name: String = "x.name",
        description: Option<String> = "x.description",
        kind: RewardKind = "x.kind",
        currency: Option<String> = "x.currency",
        starts_at: Option<DateTime<Utc>> = "x.starts_at",
        ends_at: Option<DateTime<Utc>> = "x.ends_at",
    }
}

row! {
    /// A reward that was bought.
    pub struct RedemptionRow {
        reward_id: Uuid = "x.reward_id",
        coupon_id: Option<Uuid> = "x.coupon_id",
        points: i64 = "x.points",
        status: RedemptionStatus = "x.status",
        redeemed_at: DateTime<Utc> = "x.redeemed_at",
        cancelled_at: Option<DateTime<Utc>> = "x.cancelled_at",
    }
}

row! {
    /// A coupon, with what it is good for.
    pub struct CouponRow {
        order_id: Option<Uuid> = "x.order_id",
        pii: bool = "{pii}",
        value: Option<i64> = "x.value_minor",
        percentage_bp: Option<i64> = "x.percentage_bp",
        code: String = "x.code",
        title: String = "x.title",
        kind: CouponKind = "x.kind",
        currency: Option<String> = "x.currency",
        status: CouponStatus = "x.status",
        issued_at: DateTime<Utc> = "x.issued_at",
        expires_at: Option<DateTime<Utc>> = "x.expires_at",
        redeemed_at: Option<DateTime<Utc>> = "x.redeemed_at",
    }
}

/// The id of the active programme; the oldest, if there are several.
macro_rules! active_programme {
    () => {
        "(SELECT g.id FROM loyalty_programmes g WHERE g.active ORDER BY g.created_at, g.id LIMIT 1)"
    };
}

/// No source keeps an account: a partner that sees only its own source's records sees none.
const ACCOUNTS: &str = "(SELECT a.*, CAST(NULL AS text) AS source FROM loyalty_accounts a)";

const EARNING_RULES: &str = "(SELECT e.*, c.name AS campaign FROM earning_rules e \
     LEFT JOIN campaigns c ON c.id = e.campaign_id)";

const COUPONS: &str = "(SELECT c.*, d.title, d.kind, d.value_minor, d.percentage_bp, d.currency FROM coupons c \
     JOIN coupon_definitions d ON d.id = c.definition_id)";

/// What an account's points and tier can buy; whether it is the time for it is for the reader to say.
const REWARDS_IN_REACH: &str = "(SELECT r.*, a.id AS account_id FROM loyalty_accounts a \
     JOIN loyalty_tiers t ON t.id = a.tier_id JOIN rewards r ON r.programme_id = a.programme_id \
     WHERE a.status = 'ACTIVE' AND r.active AND r.cost_points <= a.active_points AND r.min_tier_rank <= t.rank \
     AND (r.stock IS NULL OR r.stock > 0))";

/// A relation with the usual values; each edge says what is different.
const BASE: Relation = Relation {
    on: "LoyaltyAccount",
    fields: &[],
    to: "",
    table: "",
    rows: RowType::of::<AccountRow>(),
    join: Join::by("account_id"),
    shape: Shape::Few(100),
    order: Order::oldest("", "x.id"),
    only: "",
    filter: None,
    access: Access::Parent,
};

/// The tiers of the programme that the parent names in `parent`.
const fn tiers(on: &'static str, fields: &'static [&'static str], parent: &'static str) -> Relation {
    Relation {
        on,
        fields,
        to: "LoyaltyTier",
        table: "loyalty_tiers",
        rows: RowType::of::<TierRow>(),
        join: Join { child: "programme_id", parent },
        order: Order::by_place("rank", "x.rank"),
        ..BASE
    }
}

/// The edges of this domain.
pub static RELATIONS: &[Relation] = &[
    Relation {
        on: "Customer",
        fields: &["loyalty"],
        to: "LoyaltyAccount",
        table: ACCOUNTS,
        join: Join::by("customer_id"),
        shape: Shape::One,
        only: concat!("x.programme_id = ", active_programme!()),
        access: Access::Records(Domain::Loyalty),
        ..BASE
    },
    Relation {
        fields: &["programme"],
        to: "LoyaltyProgramme",
        table: "loyalty_programmes",
        rows: RowType::of::<ProgrammeRow>(),
        join: Join::to("programme_id"),
        shape: Shape::One,
        ..BASE
    },
    tiers("LoyaltyAccount", &["tier", "nextTier", "projectedTier", "pointsToNextTier"], "programme_id"),
    Relation {
        fields: &["expiringSoon", "nextExpiry"],
        to: "ExpiringPoints",
        table: "points_lots",
        rows: RowType::of::<ExpiringRow>(),
        shape: Shape::Few(20),
        order: Order::oldest("expires_at", "x.expires_at"),
        only: "x.remaining > 0 AND x.remaining > x.held AND x.expires_at IS NOT NULL",
        ..BASE
    },
    Relation {
        fields: &["lots"],
        to: "PointsLot",
        table: "points_lots",
        rows: RowType::of::<LotRow>(),
        shape: Shape::Page,
        order: Order::newest("earned_at", "x.earned_at"),
        ..BASE
    },
    Relation {
        fields: &["transactions"],
        to: "LoyaltyTransaction",
        table: "loyalty_transactions",
        rows: RowType::of::<TransactionRow>(),
        shape: Shape::Page,
        order: Order::newest("occurred_at", "x.occurred_at"),
        ..BASE
    },
    Relation {
        fields: &["holds"],
        to: "PointsHold",
        table: "points_holds",
        rows: RowType::of::<HoldRow>(),
        order: Order::newest("created_at", "x.created_at"),
        only: "x.status = 'HELD'",
        ..BASE
    },
    Relation {
        fields: &["rewardsInReach"],
        to: "Reward",
        table: REWARDS_IN_REACH,
        rows: RowType::of::<RewardRow>(),
        order: Order::newest("cost_points", "x.cost_points"),
        ..BASE
    },
    Relation {
        fields: &["redemptions"],
        to: "Redemption",
        table: "redemptions",
        rows: RowType::of::<RedemptionRow>(),
        shape: Shape::Page,
        order: Order::newest("redeemed_at", "x.redeemed_at"),
        ..BASE
    },
    Relation {
        fields: &["coupons"],
        to: "Coupon",
        table: COUPONS,
        rows: RowType::of::<CouponRow>(),
        join: Join { child: "customer_id", parent: "customer_id" },
        shape: Shape::Page,
        order: Order::newest("issued_at", "x.issued_at"),
        ..BASE
    },
    Relation {
        fields: &["cards"],
        to: "LoyaltyCard",
        table: "loyalty_cards",
        rows: RowType::of::<CardRow>(),
        order: Order::newest("issued_at", "x.issued_at"),
        ..BASE
    },
    order_of("PointsLot"),
    order_of("LoyaltyTransaction"),
    order_of("Coupon"),
    staff_member("LoyaltyTransaction", &["creditedBy"], "staff_id"),
    Relation {
        on: "Redemption",
        fields: &["reward"],
        to: "Reward",
        table: "rewards",
        rows: RowType::of::<RewardRow>(),
        join: Join::to("reward_id"),
        shape: Shape::One,
        ..BASE
    },
    Relation {
        on: "Redemption",
        fields: &["coupon"],
        to: "Coupon",
        table: COUPONS,
        rows: RowType::of::<CouponRow>(),
        join: Join::to("coupon_id"),
        shape: Shape::One,
        ..BASE
    },
    tiers("LoyaltyProgramme", &["tiers"], "id"),
    Relation {
        on: "LoyaltyProgramme",
        fields: &["rewards"],
        to: "Reward",
        table: "rewards",
        rows: RowType::of::<RewardRow>(),
        join: Join::by("programme_id"),
        shape: Shape::Page,
        order: Order::oldest("cost_points", "x.cost_points"),
        only: "x.active",
        ..BASE
    },
    Relation {
        on: "LoyaltyProgramme",
        fields: &["earningRules"],
        to: "EarningRule",
        table: EARNING_RULES,
        rows: RowType::of::<EarningRuleRow>(),
        join: Join::by("programme_id"),
        only: "x.active",
        ..BASE
    },
];

/// Where reading starts from the id of what a mutation has made or changed.
fn made(to: &'static str, table: &'static str, rows: RowType, access: Access, id: Uuid) -> Root {
    Root { to, table, rows, access, find: Find::Ids(vec![id]) }
}

/// The account of this id.
pub fn account(id: Uuid) -> Root {
    made("LoyaltyAccount", ACCOUNTS, RowType::of::<AccountRow>(), Access::Records(Domain::Loyalty), id)
}

/// The entry of the ledger of this id.
pub fn transaction(id: Uuid) -> Root {
    let access = Access::Records(Domain::Loyalty);
    made("LoyaltyTransaction", "loyalty_transactions", RowType::of::<TransactionRow>(), access, id)
}

/// The hold of this id.
pub fn hold(id: Uuid) -> Root {
    made("PointsHold", "points_holds", RowType::of::<HoldRow>(), Access::Records(Domain::Loyalty), id)
}

/// The redemption of this id.
pub fn redemption(id: Uuid) -> Root {
    made("Redemption", "redemptions", RowType::of::<RedemptionRow>(), Access::Customer, id)
}

/// The coupon of this id.
pub fn coupon(id: Uuid) -> Root {
    made("Coupon", COUPONS, RowType::of::<CouponRow>(), Access::Customer, id)
}

/// The card of this id.
pub fn card(id: Uuid) -> Root {
    made("LoyaltyCard", "loyalty_cards", RowType::of::<CardRow>(), Access::Customer, id)
}

/// A condition that an account `x` is of the active programme.
pub(super) const OF_ACTIVE_PROGRAMME: &str = concat!("x.programme_id = ", active_programme!());

/// A condition that an account is of the active programme.
pub(crate) fn in_active_programme() -> SimpleExpr {
    Expr::cust(concat!("loyalty_accounts.programme_id = ", active_programme!()))
}

/// A condition that a programme is the active one.
pub(crate) fn is_active_programme() -> SimpleExpr {
    Expr::cust(concat!("id = ", active_programme!()))
}

/// The programme that `find` points at.
pub fn root(find: Find) -> Root {
    Root {
        to: "LoyaltyProgramme",
        table: "loyalty_programmes",
        rows: RowType::of::<ProgrammeRow>(),
        access: Access::Parent,
        find,
    }
}

/// The active programme.
pub fn active_programme() -> Find {
    Find::One(Pieces::text(concat!("SELECT l.id AS id FROM loyalty_programmes l WHERE l.id = ", active_programme!())))
}

/// By the programme's code, whether it is active or not.
pub fn programme_by_code(code: String) -> Find {
    Find::One(Pieces::text("SELECT l.id AS id FROM loyalty_programmes l WHERE l.code = ").value(code))
}
