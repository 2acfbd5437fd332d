//! A power cut at each step of a purchase: the real binary is killed and started again, and the subscriber notices no more
//! than a text that comes late or twice.

use crate::stores::{Store, both_stores};
use crate::world::{Books, Phone, Plan, Process, SHORT_CODE, World, code_in};
use paygate::sandbox::billing::Endpoint::{ConfirmPayment, PreparePayment, RetrievePayment};
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages::Endpoint::{CheckUser, Grant};
use paygate::sandbox::smsc::Mo;
use sqlx::Connection;
use std::time::Duration;
use tokio::time::sleep;

/// What is lost with a crash is taken up again when it should long have been answered: here that is soon.
fn plan(store: Store) -> Plan {
    World::of(store).set(
        r#"
        engine = { poll = "20ms", lease = "1s", reply_lease = "1s" }
        charging.viettel = { timeout = "500ms", send_within = "500ms" }
        package_manager = { timeout = "500ms", send_within = "500ms" }
        "#,
    )
}

/// A subscriber who writes, answers the first offer, and reads until it is done. The network sends again what the gateway
/// has not taken.
pub(crate) async fn buys(phone: &Phone<'_>) {
    phone.texts("ON VIP NAP1").await;
    let mut answered = None;
    loop {
        let text = phone.reads_on().await;
        if text.starts_with("Thanh cong: goi NAP1") {
            return;
        }
        let code = code_in(&text);
        match &answered {
            None => phone.texts(&code).await,
            Some(first) => assert_eq!(*first, code, "an offer that is sent twice has one code"),
        }
        answered = Some(code);
    }
}

/// Kills the daemon when this has been seen, and starts it again.
async fn survives(plan: Plan, arrange: impl FnOnce(&World), moment: impl AsyncFnOnce(&World)) {
    let world = plan.neighbours().await;
    world.smsc.redeliver(true);
    arrange(&world);
    let first = Process::start(&world).await;
    let phone = world.phone("0854689520");
    let ((), second) = tokio::join!(buys(&phone), async {
        moment(&world).await;
        first.kill(&world).await;
        Process::start(&world).await
    });
    second.stop().await;
    world.ends_though_killed(&["done"], Books::BOUGHT).await;
}

async fn asked(world: &World, endpoint: paygate::sandbox::billing::Endpoint) {
    world.until("the billing is asked", |world| world.billing.requests().iter().any(|(at, _)| *at == endpoint)).await;
}

async fn asked_packages(world: &World, endpoint: paygate::sandbox::packages::Endpoint) {
    let seen = |world: &World| world.packages.requests().iter().any(|(at, _)| *at == endpoint);
    world.until("the package manager is asked", seen).await;
}

async fn acknowledged(world: &World, messages: usize) {
    let taken = |world: &World| world.smsc.messages().iter().filter(|sent| sent.acknowledged()).count() >= messages;
    world.until("the message is acknowledged", taken).await;
}

async fn texted(world: &World, words: &str) {
    let seen = |world: &World| world.smsc.texts_to("84854689520").iter().any(|text| text.text.contains(words));
    world.until("the text is on the phone", seen).await;
}

/// A number that depends on the seed alone (SplitMix64).
const fn scattered(seed: u64) -> u64 {
    let mixed = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 27)
}

const SLOW: Fault = Fault::Slow { ms: 400 };
const LATE: Fault = Fault::Late { ms: 400 };

both_stores! {
    async fn before_the_message_is_acknowledged(store: Store) {
        let world = plan(store).neighbours().await;
        world.smsc.redeliver(true);
        let first = Process::start(&world).await;
        let held = world.store.hold().await;
        let phone = world.phone("0854689520");
        let ((), second) = tokio::join!(buys(&phone), async {
            // What cannot be committed is answered "later", not in silence.
            let answered = |world: &World| world.smsc.messages().iter().any(|sent| !sent.answers.is_empty());
            world.until("the daemon has the message", answered).await;
            first.kill(&world).await;
            held.close().await.unwrap();
            Process::start(&world).await
        });
        second.stop().await;
        world.ends_though_killed(&["done"], Books::BOUGHT).await;
    }

    async fn when_the_message_is_acknowledged(store: Store) {
        survives(plan(store), |_| {}, async |world| acknowledged(world, 1).await).await;
    }

    async fn when_the_package_manager_has_been_asked(store: Store) {
        let arrange = |world: &World| world.package_faults(CheckUser, SLOW, 1);
        survives(plan(store), arrange, async |world| asked_packages(world, CheckUser).await).await;
    }

    async fn when_the_offer_is_on_the_phone(store: Store) {
        survives(plan(store), |_| {}, async |world| texted(world, "mua goi").await).await;
    }

    async fn when_the_code_is_acknowledged(store: Store) {
        survives(plan(store), |_| {}, async |world| acknowledged(world, 2).await).await;
    }

    async fn while_the_charge_is_held_at_the_operator(store: Store) {
        let arrange = |world: &World| world.billing_faults(ConfirmPayment, LATE, 1);
        survives(plan(store), arrange, async |world| asked(world, PreparePayment).await).await;
    }

    async fn when_the_operator_has_charged_and_not_answered(store: Store) {
        let arrange = |world: &World| world.billing_faults(ConfirmPayment, SLOW, 1);
        survives(plan(store), arrange, async |world| asked(world, ConfirmPayment).await).await;
    }

    /// The first send moved nothing, and the list of its time does not reach what a later one charged.
    async fn when_a_later_send_has_charged_and_not_answered(store: Store) {
        let late = "charging.viettel = { clock_skew = \"1s\", max_flight = \"500ms\", inquiry_plan = [\"4s\", \"1s\"] }";
        let arrange = |world: &World| {
            world.billing_faults(PreparePayment, Fault::LostBefore, 1);
            world.billing_faults(ConfirmPayment, SLOW, 1);
        };
        survives(plan(store).set(late), arrange, async |world| asked(world, ConfirmPayment).await).await;
    }

    async fn between_the_charge_and_the_grant(store: Store) {
        survives(plan(store), |_| {}, async |world| asked(world, RetrievePayment).await).await;
    }

    async fn while_the_grant_is_held_at_the_package_manager(store: Store) {
        let arrange = |world: &World| world.package_faults(Grant, LATE, 1);
        survives(plan(store), arrange, async |world| asked(world, RetrievePayment).await).await;
    }

    async fn when_the_package_is_granted_and_not_answered(store: Store) {
        let arrange = |world: &World| world.package_faults(Grant, SLOW, 1);
        survives(plan(store), arrange, async |world| asked_packages(world, Grant).await).await;
    }

    async fn when_the_subscriber_has_been_told(store: Store) {
        survives(plan(store), |_| {}, async |world| texted(world, "Thanh cong").await).await;
    }

    async fn at_moments_that_nobody_chose(store: Store) {
        for seed in 0..6 {
            let moment = Duration::from_micros(scattered(seed) % 80_000);
            survives(plan(store.sibling().await), |_| {}, async |_| sleep(moment).await).await;
        }
    }

    /// Each part was acknowledged by itself, so nobody sends the message that they make.
    async fn between_the_last_part_of_a_long_message_and_the_message(store: Store) {
        let world = plan(store).set("purchase.parts_window = \"1m\"").neighbours().await;
        let first = Process::start(&world).await;
        world.store.keeps_no("message").await;
        let phone = world.phone("0854689520");
        let long = format!("ON VIP NAP1{}0912345678", " ".repeat(200));
        for part in Mo::parts(phone.digits(), SHORT_CODE, &long, 7) {
            phone.sends_part(&part).await;
        }
        first.kill(&world).await;
        world.store.keeps_again("message").await;
        let second = Process::start(&world).await;
        phone.reads("mua goi NAP1").await;
        second.stop().await;
        world.ends_though_killed(&["offered"], Books::NOTHING).await;
    }
}

/// The leases of a dead instance run out, and the other one goes on with what it had begun.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_instance_began_is_finished_by_the_other() {
    for seed in 0..4 {
        let world = plan(Store::postgres().await).with_redis().neighbours().await;
        world.smsc.redeliver(true);
        world.billing_faults(ConfirmPayment, SLOW, 1);
        let (first, second) = (Process::start(&world).await, Process::start(&world).await);
        let phone = world.phone("0854689520");
        tokio::join!(buys(&phone), async {
            asked(&world, ConfirmPayment).await;
            sleep(Duration::from_micros(scattered(seed) % 10_000)).await;
            first.kill(&world).await;
        });
        second.stop().await;
        world.ends_though_killed(&["done"], Books::BOUGHT).await;
    }
}

/// Long past its lease and its time to send, an instance goes on where it stood: what it would send is too late by then,
/// and what it has heard is evidence beside what the other one has found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_stood_still_for_longer_than_its_lease_changes_nothing() {
    for (endpoint, seed) in [(PreparePayment, 0), (PreparePayment, 1), (ConfirmPayment, 2), (ConfirmPayment, 3)] {
        let settings = "charging.viettel.max_flight = \"1s\"";
        let world = plan(Store::postgres().await).set(settings).neighbours().await;
        world.smsc.redeliver(true);
        world.billing_faults(endpoint, SLOW, 1);
        let first = Process::start(&world).await;
        let phone = world.phone("0854689520");
        tokio::join!(buys(&phone), async {
            asked(&world, endpoint).await;
            sleep(Duration::from_micros(scattered(seed) % 10_000)).await;
            first.pause().await;
            let second = Process::start(&world).await;
            world.until("the other one has finished it", |world| world.books() == Books::BOUGHT).await;
            first.resume().await;
            first.stop().await;
            second.stop().await;
        });
        world.ends_though_killed(&["done"], Books::BOUGHT).await;
    }
}
