//! From what is asked to what is answered, whatever it came by.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::ast::OperationType;
use async_graphql::{Request, Response, ServerError, Variables};
use futures_util::FutureExt as _;

use super::Gateway;
use super::answer::{self, Answer, Cost, Extensions};
use super::request::Parameters;
use crate::auth::Caller;
use crate::config::Introspection;
use crate::digest::{from_hex, sha256};
use crate::document::{self, Document, Operation};
use crate::error::{Code, Fault};
use crate::metrics::Kind;
use crate::scope::Scope;
use crate::throttle::Refusal;

/// Why an operation did not run.
#[derive(Debug)]
pub(super) enum NotRun {
    /// Something about the request is wrong.
    Faults(Vec<Fault>),
    /// A mutation by a way that only reads.
    OnlyReads,
    /// The caller asks for more than its share, and may come back after so many seconds.
    Throttled(Fault, u64),
}

/// Bytes of a new document from which on it is checked beside the requests. Others take about a millisecond.
const LONG: usize = 4096;

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

/// Finds the document, checks what the caller may ask, and runs the operation.
pub(super) async fn execute(
    gateway: &Gateway,
    scope: Scope,
    mut parameters: Parameters,
    way: Way,
) -> Result<Answer, NotRun> {
    let sent = parameters.variables();
    let document = find(gateway, scope.caller(), &parameters).await?;
    let operation = document.operation(parameters.operation_name())?;
    match (operation.kind(), way) {
        (OperationType::Query, _) | (OperationType::Mutation, Way::ReadsAndWrites) => {}
        (OperationType::Mutation, Way::Reads) => return Err(NotRun::OnlyReads),
        (OperationType::Subscription, _) => {
            return Err(Fault::new(Code::BadUserInput, "subscriptions are not served this way").into());
        }
    }
    let caller = scope.caller();
    if operation.is_introspection && !may_look_at_schema(gateway, caller) {
        let message = "the schema cannot be looked at with this token: read schema.graphql instead";
        return Err(Fault::new(Code::Forbidden, message).into());
    }
    let variables = gateway.documents.coerce(operation, &sent)?;
    let requested = gateway.documents.cost(operation, &variables)?;

    let clock = &gateway.state.clock;
    let taken = gateway.state.throttle.take(caller, requested, clock.now()).await.map_err(refusal)?;
    let withheld = operation.withheld(caller);
    let parsed = document::prune(operation, &gateway.documents.schema, &withheld);
    let mut request = Request::new("").variables(variables.clone()).data(scope.clone());
    request = request.data(operation.remembered.clone());
    request.set_parsed_query(parsed);
    let answer = within(gateway, request).await;
    let actual = scope.rows_read();
    let throttle = taken.map(|taken| taken.settle(actual.max(1), clock.now()));
    let cost = Cost { requested, actual, throttle };
    let answer = whole(gateway, operation, &variables, &withheld, answer);
    let operation = (operation.name().map(str::to_owned), kind(operation));
    Ok(Answer { extensions: Some(Extensions { cost }), operation, ..answer })
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
    let learnt = if text.len() < LONG {
        gateway.documents.learn(text)
    } else {
        let (documents, text) = (gateway.documents.clone(), text.to_owned());
        let learning = tokio::task::spawn_blocking(move || documents.learn(&text)).await;
        learning.unwrap_or_else(|_| Err(vec![Fault::internal()]))
    };
    learnt.map_err(NotRun::Faults)
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

/// Runs a request until its deadline. What it leaves running then, the database ends at its own limit.
async fn within(gateway: &Gateway, request: Request) -> Response {
    let deadline = Duration::from_millis(gateway.state.config.limits.deadline_ms);
    let run = contained(gateway.schema.execute(request));
    tokio::time::timeout(deadline, run).await.unwrap_or_else(|_| {
        let message = format!("this took longer than {} ms; ask for less at once", deadline.as_millis());
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
fn whole(
    gateway: &Gateway,
    operation: &Operation,
    variables: &Variables,
    withheld: &document::Withheld<'_>,
    answer: Response,
) -> Answer {
    let Response { mut data, mut errors, .. } = answer;
    // The objects of a payload are read one beside the other, and stand in the order in which they came.
    let is_mutation = operation.kind() == OperationType::Mutation;
    if is_mutation || operation.is_irregular || !errors.is_empty() || !withheld.is_empty() {
        errors.iter_mut().for_each(answer::give_code);
        let asked = document::Asked { schema: &gateway.documents.schema, operation, variables, withheld };
        data = document::complete(&asked, data, &mut errors);
    }
    Answer { data: Some(data), errors, ..Answer::default() }
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
