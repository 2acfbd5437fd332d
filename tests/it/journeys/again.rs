//! Messages that come twice: what the network sends again is one message, what a subscriber sends again is two.

use crate::stores::{Store, both_stores};
use crate::world::{Books, World};
use paygate::sandbox::smsc::Mo;
use std::time::Duration;
use tokio::time::sleep;

both_stores! {
    async fn a_redelivered_request_and_a_redelivered_code_are_one_purchase(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.texts("ON VIP NAP1").await;
        let code = phone.reads_offer().await;
        phone.texts(&code).await;
        phone.texts(&code).await;
        phone.reads_done().await;
        phone.texts("ON VIP NAP1").await;
        phone.texts(&code).await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn the_same_message_ten_times_at_once_is_one_purchase(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let texts = (0..10).map(|_| phone.texts("ON VIP NAP1"));
        futures_util::future::join_all(texts).await;
        let code = phone.reads_offer().await;
        futures_util::future::join_all((0..10).map(|_| phone.texts(&code))).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn the_same_words_after_the_redelivery_window_are_a_new_message(store: Store) {
        let world = World::of(store).set("purchase.redelivery_window = \"500ms\"").start().await;
        let phone = world.phone("0854689520");
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        sleep(Duration::from_millis(501)).await;
        phone.texts("ON VIP NAP1").await;
        phone.reads("VUA MUA goi NAP1").await;
        world.ends(&["done", "offered"], Books::BOUGHT).await;
    }

    async fn a_redelivery_after_a_restart_is_still_one(store: Store) {
        let mut world = World::of(store).start().await;
        let code = world.phone("0854689520").asks("ON VIP NAP1").await;
        world.stop_daemons().await;
        world.start_daemon().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.texts(&code).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn the_same_text_under_another_sequence_number_is_the_same_message(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let text = Mo::text(phone.digits(), "9029", "ON VIP NAP1");
        for (sequence, data_sm) in [(7, false), (7, false), (8, false)] {
            phone.sends_part(&Mo { sequence: Some(sequence), data_sm, ..text.clone() }).await;
        }
        phone.reads_offer().await;
        world.ends(&["offered"], Books::NOTHING).await;
    }
}

/// Two instances on one PostgreSQL and one Redis, bound to one SMSC, which delivers to each in turn.
async fn two_instances() -> World {
    let mut world = World::of(Store::postgres().await).with_redis().start().await;
    world.start_daemon().await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_words_are_a_new_message_when_redis_has_forgotten_them_in_time() {
    let redis = World::of(Store::postgres().await).with_redis();
    let world = redis.set("purchase.redelivery_window = \"500ms\"").start().await;
    let phone = world.phone("0854689520");
    phone.buys("ON VIP NAP1").await;
    phone.reads_done().await;
    sleep(Duration::from_millis(501)).await;
    phone.texts("ON VIP NAP1").await;
    phone.reads("VUA MUA goi NAP1").await;
    world.ends(&["done", "offered"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redelivery_to_another_instance_is_one_purchase() {
    let world = two_instances().await;
    let phone = world.phone("0854689520");
    phone.texts("ON VIP NAP1").await;
    phone.texts("ON VIP NAP1").await;
    let code = phone.reads_offer().await;
    phone.texts(&code).await;
    phone.texts(&code).await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_message_to_two_instances_at_once_is_one_purchase() {
    let world = two_instances().await;
    let phone = world.phone("0854689520");
    futures_util::future::join_all((0..10).map(|_| phone.texts("ON VIP NAP1"))).await;
    let code = phone.reads_offer().await;
    futures_util::future::join_all((0..10).map(|_| phone.texts(&code))).await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_instance_takes_any_answer() {
    let world = two_instances().await;
    for last in 0..8 {
        let phone = world.phone(&format!("085468952{last}"));
        phone.texts("ON VIP NAP1").await;
        let code = phone.reads_offer().await;
        phone.texts(&format!("OTP {code}")).await;
        phone.reads_done().await;
    }
    world.ends(&["done"; 8], Books::bought(8)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_goes_leaves_its_purchases_to_the_other() {
    let mut world = two_instances().await;
    let code = world.phone("0854689520").asks("ON VIP NAP1").await;
    let first = world.daemons.remove(0);
    first.stop().await;
    world.until("one link is left", |world| world.smsc.bind_count() == 1).await;
    let phone = world.phone("0854689520");
    phone.texts(&code).await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}
