//! Keys held in Redis or Valkey, single or cluster. Each operation is one script over one key, bounded in time, and safe
//! to repeat: a claim whose answer was lost is claimed again by the same owner. Never an error to the caller.

use super::circuit::Circuit;
use super::{Ask, Claim, Recalled, Remembered};
use crate::config;
use crate::telemetry::message_ids;
use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::cluster::{ClusterClient, ClusterConfig};
use ::redis::cluster_async::ClusterConnection;
use ::redis::{Client, FromRedisValue, RedisError, RedisResult, Script, ScriptInvocation};
use futures_util::future::join_all;
use secrecy::ExposeSecret;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Before each key, since a Redis may serve others too.
const PREFIX: &str = "paygate:";

/// Keys in one pipeline; more go in several, so that none waits behind a long one.
const PIPELINE: usize = 256;

/// A claim is a hash of what it was claimed for, by whom, and the answer once there is one.
const CLAIM: &str = "
local held = redis.call('HMGET', KEYS[1], 'fingerprint', 'owner', 'answer')
if not held[1] then
    redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'owner', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return {'fresh', ''}
end
if held[1] ~= ARGV[1] then return {'mismatch', ''} end
if held[3] then return {'done', held[3]} end
if held[2] == ARGV[2] then return {'fresh', ''} end
return {'in_flight', ''}";

const COMPLETE: &str = "
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('HSET', KEYS[1], 'answer', ARGV[2]) end";

const RELEASE: &str = "
local held = redis.call('HMGET', KEYS[1], 'owner', 'answer')
if held[1] == ARGV[1] and not held[2] then redis.call('DEL', KEYS[1]) end";

const COUNT: &str = "
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count";

/// Written only over the version that was recalled; the same write again, whose first answer was lost, is kept already.
const REMEMBER: &str = "
local held = redis.call('HMGET', KEYS[1], 'version', 'value')
local version = held[1] or '0'
if version == ARGV[2] and held[2] == ARGV[3] then return 1 end
if version ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1";

pub(super) struct Redis {
    connection: Connection,
    /// How long one answer may take, connecting included.
    timeout: Duration,
    circuit: Mutex<Circuit>,
    /// Whether the server was asked what it does when its memory is full.
    checked: AtomicBool,
    claim: Script,
    complete: Script,
    release: Script,
    count: Script,
    remember: Script,
}

enum Connection {
    Single(ConnectionManager),
    Cluster(ClusterConnection),
}

impl Redis {
    pub(super) fn new(config: &config::Redis) -> RedisResult<Self> {
        let urls: Vec<&str> = config.urls.iter().map(ExposeSecret::expose_secret).collect();
        let connection = match urls[..] {
            [url] => Connection::Single(single(url, config.timeout)?),
            _ => Connection::Cluster(cluster(&urls, config.timeout)?),
        };
        Ok(Self {
            connection,
            timeout: config.timeout,
            circuit: Mutex::new(Circuit::new(config.pause_after_failure)),
            checked: AtomicBool::new(false),
            claim: Script::new(CLAIM),
            complete: Script::new(COMPLETE),
            release: Script::new(RELEASE),
            count: Script::new(COUNT),
            remember: Script::new(REMEMBER),
        })
    }

    pub(super) async fn claim(&self, ask: Ask<'_>) -> Claim {
        let mut script = self.claim.key(named(ask.key));
        script.arg(ask.fingerprint).arg(ask.owner).arg(millis(ask.life));
        let found: Option<(String, String)> = self.ask("claim", self.invoke(&script)).await;
        found.map_or(Claim::Unavailable, read)
    }

    pub(super) async fn claim_many(&self, asks: &[Ask<'_>]) -> Vec<Claim> {
        match &self.connection {
            // Keys of one pipeline lie on many nodes, and a cluster refuses such a pipeline; side by side they are as fast.
            Connection::Cluster(_) => join_all(asks.iter().map(|ask| self.claim(*ask))).await,
            Connection::Single(connection) => {
                let mut claims = Vec::with_capacity(asks.len());
                for asks in asks.chunks(PIPELINE) {
                    let mut connection = connection.clone();
                    let pipeline = self.pipeline(asks);
                    let found =
                        self.ask("claim_many", async move { pipeline.query_async(&mut connection).await }).await;
                    claims.extend(many(found, asks.len()));
                }
                claims
            }
        }
    }

    /// The script goes in front each time: a server that was restarted or flushed does not know it any more, and asking
    /// first would be a round trip of its own.
    fn pipeline(&self, asks: &[Ask<'_>]) -> ::redis::Pipeline {
        let mut pipeline = ::redis::pipe();
        pipeline.cmd("SCRIPT").arg("LOAD").arg(CLAIM).ignore();
        for ask in asks {
            pipeline.cmd("EVALSHA").arg(self.claim.get_hash()).arg(1).arg(named(ask.key));
            pipeline.arg(ask.fingerprint).arg(ask.owner).arg(millis(ask.life));
        }
        pipeline
    }

    pub(super) async fn complete(&self, key: &str, owner: &str, answer: &str) {
        let mut script = self.complete.key(named(key));
        script.arg(owner).arg(answer);
        // Not remembered means that who asks again is answered from the journal.
        let _done: Option<()> = self.ask("complete", self.invoke(&script)).await;
    }

    pub(super) async fn release(&self, key: &str, owner: &str) {
        let mut script = self.release.key(named(key));
        script.arg(owner);
        // Not given back means that the key is in flight until its life ends, and the journal answers till then.
        let _done: Option<()> = self.ask("release", self.invoke(&script)).await;
    }

    pub(super) async fn count(&self, key: &str, life: Duration) -> Option<u64> {
        let mut script = self.count.key(named(key));
        script.arg(millis(life));
        self.ask("count", self.invoke(&script)).await
    }

    pub(super) async fn recall(&self, key: &str) -> Recalled {
        let mut command = ::redis::cmd("HMGET");
        command.arg(named(key)).arg("version").arg("value");
        let found: Option<(Option<u64>, Option<String>)> = self.ask("recall", self.command(command)).await;
        match found {
            None => Recalled::Unavailable,
            Some((Some(version), Some(value))) => Recalled::Found { version, value },
            Some(_) => Recalled::Nothing,
        }
    }

    pub(super) async fn remember(&self, key: &str, recalled: u64, value: &str, life: Duration) -> Remembered {
        let mut script = self.remember.key(named(key));
        script.arg(recalled).arg(recalled + 1).arg(value).arg(millis(life));
        match self.ask::<bool>("remember", self.invoke(&script)).await {
            Some(true) => Remembered::Kept,
            Some(false) => Remembered::Overtaken,
            None => Remembered::Unavailable,
        }
    }

    pub(super) async fn healthy(&self) -> bool {
        self.guarded::<String>("ping", self.command(::redis::cmd("PING"))).await.is_some()
    }

    async fn invoke<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> RedisResult<T> {
        match &self.connection {
            Connection::Single(connection) => script.invoke_async(&mut connection.clone()).await,
            Connection::Cluster(connection) => script.invoke_async(&mut connection.clone()).await,
        }
    }

    async fn command<T: FromRedisValue>(&self, command: ::redis::Cmd) -> RedisResult<T> {
        match &self.connection {
            Connection::Single(connection) => command.query_async(&mut connection.clone()).await,
            Connection::Cluster(connection) => command.query_async(&mut connection.clone()).await,
        }
    }

    /// One call whose want of an answer is counted: the caller falls through to the journal.
    async fn ask<T>(&self, operation: &'static str, call: impl Future<Output = RedisResult<T>>) -> Option<T> {
        let answer = self.guarded(operation, call).await;
        if answer.is_none() {
            metrics::counter!("paygate_keys_fallthrough_total", "operation" => operation).increment(1);
        }
        answer
    }

    /// One call through circuit and deadline.
    async fn guarded<T>(&self, operation: &'static str, call: impl Future<Output = RedisResult<T>>) -> Option<T> {
        let admitted = self.circuit().admits(Instant::now());
        if admitted { self.answer(operation, call).await } else { None }
    }

    async fn answer<T>(&self, operation: &'static str, call: impl Future<Output = RedisResult<T>>) -> Option<T> {
        let answer = match tokio::time::timeout(self.timeout, call).await {
            Ok(answer) => answer,
            Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
        };
        match answer {
            Ok(answer) => {
                if self.circuit().answered() {
                    tracing::info!("the key store answers again");
                }
                if !self.checked.swap(true, Ordering::Relaxed) {
                    self.check_eviction().await;
                }
                Some(answer)
            }
            Err(error) => {
                if self.circuit().failed(Instant::now()) {
                    tracing::warn!(message_id = message_ids::REDIS_LOST, operation, %error, "the key store does not answer; the journal's keys stand in for it");
                }
                // A server that comes back may be another one, or set up anew.
                self.checked.store(false, Ordering::Relaxed);
                None
            }
        }
    }

    /// A server that evicts keys forgets claims early: no harm to money, but duplicates then cost a commit each.
    async fn check_eviction(&self) {
        let mut info = ::redis::cmd("INFO");
        info.arg("memory");
        let asked = tokio::time::timeout(self.timeout, self.command::<::redis::InfoDict>(info)).await;
        let Ok(Ok(info)) = asked else { return };
        let Some(policy) = info.get::<String>("maxmemory_policy") else { return };
        metrics::gauge!("paygate_keys_may_be_evicted").set(if policy == "noeviction" { 0.0 } else { 1.0 });
        if policy != "noeviction" {
            tracing::warn!(
                message_id = message_ids::KEYS_EVICTABLE,
                policy,
                "the key store may forget keys before their time; set maxmemory-policy noeviction"
            );
        }
    }

    /// A panic cannot leave the circuit half changed, so its lock is taken over.
    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn single(url: &str, timeout: Duration) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(timeout))
        .set_response_timeout(Some(timeout))
        .set_max_delay(timeout);
    ConnectionManager::new_lazy_with_config(Client::open(url)?, config)
}

fn cluster(urls: &[&str], timeout: Duration) -> RedisResult<ClusterConnection> {
    let config = ClusterConfig::new().set_connection_timeout(timeout).set_response_timeout(timeout);
    Ok(ClusterClient::new(urls.iter().copied())?.get_pending_async_connection_with_config(config))
}

fn named(key: &str) -> String {
    format!("{PREFIX}{key}")
}

/// Redis refuses a life of 0.
fn millis(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX as u64 / 2)
}

/// The script's answer; a word that it does not say proves nothing.
fn read((word, answer): (String, String)) -> Claim {
    match word.as_str() {
        "fresh" => Claim::Fresh,
        "in_flight" => Claim::InFlight,
        "done" => Claim::Done(answer),
        "mismatch" => Claim::Mismatch,
        _ => Claim::Unavailable,
    }
}

/// One claim for each ask, whatever was answered.
fn many(found: Option<Vec<(String, String)>>, asks: usize) -> Vec<Claim> {
    match found {
        Some(found) if found.len() == asks => found.into_iter().map(read).collect(),
        Some(_) | None => vec![Claim::Unavailable; asks],
    }
}

/// Shows neither url nor password.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.connection {
            Connection::Single(_) => "single",
            Connection::Cluster(_) => "cluster",
        };
        f.debug_struct("Redis").field("kind", &kind).finish_non_exhaustive()
    }
}
