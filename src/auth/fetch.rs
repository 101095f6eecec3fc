//! Reading an issuer's keys from its address.

use std::time::Duration;

use crate::config::ConfigError;

/// Largest JWK set, in bytes.
const MOST_BYTES: usize = 256 * 1024;

/// An address that is fit to take keys from.
#[derive(Clone, Debug)]
pub(super) struct Address {
    client: reqwest::Client,
    url: reqwest::Url,
}

impl Address {
    /// Checks the address; an answer has to come within `timeout`.
    pub(super) fn new(text: &str, timeout: Duration) -> Result<Self, ConfigError> {
        let url = checked(text)?;
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .user_agent(concat!("c360/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ConfigError(format!("auth.jwks_url: {error}")))?;
        Ok(Self { client, url })
    }

    /// What lies there now, and how long it is good for, if the answer says so.
    pub(super) async fn fetch(&self) -> Result<(Vec<u8>, Option<Duration>), String> {
        let failed = |error: reqwest::Error| {
            let error = error.without_url();
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            text
        };
        let request = self.client.get(self.url.clone()).header("accept", "application/jwk-set+json, application/json");
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("it answers {}", response.status()));
        }
        let good_for = response
            .headers()
            .get("cache-control")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse().ok()))
            .map(Duration::from_secs);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MOST_BYTES {
                return Err(format!("the answer has more than {MOST_BYTES} bytes"));
            }
        }
        Ok((bytes, good_for))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.url.fmt(f)
    }
}

/// An address to read keys from: whoever can change what comes from there can make tokens.
fn checked(text: &str) -> Result<reqwest::Url, ConfigError> {
    let url = reqwest::Url::parse(text).map_err(|error| ConfigError(format!("auth.jwks_url \"{text}\": {error}")))?;
    let is_here = match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        _ => Err(ConfigError(format!("auth.jwks_url \"{text}\" must be https (http only to this machine)"))),
    }
}
