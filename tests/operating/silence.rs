//! Nothing personal stands in the log.

use c360::auth::issue::Subject;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::process::Gateway;
use crate::harness::{Backend, Database};

/// What must not be found again: as an e-mail, a phone, a name, a number, in a token, a cursor, a header, a path.
const CANARIES: &[&str] = &[
    "canary.mail@example.org",
    "+359881234567",
    "0881 234 567",
    "Canarina Yellowbird",
    "CANARY-NUMBER-1",
    "canarytoken",
    "canarycursor",
    "canaryheader",
    "canarypath",
    "canaryvariable",
    "canarybody",
    "canaryrow",
    "canarysubject",
];

async fn send(gateway: &Gateway, token: &str, body: Vec<u8>) -> Value {
    let request = gateway.http.post(format!("{}/graphql?q=canarypath", gateway.url)).bearer_auth(token);
    let request = request.header("content-type", "application/json").header("user-agent", "canaryheader");
    let request = request.header("x-request-id", "canaryheader").header("traceparent", "00-canaryheader-0-01");
    request.body(body).send().await.unwrap().json().await.unwrap_or_default()
}

#[tokio::test]
async fn nothing_personal_is_logged_whatever_is_asked_and_whatever_breaks() {
    let database = Database::demo(Backend::Postgres).await;
    let gateway = Gateway::start(&database.url, &[]).await;
    let agent = gateway.agent();
    let customer = gateway.token(&Subject::Customer("019a0000-0000-7000-8000-00000000cafe".parse().unwrap()));
    let stranger = gateway.token(&Subject::Partner { client_id: "canarysubject".into(), scope: "pii:read".into() });
    let by_variable =
        "query By($by: CustomerIdentifier!) { customer360(by: $by) { id name orders(first: 2) { nodes { id } } } }";
    let bodies: Vec<Value> = vec![
        json!({"query": by_variable, "variables": {"by": {"email": "canary.mail@example.org"}}}),
        json!({"query": by_variable, "variables": {"by": {"phone": "+359881234567"}}}),
        json!({"query": by_variable, "variables": {"by": {"phone": "0881 234 567"}}}),
        json!({"query": by_variable, "variables": {"by": {"nonsense": "canaryvariable"}}}),
        json!({"query": by_variable, "variables": {"by": "Canarina Yellowbird"}}),
        json!({"query": "{ customer360(by: {email: \"canary.mail@example.org\"}) { id } }"}),
        json!({"query": "{ customer360(by: {customerNumber: \"CANARY-NUMBER-1\"}) { id } }"}),
        json!({"query": "{ customer360(by: {customerNumber: \"C-000001\"}) { orders(first: 2, after: \"canarycursor\") { nodes { id } } } }"}),
        json!({"query": "{ node(id: \"customer_canarycursor\") { id } }"}),
        json!({"query": "{ customer360(by: {canaryvariable: 1}) { canarybody } }"}),
        json!({"query": "{ customer360(by: \"canary.mail@example.org\" "}),
        json!({"query": "query canarybody { me { canarybody } }", "operationName": "canaryvariable"}),
        json!({"query": 7, "canarybody": "canary.mail@example.org"}),
    ];
    for body in &bodies {
        for token in
            [agent.as_str(), &customer, &stranger, "canarytoken", "eyJhbGciOiJub25lIn0.canarytoken.canarytoken"]
        {
            send(&gateway, token, body.to_string().into_bytes()).await;
        }
    }
    for body in ["canarybody", "{\"query\": \"canarybody", "\u{0}canarybody", "[{\"query\":\"{canarybody}\"}]"] {
        send(&gateway, &agent, body.as_bytes().to_vec()).await;
    }
    send(&gateway, &agent, vec![b'{'; 300 * 1024]).await;
    for path in ["/canarypath", "/graphql/canarypath", "/readyz?canarypath"] {
        gateway.get(path).await;
    }

    // A table whose rows break what reads them: the database's own words repeat the row.
    let breaks = "ALTER TABLE loyalty_accounts RENAME TO hidden; \
         CREATE VIEW loyalty_accounts AS SELECT CAST(CAST('canaryrow canary.mail@example.org' AS text) AS uuid) AS id, \
         programme_id, customer_id, number, status, tier_id, tier_until, active_points, pending_points, held_points, \
         owed_points, spent_points, expired_points, lifetime_points, qualifying_points, version, enrolled_at FROM hidden";
    for statement in breaks.split(';') {
        database.connection.execute_unprepared(statement).await.unwrap();
    }
    let query = "{ customer360(by: {customerNumber: \"C-000001\"}) { id loyalty { number } } }";
    let broken = send(&gateway, &agent, json!({ "query": query }).to_string().into_bytes()).await;
    assert_eq!(broken["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR", "{broken}");

    let line = gateway.wait_for_line("the database failed").await;
    assert!(line["error"].as_str().unwrap().starts_with("code 22P02"), "{line:#}");
    let log = gateway.log();
    assert!(log.matches("c360::access").count() > 60, "{log}");
    for canary in CANARIES {
        // The one that a stranger calls itself is not taken for a client.
        assert!(!log.contains(canary), "{canary} is in the log:\n{log}");
    }
    assert!(!log.contains("019a0000-0000-7000-8000-00000000cafe") && !log.contains("customer_01"), "{log}");
    for token in [agent, customer, stranger] {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!log.contains(signature), "a token is in the log");
    }
}

#[tokio::test]
async fn what_a_database_says_of_a_refused_row_is_written_without_the_row() {
    let database = Database::demo(Backend::Postgres).await;
    let twice = "INSERT INTO customers SELECT * FROM customers WHERE number = 'C-000001'";
    let error = database.connection.execute_unprepared(twice).await.unwrap_err();
    let text = c360::db::describe(&error);
    assert!(text.starts_with("code 23505, constraint ") && text.contains("table customers"), "{text}");
    let wrong =
        database.connection.execute_unprepared("SELECT CAST('canary@example.org' AS integer)").await.unwrap_err();
    assert!(wrong.to_string().contains("canary"), "{wrong}");
    assert!(!c360::db::describe(&wrong).contains("canary"));
    let unknown = database.connection.execute_unprepared("SELECT nothing FROM customers").await.unwrap_err();
    assert!(c360::db::describe(&unknown).contains("column \"nothing\" does not exist"));
}
