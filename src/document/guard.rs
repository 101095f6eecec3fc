//! What is checked before anything walks a document: a few lines can nest, or spread, until a walker dies of them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{Definition, Document, Selection, Type, Value};
use apollo_parser::{Lexer, TokenKind};

use crate::config::{Limits, MOST_NESTING};
use crate::error::{Code, Fault};

/// A refusal that names the limit, the reason for machines and what to do.
fn refused(reason: &'static str, what: &str, most: impl std::fmt::Display) -> Fault {
    Fault::new(Code::QueryTooComplex, format!("the document has {what}: at most {most} are allowed")).because(reason)
}

/// Bounds the tokens and their nesting, without a parser. The text comes back with blanks for its commas, which mean as
/// little: the parser stumbles over them where it looks two tokens ahead.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`, with a reason.
pub fn check_text<'t>(text: &'t str, limits: &Limits) -> Result<Cow<'t, str>, Fault> {
    if text.len() > limits.document_bytes {
        return Err(refused("TOO_MANY_BYTES", "too many bytes", limits.document_bytes));
    }
    let (mut tokens, mut nesting, mut commas) = (0_usize, 0_u64, Vec::new());
    // What is no token is left to the parser to say.
    for token in Lexer::new(text).filter_map(Result::ok) {
        match token.kind() {
            TokenKind::Whitespace | TokenKind::Comment => continue,
            TokenKind::Comma => {
                commas.push(token.index());
                continue;
            }
            TokenKind::LCurly | TokenKind::LParen | TokenKind::LBracket => nesting += 1,
            TokenKind::RCurly | TokenKind::RParen | TokenKind::RBracket => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        tokens += 1;
        if tokens > limits.tokens {
            return Err(refused("TOO_MANY_TOKENS", "too many tokens", limits.tokens));
        }
        if nesting > MOST_NESTING {
            return Err(refused("TOO_DEEP", "too many brackets within brackets", MOST_NESTING));
        }
    }
    if commas.is_empty() {
        return Ok(text.into());
    }
    let mut text = text.to_owned();
    commas.into_iter().for_each(|at| text.replace_range(at..=at, " "));
    Ok(text.into())
}

/// Bounds what a parsed document would grow to when every fragment is written out where it is spread.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`, with a reason.
pub(super) fn check_shape(document: &Document, limits: &Limits) -> Result<(), Fault> {
    let mut count = Count { levels: limits.depth, ..Count::default() };
    let mut sets = Vec::new();
    for definition in &document.definitions {
        count.directives += definition.directives().len();
        match definition {
            Definition::OperationDefinition(operation) => {
                if operation.variables.len() > limits.variables {
                    return Err(refused("TOO_MANY_VARIABLES", "too many variables", limits.variables));
                }
                for variable in &operation.variables {
                    count.directives += variable.directives.len();
                    if nested(&variable.ty) > limits.depth {
                        return Err(refused("TOO_DEEP", "a type with too many lists within lists", limits.depth));
                    }
                    if let Some(value) = &variable.default_value {
                        check_value(value, limits)?;
                    }
                }
                sets.push(&operation.selection_set);
            }
            Definition::FragmentDefinition(fragment) => {
                count.fragments.insert(&fragment.name, &fragment.selection_set);
            }
            _ => {}
        }
    }
    for set in document.definitions.iter().filter_map(selections) {
        count.written(set, limits)?;
    }
    if count.aliases > limits.aliases {
        return Err(refused("TOO_MANY_ALIASES", "too many aliases", limits.aliases));
    }
    if count.directives > limits.directives {
        return Err(refused("TOO_MANY_DIRECTIVES", "too many directives", limits.directives));
    }
    let mut selections = 0_u64;
    for set in sets {
        let size = count.spread(set, limits.depth)?;
        // Each operation is validated, and kept, with all that it spreads.
        selections = selections.saturating_add(size.selections).saturating_add(1);
        if selections > limits.selections {
            let what = "too many selections when its fragments are spread";
            return Err(refused("TOO_MANY_SELECTIONS", what, limits.selections));
        }
        if size.depth > limits.depth {
            return Err(refused("TOO_DEEP", "too many levels of selections", limits.depth));
        }
        if size.roots > limits.roots {
            return Err(refused("TOO_MANY_ROOTS", "too many root fields", limits.roots));
        }
    }
    Ok(())
}

fn selections(definition: &Definition) -> Option<&Vec<Selection>> {
    match definition {
        Definition::OperationDefinition(operation) => Some(&operation.selection_set),
        Definition::FragmentDefinition(fragment) => Some(&fragment.selection_set),
        _ => None,
    }
}

fn nested(ty: &Type) -> u64 {
    match ty {
        Type::List(item) | Type::NonNullList(item) => 1 + nested(item),
        Type::Named(_) | Type::NonNullNamed(_) => 0,
    }
}

/// Bounds a value, and refuses an input object that gives a field twice (GraphQL specification, section 5.6.3).
fn check_value(value: &Value, limits: &Limits) -> Result<(), Fault> {
    fn depth(value: &Value) -> Result<u64, Fault> {
        let mut deepest = 0;
        match value {
            Value::List(items) => {
                for item in items {
                    deepest = depth(item)?.max(deepest);
                }
            }
            Value::Object(fields) => {
                let mut names = HashSet::new();
                for (name, value) in fields {
                    if !names.insert(name) {
                        let message = format!("the input gives the field `{name}` twice");
                        return Err(Fault::new(Code::GraphqlValidationFailed, message));
                    }
                    deepest = depth(value)?.max(deepest);
                }
            }
            _ => return Ok(0),
        }
        Ok(deepest + 1)
    }
    if depth(value)? > limits.depth {
        return Err(refused("TOO_DEEP", "a value with too many values within values", limits.depth));
    }
    Ok(())
}

/// How large a selection set is when its fragments are spread.
#[derive(Clone, Copy, Default)]
struct Size {
    selections: u64,
    depth: u64,
    roots: u64,
    /// How many fragments are spread within one another.
    chain: u64,
}

#[derive(Default)]
struct Count<'d> {
    /// How deep fragments may be spread within one another.
    levels: u64,
    fragments: HashMap<&'d str, &'d Vec<Selection>>,
    /// The sizes of fragments; a size that is being found is zero, so that a cycle ends. The validator refuses it.
    known: HashMap<&'d str, Size>,
    aliases: usize,
    directives: usize,
}

impl<'d> Count<'d> {
    /// What stands in the text, each fragment once.
    fn written(&mut self, set: &'d [Selection], limits: &Limits) -> Result<(), Fault> {
        for selection in set {
            let (directives, inner) = match selection {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.alias.is_some());
                    if field.alias.as_ref().is_some_and(|alias| alias.starts_with("__")) {
                        let message = "aliases that begin with two underscores are the gateway's own";
                        return Err(Fault::new(Code::GraphqlValidationFailed, message));
                    }
                    for argument in &field.arguments {
                        check_value(&argument.value, limits)?;
                    }
                    (&field.directives, field.selection_set.as_slice())
                }
                Selection::InlineFragment(fragment) => (&fragment.directives, fragment.selection_set.as_slice()),
                Selection::FragmentSpread(spread) => (&spread.directives, [].as_slice()),
            };
            self.directives += directives.len();
            self.written(inner, limits)?;
        }
        Ok(())
    }

    /// The size of a set from which fragments may be spread within one another `levels` deep.
    fn spread(&mut self, set: &'d [Selection], levels: u64) -> Result<Size, Fault> {
        let mut sum = Size::default();
        for selection in set {
            let one = match selection {
                Selection::Field(field) => {
                    let inner = self.spread(&field.selection_set, levels)?;
                    Size { depth: inner.depth + 1, roots: 1, ..inner }
                }
                Selection::InlineFragment(fragment) => self.spread(&fragment.selection_set, levels)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.fragment_name, levels)?,
            };
            sum.selections = sum.selections.saturating_add(one.selections).saturating_add(1);
            sum.roots = sum.roots.saturating_add(one.roots);
            sum.depth = sum.depth.max(one.depth);
            sum.chain = sum.chain.max(one.chain);
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &'d str, levels: u64) -> Result<Size, Fault> {
        let known = self.known.get(name).copied();
        if levels <= known.map_or(0, |size| size.chain) {
            return Err(refused("TOO_DEEP", "too many fragments within fragments", self.levels));
        }
        if let Some(size) = known {
            return Ok(size);
        }
        self.known.insert(name, Size::default());
        let size = match self.fragments.get(name).copied() {
            Some(set) => self.spread(set, levels - 1)?,
            None => Size::default(),
        };
        let size = Size { chain: size.chain + 1, ..size };
        self.known.insert(name, size);
        Ok(size)
    }
}
