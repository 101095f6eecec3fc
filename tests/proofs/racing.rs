//! When many ask for what is left, as many get it as there is room for.
//!
//! `C360_TEST_ROUNDS`; `scripts/prove races` is the long form.

use c360::retailer::demo;
use c360_rules::access::Role;
use futures_util::future::join_all;

use super::fleet::{CREDIT, Fleet, credit};
use super::size;

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
                text(&fleet, &sql).await
            }
        };
        let tokens: Vec<_> = (0..64).map(|at| fleet.staff(Role::Agent, &format!("agent-{at}"))).collect();
        let reason = format!("race {round}");
        let asked = tokens.iter().enumerate().map(|(at, token)| {
            let key = format!("{round}-{at}");
            fleet.ask(token, CREDIT, credit(&customer, 100, &reason, &key))
        });
        let answers = join_all(asked).await;
        let won = answers.iter().filter(|answer| answer["transaction"]["id"].is_string()).count();
        let lost = answers.iter().filter(|answer| answer["userErrors"][0]["code"] == "CEILING_EXCEEDED").count();
        assert_eq!((won, lost), (5, 59), "{answers:?}");
        let given = format!("SELECT CAST(SUM(points) AS bigint) FROM loyalty_transactions WHERE reason = '{reason}'");
        assert_eq!(fleet.number(&given).await, 500);
    }
    fleet.sealed().await;
    fleet.holds().await;
}

async fn text(fleet: &Fleet, sql: &str) -> String {
    use sea_orm::{ConnectionTrait as _, Statement};
    let db = &fleet.database.connection;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.expect("the demo has too few members").try_get_by_index(0).unwrap()
}
