//! Random documents that are valid, however they are written: they are found good, and run as they were read.
use apollo_compiler::ast::{InputValueDefinition, Type};
use apollo_compiler::parser::Parser;
use apollo_compiler::schema::ExtendedType;
use async_graphql::parser::types as run;
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::Value;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use c360::config::Config;
use c360::document::{Documents, Schema, executable};

use crate::fuzzed::document::agree;

fn documents() -> Documents {
    let mut config = Config::load(None, &|_| None).unwrap();
    let limits = &mut config.limits;
    (limits.document_bytes, limits.tokens, limits.selections) = (1 << 20, 1 << 20, 1 << 20);
    (limits.aliases, limits.directives, limits.variables, limits.roots) = (1 << 20, 1 << 20, 1 << 20, 1 << 20);
    let sdl = c360::schema::sdl(&c360::schema::build());
    Documents::new(&sdl, c360::schema::relations(), &config.limits, &config.documents).unwrap()
}

/// Writes a document.
struct Writer<'s> {
    schema: &'s Schema,
    random: fastrand::Rng,
    /// Only what any parser of GraphQL reads alike.
    is_plain: bool,
    text: String,
    /// What the strings in it say.
    strings: Vec<String>,
    variables: Vec<String>,
    fragments: Vec<String>,
    names: usize,
}

impl<'s> Writer<'s> {
    fn new(schema: &'s Schema, seed: u64, is_plain: bool) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let (text, strings, variables, fragments) = Default::default();
        Self { schema, random, is_plain, text, strings, variables, fragments, names: 0 }
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.random.u32(0..n) == 0
    }

    fn name(&mut self, start: &str) -> String {
        self.names += 1;
        format!("{start}{}", self.names)
    }

    /// A token, and whatever may stand before it.
    fn token(&mut self, token: &str) {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '-' | '.');
        let touches = self.text.ends_with(is_word) && token.starts_with(is_word);
        let gaps: &[&str] = if self.is_plain {
            &[" ", "\n", " \n  "]
        } else {
            &[" ", "\n", "\t", ",", " ,, ", "\r\n", "\r", "#c\n", " # { \" ( é\n", "\u{feff}", "", "", ""]
        };
        let gap = gaps[self.random.usize(..gaps.len())];
        self.text += if touches && gap.is_empty() { " " } else { gap };
        self.text += token;
    }

    fn tokens(&mut self, tokens: &[&str]) {
        tokens.iter().for_each(|token| self.token(token));
    }

    /// Sets what `write` writes aside.
    fn aside(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let before = std::mem::take(&mut self.text);
        write(self);
        std::mem::replace(&mut self.text, before)
    }

    fn document(mut self) -> (String, Vec<String>) {
        let body = self.aside(|writer| writer.set("Query", 4));
        let is_named = self.one_in(2);
        if is_named || !self.variables.is_empty() {
            self.token("query");
        }
        if is_named {
            self.token("asked");
        }
        if !self.variables.is_empty() {
            self.token("(");
            self.text += &self.variables.concat();
            self.token(")");
        }
        self.text += &body;
        self.text += &self.fragments.concat();
        if is_named && self.one_in(2) {
            self.tokens(&["query", "another", "{", "__typename", "}"]);
        }
        (self.text, self.strings)
    }

    fn set(&mut self, on: &str, depth: usize) {
        self.token("{");
        for _ in 0..=self.random.usize(..4) {
            match self.random.u32(..8) {
                0 if depth > 0 => self.inline_fragment(on, depth),
                1 if depth > 0 => self.spread(on, depth),
                _ => self.field(on, depth),
            }
        }
        self.token("}");
    }

    fn inline_fragment(&mut self, on: &str, depth: usize) {
        self.token("...");
        if self.one_in(2) {
            self.tokens(&["on", on]);
        }
        self.directive();
        self.set(on, depth - 1);
    }

    fn spread(&mut self, on: &str, depth: usize) {
        let name = self.name("f");
        let fragment = self.aside(|writer| {
            writer.tokens(&["fragment", &name, "on", on]);
            writer.set(on, depth - 1);
        });
        self.fragments.push(fragment);
        for _ in 0..=self.random.usize(..2) {
            self.tokens(&["...", &name]);
            self.directive();
        }
    }

    fn field(&mut self, on: &str, depth: usize) {
        let fields: Vec<_> = match self.schema.types.get(on) {
            Some(ExtendedType::Object(object)) => object.fields.values().collect(),
            Some(ExtendedType::Interface(interface)) => interface.fields.values().collect(),
            _ => panic!("{on} has no fields"),
        };
        let field = fields[self.random.usize(..fields.len())];
        let below = field.ty.inner_named_type();
        let is_leaf = self.schema.types.get(below).is_some_and(ExtendedType::is_leaf);
        if !is_leaf && depth == 0 {
            return self.token("__typename");
        }
        let alias = self.name("a");
        self.tokens(&[&alias, ":", &field.name]);
        let given: Vec<_> =
            field.arguments.iter().filter(|argument| argument.is_required() || self.random.bool()).collect();
        if !given.is_empty() {
            self.token("(");
            given.into_iter().for_each(|argument| self.given(argument));
            self.token(")");
        }
        self.directive();
        if !is_leaf {
            self.set(below, depth - 1);
        }
    }

    fn directive(&mut self) {
        if self.one_in(4) {
            let name = if self.random.bool() { "include" } else { "skip" };
            let schema = self.schema;
            self.tokens(&["@", name, "("]);
            self.given(&schema.directive_definitions[name].arguments[0]);
            self.token(")");
        }
    }

    fn given(&mut self, argument: &InputValueDefinition) {
        self.tokens(&[&argument.name, ":"]);
        self.value(&argument.ty, 3);
    }

    fn value(&mut self, ty: &Type, depth: usize) {
        if self.one_in(4) {
            return self.variable(ty);
        }
        if !ty.is_non_null() && self.one_in(6) {
            return self.token("null");
        }
        if ty.is_list() && !self.one_in(3) {
            self.token("[");
            (0..self.random.usize(..3)).for_each(|_| self.value(ty.item_type(), depth));
            return self.token("]");
        }
        self.named(ty.inner_named_type(), depth);
    }

    fn variable(&mut self, ty: &Type) {
        let name = self.name("$v");
        let variable = self.aside(|writer| {
            writer.tokens(&[&name, ":"]);
            if writer.is_plain {
                return writer.token(&ty.to_string());
            }
            for part in ty.to_string().split_inclusive(['[', ']', '!']) {
                let word = part.trim_end_matches([']', '!', '[']);
                if !word.is_empty() {
                    writer.token(word);
                }
                part[word.len()..].chars().for_each(|mark| writer.token(mark.encode_utf8(&mut [0; 4])));
            }
        });
        self.variables.push(variable);
        self.token(&name);
    }

    fn named(&mut self, name: &str, depth: usize) {
        let schema = self.schema;
        match (name, schema.types.get(name)) {
            ("Int", _) => {
                let number = self.random.i32(..).to_string();
                self.token(&number);
            }
            ("Float", _) => self.token("-1.5e3"),
            ("Boolean", _) => {
                let truth = if self.random.bool() { "true" } else { "false" };
                self.token(truth);
            }
            (_, Some(ExtendedType::Enum(choices))) => {
                let choice = self.random.usize(..choices.values.len());
                self.token(choices.values.get_index(choice).unwrap().0);
            }
            (_, Some(ExtendedType::InputObject(input))) => {
                let is_only = input.directives.has("oneOf");
                let only = self.random.usize(..input.fields.len());
                self.token("{");
                for (at, field) in input.fields.values().enumerate() {
                    if is_only && at == only {
                        self.tokens(&[&field.name, ":"]);
                        self.value(&field.ty.as_ref().clone().non_null(), depth.saturating_sub(1));
                    } else if !is_only && (field.is_required() || (depth > 0 && self.random.bool())) {
                        self.tokens(&[&field.name, ":"]);
                        self.value(&field.ty, depth.saturating_sub(1));
                    }
                }
                self.token("}");
            }
            _ => self.string(),
        }
    }

    /// A text, in one of the ways in which it can be written.
    fn string(&mut self) {
        let alphabet = ['a', 'Z', '0', ' ', 'é', '한', '😀', '"', '\\', '/', '#', '\u{7}', '{'];
        let length = self.random.usize(..6);
        let said: String = (0..length).map(|_| alphabet[self.random.usize(..alphabet.len())]).collect();
        let is_plain = self.is_plain || self.random.bool();
        let written: String = if is_plain {
            said.chars()
                .map(|c| match c {
                    '"' | '\\' => format!("\\{c}"),
                    '\u{7}' => "\\u0007".into(),
                    c => c.into(),
                })
                .collect()
        } else {
            said.chars().map(|c| self.escaped(c)).collect()
        };
        let is_block = !is_plain && said.trim() == said && !said.ends_with(['"', '\\']) && !said.contains('\u{7}');
        let token = if is_block && self.random.bool() {
            format!("\"\"\"\n   {}\r\n \"\"\"", said.replace("\"\"\"", "\\\"\"\""))
        } else {
            format!("\"{written}\"")
        };
        self.token(&token);
        self.strings.push(said);
    }

    fn escaped(&mut self, c: char) -> String {
        match (c, self.random.u32(..3)) {
            ('/' | '"' | '\\', 0) => format!("\\{c}"),
            (_, 1) => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect(),
            _ => format!("\\u{{{:x}}}", u32::from(c)),
        }
    }
}

/// What the strings in a document say, and where its selections and the values of its arguments stand.
#[derive(Default)]
struct Seen {
    strings: Vec<String>,
    places: Vec<Pos>,
}

impl Seen {
    fn of(document: &run::ExecutableDocument) -> Self {
        let mut seen = Self::default();
        document.operations.iter().for_each(|(_, operation)| seen.set(&operation.node.selection_set.node));
        document.fragments.values().for_each(|fragment| seen.set(&fragment.node.selection_set.node));
        seen.strings.sort_unstable();
        seen.places.sort_unstable();
        seen
    }

    fn set(&mut self, set: &run::SelectionSet) {
        for selection in &set.items {
            self.places.push(selection.pos);
            selection.node.directives().iter().for_each(|directive| self.arguments(&directive.node.arguments));
            match &selection.node {
                run::Selection::Field(field) => {
                    self.arguments(&field.node.arguments);
                    self.set(&field.node.selection_set.node);
                }
                run::Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node),
                run::Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn arguments(&mut self, arguments: &[(Positioned<Name>, Positioned<Value>)]) {
        for (_, value) in arguments {
            self.places.push(value.pos);
            self.value(&value.node);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(said) => self.strings.push(said.clone()),
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.value(field)),
            _ => {}
        }
    }
}

#[test]
fn a_valid_document_is_found_good_and_runs_as_it_was_read() {
    let documents = documents();
    let settings = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(settings);
    let outcome = runner.run(&(any::<u64>(), any::<bool>()), |(seed, is_plain)| {
        let (text, mut said) = Writer::new(&documents.schema, seed, is_plain).document();
        let checked = documents.learn(&text);
        prop_assert!(checked.is_ok(), "{checked:?}\n{text}");
        // The parser stumbles over commas where it looks two tokens ahead; the gateway takes them out.
        let blank = text.replace(',', " ");
        let ast = Parser::new().recursion_limit(256).parse_ast(blank, "document.graphql").unwrap();
        let runs = executable(&ast, &text).unwrap();
        prop_assert_eq!(agree::checked(&ast), agree::executed(&runs));
        let read = Seen::of(&runs);
        said.sort_unstable();
        prop_assert_eq!(read.strings, said, "{}", text);
        if is_plain {
            let other = async_graphql::parser::parse_query(&text).unwrap();
            prop_assert_eq!(agree::executed(&other), agree::executed(&runs), "{}", text);
            prop_assert_eq!(Seen::of(&other).places, read.places, "{}", text);
        }
        Ok(())
    });
    outcome.unwrap();
}
