//! Requests that mean harm, or look as if they did.

use c360::retailer::demo;
use serde_json::{Value, json};

use crate::harness::on_both;

on_both! {
    async fn a_text_with_a_nul_matches_nothing(app: App::demo) {
        for query in [
            "{ customer360(by: {order: {number: \"a\\u0000b\"}}) { id } }",
            "{ order(by: {number: {number: \"a\\u0000\"}}) { id } }",
            "{ loyaltyProgramme(code: \"\\u0000\") { id } }",
        ] {
            let answer = app.agent().ask(query).await;
            assert!(answer.data().as_object().unwrap().values().all(Value::is_null), "{query}");
        }
    }
}

on_both! {
    async fn a_small_document_that_spreads_to_billions_is_refused_at_once(app: App::empty) {
        let mut document = "{ tickets { nodes { ...f0 } } }".to_owned();
        for level in 0..40 {
            document += &format!(" fragment f{level} on Ticket {{ ...f{0} ...f{0} }}", level + 1);
        }
        document += " fragment f40 on Ticket { id }";
        let started = std::time::Instant::now();
        let answer = app.agent().ask_with(&document, json!({})).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{}", answer.body);
        assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    }
}

on_both! {
    async fn thousands_of_fields_of_one_object_are_answered_in_time(app: App::demo) {
        let fields: String = (0..4_000).map(|n| format!(" a{n}: id")).collect();
        let number = demo::DEMO_CUSTOMER.number;
        let query = format!("{{ customer360(by: {{customerNumber: \"{number}\"}}) {{ orders(first: 20) {{ nodes {{ {fields} }} }} }} }}");
        let started = std::time::Instant::now();
        let answer = app.agent().ask(&query).await;
        assert!(answer.data()["customer360"]["orders"]["nodes"][0]["a3999"].is_string());
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
