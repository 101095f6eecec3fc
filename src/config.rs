//! Settings: load, validate, freeze. `config.default.toml` documents and defaults every one of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use toml::{Table, Value};

/// Deepest nesting of brackets of any kind in a document: parsers recurse, and the stack does not grow with the input.
pub const MOST_NESTING: u64 = 64;

/// The commented defaults, which are also the list of all settings.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// All settings of a run, complete and frozen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the gateway listens, `HOST:PORT`.
    pub listen: String,
    /// What a client's connection may take.
    pub connections: Connections,
    /// How many requests are worked on at once.
    pub admission: Admission,
    /// The database.
    pub database: Database,
    /// What the gateways share besides the database.
    pub redis: Redis,
    /// Finished answers that are kept.
    pub cache: Cache,
    /// How tokens are verified.
    pub auth: Auth,
    /// The tokens that the gateway itself gives to partners.
    pub oauth: Oauth,
    /// Which web pages may ask.
    pub cors: Cors,
    /// How much one request may ask for.
    pub limits: Limits,
    /// How much one caller may ask for.
    pub throttle: Throttle,
    /// Which documents may run, and who may look at the schema.
    pub documents: Documents,
    /// Facts about the retailer.
    pub retailer: Retailer,
    /// How much staff may give away.
    pub ceilings: Ceilings,
    /// Points at the till, and coupons.
    pub loyalty: Loyalty,
    /// How the help desk works.
    pub tickets: Tickets,
    /// Whether staff have to check who is calling.
    pub verification: Verification,
    /// The page to explore the API with.
    pub graphiql: Graphiql,
    /// What is logged and how.
    pub log: Log,
    /// Where figures are served.
    pub metrics: Metrics,
    /// Where traces are sent.
    pub tracing: Tracing,
    /// What makes the event log hard to forge.
    pub events: Events,
    /// What is due and nobody asks for.
    pub jobs: Jobs,
    /// How the gateway stops.
    pub shutdown: Shutdown,
}

/// What a client's connection may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connections {
    /// Most connections at the same time.
    pub max: usize,
    /// How long a new connection may take to send its first request's head, in milliseconds.
    pub header_timeout_ms: u64,
    /// How long a connection may be idle between requests, in milliseconds.
    pub idle_timeout_ms: u64,
    /// Longest time from a request's head to its answer's head, in milliseconds.
    pub request_timeout_ms: u64,
}

/// How many requests are worked on at once.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// Requests that are worked on at once; 0 for what follows from the connections to the database.
    pub at_once: usize,
    /// Requests that wait for a place, read and not to be answered from memory.
    pub waiting: usize,
    /// Requests that wait to be read.
    pub at_the_door: usize,
    /// Longest wait to be read, and for a place, in milliseconds.
    pub wait_ms: u64,
}

/// What gateways share beside the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `redis://…` or `rediss://…`; empty when there is none.
    pub url: String,
}

/// Finished answers that are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Whether any are.
    pub enabled: bool,
    /// Most memory for them, in bytes.
    pub max_bytes: u64,
}

/// Settings of the database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite://…` or `postgres://…`; empty when not set.
    pub url: String,
    /// Connections kept.
    pub max_connections: u32,
    /// Longest wait for a connection, in milliseconds.
    pub acquire_timeout_ms: u64,
    /// Longest run of a statement, in milliseconds.
    pub statement_timeout_ms: u64,
}

/// Cross-origin requests from web pages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins of web pages that may ask, or `*`.
    pub allowed_origins: Vec<String>,
}

/// How much one request may ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request's body, after decompression.
    pub body_bytes: usize,
    /// Bytes of a document.
    pub document_bytes: usize,
    /// Tokens of a document.
    pub tokens: usize,
    /// Levels of selections, of values, of types, and of fragments within one another.
    pub depth: u64,
    /// Selections of an operation when its fragments are spread.
    pub selections: u64,
    /// Root fields of an operation.
    pub roots: u64,
    /// Aliases of a document.
    pub aliases: usize,
    /// Directives of a document.
    pub directives: usize,
    /// Variables of an operation.
    pub variables: usize,
    /// Cost of an operation.
    pub cost: u64,
    /// How long an operation may take, in milliseconds.
    pub deadline_ms: u64,
}

/// How much each kind of caller may ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// A person at a console.
    pub staff: Bucket,
    /// A customer.
    pub customer: Bucket,
    /// A partner.
    pub partner: Bucket,
}

/// A leaky bucket of cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Cost that may be spent at once; 0 is no limit.
    pub maximum: u64,
    /// Cost that comes back in each second.
    pub restore_rate: u64,
}

/// Which documents may run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documents {
    /// Who may look at the schema.
    pub introspection: Introspection,
    /// A manifest of trusted documents; when set, nothing else runs.
    pub manifest: PathBuf,
    /// Memory for documents that were seen before, in bytes.
    pub remembered_bytes: u64,
}

/// Who may look at the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Introspection {
    /// Everyone with a token.
    All,
    /// Staff.
    Staff,
    /// Nobody.
    None,
}

/// Settings of token verification.
#[derive(Clone, Debug, Deserialize)]
pub struct Auth {
    /// The issuer that stands in `[auth]` itself.
    #[serde(flatten)]
    pub main: Issuer,
    /// More issuers, by a name of the operator's choice.
    pub issuers: BTreeMap<String, Issuer>,
    /// Tolerated difference of clocks, in seconds.
    pub leeway_seconds: u32,
    /// Verified tokens to remember.
    pub remembered_tokens: u64,
    /// Longest time between two looks at a JWKS address, in seconds.
    pub jwks_refresh_seconds: u64,
    /// Shortest time between two looks at a JWKS address that answers, in seconds.
    pub jwks_cooldown_seconds: u64,
    /// How long keys are used while their address does not answer, in seconds.
    pub jwks_keep_seconds: u64,
    /// Longest wait for an answer of a JWKS address, in milliseconds.
    pub jwks_timeout_ms: u64,
}

/// Somebody whose tokens are believed.
#[derive(Clone, Debug, Deserialize)]
pub struct Issuer {
    /// Required `iss`.
    pub issuer: String,
    /// Required `aud`.
    pub audience: String,
    /// A JWK set at an address.
    pub jwks_url: String,
    /// A JWK set as a file.
    pub jwks_file: PathBuf,
    /// One public key as a PEM file.
    pub public_key_file: PathBuf,
    /// Accepted signature algorithms.
    pub algorithms: Vec<String>,
    /// Required `typ`.
    pub typ: String,
    /// Whom the tokens may speak for.
    pub callers: Vec<Callers>,
    /// What the claims are called.
    pub claims: Claims,
    /// What the roles are called.
    pub roles: Roles,
}

/// Whom tokens may speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Callers {
    /// People at consoles.
    Staff,
    /// Customers.
    Customers,
    /// Machines.
    Partners,
}

/// What an issuer calls the claims: names, or JSON pointers where they begin with `/`; the first that is there counts.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    /// The client.
    pub client_id: Vec<String>,
    /// The scopes.
    pub scope: Vec<String>,
    /// The roles.
    pub roles: Vec<String>,
    /// The customer.
    pub customer_id: Vec<String>,
    /// What tells a machine's token from a person's: `claim` or `claim=value`.
    pub partner: Vec<String>,
}

/// What an issuer calls the roles.
#[derive(Clone, Debug, Deserialize)]
pub struct Roles {
    /// Those of an agent.
    pub agent: Vec<String>,
    /// Those of a supervisor.
    pub supervisor: Vec<String>,
    /// Those of an admin.
    pub admin: Vec<String>,
    /// Those that say nothing.
    pub ignored: Vec<String>,
}

/// Settings of `/oauth/token`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// The `iss` of the gateway's own tokens: its public address.
    pub issuer: String,
    /// Private keys as PEM files: the first signs, all are published.
    pub signing_key_files: Vec<PathBuf>,
    /// How long a token is good for, in seconds.
    pub token_seconds: u32,
}

/// Facts about the retailer that rules need.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retailer {
    /// Regions for phone numbers without a country code, most likely first.
    pub phone_regions: Vec<String>,
    /// Where the retailer's days begin and end.
    pub timezone: Tz,
}

impl Retailer {
    /// The beginning of the day that an instant is in.
    pub fn midnight(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let day = at.with_timezone(&self.timezone).date_naive();
        // Where clocks are put forward at midnight, the day begins an hour later.
        (0..24)
            .filter_map(|hour| day.and_hms_opt(hour, 0, 0)?.and_local_timezone(self.timezone).earliest())
            .next()
            .map_or(at, |midnight| midnight.to_utc())
    }
}

/// How much one role may give one customer on one day. An administrator may give without limit.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceilings {
    /// Points that an agent may credit as goodwill.
    pub agent_goodwill_points: i64,
    /// Points that a supervisor may credit as goodwill.
    pub supervisor_goodwill_points: i64,
}

/// Most minutes for which points can be reserved at a till.
pub const MOST_HOLD_MINUTES: i32 = 24 * 60;

/// Points at the till, and coupons.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loyalty {
    /// For how many minutes points are reserved at a till that does not say.
    pub hold_minutes: i32,
    /// For how many days a coupon can be used that does not say; 0 is for ever.
    pub coupon_days: u16,
}

/// How the help desk works.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tickets {
    /// Codes of the segments whose customers are served first.
    pub vip_segments: Vec<String>,
    /// Codes of the loyalty tiers whose customers are served first.
    pub vip_tiers: Vec<String>,
    /// After how many days a solved ticket is closed for good; 0 for never.
    pub close_after_days: u16,
}

/// Whether staff have to check who is calling before they change what somebody is recognised or reached by.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Whether such changes are refused without a check.
    pub required: bool,
    /// How long a check counts, in minutes.
    pub minutes: u32,
    /// How many may fail in that time before no more are taken; 0 for any number.
    pub failures: u32,
}

/// Settings of `/graphiql`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graphiql {
    /// Whether the page is served.
    pub enabled: bool,
    /// What only a demo offers there; no setting says it.
    #[serde(skip)]
    pub demo: Option<Demo>,
}

/// What a demo offers at `/graphiql`.
#[derive(Clone)]
pub struct Demo {
    /// The e-mail address of the customer to ask for.
    pub email: String,
    /// A token for each kind of caller, by its name.
    pub tokens: Vec<(&'static str, String)>,
}

impl std::fmt::Debug for Demo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").finish_non_exhaustive()
    }
}

/// Settings of the log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// For whom it is written.
    pub format: LogFormat,
    /// A level, and levels of modules.
    pub filter: String,
}

/// For whom the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// People.
    Text,
    /// Machines.
    Json,
}

/// Where figures are served.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// `HOST:PORT` of `/metrics`; empty when it is off.
    pub listen: String,
}

/// Where traces are sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracing {
    /// The base address of an OTLP collector that speaks HTTP; empty when there is none.
    pub otlp_endpoint: String,
    /// `service.name` of the spans.
    pub service_name: String,
    /// How many of a hundred requests are traced, when whoever calls has not decided.
    pub sample_percent: u8,
}

/// What makes the event log hard to forge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Private keys as PEM files: the first signs heads, all are believed.
    pub signing_key_files: Vec<PathBuf>,
    /// How many positions lie between two heads at most.
    pub head_every: i64,
    /// How old a head may be when there are later events, in seconds.
    pub head_seconds: i64,
}

/// What is due and nobody asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Whether this gateway leads jobs.
    pub enabled: bool,
}

/// How the gateway stops.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// How long requests are still taken after the signal, in milliseconds.
    pub grace_ms: u64,
    /// How long requests in flight may take after that, in milliseconds.
    pub drain_ms: u64,
}

/// Settings whose variables have names that are usual elsewhere, too.
const USUAL_NAMES: &[(&str, &str, &str)] = &[
    ("DATABASE_URL", "database", "url"),
    ("REDIS_URL", "redis", "url"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "tracing", "otlp_endpoint"),
    ("OTEL_SERVICE_NAME", "tracing", "service_name"),
];

/// What is wrong with the settings, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    /// Defaults, then the file, then what `env` answers for a variable's name.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown setting or a value of the wrong kind.
    pub fn load(file: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut table: Table = parse(DEFAULTS, "config.default.toml")?;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|e| ConfigError(format!("cannot read the settings in {}: {e}", path.display())))?;
            overlay(&mut table, parse(&text, &path.display().to_string())?, "")?;
        }
        from_environment(&mut table, "C360", env)?;
        complete_issuers(&mut table, env)?;
        for (name, section, key) in USUAL_NAMES {
            if let Some(text) = variable(name, env)?
                && let Some(Value::Table(section)) = table.get_mut(*section)
            {
                section.insert((*key).into(), Value::String(text));
            }
        }
        let config: Self = table.try_into().map_err(|e: toml::de::Error| ConfigError(whole_line(&e)))?;
        config.check()
    }

    /// What the kinds of the values do not say. Addresses may hold passwords: they are never repeated.
    fn check(self) -> Result<Self, ConfigError> {
        let refuse = |text: &str| Err(ConfigError(text.into()));
        let starts = |text: &str, with: &[&str]| text.is_empty() || with.iter().any(|start| text.starts_with(start));
        if self.limits.depth > MOST_NESTING {
            return Err(ConfigError(format!(
                "limits.depth is {}; it can be at most {MOST_NESTING}",
                self.limits.depth
            )));
        }
        if self.database.max_connections == 0 {
            return refuse("database.max_connections must be at least 1");
        }
        if !starts(&self.database.url, &["sqlite:", "postgres://", "postgresql://"]) {
            return refuse("database.url (DATABASE_URL) must start with sqlite:// or postgres://");
        }
        let redis = &self.redis.url;
        if !starts(redis, &["redis://", "rediss://"])
            || (!redis.is_empty() && redis::Client::open(redis.as_str()).is_err())
        {
            return refuse("redis.url (REDIS_URL) must start with redis:// or rediss://, and name a host");
        }
        if !starts(&self.tracing.otlp_endpoint, &["http://", "https://"]) {
            return refuse("tracing.otlp_endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) must start with http:// or https://");
        }
        if self.tracing.sample_percent > 100 {
            return refuse("tracing.sample_percent must be from 0 to 100");
        }
        if self.events.head_every < 1 || self.events.head_seconds < 1 {
            return refuse("events.head_every and events.head_seconds must be at least 1");
        }
        if !(1..=MOST_HOLD_MINUTES).contains(&self.loyalty.hold_minutes) {
            return Err(ConfigError(format!("loyalty.hold_minutes must be from 1 to {MOST_HOLD_MINUTES}")));
        }
        if self.connections.max == 0 {
            return refuse("connections.max must be at least 1");
        }
        Ok(self)
    }
}

fn parse(text: &str, name: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|e: toml::de::Error| ConfigError(format!("{name}: {}", one_line(&e))))
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

/// With the name of the setting, which stands below the message.
fn whole_line(error: &toml::de::Error) -> String {
    error.to_string().trim_end().replace('\n', " ")
}

fn overlay(base: &mut Table, over: Table, path: &str) -> Result<(), ConfigError> {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (None, value) if path == "auth.issuers." && value.is_table() => _ = base.insert(key, value),
            (None, _) => return Err(ConfigError(format!("there is no setting {path}{key}"))),
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value, &format!("{path}{key}."))?,
            (Some(slot), value) => *slot = value,
        }
    }
    Ok(())
}

fn from_environment(table: &mut Table, prefix: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    for (key, slot) in table.iter_mut() {
        let name = format!("{prefix}_{}", key.to_uppercase());
        if let Value::Table(inner) = slot {
            from_environment(inner, &name, env)?;
        } else if let Some(text) = variable(&name, env)? {
            *slot = match slot {
                Value::Integer(_) => Value::Integer(
                    text.parse().map_err(|_| ConfigError(format!("{name} must be a whole number, not \"{text}\"")))?,
                ),
                Value::Boolean(_) => Value::Boolean(
                    text.parse().map_err(|_| ConfigError(format!("{name} must be true or false, not \"{text}\"")))?,
                ),
                Value::Array(_) => {
                    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                    Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
                }
                _ => Value::String(text),
            };
        }
    }
    Ok(())
}

/// What says who an issuer is; never taken from another one.
const OF_ONE_ISSUER: [&str; 4] = ["issuer", "jwks_url", "jwks_file", "public_key_file"];
/// What an issuer that does not say otherwise has in common with the one in `[auth]`.
const SHARED_BY_ISSUERS: [&str; 6] = ["audience", "algorithms", "typ", "callers", "claims", "roles"];

/// Gives each issuer of `[auth.issuers]`, and of the list of names in C360_AUTH_ISSUERS, what it does not set itself.
fn complete_issuers(table: &mut Table, env: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    let Some(Value::Table(auth)) = table.get_mut("auth") else { return Ok(()) };
    let mut template = Table::new();
    for key in OF_ONE_ISSUER {
        template.insert(key.into(), Value::String(String::new()));
    }
    for key in SHARED_BY_ISSUERS {
        template.extend(auth.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    let Some(Value::Table(issuers)) = auth.get_mut("issuers") else { return Ok(()) };
    for name in variable("C360_AUTH_ISSUERS", env)?.unwrap_or_default().split(',').map(str::trim) {
        if !name.is_empty() && !issuers.contains_key(name) {
            issuers.insert(name.to_owned(), Value::Table(Table::new()));
        }
    }
    for (name, issuer) in issuers.iter_mut() {
        let mut complete = template.clone();
        if let Value::Table(own) = std::mem::replace(issuer, Value::Boolean(false)) {
            overlay(&mut complete, own, &format!("auth.issuers.{name}."))?;
        }
        let prefix = format!("C360_AUTH_ISSUERS_{}", name.to_uppercase().replace('-', "_"));
        from_environment(&mut complete, &prefix, env)?;
        *issuer = Value::Table(complete);
    }
    Ok(())
}

/// The variable itself, or the content of the file that `NAME_FILE` names.
fn variable(name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, ConfigError> {
    if let Some(text) = env(name) {
        return Ok(Some(text));
    }
    let Some(path) = env(&format!("{name}_FILE")).filter(|_| !name.ends_with("_FILE")) else { return Ok(None) };
    let text =
        std::fs::read_to_string(&path).map_err(|e| ConfigError(format!("{name}_FILE: cannot read {path}: {e}")))?;
    Ok(Some(text.trim_end().to_owned()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "listen = \"0.0.0.0:1\"\n[auth]\nissuer = \"file\"\naudience = \"file\"").unwrap();
        let env = |name: &str| (name == "C360_AUTH_ISSUER").then(|| "env".to_owned());
        let config = Config::load(Some(file.path()), &env).unwrap();
        assert_eq!(
            (config.listen.as_str(), config.auth.main.issuer.as_str(), config.auth.main.audience.as_str()),
            ("0.0.0.0:1", "env", "file")
        );
        assert_eq!(config.auth.main.typ, "at+jwt");
    }

    #[test]
    fn a_secret_may_come_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "postgres://secret\n").unwrap();
        let path = file.path().display().to_string();
        let config = Config::load(None, &|name| (name == "DATABASE_URL_FILE").then(|| path.clone())).unwrap();
        assert_eq!(config.database.url, "postgres://secret");
    }

    #[test]
    fn an_unknown_or_wrong_setting_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[auth]\nisuer = \"x\"").unwrap();
        assert_eq!(
            Config::load(Some(file.path()), &|_| None).unwrap_err().to_string(),
            "there is no setting auth.isuer"
        );
        let env = |name: &str| (name == "C360_GRAPHIQL_ENABLED").then(|| "yes".to_owned());
        assert!(
            Config::load(None, &env).unwrap_err().to_string().contains("C360_GRAPHIQL_ENABLED must be true or false")
        );
        let env = |name: &str| (name == "C360_DATABASE_MAX_CONNECTIONS").then(|| "many".to_owned());
        assert!(Config::load(None, &env).unwrap_err().to_string().contains("C360_DATABASE_MAX_CONNECTIONS"));
        for (name, value, says) in [
            ("C360_DATABASE_ACQUIRE_TIMEOUT_MS", "-1", "acquire_timeout_ms"),
            ("DATABASE_URL", "mysql://secret", "database.url"),
            ("REDIS_URL", "secret:6379", "redis.url"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "secret:4318", "tracing.otlp_endpoint"),
            ("C360_TRACING_SAMPLE_PERCENT", "101", "tracing.sample_percent"),
            ("C360_CONNECTIONS_MAX", "0", "connections.max"),
            ("C360_LOG_FORMAT", "xml", "`xml`, expected `text` or `json` in `log.format`"),
            ("C360_DOCUMENTS_INTROSPECTION", "some", "`all`, `staff`, `none` in `documents.introspection`"),
            ("C360_AUTH_CALLERS", "staff,kings", "`kings`, expected one of `staff`, `customers`, `partners` in `auth"),
        ] {
            let error = Config::load(None, &|asked| (asked == name).then(|| value.to_owned())).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("secret") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn an_issuer_is_set_in_the_file_or_in_the_environment_and_shares_all_but_its_keys() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[auth]\nissuer = \"a\"\naudience = \"c360\"\njwks_url = \"https://a.test\"\n\
                    [auth.issuers.shop-login]\nissuer = \"b\"\ncallers = [\"customers\"]\n\
                    [auth.issuers.shop-login.claims]\nclient_id = [\"azp\"]\n";
        std::fs::write(file.path(), text).unwrap();
        let env = |name: &str| {
            let value = match name {
                "C360_AUTH_ISSUERS" => "entra",
                "C360_AUTH_ISSUERS_ENTRA_ISSUER" => "c",
                "C360_AUTH_ISSUERS_ENTRA_CLAIMS_CLIENT_ID" => "azp, appid",
                "C360_AUTH_ISSUERS_SHOP_LOGIN_JWKS_URL" => "https://b.test",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let auth = Config::load(Some(file.path()), &env).unwrap().auth;
        let (shop, entra) = (&auth.issuers["shop-login"], &auth.issuers["entra"]);
        assert_eq!(
            (shop.issuer.as_str(), shop.audience.as_str(), shop.jwks_url.as_str()),
            ("b", "c360", "https://b.test")
        );
        assert_eq!((&shop.claims.client_id, &shop.claims.scope), (&vec!["azp".to_owned()], &auth.main.claims.scope));
        assert_eq!((entra.issuer.as_str(), entra.jwks_url.as_str()), ("c", ""));
        assert_eq!(entra.claims.client_id, ["azp", "appid"]);

        std::fs::write(file.path(), "[auth.issuers.x]\nisuer = \"b\"").unwrap();
        let wrong = Config::load(Some(file.path()), &|_| None).unwrap_err().to_string();
        assert_eq!(wrong, "there is no setting auth.issuers.x.isuer");
    }
}
