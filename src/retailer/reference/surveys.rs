//! Surveys and their questions, in every language of the retailer.

use c360_entities::survey;
use chrono::{DateTime, Utc};
use sea_orm::JsonValue;
use uuid::Uuid;

use super::id;
use crate::retailer::rows::Rows;
use crate::retailer::text::LANGUAGES;

/// A survey, as the makers of answers need it.
#[derive(Debug)]
pub(crate) struct Poll {
    pub(crate) id: Uuid,
    pub(crate) metric: &'static str,
    pub(crate) questions: Vec<Question>,
}

#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) code: String,
    /// Whether the answer is words and not a score.
    pub(crate) open: bool,
    /// In the order of [`LANGUAGES`].
    pub(crate) text: [String; 5],
}

/// Key in the file, code, name, metric, trigger.
const SURVEYS: [(&str, &str, &str, &str, &str); 4] = [
    ("nps", "NPS-DELIVERY", "After delivery", "NPS", "DELIVERY"),
    ("csat", "CSAT-TICKET", "After a ticket", "CSAT", "TICKET_SOLVED"),
    ("ces", "CES-RETURN", "After a return", "CES", "RETURN"),
    ("visit", "NPS-SEASON", "After the season's campaign", "NPS", "CAMPAIGN"),
];

pub(super) fn surveys(rows: &mut Rows, opened: DateTime<Utc>) -> Vec<Poll> {
    let file: JsonValue = serde_json::from_str(include_str!("../data/surveys.json")).unwrap_or_default();
    let mut polls = Vec::new();
    for (key, code, name, metric, trigger) in SURVEYS {
        let id = id(opened, &format!("survey {code}"));
        rows.surveys.push(survey::Model {
            id,
            code: code.to_owned(),
            name: name.to_owned(),
            metric: metric.to_owned(),
            trigger_on: trigger.to_owned(),
            questions: file[key].clone(),
            active: true,
            created_at: opened,
        });
        let questions = file[key].as_array().map_or(&[][..], Vec::as_slice).iter().map(question).collect();
        polls.push(Poll { id, metric, questions });
    }
    polls
}

fn question(json: &JsonValue) -> Question {
    let text = |field: &JsonValue| field.as_str().unwrap_or_default().to_owned();
    Question {
        code: text(&json["code"]),
        open: json["kind"] == "TEXT",
        text: LANGUAGES.map(|language| text(&json["text"][language])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_asked_in_every_language() {
        let polls = surveys(&mut Rows::default(), DateTime::UNIX_EPOCH);
        assert!(polls.iter().all(|poll| !poll.questions.is_empty()));
        assert!(polls.iter().flat_map(|poll| &poll.questions).all(|q| q.text.iter().all(|text| !text.is_empty())));
    }
}
