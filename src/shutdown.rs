//! How far the process is on its way out, for whoever has to know.

use tokio::sync::watch;

/// The way out, step by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Leaving,
    Draining,
}

/// How far the process is on its way out.
#[derive(Debug)]
pub struct Shutdown(watch::Sender<Phase>);

/// Somebody that a shutdown waits for, until this is dropped.
#[derive(Clone, Debug)]
pub struct Presence(watch::Receiver<Phase>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }
}

impl Shutdown {
    /// From now on the gateway says that it is not ready, and still serves.
    pub fn leave(&self) {
        self.advance(Phase::Leaving);
    }

    /// From now on no connection is taken, and those that are open finish what they do.
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    fn advance(&self, to: Phase) {
        self.0.send_if_modified(|phase| to > *phase && std::mem::replace(phase, to) != to);
    }

    /// Whether the process was asked to stop.
    pub fn is_leaving(&self) -> bool {
        *self.0.borrow() != Phase::Serving
    }

    /// Joins those that a shutdown waits for: a connection, a socket, a job.
    pub fn join(&self) -> Presence {
        Presence(self.0.subscribe())
    }

    /// How many have joined.
    pub fn present(&self) -> usize {
        self.0.receiver_count()
    }

    /// Ends when nobody is left.
    pub async fn empty(&self) {
        self.0.closed().await;
    }
}

impl Presence {
    /// Ends when it is time to finish.
    pub async fn draining(&mut self) {
        // The sender outlives everybody who has joined; were it gone, it would be time, too.
        let _ = self.0.wait_for(|phase| *phase == Phase::Draining).await;
    }
}
