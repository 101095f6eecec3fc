//! Recording a check of who is calling.

use async_graphql::InputObject;
use c360_entities::customer_verification;
use c360_rules::id::Kind;
use uuid::Uuid;

use crate::domains::customers::verification::{
    CustomerVerification, VerificationMethod, VerificationOutcome, may_be_checked,
};
use crate::domains::customers::{CustomerIdentifier, store, whose};
use crate::events::{Event, TimelineDomain, TimelineEntryKind, Visibility};
use crate::payload;
use crate::write::{Action, Outcome, Tx, Work};

/// A check of who is calling.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerVerificationRecordInput {
    /// Whom the caller claims to be.
    customer: CustomerIdentifier,
    /// How it was checked.
    method: VerificationMethod,
    /// What came of it. The last check counts, whatever the ones before it said. After as many failed ones as the retailer
    /// has set, usually three in half an hour, nothing is recorded until the first of them lies further back.
    outcome: VerificationOutcome,
}

payload! {
    /// What came of recording a check of who is calling.
    CustomerVerificationRecordPayload of Uuid {
        /// The check.
        verification: CustomerVerification = |id| Some(store::verification(*id)),
    }
    CustomerVerificationRecordUserError { CustomerVerificationRecordErrorCode: NotFound, TooMany }
}

impl Action for CustomerVerificationRecordInput {
    const NAME: &'static str = "customerVerificationRecord";
}

impl Work for CustomerVerificationRecordInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        let customer_id = whose(tx, Some(&self.customer)).await?.id;
        may_be_checked(tx, customer_id).await?;
        let row = customer_verification::Model {
            id: tx.new_id(),
            customer_id,
            staff_id: tx.staff_id().await?,
            method: self.method.as_str().into(),
            outcome: self.outcome.as_str().into(),
            checked_at: tx.now(),
        };
        let id = row.id;
        tx.insert([row]).await?;
        tx.tell(
            Event::of(TimelineEntryKind::CallerVerified, TimelineDomain::Customers)
                .seen_by(Visibility::Staff)
                .customer(customer_id)
                .about(Kind::Verification, id)
                .label(format!("{} {}", self.method.as_str(), self.outcome.as_str())),
        );
        Ok(id)
    }
}
