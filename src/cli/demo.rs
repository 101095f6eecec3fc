//! `c360 demo`: a retailer to look at, with nothing to set up.

use std::path::{Path, PathBuf};

use c360_rules::access::{Role, Scope, Scopes};
use c360_rules::id::{self, Kind};
use chrono::TimeDelta;
use sea_orm::{ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{Failure, serve};
use crate::auth::issue::{NewKey, Signer, Subject};
use crate::auth::partners;
use crate::auth::token::Verifier;
use crate::clock::Clock;
use crate::config::{Config, Demo};
use crate::db;
use crate::examples::EXAMPLES;
use crate::http;
use crate::retailer::{self, demo};

/// `iss` and `aud` of the demo's tokens.
const ISSUER: &str = "https://demo.c360.invalid";
const AUDIENCE: &str = "c360";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen, as HOST:PORT.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where to keep the database and the tokens; a fresh temporary folder if none is given.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How many customers the retailer has.
    #[arg(long, default_value_t = demo::CUSTOMERS, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    customers: u64,
}

pub(super) async fn run(mut config: Config, arguments: Arguments) -> Result<(), Failure> {
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    // Nothing stands before a demo that would have to see that it stops.
    config.shutdown.grace_ms = 0;
    let listener = serve::bind(&config.listen).await?;
    let temporary = tempfile::Builder::new().prefix("c360-demo-").tempdir()?;
    let folder = arguments.data_dir.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder)?;

    let database = open(&mut config, folder, arguments.customers).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let tokens = sign(&mut config, &url, folder, &database).await?;
    let verifier = Verifier::new(&config)?;
    let text = serde_json::to_string_pretty(&tokens).map_err(|error| Failure::Other(error.to_string()))?;
    super::token::write_secret(&folder.join("tokens.json"), &text)?;
    write_requests(folder)?;
    config.graphiql.enabled = true;
    // Whoever reaches this page over the network has to bring a token; on this machine, tokens.json has them anyway.
    if listener.local_addr()?.ip().is_loopback() {
        config.graphiql.demo = Some(offered(&tokens));
    }
    greet(&url, folder, &tokens);
    let state = serve::state(config, database, verifier)?;
    let router = http::router(state.clone())?.route("/metrics", http::figures::route(state.clone()));
    serve::serve(listener, router, state).await
}

/// The demo's own database, with the retailer in it.
async fn open(config: &mut Config, folder: &Path, customers: u64) -> Result<DatabaseConnection, Failure> {
    config.database.url = format!("sqlite://{}", folder.join("c360.db").display());
    let database = db::connect(&config.database).await?;
    db::migrate(&database).await?;
    if retailer::is_empty(&database).await? {
        let plan = demo::plan(customers, Clock::System.now());
        let made = retailer::load(&database, plan, |_| {}).await?;
        eprintln!("made a retailer with {} customers in {:.1} s", made.customers, made.elapsed.as_secs_f64());
    }
    Ok(database)
}

/// A token for each kind of caller, as in `tokens.json`.
#[derive(Debug, serde::Serialize)]
struct Tokens {
    agent: String,
    supervisor: String,
    admin: String,
    customer: String,
    customer_id: String,
    partner: String,
    partner_client_id: String,
    partner_client_secret: String,
}

/// What `/graphiql` offers.
fn offered(tokens: &Tokens) -> Demo {
    let Tokens { agent, supervisor, admin, customer, partner, .. } = tokens;
    let named =
        [("agent", agent), ("supervisor", supervisor), ("admin", admin), ("customer", customer), ("partner", partner)];
    Demo { email: demo::DEMO_CUSTOMER.email.into(), tokens: named.map(|(name, token)| (name, token.clone())).to_vec() }
}

/// The partner that has a token, and a secret to get more of them.
const PARTNER: &str = "shop-partner";

/// Makes a key for this run, has the gateway verify and sign with it, and signs a token for each kind of caller.
async fn sign(config: &mut Config, url: &str, folder: &Path, database: &DatabaseConnection) -> Result<Tokens, Failure> {
    let failed = |error: crate::auth::issue::IssueError| Failure::Other(error.to_string());
    let key = NewKey::generate().map_err(failed)?;
    let (jwks, private) = (folder.join("jwks.json"), folder.join("private.pem"));
    std::fs::write(&jwks, &key.jwks)?;
    super::token::write_secret(&private, &key.private_pem)?;
    config.auth.issuers.clear();
    config.auth.main = Config::load(None, &|_| None)?.auth.main;
    config.auth.main.issuer = ISSUER.into();
    config.auth.main.audience = AUDIENCE.into();
    config.auth.main.jwks_file = jwks;
    config.oauth.issuer = url.to_owned();
    config.events.signing_key_files = vec![private.clone()];
    config.oauth.signing_key_files = vec![private];

    let signer = Signer::from_pem(key.private_pem.as_bytes()).map_err(failed)?;
    let token = |subject: Subject| {
        signer.token(ISSUER, AUDIENCE, &subject, Clock::System.now(), TimeDelta::days(7)).map_err(failed)
    };
    let staff = |role, subject: &str| token(Subject::Staff { subject: subject.into(), role });
    let customer = customer_id(database).await?;
    let partner = Subject::Partner {
        client_id: PARTNER.into(),
        scope: Scopes::of(&[Scope::CustomersRead, Scope::OrdersRead, Scope::LoyaltyRead]).to_string(),
    };
    // Nothing of an earlier run over the same folder goes on working.
    let secret = partners::rotate(database, PARTNER, TimeDelta::zero(), Clock::System.now()).await?;
    Ok(Tokens {
        agent: staff(Role::Agent, "agent-1")?,
        supervisor: staff(Role::Supervisor, "supervisor-1")?,
        admin: staff(Role::Admin, "admin-1")?,
        customer: token(Subject::Customer(customer))?,
        customer_id: id::encode(Kind::Customer, customer),
        partner: token(partner)?,
        partner_client_id: PARTNER.into(),
        partner_client_secret: secret,
    })
}

async fn customer_id(database: &DatabaseConnection) -> Result<Uuid, Failure> {
    use c360_entities::customer::{Column, Entity};
    let row = Entity::find().filter(Column::Number.eq(demo::DEMO_CUSTOMER.number)).one(database).await?;
    row.map(|row| row.id).ok_or_else(|| {
        Failure::Other("the folder holds a database that is not the demo's: choose another --data-dir".into())
    })
}

/// The callers' own documents as requests that `curl` can send.
fn write_requests(folder: &Path) -> Result<(), Failure> {
    for example in EXAMPLES {
        let variables = example.variables(demo::DEMO_CUSTOMER.email);
        let request = serde_json::json!({ "query": example.document, "variables": variables });
        std::fs::write(folder.join(example.name).with_extension("json"), request.to_string())?;
    }
    Ok(())
}

fn greet(url: &str, folder: &Path, tokens: &Tokens) {
    let name = demo::DEMO_CUSTOMER.name;
    let ask = |token: &str, request: &str| {
        let request = folder.join(request).with_extension("json");
        format!(
            "  curl -s {url}/graphql -H 'content-type: application/json' -H 'authorization: Bearer {token}' -d '@{}'",
            request.display()
        )
    };
    println!(
        "c360 serves a demo retailer.

  GraphQL     {url}/graphql
  GraphiQL    {url}/graphiql
  Health      {url}/livez  {url}/readyz  {url}/metrics
  Data        {}

Tokens, good for a week and for this run only (also in tokens.json there):

  agent       {}
  supervisor  {}
  admin       {}
  customer    {}
              ({name}, {})
  partner     {}

The partner gets another token with its secret:

  curl -s {url}/oauth/token -u '{}:{}' -d grant_type=client_credentials

Ask for the customer as the agent's console does, then as the customer's phone, then as the partner's shop:

{}

{}

{}

Stop with Ctrl-C.",
        folder.display(),
        tokens.agent,
        tokens.supervisor,
        tokens.admin,
        tokens.customer,
        tokens.customer_id,
        tokens.partner,
        tokens.partner_client_id,
        tokens.partner_client_secret,
        ask(&tokens.agent, "agent-first-screen"),
        ask(&tokens.customer, "phone-balance"),
        ask(&tokens.partner, "partner-read"),
    );
}
