//! Tickets with their messages.

use std::collections::HashSet;

use c360_entities::{event, ticket, ticket_link, ticket_message, ticket_tag};
use c360_rules::id::Kind;
use uuid::Uuid;

use super::draft::{Draft, Slot};
use super::items::{Message, Ticket};
use super::parse::Problem;
use super::world::part_id;

/// A ticket, new or changed.
pub(super) fn apply(draft: &mut Draft<'_>, item: &Ticket, slot: Slot) -> Result<(), Problem> {
    let source = &item.source.0;
    let messages: Vec<Uuid> = item.messages.iter().map(|message| message_id(item, message)).collect();
    check(draft, item, slot, &messages)?;
    let there = |field: &str, what: &str| Problem::new(field, format!("unknown {what}"));
    let assignee_id = match &item.assignee {
        Some(subject) => Some(*draft.world.staff.get(&subject.0).ok_or_else(|| there("assignee", "member of staff"))?),
        None => None,
    };
    let team_id = match &item.team {
        Some(name) => Some(*draft.world.teams.get(&name.0).ok_or_else(|| there("team", "team"))?),
        None => None,
    };
    let mut orders = Vec::new();
    for (place, link) in item.orders.iter().enumerate() {
        orders.push(draft.known.linked(&format!("orders[{place}]"), "order", source, slot.customer_id, link)?);
    }
    orders.sort_unstable();
    orders.dedup();

    save_row(draft, item, slot, (assignee_id, team_id));
    save_parts(draft, item, slot, &orders);
    for (message, id) in item.messages.iter().zip(messages) {
        let row = message_row(item, slot, message, id);
        if slot.is_new { draft.batch.push(&row) } else { draft.batch.put(&row) }
    }
    log(draft, item, slot);
    draft.touched.tickets.insert(slot.customer_id);
    Ok(())
}

fn message_id(item: &Ticket, message: &Message) -> Uuid {
    crate::clock::derived_id(message.created_at.0, &item.source.0, &format!("message/{}", message.id.0))
}

fn check(draft: &Draft<'_>, item: &Ticket, slot: Slot, messages: &[Uuid]) -> Result<(), Problem> {
    let solved = matches!(item.status.0, "SOLVED" | "CLOSED");
    if solved != item.solved_at.is_some() {
        return Err(Problem::new("solvedAt", "SOLVED and CLOSED need it, and nothing else has it"));
    }
    let mut ids = HashSet::new();
    for (place, message) in item.messages.iter().enumerate() {
        if !ids.insert(&message.id.0) {
            return Err(Problem::new(format!("messages[{place}].id"), "there twice"));
        }
        let internal = message.visibility.is_some_and(|visibility| visibility.0 == "INTERNAL");
        if internal && !matches!(message.author.0, "STAFF" | "SYSTEM") {
            return Err(Problem::new(
                format!("messages[{place}].visibility"),
                "only STAFF and SYSTEM write internally",
            ));
        }
    }
    let before = draft.known.messages.get(&slot.id).map(Vec::as_slice).unwrap_or_default();
    // What was written here is not the source's to take away.
    if before.iter().any(|row| row.source == item.source.0 && row.external_id.is_some() && !messages.contains(&row.id))
    {
        return Err(Problem::new("messages", "a message of an older version is gone, or has another time"));
    }
    Ok(())
}

fn save_row(draft: &mut Draft<'_>, item: &Ticket, slot: Slot, (assignee_id, team_id): (Option<Uuid>, Option<Uuid>)) {
    let before = draft.known.tickets.get(&slot.id);
    let priority = item.priority.map_or("NORMAL", |priority| priority.0);
    let times = item.messages.iter().map(|message| message.created_at);
    let last = times.chain([item.created_at]).chain(item.solved_at).max().unwrap_or(item.created_at);
    let row = ticket::Model {
        id: slot.id,
        customer_id: slot.customer_id,
        number: item.number.as_ref().unwrap_or(&item.id).0.clone(),
        status: item.status.0.into(),
        priority: priority.into(),
        priority_rank: match priority {
            "LOW" => 1,
            "NORMAL" => 2,
            "HIGH" => 3,
            _ => 4,
        },
        kind: item.kind.map_or("QUESTION", |kind| kind.0).into(),
        channel: item.channel.0.into(),
        source: item.source.0.clone(),
        subject: item.subject.0.clone(),
        assignee_id,
        team_id,
        sla_policy_id: before.and_then(|row| row.sla_policy_id),
        sla_due_at: before.and_then(|row| row.sla_due_at),
        sla_breached: before.is_some_and(|row| row.sla_breached),
        escalated_at: before.and_then(|row| row.escalated_at),
        merged_into_id: before.and_then(|row| row.merged_into_id),
        first_replied_at: item.first_replied_at.map(|at| at.0),
        solved_at: item.solved_at.map(|at| at.0),
        version: before.map_or(1, |row| row.version + 1),
        created_at: item.created_at.0,
        updated_at: before.map_or(last.0, |row| row.updated_at.max(last.0)),
    };
    match before {
        Some(before) => {
            draft.batch.expect("tickets", slot.id, before.version);
            draft.batch.put(&row);
        }
        None => draft.batch.push(&row),
    }
}

fn save_parts(draft: &mut Draft<'_>, item: &Ticket, slot: Slot, orders: &[Uuid]) {
    let (ticket_id, customer_id) = (slot.id, slot.customer_id);
    let mut tags: Vec<&str> = item.tags.iter().map(|tag| tag.0.trim()).collect();
    tags.sort_unstable();
    tags.dedup();
    if !slot.is_new {
        draft.batch.clear("ticket_tags", "ticket_id", ticket_id);
        draft.batch.clear("ticket_links", "return_id IS NULL AND ticket_id", ticket_id);
    }
    for tag in tags {
        draft.batch.push(&ticket_tag::Model { ticket_id, tag: tag.into(), customer_id });
    }
    for order_id in orders {
        draft.batch.push(&ticket_link::Model {
            id: part_id(ticket_id, format_args!("link/{order_id}")),
            ticket_id,
            customer_id,
            order_id: Some(*order_id),
            return_id: None,
        });
    }
}

fn message_row(item: &Ticket, slot: Slot, message: &Message, id: Uuid) -> ticket_message::Model {
    ticket_message::Model {
        id,
        ticket_id: slot.id,
        customer_id: slot.customer_id,
        visibility: message.visibility.map_or("PUBLIC", |visibility| visibility.0).into(),
        author_kind: message.author.0.into(),
        staff_id: None,
        channel: message.channel.unwrap_or(item.channel).0.into(),
        body: message.body.0.clone(),
        source: item.source.0.clone(),
        external_id: Some(message.id.0.clone()),
        created_at: message.created_at.0,
    }
}

fn log(draft: &mut Draft<'_>, item: &Ticket, slot: Slot) {
    let number = item.number.as_ref().unwrap_or(&item.id).0.clone();
    let mut happened = vec![("TICKET_CREATED", item.created_at)];
    happened.extend(item.solved_at.map(|at| ("TICKET_SOLVED", at)));
    for (kind, at) in happened {
        let ticket = (Kind::Ticket, slot.id);
        let event = draft.world.event(&item.source.0, slot.customer_id, (kind, "TICKETS"), ticket, at.0);
        let channel = (kind == "TICKET_CREATED").then(|| item.channel.0.to_owned());
        draft.log(slot.is_new, event::Model { label: Some(number.clone()), channel, ..event });
    }
}
