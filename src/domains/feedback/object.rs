//! GraphQL types of feedback, and this domain's part of `Customer`.

use std::ops::Deref;

use async_graphql::{Context, ID, InputObject, Interface, MergedObject, Object, Result};
use c360_rules::id::Kind;
use c360_rules::mask;

use super::satisfaction::{Satisfaction, SatisfactionRow};
use super::store::{
    AnswerRow, FeedbackChannel, FeedbackKind, FeedbackMetric, FeedbackRow, FollowUpRow, FollowUpStatus, Sentiment,
    SurveyRow,
};
use crate::domains::customers::object::Staff;
use crate::domains::customers::store::{CustomerRow, StaffRow};
use crate::domains::orders::object::{Order, OrderLine, Store};
use crate::domains::orders::store::{LineRow, OrderRow, StoreRow};
use crate::domains::tickets::Ticket;
use crate::domains::tickets::store::TicketRow;
use crate::graphql::{DateTime, free_text, gid};
use crate::objects;
use crate::read::{Connection, Eager, Handle, Listed, PageArguments, Place};

objects! {
    /// A survey.
    Survey(SurveyRow);
    /// An answer to one question.
    SurveyAnswer(AnswerRow);
    /// What is done about feedback.
    FollowUp(FollowUpRow);
}

/// The feedback of a customer.
#[derive(Clone, Debug)]
pub struct CustomerFeedback(pub(crate) Handle<CustomerRow>);

/// Feedback of a customer.
#[Object]
impl CustomerFeedback {
    /// What the customer said about us, asked or not, newest first.
    async fn feedback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rows from the start: 1 to 100; 20 if neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only feedback that meets all of these.", name = "filter")] _filter: Option<FeedbackFilter>,
    ) -> Result<Option<Connection<Feedback>>> {
        Ok(Some(self.0.page::<FeedbackRow, _>(ctx, &PageArguments::new(first, after, last, before))?))
    }

    /// How satisfied the customer is: the last scores, and where they go. Null if nothing is known yet.
    async fn satisfaction(&self) -> Result<Option<Eager<Satisfaction>>> {
        Ok(self.0.one::<SatisfactionRow, _>("satisfaction", Some(self.0.id))?)
    }
}

/// Which feedback of a customer.
#[derive(Clone, Debug, Default, InputObject)]
pub struct FeedbackFilter {
    /// Of one of these kinds.
    pub kind: Option<Vec<FeedbackKind>>,
    /// With a score in this metric.
    pub metric: Option<FeedbackMetric>,
    /// That sounds like this.
    pub sentiment: Option<Sentiment>,
    /// Given on this channel.
    pub channel: Option<FeedbackChannel>,
}

/// Something that a customer said about us.
#[derive(Clone, Debug, Interface)]
#[expect(clippy::duplicated_attributes, reason = "two fields of one type are no duplicates")]
#[graphql(
    field(name = "id", ty = "ID", desc = "The id, of the type that the kind of feedback has."),
    field(name = "channel", ty = "FeedbackChannel", desc = "Where it was given."),
    field(name = "language", ty = "Option<&str>", desc = "The language that it is in, as in BCP 47: `ko`."),
    field(name = "metric", ty = "Option<FeedbackMetric>", desc = "What the score measures; null without a score."),
    field(name = "score", ty = "Option<i32>", desc = "The score, in the range of its metric."),
    field(name = "sentiment", ty = "Option<Sentiment>", desc = "What it sounds like; null if nobody has judged it."),
    field(name = "title", ty = "Option<String>", desc = "Its headline. Masked without `pii:read`."),
    field(name = "text", ty = "Option<String>", desc = "What it says. Masked without `pii:read`."),
    field(name = "given_at", ty = "DateTime", desc = "When it was given."),
    field(
        name = "source",
        ty = "&str",
        desc = "The system that it comes from, such as a survey tool or a review site."
    ),
    field(name = "order", ty = "Option<Eager<Order>>", desc = "The order that it is about."),
    field(name = "ticket", ty = "Option<Eager<Ticket>>", desc = "The ticket that it is about."),
    field(name = "store", ty = "Option<Eager<Store>>", desc = "The store that it is about."),
    field(name = "follow_up", ty = "Option<Eager<FollowUp>>", desc = "What is done about it. Staff only.")
)]
pub enum Feedback {
    /// An answer to a survey.
    SurveyResponse(SurveyResponse),
    /// A review.
    Review(Review),
    /// A mention on a social network.
    SocialMention(SocialMention),
    /// A suggestion.
    Suggestion(Suggestion),
}

impl From<Handle<FeedbackRow>> for Feedback {
    fn from(handle: Handle<FeedbackRow>) -> Self {
        match handle.kind {
            FeedbackKind::SurveyResponse => SurveyResponse::from(handle).into(),
            FeedbackKind::Review => Review::from(handle).into(),
            FeedbackKind::SocialMention => SocialMention::from(handle).into(),
            FeedbackKind::Suggestion => Suggestion::from(handle).into(),
        }
    }
}

impl Feedback {
    fn given(&self) -> &Given {
        match self {
            Self::SurveyResponse(response) => response,
            Self::Review(review) => review,
            Self::SocialMention(mention) => mention,
            Self::Suggestion(suggestion) => suggestion,
        }
    }
}

impl Listed for Feedback {
    fn place(&self) -> Place {
        self.given().0.place()
    }
}

/// Declares the kinds of feedback: what all have in common, and what only one has.
macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident: $($part:ident)+;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, MergedObject)]
        pub struct $name($($part),+);

        impl From<Handle<FeedbackRow>> for $name {
            fn from(handle: Handle<FeedbackRow>) -> Self {
                Self($($part(handle.clone())),+)
            }
        }

        /// The interface asks each kind for what all have in common.
        impl Deref for $name {
            type Target = Given;

            fn deref(&self) -> &Given {
                &self.0
            }
        }
    )+};
}

kinds! {
    /// An answer to a survey.
    SurveyResponse: Given OfSurvey;
    /// A review of a product or a store.
    Review: Given OfReview;
    /// A mention on a social network.
    SocialMention: Given OfMention;
    /// A suggestion.
    Suggestion: Given;
}

/// What all feedback has in common.
#[derive(Clone, Debug)]
pub struct Given(Handle<FeedbackRow>);

/// What only an answer to a survey has.
#[derive(Clone, Debug)]
pub struct OfSurvey(Handle<FeedbackRow>);

/// What only a review has.
#[derive(Clone, Debug)]
pub struct OfReview(Handle<FeedbackRow>);

/// What only a mention has.
#[derive(Clone, Debug)]
pub struct OfMention(Handle<FeedbackRow>);

/// What all feedback has in common.
#[Object]
impl Given {
    /// The id, of the type that the kind of feedback has.
    async fn id(&self) -> ID {
        let kind = match self.0.kind {
            FeedbackKind::SurveyResponse => Kind::SurveyResponse,
            FeedbackKind::Review => Kind::Review,
            FeedbackKind::SocialMention => Kind::Mention,
            FeedbackKind::Suggestion => Kind::Suggestion,
        };
        gid(kind, self.0.id)
    }

    /// Where it was given.
    async fn channel(&self) -> FeedbackChannel {
        self.0.channel
    }

    /// The language that it is in, as in BCP 47: `ko`.
    async fn language(&self) -> Option<&str> {
        self.0.language.as_deref()
    }

    /// What the score measures; null without a score.
    async fn metric(&self) -> Option<FeedbackMetric> {
        self.0.metric
    }

    /// The score, in the range of its metric.
    async fn score(&self) -> Option<i32> {
        self.0.score
    }

    /// What it sounds like; null if nobody has judged it.
    async fn sentiment(&self) -> Option<Sentiment> {
        self.0.sentiment
    }

    /// Its headline. Masked without `pii:read`.
    async fn title(&self) -> Option<String> {
        self.shown(self.0.title.as_deref())
    }

    /// What it says. Masked without `pii:read`.
    async fn text(&self) -> Option<String> {
        self.shown(self.0.text.as_deref())
    }

    /// When it was given.
    async fn given_at(&self) -> DateTime {
        self.0.given_at.into()
    }

    /// The system that it comes from, such as a survey tool or a review site.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// The order that it is about.
    async fn order(&self) -> Result<Option<Eager<Order>>> {
        Ok(self.0.one::<OrderRow, _>("order", self.0.order_id)?)
    }

    /// The ticket that it is about.
    async fn ticket(&self) -> Result<Option<Eager<Ticket>>> {
        Ok(self.0.one::<TicketRow, _>("ticket", self.0.ticket_id)?)
    }

    /// The store that it is about.
    async fn store(&self) -> Result<Option<Eager<Store>>> {
        Ok(self.0.one::<StoreRow, _>("store", self.0.store_id)?)
    }

    /// What is done about it. Staff only.
    async fn follow_up(&self) -> Result<Option<Eager<FollowUp>>> {
        Ok(self.0.one::<FollowUpRow, _>("followUp", Some(self.0.id))?)
    }
}

impl Given {
    fn shown(&self, text: Option<&str>) -> Option<String> {
        text.map(|text| free_text(text, self.0.pii, self.0.hidden_name.as_deref()))
    }
}

/// What only an answer to a survey has.
#[Object]
impl OfSurvey {
    /// The survey that asked.
    async fn survey(&self) -> Result<Option<Eager<Survey>>> {
        Ok(self.0.one::<SurveyRow, _>("survey", self.0.survey_id)?)
    }

    /// The answers to its questions, in the survey's order; at most 100.
    async fn answers(&self) -> Result<Option<Vec<Eager<SurveyAnswer>>>> {
        Ok(Some(self.0.few::<AnswerRow, _>("answers", self.0.id)?))
    }
}

/// What only a review has.
#[Object]
impl OfReview {
    /// Where it can be read. Null without `pii:read`, since it leads to the author.
    async fn url(&self) -> Option<&str> {
        self.0.url.as_deref().filter(|_| self.0.pii)
    }

    /// The line of the order whose product it is about.
    async fn order_line(&self) -> Result<Option<Eager<OrderLine>>> {
        Ok(self.0.one::<LineRow, _>("orderLine", self.0.order_line_id)?)
    }
}

/// What only a mention has.
#[Object]
impl OfMention {
    /// The social network.
    async fn network(&self) -> Option<&str> {
        self.0.network.as_deref()
    }

    /// The author's name on the network. Masked without `pii:read`.
    async fn author_handle(&self) -> Option<String> {
        let handle = self.0.author_handle.as_deref()?;
        Some(if self.0.pii { handle.to_owned() } else { mask::name(handle) })
    }

    /// Where it can be read. Null without `pii:read`, since it leads to the author.
    async fn url(&self) -> Option<&str> {
        self.0.url.as_deref().filter(|_| self.0.pii)
    }
}

/// A set of questions that customers are asked.
#[Object]
impl Survey {
    /// The survey's code.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What its score measures.
    async fn metric(&self) -> FeedbackMetric {
        self.0.metric
    }
}

/// An answer to one question of a survey.
#[Object]
impl SurveyAnswer {
    /// The question, as it was asked.
    async fn question(&self) -> &str {
        &self.0.question
    }

    /// The answer. Masked without `pii:read`.
    async fn answer(&self) -> String {
        free_text(&self.0.answer, self.0.pii, self.0.hidden_name.as_deref())
    }
}

/// What is done about bad feedback.
#[Object]
impl FollowUp {
    /// The follow-up's id.
    async fn id(&self) -> ID {
        gid(Kind::FollowUp, self.0.id)
    }

    /// How far it has come.
    async fn status(&self) -> FollowUpStatus {
        self.0.status
    }

    /// Who sees to it; null when nobody does yet.
    async fn owner(&self) -> Result<Option<Eager<Staff>>> {
        Ok(self.0.one::<StaffRow, _>("owner", self.0.owner_id)?)
    }

    /// When it must be closed.
    async fn due_at(&self) -> DateTime {
        self.0.due_at.into()
    }

    /// What came of it; null until it is done.
    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_deref()
    }

    /// When it was opened.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was closed; null while it is open.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(Into::into)
    }

    /// Whether it should be closed by now and is not.
    async fn is_overdue(&self) -> bool {
        self.0.closed_at.is_none() && self.0.scope().passed(self.0.due_at)
    }
}
