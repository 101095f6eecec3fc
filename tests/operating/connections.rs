//! Connections that mean harm, or are just slow.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::process::Gateway;
use crate::harness::{Backend, Database};

async fn connect(gateway: &Gateway) -> TcpStream {
    TcpStream::connect(gateway.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// What comes until the other side closes, and after how long.
async fn rest(mut stream: TcpStream) -> (String, Duration) {
    let (started, mut bytes) = (Instant::now(), Vec::new());
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the connection stays open");
    (String::from_utf8_lossy(&bytes).into_owned(), started.elapsed())
}

#[tokio::test]
async fn whoever_says_nothing_or_says_it_slowly_is_not_waited_for() {
    let database = Database::migrated(Backend::Sqlite).await;
    let settings = [
        ("C360_CONNECTIONS_HEADER_TIMEOUT_MS", "400"),
        ("C360_CONNECTIONS_IDLE_TIMEOUT_MS", "1200"),
        ("C360_CONNECTIONS_REQUEST_TIMEOUT_MS", "700"),
    ];
    let gateway = Gateway::start(&database.url, &settings).await;
    for head in ["", "G", "PRI * HTTP/2.0\r\n\r\nSM", "GET /livez HTTP/1.1\r\nhost: a\r\n"] {
        let mut stream = connect(&gateway).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let (_, took) = rest(stream).await;
        assert!(took < Duration::from_secs(2), "{head:?}: {took:?}");
    }
    // A head of which a byte comes now and then.
    let (mut stream, started) = (connect(&gateway).await, Instant::now());
    while stream.write_all(b"G").await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(5), "a slow head holds a connection");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A body that does not come.
    let mut stream = connect(&gateway).await;
    let token = gateway.agent();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (answer, took) = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    // A connection that was used, and rests: longer than a first request may take, but not for ever.
    let mut stream = connect(&gateway).await;
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let (answer, took) = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!((Duration::from_millis(1000)..Duration::from_secs(4)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_wait_their_turn() {
    let database = Database::migrated(Backend::Sqlite).await;
    let gateway = Gateway::start(&database.url, &[("C360_CONNECTIONS_MAX", "2")]).await;
    let request = b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n";
    let (mut first, second, mut third) = (connect(&gateway).await, connect(&gateway).await, connect(&gateway).await);
    gateway.shows("c360_connections 2\n").await;
    third.write_all(request).await.unwrap();
    let mut byte = [0; 1];
    let early = tokio::time::timeout(Duration::from_millis(300), third.read_exact(&mut byte)).await;
    assert!(early.is_err(), "the third is served while two are open");
    first.write_all(request).await.unwrap();
    first.read_exact(&mut byte).await.unwrap();
    drop(second);
    tokio::time::timeout(Duration::from_secs(5), third.read_exact(&mut byte)).await.unwrap().unwrap();
}
