//! A wire to the database that can be cut, lose its connections, and be slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Proxy {
    pub url: String,
    /// Chunks that went to the database.
    sent: Arc<AtomicUsize>,
    wire: watch::Sender<Wire>,
}

#[derive(Clone, Copy)]
struct Wire {
    is_cut: bool,
    /// Connections from before the last loss go nowhere any more.
    losses: usize,
    delay: Duration,
}

impl Proxy {
    /// Before the database of `url`.
    pub async fn before(url: &str) -> Self {
        let (user, rest) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
        let (address, name) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("postgres://{user}@{}/{name}", listener.local_addr().unwrap());
        let wire = watch::Sender::new(Wire { is_cut: false, losses: 0, delay: Duration::ZERO });
        let (sent, state, address) = (Arc::new(AtomicUsize::new(0)), wire.subscribe(), address.to_owned());
        let counter = sent.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&address).await else { continue };
                let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
                tokio::spawn(pump(client_in, server_out, state.clone(), Some(counter.clone())));
                tokio::spawn(pump(server_in, client_out, state.clone(), None));
            }
        });
        Self { url: own, sent, wire }
    }

    /// From now on nothing goes through, and nobody is told.
    pub fn cut(&self) {
        self.wire.send_modify(|wire| wire.is_cut = true);
    }

    pub fn mend(&self) {
        self.wire.send_modify(|wire| wire.is_cut = false);
    }

    /// What is connected now goes nowhere for ever, and nobody is told; new connections do.
    pub fn lose(&self) {
        self.wire.send_modify(|wire| wire.losses += 1);
    }

    /// Everything takes so much longer.
    pub fn delay(&self, by: Duration) {
        self.wire.send_modify(|wire| wire.delay = by);
    }

    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut wire: watch::Receiver<Wire>,
    counter: Option<Arc<AtomicUsize>>,
) {
    let mut bytes = [0; 16 * 1024];
    let losses = wire.borrow().losses;
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let Ok(Wire { losses: lost, delay, .. }) = wire.wait_for(|wire| !wire.is_cut).await.map(|wire| *wire) else {
            return;
        };
        if lost > losses {
            // Both ends stay open, and neither hears of the other.
            return std::future::pending().await;
        }
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
        if let Some(counter) = &counter {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }
}
