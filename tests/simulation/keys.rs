//! The model key store (Redis): claims keys once while it is there, and forgets or falls silent as each life has it. Never
//! asked to decide anything.

use paygate::purchase::record::Micros;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    Fresh,
    /// Another owner has it.
    Taken,
    Unavailable,
}

#[derive(Debug, Default)]
pub(crate) struct KeyStore {
    /// Whether this life has one at all; without it keys are the process's, and the journal is asked about each message.
    pub(crate) is_shared: bool,
    held: BTreeMap<String, (String, Micros)>,
    pub(crate) silent_until: Micros,
}

impl KeyStore {
    pub(crate) fn new(is_shared: bool) -> Self {
        Self { is_shared, ..Self::default() }
    }

    pub(crate) fn claim(&mut self, key: String, owner: &str, now: Micros, life: Micros) -> Claimed {
        if !self.is_shared || now < self.silent_until {
            return Claimed::Unavailable;
        }
        match self.held.get(&key) {
            Some((held_by, until)) if now < *until && held_by != owner => Claimed::Taken,
            Some((_, until)) if now < *until => Claimed::Fresh,
            _ => {
                self.held.insert(key, (owner.to_owned(), now + life));
                Claimed::Fresh
            }
        }
    }

    pub(crate) fn flush(&mut self) {
        self.held.clear();
    }
}
