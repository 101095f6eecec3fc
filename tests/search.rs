//! How customers are searched for.

use c360::domains::customers::search::{Record, entries};
use c360::retailer::demo;
use c360_entities::{customer, customer_identity, customer_search_entry};
use c360_rules::access::Role;
use sea_orm::{ConnectionTrait as _, EntityTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, App, actor::customer_gid, now, on_both};

const AGENT_SEARCH: &str = include_str!("../examples/agent-search.graphql");

const SEARCH: &str = "query($query: String, $filter: CustomerFilter, $sort: CustomerSort, $first: Int, $after: String) { \
    customers(query: $query, filter: $filter, sort: $sort, first: $first, after: $after) { nodes { number name } \
    edges { cursor node { number } } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount { value exact } } }";

async fn answer(app: &App, variables: Value) -> Answer {
    app.agent().ask_with(SEARCH, variables).await
}

fn numbers(answer: &Answer) -> Vec<String> {
    let nodes = answer.data()["customers"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["number"].as_str().unwrap().to_owned()).collect()
}

/// The numbers of those whom an agent finds, and that they are as many as the list says.
async fn found(app: &App, query: &str) -> Vec<String> {
    let answer = answer(app, json!({ "query": query, "first": 100 })).await;
    let numbers = numbers(&answer);
    assert_eq!(answer.at("/customers/totalCount"), &json!({ "value": numbers.len(), "exact": true }), "{query}");
    numbers
}

/// A customer with a name, an e-mail and a phone, as a loader would write them.
async fn add(app: &App, number: &str, name: &str, email: &str) -> Uuid {
    let id = Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000
            + u128::from(number.len() as u64)
            + number.bytes().fold(0, |sum, byte| sum * 131 + u128::from(byte)),
    );
    let row = customer::Model {
        id,
        number: number.into(),
        status: "ACTIVE".into(),
        merged_into_id: None,
        name: Some(name.into()),
        name_folded: Some(c360_rules::identifier::name_fold(name)),
        locale: None,
        birthday: None,
        preferred_channel: None,
        member_since: None,
        vip: false,
        risk: "LOW".into(),
        source: "pos".into(),
        version: 1,
        created_at: now(),
        updated_at: now(),
    };
    let rows = entries(id, &[Record::of(&row)]);
    let db = &app.state.db;
    customer::Entity::insert(row.into_active_model()).exec_without_returning(db).await.unwrap();
    let rows = rows.into_iter().map(|row| row.into_active_model());
    customer_search_entry::Entity::insert_many(rows).exec_without_returning(db).await.unwrap();
    if !email.is_empty() {
        let identity = customer_identity::Model {
            id: Uuid::from_u128(id.as_u128() + 1),
            customer_id: id,
            kind: "EMAIL".into(),
            namespace: String::new(),
            value: email.into(),
            normalized: email.into(),
            verified_at: None,
            source: "pos".into(),
            created_at: now(),
        };
        customer_identity::Entity::insert(identity.into_active_model()).exec_without_returning(db).await.unwrap();
    }
    id
}

async fn one_text(app: &App, sql: &str) -> String {
    let db = &app.state.db;
    let row = db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

on_both! {
    async fn an_agent_finds_a_customer_by_whatever_the_customer_can_give(app: App::demo) {
        let number = demo::DEMO_CUSTOMER.number;
        let of = |table: &str, column: &str, rest: &str| format!(
            "SELECT t.{column} FROM {table} t JOIN customers c ON c.id = t.customer_id WHERE c.number = '{number}' {rest} LIMIT 1"
        );
        let loyalty = one_text(&app, &of("loyalty_accounts", "number", "")).await;
        let order = one_text(&app, &of("orders", "number", "")).await;
        let other = one_text(&app, &of("customer_identities", "value", "AND t.kind = 'EXTERNAL'")).await;
        for query in [
            "Zoë Thompson", "zoe thompson", "THOMPSON ZOE", "thomp zo", "zoe.thompson@example.com", "ZOE.thompson@Example.com ",
            "+1 971 555 0142", "(971) 555-0142", "9715550142", "001-971-555-0142", "C-000001", "c000001", "c 000 001",
            &loyalty, &loyalty[..loyalty.len() - 1], &order, &order.to_lowercase(), &other,
        ] {
            let found = found(&app, query).await;
            assert!(found.contains(&number.to_owned()), "{query}: {found:?}");
        }
        assert!(found(&app, "zoe.thompson@e").await.contains(&number.to_owned()));
        for nothing in ["hompson zoe", "Zoë Xavier", "nobody@example.com", "+1 971 555 9999", "C-999999"] {
            assert!(!found(&app, nothing).await.contains(&number.to_owned()), "{nothing}");
        }
    }
}

on_both! {
    async fn names_are_found_in_every_script_and_spelling(app: App::empty) {
        for (number, name) in [
            ("A-1", "김민준"), ("A-2", "김 민준"), ("A-3", "Елена Стоянова"), ("A-4", "Jürgen Großmann"), ("A-5", "Max Mueller"),
            ("A-6", "Eva Müller"), ("A-7", "Pat O’Brien"), ("A-8", "田中太郎"), ("A-9", "Nguyễn Văn Đức"), ("B-1", "ليلى المنصوري"),
            ("B-2", "Ayşe Yılmaz"), ("B-3", "Łukasz Żółć"), ("B-4", "İpek Ærø"),
        ] {
            add(&app, number, name, "").await;
        }
        let cases: &[(&str, &[&str])] = &[
            ("민준", &["A-2", "A-1"]), ("김민", &["A-2", "A-1"]), ("김민준", &["A-2", "A-1"]), ("김 민준", &["A-2", "A-1"]),
            ("민준 김", &["A-2", "A-1"]), ("민", &["A-2", "A-1"]), ("стоя", &["A-3"]), ("СТОЯНОВА елена", &["A-3"]),
            ("grossmann", &["A-4"]), ("GROSSMANN jurgen", &["A-4"]), ("juergen", &["A-4"]), ("muller", &["A-6", "A-5"]),
            ("mueller", &["A-6", "A-5"]), ("Müller", &["A-6", "A-5"]), ("obrien", &["A-7"]), ("O'Brien", &["A-7"]), ("brien p", &["A-7"]),
            ("中太", &["A-8"]), ("duc nguyen", &["A-9"]), ("ليلى", &["B-1"]), ("yilmaz", &["B-2"]), ("zolc lukasz", &["B-3"]),
            ("aero ipek", &["B-4"]), ("김준", &[]), ("rien", &[]), ("лена", &[]),
        ];
        for (query, expected) in cases {
            assert_eq!(&found(&app, query).await, expected, "{query}");
        }
    }
}

on_both! {
    async fn results_come_by_kind_of_match_then_by_name_then_by_id(app: App::empty) {
        for (number, name, email) in [
            ("K-1", "Zed Kim", ""), ("K-2", "Ann Kimball", "kim2@example.com"), ("K-3", "Bea Kim", "kim3@example.com"),
            ("K-4", "Kim Kimball", "kim4@example.com"), ("K-5", "Amy Other", "kim@example.com"), ("K-6", "Abe Other", "kimono@example.com"),
            ("K-7", "Bea Kim", ""), ("K-8", "Ada Kimura", ""),
        ] {
            add(&app, number, name, email).await;
        }
        let mut expected = ["K-3", "K-7", "K-4", "K-1", "K-8", "K-2", "K-6", "K-5"];
        if found(&app, "bea").await == ["K-7", "K-3"] {
            expected.swap(0, 1);
        }
        assert_eq!(found(&app, "kim").await, expected);
        // An address in full comes before those that start so.
        assert_eq!(found(&app, "kim@example.com").await, ["K-5"]);
        assert_eq!(found(&app, "KIM2@").await, ["K-2"]);
        // A number in full before those that start so, and those by name.
        add(&app, "K-10", "Cay", "").await;
        add(&app, "K-100", "Bay", "").await;
        assert_eq!(found(&app, "k10").await, ["K-10", "K-100"]);

        let (mut paged, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = answer(&app, json!({ "query": "kim", "first": 1, "after": after })).await;
            paged.extend(numbers(&page));
            assert_eq!(page.at("/customers/pageInfo/hasPreviousPage"), !after.is_null());
            after = page.at("/customers/pageInfo/endCursor").clone();
            if page.at("/customers/pageInfo/hasNextPage") == false {
                break;
            }
        }
        assert_eq!(paged, expected);
        let whole = answer(&app, json!({ "query": "kim" })).await;
        for (at, edge) in whole.at("/customers/edges").as_array().unwrap().iter().enumerate() {
            let rest = answer(&app, json!({ "query": "kim", "after": edge["cursor"] })).await;
            assert_eq!(numbers(&rest), expected[at + 1..]);
        }
    }
}

on_both! {
    async fn a_household_is_a_list_and_a_merged_record_its_survivor_once(app: App::demo) {
        for phone in [demo::HOUSEHOLD_PHONE, "0049 30 555 0142"] {
            let household = [demo::HOUSEHOLD_THIRD.number, demo::HOUSEHOLD_FIRST.number, demo::HOUSEHOLD_SECOND.number];
            assert_eq!(found(&app, phone).await, household);
        }
        for query in ["priya patel", demo::MERGED.email, demo::SURVIVOR.email, demo::MERGED.number, "priya.patel.h"] {
            let found = found(&app, query).await;
            assert_eq!(found.iter().filter(|number| *number == demo::SURVIVOR.number).count(), 1, "{query}: {found:?}");
            assert!(!found.contains(&demo::MERGED.number.to_owned()), "{query}");
        }
        let everybody = answer(&app, json!({ "first": 100 })).await;
        let everybody = numbers(&everybody);
        assert!(!everybody.contains(&demo::MERGED.number.to_owned()) && everybody.contains(&demo::SURVIVOR.number.to_owned()));
    }
}

on_both! {
    async fn without_a_query_all_customers_are_listed_in_the_order_that_is_asked_for(app: App::demo) {
        let by_name = answer(&app, json!({ "first": 100 })).await;
        let all = numbers(&by_name).len();
        let names: Vec<_> = by_name.at("/customers/nodes").as_array().unwrap().iter()
            .map(|node| c360_rules::identifier::name_fold(node["name"].as_str().unwrap())).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert!(all > 50);
        let list = |sort: &'static str| {
            let app = &app;
            async move {
                let (mut paged, mut after) = (Vec::new(), Value::Null);
                loop {
                    let page = answer(app, json!({ "sort": sort, "first": 7, "after": after })).await;
                    paged.extend(numbers(&page));
                    after = page.at("/customers/pageInfo/endCursor").clone();
                    if page.at("/customers/pageInfo/hasNextPage") == false {
                        return paged;
                    }
                }
            }
        };
        assert_eq!(list("NAME").await, numbers(&by_name));
        // Said or not, it is one list.
        let first = answer(&app, json!({ "first": 7 })).await;
        let after = first.at("/customers/pageInfo/endCursor").clone();
        let rest = answer(&app, json!({ "sort": "NAME", "first": 100, "after": after })).await;
        assert_eq!(numbers(&rest), numbers(&by_name)[7..]);
        let (newest, mut oldest) = (list("MEMBER_SINCE_NEWEST").await, list("MEMBER_SINCE_OLDEST").await);
        oldest.reverse();
        assert_eq!(newest, oldest);
        let times = "SELECT c.number, c.member_since FROM customers c WHERE c.status = 'ACTIVE' AND c.member_since IS NOT NULL ORDER BY c.member_since DESC";
        let db = &app.state.db;
        let rows = db.query_all_raw(sea_orm::Statement::from_string(db.get_database_backend(), times)).await.unwrap();
        let expected: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert_eq!(newest, expected);
    }
}

on_both! {
    async fn a_filter_leaves_out_what_does_not_fit_and_nothing_else(app: App::demo) {
        let all = numbers(&answer(&app, json!({ "first": 100 })).await);
        let vip = numbers(&answer(&app, json!({ "first": 100, "filter": { "vip": true } })).await);
        let rest = numbers(&answer(&app, json!({ "first": 100, "filter": { "vip": false } })).await);
        assert!(vip.contains(&demo::VIP.number.to_owned()) && vip.len() + rest.len() == all.len());
        assert!(all.iter().all(|number| vip.contains(number) != rest.contains(number)));
        for (query, expected) in [("김", true), ("민지", true), (demo::VIP.number, true), (demo::VIP.email, true), ("minji.kim@e", true)] {
            for wanted in [true, false] {
                let answer = answer(&app, json!({ "query": query, "filter": { "vip": wanted }, "first": 100 })).await;
                assert_eq!(numbers(&answer).contains(&demo::VIP.number.to_owned()), expected && wanted, "{query} {wanted}");
            }
        }
        let middle = "2025-01-01T00:00:00Z";
        let since = |filter: Value| json!({ "first": 100, "sort": "MEMBER_SINCE_OLDEST", "filter": filter });
        let before = numbers(&answer(&app, since(json!({ "memberSinceBefore": middle }))).await);
        let later = numbers(&answer(&app, since(json!({ "memberSinceFrom": middle }))).await);
        let both = [before.clone(), later.clone()].concat();
        assert!(!before.is_empty() && !later.is_empty());
        assert_eq!(both, numbers(&answer(&app, since(json!({}))).await));
    }
}

on_both! {
    async fn a_partner_searches_by_exact_identifiers_and_sees_masks(app: App::demo) {
        let partner = app.partner("shop-partner", "customers:read pii:read");
        let member = demo::DEMO_CUSTOMER;
        app.state.db.execute_unprepared("UPDATE consents SET status = 'REVOKED'").await.unwrap();
        let card = one_text(&app, &format!(
            "SELECT a.number FROM loyalty_accounts a JOIN customers c ON c.id = a.customer_id WHERE c.number = '{}'", member.number
        )).await;
        for query in [member.email, "+1 971 555 0142", member.number, &card] {
            let answer = partner.ask_with(SEARCH, json!({ "query": query })).await;
            assert_eq!(numbers(&answer), [member.number], "{query}");
            assert_eq!(answer.at("/customers/nodes/0/name"), "Z••• T•••");
        }
        let nobody = partner.ask_with(SEARCH, json!({ "query": "nobody@example.com" })).await;
        for query in [
            "Zoë", "zoe thompson", "Zoë Thompson", "z", "zoe.thompson@", "zoe.thompson@example.co", "+1 971 555 014", "C-00000", "김", "민지",
            &card[..card.len() - 1], "pos",
        ] {
            let answer = partner.ask_with(SEARCH, json!({ "query": query })).await;
            assert_eq!(answer.data(), nobody.data(), "{query}");
            assert_eq!(answer.body["extensions"]["cost"]["actual"], nobody.body["extensions"]["cost"]["actual"], "{query}");
        }
        // Neither order nor filter nor cursor says more.
        for (variables, argument) in [
            (json!({}), "query"), (json!({ "sort": "NAME" }), "query"), (json!({ "query": member.email, "sort": "NAME" }), "sort"),
            (json!({ "query": member.email, "filter": { "vip": true } }), "filter"),
        ] {
            let answer = partner.ask_with(SEARCH, variables).await;
            assert_eq!((answer.code(), answer.extension("argument")), ("BAD_USER_INPUT", argument));
            assert_eq!(answer.at("/customers"), &Value::Null);
        }
        let household = partner.ask_with(SEARCH, json!({ "query": demo::HOUSEHOLD_PHONE, "first": 100 })).await;
        let mut by_id = Vec::new();
        for member in [demo::HOUSEHOLD_FIRST, demo::HOUSEHOLD_SECOND, demo::HOUSEHOLD_THIRD] {
            by_id.push((customer_gid(app.id_of(member.number).await), member.number.to_owned()));
        }
        by_id.sort();
        assert_eq!(numbers(&household), by_id.into_iter().map(|(_, number)| number).collect::<Vec<_>>());
        assert_eq!(app.partner("shop-partner", "orders:read").ask_with(SEARCH, json!({ "query": member.email })).await.code(), "FORBIDDEN");
    }
}

on_both! {
    async fn a_cursor_holds_no_name_and_is_good_for_its_own_list_only(app: App::demo) {
        use base64::Engine as _;
        let page = answer(&app, json!({ "query": "김", "first": 1 })).await;
        let cursor = page.at("/customers/pageInfo/endCursor").as_str().unwrap().to_owned();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains('김'));
        assert!(bytes.len() < 40, "{} bytes", bytes.len());
        for other in [
            json!({ "query": "이", "after": cursor }), json!({ "after": cursor }),
            json!({ "query": "김", "filter": { "vip": true }, "after": cursor }),
        ] {
            assert_eq!(answer(&app, other).await.extension("argument"), "after");
        }
        let partner = app.partner("shop-partner", "customers:read");
        assert_eq!(partner.ask_with(SEARCH, json!({ "query": "김", "after": cursor })).await.extension("argument"), "after");
    }
}

on_both! {
    async fn bad_searches_say_what_to_do(app: App::demo) {
        let long = "x".repeat(201);
        for (variables, argument) in [
            (json!({ "query": "" }), "query"), (json!({ "query": " -- " }), "query"), (json!({ "query": "👩‍🚀" }), "query"),
            (json!({ "query": long }), "query"), (json!({ "query": "a b c d e f g h i" }), "query"), (json!({ "sort": "BEST_MATCH" }), "sort"), (json!({ "query": "kim", "sort": "NAME" }), "sort"),
            (json!({ "filter": { "memberSinceFrom": "2025-01-01T00:00:00Z" } }), "filter"), (json!({ "query": "kim", "first": 101 }), "first"),
            (json!({ "query": "kim", "after": "nonsense" }), "after"),
        ] {
            let answer = answer(&app, variables.clone()).await;
            assert_eq!((answer.code(), answer.extension("argument")), ("BAD_USER_INPUT", argument), "{variables}");
        }
        for hostile in ["'; DROP TABLE customers; --", "%", "%a", "_a", "a\\", "a\u{0}b", "\u{10ffff}a", "a%b_c\\d'e\"f", &"a b ".repeat(50), &"가 ".repeat(100)] {
            let answer = answer(&app, json!({ "query": hostile })).await;
            assert!(answer.body.get("errors").is_none() || answer.code() == "BAD_USER_INPUT", "{hostile}: {}", answer.body);
        }
        let customer = app.customer(app.id_of(demo::DEMO_CUSTOMER.number).await);
        let answer = customer.ask_with(SEARCH, json!({ "query": demo::DEMO_CUSTOMER.email })).await;
        assert_eq!((answer.code(), answer.at("/customers")), ("FORBIDDEN", &Value::Null));
        assert!(!numbers(&app.staff(Role::Admin).ask_with(SEARCH, json!({ "query": "김" })).await).is_empty());
    }
}

on_both! {
    async fn what_the_index_lacks_is_found_by_verify_and_mended_by_reindex(app: App::demo) {
        let db = &app.state.db;
        let right = c360::reindex::reindex(db, false, |_, _| {}).await.unwrap();
        assert_eq!(right.wrong, 0);
        db.execute_unprepared("DELETE FROM customer_search_entries WHERE text = 'zoe'").await.unwrap();
        let rename = format!("UPDATE customers SET name = 'Quentin Quux', name_folded = 'quentin quux' WHERE number = '{}'", demo::STRANGER.number);
        db.execute_unprepared(&rename).await.unwrap();
        let erase = format!("UPDATE customers SET status = 'ERASED', name = NULL WHERE number = '{}'", demo::DETRACTOR.number);
        db.execute_unprepared(&erase).await.unwrap();
        let mut told = Vec::new();
        let findings = c360::verify::verify(db, |line| told.push(line)).await.unwrap();
        assert!(findings.violations >= 3 && told.iter().any(|line| line.contains("c360 reindex")), "{told:?}");
        let mended = c360::reindex::reindex(db, true, |_, _| {}).await.unwrap();
        assert_eq!(mended.wrong, findings.violations as u64);
        assert_eq!(c360::verify::verify(db, |_| {}).await.unwrap().violations, 0);
        assert_eq!(found(&app, "quux").await, [demo::STRANGER.number]);
        assert_eq!(found(&app, "novak").await.iter().filter(|number| *number == demo::STRANGER.number).count(), 0);
        assert!(!found(&app, "lehmann").await.contains(&demo::DETRACTOR.number.to_owned()));
        assert!(found(&app, "zoe").await.contains(&demo::DEMO_CUSTOMER.number.to_owned()));
    }
}

on_both! {
    async fn a_search_takes_few_statements(app: App::demo) {
        for (query, most) in [("김", 6), (demo::DEMO_CUSTOMER.email, 4), ("thompson zoe", 5), (demo::DEMO_CUSTOMER.number, 7)] {
            let before = app.statements();
            let answer = app.agent().ask_with(AGENT_SEARCH, json!({ "query": query })).await;
            assert!(app.statements() - before <= most, "{query}: {}", app.statements() - before);
            assert!(!numbers(&answer).is_empty(), "{query}");
        }
    }
}
