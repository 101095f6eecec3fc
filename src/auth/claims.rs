//! What an issuer says in a token, in the words of this gateway.

use c360_rules::access::{Role, Scopes};
use c360_rules::id::{self, Kind};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::CustomerIdentity;
use super::token::Refused;
use crate::config::{self, Callers, ConfigError};

/// Longest name of a subject, a client or a token, in bytes.
const LONGEST_NAME: usize = 512;
/// The end of the year 9999: no token is good for longer.
const END_OF_TIME: i64 = 253_402_300_799;
/// In the gateway's own tokens: the secret with which the token was got. It is worth nothing without it.
pub(super) const SECRET_CLAIM: &str = "c360_secret";

/// What an issuer vouches for in a token.
#[derive(Clone, Debug)]
pub(super) struct Vouched {
    pub(super) who: Who,
    pub(super) subject: String,
    pub(super) client_id: String,
    /// What the token grants; for staff, what the roles grant.
    pub(super) scopes: Scopes,
    pub(super) token_id: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) expires_at: DateTime<Utc>,
}

/// One of the three kinds of caller, before it is looked up.
#[derive(Clone, Debug)]
pub(super) enum Who {
    Staff(Role),
    Customer(CustomerIdentity),
    Partner,
}

/// Reads the claims of one issuer.
#[derive(Debug)]
pub(super) struct Reader {
    issuer: String,
    audience: String,
    claims: config::Claims,
    roles: config::Roles,
    staff: bool,
    customers: bool,
    partners: bool,
}

impl Reader {
    /// As the settings of the issuer say.
    pub(super) fn new(issuer: &config::Issuer) -> Result<Self, ConfigError> {
        if issuer.audience.is_empty() {
            return Err(ConfigError(
                "auth.audience (C360_AUTH_AUDIENCE) is not set: without it no token can be verified".into(),
            ));
        }
        let may = |callers: Callers| issuer.callers.contains(&callers);
        Ok(Self {
            issuer: issuer.issuer.clone(),
            audience: issuer.audience.clone(),
            claims: issuer.claims.clone(),
            roles: issuer.roles.clone(),
            staff: may(Callers::Staff),
            customers: may(Callers::Customers),
            partners: may(Callers::Partners),
        })
    }

    /// What a token whose signature is verified says, at the time `now`.
    pub(super) fn read(
        &self,
        claims: &Map<String, Value>,
        now: DateTime<Utc>,
        leeway: i64,
    ) -> Result<Vouched, Refused> {
        let is_for_us = match claims.get("aud") {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(&self.audience)),
            _ => false,
        };
        let (exp, nbf, iat) = (time(claims, "exp")?.ok_or(Refused)?, time(claims, "nbf")?, time(claims, "iat")?);
        let seconds = now.timestamp();
        let is_early = |at: Option<i64>| at.is_some_and(|at| at > seconds.saturating_add(leeway));
        if !is_for_us || exp > END_OF_TIME || seconds >= exp.saturating_add(leeway) || is_early(nbf) || is_early(iat) {
            return Err(Refused);
        }
        let subject = name(claims.get("sub"))?.ok_or(Refused)?;
        let client_id = name(self.find(claims, &self.claims.client_id))?.ok_or(Refused)?;
        let (who, scopes) = self.who(claims, &subject, &client_id)?;
        Ok(Vouched {
            who,
            scopes,
            token_id: name(claims.get("jti"))?,
            secret: name(claims.get(SECRET_CLAIM))?,
            expires_at: DateTime::from_timestamp(exp, 0).ok_or(Refused)?,
            subject,
            client_id,
        })
    }

    fn who(&self, claims: &Map<String, Value>, subject: &str, client_id: &str) -> Result<(Who, Scopes), Refused> {
        if let Some(role) = self.role(claims)? {
            return if self.staff { Ok((Who::Staff(role), role.scopes())) } else { Err(Refused) };
        }
        if let Some(customer) = self.find(claims, &self.claims.customer_id) {
            let id = customer.as_str().and_then(|text| id::decode(Kind::Customer, text).ok()).ok_or(Refused)?;
            return self.customer(CustomerIdentity::Id(id));
        }
        // RFC 9068, section 2.2: where no person is involved, `sub` is the client.
        if subject == client_id || self.claims.partner.iter().any(|mark| is_marked(claims, mark)) {
            let scope = words(self.find(claims, &self.claims.scope))?.join(" ");
            return if self.partners { Ok((Who::Partner, Scopes::parse(&scope))) } else { Err(Refused) };
        }
        self.customer(CustomerIdentity::External { issuer: self.issuer.clone(), subject: subject.to_owned() })
    }

    fn customer(&self, identity: CustomerIdentity) -> Result<(Who, Scopes), Refused> {
        if self.customers { Ok((Who::Customer(identity), Scopes::NONE)) } else { Err(Refused) }
    }

    /// The most powerful role of those that the token names; it is refused if it names none that is known.
    fn role(&self, claims: &Map<String, Value>) -> Result<Option<Role>, Refused> {
        let has = |names: &[String], role: &str| names.iter().any(|name| name == role);
        let mut named = words(self.find(claims, &self.claims.roles))?;
        named.sort_unstable();
        let mut highest = None;
        let mut is_unknown = false;
        for role in named {
            let known = match role {
                role if has(&self.roles.admin, role) => Some(Role::Admin),
                role if has(&self.roles.supervisor, role) => Some(Role::Supervisor),
                role if has(&self.roles.agent, role) => Some(Role::Agent),
                _ => None,
            };
            is_unknown |= known.is_none() && !has(&self.roles.ignored, role) && !has(&self.roles.ignored, "*");
            highest = highest.max(known);
        }
        if highest.is_none() && is_unknown { Err(Refused) } else { Ok(highest) }
    }

    fn find<'a>(&self, claims: &'a Map<String, Value>, names: &[String]) -> Option<&'a Value> {
        names.iter().find_map(|name| at(claims, name))
    }
}

/// A claim by its name, or by a JSON pointer.
fn at<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(pointer) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = pointer.split_once('/').map_or((pointer, ""), |(first, _)| (first, &pointer[first.len()..]));
    claims.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
}

/// Whether `claim`, or `claim=value`, holds.
fn is_marked(claims: &Map<String, Value>, mark: &str) -> bool {
    match mark.split_once('=') {
        Some((claim, value)) => at(claims, claim).and_then(Value::as_str) == Some(value),
        None => at(claims, mark).is_some(),
    }
}

/// A name that says something, if there is one.
fn name(value: Option<&Value>) -> Result<Option<String>, Refused> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= LONGEST_NAME => Ok(Some(text.clone())),
        Some(_) => Err(Refused),
    }
}

/// A text of words, or a list of them.
fn words(value: Option<&Value>) -> Result<Vec<&str>, Refused> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.split_ascii_whitespace().collect()),
        Some(Value::Array(list)) => list.iter().map(|word| word.as_str().ok_or(Refused)).collect(),
        Some(_) => Err(Refused),
    }
}

/// A time in seconds, perhaps with a fraction (RFC 7519, NumericDate).
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refused> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    if let Some(seconds) = value.as_i64() {
        return Ok(Some(seconds));
    }
    match value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "within bounds, and the fraction is not wanted")]
        Some(seconds) if seconds.abs() <= END_OF_TIME as f64 => Ok(Some(seconds.floor() as i64)),
        _ => Err(Refused),
    }
}
