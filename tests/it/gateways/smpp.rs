//! Dialogues over the SMPP link that texts their results, in each dialect.

use super::{Gateway, MENU, PHONE, consent};
use crate::stores::{Store, both_stores};
use crate::world::{Books, Plan, World};
use paygate::journal::rows::MessageFilter;
use paygate::sandbox::smsc::AckStatus;
use paygate_parsers::smpp::status::ESME_ROK;
use paygate_parsers::smpp::ussd::Dialect;
use std::collections::BTreeSet;

/// A world whose SMSC has phones that dial.
fn dials(store: Store, dialect: Dialect) -> Plan {
    let name = dialect.name;
    World::of(store)
        .smsc(|smsc| smsc.dialect = dialect)
        .set(MENU)
        .set(&format!("[ussd.viettel]\nkind = \"smpp\"\nlink = \"viettel\"\ndialect = {name:?}\nscreen_ttl = \"5m\"\n"))
}

both_stores! {
    async fn a_package_is_bought_from_the_menu_in_each_dialect(store: Store) {
        buys_in(store, Dialect::STANDARD).await;
    }

    async fn what_was_agreed_to_is_bought_although_the_phone_hangs_up(store: Store) {
        let world = dials(store, Dialect::STANDARD).start().await;
        let dialogue = Gateway::Smsc(&world.smsc).dials("*098#").await;
        dialogue.agrees().await;
        dialogue.hangs_up().await;
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }
}

async fn buys_in(store: Store, dialect: Dialect) {
    let world = dials(store, dialect).start().await;
    Gateway::Smsc(&world.smsc).dials("*098#").await.buys().await;
    world.phone("0854689520").reads_done().await;
    assert!(world.smsc.hops().iter().all(|status| *status == AckStatus::Answered(ESME_ROK)));
    assert_eq!(world.smsc.stray_screens(), 0);
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_bought_in_the_dialect_of_mica() {
    buys_in(Store::sqlite(), Dialect::MICA).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_bought_in_the_dialect_of_6d() {
    buys_in(Store::sqlite(), Dialect::SIXDEE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_bought_where_only_the_number_names_the_dialogue() {
    buys_in(Store::sqlite(), Dialect::MSISDN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hop_that_comes_twice_is_one_hop() {
    let world = dials(Store::sqlite(), Dialect::STANDARD).start().await;
    world.smsc.faults(|faults| faults.double_hops = 100);
    let dialogue = Gateway::Smsc(&world.smsc).dials("*098#").await;
    let mut screens = BTreeSet::new();
    let agrees = loop {
        let (first, again) = (dialogue.sees().await, dialogue.sees().await);
        assert_eq!(first, again, "a hop that came twice led on");
        assert!(screens.insert(first.text.clone()), "the menu stood still: {}", first.text);
        if let Some(agrees) = consent(&first) {
            break agrees;
        }
        dialogue.keys("1").await;
    };
    dialogue.keys(&agrees).await;
    assert!(dialogue.sees().await.ends);
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialogue_outlives_the_link_that_its_hops_come_by() {
    let world = dials(Store::sqlite(), Dialect::STANDARD).start().await;
    let dialogue = Gateway::Smsc(&world.smsc).dials("*098#").await;
    dialogue.sees().await;
    world.smsc.drop_connections();
    world.until("the link is gone", |world| world.smsc.bind_count() == 0).await;
    world.smsc.bound(1).await;
    dialogue.keys("1").await;
    dialogue.buys().await;
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_phones_with_one_number_of_a_dialogue_are_two_dialogues() {
    let world = dials(Store::sqlite(), Dialect::STANDARD).start().await;
    let first = Gateway::Smsc(&world.smsc).dials("*098#").await;
    // The gateway's own numbers come round after 255 dialogues.
    for _ in 0..254 {
        world.smsc.dial("84912345678", "*098#").await;
    }
    let other = world.smsc.dial("84987654321", "*098#").await;
    assert_eq!(world.smsc.next_screen(other, crate::world::PATIENCE).await.map(|shown| shown.ends), Some(false));
    first.buys().await;
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_gateway_for_the_link_what_is_dialled_is_a_message() {
    let world = World::of(Store::sqlite()).start().await;
    world.smsc.dial(PHONE, "*098#").await;
    let kept = world.journal().await.messages(&MessageFilter { limit: 10, ..MessageFilter::default() }).await.unwrap();
    assert_eq!(kept.iter().map(|row| row.raw.as_slice()).collect::<Vec<_>>(), [b"*098#"]);
}
