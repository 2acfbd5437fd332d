//! Keys held in the process: bounded, and exact about time.

use super::{HOUR, ask};
use paygate::idempotency::{Ask, Claim, Keys};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_key_lives_exactly_as_long_as_it_was_claimed_for() {
    let keys = Keys::process(10);
    keys.claim(ask("mo:1", "f", "me")).await;
    tokio::time::advance(HOUR - Duration::from_millis(1)).await;
    assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::InFlight);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::Fresh);
}

#[tokio::test(start_paused = true)]
async fn completing_a_key_does_not_lengthen_its_life() {
    let keys = Keys::process(10);
    keys.claim(ask("mo:1", "f", "me")).await;
    tokio::time::advance(HOUR / 2).await;
    keys.complete("mo:1", "me", "p1").await;
    tokio::time::advance(HOUR / 2).await;
    assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::Fresh);
}

#[tokio::test(start_paused = true)]
async fn when_there_is_no_room_the_key_that_would_expire_first_goes() {
    let keys = Keys::process(2);
    keys.claim(Ask { life: HOUR * 2, ..ask("long", "f", "me") }).await;
    keys.claim(Ask { life: HOUR, ..ask("short", "f", "me") }).await;
    keys.claim(Ask { life: HOUR * 3, ..ask("new", "f", "me") }).await;
    assert_eq!(keys.claim(ask("long", "f", "you")).await, Claim::InFlight);
    assert_eq!(keys.claim(ask("new", "f", "you")).await, Claim::InFlight);
    assert_eq!(keys.claim(ask("short", "f", "you")).await, Claim::Fresh);
}
