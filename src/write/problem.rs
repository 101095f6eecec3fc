//! Why an action is refused, as data: the codes that mutations pick theirs from.

use crate::error::Fault;

/// Declares all problems, and a macro that makes an enum of some of them, each with its description.
macro_rules! problems {
    ($d:tt $($name:ident = $doc:literal,)+) => {
        /// Why an action is refused: what depends on the state of things, and not on the form of the request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Problem { $(#[doc = $doc] $name,)+ }

        impl Problem {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }

        /// Declares the codes of one mutation. Each is one of the [`Problem`]s.
        macro_rules! codes {
            ($d(#[$d meta:meta])* $d vis:vis enum $d of:ident { $d($d code:ident),+ $d(,)? }) => {
                $crate::write::codes!(@ [$d(#[$d meta])* $d vis $d of] [] $d($d code)+);
            };
            $(
                (@ $d head:tt [$d($d done:tt)*] $name $d($d rest:ident)*) => {
                    $crate::write::codes!(@ $d head [$d($d done)* (#[doc = $doc] $name)] $d($d rest)*);
                };
            )+
            (@ [$d(#[$d meta:meta])* $d vis:vis $d of:ident] [$d((#[$d doc:meta] $d code:ident))+]) => {
                $d(#[$d meta])*
                #[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
                $d vis enum $d of { $d(#[$d doc] $d code),+ }

                impl $d of {
                    /// The code of a problem, if the mutation has it.
                    pub(crate) const fn of(problem: $crate::write::Problem) -> Option<Self> {
                        match problem {
                            $d($crate::write::Problem::$d code => Some(Self::$d code),)+
                            #[allow(unreachable_patterns, clippy::allow_attributes, reason = "a mutation may have them all")]
                            _ => None,
                        }
                    }
                }
            };
        }
        pub(crate) use codes;
    };
}

problems! { $
    NotFound = "There is no such object that you may act on.",
    Conflict = "The object has changed since you read it; `currentVersion` is what it has now.",
    IdempotencyKeyParameterMismatch = "The idempotency key was used before, with another input or for another mutation.",
    IdempotencyConcurrentRequest = "A request with this idempotency key is still under way: send it again in a moment.",
    InvalidIdempotencyKey = "An idempotency key has 1 to 255 characters, without spaces or control characters.",
    Blank = "The text is empty.",
    TooLong = "The text is longer than allowed.",
    InvalidText = "The text has characters that cannot be used, such as control characters.",
    OutOfRange = "The number is zero, negative or beyond what is allowed.",
    InvalidValue = "The value is not one that the field takes; the message says what it takes.",
    TooMany = "There would be more than allowed.",
    NotAllowed = "What you may do elsewhere, you may not do here.",
    IdentityTaken = "It is verified for another customer.",
    IdentityExists = "The customer has it already.",
    CallerNotVerified = "Nobody has checked lately that the caller is the customer.",
    NotActive = "The account is blocked or closed.",
    CeilingExceeded = "It is more than your role may give this customer on one day.",
    InsufficientPoints = "The customer has fewer points that can be spent.",
    CardBlocked = "The card was stopped.",
    NotReversible = "An entry of this kind cannot be undone.",
    AlreadyReversed = "The entry was undone before.",
    HoldClosed = "The hold was captured or released, or its time is up.",
    ExceedsHold = "The hold has fewer points.",
    RewardUnavailable = "The reward is not offered now.",
    OutOfStock = "None of these is left.",
    TierTooLow = "The customer's tier is too low.",
    AlreadyCancelled = "It was called off before.",
    AlreadyUsed = "It was used before.",
    Expired = "Its time is over.",
    CampaignOver = "The campaign is over.",
    CurrencyMismatch = "The amounts are of different currencies.",
    AlreadyMember = "The customer is a member already.",
    NumberTaken = "Somebody has this number already.",
    Ambiguous = "It names several things: say which one.",
    TicketClosed = "The ticket is closed and takes nothing any more: open another one.",
    TicketSolved = "The ticket is solved: reopen it first.",
    TicketNotSolved = "The ticket is not solved.",
    SameTicket = "A ticket cannot be merged into itself.",
    OtherCustomer = "The two belong to different customers.",
    ExternalIdReused = "The external id was used before, for another message.",
    MacroUnusable = "The macro says something that there is not: it has to be corrected.",
}

/// Why an action is refused, for the person who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of problem it is.
    pub problem: Problem,
    /// The field of the input that it is about, such as `points`; empty for the input as a whole.
    pub field: &'static str,
    /// What is wrong and what to do, in words.
    pub message: String,
    /// The version that the object has now.
    pub current_version: Option<i32>,
}

impl Problem {
    /// This problem, with the field of the input that it is about, and what to do.
    pub fn at(self, field: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { problem: self, field, message: message.into(), current_version: None }
    }
}

impl Refusal {
    /// `NOT_FOUND`: the same for what does not exist and for what the caller may not know of.
    pub fn not_found(field: &'static str) -> Self {
        Problem::NotFound.at(field, "there is no such object that you may act on")
    }

    /// `CONFLICT`, unless the version is the expected one, or none was.
    ///
    /// # Errors
    /// The versions differ.
    pub fn unless_current(expected: Option<i32>, current: i64) -> Result<(), Self> {
        match expected {
            Some(expected) if i64::from(expected) != current => Err(Self {
                current_version: i32::try_from(current).ok(),
                ..Problem::Conflict
                    .at("expectedVersion", format!("the object has version {current} now: read it again"))
            }),
            _ => Ok(()),
        }
    }
}

/// Why an action stops. Whatever it has written is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The state of things does not allow it.
    Refused(Box<Refusal>),
    /// Something is wrong with the request, or broke.
    Fault(Fault),
    /// Another transaction was in the way: it may go well the next time.
    Again,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
