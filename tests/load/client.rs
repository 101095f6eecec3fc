//! A client that sees what its connection does: whether an answer came whole, and what was cut off.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No gateway may keep a client waiting so long.
const HANGS: Duration = Duration::from_secs(25);

/// What became of a request.
#[derive(Debug)]
pub enum Reply {
    Answered(Answer),
    /// Nobody took the connection.
    NotConnected,
    /// The connection ended before the answer did.
    Cut,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
}

/// As much of an answer as says what became of a request: those who ask have a core for thousands of answers a second.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Body {
    pub data: Option<Data>,
    errors: Vec<Failed>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Data {
    #[serde(rename = "loyaltyPointsCredit")]
    payload: Option<Payload>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(rename = "userErrors")]
    problems: Vec<Problem>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Failed {
    extensions: Problem,
}

impl Body {
    /// The code of the first error.
    pub fn code(&self) -> Option<&str> {
        self.errors.first().map(|error| error.extensions.code.as_str())
    }

    /// The code of the first error of a mutation.
    pub fn problem(&self) -> Option<&str> {
        self.data.as_ref()?.payload.as_ref()?.problems.first().map(|problem| problem.code.as_str())
    }
}

impl Answer {
    /// Whether the head has a line.
    pub fn says(&self, line: &str) -> bool {
        self.head.lines().any(|found| found.eq_ignore_ascii_case(line))
    }

    /// What it says; nothing when it is not what a gateway says.
    pub fn body(&self) -> Body {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// A client with one connection, which it keeps for as long as it may.
pub struct Client {
    address: String,
    token: String,
    stream: Option<BufReader<TcpStream>>,
    /// Whether an answer said that the connection ends: whoever is behind a load balancer goes elsewhere then.
    pub is_sent_away: bool,
}

impl Client {
    pub fn new(url: &str, token: &str) -> Self {
        Self {
            address: url.strip_prefix("http://").unwrap().to_owned(),
            token: token.to_owned(),
            stream: None,
            is_sent_away: false,
        }
    }

    /// Asks, over a new connection if there is none.
    pub async fn ask(&mut self, query: &str, variables: &Value) -> Reply {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        );
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => match TcpStream::connect(&self.address).await {
                Ok(stream) => BufReader::new(stream),
                Err(_) => return Reply::NotConnected,
            },
        };
        let answer = timeout(HANGS, exchange(&mut stream, request.as_bytes())).await.expect("a request hangs");
        let Ok(answer) = answer else { return Reply::Cut };
        self.is_sent_away = answer.says("connection: close");
        if !self.is_sent_away {
            self.stream = Some(stream);
        }
        Reply::Answered(answer)
    }
}

async fn exchange(stream: &mut BufReader<TcpStream>, request: &[u8]) -> std::io::Result<Answer> {
    stream.get_mut().write_all(request).await?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("an answer does not say how long it is")];
    stream.read_exact(&mut body).await?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head, text: String::from_utf8(body).expect("an answer is UTF-8") })
}
