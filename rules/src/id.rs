//! Typed ids: `customer_01h455vb4pex5vsknk084sn02q`.
//!
//! The form is TypeID 0.3 (<https://github.com/jetify-com/typeid/tree/main/spec>): a prefix that names the
//! kind, `_`, and the UUID's 128 bits in 26 characters of lower-case Crockford base32. Ids sort as their
//! UUIDs do. Only the canonical form is read, so that one row has exactly one id.

use std::fmt;

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX: usize = 26;

macro_rules! kinds {
    ($($name:ident $prefix:literal $what:literal),+ $(,)?) => {
        /// What an id names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = $what] $name,)+
        }

        impl Kind {
            /// Every kind, in the order of declaration.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),+];

            /// The prefix of this kind's ids: lower-case words joined by `_`.
            pub const fn prefix(self) -> &'static str {
                match self { $(Kind::$name => $prefix),+ }
            }

            /// The kind whose ids carry this prefix, if there is one.
            pub fn from_prefix(prefix: &str) -> Option<Kind> {
                match prefix { $($prefix => Some(Kind::$name),)+ _ => None }
            }
        }
    };
}

kinds! {
    Customer "customer" "A customer.",
    Identity "identity" "An e-mail, phone, card or reference by which a customer is known.",
    Address "address" "A postal address of a customer.",
    Consent "consent" "A consent, given or refused.",
    Note "note" "A note by staff on a customer.",
    Merge "merge" "A merge of two customers.",
    Verification "verification" "A recorded check of who is calling.",
    Product "product" "A product.",
    Store "store" "A shop.",
    Order "order" "An order.",
    OrderLine "order_line" "A line of an order.",
    Payment "payment" "A payment of an order.",
    Fulfillment "fulfillment" "A shipment of an order.",
    FulfillmentEvent "fulfillment_event" "A step of a shipment.",
    Return "return" "A return of an order.",
    ReturnLine "return_line" "A line of a return.",
    Refund "refund" "A refund of an order.",
    StoreCredit "store_credit" "Credit to spend in the shop.",
    Ticket "ticket" "A ticket of the help desk.",
    Message "message" "A message of a ticket.",
    Attachment "attachment" "A file sent with a message.",
    Macro "macro" "A prepared set of changes to a ticket.",
    SavedView "saved_view" "A saved view of the queue.",
    SlaClock "sla_clock" "A running promise of a ticket.",
    SlaPolicy "sla_policy" "What customers are promised about replies.",
    Staff "staff" "A member of staff.",
    Team "team" "A team of staff.",
    LoyaltyAccount "loyalty_account" "A loyalty account.",
    LoyaltyTransaction "loyalty_transaction" "An entry of a points ledger.",
    PointsLot "points_lot" "Points earned together, that expire together.",
    PointsHold "points_hold" "Points reserved at a till.",
    Tier "tier" "A loyalty tier.",
    Programme "programme" "A loyalty programme.",
    Reward "reward" "A reward of the catalogue.",
    Redemption "redemption" "Points exchanged for a reward.",
    Coupon "coupon" "A coupon.",
    Referral "referral" "A customer who brings another.",
    Campaign "campaign" "A campaign.",
    Segment "segment" "A segment of customers.",
    Offer "offer" "An offer for an occasion.",
    Survey "survey" "A survey.",
    Invitation "invitation" "An invitation to a survey.",
    SurveyResponse "survey_response" "An answer to a survey.",
    Review "review" "A review of a product or a shop.",
    Mention "mention" "A mention on a social network.",
    Suggestion "suggestion" "A suggestion by a customer.",
    FollowUp "follow_up" "What is done about bad feedback.",
    Interaction "interaction" "A contact on any channel.",
    Alert "alert" "Something about a customer to look at.",
    Action "action" "A next best action.",
    Event "event" "An event of the log.",
    Partner "partner" "A machine that calls the gateway.",
    Webhook "webhook" "A subscription of a partner to events.",
    WebhookDelivery "webhook_delivery" "One delivery to a webhook.",
    Export "export" "An export of a person's data.",
    Erasure "erasure" "An erasure of a person's data.",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix())
    }
}

/// Why a text is not the id that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not the canonical form of any id.
    #[error("not an id: expected a type, '_' and 26 lower-case characters, like customer_01h455vb4pex5vsknk084sn02q")]
    Malformed,
    /// The id of another kind of thing.
    #[error("this id names another type ({found}); expected an id of type {expected} ({expected}_…)")]
    WrongType {
        /// The kind that was asked for.
        expected: Kind,
        /// The kind that the text names.
        found: Kind,
    },
}

/// Writes the id of a row.
pub fn encode(kind: Kind, uuid: Uuid) -> String {
    let prefix = kind.prefix();
    let mut id = String::with_capacity(prefix.len() + 1 + SUFFIX);
    id.push_str(prefix);
    id.push('_');
    let bits = uuid.as_u128();
    id.extend((0..SUFFIX).rev().map(|place| ALPHABET[(bits >> (5 * place)) as usize & 31] as char));
    id
}

/// Reads an id of one kind.
///
/// # Errors
/// [`IdError::WrongType`] for a well-formed id of another kind, [`IdError::Malformed`] for anything else.
pub fn decode(kind: Kind, id: &str) -> Result<Uuid, IdError> {
    match parse(id)? {
        (found, uuid) if found == kind => Ok(uuid),
        (found, _) => Err(IdError::WrongType { expected: kind, found }),
    }
}

/// Reads an id of any kind.
///
/// # Errors
/// [`IdError::Malformed`] unless the text is exactly what [`encode`] writes for some id.
pub fn parse(id: &str) -> Result<(Kind, Uuid), IdError> {
    let (prefix, suffix) = id.rsplit_once('_').ok_or(IdError::Malformed)?;
    let kind = Kind::from_prefix(prefix).ok_or(IdError::Malformed)?;
    // 26 characters hold 130 bits: a first one above 7 would overflow the UUID's 128.
    if suffix.len() != SUFFIX || suffix.as_bytes()[0] > b'7' {
        return Err(IdError::Malformed);
    }
    let bits = suffix.bytes().try_fold(0_u128, |bits, byte| {
        let value = ALPHABET.iter().position(|&letter| letter == byte)?;
        Some(bits << 5 | value as u128)
    });
    Ok((kind, Uuid::from_u128(bits.ok_or(IdError::Malformed)?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn agrees_with_the_examples_of_the_specification() {
        let uuid = Uuid::from_u128(0x0188_9c89_df6b_7f1c_a388_9139_6ec3_14bc);
        assert_eq!(encode(Kind::Customer, uuid), "customer_01h2e8kqvbfwea724h75qc655w");
        assert_eq!(encode(Kind::Order, Uuid::max()), "order_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        assert_eq!(encode(Kind::Tier, Uuid::nil()), "tier_00000000000000000000000000");
    }

    #[test]
    fn only_the_canonical_form_is_an_id() {
        for text in [
            "",
            "_",
            "customer",
            "customer_",
            "_01h2e8kqvbfwea724h75qc655w",
            "customer_01h2e8kqvbfwea724h75qc655",
            "customer_01h2e8kqvbfwea724h75qc655w0",
            "customer_81h2e8kqvbfwea724h75qc655w",
            "customer_01H2E8KQVBFWEA724H75QC655W",
            "Customer_01h2e8kqvbfwea724h75qc655w",
            "customer-01h2e8kqvbfwea724h75qc655w",
            "customer_i1h2e8kqvbfwea724h75qc655w",
            "customer_01h2e8kqvbfwea724h75qc655l",
            " customer_01h2e8kqvbfwea724h75qc655w",
            "unicorn_01h2e8kqvbfwea724h75qc655w",
            "customer_é1h2e8kqvbfwea724h75qc655",
        ] {
            assert_eq!(parse(text), Err(IdError::Malformed), "{text}");
        }
    }

    #[test]
    fn prefixes_are_unique_and_read_back() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::from_prefix(kind.prefix()), Some(kind));
            assert!(kind.prefix().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }

    #[test]
    fn an_id_of_another_kind_says_so() {
        let id = encode(Kind::OrderLine, Uuid::nil());
        let error = IdError::WrongType { expected: Kind::Order, found: Kind::OrderLine };
        assert_eq!(decode(Kind::Order, &id), Err(error));
        assert_eq!(
            error.to_string(),
            "this id names another type (order_line); expected an id of type order (order_…)"
        );
    }

    proptest! {
        #[test]
        fn every_id_reads_back_as_what_was_written(bits: u128, kind in prop::sample::select(Kind::ALL)) {
            let uuid = Uuid::from_u128(bits);
            let id = encode(kind, uuid);
            prop_assert_eq!(parse(&id), Ok((kind, uuid)));
            prop_assert_eq!(decode(kind, &id), Ok(uuid));
        }

        #[test]
        fn ids_sort_as_their_uuids_do(a: u128, b: u128) {
            let id = |bits| encode(Kind::Event, Uuid::from_u128(bits));
            prop_assert_eq!(id(a).cmp(&id(b)), a.cmp(&b));
        }

        #[test]
        fn what_reads_is_what_would_be_written(text in "\\PC{0,8}(customer|order_line)_[0-9a-zA-Zé]{24,28}|\\PC*") {
            if let Ok((kind, uuid)) = parse(&text) {
                prop_assert_eq!(encode(kind, uuid), text);
            }
        }
    }
}
