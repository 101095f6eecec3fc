//! `c360 token`: keys and tokens for development, and what is not believed any more.

use std::path::PathBuf;

use c360_rules::access::Role;
use c360_rules::id::{self, Kind};
use chrono::TimeDelta;

use super::Failure;
use crate::auth::issue::{NewKey, Signer, Subject};
use crate::auth::revocations::{self, Revoked};
use crate::clock::Clock;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a signing key: DIR/private.pem and, to verify with, DIR/jwks.json.
    NewKey {
        /// The folder to write to; it is made if it is missing.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// A token for an agent.
    Agent(StaffToken),
    /// A token for a supervisor.
    Supervisor(StaffToken),
    /// A token for an admin.
    Admin(StaffToken),
    /// A token for a customer.
    Customer {
        /// The customer's id, as `customer_01h…`.
        #[arg(long)]
        customer_id: String,
        #[command(flatten)]
        signing: Signing,
    },
    /// A token for a partner.
    Partner {
        /// The partner's client id, as registered.
        #[arg(long)]
        client_id: String,
        /// The scopes, separated by spaces: "customers:read orders:read".
        #[arg(long, default_value = "")]
        scope: String,
        #[command(flatten)]
        signing: Signing,
    },
    /// Refuse a token, all tokens of a client, or all tokens of a key, on every gateway within five seconds.
    Revoke(Revocation),
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("revoked").required(true))]
struct Revocation {
    /// A token; "-" reads it from standard input.
    #[arg(long, group = "revoked")]
    token: Option<String>,
    /// The `jti` of a token.
    #[arg(long, group = "revoked", value_name = "JTI", requires = "issuer")]
    token_id: Option<String>,
    /// The client whose tokens are refused, those to come as well, until it is restored.
    #[arg(long, group = "revoked", value_name = "ID")]
    client: Option<String>,
    /// The `kid` of a key whose tokens are refused, whether or not its issuer still publishes it.
    #[arg(long, group = "revoked", value_name = "KID", requires = "issuer")]
    key: Option<String>,
    /// The `iss` of the token or the key.
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,
    /// Take the revocation back.
    #[arg(long)]
    restore: bool,
}

#[derive(Debug, clap::Args)]
struct StaffToken {
    /// Who the person is to the identity provider.
    #[arg(long, default_value = "agent-1")]
    subject: String,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, clap::Args)]
struct Signing {
    /// The private key to sign with, in PEM. There is no default, so that no key is used by accident.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// How long the token is good for, in minutes.
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=527_040))]
    minutes: i64,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let (subject, signing) = match arguments.what {
        What::Revoke(revocation) => return revoke(config, revocation).await,
        What::NewKey { folder } => return new_key(&folder),
        What::Agent(token) => staff(Role::Agent, token),
        What::Supervisor(token) => staff(Role::Supervisor, token),
        What::Admin(token) => staff(Role::Admin, token),
        What::Customer { customer_id, signing } => {
            let id = id::decode(Kind::Customer, &customer_id)
                .map_err(|error| Failure::Other(format!("--customer-id: {error}")))?;
            (Subject::Customer(id), signing)
        }
        What::Partner { client_id, scope, signing } => (Subject::Partner { client_id, scope }, signing),
    };
    if config.auth.main.issuer.is_empty() || config.auth.main.audience.is_empty() {
        return Err(Failure::Other("set C360_AUTH_ISSUER and C360_AUTH_AUDIENCE to what the gateway expects".into()));
    }
    let pem = std::fs::read(&signing.key)
        .map_err(|error| Failure::Other(format!("cannot read {}: {error}", signing.key.display())))?;
    let signer = Signer::from_pem(&pem).map_err(|error| Failure::Other(error.to_string()))?;
    let lifetime = TimeDelta::minutes(signing.minutes);
    let token = signer
        .token(&config.auth.main.issuer, &config.auth.main.audience, &subject, Clock::System.now(), lifetime)
        .map_err(|error| Failure::Other(error.to_string()))?;
    println!("{token}");
    Ok(())
}

fn staff(role: Role, token: StaffToken) -> (Subject, Signing) {
    (Subject::Staff { subject: token.subject, role }, token.signing)
}

async fn revoke(config: &Config, revocation: Revocation) -> Result<(), Failure> {
    let issuer = revocation.issuer.unwrap_or_default();
    let (what, ends) = match (revocation.token, revocation.token_id, revocation.client, revocation.key) {
        (Some(token), ..) => {
            let token = if token == "-" { std::io::read_to_string(std::io::stdin())? } else { token };
            Revoked::token(token.trim()).map_err(|_| Failure::Other("--token: this is no token".into()))?
        }
        (_, Some(id), ..) => (Revoked::TokenId(issuer, id), None),
        (.., Some(client), _) => (Revoked::Client(client), None),
        (.., Some(key)) => (Revoked::Key(issuer, key), None),
        _ => return Err(Failure::Other("say what to revoke".into())),
    };
    let database = super::open(config).await?;
    super::require_current_schema(&database).await?;
    let now = Clock::System.now();
    if revocation.restore {
        if !revocations::restore(&database, &what).await? {
            return Err(Failure::Other("this is not revoked".into()));
        }
        println!("restored; every gateway accepts it again within five seconds");
    } else if ends.is_some_and(|ends| ends < now) {
        println!("this token has expired; there is nothing to revoke");
    } else {
        revocations::revoke(&database, &what, ends, now).await?;
        println!("revoked; every gateway refuses it within five seconds");
    }
    Ok(())
}

fn new_key(folder: &std::path::Path) -> Result<(), Failure> {
    let key = NewKey::generate().map_err(|error| Failure::Other(error.to_string()))?;
    std::fs::create_dir_all(folder)?;
    let private = folder.join("private.pem");
    if private.exists() {
        return Err(Failure::Other(format!("{} exists already; it is not overwritten", private.display())));
    }
    write_secret(&private, &key.private_pem)?;
    std::fs::write(folder.join("jwks.json"), key.jwks)?;
    println!("wrote {} and {}", private.display(), folder.join("jwks.json").display());
    Ok(())
}

/// Writes a file that only its owner may read.
pub(super) fn write_secret(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
