//! Documents: bounded, parsed and validated once, and remembered with what is known about them.
//!
//! Everything about a document that does not depend on who asks is found when it is first seen: whether it is too
//! large for anything to walk ([`guard`]), whether it is valid, which fields it reads, what it may [`cost`]. A known
//! document costs a look-up. Only documents that passed are remembered.

mod aside;
mod cost;
mod executor;
mod guard;
mod manifest;
mod prepare;
mod prune;
mod usage;
mod variables;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::ast::{DirectiveList, FieldDefinition, OperationType};
use apollo_compiler::executable::{self, Selection, SelectionSet};
use apollo_compiler::parser::Parser;
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{name, ty};
use async_graphql::Variables;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument};

use crate::auth::{Caller, Kin, policy};
use crate::config;
use crate::digest::{Digest, from_hex, sha256};
use crate::error::{Code, Fault};
use crate::read::Remembered;
use crate::read::plan::Relations;

pub use executor::executable;
pub use guard::check_text;
pub use prune::{Asked, Withheld, complete, prune};

/// The schema as documents are checked against it.
pub type Schema = Valid<apollo_compiler::Schema>;

/// How deep the parser may go; it counts more levels than brackets, which are bounded before.
const RECURSION: usize = 256;

/// Most problems of one document that are told.
const MOST_PROBLEMS: usize = 10;

/// Most kinds of callers of whom an operation remembers that they may read all of it.
const MOST_KIN: usize = 16;

/// Bytes of a new document whose check costs as much as a row.
const BYTES_OF_A_ROW: usize = 64;

/// A valid document.
#[derive(Debug)]
pub struct Document {
    operations: Vec<Operation>,
    bytes: u32,
}

/// One operation of a document.
#[derive(Debug)]
pub struct Operation {
    /// As the executor takes it: this operation, and the document's fragments.
    parsed: Arc<ExecutableDocument>,
    typed: executable::Operation,
    /// Whether the executor may answer it otherwise than the specification says ([`prepare`]).
    pub is_irregular: bool,
    cost: cost::Cost,
    /// Variables that may not be null, although their types allow it.
    never_null: Vec<String>,
    /// Every field that it may read, with the type that it is read on.
    fields: Vec<(String, String)>,
    /// Callers from whom none of them is withheld.
    free: Mutex<Vec<Kin>>,
    /// Whether it asks for the schema itself.
    pub is_introspection: bool,
    /// Whether it reads customers one by one and nothing else: `customer360` and `me`.
    pub is_of_customers: bool,
    /// How its fields are read, as far as that was worked out before: for those who may read all of them, and for others.
    remembered: [Arc<Remembered>; 2],
}

impl Operation {
    /// The name that the document gives it.
    pub fn name(&self) -> Option<&str> {
        self.typed.name.as_ref().map(|name| name.as_str())
    }

    /// Query, mutation or subscription.
    pub fn kind(&self) -> OperationType {
        self.typed.operation_type
    }

    /// Its fields that the caller may not read, and why.
    pub fn withheld(&self, caller: &Caller) -> Withheld<'_> {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kin = caller.kin();
        if kin.is_some_and(|kin| free().contains(&kin)) {
            return Withheld::new();
        }
        let withheld = self.check(caller);
        if let (Some(kin), true) = (kin, withheld.is_empty()) {
            let mut free = free();
            if free.len() < MOST_KIN {
                free.push(kin);
            }
        }
        withheld
    }

    /// What is known of how it is read where so much is withheld.
    pub fn remembered(&self, withheld: &Withheld<'_>) -> &Arc<Remembered> {
        &self.remembered[usize::from(!withheld.is_empty())]
    }

    fn check(&self, caller: &Caller) -> Withheld<'_> {
        let check = |(on, field): &'_ (String, String)| policy::check(caller, on, field).err();
        let fields = self.fields.iter();
        fields.filter_map(|of| Some(((of.0.as_str(), of.1.as_str()), check(of)?))).collect()
    }
}

impl Document {
    /// The operation of this name, or the only one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when there is none, or when it is not said which.
    pub fn operation(&self, name: Option<&str>) -> Result<&Operation, Fault> {
        self.place(name).map(|at| &self.operations[at])
    }

    /// The place of the operation of this name, or of the only one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when there is none, or when it is not said which.
    pub fn place(&self, name: Option<&str>) -> Result<usize, Fault> {
        let wrong = |message| Err(Fault::bad_input("operationName", message));
        match (name, self.operations.as_slice()) {
            (None, [_]) => Ok(0),
            (None, _) => wrong("the document has several operations: say which".to_owned()),
            (Some(name), operations) => match operations.iter().position(|operation| operation.name() == Some(name)) {
                Some(at) => Ok(at),
                None => wrong(format!("the document has no operation \"{name}\"")),
            },
        }
    }

    /// The operation at this place.
    pub fn at(&self, at: usize) -> &Operation {
        &self.operations[at]
    }
}

/// Knows the schema, the limits and the documents that were seen before.
#[derive(Debug)]
pub struct Documents {
    /// The schema that documents are checked against.
    pub schema: Schema,
    relations: Relations,
    limits: config::Limits,
    seen: moka::sync::Cache<Digest, Arc<Document>>,
    trusted: Option<manifest::Manifest>,
    aside: aside::Aside,
}

impl Documents {
    /// For a schema in the schema definition language.
    ///
    /// # Errors
    /// A manifest that cannot be read, or that holds a document which may not run.
    pub fn new(
        sdl: &str,
        relations: Relations,
        limits: &config::Limits,
        settings: &config::Documents,
    ) -> Result<Self, config::ConfigError> {
        let schema =
            read_schema(sdl).map_err(|problems| config::ConfigError(format!("the schema is not valid: {problems}")))?;
        let seen = moka::sync::Cache::builder()
            .max_capacity(settings.remembered_bytes)
            .weigher(|_, document: &Arc<Document>| document.bytes)
            .build();
        let aside = aside::Aside::start()
            .map_err(|error| config::ConfigError(format!("no thread to check documents with: {error}")))?;
        let mut documents = Self { schema, relations, limits: limits.clone(), seen, trusted: None, aside };
        if !settings.manifest.as_os_str().is_empty() {
            documents.trusted = Some(manifest::Manifest::read(&settings.manifest, &documents)?);
        }
        Ok(documents)
    }

    /// The document of this text, if it is known.
    ///
    /// # Errors
    /// `FORBIDDEN` where only trusted documents run, and this is none.
    pub fn of_text(&self, text: &str) -> Result<Option<Arc<Document>>, Fault> {
        let hash = sha256(text.as_bytes());
        match &self.trusted {
            Some(trusted) => trusted.of_hash(&hash).map(Some).ok_or_else(manifest::untrusted),
            None => Ok(self.seen.get(&hash)),
        }
    }

    /// Checks a new document, and remembers it if it may run.
    ///
    /// # Errors
    /// What is wrong with it: `QUERY_TOO_COMPLEX`, `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED`.
    pub fn learn(&self, text: &str) -> Result<Arc<Document>, Vec<Fault>> {
        let document = Arc::new(self.check(text)?);
        self.seen.insert(sha256(text.as_bytes()), document.clone());
        Ok(document)
    }

    /// What it costs to learn a text, in rows. One that is too long is not looked at.
    pub fn cost_of_learning(&self, text: &str) -> u64 {
        let bytes = if text.len() > self.limits.document_bytes { 0 } else { text.len() };
        (bytes / BYTES_OF_A_ROW) as u64
    }

    /// The document of this name: the SHA-256 of its text in hexadecimal, or its id in the manifest.
    ///
    /// # Errors
    /// `PERSISTED_QUERY_NOT_FOUND`: send the text along.
    pub fn of_id(&self, id: &str) -> Result<Arc<Document>, Fault> {
        let found = match &self.trusted {
            Some(trusted) => trusted.of_id(id),
            None => from_hex(id).and_then(|hash| self.seen.get(&hash)),
        };
        // The words that clients of automatic persisted queries look for.
        found.ok_or_else(|| Fault::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound"))
    }

    /// Checks a text that was not seen before, cheapest check first.
    fn check(&self, text: &str) -> Result<Document, Vec<Fault>> {
        let text = guard::check_text(text, &self.limits).map_err(|fault| vec![fault])?;
        let ast = Parser::new()
            .recursion_limit(RECURSION)
            .parse_ast(text.as_ref(), "document.graphql")
            .map_err(|error| problems(Code::GraphqlParseFailed, &error.errors))?;
        guard::check_shape(&ast, &self.limits).map_err(|fault| vec![fault])?;
        let typed = ast
            .to_executable_validate(&self.schema)
            .map_err(|error| problems(Code::GraphqlValidationFailed, &error.errors))?;
        for operation in typed.operations.iter() {
            apollo_compiler::introspection::check_max_depth(&typed, operation).map_err(|_| {
                let message = "the look at the schema goes through too many lists within lists";
                vec![Fault::new(Code::QueryTooComplex, message).because("TOO_DEEP")]
            })?;
        }
        let parsed = executable(&ast, &text).map_err(|fault| vec![fault])?;
        let operations = typed.operations.iter().map(|operation| self.operation(operation, &typed, &parsed));
        let operations = operations.collect::<Result<Vec<_>, _>>()?;
        // A parsed document takes a multiple of its text, and each operation has the fragments with it.
        let bytes = u32::try_from(text.len() * 32 * operations.len()).unwrap_or(u32::MAX);
        Ok(Document { operations, bytes })
    }

    fn operation(
        &self,
        operation: &executable::Operation,
        document: &executable::ExecutableDocument,
        parsed: &ExecutableDocument,
    ) -> Result<Operation, Vec<Fault>> {
        let never_null = usage::check(operation, document, &self.schema)?;
        let mut parsed = alone(parsed, operation.name.as_ref().map(|name| name.as_str()));
        // Roots stand in the answer in the order in which they were ready, until it is completed.
        let is_irregular = prepare::prepare(&mut parsed, &self.schema) || operation.root_fields(document).count() > 1;
        let parsed = Arc::new(parsed);
        let is_of_customers = operation.is_query()
            && operation.root_fields(document).all(|field| matches!(field.name.as_str(), "customer360" | "me"));
        Ok(Operation {
            remembered: [is_of_customers && !is_irregular, false]
                .map(|is_outlined| Arc::new(Remembered::new(parsed.clone(), is_outlined))),
            parsed,
            is_irregular,
            cost: cost::of(operation, document, &self.relations),
            never_null,
            fields: fields_of(operation, document),
            free: Mutex::default(),
            is_introspection: is_introspection(operation, document),
            is_of_customers,
            typed: operation.clone(),
        })
    }

    /// The rows that an operation may read with these variables.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX`: more than any operation may.
    pub fn cost(&self, operation: &Operation, variables: &Variables) -> Result<u64, Fault> {
        let (cost, most) = (operation.cost.with(variables), self.limits.cost);
        if cost > most {
            let message =
                format!("the operation may read {cost} rows: at most {most} are allowed; ask for smaller pages");
            return Err(Fault::new(Code::QueryTooComplex, message).because("TOO_EXPENSIVE"));
        }
        Ok(cost)
    }

    /// The variables of an operation, with their defaults.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`: a value that does not fit its type or its place, or that is missing.
    pub fn coerce(&self, operation: &Operation, sent: &JsonMap) -> Result<Variables, Fault> {
        variables::coerce(&self.schema, &operation.typed, &operation.never_null, sent)
    }
}

/// The schema, with what clients may ask of it besides what the validator knows: which input objects take one field.
fn read_schema(sdl: &str) -> Result<Schema, DiagnosticList> {
    let mut schema = apollo_compiler::Schema::parse(sdl, "schema.graphql").map_err(|error| error.errors)?;
    if let Some(ExtendedType::Object(meta)) = schema.types.get_mut("__Type") {
        let field = FieldDefinition {
            description: None,
            name: name!("isOneOf"),
            arguments: Vec::new(),
            ty: ty!(Boolean),
            directives: DirectiveList::default(),
        };
        meta.make_mut().fields.insert(field.name.clone(), Component::new(field));
    }
    schema.validate().map_err(|error| error.errors)
}

/// One operation of a parsed document, with all fragments.
fn alone(document: &ExecutableDocument, name: Option<&str>) -> ExecutableDocument {
    let mut operations = document.operations.iter();
    let operations = match operations.find(|(own, _)| own.map(|own| own.as_str()) == name) {
        Some((_, operation)) => DocumentOperations::Single(operation.clone()),
        None => document.operations.clone(),
    };
    ExecutableDocument { operations, fragments: document.fragments.clone() }
}

fn problems(code: Code, errors: &DiagnosticList) -> Vec<Fault> {
    let told = errors.iter().take(MOST_PROBLEMS).map(|problem| {
        let place = problem.line_column_range().map(|range| (range.start.line, range.start.column));
        Fault { place, ..Fault::new(code, problem.error.to_string()) }
    });
    told.collect()
}

/// The fields that an operation may read, each with the type that it is read on.
fn fields_of(operation: &executable::Operation, document: &executable::ExecutableDocument) -> Vec<(String, String)> {
    fn walk<'d>(
        set: &'d SelectionSet,
        document: &'d executable::ExecutableDocument,
        spread: &mut BTreeSet<&'d str>,
        fields: &mut BTreeSet<(String, String)>,
    ) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) if field.name.starts_with("__") => {}
                Selection::Field(field) => {
                    fields.insert((set.ty.to_string(), field.name.to_string()));
                    walk(&field.selection_set, document, spread, fields);
                }
                Selection::InlineFragment(fragment) => walk(&fragment.selection_set, document, spread, fields),
                // A fragment says what type it is on: once is enough.
                Selection::FragmentSpread(fragment) => {
                    if spread.insert(&fragment.fragment_name)
                        && let Some(fragment) = document.fragments.get(&fragment.fragment_name)
                    {
                        walk(&fragment.selection_set, document, spread, fields);
                    }
                }
            }
        }
    }
    let mut fields = BTreeSet::new();
    walk(&operation.selection_set, document, &mut BTreeSet::new(), &mut fields);
    fields.into_iter().collect()
}

fn is_introspection(operation: &executable::Operation, document: &executable::ExecutableDocument) -> bool {
    operation.root_fields(document).any(|field| matches!(field.name.as_str(), "__schema" | "__type"))
}
