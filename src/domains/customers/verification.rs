//! Checks of who is calling: before staff change what a customer is recognised or reached by, or spend what is theirs.

use async_graphql::{Context, ID, Object, Result};
use c360_rules::id::Kind;
use chrono::{DateTime as Time, SecondsFormat, TimeDelta, Utc};
use uuid::Uuid;

use super::object::Staff;
use super::store::StaffRow;
use crate::auth::Caller;
use crate::graphql::{DateTime, gid};
use crate::read::Eager;
use crate::scope::Scope;
use crate::write::{Outcome, Problem, Tx, get};
use crate::{choice, objects, row};

choice! {
    /// How it was checked who is calling.
    pub enum VerificationMethod {
        /// By questions that only the customer can answer.
        Knowledge = "KNOWLEDGE",
        /// By a code that was sent to the customer's e-mail or phone.
        OneTimeCode = "ONE_TIME_CODE",
        /// By calling back on the number that is known.
        Callback = "CALLBACK",
        /// By a document that the customer has shown.
        Document = "DOCUMENT",
        /// By the customer's voice.
        Voice = "VOICE",
    }
}

choice! {
    /// What came of checking who is calling.
    pub enum VerificationOutcome {
        /// It is the customer.
        Passed = "PASSED",
        /// It may be somebody else.
        Failed = "FAILED",
    }
}

row! {
    /// A check of who is calling.
    pub struct VerificationRow {
        staff_id: Option<Uuid> = "x.staff_id",
        method: VerificationMethod = "x.method",
        outcome: VerificationOutcome = "x.outcome",
        checked_at: Time<Utc> = "x.checked_at",
    }
}

objects! {
    /// A check of who is calling.
    CustomerVerification(VerificationRow);
}

/// A check of who is calling.
#[Object]
impl CustomerVerification {
    /// The check's id.
    async fn id(&self) -> ID {
        gid(Kind::Verification, self.0.id)
    }

    /// How it was checked.
    async fn method(&self) -> VerificationMethod {
        self.0.method
    }

    /// What came of it.
    async fn outcome(&self) -> VerificationOutcome {
        self.0.outcome
    }

    /// When.
    async fn checked_at(&self) -> DateTime {
        self.0.checked_at.into()
    }

    /// Until when staff may change what the customer is recognised or reached by, and spend the customer's points and
    /// coupons; null if the check was not passed.
    async fn valid_until(&self, ctx: &Context<'_>) -> Option<DateTime> {
        let settings = ctx.data_unchecked::<Scope>().state().config.verification;
        let passed = self.0.outcome == VerificationOutcome::Passed;
        passed.then(|| (self.0.checked_at + TimeDelta::minutes(settings.minutes.into())).into())
    }

    /// Who checked it.
    async fn checked_by(&self) -> Result<Option<Eager<Staff>>> {
        Ok(self.0.one::<StaffRow, _>("checkedBy", self.0.staff_id)?)
    }
}

/// Staff may go on only if the last check of who is calling was passed, and not too long ago. Customers and partners are
/// who their tokens say.
///
/// # Errors
/// `CALLER_NOT_VERIFIED`.
pub(crate) async fn verified(tx: &mut Tx, customer_id: Uuid) -> Outcome<()> {
    let settings = tx.state().config.verification;
    if !settings.required || !tx.caller().is_some_and(Caller::is_staff) {
        return Ok(());
    }
    let mut sql = tx.sql();
    sql.push("SELECT x.outcome, x.checked_at FROM customer_verifications x WHERE x.customer_id = ");
    sql.bind(customer_id);
    sql.push(" ORDER BY x.checked_at DESC, x.id DESC LIMIT 1");
    let since = tx.now() - TimeDelta::minutes(settings.minutes.into());
    if let Some(row) = tx.row(sql).await?
        && get::<String>(&row, "outcome")? == VerificationOutcome::Passed.as_str()
        && get::<Time<Utc>>(&row, "checked_at")? > since
    {
        return Ok(());
    }
    let message = format!(
        "check who is calling first, and record it by customerVerificationRecord; it counts for {} minutes",
        settings.minutes
    );
    Err(Problem::CallerNotVerified.at("", message).into())
}

/// Another check can be recorded only if not too many failed lately: whoever guesses has no more guesses than that.
///
/// # Errors
/// `TOO_MANY`.
pub(super) async fn may_be_checked(tx: &mut Tx, customer_id: Uuid) -> Outcome<()> {
    let settings = tx.state().config.verification;
    let Some(most) = settings.failures.checked_sub(1) else { return Ok(()) };
    let period = TimeDelta::minutes(settings.minutes.into());
    let mut sql = tx.sql();
    sql.push("SELECT x.checked_at FROM customer_verifications x WHERE x.outcome = ");
    sql.bind(VerificationOutcome::Failed.as_str());
    sql.push(" AND x.customer_id = ");
    sql.bind(customer_id);
    sql.push(" AND x.checked_at > ");
    sql.bind(tx.now() - period);
    sql.push(" ORDER BY x.checked_at DESC LIMIT 1 OFFSET ");
    sql.bind(i64::from(most));
    let Some(row) = tx.row(sql).await? else { return Ok(()) };
    let again = (get::<Time<Utc>>(&row, "checked_at")? + period).to_rfc3339_opts(SecondsFormat::Secs, true);
    let message =
        format!("{} checks failed within {} minutes: try again after {again}", settings.failures, settings.minutes);
    Err(Problem::TooMany.at("customer", message).into())
}
