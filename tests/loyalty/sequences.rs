//! Random sequences of what staff, tills and phones do, beside a model that only counts.
//!
//! `C360_SEQUENCES=200 cargo test --test main -- loyalty::sequences` is the long form.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::harness::on_both;

/// What the points of one account must come to.
#[derive(Debug, Default, PartialEq)]
struct Count {
    active: i64,
    held: i64,
    spent: i64,
    holds: Vec<(Value, i64)>,
    bought: Vec<(Value, i64)>,
    entries: Vec<(Value, i64)>,
}

struct Run<'a> {
    app: &'a App,
    rewards: Vec<(String, i64)>,
    count: Count,
    steps: usize,
    random: fastrand::Rng,
}

impl Run<'_> {
    /// Sends a mutation that goes well exactly if the model says so.
    async fn send(&mut self, mutation: &str, shown: &str, mut input: Value, goes_well: bool) -> Value {
        self.steps += 1;
        input["reason"] = json!("Random");
        input["idempotencyKey"] = json!(format!("step-{}", self.steps));
        if matches!(mutation, "loyaltyPointsHold" | "loyaltyPointsCapture" | "rewardRedeem") {
            check(self.app).await;
        }
        let answer = act(&self.app.staff(Role::Admin), mutation, shown, input).await;
        let payload = &answer.data()[mutation];
        assert_eq!(
            payload["userErrors"] == json!([]),
            goes_well,
            "{mutation}: {:#} with {:?}",
            answer.body,
            self.count
        );
        payload.clone()
    }

    async fn step(&mut self) {
        let points = self.random.i64(1..120);
        let which = self.random.usize(..64);
        match self.random.u8(..16) {
            0..3 => {
                let input = json!({ "customer": customer(), "points": points });
                let made = self.send("loyaltyPointsCredit", "transaction { id }", input, true).await;
                self.count.active += points;
                self.count.entries.push((made["transaction"]["id"].clone(), points));
            }
            3 => {
                let can = points <= self.count.active;
                let input = json!({ "customer": customer(), "points": points });
                let made = self.send("loyaltyPointsDebit", "transaction { id }", input, can).await;
                if can {
                    self.count.active -= points;
                    self.count.entries.push((made["transaction"]["id"].clone(), -points));
                }
            }
            4..7 => {
                let can = points <= self.count.active;
                let input = json!({ "customer": customer(), "points": points });
                let made = self.send("loyaltyPointsHold", "hold { id }", input, can).await;
                if can {
                    self.count.active -= points;
                    self.count.held += points;
                    self.count.holds.push((made["hold"]["id"].clone(), points));
                }
            }
            7..9 if !self.count.holds.is_empty() => {
                let at = which % self.count.holds.len();
                let (hold, held) = self.count.holds[at].clone();
                let can = points <= held;
                self.send("loyaltyPointsCapture", "", json!({ "hold": hold, "points": points }), can).await;
                if can {
                    self.count.holds.remove(at);
                    self.count.held -= held;
                    self.count.active += held - points;
                    self.count.spent += points;
                }
            }
            9 if !self.count.holds.is_empty() => {
                let (hold, held) = self.count.holds.remove(which % self.count.holds.len());
                self.send("loyaltyPointsRelease", "", json!({ "hold": hold }), true).await;
                self.count.held -= held;
                self.count.active += held;
            }
            10..12 => {
                let (reward, cost) = self.rewards[which % self.rewards.len()].clone();
                let can = cost <= self.count.active;
                let input = json!({ "customer": customer(), "reward": reward });
                let made = self.send("rewardRedeem", "redemption { id }", input, can).await;
                if can {
                    self.count.active -= cost;
                    self.count.spent += cost;
                    self.count.bought.push((made["redemption"]["id"].clone(), cost));
                }
            }
            12 if !self.count.bought.is_empty() => {
                let (redemption, cost) = self.count.bought.remove(which % self.count.bought.len());
                self.send("redemptionCancel", "", json!({ "redemption": redemption }), true).await;
                self.count.active += cost;
                self.count.spent -= cost;
            }
            13 if !self.count.entries.is_empty() => {
                let at = which % self.count.entries.len();
                let (entry, points) = self.count.entries[at].clone();
                let can = points <= self.count.active;
                self.send("loyaltyPointsReverse", "", json!({ "transaction": entry }), can).await;
                if can {
                    self.count.entries.remove(at);
                    self.count.active -= points;
                    self.send("loyaltyPointsReverse", "", json!({ "transaction": entry }), false).await;
                }
            }
            14 => {
                self.app.state.clock.set(self.app.state.clock.now() + TimeDelta::minutes(16));
                if self.random.bool() {
                    c360::domains::loyalty::due::lapse(&self.app.state, 10).await.unwrap();
                } else {
                    self.send("loyaltyPointsCredit", "", json!({ "customer": customer(), "points": 1 }), true).await;
                    self.count.active += 1;
                }
                self.count.active += std::mem::take(&mut self.count.held);
                self.count.holds.clear();
            }
            _ => {}
        }
        let now = balance_at(self.app).await;
        let seen = ["active", "held", "spent"].map(|name| now[name].as_i64().unwrap());
        assert_eq!(seen, [self.count.active, self.count.held, self.count.spent], "{:?}", self.count);
    }
}

async fn balance_at(app: &App) -> Value {
    let agent = app.agent();
    let query = format!(
        "{{ customer360(by: {{customerNumber: \"{NUMBER}\"}}) {{ loyalty {{ balance {{ active held spent }} }} }} }}"
    );
    agent.ask(&query).await.at("/customer360/loyalty/balance").clone()
}

on_both! {
    async fn every_sequence_through_the_api_agrees_with_the_model(app: App::demo) {
        // Nothing changes by time but holds.
        execute(&app, "UPDATE points_lots SET expires_at = NULL").await;
        execute(&app, "UPDATE points_lots SET available_at = '2030-01-01T00:00:00+00:00' WHERE state = 'PENDING'").await;
        execute(&app, "UPDATE loyalty_programmes SET expiry_days = NULL").await;
        let rewards = vec![(reward(&app, "DISCOUNT", 40, None, "").await, 40), (reward(&app, "GIFT", 90, Some(1_000), "").await, 90)];
        let sequences = std::env::var("C360_SEQUENCES").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
        let start = balance(&app).await;
        let count = |name: &str| start[name].as_i64().unwrap();
        let mut run = Run {
            app: &app,
            rewards,
            count: Count { active: count("active"), held: count("held"), spent: count("spent"), ..Count::default() },
            steps: 0,
            random: fastrand::Rng::with_seed(360),
        };
        for _ in 0..sequences {
            for _ in 0..50 {
                run.step().await;
            }
            holds(&app).await;
        }
    }
}
