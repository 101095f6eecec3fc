//! The words of the schema and of the database, and those of the rules.

use c360_rules::{sla, ticket};
use sea_orm::DbErr;

use super::store::{SlaClockStatus, SlaMetric, TicketPriority, TicketStatus};
use crate::error::Fault;
use crate::write::Outcome;

/// A word of the database; a word that there is not is a fault.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR`.
pub(super) fn read<T>(word: Result<T, DbErr>) -> Outcome<T> {
    word.map_err(|error| Fault::from(error).into())
}

/// Two enums that say the same.
macro_rules! mirror {
    ($($word:ident = $rule:path { $($name:ident)+ })+) => {$(
        impl From<$word> for $rule {
            fn from(word: $word) -> Self {
                match word { $($word::$name => Self::$name),+ }
            }
        }

        impl From<$rule> for $word {
            fn from(rule: $rule) -> Self {
                match rule { $(<$rule>::$name => Self::$name),+ }
            }
        }
    )+};
}

mirror! {
    TicketStatus = ticket::Status { New Open Pending OnHold Solved Closed }
    TicketPriority = ticket::Priority { Low Normal High Urgent }
    SlaMetric = sla::Metric { FirstReply NextReply Resolution }
    SlaClockStatus = sla::ClockState { Running Paused Met Breached }
}

impl TicketPriority {
    /// Its place in the order of urgency, as it is stored.
    pub(super) const fn rank(self) -> i16 {
        match self {
            Self::Low => 1,
            Self::Normal => 2,
            Self::High => 3,
            Self::Urgent => 4,
        }
    }
}
