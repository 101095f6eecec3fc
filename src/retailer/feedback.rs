//! What customers think of it: surveys, reviews, mentions, suggestions, and what was done about them.

use c360_entities::{feedback, follow_up, survey_answer, survey_invitation};
use c360_rules::id::Kind;
use c360_rules::satisfaction::Metric;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::person::{Actor, Happening, Opinion, Person};
use super::reference::Poll;
use super::text::{LANGUAGES, Remark, TEXT};

/// What a piece of feedback is about.
#[derive(Clone, Copy, Debug, Default)]
struct About {
    order_id: Option<Uuid>,
    order_line_id: Option<Uuid>,
    ticket_id: Option<Uuid>,
    store_id: Option<Uuid>,
}

impl<'w> Person<'w> {
    pub(super) fn make_feedback(&mut self) {
        for (place, opinion) in self.traits.opinions.clone().into_iter().enumerate() {
            let at = self.as_of() - TimeDelta::days(opinion.days_ago) - TimeDelta::seconds(self.rng.i64(0..40_000));
            let at = at.max(self.since + TimeDelta::minutes(1));
            match opinion.kind {
                'R' => self.make_review(opinion, place, at),
                'M' => self.make_mention(opinion, place, at),
                'G' => self.make_suggestion(at),
                _ => self.make_response(opinion, at),
            }
        }
        // Most invitations are never answered.
        for _ in 0..self.rng.usize(..3) {
            let poll = &self.world.polls[self.rng.usize(..self.world.polls.len())];
            let at = self.later(self.since, 1..24 * self.traits.days.max(1));
            self.invite(poll, About::default(), at, None);
        }
    }

    fn remark(&mut self, kind: &str, bad: bool) -> &'static Remark {
        let all: &'static [Remark] = &TEXT.remarks[self.language()];
        let wanted = if bad { "NEGATIVE" } else { "POSITIVE" };
        let some: Vec<_> = all
            .iter()
            .filter(|remark| {
                remark.kind == kind
                    && (remark.sentiment == wanted
                        || remark.sentiment.is_empty()
                        || (!bad && remark.sentiment == "NEUTRAL"))
            })
            .collect();
        some.get(self.rng.usize(..some.len().max(1))).copied().unwrap_or(&all[0])
    }

    fn make_response(&mut self, opinion: Opinion, at: DateTime<Utc>) {
        let world = self.world;
        let order_id = self.rows.orders.iter().rev().find(|order| order.placed_at < at).map(|order| order.id);
        let ticket_id = self
            .rows
            .tickets
            .iter()
            .rev()
            .find(|ticket| ticket.solved_at.is_some_and(|solved| solved < at))
            .map(|ticket| ticket.id);
        let back = self.rows.returns.iter().rev().find(|back| back.requested_at < at).map(|back| back.order_id);
        let (poll, about) = match (back, ticket_id, order_id) {
            _ if opinion.kind == 'N' => (&world.polls[0], About { order_id, ..About::default() }),
            (Some(_), ..) if self.chance(40) => (&world.polls[2], About { order_id: back, ..About::default() }),
            (_, Some(_), _) if self.chance(50) => (&world.polls[1], About { ticket_id, ..About::default() }),
            (.., Some(_)) if self.chance(85) => (&world.polls[0], About { order_id, ..About::default() }),
            _ => (&world.polls[3], About::default()),
        };
        let scores: &[i16] = match (poll.metric, opinion.bad) {
            ("NPS", true) => &[0, 2, 3, 5, 6],
            ("NPS", false) => &[7, 8, 8, 9, 9, 10, 10],
            ("CSAT", true) => &[1, 2, 2],
            ("CSAT", false) => &[3, 4, 4, 5, 5],
            (_, true) => &[1, 2, 3],
            (_, false) => &[4, 5, 6, 6, 7],
        };
        let score = self.pick(scores);
        let words = self.chance(60).then(|| self.remark("S", opinion.bad));
        let channel = self.pick(&["EMAIL", "EMAIL", "SMS", "PUSH"]);
        let sent = (at - TimeDelta::hours(self.rng.i64(1..60))).max(self.since);
        let invitation_id = Some(self.invite(poll, about, sent, Some(at)));
        let id = self.id_at(at);
        let row = feedback::Model {
            kind: "SURVEY_RESPONSE".to_owned(),
            channel: channel.to_owned(),
            metric: Some(poll.metric.to_owned()),
            score: Some(score),
            sentiment: words.map(|remark| remark.sentiment.to_owned()),
            body: words.map(|remark| remark.body.to_owned()),
            survey_id: Some(poll.id),
            invitation_id,
            ..self.blank(id, about, at)
        };
        self.rows.feedback.push(row);
        self.make_answers(poll, id, score, words.map(|remark| remark.body));
        let metric = match poll.metric {
            "NPS" => Metric::Nps,
            "CSAT" => Metric::Csat,
            _ => Metric::Ces,
        };
        self.given(Kind::SurveyResponse, id, at, poll.metric, Actor::Customer);
        if metric.is_bad(i32::from(score)) {
            self.follow_up(id, at);
        }
    }

    fn make_answers(&mut self, poll: &Poll, feedback_id: Uuid, score: i16, words: Option<&str>) {
        let language = self.language();
        for (position, question) in (1_i16..).zip(&poll.questions) {
            let answer = if question.open { words.map(str::to_owned) } else { Some(score.to_string()) };
            let Some(answer) = answer else { continue };
            self.rows.survey_answers.push(survey_answer::Model {
                feedback_id,
                question_code: question.code.clone(),
                customer_id: self.id,
                position,
                question: question.text[language].clone(),
                answer,
            });
        }
    }

    fn invite(&mut self, poll: &Poll, about: About, at: DateTime<Utc>, answered_at: Option<DateTime<Utc>>) -> Uuid {
        let id = self.id_at(at);
        let token_hash = format!("{:032x}{:032x}", self.rng.u128(..), self.rng.u128(..));
        let channel = self.pick(&["EMAIL", "EMAIL", "SMS", "PUSH"]);
        self.rows.survey_invitations.push(survey_invitation::Model {
            id,
            survey_id: poll.id,
            customer_id: self.id,
            order_id: about.order_id,
            ticket_id: about.ticket_id,
            channel: channel.to_owned(),
            locale: self.traits.home.locale.to_owned(),
            token_hash,
            sent_at: at,
            answered_at,
            expires_at: at + TimeDelta::days(14),
        });
        id
    }

    fn make_review(&mut self, opinion: Opinion, place: usize, at: DateTime<Utc>) {
        let remark = self.remark("R", opinion.bad);
        let score = match remark.sentiment {
            "NEGATIVE" => self.pick(&[1, 2]),
            "NEUTRAL" => 3,
            _ => self.pick(&[4, 5, 5]),
        };
        let line = self
            .rows
            .order_lines
            .iter()
            .rev()
            .find(|line| self.rows.orders.iter().any(|order| order.id == line.order_id && order.placed_at < at));
        let about = match line {
            Some(line) => About { order_id: Some(line.order_id), order_line_id: Some(line.id), ..About::default() },
            None => About { store_id: Some(self.world.web_shop), ..About::default() },
        };
        let id = self.id_at(at);
        let external = format!("RV-{}-{place}", self.index);
        let row = feedback::Model {
            kind: "REVIEW".to_owned(),
            channel: "WEB".to_owned(),
            metric: Some("STARS".to_owned()),
            score: Some(score),
            sentiment: Some(remark.sentiment.to_owned()),
            title: Some(remark.title.to_owned()),
            body: Some(remark.body.to_owned()),
            author_handle: Some(self.traits.handle.replace('.', "_")),
            url: Some(format!("https://reviews.example.com/{external}")),
            source: "reviews".to_owned(),
            external_id: Some(external),
            ..self.blank(id, about, at)
        };
        self.rows.feedback.push(row);
        self.given(Kind::Review, id, at, "STARS", Actor::Partner("reviews"));
        if score <= 2 {
            self.follow_up(id, at);
        }
    }

    fn make_mention(&mut self, opinion: Opinion, place: usize, at: DateTime<Utc>) {
        let remark = self.remark("M", opinion.bad);
        let network = self.pick(&["instagram", "x", "kakao", "facebook"]);
        let id = self.id_at(at);
        let external = format!("M-{}-{place}", self.index);
        let row = feedback::Model {
            kind: "SOCIAL_MENTION".to_owned(),
            channel: "SOCIAL".to_owned(),
            sentiment: Some(remark.sentiment.to_owned()),
            body: Some(remark.body.to_owned()),
            network: Some(network.to_owned()),
            author_handle: Some(format!("@{}", self.traits.handle.replace('.', "_"))),
            url: Some(format!("https://social.example.com/{network}/{external}")),
            source: "social".to_owned(),
            external_id: Some(external),
            ..self.blank(id, About::default(), at)
        };
        self.rows.feedback.push(row);
        self.given(Kind::Mention, id, at, network, Actor::Partner("social"));
    }

    fn make_suggestion(&mut self, at: DateTime<Utc>) {
        let remark = self.remark("G", false);
        let id = self.id_at(at);
        let channel = self.pick(&["MOBILE_APP", "WEB", "EMAIL", "POS"]);
        let row = feedback::Model {
            kind: "SUGGESTION".to_owned(),
            channel: channel.to_owned(),
            sentiment: Some("NEUTRAL".to_owned()),
            body: Some(remark.body.to_owned()),
            ..self.blank(id, About::default(), at)
        };
        self.rows.feedback.push(row);
        self.given(Kind::Suggestion, id, at, "SUGGESTION", Actor::Customer);
    }

    /// The columns that every kind fills alike; the others are for the caller.
    fn blank(&self, id: Uuid, about: About, at: DateTime<Utc>) -> feedback::Model {
        feedback::Model {
            id,
            customer_id: self.id,
            kind: String::new(),
            channel: String::new(),
            language: Some(LANGUAGES[self.language()].to_owned()),
            metric: None,
            score: None,
            sentiment: None,
            title: None,
            body: None,
            survey_id: None,
            invitation_id: None,
            order_id: about.order_id,
            order_line_id: about.order_line_id,
            ticket_id: about.ticket_id,
            store_id: about.store_id,
            network: None,
            author_handle: None,
            url: None,
            source: "c360".to_owned(),
            external_id: None,
            given_at: at,
        }
    }

    fn given(&mut self, kind: Kind, id: Uuid, at: DateTime<Utc>, label: &str, actor: Actor) {
        let given = Happening::new("FEEDBACK_GIVEN", "FEEDBACK", at, (kind, id));
        self.happened(Happening { label: Some(label.to_owned()), actor, ..given });
    }

    /// Somebody looks after bad feedback; what is old has been dealt with.
    fn follow_up(&mut self, feedback_id: Uuid, at: DateTime<Utc>) {
        let opened = at + TimeDelta::minutes(5);
        let days = (self.as_of() - at).num_days();
        let status = match days {
            ..3 => "OPEN",
            3..8 => self.pick(&["OPEN", "IN_PROGRESS", "IN_PROGRESS"]),
            _ => self.pick(&["DONE", "DONE", "DONE", "DONE", "CANCELLED"]),
        };
        let outcome = (status == "DONE").then(|| {
            self.pick(&[
                "Called and apologised; customer is content",
                "Voucher sent",
                "Replaced the item",
                "Explained the delay",
            ])
            .to_owned()
        });
        let closed_at = matches!(status, "DONE" | "CANCELLED").then(|| self.later(opened, 4..90));
        let owner = self.colleague(None);
        let id = self.id_at(opened);
        self.rows.follow_ups.push(follow_up::Model {
            id,
            feedback_id,
            customer_id: self.id,
            status: status.to_owned(),
            owner_id: Some(owner.id),
            due_at: opened + TimeDelta::days(2),
            outcome,
            created_at: opened,
            closed_at,
        });
        let happened = Happening::new("FOLLOW_UP_OPENED", "FEEDBACK", opened, (Kind::FollowUp, id));
        self.happened(Happening { staff_only: true, ..happened });
        if let Some(at) = closed_at {
            let happened = Happening::new("FOLLOW_UP_CLOSED", "FEEDBACK", at, (Kind::FollowUp, id));
            self.happened(Happening { actor: Actor::Staff(owner.subject), staff_only: true, ..happened });
        }
    }
}
