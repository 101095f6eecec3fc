//! Customers and what they are recognised by.

use c360_entities::{
    address, consent, customer, customer_identity, customer_tag, event, loyalty_account, loyalty_card,
};
use c360_rules::id::Kind;
use c360_rules::identifier;
use uuid::Uuid;

use super::book::Book;
use super::draft::{Draft, Slot};
use super::items::{Customer, Enrolment, Identity};
use super::known::{Mark, Seen};
use super::parse::Problem;
use super::world::{World, part_id};
use crate::clock::derived_id;

const MAX_ADDRESSES: usize = 20;

/// The customer number, as it is looked up.
pub(super) fn number_of(item: &Customer) -> String {
    let number = item.number.as_ref().map_or(&item.id.0, |number| &number.0);
    number.trim().to_uppercase()
}

/// A customer, new or changed.
pub(super) fn apply(draft: &mut Draft<'_>, item: &Customer, seen: Option<&Seen>) -> Result<Slot, Problem> {
    let mark: Mark = ("EXTERNAL", item.source.0.clone(), item.id.0.clone());
    // Known by its source and id, though perhaps from elsewhere.
    let verified = |row: &&customer_identity::Model| row.verified_at.is_some();
    let known = draft.known.identities.get(&mark).and_then(|all| all.iter().find(verified)).map(|row| row.customer_id);
    let there = seen.map(|seen| seen.customer_id).or(known);
    let id = there.unwrap_or_else(|| derived_id(item.created_at.0, &item.source.0, &format!("customer/{}", item.id.0)));
    let number = number_of(item);
    let before = there.and_then(|id| draft.known.customers.get(&id)).cloned();
    check(draft, item, id, &number, before.as_ref())?;
    let account = account(draft, item, id)?;

    let slot = Slot { customer_id: id, id, is_new: before.is_none() };
    save_profile(draft, item, slot, number, before);
    save_addresses(draft, item, slot);
    save_tags(draft, item, slot);
    save_consents(draft, item, slot);
    if known.is_none() {
        let row = external_identity(item, id);
        draft.batch.push(&row);
        draft.known.identities.entry(mark).or_default().push(row);
    }
    if let Some((row, card)) = account {
        let enrolled = event::Model {
            label: Some(row.number.clone()),
            ..draft.world.event(
                &item.source.0,
                id,
                ("LOYALTY_ENROLLED", "LOYALTY"),
                (Kind::LoyaltyAccount, row.id),
                row.enrolled_at,
            )
        };
        draft.log(true, enrolled);
        draft.batch.push(&card);
        draft.known.cards.insert(row.number.clone(), id);
        draft.known.books.insert(id, Book::new(row));
    }
    Ok(slot)
}

fn check(
    draft: &Draft<'_>,
    item: &Customer,
    id: Uuid,
    number: &str,
    before: Option<&customer::Model>,
) -> Result<(), Problem> {
    identifier::customer_number(number).map_err(|error| Problem::new("number", error.to_string()))?;
    match before.map(|row| row.status.as_str()) {
        Some("ERASED") => return Err(Problem::new("", "the customer was erased: nothing is added")),
        Some("MERGED") => {
            return Err(Problem::new("", "the customer was merged into another one, whose profile stays"));
        }
        _ => {}
    }
    if draft.known.numbers.get(number).is_some_and(|owner| *owner != id) {
        return Err(Problem::new("number", "this customer number is another customer's"));
    }
    if item.addresses.len() > MAX_ADDRESSES {
        return Err(Problem::new("addresses", format!("at most {MAX_ADDRESSES} are taken")));
    }
    let mut decisions: Vec<_> = item.consents.iter().map(|row| (row.purpose.0, row.channel.map(|c| c.0))).collect();
    decisions.sort_unstable();
    if decisions.windows(2).any(|two| two[0] == two[1]) {
        return Err(Problem::new("consents", "two decisions on the same purpose and channel"));
    }
    Ok(())
}

/// The account and the card to make, if the customer is to be enrolled and is not.
fn account(
    draft: &Draft<'_>,
    item: &Customer,
    customer_id: Uuid,
) -> Result<Option<(loyalty_account::Model, loyalty_card::Model)>, Problem> {
    let Some(enrolment) = &item.loyalty else { return Ok(None) };
    let Enrolment { number, enrolled_at, earning } = enrolment;
    let number =
        identifier::loyalty_number(&number.0).map_err(|error| Problem::new("loyalty.number", error.to_string()))?;
    if draft.known.books.contains_key(&customer_id) {
        return Ok(None);
    }
    if draft.known.cards.contains_key(&number) {
        return Err(Problem::new("loyalty.number", "this loyalty number is another customer's"));
    }
    let enrolled_at = enrolled_at.unwrap_or(item.created_at).0;
    let programme = &draft.world.programme;
    let account_id = part_id(customer_id, format_args!("account/{}", programme.id));
    let earning = earning.map_or("ORDERS", |earning| earning.0);
    let row = programme.account(account_id, customer_id, number.clone(), enrolled_at, earning);
    let card = loyalty_card::Model {
        id: part_id(account_id, "card"),
        account_id,
        customer_id,
        number,
        status: "ACTIVE".into(),
        issued_at: enrolled_at,
        blocked_at: None,
    };
    Ok(Some((row, card)))
}

/// The one place where this import writes a customer's row.
fn save_profile(draft: &mut Draft<'_>, item: &Customer, slot: Slot, number: String, before: Option<customer::Model>) {
    let name = item.name.as_ref().map(|name| name.0.trim().to_owned());
    let row = customer::Model {
        id: slot.id,
        number: number.clone(),
        status: "ACTIVE".into(),
        merged_into_id: None,
        name_folded: name.as_deref().map(identifier::name_fold),
        name,
        locale: item.locale.as_ref().map(|locale| locale.0.clone()),
        birthday: item.birthday.map(|day| day.0),
        preferred_channel: item.preferred_channel.map(|channel| channel.0.into()),
        member_since: Some(item.member_since.unwrap_or(item.created_at).0),
        vip: item.vip,
        risk: item.risk.map_or("LOW", |risk| risk.0).into(),
        source: before.as_ref().map_or(&item.source.0, |row| &row.source).clone(),
        version: before.as_ref().map_or(1, |row| row.version + 1),
        created_at: before.as_ref().map_or(item.created_at.0, |row| row.created_at),
        updated_at: draft.world.now,
    };
    let (source, happened) = (&item.source.0, (Kind::Customer, slot.id));
    match before {
        Some(before) => {
            draft.batch.expect("customers", slot.id, before.version);
            draft.known.numbers.remove(&before.number);
            draft.batch.put(&row);
            let updated = event::Model {
                id: part_id(slot.id, format_args!("CUSTOMER_UPDATED/{source}/{}", row.version)),
                ..draft.world.event(source, slot.id, ("CUSTOMER_UPDATED", "CUSTOMERS"), happened, draft.world.now)
            };
            draft.log(true, event::Model { label: Some(number.clone()), ..updated });
        }
        None => {
            draft.known.new_customers.insert(slot.id);
            draft.batch.push(&row);
            let created =
                draft.world.event(source, slot.id, ("CUSTOMER_CREATED", "CUSTOMERS"), happened, item.created_at.0);
            draft.log(true, event::Model { label: Some(number.clone()), ..created });
        }
    }
    draft.touched.profiles.insert(slot.id);
    draft.known.numbers.insert(number, slot.id);
    draft.known.customers.insert(slot.id, row);
}

fn save_addresses(draft: &mut Draft<'_>, item: &Customer, slot: Slot) {
    let id = |place: usize| part_id(slot.id, format_args!("address/{}/{place}", item.source.0));
    if !slot.is_new {
        (0..MAX_ADDRESSES).for_each(|place| draft.batch.clear("addresses", "id", id(place)));
    }
    for (place, given) in item.addresses.iter().enumerate() {
        draft.batch.push(&address::Model {
            id: id(place),
            customer_id: slot.id,
            kind: given.kind.0.into(),
            recipient: given.recipient.as_ref().map(|text| text.0.clone()),
            line1: given.line1.0.clone(),
            line2: given.line2.as_ref().map(|text| text.0.clone()),
            city: given.city.0.clone(),
            region: given.region.as_ref().map(|text| text.0.clone()),
            postal_code: given.postal_code.as_ref().map(|text| text.0.clone()),
            country: given.country.0.clone(),
            is_default: given.is_default,
            created_at: item.created_at.0,
        });
    }
}

fn save_tags(draft: &mut Draft<'_>, item: &Customer, slot: Slot) {
    let mut tags: Vec<&str> = item.tags.iter().map(|tag| tag.0.trim()).collect();
    tags.sort_unstable();
    tags.dedup();
    if !slot.is_new {
        draft.batch.clear("customer_tags", "staff_id IS NULL AND customer_id", slot.id);
        let kept = draft.known.tags.get(&slot.id).map(Vec::as_slice).unwrap_or_default();
        tags.retain(|tag| !kept.iter().any(|row| row.staff_id.is_some() && row.tag == *tag));
    }
    for tag in tags {
        let created_at = item.created_at.0;
        draft.batch.push(&customer_tag::Model { customer_id: slot.id, tag: tag.into(), staff_id: None, created_at });
    }
}

fn save_consents(draft: &mut Draft<'_>, item: &Customer, slot: Slot) {
    for given in &item.consents {
        let channel = given.channel.map_or("ANY", |channel| channel.0);
        let stored = draft.known.consents.get(&slot.id).map(Vec::as_slice).unwrap_or_default();
        let stored = stored.iter().find(|row| row.purpose == given.purpose.0 && row.channel == channel);
        // Of two decisions the later one holds, wherever it was made.
        if stored.is_some_and(|row| row.decided_at >= given.decided_at.0) {
            continue;
        }
        let id = stored
            .map_or_else(|| part_id(slot.id, format_args!("consent/{}/{channel}", given.purpose.0)), |row| row.id);
        let row = consent::Model {
            id,
            customer_id: slot.id,
            purpose: given.purpose.0.into(),
            channel: channel.into(),
            status: given.status.0.into(),
            source: item.source.0.clone(),
            decided_at: given.decided_at.0,
        };
        if stored.is_some() {
            draft.batch.put(&row)
        } else {
            draft.batch.push(&row)
        }
        // What was agreed to when the account was made is part of its making.
        if given.decided_at > item.created_at {
            let kind = ("CONSENT_UPDATED", "PRIVACY");
            let updated = draft.world.event(&item.source.0, slot.id, kind, (Kind::Consent, id), given.decided_at.0);
            let event = event::Model {
                id: part_id(id, format_args!("CONSENT_UPDATED/{}", given.decided_at.0)),
                label: Some(format!("{} {}", given.purpose.0, given.status.0)),
                ..updated
            };
            draft.log(slot.is_new, event);
        }
    }
}

/// The source vouches for its own id.
fn external_identity(item: &Customer, customer_id: Uuid) -> customer_identity::Model {
    customer_identity::Model {
        id: part_id(customer_id, format_args!("identity/{}", item.source.0)),
        customer_id,
        kind: "EXTERNAL".into(),
        namespace: item.source.0.clone(),
        value: item.id.0.clone(),
        normalized: item.id.0.clone(),
        verified_at: Some(item.created_at.0),
        source: item.source.0.clone(),
        created_at: item.created_at.0,
    }
}

/// Kind, namespace and normal form of an identity.
pub(super) fn mark(world: &World, item: &Identity) -> Result<Mark, Problem> {
    let value = item.value.0.trim();
    let normalized = match item.kind.0 {
        "EMAIL" => identifier::email(value),
        "PHONE" => world.phone(value),
        "LOYALTY_CARD" => identifier::loyalty_number(value),
        _ => Ok(value.to_owned()),
    };
    let normalized = normalized.map_err(|error| Problem::new("value", error.to_string()))?;
    let needed = matches!(item.kind.0, "SOCIAL" | "DEVICE" | "EXTERNAL");
    match &item.namespace {
        Some(namespace) if needed => Ok((item.kind.0, namespace.0.clone(), normalized)),
        None if !needed => Ok((item.kind.0, String::new(), normalized)),
        Some(_) => Err(Problem::new("namespace", "only SOCIAL, DEVICE and EXTERNAL have one")),
        None => Err(Problem::new("namespace", "SOCIAL, DEVICE and EXTERNAL need one")),
    }
}

/// An identity, new or changed.
pub(super) fn apply_identity(draft: &mut Draft<'_>, item: &Identity, slot: Slot) -> Result<(), Problem> {
    let mark = mark(draft.world, item)?;
    let verified_at = item.verified_at.map(|at| at.0);
    let same = draft.known.identities.get(&mark).map(Vec::as_slice).unwrap_or_default();
    if verified_at.is_some() && same.iter().any(|row| row.verified_at.is_some() && row.customer_id != slot.customer_id)
    {
        return Err(Problem::new("value", "verified for another customer; merging them is for people to decide"));
    }
    let twin = same.iter().find(|row| row.customer_id == slot.customer_id && row.id != slot.id).cloned();
    let before = draft.known.identity_rows.get(&slot.id).cloned();
    let is_new = twin.is_none() && before.is_none();
    let row = match (twin, before) {
        // Known already, from elsewhere: at most it becomes verified by this.
        (Some(twin), None) => customer_identity::Model { verified_at: twin.verified_at.or(verified_at), ..twin },
        (Some(_), Some(_)) => return Err(Problem::new("value", "the customer has this identity already")),
        (None, before) => customer_identity::Model {
            id: slot.id,
            customer_id: slot.customer_id,
            kind: mark.0.into(),
            namespace: mark.1.clone(),
            value: item.value.0.trim().to_owned(),
            normalized: mark.2.clone(),
            verified_at,
            source: item.source.0.clone(),
            created_at: before.map_or(item.created_at.0, |row| row.created_at),
        },
    };
    if is_new {
        draft.batch.push(&row)
    } else {
        draft.batch.put(&row)
    }
    if !is_new {
        draft.known.identities.values_mut().for_each(|rows| rows.retain(|other| other.id != row.id));
    }
    draft.known.identities.entry(mark).or_default().push(row);
    Ok(())
}
