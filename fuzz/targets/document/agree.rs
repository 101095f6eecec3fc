//! What was checked of a document and what runs of it, in the same words: each definition on a line, sorted.

use std::fmt::Write as _;

use apollo_compiler::ast;
use async_graphql::parser::types as run;
use async_graphql::{Name, Positioned, Value};

/// What was checked.
pub fn checked(document: &ast::Document) -> Vec<String> {
    let mut lines: Vec<String> = document.definitions.iter().map(definition).collect();
    lines.sort_unstable();
    lines
}

fn definition(definition: &ast::Definition) -> String {
    let mut line = String::new();
    match definition {
        ast::Definition::OperationDefinition(operation) => {
            let name = operation.name.as_ref().map(|name| name.as_str()).unwrap_or_default();
            let _ = write!(line, "{} {name} ", operation.operation_type);
            for variable in &operation.variables {
                let _ = write!(line, "${}: {} = ", variable.name, variable.ty);
                if let Some(value) = &variable.default_value {
                    checked_value(&mut line, value);
                }
                checked_directives(&mut line, &variable.directives);
            }
            checked_directives(&mut line, &operation.directives);
            checked_set(&mut line, &operation.selection_set);
        }
        ast::Definition::FragmentDefinition(fragment) => {
            let _ = write!(line, "fragment {} on {} ", fragment.name, fragment.type_condition);
            checked_directives(&mut line, &fragment.directives);
            checked_set(&mut line, &fragment.selection_set);
        }
        other => line = format!("{other}"),
    }
    line
}

fn checked_set(line: &mut String, set: &[ast::Selection]) {
    line.push('{');
    for selection in set {
        match selection {
            ast::Selection::Field(field) => {
                if let Some(alias) = &field.alias {
                    let _ = write!(line, "{alias}: ");
                }
                let _ = write!(line, "{} ", field.name);
                checked_arguments(line, &field.arguments);
                checked_directives(line, &field.directives);
                checked_set(line, &field.selection_set);
            }
            ast::Selection::FragmentSpread(spread) => {
                let _ = write!(line, "...{} ", spread.fragment_name);
                checked_directives(line, &spread.directives);
            }
            ast::Selection::InlineFragment(fragment) => {
                let on = fragment.type_condition.as_ref().map(|on| on.as_str()).unwrap_or_default();
                let _ = write!(line, "... on {on} ");
                checked_directives(line, &fragment.directives);
                checked_set(line, &fragment.selection_set);
            }
        }
    }
    line.push('}');
}

fn checked_directives(line: &mut String, directives: &ast::DirectiveList) {
    for directive in directives.iter() {
        let _ = write!(line, "@{} ", directive.name);
        checked_arguments(line, &directive.arguments);
    }
}

fn checked_arguments(line: &mut String, arguments: &[apollo_compiler::Node<ast::Argument>]) {
    for argument in arguments {
        let _ = write!(line, "{}: ", argument.name);
        checked_value(line, &argument.value);
    }
}

fn checked_value(line: &mut String, value: &ast::Value) {
    match value {
        ast::Value::Null => line.push_str("null "),
        ast::Value::Enum(name) => _ = write!(line, "{name} "),
        ast::Value::Variable(name) => _ = write!(line, "${name} "),
        ast::Value::String(text) => _ = write!(line, "{text:?} "),
        ast::Value::Float(value) => number(line, value.as_str()),
        ast::Value::Int(value) => number(line, value.as_str()),
        ast::Value::Boolean(truth) => _ = write!(line, "{truth} "),
        ast::Value::List(items) => {
            line.push('[');
            items.iter().for_each(|item| checked_value(line, item));
            line.push(']');
        }
        ast::Value::Object(fields) => {
            line.push('{');
            for (name, value) in fields {
                let _ = write!(line, "{name}: ");
                checked_value(line, value);
            }
            line.push('}');
        }
    }
}

/// What runs.
pub fn executed(document: &run::ExecutableDocument) -> Vec<String> {
    let operations = document.operations.iter().map(|(name, operation)| {
        let (name, operation) = (name.map(|name| name.as_str()).unwrap_or_default(), &operation.node);
        let mut line = format!("{} {name} ", operation.ty);
        for variable in &operation.variable_definitions {
            let variable = &variable.node;
            let _ = write!(line, "${}: {} = ", variable.name.node, variable.var_type.node);
            if let Some(value) = &variable.default_value {
                executed_value(&mut line, &value.node);
            }
            executed_directives(&mut line, &variable.directives);
        }
        executed_directives(&mut line, &operation.directives);
        executed_set(&mut line, &operation.selection_set.node);
        line
    });
    let fragments = document.fragments.iter().map(|(name, fragment)| {
        let mut line = format!("fragment {name} on {} ", fragment.node.type_condition.node.on.node);
        executed_directives(&mut line, &fragment.node.directives);
        executed_set(&mut line, &fragment.node.selection_set.node);
        line
    });
    let mut lines: Vec<String> = operations.chain(fragments).collect();
    lines.sort_unstable();
    lines
}

fn executed_set(line: &mut String, set: &run::SelectionSet) {
    line.push('{');
    for selection in &set.items {
        match &selection.node {
            run::Selection::Field(field) => {
                let field = &field.node;
                if let Some(alias) = &field.alias {
                    let _ = write!(line, "{}: ", alias.node);
                }
                let _ = write!(line, "{} ", field.name.node);
                executed_arguments(line, &field.arguments, |value| value.clone().into_const_with(variable).unwrap());
                executed_directives(line, &field.directives);
                executed_set(line, &field.selection_set.node);
            }
            run::Selection::FragmentSpread(spread) => {
                let _ = write!(line, "...{} ", spread.node.fragment_name.node);
                executed_directives(line, &spread.node.directives);
            }
            run::Selection::InlineFragment(fragment) => {
                let on = fragment.node.type_condition.as_ref().map(|on| on.node.on.node.as_str()).unwrap_or_default();
                let _ = write!(line, "... on {on} ");
                executed_directives(line, &fragment.node.directives);
                executed_set(line, &fragment.node.selection_set.node);
            }
        }
    }
    line.push('}');
}

fn executed_directives(line: &mut String, directives: &[Positioned<run::Directive>]) {
    for directive in directives {
        let _ = write!(line, "@{} ", directive.node.name.node);
        executed_arguments(line, &directive.node.arguments, |value| value.clone().into_const_with(variable).unwrap());
    }
}

/// `constant` makes a value one without variables; it is a parameter because its type cannot be named from here.
fn executed_arguments<V>(
    line: &mut String,
    arguments: &[(Positioned<Name>, Positioned<V>)],
    constant: impl Fn(&V) -> Value,
) {
    for (name, value) in arguments {
        let _ = write!(line, "{}: ", name.node);
        executed_value(line, &constant(&value.node));
    }
}

/// A variable as a word that no enum has.
fn variable(name: Name) -> Result<Value, ()> {
    Ok(Value::Enum(Name::new(format!("${name}"))))
}

fn executed_value(line: &mut String, value: &Value) {
    match value {
        Value::Null => line.push_str("null "),
        Value::Enum(name) => _ = write!(line, "{name} "),
        Value::String(text) => _ = write!(line, "{text:?} "),
        Value::Number(value) => number(line, &value.to_string()),
        Value::Boolean(truth) => _ = write!(line, "{truth} "),
        Value::Binary(bytes) => _ = write!(line, "{bytes:?} "),
        Value::List(items) => {
            line.push('[');
            items.iter().for_each(|item| executed_value(line, item));
            line.push(']');
        }
        Value::Object(fields) => {
            line.push('{');
            for (name, value) in fields {
                let _ = write!(line, "{name}: ");
                executed_value(line, value);
            }
            line.push('}');
        }
    }
}

/// A number by its value: `1e0` is `1.0`.
fn number(line: &mut String, text: &str) {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => _ = write!(line, "{whole} "),
        (_, Ok(float)) => _ = write!(line, "{float:e} "),
        _ => line.push_str(text),
    }
}
