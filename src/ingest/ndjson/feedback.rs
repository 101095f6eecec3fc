//! What customers said elsewhere. Nobody is made to follow it up: it is history.

use std::collections::HashSet;

use c360_entities::{event, feedback, survey, survey_answer};
use c360_rules::id::Kind;
use c360_rules::satisfaction;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::draft::{Draft, Slot};
use super::form::{Text, Time};
use super::items::{Mention, Name, Review, Sentiment, Suggestion, SurveyResponse};
use super::parse::Problem;
use crate::clock::derived_id;

/// An answer to a survey.
pub(super) fn apply_response(draft: &mut Draft<'_>, item: &SurveyResponse, slot: Slot) -> Result<(), Problem> {
    let score = i32::try_from(item.score.0).unwrap_or(i32::MAX);
    let metric = match item.metric.0 {
        "NPS" => satisfaction::Metric::Nps,
        "CSAT" => satisfaction::Metric::Csat,
        _ => satisfaction::Metric::Ces,
    };
    metric.validate(score).map_err(|error| Problem::new("score", error.to_string()))?;
    let mut codes = HashSet::new();
    for (place, answer) in item.answers.iter().enumerate() {
        if !codes.insert(&answer.code.0) {
            return Err(Problem::new(format!("answers[{place}].code"), "there twice"));
        }
    }
    let (source, customer) = (&item.source.0, slot.customer_id);
    let order_id = match &item.order {
        Some(link) => Some(draft.known.linked("order", "order", source, customer, link)?),
        None => None,
    };
    let ticket_id = match &item.ticket {
        Some(link) => Some(draft.known.linked("ticket", "ticket", source, customer, link)?),
        None => None,
    };
    let survey_id = survey(draft, item)?;
    let row = feedback::Model {
        kind: "SURVEY_RESPONSE".into(),
        metric: Some(item.metric.0.into()),
        score: i16::try_from(score).ok(),
        body: item.body.as_ref().map(|body| body.0.clone()),
        survey_id: Some(survey_id),
        order_id,
        ticket_id,
        ..said(slot, (&item.source, &item.id), item.channel.0, &item.language, item.sentiment, item.given_at)
    };
    save(draft, slot, row, (Kind::SurveyResponse, item.metric.0));
    if !slot.is_new {
        draft.batch.clear("survey_answers", "feedback_id", slot.id);
    }
    for (position, answer) in (1_i16..).zip(&item.answers) {
        draft.batch.push(&survey_answer::Model {
            feedback_id: slot.id,
            question_code: answer.code.0.clone(),
            customer_id: customer,
            position,
            question: answer.question.0.clone(),
            answer: answer.answer.0.clone(),
        });
    }
    Ok(())
}

/// The survey of this code; made, and switched off, if there is none.
fn survey(draft: &mut Draft<'_>, item: &SurveyResponse) -> Result<Uuid, Problem> {
    let code = &item.survey.0;
    let known = draft.world.surveys.get(code).or_else(|| draft.surveys.get(code));
    match known {
        Some((_, metric)) if metric != item.metric.0 => {
            Err(Problem::new("metric", format!("the survey {code} measures {metric}")))
        }
        Some((id, _)) => Ok(*id),
        None => {
            // The same wherever it comes from, so that two imports that make it agree.
            let id = derived_id(DateTime::<Utc>::UNIX_EPOCH, "survey", code);
            draft.batch.put(&survey::Model {
                id,
                code: code.clone(),
                name: code.clone(),
                metric: item.metric.0.into(),
                trigger_on: "CAMPAIGN".into(),
                questions: serde_json::json!([]),
                active: false,
                created_at: draft.world.now,
            });
            draft.surveys.insert(code.clone(), (id, item.metric.0.to_owned()));
            Ok(id)
        }
    }
}

/// A review.
pub(super) fn apply_review(draft: &mut Draft<'_>, item: &Review, slot: Slot) -> Result<(), Problem> {
    let order_id = match &item.order {
        Some(link) => Some(draft.known.linked("order", "order", &item.source.0, slot.customer_id, link)?),
        None => None,
    };
    let order_line_id = match (item.line, order_id) {
        (Some(line), Some(order)) => {
            let place = i32::try_from(line.0).unwrap_or(i32::MAX);
            let line = draft.known.lines.get(&(order, place)).copied();
            Some(line.ok_or_else(|| Problem::new("line", "the order has no such line"))?)
        }
        (Some(_), None) => return Err(Problem::new("line", "needs `order`")),
        (None, _) => None,
    };
    let row = feedback::Model {
        kind: "REVIEW".into(),
        metric: Some("STARS".into()),
        score: i16::try_from(item.score.0).ok(),
        title: item.title.as_ref().map(|title| title.0.clone()),
        body: item.body.as_ref().map(|body| body.0.clone()),
        order_id,
        order_line_id,
        author_handle: item.author_handle.as_ref().map(|handle| handle.0.clone()),
        url: item.url.as_ref().map(|url| url.0.clone()),
        ..said(slot, (&item.source, &item.id), item.channel.0, &item.language, item.sentiment, item.given_at)
    };
    save(draft, slot, row, (Kind::Review, "STARS"));
    Ok(())
}

/// A mention.
pub(super) fn apply_mention(draft: &mut Draft<'_>, item: &Mention, slot: Slot) -> Result<(), Problem> {
    let row = feedback::Model {
        kind: "SOCIAL_MENTION".into(),
        body: item.body.as_ref().map(|body| body.0.clone()),
        network: Some(item.network.0.clone()),
        author_handle: item.author_handle.as_ref().map(|handle| handle.0.clone()),
        url: item.url.as_ref().map(|url| url.0.clone()),
        ..said(slot, (&item.source, &item.id), "SOCIAL", &item.language, item.sentiment, item.given_at)
    };
    save(draft, slot, row, (Kind::Mention, &item.network.0));
    Ok(())
}

/// A suggestion.
pub(super) fn apply_suggestion(draft: &mut Draft<'_>, item: &Suggestion, slot: Slot) -> Result<(), Problem> {
    let row = feedback::Model {
        kind: "SUGGESTION".into(),
        title: item.title.as_ref().map(|title| title.0.clone()),
        body: Some(item.body.0.clone()),
        ..said(slot, (&item.source, &item.id), item.channel.0, &item.language, item.sentiment, item.given_at)
    };
    save(draft, slot, row, (Kind::Suggestion, "SUGGESTION"));
    Ok(())
}

/// The columns that every kind fills alike; the others are for the caller.
fn said(
    slot: Slot,
    (source, id): (&Name, &Name),
    channel: &str,
    language: &Option<Text<35>>,
    sentiment: Option<Sentiment>,
    given_at: Time,
) -> feedback::Model {
    feedback::Model {
        id: slot.id,
        customer_id: slot.customer_id,
        kind: String::new(),
        channel: channel.into(),
        language: language.as_ref().map(|language| language.0.clone()),
        metric: None,
        score: None,
        sentiment: sentiment.map(|sentiment| sentiment.0.into()),
        title: None,
        body: None,
        survey_id: None,
        invitation_id: None,
        order_id: None,
        order_line_id: None,
        ticket_id: None,
        store_id: None,
        network: None,
        author_handle: None,
        url: None,
        source: source.0.clone(),
        external_id: Some(id.0.clone()),
        given_at: given_at.0,
    }
}

fn save(draft: &mut Draft<'_>, slot: Slot, row: feedback::Model, (kind, label): (Kind, &str)) {
    let happened = ("FEEDBACK_GIVEN", "FEEDBACK");
    let event = draft.world.event(&row.source, slot.customer_id, happened, (kind, slot.id), row.given_at);
    draft.log(slot.is_new, event::Model { label: Some(label.to_owned()), channel: Some(row.channel.clone()), ..event });
    if slot.is_new {
        draft.batch.push(&row)
    } else {
        draft.batch.put(&row)
    }
    draft.touched.feedback.insert(slot.customer_id);
}
