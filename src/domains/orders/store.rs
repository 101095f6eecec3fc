//! Rows of orders and the edges between them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::object::OrderFilter;
use crate::auth::Domain;
use crate::choice;
use crate::read::relation::filtered;
use crate::read::{Access, Find, Join, Order, Pieces, Relation, Root, RowType, Shape};
use crate::row;

choice! {
    /// Where an order was placed.
    pub enum OrderChannel {
        /// A till in a store.
        Pos = "POS",
        /// The web shop.
        Web = "WEB",
        /// The mobile app.
        MobileApp = "MOBILE_APP",
        /// A social network.
        Social = "SOCIAL",
        /// The phone.
        Phone = "PHONE",
        /// A partner's shop or marketplace.
        Partner = "PARTNER",
    }
}

choice! {
    /// How far an order has come.
    pub enum OrderStatus {
        /// Something is still to be sent or handed over.
        Open = "OPEN",
        /// Everything was sent or handed over.
        Fulfilled = "FULFILLED",
        /// Called off.
        Cancelled = "CANCELLED",
    }
}

choice! {
    /// Why a price was lowered.
    pub enum DiscountKind {
        /// The price for members of the loyalty programme.
        Loyalty = "LOYALTY",
        /// A coupon.
        Coupon = "COUPON",
        /// What the retailer adds to a manufacturer's coupon.
        CouponMatch = "COUPON_MATCH",
        /// A promotion for everyone.
        Promotion = "PROMOTION",
        /// Given by a member of staff.
        Manual = "MANUAL",
    }
}

choice! {
    /// How an order was paid.
    pub enum PaymentMethod {
        /// A debit or credit card.
        Card = "CARD",
        /// Cash.
        Cash = "CASH",
        /// A bank transfer.
        BankTransfer = "BANK_TRANSFER",
        /// A gift card.
        GiftCard = "GIFT_CARD",
        /// Store credit.
        StoreCredit = "STORE_CREDIT",
        /// Loyalty points.
        Points = "POINTS",
        /// A wallet such as a phone's.
        Wallet = "WALLET",
        /// The source did not say.
        Unknown = "UNKNOWN",
    }
}

choice! {
    /// How far a payment has come.
    pub enum PaymentStatus {
        /// Reserved, not yet taken.
        Authorized = "AUTHORIZED",
        /// Taken.
        Captured = "CAPTURED",
        /// Refused by the provider.
        Failed = "FAILED",
        /// Called off before it was taken.
        Voided = "VOIDED",
    }
}

choice! {
    /// How far a fulfillment has come (as in Shopify's `FulfillmentStatus`).
    pub enum FulfillmentStatus {
        /// Waits for the carrier or the store.
        Pending = "PENDING",
        /// Accepted, and on its way.
        Open = "OPEN",
        /// Done.
        Success = "SUCCESS",
        /// Called off.
        Cancelled = "CANCELLED",
        /// The request failed.
        Error = "ERROR",
        /// It could not be done.
        Failure = "FAILURE",
    }
}

choice! {
    /// What happened to a parcel (as in Shopify's `FulfillmentEventStatus`).
    pub enum FulfillmentEventStatus {
        /// The label was bought.
        LabelPurchased = "LABEL_PURCHASED",
        /// The label was printed.
        LabelPrinted = "LABEL_PRINTED",
        /// The carrier knows of the parcel.
        Confirmed = "CONFIRMED",
        /// The carrier has the parcel.
        CarrierPickedUp = "CARRIER_PICKED_UP",
        /// On the way.
        InTransit = "IN_TRANSIT",
        /// With the courier who will deliver it today.
        OutForDelivery = "OUT_FOR_DELIVERY",
        /// Nobody took it.
        AttemptedDelivery = "ATTEMPTED_DELIVERY",
        /// Later than promised.
        Delayed = "DELAYED",
        /// Waits to be picked up.
        ReadyForPickup = "READY_FOR_PICKUP",
        /// Picked up by the customer.
        PickedUp = "PICKED_UP",
        /// Delivered.
        Delivered = "DELIVERED",
        /// Lost, refused or destroyed.
        Failure = "FAILURE",
    }
}

choice! {
    /// How far a return has come (as in Shopify's `ReturnStatus`).
    pub enum ReturnStatus {
        /// Asked for, not yet decided.
        Requested = "REQUESTED",
        /// Approved; the goods are on their way back.
        Open = "OPEN",
        /// Done.
        Closed = "CLOSED",
        /// Not approved.
        Declined = "DECLINED",
        /// Called off by the customer.
        Canceled = "CANCELED",
    }
}

choice! {
    /// Why something was returned (as in Shopify's `ReturnReason`).
    pub enum ReturnReason {
        /// The colour is not as expected.
        Color = "COLOR",
        /// Broken or faulty.
        Defective = "DEFECTIVE",
        /// Not what the description promised.
        NotAsDescribed = "NOT_AS_DESCRIBED",
        /// Another reason; see the note.
        Other = "OTHER",
        /// Too large.
        SizeTooLarge = "SIZE_TOO_LARGE",
        /// Too small.
        SizeTooSmall = "SIZE_TOO_SMALL",
        /// The style is not liked.
        Style = "STYLE",
        /// Not known.
        Unknown = "UNKNOWN",
        /// No longer wanted.
        Unwanted = "UNWANTED",
        /// Something else was sent.
        WrongItem = "WRONG_ITEM",
    }
}

choice! {
    /// How far a refund has come.
    pub enum RefundStatus {
        /// Granted here; the payment provider does not know yet.
        Granted = "GRANTED",
        /// The payment provider works on it.
        Pending = "PENDING",
        /// The money is back with the customer.
        Settled = "SETTLED",
        /// The payment provider could not do it.
        Failed = "FAILED",
    }
}

choice! {
    /// What kind of place a store is.
    pub enum StoreKind {
        /// A shop that people walk into.
        Store = "STORE",
        /// A web shop.
        WebShop = "WEB_SHOP",
        /// A warehouse that sends parcels.
        Warehouse = "WAREHOUSE",
    }
}

row! {
    /// An order.
    pub struct OrderRow {
        customer_id: Uuid = "x.customer_id" for ["customer"],
        store_id: Option<Uuid> = "x.store_id" for ["store"],
        source: String = "x.source" for ["source"],
        number: String = "x.number" for ["number"],
        channel: OrderChannel = "x.channel" for ["channel"],
        status: OrderStatus = "x.status" for ["status"],
        currency: String = "x.currency",
        subtotal: i64 = "x.subtotal" for ["subtotal"],
        discount_total: i64 = "x.discount_total" for ["discountTotal"],
        shipping_total: i64 = "x.shipping_total" for ["shippingTotal"],
        tax_total: i64 = "x.tax_total" for ["taxTotal"],
        total: i64 = "x.total" for ["total"],
        paid_total: i64 = "x.paid_total" for ["paidTotal"],
        refunded_total: i64 = "x.refunded_total" for ["refundedTotal"],
        version: i64 = "x.version" for ["version"],
        placed_at: DateTime<Utc> = "x.placed_at",
        cancelled_at: Option<DateTime<Utc>> = "x.cancelled_at" for ["cancelledAt"],
        updated_at: DateTime<Utc> = "x.updated_at" for ["updatedAt"],
    }
}

row! {
    /// Where an order is sent; read from the order.
    pub struct ShippingRow {
        pii: bool = "{pii}",
        recipient: Option<String> = "x.ship_recipient",
        line1: Option<String> = "x.ship_line1",
        city: Option<String> = "x.ship_city",
        region: Option<String> = "x.ship_region",
        postal_code: Option<String> = "x.ship_postal_code",
        country: Option<String> = "x.ship_country",
    }
}

row! {
    /// A line of an order.
    pub struct LineRow {
        product_id: Option<Uuid> = "x.product_id" for ["product"],
        position: i32 = "x.position",
        quantity: i32 = "x.quantity" for ["quantity", "margin"],
        returned_quantity: i32 = "x.returned_quantity" for ["returnedQuantity"],
        unit_price: i64 = "x.unit_price" for ["unitPrice"],
        unit_cost: Option<i64> = "x.unit_cost" for ["margin"],
        subtotal: i64 = "x.subtotal" for ["subtotal"],
        discount_total: i64 = "x.discount_total" for ["discountTotal"],
        total: i64 = "x.total" for ["total", "margin"],
        sku: String = "x.sku" for ["sku"],
        title: String = "x.title" for ["title"],
        currency: String = "x.currency",
    }
}

row! {
    /// A product.
    pub struct ProductRow {
        sku: String = "x.sku",
        title: String = "x.title",
        brand: Option<String> = "x.brand",
        department: Option<String> = "x.department",
        category: Option<String> = "x.category",
        package_size: Option<String> = "x.package_size",
    }
}

row! {
    /// A store.
    pub struct StoreRow {
        number: String = "x.number",
        name: String = "x.name",
        kind: StoreKind = "x.kind",
        country: Option<String> = "x.country",
        timezone: String = "x.timezone",
    }
}

row! {
    /// A discount of an order or of one line.
    pub struct DiscountRow {
        line_id: Option<Uuid> = "x.order_line_id",
        kind: DiscountKind = "x.kind",
        code: Option<String> = "x.code",
        currency: String = "x.currency",
        amount: i64 = "x.amount",
    }
}

row! {
    /// A payment.
    pub struct PaymentRow {
        method: PaymentMethod = "x.method",
        status: PaymentStatus = "x.status",
        amount: i64 = "x.amount",
        currency: String = "x.currency",
        provider: Option<String> = "x.provider",
        reference: Option<String> = "x.reference",
        paid_at: DateTime<Utc> = "x.paid_at",
    }
}

row! {
    /// A parcel, or goods handed over.
    pub struct FulfillmentRow {
        status: FulfillmentStatus = "x.status",
        carrier: Option<String> = "x.carrier" for ["carrier"],
        tracking_number: Option<String> = "x.tracking_number" for ["trackingNumber"],
        tracking_url: Option<String> = "x.tracking_url" for ["trackingUrl"],
        created_at: DateTime<Utc> = "x.created_at",
        shipped_at: Option<DateTime<Utc>> = "x.shipped_at" for ["shippedAt"],
        estimated_delivery_at: Option<DateTime<Utc>> = "x.estimated_delivery_at" for ["estimatedDeliveryAt", "isLate"],
        delivered_at: Option<DateTime<Utc>> = "x.delivered_at" for ["deliveredAt", "isLate"],
    }
}

row! {
    /// What happened to a parcel.
    pub struct FulfillmentEventRow {
        status: FulfillmentEventStatus = "x.status",
        message: Option<String> = "x.message" for ["message"],
        city: Option<String> = "x.city" for ["city"],
        country: Option<String> = "x.country" for ["country"],
        happened_at: DateTime<Utc> = "x.happened_at",
    }
}

row! {
    /// A return.
    pub struct ReturnRow {
        number: String = "x.number",
        status: ReturnStatus = "x.status",
        decline_reason: Option<String> = "x.decline_reason" for ["declineReason"],
        version: i64 = "x.version" for ["version"],
        requested_at: DateTime<Utc> = "x.requested_at",
        decided_at: Option<DateTime<Utc>> = "x.decided_at" for ["decidedAt"],
        closed_at: Option<DateTime<Utc>> = "x.closed_at" for ["closedAt"],
    }
}

row! {
    /// A line of a return.
    pub struct ReturnLineRow {
        order_line_id: Uuid = "x.order_line_id" for ["orderLine"],
        quantity: i32 = "x.quantity",
        reason: ReturnReason = "x.reason",
        note: Option<String> = "x.note" for ["note"],
        hidden_name: Option<String> = "{name}" for ["note"],
        pii: bool = "{pii}" for ["note"],
    }
}

row! {
    /// What is sent in exchange.
    pub struct ExchangeLineRow {
        quantity: i32 = "x.quantity",
        sku: String = "x.sku",
        title: String = "x.title",
    }
}

row! {
    /// A refund.
    pub struct RefundRow {
        amount: i64 = "x.amount",
        currency: String = "x.currency",
        status: RefundStatus = "x.status",
        reason: Option<String> = "x.reason",
        granted_at: DateTime<Utc> = "x.granted_at",
        settled_at: Option<DateTime<Utc>> = "x.settled_at",
    }
}

/// Newest orders first.
pub const NEWEST: Order = Order::newest("placed_at", "x.placed_at");

/// No order needed: there is at most one.
const NONE: Order = Order::oldest("", "x.id");

/// A relation with the usual values; each edge says what is different.
const BASE: Relation = Relation {
    on: "Order",
    fields: &[],
    to: "",
    table: "",
    rows: RowType::of::<OrderRow>(),
    join: Join::by("order_id"),
    shape: Shape::Few(100),
    order: NONE,
    only: "",
    filter: None,
    access: Access::Parent,
};

/// Edges to an order look the same everywhere.
pub const fn order_of(on: &'static str) -> Relation {
    Relation { on, fields: &["order"], to: "Order", table: "orders", join: Join::to("order_id"), ..RECORD }
}

/// Edges to a line of an order, for those who do not come from its order.
pub const fn order_line_of(on: &'static str) -> Relation {
    Relation {
        on,
        fields: &["orderLine"],
        to: "OrderLine",
        table: "(SELECT l.*, o.source FROM order_lines l JOIN orders o ON o.id = l.order_id)",
        rows: RowType::of::<LineRow>(),
        join: Join::to("order_line_id"),
        ..RECORD
    }
}

/// Edges to a return, for those who do not come from its order.
pub const fn return_of(on: &'static str) -> Relation {
    Relation {
        on,
        fields: &["return"],
        to: "Return",
        table: "(SELECT r.*, o.source FROM returns r JOIN orders o ON o.id = r.order_id)",
        rows: RowType::of::<ReturnRow>(),
        join: Join::to("return_id"),
        ..RECORD
    }
}

/// Edges to a store look the same everywhere.
pub const fn store_of(on: &'static str) -> Relation {
    Relation {
        on,
        fields: &["store"],
        to: "Store",
        table: "stores",
        rows: RowType::of::<StoreRow>(),
        join: Join::to("store_id"),
        shape: Shape::One,
        ..BASE
    }
}

/// An edge from elsewhere to one record of this domain.
const RECORD: Relation = Relation { shape: Shape::One, access: Access::Records(Domain::Orders), ..BASE };

/// The edges of this domain.
pub static RELATIONS: &[Relation] = &[
    Relation {
        on: "Customer",
        fields: &["orders"],
        to: "Order",
        table: "orders",
        join: Join::by("customer_id"),
        shape: Shape::Page,
        order: NEWEST,
        filter: Some(|arguments| filtered(arguments, |filter| Ok(conditions(filter)))),
        access: Access::Records(Domain::Orders),
        ..BASE
    },
    Relation {
        fields: &["lines"],
        to: "OrderLine",
        table: "order_lines",
        rows: RowType::of::<LineRow>(),
        shape: Shape::Page,
        order: Order::by_place("position", "x.position"),
        ..BASE
    },
    Relation {
        fields: &["shippingAddress"],
        to: "PostalAddress",
        table: "orders",
        rows: RowType::of::<ShippingRow>(),
        join: Join { child: "id", parent: "id" },
        shape: Shape::One,
        ..BASE
    },
    store_of("Order"),
    Relation {
        fields: &["discounts"],
        to: "OrderDiscount",
        table: "order_discounts",
        rows: RowType::of::<DiscountRow>(),
        ..BASE
    },
    Relation {
        fields: &["payments"],
        to: "Payment",
        table: "payments",
        rows: RowType::of::<PaymentRow>(),
        order: Order::oldest("paid_at", "x.paid_at"),
        ..BASE
    },
    Relation {
        fields: &["fulfillments"],
        to: "Fulfillment",
        table: "fulfillments",
        rows: RowType::of::<FulfillmentRow>(),
        order: Order::oldest("created_at", "x.created_at"),
        ..BASE
    },
    Relation {
        fields: &["returns"],
        to: "Return",
        table: "returns",
        rows: RowType::of::<ReturnRow>(),
        order: Order::oldest("requested_at", "x.requested_at"),
        ..BASE
    },
    Relation {
        fields: &["refunds"],
        to: "Refund",
        table: "refunds",
        rows: RowType::of::<RefundRow>(),
        order: Order::oldest("granted_at", "x.granted_at"),
        ..BASE
    },
    Relation {
        on: "Fulfillment",
        fields: &["events"],
        to: "FulfillmentEvent",
        table: "fulfillment_events",
        rows: RowType::of::<FulfillmentEventRow>(),
        join: Join::by("fulfillment_id"),
        order: Order::newest("happened_at", "x.happened_at"),
        ..BASE
    },
    Relation {
        on: "OrderLine",
        fields: &["product"],
        to: "Product",
        table: "products",
        rows: RowType::of::<ProductRow>(),
        join: Join::to("product_id"),
        shape: Shape::One,
        ..BASE
    },
    Relation {
        on: "Return",
        fields: &["lines"],
        to: "ReturnLine",
        table: "return_lines",
        rows: RowType::of::<ReturnLineRow>(),
        join: Join::by("return_id"),
        ..BASE
    },
    Relation {
        on: "Return",
        fields: &["exchangeLines"],
        to: "ExchangeLine",
        table: "exchange_lines",
        rows: RowType::of::<ExchangeLineRow>(),
        join: Join::by("return_id"),
        ..BASE
    },
    Relation {
        on: "ReturnLine",
        fields: &["orderLine"],
        to: "OrderLine",
        table: "order_lines",
        rows: RowType::of::<LineRow>(),
        join: Join::to("order_line_id"),
        shape: Shape::One,
        ..BASE
    },
];

/// The order that `find` points at.
pub fn root(find: Find) -> Root {
    Root {
        to: "Order",
        table: "orders",
        rows: RowType::of::<OrderRow>(),
        access: Access::Records(Domain::Orders),
        find,
    }
}

/// By the number that its source gave it; several sources may use the same.
pub fn by_number(number: String, source: Option<String>) -> Find {
    let query = Pieces::text("SELECT o.id AS id FROM orders o WHERE o.number = ").value(number);
    Find::One(match source {
        Some(source) => query.and(" AND o.source = ").value(source),
        None => query,
    })
}

fn conditions(filter: OrderFilter) -> Vec<Pieces> {
    let mut all = Vec::new();
    all.extend(filter.channel.map(|channel| Pieces::text("x.channel = ").value(channel.as_str())));
    all.extend(filter.status.map(|status| Pieces::text("x.status = ").value(status.as_str())));
    all.extend(filter.placed_from.map(|at| Pieces::text("x.placed_at >= ").value(at.0)));
    all.extend(filter.placed_before.map(|at| Pieces::text("x.placed_at < ").value(at.0)));
    all
}
