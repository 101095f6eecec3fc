//! A wire to the database that can be cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Proxy {
    pub url: String,
    /// Chunks that went to the database.
    sent: Arc<AtomicUsize>,
    whole: watch::Sender<bool>,
}

impl Proxy {
    /// Before the database of `url`.
    pub async fn before(url: &str) -> Self {
        let (user, rest) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
        let (address, name) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("postgres://{user}@{}/{name}", listener.local_addr().unwrap());
        let (sent, whole) = (Arc::new(AtomicUsize::new(0)), watch::Sender::new(true));
        let (counter, state, address) = (sent.clone(), whole.subscribe(), address.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&address).await.unwrap();
                let ((client_in, client_out), (server_in, server_out)) = (client.into_split(), server.into_split());
                tokio::spawn(pump(client_in, server_out, state.clone(), Some(counter.clone())));
                tokio::spawn(pump(server_in, client_out, state.clone(), None));
            }
        });
        Self { url: own, sent, whole }
    }

    /// From now on nothing goes through, and nobody is told.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.whole.send_replace(true);
    }

    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut whole: watch::Receiver<bool>,
    counter: Option<Arc<AtomicUsize>>,
) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if whole.wait_for(|whole| *whole).await.is_err() || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
        if let Some(counter) = &counter {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }
}
