//! Versions in this process' memory, for the only gateway that caches.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Found, Key, Seen, Version};
use crate::clock;

/// Most versions that are remembered. One that is forgotten is given anew.
const REMEMBERED: u64 = 100_000;

/// The versions of one process. They end with it.
#[derive(Debug)]
pub struct Memory {
    pub(super) name: String,
    versions: moka::sync::Cache<Key, Version>,
    /// How many changes of a key are under way. Read and written together with the versions.
    marks: Mutex<HashMap<Key, usize>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            name: format!("memory:{}", clock::random_id().simple()),
            versions: moka::sync::Cache::new(REMEMBERED),
            marks: Mutex::default(),
        }
    }
}

impl Memory {
    pub(super) fn read(&self, keys: &[Key]) -> Seen {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let found = |key: &Key| match marks.contains_key(key) {
            true => Found::Marked(Vec::new()),
            false => Found::Version(self.versions.get_with(*key, Version::fresh)),
        };
        keys.iter().map(|key| (*key, found(key))).collect()
    }

    pub(super) fn mark(&self, keys: &[Key]) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            *marks.entry(*key).or_default() += 1;
        }
    }

    /// Gives the keys new versions and takes a mark of each away.
    pub fn settle(&self, keys: &[Key]) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            self.versions.insert(*key, Version::fresh());
            match marks.get_mut(key) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(marks.remove(key)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_key_counts_again_only_when_the_last_who_changes_it_is_done() {
        let (memory, key) = (Memory::default(), Key::Customer(Uuid::nil()));
        let read = || memory.read(&[key]).remove(&key).unwrap_or(Found::Nothing);
        let before = read();
        assert_eq!(read(), before);
        memory.mark(&[key]);
        memory.mark(&[key]);
        memory.settle(&[key]);
        assert_eq!(read(), Found::Marked(Vec::new()));
        memory.settle(&[key]);
        assert!(matches!(read(), Found::Version(_)) && read() != before);
    }
}
