//! What losing, pausing or flushing Redis does to keys: they fall through, and come back.

use super::{HOUR, ask};
use crate::stores::Redis;
use paygate::idempotency::{Claim, Keys};
use std::future::Future;
use std::time::Duration;

fn keys(redis: &Redis) -> Keys {
    Keys::redis(&redis.config()).expect("the url is one")
}

/// Asks until the store answers again; a store that never does fails the test.
async fn until_answered<F: Future<Output = Claim>>(ask: impl Fn() -> F) -> Claim {
    for _ in 0..400 {
        match ask().await {
            Claim::Unavailable => tokio::time::sleep(Duration::from_millis(25)).await,
            claim => return claim,
        }
    }
    panic!("the store never answered again");
}

#[tokio::test]
async fn a_killed_redis_falls_through_and_is_used_again_when_it_is_back() {
    let mut redis = Redis::start();
    let keys = keys(&redis);
    assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Fresh);
    redis.kill();
    assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::Unavailable);
    assert_eq!(keys.claim_many(&[ask("mo:1", "f", "you"), ask("mo:2", "f", "you")]).await, vec![Claim::Unavailable; 2]);
    assert_eq!(keys.count("code:1", HOUR).await, None);
    keys.complete("mo:1", "me", "p1").await;
    keys.release("mo:1", "me").await;
    assert!(!keys.healthy().await);
    redis.start_again();
    // It lost what it held, so the key is fresh: the journal's unique keys stand behind it.
    assert_eq!(until_answered(|| keys.claim(ask("mo:1", "f", "you"))).await, Claim::Fresh);
    assert!(keys.healthy().await);
    // The script is not known to the new server either.
    assert_eq!(keys.claim_many(&[ask("mo:1", "f", "other")]).await, [Claim::InFlight]);
}

#[tokio::test]
async fn a_paused_redis_falls_through_and_the_owner_still_has_its_claim() {
    let redis = Redis::start();
    let keys = keys(&redis);
    assert_eq!(keys.claim(ask("mo:0", "f", "me")).await, Claim::Fresh);
    redis.pause();
    assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Unavailable);
    redis.resume();
    // The claim may have been carried out after the deadline; its owner is told so again, and nobody else is.
    assert_eq!(until_answered(|| keys.claim(ask("mo:1", "f", "me"))).await, Claim::Fresh);
    assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::InFlight);
    assert_eq!(keys.claim(ask("mo:0", "f", "you")).await, Claim::InFlight);
}

#[tokio::test]
async fn while_redis_is_down_it_is_not_asked_by_every_caller() {
    let mut redis = Redis::start();
    let mut config = redis.config();
    config.pause_after_failure = HOUR;
    let keys = Keys::redis(&config).expect("the url is one");
    redis.kill();
    assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Unavailable);
    redis.start_again();
    // It is there again, and still is not asked before the pause is over.
    assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Unavailable);
}

#[tokio::test]
async fn a_redis_that_is_absent_at_the_start_is_found_later() {
    let mut redis = Redis::start();
    redis.kill();
    let keys = keys(&redis);
    assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Unavailable);
    redis.start_again();
    assert_eq!(until_answered(|| keys.claim(ask("mo:1", "f", "me"))).await, Claim::Fresh);
}

#[tokio::test]
async fn flushing_keys_and_scripts_only_makes_keys_fresh() {
    let redis = Redis::start();
    let keys = keys(&redis);
    keys.claim(ask("mo:1", "f", "me")).await;
    redis.command(&["FLUSHALL"]).await;
    redis.command(&["SCRIPT", "FLUSH"]).await;
    assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::Fresh);
    redis.command(&["SCRIPT", "FLUSH"]).await;
    assert_eq!(keys.claim_many(&[ask("mo:1", "f", "me")]).await, [Claim::InFlight]);
}

#[tokio::test]
async fn a_value_that_is_not_ours_proves_nothing() {
    let redis = Redis::start();
    let keys = keys(&redis);
    redis.command(&["SET", "paygate:mo:1", "something else"]).await;
    assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Unavailable);
}

#[tokio::test]
async fn keys_are_spread_over_a_cluster() {
    let nodes = [Redis::start_node(), Redis::start_node(), Redis::start_node()];
    for (node, slots) in nodes.iter().zip([["0", "5460"], ["5461", "10922"], ["10923", "16383"]]) {
        node.command(&["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]]).await;
        let (port, bus) = (node.port().to_string(), node.bus().to_string());
        nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
    }
    let mut config = nodes[0].config();
    config.urls = nodes.iter().map(|node| node.url().into()).collect();
    let keys = Keys::redis(&config).expect("the urls are some");
    until_answered(|| keys.claim(ask("first", "f", "me"))).await;
    // The nodes still learn of each other, so a key may have to be asked for again; its owner may.
    let names: Vec<String> = (0..100).map(|n| format!("mo:{n}")).collect();
    for name in &names {
        assert_eq!(until_answered(|| keys.claim(ask(name, "f", "me"))).await, Claim::Fresh);
    }
    let asks: Vec<_> = names.iter().map(|name| ask(name, "f", "you")).collect();
    assert_eq!(keys.claim_many(&asks).await, vec![Claim::InFlight; 100]);
    assert!(keys.healthy().await);
}
