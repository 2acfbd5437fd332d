//! Idempotency keys claimed once: in Redis, or in the process when no Redis is configured. Makes paygate faster or more
//! careful, and decides nothing: the journal's unique keys stand behind each of these.

use crate::config;
use std::time::Duration;

/// What a claim found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody had it, or this very owner: go on.
    Fresh,
    /// Another owner has it and has not answered yet.
    InFlight,
    /// It was completed with this answer.
    Done(String),
    /// The key is taken for something else.
    Mismatch,
    /// The store cannot say now; ask the journal.
    Unavailable,
}

/// One key to claim.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// With its family in front: `mo:…`, `order:…`.
    pub key: &'a str,
    /// What the key is claimed for; the same key with another one is a `Mismatch`.
    pub fingerprint: &'a str,
    /// A token of this attempt: who asks again with it is told `Fresh` again, since the first answer may be lost.
    pub owner: &'a str,
    /// How long the key is remembered, from the first claim on.
    pub life: Duration,
}

/// The key store of one instance. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys {}

impl Keys {
    /// Keys held in this process, for one instance alone: at most `capacity`, then the ones that would expire first go.
    #[must_use]
    pub fn process(_capacity: usize) -> Self {
        todo!()
    }

    /// Keys held in Redis or Valkey. Connects when first asked, and never fails for want of it.
    pub fn redis(_config: &config::Redis) -> Result<Self, KeysError> {
        todo!()
    }

    /// Whether other instances see these keys, too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        false
    }

    pub async fn claim(&self, _ask: Ask<'_>) -> Claim {
        todo!()
    }

    /// Claims each, in one round trip where the store can; the answers stand in the order of the asks.
    pub async fn claim_many(&self, _asks: &[Ask<'_>]) -> Vec<Claim> {
        todo!()
    }

    /// Remembers the answer for whoever asks again. Does nothing unless `owner` has the key.
    pub async fn complete(&self, _key: &str, _owner: &str, _answer: &str) {
        todo!()
    }

    /// Gives the key back unless it is completed. Does nothing unless `owner` has it.
    pub async fn release(&self, _key: &str, _owner: &str) {
        todo!()
    }

    /// Counts up and says how far, from the first count on for `life`; `None` when the store cannot say now.
    pub async fn count(&self, _key: &str, _life: Duration) -> Option<u64> {
        todo!()
    }

    /// Whether the store answers, for the readiness page.
    pub async fn healthy(&self) -> bool {
        todo!()
    }
}

/// A Redis url that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("the [redis] url cannot be used; write redis://HOST:PORT, rediss://HOST:PORT or unix:/PATH")]
pub struct KeysError(#[source] pub redis::RedisError);
