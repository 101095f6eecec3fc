//! A document as the executor takes it, made of the one that was checked. There is no second parser: what runs is what
//! was found good, however it was written.

use std::collections::HashMap;

use apollo_compiler::Node;
use apollo_compiler::ast;
use apollo_compiler::parser::SourceSpan;
use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, FragmentSpread,
    InlineFragment, OperationDefinition, OperationType, Selection, SelectionSet, Type, TypeCondition,
    VariableDefinition,
};
use async_graphql::{Name, Number, Pos, Positioned};
use async_graphql_value::Value;

use crate::error::{Code, Fault};

type Made<T> = Result<T, Fault>;

/// What the executor runs of a valid document; `text` is the document's own, for the places of errors.
///
/// # Errors
/// A number that no computer reckons with.
pub fn executable(document: &ast::Document, text: &str) -> Result<ExecutableDocument, Fault> {
    let mut making = Making { places: Places { text, read: 0, pos: Pos { line: 1, column: 1 } } };
    let (mut only, mut named, mut fragments) = (None, HashMap::new(), HashMap::new());
    for definition in &document.definitions {
        match definition {
            ast::Definition::OperationDefinition(operation) => {
                let made = making.operation(operation)?;
                match &operation.name {
                    Some(name) => _ = named.insert(name_of(name), made),
                    None => only = Some(made),
                }
            }
            ast::Definition::FragmentDefinition(fragment) => {
                fragments.insert(name_of(&fragment.name), making.fragment(fragment)?);
            }
            _ => {}
        }
    }
    let operations = only.map_or(DocumentOperations::Multiple(named), DocumentOperations::Single);
    Ok(ExecutableDocument { operations, fragments })
}

fn name_of(name: &str) -> Name {
    Name::new(name)
}

/// Goes through a document in the order of its text.
struct Making<'t> {
    places: Places<'t>,
}

impl Making<'_> {
    fn operation(&mut self, operation: &Node<ast::OperationDefinition>) -> Made<Positioned<OperationDefinition>> {
        let pos = self.places.of(operation.location());
        let made = OperationDefinition {
            ty: match operation.operation_type {
                ast::OperationType::Query => OperationType::Query,
                ast::OperationType::Mutation => OperationType::Mutation,
                ast::OperationType::Subscription => OperationType::Subscription,
            },
            variable_definitions: all(&operation.variables, |variable| self.variable(variable))?,
            directives: self.directives(&operation.directives)?,
            selection_set: self.set(&operation.selection_set, pos)?,
        };
        Ok(Positioned::new(made, pos))
    }

    fn fragment(&mut self, fragment: &Node<ast::FragmentDefinition>) -> Made<Positioned<FragmentDefinition>> {
        let pos = self.places.of(fragment.location());
        let made = FragmentDefinition {
            type_condition: condition(&fragment.type_condition, pos),
            directives: self.directives(&fragment.directives)?,
            selection_set: self.set(&fragment.selection_set, pos)?,
        };
        Ok(Positioned::new(made, pos))
    }

    fn variable(&mut self, variable: &Node<ast::VariableDefinition>) -> Made<Positioned<VariableDefinition>> {
        let pos = self.places.of(variable.location());
        // What is valid has no variable in a default.
        let default = variable.default_value.as_ref().map(|value| value_of(value)).transpose()?;
        let made = VariableDefinition {
            name: Positioned::new(name_of(&variable.name), pos),
            var_type: Positioned::new(type_of(&variable.ty), pos),
            default_value: default.and_then(Value::into_const).map(|value| Positioned::new(value, pos)),
            directives: self.directives(&variable.directives)?,
        };
        Ok(Positioned::new(made, pos))
    }

    fn set(&mut self, selections: &[ast::Selection], pos: Pos) -> Made<Positioned<SelectionSet>> {
        let items = all(selections, |selection| self.selection(selection))?;
        Ok(Positioned::new(SelectionSet { items }, pos))
    }

    fn selection(&mut self, selection: &ast::Selection) -> Made<Positioned<Selection>> {
        match selection {
            ast::Selection::Field(field) => {
                let pos = self.places.of(field.location());
                let made = Field {
                    alias: field.alias.as_ref().map(|alias| Positioned::new(name_of(alias), pos)),
                    name: Positioned::new(name_of(&field.name), pos),
                    arguments: self.arguments(&field.arguments)?,
                    directives: self.directives(&field.directives)?,
                    selection_set: self.set(&field.selection_set, pos)?,
                };
                Ok(Positioned::new(Selection::Field(Positioned::new(made, pos)), pos))
            }
            ast::Selection::FragmentSpread(spread) => {
                let pos = self.places.of(spread.location());
                let made = FragmentSpread {
                    fragment_name: Positioned::new(name_of(&spread.fragment_name), pos),
                    directives: self.directives(&spread.directives)?,
                };
                Ok(Positioned::new(Selection::FragmentSpread(Positioned::new(made, pos)), pos))
            }
            ast::Selection::InlineFragment(fragment) => {
                let pos = self.places.of(fragment.location());
                let made = InlineFragment {
                    type_condition: fragment.type_condition.as_ref().map(|on| condition(on, pos)),
                    directives: self.directives(&fragment.directives)?,
                    selection_set: self.set(&fragment.selection_set, pos)?,
                };
                Ok(Positioned::new(Selection::InlineFragment(Positioned::new(made, pos)), pos))
            }
        }
    }

    fn directives(&mut self, directives: &ast::DirectiveList) -> Made<Vec<Positioned<Directive>>> {
        all(directives.iter(), |directive| {
            let pos = self.places.of(directive.location());
            let name = Positioned::new(name_of(&directive.name), pos);
            Ok(Positioned::new(Directive { name, arguments: self.arguments(&directive.arguments)? }, pos))
        })
    }

    fn arguments(&mut self, arguments: &[Node<ast::Argument>]) -> Made<Vec<(Positioned<Name>, Positioned<Value>)>> {
        all(arguments, |argument| {
            let name = Positioned::new(name_of(&argument.name), self.places.of(argument.location()));
            let value = Positioned::new(value_of(&argument.value)?, self.places.of(argument.value.location()));
            Ok((name, value))
        })
    }
}

fn all<T, M>(items: impl IntoIterator<Item = T>, make: impl FnMut(T) -> Made<M>) -> Made<Vec<M>> {
    items.into_iter().map(make).collect()
}

fn condition(on: &str, pos: Pos) -> Positioned<TypeCondition> {
    Positioned::new(TypeCondition { on: Positioned::new(name_of(on), pos) }, pos)
}

fn type_of(ty: &ast::Type) -> Type {
    let base = match ty {
        ast::Type::Named(name) | ast::Type::NonNullNamed(name) => BaseType::Named(name_of(name)),
        ast::Type::List(item) | ast::Type::NonNullList(item) => BaseType::List(Box::new(type_of(item))),
    };
    Type { base, nullable: !ty.is_non_null() }
}

fn value_of(value: &ast::Value) -> Made<Value> {
    Ok(match value {
        ast::Value::Null => Value::Null,
        ast::Value::Enum(name) => Value::Enum(name_of(name)),
        ast::Value::Variable(name) => Value::Variable(name_of(name)),
        ast::Value::String(text) => Value::String(text.clone()),
        ast::Value::Float(number) => Value::Number(number_of(number.as_str())?),
        // Which is no integer to the library.
        ast::Value::Int(number) if number.as_str() == "-0" => Value::Number(0.into()),
        ast::Value::Int(number) => Value::Number(number_of(number.as_str())?),
        ast::Value::Boolean(truth) => Value::Boolean(*truth),
        ast::Value::List(items) => Value::List(all(items, |item| value_of(item))?),
        ast::Value::Object(fields) => {
            let fields = all(fields, |(name, value)| Ok((name_of(name), value_of(value)?)))?;
            Value::Object(fields.into_iter().collect())
        }
    })
}

fn number_of(text: &str) -> Made<Number> {
    let too_large = |_| Fault::new(Code::GraphqlValidationFailed, "a number is too large");
    text.parse().map_err(too_large)
}

/// Counts lines and columns along a text.
struct Places<'t> {
    text: &'t str,
    /// How many bytes have been counted.
    read: usize,
    pos: Pos,
}

impl Places<'_> {
    /// Where something begins that stands no further forward than what was asked for before.
    fn of(&mut self, span: Option<SourceSpan>) -> Pos {
        let at = span.map_or(self.read, |span| span.offset());
        let passed = self.text.get(self.read..at).unwrap_or_default();
        let mut before = self.text[..self.read].chars().next_back();
        for c in passed.chars() {
            match (before, c) {
                // Two characters, one line.
                (Some('\r'), '\n') => {}
                (_, '\n' | '\r') => self.pos = Pos { line: self.pos.line + 1, column: 1 },
                _ => self.pos.column += 1,
            }
            before = Some(c);
        }
        self.read = self.read.max(at);
        self.pos
    }
}
