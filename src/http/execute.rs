//! From what is asked to what is answered, whatever it came by.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use async_graphql::{Request, Response, ServerError, Value, Variables};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use tokio::time::Instant;
use uuid::Uuid;

use super::Gateway;
use super::answer::{self, Cached, Cost, Extensions, Ran};
use super::request::{Parameters, Rejected, Sent};
use crate::admission::{Pass, Shed};
use crate::auth::Caller;
use crate::cache::reads::{Basis, Reads, Reason};
use crate::cache::{self, answers};
use crate::config::Introspection;
use crate::digest::{Digest, from_hex, sha256};
use crate::document::{self, Document, Operation};
use crate::error::{Code, Fault};
use crate::json;
use crate::metrics::Kind;
use crate::scope::Scope;
use crate::throttle::Refusal;

/// Why an operation did not run.
#[derive(Debug)]
pub(super) enum NotRun {
    /// Something about the request is wrong.
    Faults(Vec<Fault>),
    /// The request names no document, or is not one.
    Rejected(Rejected),
    /// The gateway has enough to do.
    Shed(Shed),
    /// A mutation by a way that only reads.
    OnlyReads,
    /// The caller asks for more than its share, and may come back after so many seconds.
    Throttled(Fault, u64),
}

/// How often a request waits for another one that makes the same answer, before it makes its own.
const TURNS: usize = 2;

impl From<Rejected> for NotRun {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<Fault> for NotRun {
    fn from(fault: Fault) -> Self {
        Self::Faults(vec![fault])
    }
}

/// Which operations a transport carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Queries.
    Reads,
    /// Queries and mutations.
    ReadsAndWrites,
}

/// Serves the answer that was made before, if it still holds. Otherwise takes a place, finds the document, checks what the
/// caller may ask, and runs the operation.
pub(super) async fn execute(
    gateway: &Gateway,
    caller: &Arc<Caller>,
    id: Option<Uuid>,
    sent: &Sent,
    way: Way,
    pass: &Pass,
) -> Result<Ran, NotRun> {
    let state = &gateway.state;
    let request = state.cache.is_on().then(|| cache::request(&caller.view(), sent.bytes()));
    let mut making = None;
    if let Some(request) = request {
        for _ in 0..TURNS {
            if let Some(answer) = state.cache.holding(state, &request, state.clock.now()).await {
                return serve(gateway, caller, &answer).await;
            }
            making = state.cache.answers.make(request).await.map_err(NotRun::Shed)?;
            if making.is_some() {
                break;
            }
        }
    }
    let place = match pass.enter().await {
        Ok(place) => place,
        Err(why) => {
            if let Some(making) = making {
                making.refuse(why);
            }
            return Err(NotRun::Shed(why));
        }
    };
    // Whoever is served by now, or refused, never needed room for what follows.
    Box::pin(async move {
        let asked = Asked::of(gateway, caller, sent, way).await?;
        let kept_as = request.filter(|_| asked.document.at(asked.at).is_of_customers);
        if let (Some(request), None) = (request, kept_as) {
            state.cache.answers.give_up(request);
            making = None;
        }
        let made_at = state.clock.now();
        let reads = kept_as.map(|_| Reads::default());
        let scope = Scope::new(state.clone(), caller.clone(), id, place, reads);
        let (mut ran, basis) = asked.run(gateway, &scope).await?;
        let cached = kept_as.zip(basis).map(|(request, basis)| keep(gateway, request, made_at, &ran, basis));
        drop(making);
        ran.extensions.cache = cached;
        Ok(ran)
    })
    .await
}

/// Keeps an answer, if it may be kept.
fn keep(gateway: &Gateway, request: Digest, made_at: DateTime<Utc>, ran: &Ran, basis: Result<Basis, Reason>) -> Cached {
    let state = &gateway.state;
    match basis {
        Ok(basis) => {
            let (bytes, codes, operation) = (ran.bytes.clone(), ran.codes.clone(), ran.operation.0.clone());
            let requested = ran.extensions.cost.requested;
            let answer = answers::Answer { bytes, codes, operation, requested, made_at, basis };
            state.cache.answers.keep(request, answer);
            state.metrics.cached("miss", "");
            Cached::Miss
        }
        Err(reason) => {
            state.cache.answers.give_up(request);
            state.metrics.cached("bypass", reason.as_str());
            Cached::Bypass { reason: reason.as_str() }
        }
    }
}

/// An operation that its caller may run.
struct Asked {
    document: Arc<Document>,
    /// Which of the document's operations.
    at: usize,
    variables: Variables,
    /// The rows that it may read.
    requested: u64,
}

impl Asked {
    async fn of(gateway: &Gateway, caller: &Caller, sent: &Sent, way: Way) -> Result<Self, NotRun> {
        let mut parameters = sent.parameters()?;
        let variables = parameters.variables();
        let document = find(gateway, caller, &parameters).await?;
        let at = document.place(parameters.operation_name())?;
        let operation = document.at(at);
        check(gateway, caller, operation, way)?;
        let variables = gateway.documents.coerce(operation, &variables)?;
        let requested = gateway.documents.cost(operation, &variables)?;
        Ok(Self { document, at, variables, requested })
    }

    /// Runs it. Also what its answer rests on, or why it cannot be kept, where that is noted.
    async fn run(&self, gateway: &Gateway, scope: &Scope) -> Result<(Ran, Option<Result<Basis, Reason>>), NotRun> {
        let Self { document, at, variables, requested } = self;
        let (operation, requested) = (document.at(*at), *requested);
        let (caller, clock) = (scope.caller(), &gateway.state.clock);
        let taken = gateway.state.throttle.take(caller, requested, clock.now()).await.map_err(refusal)?;
        let withheld = operation.withheld(caller);
        let parsed = document::prune(operation, &gateway.documents.schema, &withheld);
        let mut request = Request::new("").variables(variables.clone()).data(scope.clone());
        request = request.data(operation.remembered(&withheld).clone());
        request.set_parsed_query(parsed);
        let answer = within(gateway, scope.until(), request).await;
        let actual = scope.rows_read();
        let throttle = taken.map(|taken| taken.settle(actual.max(1), clock.now()));
        let is_whole = answer.errors.is_empty();
        let basis = scope.basis().map(|basis| if is_whole { basis } else { Err(Reason::Errors) });
        let (data, errors) = whole(gateway, operation, variables, &withheld, answer)?;
        let ran = Ran {
            bytes: answer::begin(Some(&data), &errors)?,
            extensions: Extensions { cost: Cost { requested, actual, throttle }, cache: None },
            codes: answer::codes(&errors),
            operation: (operation.name().map(str::to_owned), kind(operation)),
        };
        Ok((ran, basis))
    }
}

/// An answer that was made before. It costs its caller no more than a row.
async fn serve(gateway: &Gateway, caller: &Caller, answer: &answers::Answer) -> Result<Ran, NotRun> {
    let (state, now) = (&gateway.state, gateway.state.clock.now());
    let taken = state.throttle.take(caller, answer.requested, now).await.map_err(refusal)?;
    let throttle = taken.map(|taken| taken.settle(1, now));
    let cost = Cost { requested: answer.requested, actual: 0, throttle };
    let age_ms = (now - answer.made_at).num_milliseconds();
    state.metrics.cached("hit", "");
    Ok(Ran {
        bytes: answer.bytes.clone(),
        extensions: Extensions { cost, cache: Some(Cached::Hit { age_ms }) },
        codes: answer.codes.clone(),
        operation: (answer.operation.clone(), Kind::Query),
    })
}

/// Refuses what this way does not carry, and looks at the schema that the caller may not have.
fn check(gateway: &Gateway, caller: &Caller, operation: &Operation, way: Way) -> Result<(), NotRun> {
    match (operation.kind(), way) {
        (OperationType::Query, _) | (OperationType::Mutation, Way::ReadsAndWrites) => {}
        (OperationType::Mutation, Way::Reads) => return Err(NotRun::OnlyReads),
        (OperationType::Subscription, _) => {
            return Err(Fault::new(Code::BadUserInput, "subscriptions are not served this way").into());
        }
    }
    if operation.is_introspection && !may_look_at_schema(gateway, caller) {
        let message = "the schema cannot be looked at with this token: read schema.graphql instead";
        return Err(Fault::new(Code::Forbidden, message).into());
    }
    Ok(())
}

fn kind(operation: &Operation) -> Kind {
    match operation.kind() {
        OperationType::Query => Kind::Query,
        OperationType::Mutation => Kind::Mutation,
        OperationType::Subscription => Kind::Subscription,
    }
}

/// The document by its text, by its name, or by both: then it is known by its name from now on.
async fn find(gateway: &Gateway, caller: &Caller, parameters: &Parameters) -> Result<Arc<Document>, NotRun> {
    let id = parameters.document_id()?;
    match (parameters.query.as_deref(), id) {
        (Some(text), Some(id)) if from_hex(id) != Some(sha256(text.as_bytes())) => {
            let message = "is not the SHA-256 of the document, in hexadecimal";
            Err(Fault::bad_input("extensions.persistedQuery.sha256Hash", message).into())
        }
        (Some(text), _) => match gateway.documents.of_text(text)? {
            Some(document) => Ok(document),
            None => learn(gateway, caller, text).await,
        },
        (None, Some(id)) => Ok(gateway.documents.of_id(id)?),
        (None, None) => Err(Fault::bad_input("query", "there is no document: send its text as query").into()),
    }
}

/// Checks a document that is new. Whoever sends it pays for that, whatever comes of it, and nobody waits for a long one.
async fn learn(gateway: &Gateway, caller: &Caller, text: &str) -> Result<Arc<Document>, NotRun> {
    let (cost, now) = (gateway.documents.cost_of_learning(text), gateway.state.clock.now());
    if cost > 0 {
        let taken = gateway.state.throttle.take(caller, cost, now).await.map_err(refusal)?;
        _ = taken.map(|taken| taken.settle(cost, now));
    }
    gateway.documents.learn_aside(text).await.map_err(NotRun::Faults)
}

fn may_look_at_schema(gateway: &Gateway, caller: &Caller) -> bool {
    match gateway.state.config.documents.introspection {
        Introspection::All => true,
        Introspection::Staff => caller.is_staff(),
        Introspection::None => false,
    }
}

fn refusal(refusal: Refusal) -> NotRun {
    match refusal {
        Refusal::Wait(seconds) => {
            let message = format!("you ask for more than your share: come back in {seconds} s");
            NotRun::Throttled(Fault::new(Code::Throttled, message), seconds)
        }
        Refusal::TooMuch(maximum) => {
            let message = format!("the operation may cost more than {maximum}: ask for fewer rows at once");
            Fault::new(Code::QueryTooComplex, message).because("TOO_EXPENSIVE").into()
        }
    }
}

/// Runs a request until its deadline. What it leaves running then, the database ends soon after.
async fn within(gateway: &Gateway, until: Instant, request: Request) -> Response {
    let run = contained(gateway.schema.execute(request));
    tokio::time::timeout_at(until, run).await.unwrap_or_else(|_| {
        let message =
            format!("this took longer than {} ms; ask for less at once", gateway.state.config.limits.deadline_ms);
        failed(Fault::new(Code::Timeout, message))
    })
}

/// A resolver that panics is one error, and not a lost connection.
async fn contained(run: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(run).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a resolver panicked");
        failed(Fault::internal())
    })
}

fn failed(fault: Fault) -> Response {
    let error = async_graphql::Error::from(fault).into_server_error(async_graphql::Pos::default());
    Response::from_errors(vec![ServerError { locations: Vec::new(), ..error }])
}

/// The answer with all that was asked for, in the order of the document.
///
/// # Errors
/// `INTERNAL_SERVER_ERROR`: what was written of it has more levels than can be read again.
fn whole(
    gateway: &Gateway,
    operation: &Operation,
    variables: &Variables,
    withheld: &document::Withheld<'_>,
    answer: Response,
) -> Result<(Value, Vec<ServerError>), Fault> {
    let Response { mut data, mut errors, .. } = answer;
    // The objects of a payload are read one beside the other, and stand in the order in which they came.
    let is_mutation = operation.kind() == OperationType::Mutation;
    if is_mutation || operation.is_irregular || !errors.is_empty() || !withheld.is_empty() {
        errors.iter_mut().for_each(answer::give_code);
        let asked = document::Asked { schema: &gateway.documents.schema, operation, variables, withheld };
        let opened = json::opened(data).map_err(|error| {
            tracing::error!(%error, "an answer could not be completed");
            Fault::internal()
        })?;
        data = document::complete(&asked, opened, &mut errors);
    }
    Ok((data, errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[expect(clippy::panic, reason = "that is what is tested")]
    async fn a_panic_is_one_error_that_names_no_cause() {
        let answer = contained(async { panic!("secret") }).await;
        assert_eq!(answer.errors.len(), 1);
        assert_eq!(answer.errors[0].message, Fault::internal().message);
    }
}
