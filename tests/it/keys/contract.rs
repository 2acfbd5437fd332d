//! What holds wherever keys are held.

use super::{HOUR, ask};
use crate::stores;
use paygate::idempotency::{Ask, Claim, Keys, Recalled, Remembered};
use std::time::Duration;

/// Makes each `async fn name(keys: Keys)` two tests, `process::name` and `redis::name`.
macro_rules! both_keys {
    ($(async fn $name:ident($keys:ident: Keys) $body:block)*) => {
        $(async fn $name($keys: Keys) $body)*

        mod process {
            use paygate::idempotency::Keys;
            $(#[tokio::test]
            async fn $name() {
                super::$name(Keys::process(1000)).await;
            })*
        }

        mod redis {
            use super::stores::Redis;
            use paygate::idempotency::Keys;
            $(#[tokio::test]
            async fn $name() {
                let redis = Redis::start();
                super::$name(Keys::redis(&redis.config()).expect("the url is one")).await;
            })*
        }
    };
}

fn found(version: u64, value: &str) -> Recalled {
    Recalled::Found { version, value: value.to_owned() }
}

both_keys! {
    async fn what_is_remembered_is_recalled_with_the_number_of_its_writing(keys: Keys) {
        assert_eq!(keys.recall("ussd:1").await, Recalled::Nothing);
        assert_eq!(keys.remember("ussd:1", 0, "{\"at\":\"é\"}", HOUR).await, Remembered::Kept);
        assert_eq!(keys.recall("ussd:1").await, found(1, "{\"at\":\"é\"}"));
        assert_eq!(keys.remember("ussd:1", 1, "", HOUR).await, Remembered::Kept);
        assert_eq!(keys.recall("ussd:1").await, found(2, ""));
        assert_eq!(keys.recall("ussd:2").await, Recalled::Nothing);
    }

    async fn of_two_that_remember_at_once_the_second_is_told_so(keys: Keys) {
        assert_eq!(keys.remember("ussd:1", 0, "a", HOUR).await, Remembered::Kept);
        assert_eq!(keys.remember("ussd:1", 0, "b", HOUR).await, Remembered::Overtaken);
        assert_eq!(keys.remember("ussd:1", 1, "c", HOUR).await, Remembered::Kept);
        assert_eq!(keys.remember("ussd:1", 1, "d", HOUR).await, Remembered::Overtaken);
        assert_eq!(keys.recall("ussd:1").await, found(2, "c"));
    }

    async fn what_has_lapsed_is_nothing_and_what_followed_it_is_overtaken(keys: Keys) {
        assert_eq!(keys.remember("ussd:1", 0, "a", Duration::from_millis(1)).await, Remembered::Kept);
        while keys.recall("ussd:1").await != Recalled::Nothing {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(keys.remember("ussd:1", 1, "b", HOUR).await, Remembered::Overtaken);
        assert_eq!(keys.remember("ussd:1", 0, "c", HOUR).await, Remembered::Kept);
        assert_eq!(keys.recall("ussd:1").await, found(1, "c"));
    }

    async fn a_key_that_was_claimed_is_nothing_to_recall(keys: Keys) {
        keys.claim(ask("mo:1", "f", "me")).await;
        assert_eq!(keys.recall("mo:1").await, Recalled::Nothing);
    }

    async fn a_key_is_fresh_once_and_in_flight_for_everybody_else(keys: Keys) {
        assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Fresh);
        assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::InFlight);
        assert_eq!(keys.claim(ask("mo:2", "f", "you")).await, Claim::Fresh);
    }

    async fn a_claim_whose_answer_was_lost_is_claimed_again_by_its_owner(keys: Keys) {
        assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Fresh);
        assert_eq!(keys.claim(ask("mo:1", "f", "me")).await, Claim::Fresh);
    }

    async fn a_completed_key_gives_its_answer_to_all(keys: Keys) {
        keys.claim(ask("order:1", "f", "me")).await;
        keys.complete("order:1", "me", "{\"purchaseId\":\"é\"}").await;
        let answer = Claim::Done("{\"purchaseId\":\"é\"}".to_owned());
        assert_eq!(keys.claim(ask("order:1", "f", "you")).await, answer);
        assert_eq!(keys.claim(ask("order:1", "f", "me")).await, answer);
    }

    async fn an_empty_answer_is_an_answer(keys: Keys) {
        keys.claim(ask("notify:1", "f", "me")).await;
        keys.complete("notify:1", "me", "").await;
        assert_eq!(keys.claim(ask("notify:1", "f", "you")).await, Claim::Done(String::new()));
    }

    async fn the_same_key_for_something_else_is_a_mismatch(keys: Keys) {
        keys.claim(ask("order:1", "f", "me")).await;
        assert_eq!(keys.claim(ask("order:1", "other", "me")).await, Claim::Mismatch);
        keys.complete("order:1", "me", "answer").await;
        assert_eq!(keys.claim(ask("order:1", "other", "you")).await, Claim::Mismatch);
    }

    async fn only_its_owner_completes_or_releases_a_key(keys: Keys) {
        keys.claim(ask("mo:1", "f", "me")).await;
        keys.complete("mo:1", "you", "wrong").await;
        keys.release("mo:1", "you").await;
        assert_eq!(keys.claim(ask("mo:1", "f", "other")).await, Claim::InFlight);
        keys.release("mo:1", "me").await;
        assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::Fresh);
    }

    async fn a_completed_key_is_not_released(keys: Keys) {
        keys.claim(ask("mo:1", "f", "me")).await;
        keys.complete("mo:1", "me", "p1").await;
        keys.release("mo:1", "me").await;
        assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::Done("p1".to_owned()));
    }

    async fn completing_a_key_that_nobody_claimed_does_nothing(keys: Keys) {
        keys.complete("mo:1", "me", "p1").await;
        assert_eq!(keys.claim(ask("mo:1", "f", "you")).await, Claim::Fresh);
    }

    async fn many_keys_are_answered_in_their_order(keys: Keys) {
        keys.claim(ask("mo:3", "f", "you")).await;
        keys.complete("mo:3", "you", "p3").await;
        let names: Vec<String> = (0..600).map(|n| format!("mo:{n}")).collect();
        let mut asks: Vec<Ask<'_>> = names.iter().map(|name| ask(name, "f", "me")).collect();
        asks.push(ask("mo:0", "other", "me"));
        let claims = keys.claim_many(&asks).await;
        assert_eq!(claims.len(), 601);
        for (at, claim) in claims.iter().enumerate() {
            let expected = match at {
                3 => Claim::Done("p3".to_owned()),
                600 => Claim::Mismatch,
                _ => Claim::Fresh,
            };
            assert_eq!(*claim, expected, "ask {at}");
        }
        assert!(keys.claim_many(&[]).await.is_empty());
    }

    async fn counts_go_up_one_by_one_for_each_key(keys: Keys) {
        for expected in 1..=3 {
            assert_eq!(keys.count("code:+84854689520", HOUR).await, Some(expected));
        }
        assert_eq!(keys.count("code:+84854689521", HOUR).await, Some(1));
    }

    async fn a_key_whose_life_is_over_is_fresh_again(keys: Keys) {
        let brief = Duration::from_millis(1);
        keys.claim(Ask { life: brief, ..ask("mo:1", "f", "me") }).await;
        keys.count("code:1", brief).await;
        tokio::time::sleep(brief * 20).await;
        assert_eq!(keys.claim(ask("mo:1", "other", "you")).await, Claim::Fresh);
        assert_eq!(keys.count("code:1", HOUR).await, Some(1));
    }

    async fn a_store_that_answers_is_healthy(keys: Keys) {
        assert!(keys.healthy().await);
    }
}
