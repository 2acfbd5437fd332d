//! Keys held in the process. Bounded: what expires first goes first, whether its time has come or room is needed. A key
//! that is lost so is caught by the journal.

use super::{Ask, Claim, Recalled, Remembered};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Process {
    capacity: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    entries: HashMap<Arc<str>, Entry>,
    /// The same keys by the end of their lives.
    ends: BTreeSet<(Instant, Arc<str>)>,
}

#[derive(Debug)]
struct Entry {
    ends: Instant,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Claimed { fingerprint: String, owner: String, answer: Option<String> },
    Counted(u64),
    Kept { version: u64, value: String },
}

impl Process {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), held: Mutex::default() }
    }

    pub(super) fn claim(&self, ask: Ask<'_>) -> Claim {
        let mut held = self.held();
        match held.entries.get(ask.key).map(|entry| &entry.value) {
            Some(Value::Claimed { fingerprint, owner, answer }) => judge(ask, fingerprint, owner, answer.as_deref()),
            Some(Value::Counted(_) | Value::Kept { .. }) => Claim::Mismatch,
            None => {
                let (fingerprint, owner) = (ask.fingerprint.to_owned(), ask.owner.to_owned());
                held.insert(self.capacity, ask.key, ask.life, Value::Claimed { fingerprint, owner, answer: None });
                Claim::Fresh
            }
        }
    }

    pub(super) fn complete(&self, key: &str, by: &str, result: &str) {
        if let Some(Value::Claimed { owner, answer, .. }) =
            self.held().entries.get_mut(key).map(|entry| &mut entry.value)
            && owner == by
        {
            *answer = Some(result.to_owned());
        }
    }

    pub(super) fn release(&self, key: &str, by: &str) {
        let mut held = self.held();
        if let Some(Entry { value: Value::Claimed { owner, answer: None, .. }, .. }) = held.entries.get(key)
            && owner == by
        {
            held.remove(key);
        }
    }

    pub(super) fn count(&self, key: &str, life: Duration) -> u64 {
        let mut held = self.held();
        match held.entries.get_mut(key).map(|entry| &mut entry.value) {
            Some(Value::Counted(count)) => {
                *count = count.saturating_add(1);
                *count
            }
            Some(Value::Claimed { .. } | Value::Kept { .. }) | None => {
                held.remove(key);
                held.insert(self.capacity, key, life, Value::Counted(1));
                1
            }
        }
    }

    pub(super) fn recall(&self, key: &str) -> Recalled {
        match self.held().entries.get(key).map(|entry| &entry.value) {
            Some(Value::Kept { version, value }) => Recalled::Found { version: *version, value: value.clone() },
            Some(Value::Claimed { .. } | Value::Counted(_)) | None => Recalled::Nothing,
        }
    }

    pub(super) fn remember(&self, key: &str, recalled: u64, value: &str, life: Duration) -> Remembered {
        let mut held = self.held();
        let stands = match held.entries.get(key).map(|entry| &entry.value) {
            Some(Value::Kept { version, .. }) => *version,
            Some(Value::Claimed { .. } | Value::Counted(_)) | None => 0,
        };
        if stands != recalled {
            return Remembered::Overtaken;
        }
        held.remove(key);
        held.insert(self.capacity, key, life, Value::Kept { version: recalled + 1, value: value.to_owned() });
        Remembered::Kept
    }

    /// What is held, without what has expired. A thread that panicked here left whole entries, so its lock is taken over.
    fn held(&self) -> MutexGuard<'_, Held> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while held.ends.first().is_some_and(|(ends, _)| *ends <= now) {
            held.remove_first();
        }
        held
    }
}

impl Held {
    fn insert(&mut self, capacity: usize, key: &str, life: Duration, value: Value) {
        while self.entries.len() >= capacity {
            self.remove_first();
        }
        let (key, ends) = (Arc::<str>::from(key), Instant::now() + life);
        self.ends.insert((ends, Arc::clone(&key)));
        self.entries.insert(key, Entry { ends, value });
    }

    fn remove(&mut self, key: &str) {
        if let Some((key, entry)) = self.entries.remove_entry(key) {
            self.ends.remove(&(entry.ends, key));
        }
    }

    fn remove_first(&mut self) {
        if let Some((_, key)) = self.ends.pop_first() {
            self.entries.remove(&key);
        }
    }
}

/// What a claim finds where somebody was before.
fn judge(ask: Ask<'_>, fingerprint: &str, owner: &str, answer: Option<&str>) -> Claim {
    match answer {
        _ if fingerprint != ask.fingerprint => Claim::Mismatch,
        Some(answer) => Claim::Done(answer.to_owned()),
        None if owner == ask.owner => Claim::Fresh,
        None => Claim::InFlight,
    }
}
