//! Documents: whatever comes is refused or accepted without harm, and what runs is what was checked.

#[path = "document/agree.rs"]
pub mod agree;

use std::sync::LazyLock;

use apollo_compiler::parser::Parser;
use apollo_compiler::response::JsonMap;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Value, Variables};
use c360::auth::{Actor, Caller, CustomerIdentity, Partner};
use c360::config::Config;
use c360::document::{self, Asked, Document, Documents, Operation, Schema, Withheld};
use c360::error::Code;
use c360_rules::access::{Role, Scope, Scopes};
use chrono::DateTime;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let mut config = Config::load(None, &|_| None).unwrap();
    config.documents.remembered_bytes = 1 << 20;
    config
});

static DOCUMENTS: LazyLock<Documents> = LazyLock::new(|| {
    let sdl = c360::schema::sdl(&c360::schema::build());
    Documents::new(&sdl, c360::schema::relations(), &CONFIG.limits, &CONFIG.documents).unwrap()
});

static CALLERS: LazyLock<[Caller; 4]> = LazyLock::new(|| {
    let caller = |actor, scopes| Caller {
        actor,
        scopes,
        subject: "somebody".into(),
        client_id: "something".into(),
        expires_at: DateTime::UNIX_EPOCH,
    };
    let machine = || Actor::Partner(Partner::default());
    [
        caller(Actor::Staff(Role::Agent), Role::Agent.scopes()),
        caller(Actor::Customer(CustomerIdentity::Id(uuid::Uuid::nil())), Scopes::NONE),
        caller(machine(), Scopes::NONE),
        caller(machine(), Scopes::of(&[Scope::CustomersRead, Scope::OrdersRead])),
    ]
});

/// Builds what all inputs share.
pub fn begin() {
    LazyLock::force(&DOCUMENTS);
    LazyLock::force(&CALLERS);
}

/// What a stranger makes the gateway do with a text, before anything else: the part that is bounded in time and memory.
pub fn check(data: &[u8]) {
    let text = std::str::from_utf8(data).unwrap_or_default();
    let _ = DOCUMENTS.learn(text.split('\0').next().unwrap_or_default());
}

/// A document; after a zero byte variables in JSON; after another one what the operation is answered, in JSON.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.splitn(3, '\0');
    let text = parts.next().unwrap_or_default();
    let sent: JsonMap = parts.next().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let answer: Value = parts.next().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    match DOCUMENTS.learn(text) {
        Ok(document) => accepted(text, &document, &sent, &answer),
        Err(faults) => {
            assert!((1..=10).contains(&faults.len()));
            assert!(faults.iter().all(|fault| !fault.message.is_empty()));
            let codes = [Code::QueryTooComplex, Code::GraphqlParseFailed, Code::GraphqlValidationFailed];
            assert!(faults.iter().all(|fault| codes.contains(&fault.code)));
        }
    }
}

fn accepted(text: &str, document: &Document, sent: &JsonMap, answer: &Value) {
    let text = document::check_text(text, &CONFIG.limits).unwrap();
    let checked = Parser::new().recursion_limit(256).parse_ast(text.as_ref(), "document.graphql").unwrap();
    let executed = document::executable(&checked, &text).unwrap();
    assert_eq!(agree::checked(&checked), agree::executed(&executed));
    for (name, _) in executed.operations.iter() {
        let operation = document.operation(name.map(|name| name.as_str())).unwrap();
        let variables = DOCUMENTS.coerce(operation, sent);
        if let Ok(variables) = &variables {
            let _ = DOCUMENTS.cost(operation, variables);
        }
        let variables = variables.unwrap_or_default();
        for caller in CALLERS.iter() {
            answered(operation, &variables, &operation.withheld(caller), answer);
        }
    }
}

/// An answer has no field that is withheld, and one error for each, as far as they are told.
fn answered(operation: &Operation, variables: &Variables, withheld: &Withheld<'_>, answer: &Value) {
    let schema = &DOCUMENTS.schema;
    let pruned = document::prune(operation, schema, withheld);
    for (_, operation) in pruned.operations.iter() {
        let on = schema.root_operation(match operation.node.ty {
            async_graphql::parser::types::OperationType::Query => apollo_compiler::ast::OperationType::Query,
            async_graphql::parser::types::OperationType::Mutation => apollo_compiler::ast::OperationType::Mutation,
            async_graphql::parser::types::OperationType::Subscription => {
                apollo_compiler::ast::OperationType::Subscription
            }
        });
        asks_for_none(&operation.node.selection_set.node, on.unwrap(), schema, withheld);
    }
    asks_for_none_in_fragments(&pruned, schema, withheld);
    for answer in [answer, &Value::Null] {
        let mut errors = Vec::new();
        let asked = Asked { schema, operation, variables, withheld };
        let completed = document::complete(&asked, answer.clone(), &mut errors);
        assert!(matches!(completed, Value::Object(_) | Value::Null), "{completed}");
        assert!(errors.len() <= 100 && (errors.is_empty() || !withheld.is_empty()));
    }
}

fn asks_for_none_in_fragments(document: &ExecutableDocument, schema: &Schema, withheld: &Withheld<'_>) {
    for fragment in document.fragments.values() {
        let on = fragment.node.type_condition.node.on.node.as_str();
        asks_for_none(&fragment.node.selection_set.node, on, schema, withheld);
    }
}

fn asks_for_none(set: &SelectionSet, on: &str, schema: &Schema, withheld: &Withheld<'_>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                assert!(!withheld.contains_key(&(on, name)), "{on}.{name} is still there");
                if let Ok(definition) = schema.type_field(on, name) {
                    let below = definition.ty.inner_named_type();
                    asks_for_none(&field.node.selection_set.node, below, schema, withheld);
                }
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let on = condition.map_or(on, |condition| condition.node.on.node.as_str());
                asks_for_none(&fragment.node.selection_set.node, on, schema, withheld);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}
