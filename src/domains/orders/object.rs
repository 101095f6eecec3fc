//! GraphQL types of orders, and this domain's part of `Customer`.

use async_graphql::{Context, ID, InputObject, Object, Result};
use c360_rules::id::Kind;

use super::store::{
    DiscountKind, DiscountRow, ExchangeLineRow, FulfillmentEventRow, FulfillmentEventStatus, FulfillmentRow,
    FulfillmentStatus, LineRow, OrderChannel, OrderRow, OrderStatus, PaymentMethod, PaymentRow, PaymentStatus,
    ProductRow, RefundRow, RefundStatus, ReturnLineRow, ReturnReason, ReturnRow, ReturnStatus, ShippingRow, StoreKind,
    StoreRow,
};
use crate::domains::customers::object::PostalAddress;
use crate::domains::customers::store::CustomerRow;
use crate::graphql::{DateTime, Money, free_text, gid};
use crate::objects;
use crate::read::{Connection, Eager, Handle, PageArguments};
use crate::view360::Customer;

objects! {
    /// An order.
    Order(OrderRow);
    /// A line of an order.
    OrderLine(LineRow);
    /// A product.
    Product(ProductRow);
    /// A store.
    Store(StoreRow);
    /// A discount.
    OrderDiscount(DiscountRow);
    /// A payment.
    Payment(PaymentRow);
    /// A fulfillment.
    Fulfillment(FulfillmentRow);
    /// An event of a fulfillment.
    FulfillmentEvent(FulfillmentEventRow);
    /// A return.
    Return(ReturnRow);
    /// A line of a return.
    ReturnLine(ReturnLineRow);
    /// A line of an exchange.
    ExchangeLine(ExchangeLineRow);
    /// A refund.
    Refund(RefundRow);
    /// Where an order is sent.
    Shipping(ShippingRow);
}

/// The orders of a customer.
#[derive(Clone, Debug)]
pub struct CustomerOrders(pub(crate) Handle<CustomerRow>);

/// Orders of a customer.
#[Object]
impl CustomerOrders {
    /// The customer's orders on every channel, newest first.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only orders that meet all of these.", name = "filter")] _filter: Option<OrderFilter>,
    ) -> Result<Option<Connection<Order>>> {
        Ok(Some(self.0.page::<OrderRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }
}

/// Which orders of a customer.
#[derive(Clone, Debug, Default, InputObject)]
pub struct OrderFilter {
    /// Placed on this channel.
    pub channel: Option<OrderChannel>,
    /// With this status.
    pub status: Option<OrderStatus>,
    /// Placed at this time or later.
    pub placed_from: Option<DateTime>,
    /// Placed before this time.
    pub placed_before: Option<DateTime>,
}

/// An order, on whatever channel it was placed.
#[Object]
impl Order {
    /// The order's id.
    pub(crate) async fn id(&self) -> ID {
        gid(Kind::Order, self.0.id)
    }

    /// The number that the source gave it, as printed on the receipt or in the confirmation. Unique within the source.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The system that the order comes from, such as a till system or a shop platform.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// Where it was placed.
    async fn channel(&self) -> OrderChannel {
        self.0.channel
    }

    /// How far it has come.
    async fn status(&self) -> OrderStatus {
        self.0.status
    }

    /// The prices of all lines before discounts.
    async fn subtotal(&self) -> Eager<Money> {
        self.money(self.0.subtotal)
    }

    /// All discounts together.
    async fn discount_total(&self) -> Eager<Money> {
        self.money(self.0.discount_total)
    }

    /// What shipping costs.
    async fn shipping_total(&self) -> Eager<Money> {
        self.money(self.0.shipping_total)
    }

    /// Taxes that come on top of the prices.
    async fn tax_total(&self) -> Eager<Money> {
        self.money(self.0.tax_total)
    }

    /// What the customer owes for it in all: subtotal, less discounts, plus shipping and taxes.
    async fn total(&self) -> Eager<Money> {
        self.money(self.0.total)
    }

    /// What was paid.
    async fn paid_total(&self) -> Eager<Money> {
        self.money(self.0.paid_total)
    }

    /// What was refunded or is granted to be, apart from refunds that failed. Never more than was paid.
    async fn refunded_total(&self) -> Eager<Money> {
        self.money(self.0.refunded_total)
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime {
        self.0.placed_at.into()
    }

    /// When it was called off.
    async fn cancelled_at(&self) -> Option<DateTime> {
        self.0.cancelled_at.map(Into::into)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// Grows with every change; give it back as `expectedVersion`.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// Where it is sent; null for orders that were handed over.
    async fn shipping_address(&self) -> Result<Option<PostalAddress>> {
        let shipping: Option<Shipping> = self.0.one::<ShippingRow, _>("shippingAddress", Some(self.0.id))?;
        Ok(shipping.and_then(|Shipping(row)| PostalAddress::of_order(&row)))
    }

    /// The store that sold it.
    async fn store(&self) -> Result<Option<Eager<Store>>> {
        Ok(self.0.one::<StoreRow, _>("store", self.0.store_id)?)
    }

    /// What was bought.
    async fn lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
    ) -> Result<Option<Connection<OrderLine>>> {
        Ok(Some(self.0.page::<LineRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// The discounts, of the whole order and of single lines; at most 100.
    async fn discounts(&self) -> Result<Vec<Eager<OrderDiscount>>> {
        Ok(self.0.few::<DiscountRow, _>("discounts", self.0.id)?)
    }

    /// The payments, oldest first; at most 100.
    async fn payments(&self) -> Result<Vec<Eager<Payment>>> {
        Ok(self.0.few::<PaymentRow, _>("payments", self.0.id)?)
    }

    /// Parcels and goods handed over, oldest first; at most 100.
    async fn fulfillments(&self) -> Result<Vec<Eager<Fulfillment>>> {
        Ok(self.0.few::<FulfillmentRow, _>("fulfillments", self.0.id)?)
    }

    /// The returns, oldest first; at most 100.
    async fn returns(&self) -> Result<Vec<Eager<Return>>> {
        Ok(self.0.few::<ReturnRow, _>("returns", self.0.id)?)
    }

    /// Whose order it is.
    async fn customer(&self) -> Result<Option<Eager<Customer>>> {
        Ok(self.0.one::<CustomerRow, _>("customer", Some(self.0.customer_id))?)
    }

    /// The refunds, oldest first; at most 100.
    async fn refunds(&self) -> Result<Vec<Eager<Refund>>> {
        Ok(self.0.few::<RefundRow, _>("refunds", self.0.id)?)
    }
}

impl Order {
    fn money(&self, minor: i64) -> Eager<Money> {
        Eager::of(Money::new(minor, &self.0.currency))
    }
}

/// One position of an order.
#[Object]
impl OrderLine {
    /// The line's id.
    async fn id(&self) -> ID {
        gid(Kind::OrderLine, self.0.id)
    }

    /// Its place on the receipt, from 1.
    async fn position(&self) -> i32 {
        self.0.position
    }

    /// The stock-keeping unit, as the source names it.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// What was bought, as it stood on the receipt.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// How many.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// How many of them were returned.
    async fn returned_quantity(&self) -> i32 {
        self.0.returned_quantity
    }

    /// The price of one, before discounts.
    async fn unit_price(&self) -> Eager<Money> {
        self.money(self.0.unit_price)
    }

    /// The price of all, before discounts.
    async fn subtotal(&self) -> Eager<Money> {
        self.money(self.0.subtotal)
    }

    /// The discounts on this line.
    async fn discount_total(&self) -> Eager<Money> {
        self.money(self.0.discount_total)
    }

    /// Subtotal less discounts.
    async fn total(&self) -> Eager<Money> {
        self.money(self.0.total)
    }

    /// What the line earned above its cost, where the cost is known.
    async fn margin(&self) -> Option<Eager<Money>> {
        let cost = self.0.unit_cost?.checked_mul(i64::from(self.0.quantity))?;
        Some(self.money(self.0.total.checked_sub(cost)?))
    }

    /// The product in the catalogue, where it is known.
    async fn product(&self) -> Result<Option<Eager<Product>>> {
        Ok(self.0.one::<ProductRow, _>("product", self.0.product_id)?)
    }
}

impl OrderLine {
    fn money(&self, minor: i64) -> Eager<Money> {
        Eager::of(Money::new(minor, &self.0.currency))
    }
}

/// A product of the catalogue.
#[Object]
impl Product {
    /// The product's id.
    async fn id(&self) -> ID {
        gid(Kind::Product, self.0.id)
    }

    /// The stock-keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// What it is called.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The brand.
    async fn brand(&self) -> Option<&str> {
        self.0.brand.as_deref()
    }

    /// The department that sells it.
    async fn department(&self) -> Option<&str> {
        self.0.department.as_deref()
    }

    /// Its category within the department.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// The size of the package, as text.
    async fn package_size(&self) -> Option<&str> {
        self.0.package_size.as_deref()
    }
}

/// A place that sells or sends.
#[Object]
impl Store {
    /// The store's id.
    async fn id(&self) -> ID {
        gid(Kind::Store, self.0.id)
    }

    /// Its number in the source.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What kind of place it is.
    async fn kind(&self) -> StoreKind {
        self.0.kind
    }

    /// The country, as in ISO 3166-1 alpha-2.
    async fn country(&self) -> Option<&str> {
        self.0.country.as_deref()
    }

    /// Its time zone, as in the IANA database.
    async fn timezone(&self) -> &str {
        &self.0.timezone
    }
}

/// A lowered price.
#[Object]
impl OrderDiscount {
    /// Why.
    async fn kind(&self) -> DiscountKind {
        self.0.kind
    }

    /// The code that was used.
    async fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// By how much, as a positive amount.
    async fn amount(&self) -> Eager<Money> {
        Eager::of(Money::new(self.0.amount, &self.0.currency))
    }

    /// The line that it belongs to; null when it belongs to the whole order.
    async fn order_line_id(&self) -> Option<ID> {
        self.0.line_id.map(|id| gid(Kind::OrderLine, id))
    }
}

/// A payment for an order.
#[Object]
impl Payment {
    /// The payment's id.
    async fn id(&self) -> ID {
        gid(Kind::Payment, self.0.id)
    }

    /// How it was paid.
    async fn method(&self) -> PaymentMethod {
        self.0.method
    }

    /// How far it has come.
    async fn status(&self) -> PaymentStatus {
        self.0.status
    }

    /// How much.
    async fn amount(&self) -> Eager<Money> {
        Eager::of(Money::new(self.0.amount, &self.0.currency))
    }

    /// The payment provider.
    async fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// What the provider calls it.
    async fn reference(&self) -> Option<&str> {
        self.0.reference.as_deref()
    }

    /// When.
    async fn paid_at(&self) -> DateTime {
        self.0.paid_at.into()
    }
}

/// A parcel, or goods handed over.
#[Object]
impl Fulfillment {
    /// The fulfillment's id.
    async fn id(&self) -> ID {
        gid(Kind::Fulfillment, self.0.id)
    }

    /// How far it has come.
    async fn status(&self) -> FulfillmentStatus {
        self.0.status
    }

    /// The carrier.
    async fn carrier(&self) -> Option<&str> {
        self.0.carrier.as_deref()
    }

    /// The carrier's number for the parcel.
    async fn tracking_number(&self) -> Option<&str> {
        self.0.tracking_number.as_deref()
    }

    /// A page that shows where the parcel is.
    async fn tracking_url(&self) -> Option<&str> {
        self.0.tracking_url.as_deref()
    }

    /// When it left.
    async fn shipped_at(&self) -> Option<DateTime> {
        self.0.shipped_at.map(Into::into)
    }

    /// When it should arrive.
    async fn estimated_delivery_at(&self) -> Option<DateTime> {
        self.0.estimated_delivery_at.map(Into::into)
    }

    /// When it arrived.
    async fn delivered_at(&self) -> Option<DateTime> {
        self.0.delivered_at.map(Into::into)
    }

    /// Whether it should have arrived by now and has not.
    async fn is_late(&self) -> bool {
        let row = &self.0;
        row.delivered_at.is_none()
            && !matches!(row.status, FulfillmentStatus::Cancelled | FulfillmentStatus::Failure)
            && row.estimated_delivery_at.is_some_and(|at| row.scope().passed(at))
    }

    /// What happened to it, newest first; at most 100.
    async fn events(&self) -> Result<Vec<Eager<FulfillmentEvent>>> {
        Ok(self.0.few::<FulfillmentEventRow, _>("events", self.0.id)?)
    }
}

/// Something that happened to a parcel.
#[Object]
impl FulfillmentEvent {
    /// The event's id.
    async fn id(&self) -> ID {
        gid(Kind::FulfillmentEvent, self.0.id)
    }

    /// What happened.
    async fn status(&self) -> FulfillmentEventStatus {
        self.0.status
    }

    /// What the carrier says about it.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The city.
    async fn city(&self) -> Option<&str> {
        self.0.city.as_deref()
    }

    /// The country, as in ISO 3166-1 alpha-2.
    async fn country(&self) -> Option<&str> {
        self.0.country.as_deref()
    }

    /// When.
    async fn happened_at(&self) -> DateTime {
        self.0.happened_at.into()
    }
}

/// Goods that come back.
#[Object]
impl Return {
    /// The return's id.
    async fn id(&self) -> ID {
        gid(Kind::Return, self.0.id)
    }

    /// Its number, as told to the customer.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// How far it has come.
    async fn status(&self) -> ReturnStatus {
        self.0.status
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime {
        self.0.requested_at.into()
    }

    /// When it was approved or declined.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.decided_at.map(Into::into)
    }

    /// When it was done.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(Into::into)
    }

    /// Why it was not approved.
    async fn decline_reason(&self) -> Option<&str> {
        self.0.decline_reason.as_deref()
    }

    /// Grows with every change; give it back as `expectedVersion`.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// What comes back; at most 100.
    async fn lines(&self) -> Result<Vec<Eager<ReturnLine>>> {
        Ok(self.0.few::<ReturnLineRow, _>("lines", self.0.id)?)
    }

    /// What is sent in exchange; at most 100.
    async fn exchange_lines(&self) -> Result<Vec<Eager<ExchangeLine>>> {
        Ok(self.0.few::<ExchangeLineRow, _>("exchangeLines", self.0.id)?)
    }
}

/// One position of a return.
#[Object]
impl ReturnLine {
    /// The line's id.
    async fn id(&self) -> ID {
        gid(Kind::ReturnLine, self.0.id)
    }

    /// How many come back.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// Why.
    async fn reason(&self) -> ReturnReason {
        self.0.reason
    }

    /// What the customer says about it. Masked without `pii:read`.
    async fn note(&self) -> Option<String> {
        self.0.note.as_deref().map(|note| free_text(note, self.0.pii, self.0.hidden_name.as_deref()))
    }

    /// The line of the order that it belongs to.
    async fn order_line(&self) -> Result<Option<Eager<OrderLine>>> {
        Ok(self.0.one::<LineRow, _>("orderLine", Some(self.0.order_line_id))?)
    }
}

/// What is sent in exchange for returned goods.
#[Object]
impl ExchangeLine {
    /// The stock-keeping unit.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// What it is.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// How many.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }
}

/// Money that goes back to the customer.
#[Object]
impl Refund {
    /// The refund's id.
    async fn id(&self) -> ID {
        gid(Kind::Refund, self.0.id)
    }

    /// How much.
    async fn amount(&self) -> Eager<Money> {
        Eager::of(Money::new(self.0.amount, &self.0.currency))
    }

    /// How far it has come.
    async fn status(&self) -> RefundStatus {
        self.0.status
    }

    /// Why it was granted.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When it was granted.
    async fn granted_at(&self) -> DateTime {
        self.0.granted_at.into()
    }

    /// When the payment provider paid it out.
    async fn settled_at(&self) -> Option<DateTime> {
        self.0.settled_at.map(Into::into)
    }
}
