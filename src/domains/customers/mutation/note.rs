//! Notes of staff about a customer.

use async_graphql::{ID, InputObject};
use c360_entities::customer_note;
use c360_rules::id::Kind;
use sea_orm::EntityTrait as _;
use uuid::Uuid;

use crate::domains::customers::object::CustomerNote;
use crate::domains::customers::whose::{Among, owner};
use crate::domains::customers::{CustomerIdentifier, store, whose};
use crate::events::{Event, TimelineDomain, TimelineEntryKind, Visibility};
use crate::graphql::id;
use crate::payload;
use crate::write::{self, Action, Outcome, Refusal, Tx, Work};

/// A new note.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerNoteAddInput {
    /// About whom.
    customer: CustomerIdentifier,
    /// What it says: 1 to 20,000 characters.
    body: String,
    /// Whether it stays on top.
    #[graphql(default)]
    pinned: bool,
    /// Makes it safe to send the request again: there is one note for each key.
    idempotency_key: Option<String>,
}

/// Which note stays on top.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerNotePinInput {
    /// The note.
    note_id: ID,
    /// Whether it stays on top.
    pinned: bool,
}

payload! {
    /// What came of adding a note.
    CustomerNoteAddPayload of Uuid {
        /// The note.
        note: CustomerNote = |id| Some(store::note(*id)),
    }
    CustomerNoteAddUserError {
        CustomerNoteAddErrorCode:
        NotFound, Blank, TooLong, InvalidText,
        InvalidIdempotencyKey, IdempotencyKeyParameterMismatch, IdempotencyConcurrentRequest,
    }
}

payload! {
    /// What came of putting a note on top.
    CustomerNotePinPayload of Uuid {
        /// The note.
        note: CustomerNote = |id| Some(store::note(*id)),
    }
    CustomerNotePinUserError { CustomerNotePinErrorCode: NotFound }
}

impl Action for CustomerNoteAddInput {
    const NAME: &'static str = "customerNoteAdd";

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }
}

impl Work for CustomerNoteAddInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        let body = write::long_text("body", &self.body)?;
        let customer_id = whose(tx, Some(&self.customer)).await?.id;
        let (id, staff_id) = (tx.new_id(), tx.staff_id().await?);
        let row = customer_note::Model { id, customer_id, staff_id, body, pinned: self.pinned, created_at: tx.now() };
        tx.insert([row]).await?;
        tx.tell(event(TimelineEntryKind::NoteAdded, customer_id, id));
        Ok(id)
    }
}

impl Action for CustomerNotePinInput {
    const NAME: &'static str = "customerNotePin";
}

impl Work for CustomerNotePinInput {
    type Made = Uuid;

    async fn run(&self, tx: &mut Tx) -> Outcome<Uuid> {
        let id = id::parse("input.noteId", Kind::Note, &self.note_id)?;
        let customer_id = owner(tx, "customer_notes", id, "noteId", Among::Anybody).await?.id;
        let note = tx.one(customer_note::Entity::find_by_id(id)).await?;
        let note = note.ok_or_else(|| Refusal::not_found("noteId"))?;
        if note.pinned != self.pinned {
            let event = event(TimelineEntryKind::NoteUpdated, customer_id, id);
            tx.tell(event.change("pinned", Some(note.pinned), Some(self.pinned)));
            tx.put(customer_note::Model { pinned: self.pinned, ..note }).await?;
        }
        Ok(id)
    }
}

/// What a note says stands in the note alone.
fn event(kind: TimelineEntryKind, customer_id: Uuid, id: Uuid) -> Event {
    Event::of(kind, TimelineDomain::Customers).seen_by(Visibility::Staff).customer(customer_id).about(Kind::Note, id)
}
