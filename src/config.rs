//! Settings: load, validate, freeze. `config.default.toml` documents and defaults every one of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

/// The commented defaults, which are also the list of all settings.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// All settings of a run, complete and frozen.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the gateway listens, `HOST:PORT`.
    pub listen: String,
    /// The database.
    pub database: Database,
    /// How tokens are verified.
    pub auth: Auth,
    /// The tokens that the gateway itself gives to partners.
    pub oauth: Oauth,
    /// Facts about the retailer.
    pub retailer: Retailer,
    /// What is logged and how.
    pub log: Log,
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
    /// Whom the tokens may speak for: `staff`, `customers`, `partners`.
    pub callers: Vec<String>,
    /// What the claims are called.
    pub claims: Claims,
    /// What the roles are called.
    pub roles: Roles,
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
}

/// Settings of the log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: String,
    /// An `EnvFilter` directive.
    pub filter: String,
}

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
        if let Some(url) = variable("DATABASE_URL", env)?
            && let Some(Value::Table(database)) = table.get_mut("database")
        {
            database.insert("url".into(), Value::String(url));
        }
        let config: Self = table.try_into().map_err(|e: toml::de::Error| ConfigError(one_line(&e)))?;
        config.check()
    }

    fn check(self) -> Result<Self, ConfigError> {
        if !matches!(self.log.format.as_str(), "text" | "json") {
            return Err(ConfigError(format!("log.format is \"{}\"; it must be \"text\" or \"json\"", self.log.format)));
        }
        if self.database.max_connections == 0 {
            return Err(ConfigError("database.max_connections must be at least 1".into()));
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
        let env = |name: &str| (name == "C360_DATABASE_MAX_CONNECTIONS").then(|| "many".to_owned());
        assert!(Config::load(None, &env).unwrap_err().to_string().contains("C360_DATABASE_MAX_CONNECTIONS"));
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
