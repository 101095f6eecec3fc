//! What staff note about customers, and tag them with.

use c360::retailer::demo;
use c360_rules::id::Kind;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{act, by, denied, done, holds, make, nothing, rows, seen};
use crate::harness::on_both;

const ZOE: &str = demo::DEMO_CUSTOMER.number;

on_both! {
    async fn a_note_is_for_colleagues_and_stays_on_top_if_they_want(app: App::demo) {
        let add = json!({ "customer": by(ZOE), "body": "Prefers to be called\nafter six.", "idempotencyKey": "n1" });
        let note = "note { id body pinned author { displayName } createdAt }";
        let made = make(&app.agent(), "customerNoteAdd", add.clone(), note).await["note"].clone();
        assert_eq!((&made["body"], &made["pinned"], &made["author"]["displayName"]), (&json!("Prefers to be called\nafter six."), &json!(false), &json!("Ana Petrova")));
        assert_eq!(make(&app.agent(), "customerNoteAdd", add, note).await["note"]["id"], made["id"]);
        let pinned = make(&app.agent(), "customerNotePin", json!({ "noteId": made["id"], "pinned": true }), note).await;
        assert_eq!(pinned["note"]["pinned"], true);
        let list = seen(&app, ZOE, "notes(first: 1) { nodes { id pinned } } timeline(first: 2) { nodes { kind } }").await;
        assert_eq!(list["notes"]["nodes"][0], json!({ "id": made["id"], "pinned": true }));
        assert_eq!(list["timeline"]["nodes"], json!([{ "kind": "NOTE_UPDATED" }, { "kind": "NOTE_ADDED" }]));
        let me = app.customer(app.id_of(ZOE).await).ask("{ me { timeline(first: 1) { nodes { kind } } } }").await;
        assert!(!me.body.to_string().contains("NOTE_"), "{:#}", me.body);
        let before = rows(&app).await;
        for (body, code) in [("", "BLANK"), ("a\u{0}b", "INVALID_TEXT"), (&"x".repeat(20_001), "TOO_LONG")] {
            assert_eq!(denied(&app.agent(), "customerNoteAdd", json!({ "customer": by(ZOE), "body": body })).await, code);
        }
        assert_eq!(denied(&app.agent(), "customerNotePin", json!({ "noteId": nothing(Kind::Note), "pinned": true })).await, "NOT_FOUND");
        let huge = act(&app.agent(), "customerNoteAdd", json!({ "customer": by(ZOE), "body": "x".repeat(1_000_000) }), "note { id }").await;
        assert!(["BAD_USER_INPUT", "QUERY_TOO_COMPLEX"].contains(&huge.code()), "{:#}", huge.body);
        make(&app.agent(), "customerNotePin", json!({ "noteId": made["id"], "pinned": true }), note).await;
        assert_eq!(rows(&app).await, before);
        holds(&app).await;
    }
}

on_both! {
    async fn tags_are_given_once_and_taken_away(app: App::demo) {
        let input = |tags: &[&str]| json!({ "customer": by(ZOE), "tags": tags });
        let agent = app.agent();
        let there = seen(&app, ZOE, "tags version").await;
        // Many who give one tag at once have given it once.
        let answers = join_all((0..8).map(|_| act(&agent, "customerTagsAdd", input(&[" tall ", "tall", "wine"]), "customer { tags }"))).await;
        answers.iter().for_each(|answer| drop(done(answer, "customerTagsAdd").clone()));
        let with: Vec<Value> = seen(&app, ZOE, "tags").await["tags"].as_array().unwrap().clone();
        assert_eq!(with.len(), there["tags"].as_array().unwrap().len() + 2, "{with:?}");
        let left = make(&agent, "customerTagsRemove", input(&["tall", "never given"]), "customer { tags version }").await["customer"].clone();
        assert!(left["tags"].as_array().unwrap().contains(&json!("wine")) && !left["tags"].as_array().unwrap().contains(&json!("tall")));
        assert_eq!(left["version"].as_i64().unwrap(), there["version"].as_i64().unwrap() + 2);
        let before = rows(&app).await;
        let many: Vec<String> = (0..100).map(|at| format!("tag {at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (tags, code) in [(vec![" "], "BLANK"), (vec!["a\u{0}"], "INVALID_TEXT"), (many, "TOO_MANY"), (vec!["x"; 101], "TOO_MANY")] {
            assert_eq!(denied(&agent, "customerTagsAdd", input(&tags)).await, code);
        }
        assert_eq!(denied(&agent, "customerTagsAdd", json!({ "customer": by(ZOE), "tags": ["t".repeat(65)] })).await, "TOO_LONG");
        assert_eq!(denied(&agent, "customerTagsRemove", json!({ "customer": by("C-777777"), "tags": ["x"] })).await, "NOT_FOUND");
        make(&agent, "customerTagsRemove", input(&["never given"]), "customer { id }").await;
        make(&agent, "customerTagsAdd", input(&[]), "customer { id }").await;
        assert_eq!(rows(&app).await, before);
        holds(&app).await;
    }
}
