//! When many ask for what is left, as many get it as there is room for.
//!
//! `C360_TEST_ROUNDS`; `scripts/prove races` is the long form.

use c360::auth::issue::Subject;
use c360::retailer::demo;
use c360_rules::access::Role;
use c360_rules::id::{Kind, encode};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, QueryResult, Statement};
use serde_json::{Value, json};

use super::fleet::{CREDIT, Fleet, credit};
use super::size;

const HOLD: &str = "mutation($input: LoyaltyPointsHoldInput!) { loyaltyPointsHold(input: $input) { \
    hold { id } userErrors { code } } }";
const REDEEM: &str = "mutation($input: RewardRedeemInput!) { rewardRedeem(input: $input) { \
    redemption { id } userErrors { code } } }";
/// Members whom nothing keeps from spending points.
const MEMBERS: &str = "SELECT c.number FROM customers c JOIN loyalty_accounts a ON a.customer_id = c.id \
    WHERE a.status = 'ACTIVE' AND c.status = 'ACTIVE' AND a.active_points > 100 ORDER BY c.number";

#[tokio::test(flavor = "multi_thread")]
async fn of_64_agents_who_credit_through_three_gateways_the_ceiling_lets_through_five() {
    let fleet = Fleet::start().await;
    for round in 0..size("C360_TEST_ROUNDS", 1) {
        // Each round a customer of its own; the ceiling of an agent is 500 points a customer and day.
        let customer = match round {
            0 => demo::DEMO_CUSTOMER.number.to_owned(),
            round => {
                let sql = "SELECT c.number FROM customers c JOIN loyalty_accounts a ON a.customer_id = c.id \
                    WHERE a.status = 'ACTIVE' AND c.status = 'ACTIVE' AND c.number <> '";
                let sql =
                    format!("{sql}{}' ORDER BY c.number LIMIT 1 OFFSET {}", demo::DEMO_CUSTOMER.number, round - 1);
                text(&rows(&fleet, &sql).await[0])
            }
        };
        let tokens: Vec<_> = (0..64).map(|at| fleet.staff(Role::Agent, &format!("agent-{at}"))).collect();
        let reason = format!("race {round}");
        let asked = tokens.iter().enumerate().map(|(at, token)| {
            let key = format!("{round}-{at}");
            fleet.ask(token, CREDIT, credit(&customer, 100, &reason, &key))
        });
        let answers = join_all(asked).await;
        assert_eq!(outcome(&answers, "transaction", "CEILING_EXCEEDED"), (5, 59), "{answers:?}");
        let given = format!("SELECT CAST(SUM(points) AS bigint) FROM loyalty_transactions WHERE reason = '{reason}'");
        assert_eq!(fleet.number(&given).await, 500);
    }
    fleet.sealed().await;
    fleet.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_tills_that_want_the_last_points_through_three_gateways_seven_get_them() {
    let fleet = Fleet::start().await;
    let till = till(&fleet);
    let rounds = size("C360_TEST_ROUNDS", 1);
    let members = rows(&fleet, &format!("{MEMBERS} LIMIT {rounds}")).await;
    assert_eq!(members.len(), rounds, "the demo has too few members");
    for member in members {
        let customer = text(&member);
        // Room for seven holds, and a rest that is too little for another.
        leave(&fleet, &customer, 75).await;
        let answers = join_all((0..64).map(|at| {
            let key = format!("{customer}-{at}");
            let input = json!({ "customer": { "customerNumber": customer }, "points": 10, "idempotencyKey": key });
            fleet.ask(&till, HOLD, json!({ "input": input }))
        }))
        .await;
        assert_eq!(outcome(&answers, "hold", "INSUFFICIENT_POINTS"), (7, 57), "{answers:?}");
        assert_eq!(active(&fleet, &customer).await, 5);
    }
    fleet.sealed().await;
    fleet.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_customers_who_want_the_last_piece_through_three_gateways_one_gets_it() {
    let fleet = Fleet::start().await;
    let till = till(&fleet);
    let members: Vec<String> = rows(&fleet, &format!("{MEMBERS} LIMIT 64")).await.iter().map(text).collect();
    assert!(members.len() > 20, "the demo has too few members");
    for round in 0..size("C360_TEST_ROUNDS", 1) {
        let id = uuid::Uuid::from_u128(round as u128 + 1);
        let reward = format!(
            "INSERT INTO rewards (id, programme_id, code, name, kind, cost_points, min_tier_rank, stock, active) \
             SELECT '{id}', id, 'LAST-{round}', 'The last one', 'GIFT', 1, 1, 1, true FROM loyalty_programmes WHERE active"
        );
        fleet.database.connection.execute_unprepared(&reward).await.unwrap();
        let answers = join_all((0..64).map(|at| {
            let customer = json!({ "customerNumber": members[at % members.len()] });
            let key = format!("{round}-{at}");
            let input = json!({ "reward": encode(Kind::Reward, id), "customer": customer, "idempotencyKey": key });
            fleet.ask(&till, REDEEM, json!({ "input": input }))
        }))
        .await;
        assert_eq!(outcome(&answers, "redemption", "OUT_OF_STOCK"), (1, 63), "{answers:?}");
        let sold = format!("SELECT COUNT(*) FROM redemptions WHERE reward_id = '{id}'");
        let left = format!("SELECT CAST(stock AS bigint) FROM rewards WHERE id = '{id}'");
        assert_eq!((fleet.number(&sold).await, fleet.number(&left).await), (1, 0));
    }
    fleet.sealed().await;
    fleet.holds().await;
}

/// How many made something, and how many were refused with a code.
fn outcome(answers: &[Value], made: &str, code: &str) -> (usize, usize) {
    let won = answers.iter().filter(|answer| answer[made]["id"].is_string()).count();
    let lost = answers.iter().filter(|answer| answer["userErrors"][0]["code"] == code).count();
    (won, lost)
}

fn till(fleet: &Fleet) -> String {
    let subject = Subject::Partner { client_id: "pos-partner".into(), scope: "loyalty:write customers:read".into() };
    fleet.keys.token(&subject)
}

/// Takes points from a customer until so many can be spent.
async fn leave(fleet: &Fleet, customer: &str, points: i64) {
    const DEBIT: &str = "mutation($input: LoyaltyPointsDebitInput!) { loyaltyPointsDebit(input: $input) { \
        account { balance { active } } userErrors { code message } } }";
    let admin = fleet.staff(Role::Admin, "admin-1");
    // A first point, so that what is due of the account is carried out before it is looked at.
    for (key, over) in [("due", 1), ("rest", 0)] {
        let points = if over > 0 { over } else { active(fleet, customer).await - points };
        let input = json!({ "customer": { "customerNumber": customer }, "points": points, "reason": "Race",
            "idempotencyKey": format!("{customer}-{key}") });
        let made = fleet.ask(&admin, DEBIT, json!({ "input": input })).await;
        assert_eq!(made["userErrors"], json!([]), "{made}");
    }
    assert_eq!(active(fleet, customer).await, points);
}

async fn active(fleet: &Fleet, customer: &str) -> i64 {
    let sql =
        "SELECT a.active_points FROM loyalty_accounts a JOIN customers c ON c.id = a.customer_id WHERE c.number = '";
    fleet.number(&format!("{sql}{customer}'")).await
}

async fn rows(fleet: &Fleet, sql: &str) -> Vec<QueryResult> {
    let db = &fleet.database.connection;
    db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap()
}

fn text(row: &QueryResult) -> String {
    row.try_get_by_index(0).unwrap()
}
