//! Long documents that are new are checked beside the requests, one after the other, by one thread: however many are sent
//! at once, they keep one processor busy, and take the memory of one check.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::{io, thread};

use tokio::sync::oneshot;

use super::{Document, Documents};
use crate::error::Fault;

/// Bytes from which on a document is long. Others take about a millisecond.
const LONG: usize = 4096;

/// What came of a check.
type Learnt = Result<Arc<Document>, Vec<Fault>>;

/// A document that waits for its check.
#[derive(Debug)]
struct Waiting {
    documents: Arc<Documents>,
    text: String,
    learnt: oneshot::Sender<Learnt>,
}

/// The thread, which ends with its last sender.
#[derive(Debug)]
pub(super) struct Aside(mpsc::Sender<Waiting>);

impl Aside {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let (sender, waiting) = mpsc::channel::<Waiting>();
        thread::Builder::new().name("documents".into()).spawn(move || waiting.into_iter().for_each(check))?;
        Ok(Self(sender))
    }
}

fn check(Waiting { documents, text, learnt }: Waiting) {
    if learnt.is_closed() {
        return; // Whoever asked has left.
    }
    let checked = catch_unwind(AssertUnwindSafe(|| documents.learn(&text)));
    _ = learnt.send(checked.unwrap_or_else(|_| Err(vec![Fault::internal()])));
}

impl Documents {
    /// As [`Documents::learn`], without keeping other requests waiting.
    ///
    /// # Errors
    /// As [`Documents::learn`].
    pub async fn learn_aside(self: &Arc<Self>, text: &str) -> Result<Arc<Document>, Vec<Fault>> {
        if text.len() < LONG {
            return self.learn(text);
        }
        let (learnt, checked) = oneshot::channel();
        let waiting = Waiting { documents: self.clone(), text: text.to_owned(), learnt };
        let broken = || vec![Fault::internal()];
        self.aside.0.send(waiting).map_err(|_| broken())?;
        checked.await.unwrap_or_else(|_| Err(broken()))
    }
}
