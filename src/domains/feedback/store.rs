//! Rows of feedback and the edges between them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::object::FeedbackFilter;
use super::satisfaction::SatisfactionRow;
use crate::auth::Domain;
use crate::choice;
use crate::domains::customers::store::staff_member;
use crate::domains::orders::store::{order_line_of, order_of, store_of};
use crate::domains::tickets::store::ticket_of;
use crate::read::relation::filtered;
use crate::read::{Access, Join, Order, Pieces, Relation, RowType, Shape};
use crate::row;

choice! {
    /// What a piece of feedback is.
    pub enum FeedbackKind {
        /// An answer to a survey.
        SurveyResponse = "SURVEY_RESPONSE",
        /// A review of a product or a store.
        Review = "REVIEW",
        /// A mention on a social network.
        SocialMention = "SOCIAL_MENTION",
        /// A suggestion.
        Suggestion = "SUGGESTION",
    }
}

choice! {
    /// Where feedback was given.
    pub enum FeedbackChannel {
        /// E-mail.
        Email = "EMAIL",
        /// Text message.
        Sms = "SMS",
        /// The phone.
        Phone = "PHONE",
        /// A message of the mobile app.
        Push = "PUSH",
        /// Letter.
        Post = "POST",
        /// A chat.
        Chat = "CHAT",
        /// The web shop, or another web site.
        Web = "WEB",
        /// The mobile app.
        MobileApp = "MOBILE_APP",
        /// A social network.
        Social = "SOCIAL",
        /// A store.
        Pos = "POS",
        /// A partner's own channel.
        Partner = "PARTNER",
    }
}

choice! {
    /// What a score measures, and in which range.
    pub enum FeedbackMetric {
        /// "Would you recommend us?" 0 to 10 (net promoter score).
        Nps = "NPS",
        /// "How satisfied are you?" 1 to 5 (customer satisfaction).
        Csat = "CSAT",
        /// "Was it easy?" 1 to 7, 7 being very easy (customer effort score).
        Ces = "CES",
        /// The stars of a review, 1 to 5.
        Stars = "STARS",
    }
}

choice! {
    /// What a text sounds like.
    pub enum Sentiment {
        /// Pleased.
        Positive = "POSITIVE",
        /// Neither.
        Neutral = "NEUTRAL",
        /// Displeased.
        Negative = "NEGATIVE",
    }
}

choice! {
    /// How far a follow-up has come.
    pub enum FollowUpStatus {
        /// Nobody has begun.
        Open = "OPEN",
        /// Its owner is at it.
        InProgress = "IN_PROGRESS",
        /// Done, with an outcome.
        Done = "DONE",
        /// Called off.
        Cancelled = "CANCELLED",
    }
}

row! {
    /// Feedback of any kind.
    pub struct FeedbackRow {
        order_id: Option<Uuid> = "x.order_id" for ["order"],
        order_line_id: Option<Uuid> = "x.order_line_id" for ["orderLine"],
        ticket_id: Option<Uuid> = "x.ticket_id" for ["ticket"],
        store_id: Option<Uuid> = "x.store_id" for ["store"],
        survey_id: Option<Uuid> = "x.survey_id" for ["survey"],
        pii: bool = "{pii}",
        score: Option<i32> = "x.score" for ["score"],
        kind: FeedbackKind = "x.kind",
        channel: FeedbackChannel = "x.channel" for ["channel"],
        language: Option<String> = "x.language" for ["language"],
        metric: Option<FeedbackMetric> = "x.metric" for ["metric"],
        sentiment: Option<Sentiment> = "x.sentiment" for ["sentiment"],
        title: Option<String> = "x.title" for ["title"],
        text: Option<String> = "x.body" for ["text"],
        hidden_name: Option<String> = "{name}" for ["title", "text"],
        network: Option<String> = "x.network" for ["network"],
        author_handle: Option<String> = "x.author_handle" for ["authorHandle"],
        url: Option<String> = "x.url" for ["url"],
        source: String = "x.source" for ["source"],
        given_at: DateTime<Utc> = "x.given_at",
    }
}

row! {
    /// A survey.
    pub struct SurveyRow {
        code: String = "x.code",
        name: String = "x.name",
        metric: FeedbackMetric = "x.metric",
    }
}

row! {
    /// An answer to one question.
    pub struct AnswerRow {
        pii: bool = "{pii}",
        position: i32 = "x.position",
        question: String = "x.question",
        answer: String = "x.answer",
        hidden_name: Option<String> = "{name}",
    }
}

row! {
    /// What is done about feedback.
    pub struct FollowUpRow {
        owner_id: Option<Uuid> = "x.owner_id",
        status: FollowUpStatus = "x.status",
        outcome: Option<String> = "x.outcome",
        due_at: DateTime<Utc> = "x.due_at",
        created_at: DateTime<Utc> = "x.created_at",
        closed_at: Option<DateTime<Utc>> = "x.closed_at",
    }
}

/// Newest feedback first.
pub const NEWEST: Order = Order::newest("given_at", "x.given_at");

/// A relation with the usual values; each edge says what is different.
const BASE: Relation = Relation {
    on: "Feedback",
    fields: &[],
    to: "",
    table: "",
    rows: RowType::of::<FeedbackRow>(),
    join: Join::by("feedback_id"),
    shape: Shape::One,
    order: Order::oldest("", "x.id"),
    only: "",
    filter: None,
    access: Access::Parent,
};

/// The edges of this domain. Those of the kinds of feedback start from the interface, by whose name a list leads to
/// them.
pub static RELATIONS: &[Relation] = &[
    Relation {
        on: "Customer",
        fields: &["feedback"],
        to: "Feedback",
        table: "feedback",
        join: Join::by("customer_id"),
        shape: Shape::Page,
        order: NEWEST,
        filter: Some(|arguments| filtered(arguments, |filter| Ok(conditions(filter)))),
        access: Access::Records(Domain::Feedback),
        ..BASE
    },
    Relation {
        on: "Customer",
        fields: &["satisfaction"],
        to: "Satisfaction",
        // The scores are of all sources together: no partner reads them as records of its own.
        table: "(SELECT s.customer_id AS id, '' AS source, s.* FROM customer_statistics s)",
        rows: RowType::of::<SatisfactionRow>(),
        join: Join::by("customer_id"),
        access: Access::Records(Domain::Feedback),
        ..BASE
    },
    order_of("Feedback"),
    order_line_of("Feedback"),
    ticket_of("Feedback"),
    store_of("Feedback"),
    Relation {
        fields: &["survey"],
        to: "Survey",
        table: "surveys",
        rows: RowType::of::<SurveyRow>(),
        join: Join::to("survey_id"),
        ..BASE
    },
    Relation {
        fields: &["answers"],
        to: "SurveyAnswer",
        table: "(SELECT a.feedback_id AS id, a.* FROM survey_answers a)",
        rows: RowType::of::<AnswerRow>(),
        shape: Shape::Few(100),
        order: Order::oldest("position", "x.position"),
        ..BASE
    },
    Relation { fields: &["followUp"], to: "FollowUp", table: "follow_ups", rows: RowType::of::<FollowUpRow>(), ..BASE },
    staff_member("FollowUp", &["owner"], "owner_id"),
];

fn conditions(filter: FeedbackFilter) -> Vec<Pieces> {
    let mut all = Vec::new();
    all.extend(
        filter.kind.map(|any| Pieces::one_of_words("x.kind", any.into_iter().map(FeedbackKind::as_str).collect())),
    );
    all.extend(filter.metric.map(|metric| Pieces::text("x.metric = ").value(metric.as_str())));
    all.extend(filter.sentiment.map(|sentiment| Pieces::text("x.sentiment = ").value(sentiment.as_str())));
    all.extend(filter.channel.map(|channel| Pieces::text("x.channel = ").value(channel.as_str())));
    all
}
