//! Remembers unreadable PDUs across connections, so that one the SMSC sends for ever is at last taken off its queue.
//! Keeps hashes only, and only so many.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Counts of equal octets, the newest last.
pub(super) struct Repeats {
    max: usize,
    seen: VecDeque<(u64, u32)>,
}

impl Repeats {
    pub(super) fn new(max: usize) -> Self {
        Self { max, seen: VecDeque::new() }
    }

    /// How often these octets were counted before.
    pub(super) fn count(&mut self, octets: &[u8]) -> u32 {
        let mut hasher = DefaultHasher::new();
        octets.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some((_, times)) = self.seen.iter_mut().find(|(known, _)| *known == hash) {
            *times = times.saturating_add(1);
            return *times - 1;
        }
        if self.seen.len() >= self.max {
            self.seen.pop_front();
        }
        self.seen.push_back((hash, 1));
        0
    }
}
