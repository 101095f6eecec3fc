//! Versions: what tells whether anything has changed since an answer was made.
//!
//! Each customer and each shared table has one, a number that nobody else ever has. It says nothing but "as it was": a
//! change gives a new one, and one that was lost is never given again.

mod link;
mod memory;
mod redis;

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::tables::Table;
use crate::clock;
pub use link::Links;
pub use memory::Memory;
pub use redis::Link;

/// What has a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Everything of one customer.
    Customer(Uuid),
    /// All rows of a table.
    Table(Table),
}

/// A version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(u128);

impl Version {
    /// One that nobody had before.
    pub fn fresh() -> Self {
        Self(clock::random_id().as_u128())
    }

    fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

/// What was found of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing has changed since it had this version, and nobody is about to change anything.
    Version(Version),
    /// Somebody is changing something, or died while doing so: nothing that is known counts. The marks, as they stand there.
    Marked(Vec<u8>),
    /// Nobody has asked for it for a while.
    Nothing,
}

/// What was found of several keys.
pub type Seen = HashMap<Key, Found>;

fn all_have(seen: &Seen, versions: &[(Key, Version)]) -> bool {
    versions.iter().all(|(key, version)| seen.get(key) == Some(&Found::Version(*version)))
}

/// Where the versions lie, at one moment: this process' memory, or one Redis as long as it is the same and whole.
#[derive(Clone, Debug)]
pub enum Authority {
    /// This process.
    Memory(Arc<Memory>),
    /// A connection to a Redis.
    Redis(Arc<Link>),
}

/// The authority does not answer, or is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Authority {
    /// What it is called: another one, or the same without its memory, is called otherwise.
    pub fn name(&self) -> &str {
        match self {
            Self::Memory(memory) => &memory.name,
            Self::Redis(link) => &link.name,
        }
    }

    /// The versions of keys, read after this was called. Those that are missing are made.
    ///
    /// # Errors
    /// The authority is gone.
    pub async fn read(&self, keys: Vec<Key>) -> Result<Seen, Gone> {
        match self {
            Self::Memory(memory) => Ok(memory.read(&keys)),
            Self::Redis(link) => link.read(keys).await,
        }
    }

    /// Whether all keys have these versions, looked at after this was called.
    ///
    /// # Errors
    /// The authority is gone.
    pub async fn still_has(&self, versions: &Arc<[(Key, Version)]>) -> Result<bool, Gone> {
        match self {
            Self::Memory(memory) => {
                let keys: Vec<Key> = versions.iter().map(|(key, _)| *key).collect();
                Ok(all_have(&memory.read(&keys), versions))
            }
            Self::Redis(link) => link.still_has(versions.clone()).await,
        }
    }

    /// Says that something is about to change. From when this returns, nothing that is known of the keys counts.
    ///
    /// # Errors
    /// The authority is gone; then the marks may be there or not.
    pub async fn mark(&self, keys: &[Key], mark: &str) -> Result<(), Gone> {
        match self {
            Self::Memory(memory) => {
                memory.mark(keys);
                Ok(())
            }
            Self::Redis(link) => link.mark(keys, mark).await,
        }
    }
}
