//! The model key store (Redis): claims keys once while it is there, and forgets or falls silent as each life has it. Never
//! asked to decide anything.

use super::dialogues::Session;
use super::life::SECOND;
use paygate::purchase::record::Micros;
use std::collections::BTreeMap;

/// How long a dialogue is remembered after its last step.
const SESSION_TTL: Micros = 180 * SECOND;

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
    /// Dialogues between their steps, by where they are remembered.
    sessions: BTreeMap<(Home, usize), (Session, Micros)>,
}

/// The shared store, or one process's memory: another process knows nothing of it.
type Home = Option<(usize, u32)>;

/// What is remembered of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recalled {
    Nothing,
    Found(Session),
    Unavailable,
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

    /// What the process of this instance and epoch finds of a dialogue.
    pub(crate) fn recall(&self, process: (usize, u32), dialogue: usize, now: Micros) -> Recalled {
        if self.is_shared && now < self.silent_until {
            return Recalled::Unavailable;
        }
        let held = self.sessions.get(&(self.home(process), dialogue)).filter(|(_, until)| now < *until);
        held.map_or(Recalled::Nothing, |(session, _)| Recalled::Found(session.clone()))
    }

    /// Whether it is remembered.
    pub(crate) fn remember(&mut self, process: (usize, u32), dialogue: usize, session: Session, now: Micros) -> bool {
        if self.is_shared && now < self.silent_until {
            return false;
        }
        self.sessions.insert((self.home(process), dialogue), (session, now + SESSION_TTL));
        true
    }

    fn home(&self, process: (usize, u32)) -> Home {
        (!self.is_shared).then_some(process)
    }

    pub(crate) fn flush(&mut self) {
        self.held.clear();
        self.sessions.clear();
    }
}
