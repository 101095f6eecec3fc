//! The rows that were made and not yet written, one list per table.

use c360_entities as e;

use crate::bulk::Batch;

macro_rules! tables {
    ($($table:ident: $entity:ident),+ $(,)?) => {
        /// Rows of every table that the retailer fills; a field is named as its table is.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Rows {
            $(#[doc = concat!("Table `", stringify!($table), "`.")] pub $table: Vec<e::$entity::Model>,)+
        }

        impl Rows {
            /// How many rows there are, over all tables.
            pub fn len(&self) -> usize {
                0 $(+ self.$table.len())+
            }

            /// Whether there is no row.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Adds every row to a batch.
            pub fn push_into(&self, batch: &mut Batch) {
                $(batch.extend(&self.$table);)+
            }
        }
    };
}

tables! {
    stores: store,
    products: product,
    teams: team,
    staff: staff,
    partners: partner,
    segments: segment,
    customers: customer,
    customer_search_entries: customer_search_entry,
    customer_identities: customer_identity,
    addresses: address,
    consents: consent,
    customer_notes: customer_note,
    customer_tags: customer_tag,
    customer_segments: customer_segment,
    customer_merges: customer_merge,
    orders: order,
    order_lines: order_line,
    order_discounts: order_discount,
    payments: payment,
    fulfillments: fulfillment,
    fulfillment_lines: fulfillment_line,
    fulfillment_events: fulfillment_event,
    returns: order_return,
    return_lines: return_line,
    exchange_lines: exchange_line,
    refunds: refund,
    business_calendars: business_calendar,
    business_hours: business_hours,
    business_holidays: business_holiday,
    sla_policies: sla_policy,
    sla_targets: sla_target,
    tickets: ticket,
    ticket_messages: ticket_message,
    ticket_tags: ticket_tag,
    ticket_links: ticket_link,
    sla_clocks: sla_clock,
    macros: ticket_macro,
    loyalty_programmes: loyalty_programme,
    loyalty_tiers: loyalty_tier,
    campaigns: campaign,
    campaign_members: campaign_member,
    earning_rules: earning_rule,
    loyalty_accounts: loyalty_account,
    loyalty_cards: loyalty_card,
    loyalty_transactions: loyalty_transaction,
    points_lots: points_lot,
    points_allocations: points_allocation,
    points_holds: points_hold,
    points_hold_allocations: points_hold_allocation,
    rewards: reward,
    coupon_definitions: coupon_definition,
    coupon_products: coupon_product,
    coupons: coupon,
    redemptions: redemption,
    referrals: referral,
    surveys: survey,
    survey_invitations: survey_invitation,
    feedback: feedback,
    survey_answers: survey_answer,
    follow_ups: follow_up,
    interactions: interaction,
    events: event,
    customer_statistics: customer_statistics,
}
