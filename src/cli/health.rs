//! `c360 health`: for containers, which have nothing else to ask with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::Failure;
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The gateway's address, as HOST:PORT; the setting `listen` if none is given.
    #[arg(long, value_name = "ADDR")]
    address: Option<String>,
    /// Ask only whether the process runs.
    #[arg(long)]
    live: bool,
}

/// How long the gateway may take.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let address = arguments.address.as_ref().unwrap_or(&config.listen);
    let url = format!("http://{}/{}", reachable(address), if arguments.live { "livez" } else { "readyz" });
    let failed = |error: reqwest::Error| {
        let why = if error.is_timeout() { "no answer in time" } else { "nobody answers" };
        Failure::Other(format!("{url}: {why}"))
    };
    let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().map_err(failed)?;
    let answer = http.get(&url).send().await.map_err(failed)?;
    let is_good = answer.status().is_success();
    let text = answer.text().await.map_err(failed)?.trim_end().to_owned();
    if !is_good {
        return Err(Failure::Other(text));
    }
    println!("{text}");
    Ok(())
}

/// A gateway that listens on all of its addresses is asked on its own.
fn reachable(address: &str) -> String {
    match address.parse::<SocketAddr>() {
        Ok(SocketAddr::V4(all)) if all.ip().is_unspecified() => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), all.port()).to_string()
        }
        Ok(SocketAddr::V6(all)) if all.ip().is_unspecified() => {
            SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), all.port()).to_string()
        }
        _ => address.to_owned(),
    }
}
