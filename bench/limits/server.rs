//! The server that does nothing but answer.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use c360_rules::id::{self, Kind};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

type Fault = Box<dyn Error>;

/// One prepared statement on a few connections. Requests take turns and are pipelined: none waits for a free
/// connection.
struct Database {
    connections: Vec<(Client, Statement)>,
    turn: AtomicUsize,
}

impl Database {
    async fn connect(url: &str, connections: usize, statement: &str) -> Result<Self, Fault> {
        let mut open = Vec::new();
        for _ in 0..connections {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            // Planned once, as a busy server would: planning takes longer than running.
            client.batch_execute("SET plan_cache_mode = force_generic_plan").await?;
            let statement = client.prepare_typed(statement, &[Type::UUID]).await?;
            open.push((client, statement));
        }
        Ok(Self { connections: open, turn: AtomicUsize::new(0) })
    }

    async fn answer(&self, customer: Uuid) -> Result<Option<Bytes>, tokio_postgres::Error> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        let (client, statement) = &self.connections[turn];
        let row = client.query_opt(statement, &[&customer]).await?;
        row.map(|row| Ok(Bytes::copy_from_slice(row.try_get::<_, &str>(0)?.as_bytes()))).transpose()
    }
}

#[derive(Clone)]
struct App {
    database: Arc<Database>,
    redis: MultiplexedConnection,
}

/// What is read of a GraphQL request.
#[derive(serde::Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    variables: Variables<'a>,
}

#[derive(serde::Deserialize)]
struct Variables<'a> {
    #[serde(borrow)]
    by: By<'a>,
}

#[derive(serde::Deserialize)]
struct By<'a> {
    id: &'a str,
}

pub(crate) fn run() -> Result<(), Fault> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Fault> {
    let setting = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let statement = std::fs::read_to_string(setting("STATEMENT")?)?;
    let connections = setting("CONNECTIONS").map_or(Ok(8), |n| n.parse())?;
    let app = App {
        database: Arc::new(Database::connect(&setting("DATABASE_URL")?, connections, &statement).await?),
        redis: redis::Client::open(setting("REDIS_URL")?)?.get_multiplexed_async_connection().await?,
    };
    let router = Router::new()
        .route("/static", get(|| async { json(Bytes::from_static(&[b' '; 10_000])) }))
        .route("/redis/{id}", get(from_redis))
        .route("/sql", post(from_sql))
        .route("/fill", post(fill))
        .with_state(app);
    let listener = tokio::net::TcpListener::bind(setting("LISTEN")?).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn from_redis(State(mut app): State<App>, Path(customer): Path<String>) -> Response {
    answered(app.redis.get::<_, Option<Vec<u8>>>(key(&customer)).await.map(|body| body.map(Bytes::from)))
}

async fn from_sql(State(app): State<App>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Request<'_>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Ok(customer) = id::decode(Kind::Customer, request.variables.by.id) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    answered(app.database.answer(customer).await)
}

/// Puts the finished JSON of customers, whose ids are the lines of the body, into Redis.
async fn fill(State(mut app): State<App>, customers: String) -> Result<Json<usize>, (StatusCode, String)> {
    let failed = |error: String| (StatusCode::INTERNAL_SERVER_ERROR, error);
    let mut filled = 0;
    for customer in customers.lines() {
        let uuid = id::decode(Kind::Customer, customer).map_err(|error| failed(error.to_string()))?;
        if let Some(body) = app.database.answer(uuid).await.map_err(|error| failed(error.to_string()))? {
            let () = app.redis.set(key(customer), body.as_ref()).await.map_err(|error| failed(error.to_string()))?;
            filled += 1;
        }
    }
    Ok(Json(filled))
}

fn key(customer: &str) -> String {
    format!("limits:{customer}")
}

fn answered(body: Result<Option<Bytes>, impl Error>) -> Response {
    match body {
        Ok(Some(body)) => json(body),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn json(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
