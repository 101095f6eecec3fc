//! What can be done with customers: inputs, what they do, payloads.

pub mod address;
pub mod consent;
pub mod create;
pub mod identity;
pub mod note;
pub mod profile;
pub mod tags;
pub mod verification;

use async_graphql::{Context, Object, Result};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use uuid::Uuid;

use crate::write::{self, Outcome, Tx};

/// Root writes of customers.
#[derive(Debug, Default)]
pub struct CustomersMutation;

#[Object]
impl CustomersMutation {
    /// Makes a new customer, with a number that nobody else has.
    async fn customer_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who it is.")] input: create::CustomerCreateInput,
    ) -> Result<Option<create::CustomerCreatePayload>> {
        write::perform(ctx, input).await
    }

    /// Changes the profile. What is left out stays as it is; null empties it. A partner changes only customers whose
    /// record it has made.
    async fn customer_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose profile, and what stands in it.")] input: profile::CustomerUpdateInput,
    ) -> Result<Option<profile::CustomerUpdatePayload>> {
        write::perform(ctx, input).await
    }

    /// Adds something that the customer is recognised by. Staff record a check of who is calling first.
    async fn customer_identity_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose, and what.")] input: identity::CustomerIdentityAddInput,
    ) -> Result<Option<identity::CustomerIdentityAddPayload>> {
        write::perform(ctx, input).await
    }

    /// Says that the customer has proved that something is theirs: it belongs to nobody else then. Staff record a check of
    /// who is calling first; a partner may say it of customers whose record it has made.
    async fn customer_identity_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What.")] input: identity::CustomerIdentityVerifyInput,
    ) -> Result<Option<identity::CustomerIdentityVerifyPayload>> {
        write::perform(ctx, input).await
    }

    /// Removes something that the customer is recognised by. Staff record a check of who is calling first; a partner
    /// removes what it has brought in.
    async fn customer_identity_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What.")] input: identity::CustomerIdentityRemoveInput,
    ) -> Result<Option<identity::CustomerIdentityRemovePayload>> {
        write::perform(ctx, input).await
    }

    /// Adds an address. Staff record a check of who is calling first; a partner writes addresses of customers whose record
    /// it has made.
    async fn customer_address_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose, and where.")] input: address::CustomerAddressAddInput,
    ) -> Result<Option<address::CustomerAddressAddPayload>> {
        write::perform(ctx, input).await
    }

    /// Puts another address in the place of one, under the same rules as adding one.
    async fn customer_address_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what it is now.")] input: address::CustomerAddressUpdateInput,
    ) -> Result<Option<address::CustomerAddressUpdatePayload>> {
        write::perform(ctx, input).await
    }

    /// Removes an address, under the same rules as adding one. Orders keep the address that they were sent to.
    async fn customer_address_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: address::CustomerAddressRemoveInput,
    ) -> Result<Option<address::CustomerAddressRemovePayload>> {
        write::perform(ctx, input).await
    }

    /// Tags a customer. Tags that are there already stay.
    async fn customer_tags_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and with what.")] input: tags::CustomerTagsAddInput,
    ) -> Result<Option<tags::CustomerTagsAddPayload>> {
        write::perform(ctx, input).await
    }

    /// Takes tags away. Those that are not there are passed over.
    async fn customer_tags_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From whom, and which.")] input: tags::CustomerTagsRemoveInput,
    ) -> Result<Option<tags::CustomerTagsRemovePayload>> {
        write::perform(ctx, input).await
    }

    /// Notes something about a customer, for colleagues. The customer never sees it.
    async fn customer_note_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "About whom, and what.")] input: note::CustomerNoteAddInput,
    ) -> Result<Option<note::CustomerNoteAddPayload>> {
        write::perform(ctx, input).await
    }

    /// Puts a note on top, or takes it down from there.
    async fn customer_note_pin(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which note.")] input: note::CustomerNotePinInput,
    ) -> Result<Option<note::CustomerNotePinPayload>> {
        write::perform(ctx, input).await
    }

    /// Records what the customer decided about one purpose. To refuse it on `ANY` channel takes back what was agreed to on
    /// any single one. What a partner could read by this consent, it cannot read from the moment on in which it is taken back.
    async fn consent_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who decided what.")] input: consent::ConsentUpdateInput,
    ) -> Result<Option<consent::ConsentUpdatePayload>> {
        write::perform(ctx, input).await
    }

    /// Records that it was checked whether the caller is the customer, and what came of it.
    async fn customer_verification_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who was checked, and how.")] input: verification::CustomerVerificationRecordInput,
    ) -> Result<Option<verification::CustomerVerificationRecordPayload>> {
        write::perform(ctx, input).await
    }
}

/// A locked customer has changed: it has a new version.
///
/// # Errors
/// The database fails.
async fn changed(tx: &mut Tx, customer_id: Uuid) -> Outcome<()> {
    let version = ("version", Expr::col("version").add(1));
    tx.set("customers", ("id", customer_id), [version, ("updated_at", tx.now().into())]).await
}
