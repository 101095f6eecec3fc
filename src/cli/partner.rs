//! `c360 partner`: who may come with a machine.

use std::path::{Path, PathBuf};

use async_graphql::resolver_utils::EnumType;
use c360_rules::access::{Scope, Scopes};
use chrono::TimeDelta;

use super::Failure;
use crate::auth::partners::{self, NewPartner, PartnerError};
use crate::clock::Clock;
use crate::config::Config;
use crate::domains::customers::store::ConsentPurpose;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Register a partner. Prints its client id and its secret, which is shown this once.
    Create(New),
    /// Give a partner a new secret, which is shown this once.
    Rotate {
        /// The partner's client id.
        client_id: String,
        /// How long the old secret, and the tokens got with it, go on working: 90s, 30m, 24h, 7d, or 0 for not at all.
        #[arg(long, default_value = "24h", value_name = "TIME", value_parser = duration)]
        grace: TimeDelta,
        #[command(flatten)]
        output: Output,
    },
    /// Shut a partner out, within five seconds, whatever tokens it holds.
    Disable {
        /// The partner's client id.
        client_id: String,
    },
    /// Let a partner in again.
    Enable {
        /// The partner's client id.
        client_id: String,
    },
    /// Show all partners.
    List,
}

#[derive(Debug, clap::Args)]
struct New {
    /// What people call the partner.
    name: String,
    /// The source under which its records stand, such as "shop". No two partners share one.
    #[arg(long, value_name = "S")]
    source: String,
    /// What the partner may do, separated by spaces: "customers:read orders:write".
    #[arg(long, default_value = "", value_name = "SCOPES")]
    scope: Vec<String>,
    /// What the customers' data is used for, separated by spaces, as consents name it: "SERVICE DELIVERY".
    #[arg(long, default_value = "", value_name = "PURPOSES")]
    purpose: Vec<String>,
    /// What the partner is.
    #[arg(long, default_value = "OTHER", ignore_case = true, value_parser = ["POS", "SHOP", "CARRIER", "REVIEW_SITE", "SURVEY_TOOL", "MARKETING", "PAYMENT_PROVIDER", "OTHER"])]
    kind: String,
    /// The client id; made from the name if none is given.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Args)]
struct Output {
    /// Write client id and secret to this file as JSON, which only you may read, instead of printing them.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<(), Failure> {
    let database = super::open(config).await?;
    super::require_current_schema(&database).await?;
    let now = Clock::System.now();
    match arguments.what {
        What::Create(new) => {
            let output = new.output.secret_file.clone();
            refuse_to_overwrite(output.as_deref())?;
            let partner = checked(new)?;
            let client_id = partner.client_id.clone();
            let secret = partners::create(&database, partner, now).await?;
            show(&client_id, &secret, output.as_deref())
        }
        What::Rotate { client_id, grace, output } => {
            refuse_to_overwrite(output.secret_file.as_deref())?;
            let secret = partners::rotate(&database, &client_id, grace, now).await?;
            show(&client_id, &secret, output.secret_file.as_deref())
        }
        What::Disable { client_id } => {
            partners::set_disabled(&database, &client_id, Some(now)).await?;
            println!("{client_id} is disabled; every gateway refuses it within five seconds");
            Ok(())
        }
        What::Enable { client_id } => {
            partners::set_disabled(&database, &client_id, None).await?;
            println!("{client_id} is enabled");
            Ok(())
        }
        What::List => {
            for (partner, secrets) in partners::list(&database, now).await? {
                let state =
                    partner.disabled_at.map_or_else(|| "enabled".to_owned(), |at| format!("disabled since {at}"));
                println!("{}\t{}\t{}\t{}", partner.client_id, partner.source, partner.kind, state);
                println!("  {}", partner.name);
                println!("  scopes    {}", partner.scopes);
                println!("  purposes  {}", partner.purposes);
                println!("  secrets   {secrets}");
            }
            Ok(())
        }
    }
}

fn checked(new: New) -> Result<NewPartner, Failure> {
    let mut scopes = Scopes::NONE;
    for word in new.scope.iter().flat_map(|list| list.split_ascii_whitespace()) {
        let scope: Scope = word.parse().map_err(|_| Failure::Other(format!("--scope: \"{word}\" is not a scope")))?;
        scopes = scopes | scope.into();
    }
    let purposes: Vec<String> =
        new.purpose.iter().flat_map(|list| list.split_ascii_whitespace()).map(str::to_owned).collect();
    let known: Vec<&str> = <ConsentPurpose as EnumType>::items().iter().map(|item| item.name).collect();
    if let Some(word) = purposes.iter().find(|word| !known.contains(&word.as_str())) {
        let known = known.join(", ");
        return Err(Failure::Other(format!("--purpose: \"{word}\" is not a purpose: there are {known}")));
    }
    let client_id = new.client_id.unwrap_or_else(|| slug(&new.name));
    let is_plain = |text: &str| {
        !text.is_empty() && text.len() <= 100 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    if !is_plain(&client_id) {
        return Err(Failure::Other("--client-id: use letters, digits, '-', '_' and '.'".into()));
    }
    if !is_plain(&new.source) {
        return Err(Failure::Other("--source: use letters, digits, '-', '_' and '.'".into()));
    }
    let kind = new.kind.to_ascii_uppercase();
    Ok(NewPartner { name: new.name, client_id, source: new.source, kind, scopes, purposes })
}

/// "Acme POS" is acme-pos.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<_> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// Before anything is changed: a secret that cannot be written would be lost.
fn refuse_to_overwrite(file: Option<&Path>) -> Result<(), Failure> {
    match file {
        Some(file) if file.exists() => {
            Err(Failure::Other(format!("{} exists already; it is not overwritten", file.display())))
        }
        _ => Ok(()),
    }
}

fn show(client_id: &str, secret: &str, file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = file else {
        println!("client_id      {client_id}\nclient_secret  {secret}");
        eprintln!("The secret is not kept and is not shown again.");
        return Ok(());
    };
    let text = serde_json::json!({ "client_id": client_id, "client_secret": secret });
    super::token::write_secret(file, &format!("{text:#}\n"))?;
    println!("wrote {}", file.display());
    Ok(())
}

fn duration(text: &str) -> Result<TimeDelta, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u32 = digits.parse().map_err(|_| "expected a time such as 90s, 30m, 24h or 7d".to_owned())?;
    let number = i64::from(number);
    match &text[digits.len()..] {
        "s" => Ok(TimeDelta::seconds(number)),
        "m" => Ok(TimeDelta::minutes(number)),
        "h" => Ok(TimeDelta::hours(number)),
        "d" if number <= 36_500 => Ok(TimeDelta::days(number)),
        "" if number == 0 => Ok(TimeDelta::zero()),
        _ => Err("expected a time such as 90s, 30m, 24h or 7d".to_owned()),
    }
}

impl From<PartnerError> for Failure {
    fn from(error: PartnerError) -> Self {
        match error {
            PartnerError::Database(error) => error.into(),
            other => Self::Other(other.to_string()),
        }
    }
}
