//! The last scores of a customer, and where they go.

use async_graphql::{Enum, Object, SimpleObject};
use c360_rules::satisfaction::{self, NpsClass, Trend};
use chrono::Utc;

use super::store::FeedbackMetric;
use crate::graphql::DateTime;
use crate::{objects, row};

row! {
    /// The last scores of a customer.
    pub struct SatisfactionRow {
        nps: Option<i32> = "x.last_nps",
        nps_before: Option<i32> = "x.previous_nps",
        csat: Option<i32> = "x.last_csat",
        csat_before: Option<i32> = "x.previous_csat",
        ces: Option<i32> = "x.last_ces",
        ces_before: Option<i32> = "x.previous_ces",
        nps_at: Option<chrono::DateTime<Utc>> = "x.last_nps_at",
        csat_at: Option<chrono::DateTime<Utc>> = "x.last_csat_at",
        ces_at: Option<chrono::DateTime<Utc>> = "x.last_ces_at",
    }
}

objects! {
    /// How satisfied a customer is.
    Satisfaction(SatisfactionRow);
}

/// How satisfied a customer is, as far as they were asked and have answered.
#[Object]
impl Satisfaction {
    /// Whether the customer would recommend us; null if they have never said.
    async fn nps(&self) -> Option<SatisfactionScore> {
        let row = &self.0;
        let score = SatisfactionScore::new(FeedbackMetric::Nps, row.nps?, row.nps_at, row.nps_before);
        Some(SatisfactionScore { category: Some(satisfaction::nps_class(score.last).into()), ..score })
    }

    /// How satisfied the customer was with what we did; null if they have never said.
    async fn csat(&self) -> Option<SatisfactionScore> {
        let row = &self.0;
        Some(SatisfactionScore::new(FeedbackMetric::Csat, row.csat?, row.csat_at, row.csat_before))
    }

    /// How easy the customer found it; null if they have never said.
    async fn ces(&self) -> Option<SatisfactionScore> {
        let row = &self.0;
        Some(SatisfactionScore::new(FeedbackMetric::Ces, row.ces?, row.ces_at, row.ces_before))
    }
}

/// The last score of a customer in one metric.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct SatisfactionScore {
    /// What it measures, and in which range.
    metric: FeedbackMetric,
    /// The last score.
    last: i32,
    /// When it was given.
    last_at: Option<DateTime>,
    /// The score before the last; null if there is only one.
    previous: Option<i32>,
    /// The direction from the previous score to the last; null if there is only one.
    trend: Option<SatisfactionTrend>,
    /// What an NPS score makes of the customer; null for other metrics.
    category: Option<NpsCategory>,
}

impl SatisfactionScore {
    fn new(metric: FeedbackMetric, last: i32, at: Option<chrono::DateTime<Utc>>, previous: Option<i32>) -> Self {
        let trend = previous.map(|previous| satisfaction::trend(last, previous).into());
        Self { metric, last, last_at: at.map(Into::into), previous, trend, category: None }
    }
}

/// Where a customer's satisfaction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Trend")]
pub enum SatisfactionTrend {
    /// The last score is higher than the one before.
    Improving,
    /// Both are the same.
    Stable,
    /// The last score is lower than the one before.
    Declining,
}

/// What an NPS score makes of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "NpsClass")]
pub enum NpsCategory {
    /// 9 or 10: recommends us.
    Promoter,
    /// 7 or 8: content, and open to others.
    Passive,
    /// 0 to 6: may advise against us.
    Detractor,
}
