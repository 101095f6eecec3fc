//! The values of variables, coerced to their types (GraphQL specification, section 6.1.2).

use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value, Variables};

use crate::error::{Code, Fault};

/// The variables of `operation` with their defaults, or what is wrong with what was sent.
///
/// # Errors
/// `BAD_USER_INPUT`.
pub(super) fn coerce(
    schema: &Valid<apollo_compiler::Schema>,
    operation: &Operation,
    never_null: &[String],
    sent: &JsonMap,
) -> Result<Variables, Fault> {
    if operation.variables.is_empty() {
        return Ok(Variables::default());
    }
    let coerced = coerce_variable_values(schema, operation, sent)
        .map_err(|error| Fault::new(Code::BadUserInput, format!("variables: {}", error.message())))?;
    if let Some(name) = never_null.iter().find(|name| coerced.get(name.as_str()).is_some_and(JsonValue::is_null)) {
        return Err(Fault::new(Code::BadUserInput, format!("variables: `${name}` stands where null may not come")));
    }
    let mut variables = Variables::default();
    for (name, value) in coerced.iter() {
        variables.insert(Name::new(name.as_str()), value_of(value));
    }
    Ok(variables)
}

fn value_of(value: &JsonValue) -> Value {
    match value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(value) => Value::Boolean(*value),
        JsonValue::Number(value) => Value::Number(value.clone()),
        JsonValue::String(value) => Value::String(value.as_str().to_owned()),
        JsonValue::Array(items) => Value::List(items.iter().map(value_of).collect()),
        JsonValue::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (Name::new(name.as_str()), value_of(value)));
            Value::Object(fields.collect::<IndexMap<_, _>>())
        }
    }
}
