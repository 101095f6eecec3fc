//! What the schema says of itself.

use serde_json::Value;

use crate::harness::{App, Backend};

const INTROSPECTION: &str = "{ __schema { types { kind name description fields { name description args { name \
    description } } inputFields { name description } enumValues { name description } } } }";

#[test]
fn the_committed_schema_is_current() {
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert!(committed == c360::schema::sdl(&c360::schema::build()), "run `cargo run -- schema > schema.graphql`");
}

#[test]
fn the_page_about_the_policy_is_current() {
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.md")).unwrap();
    assert!(committed == c360::auth::policy::reference(), "run `cargo run -- schema --policy > docs/policy.md`");
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let app = App::empty(Backend::Sqlite).await;
    let answer = app.agent().ask(INTROSPECTION).await;
    let mut silent = Vec::new();
    let mut look = |path: String, thing: &Value| {
        if thing["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
            silent.push(path);
        }
    };
    for ty in answer.at("/__schema/types").as_array().unwrap() {
        let name = ty["name"].as_str().unwrap();
        if name.starts_with("__") || ["Query", "ID"].contains(&name) {
            continue;
        }
        look(name.to_owned(), ty);
        for part in ["fields", "inputFields", "enumValues"] {
            for field in ty[part].as_array().into_iter().flatten() {
                let path = format!("{name}.{}", field["name"].as_str().unwrap());
                look(path.clone(), field);
                for argument in field["args"].as_array().into_iter().flatten() {
                    look(format!("{path}({})", argument["name"].as_str().unwrap()), argument);
                }
            }
        }
    }
    assert!(silent.is_empty(), "without a description: {silent:#?}");
}

#[tokio::test]
async fn clients_find_out_which_input_objects_take_one_field() {
    let app = App::empty(Backend::Sqlite).await;
    let query = "{ __schema { directives { name locations } types { kind name isOneOf } } }";
    let answer = app.agent().ask(query).await;
    let (mut one, mut others) = (Vec::new(), 0);
    for ty in answer.at("/__schema/types").as_array().unwrap() {
        match (ty["kind"].as_str().unwrap(), &ty["isOneOf"]) {
            ("INPUT_OBJECT", Value::Bool(true)) => one.push(ty["name"].as_str().unwrap()),
            ("INPUT_OBJECT", Value::Bool(false)) => others += 1,
            ("INPUT_OBJECT", other) => panic!("{ty}: {other}"),
            (_, is_one_of) => assert_eq!(*is_one_of, Value::Null, "{ty}"),
        }
    }
    one.sort_unstable();
    let sdl = c360::schema::sdl(&c360::schema::build());
    let mut written: Vec<_> =
        sdl.lines().filter_map(|line| line.strip_suffix(" @oneOf {")?.strip_prefix("input ")).collect();
    written.sort_unstable();
    assert_eq!(one, written);
    assert!(one.contains(&"CustomerIdentifier") && others > 0, "{one:?} {others}");
    let directives = answer.at("/__schema/directives").as_array().unwrap();
    assert!(directives.iter().any(|directive| directive["name"] == "oneOf"), "{directives:?}");
}
