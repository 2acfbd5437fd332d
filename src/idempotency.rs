//! Idempotency keys claimed once: in Redis, or in the process when no Redis is configured. Makes paygate faster or more
//! careful, and decides nothing: the journal's unique keys stand behind each of these.

mod circuit;
mod process;
mod redis;

use crate::config;
use std::sync::Arc;
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

/// What was remembered under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// Nothing, or it has lapsed.
    Nothing,
    /// This, and the number of its writing.
    Found { version: u64, value: String },
    /// The store cannot say now.
    Unavailable,
}

/// What became of a value to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remembered {
    Kept,
    /// Another was written meanwhile, or what was recalled has lapsed: recall and look again.
    Overtaken,
    /// The store cannot say now; it may be kept or not.
    Unavailable,
}

/// The key store of one instance. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Process(Arc<process::Process>),
    Redis(Arc<redis::Redis>),
}

impl Keys {
    /// Keys held in this process, for one instance alone: at most `capacity`, then the ones that would expire first go.
    #[must_use]
    pub fn process(capacity: usize) -> Self {
        Self(Kind::Process(Arc::new(process::Process::new(capacity))))
    }

    /// Keys held in Redis or Valkey. Connects when first asked, and its absence is no error. Must be called inside the
    /// runtime that will ask.
    pub fn redis(config: &config::Redis) -> Result<Self, KeysError> {
        Ok(Self(Kind::Redis(Arc::new(redis::Redis::new(config).map_err(KeysError)?))))
    }

    /// Whether other instances see these keys, too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        match &self.0 {
            Kind::Process(_) => false,
            Kind::Redis(_) => true,
        }
    }

    pub async fn claim(&self, ask: Ask<'_>) -> Claim {
        match &self.0 {
            Kind::Process(keys) => keys.claim(ask),
            Kind::Redis(keys) => keys.claim(ask).await,
        }
    }

    /// Claims each, in one round trip where the store can; the answers stand in the order of the asks.
    pub async fn claim_many(&self, asks: &[Ask<'_>]) -> Vec<Claim> {
        match &self.0 {
            Kind::Process(keys) => asks.iter().map(|ask| keys.claim(*ask)).collect(),
            Kind::Redis(keys) => keys.claim_many(asks).await,
        }
    }

    /// Remembers the answer for whoever asks again, as long as the claim lives. Does nothing unless `owner` has the key.
    pub async fn complete(&self, key: &str, owner: &str, answer: &str) {
        match &self.0 {
            Kind::Process(keys) => keys.complete(key, owner, answer),
            Kind::Redis(keys) => keys.complete(key, owner, answer).await,
        }
    }

    /// Gives the key back unless it is completed. Does nothing unless `owner` has it.
    pub async fn release(&self, key: &str, owner: &str) {
        match &self.0 {
            Kind::Process(keys) => keys.release(key, owner),
            Kind::Redis(keys) => keys.release(key, owner).await,
        }
    }

    /// Counts up and says how far, from the first count on for `life`; `None` when the store cannot say now. An answer
    /// that was lost may have been counted, so a count is a bound and never a proof.
    pub async fn count(&self, key: &str, life: Duration) -> Option<u64> {
        match &self.0 {
            Kind::Process(keys) => Some(keys.count(key, life)),
            Kind::Redis(keys) => keys.count(key, life).await,
        }
    }

    /// What [`Self::remember`] has kept under a key.
    pub async fn recall(&self, key: &str) -> Recalled {
        match &self.0 {
            Kind::Process(keys) => keys.recall(key),
            Kind::Redis(keys) => keys.recall(key).await,
        }
    }

    /// Keeps a value for `life` from now on in place of the one that was recalled with this version, 0 where there was
    /// nothing. Of two that write at once the second is told so: no step is lost between instances.
    pub async fn remember(&self, key: &str, recalled: u64, value: &str, life: Duration) -> Remembered {
        match &self.0 {
            Kind::Process(keys) => keys.remember(key, recalled, value, life),
            Kind::Redis(keys) => keys.remember(key, recalled, value, life).await,
        }
    }

    /// Whether the store answers, for the readiness page.
    pub async fn healthy(&self) -> bool {
        match &self.0 {
            Kind::Process(_) => true,
            Kind::Redis(keys) => keys.healthy().await,
        }
    }
}

/// A Redis url that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("[redis] url cannot be used: write redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH")]
pub struct KeysError(#[source] ::redis::RedisError);
