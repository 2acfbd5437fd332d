//! Stores that fail in the middle of a purchase. Redis decides nothing, so losing it changes nothing; without PostgreSQL
//! nothing is acknowledged, and nothing that was acknowledged is lost.

use crate::crash::buys;
use crate::pair::Pair;
use crate::stores::{Store, free_port};
use crate::world::{Books, PATIENCE, Process, World};
use paygate::sandbox::billing::Endpoint::{ConfirmPayment, RetrievePayment};
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages::Endpoint::Grant;
use paygate::sandbox::smsc::AckStatus;
use paygate_parsers::smpp::status::ESME_RX_T_APPN;
use std::time::{Duration, Instant};

async fn with_redis() -> World {
    World::of(Store::postgres().await).with_redis().start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_dies_in_the_middle_changes_nothing() {
    let mut world = with_redis().await;
    let code = world.phone("0854689520").asks("ON VIP NAP1").await;
    world.redis.as_mut().unwrap().kill();
    world.phone("0854689520").texts(&code).await;
    world.phone("0854689520").reads_done().await;
    world.phone("0854689520").texts(&code).await;
    world.redis.as_mut().unwrap().start_again();
    world.phone("0854689520").texts("ON VIP NAP1").await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_forgets_everything_between_two_steps_changes_nothing() {
    let world = with_redis().await;
    let (phone, redis) = (world.phone("0854689520"), world.redis.as_ref().unwrap());
    let code = phone.asks("ON VIP NAP1").await;
    redis.command(&["FLUSHALL"]).await;
    phone.texts("ON VIP NAP1").await;
    world.billing_faults(ConfirmPayment, Fault::Late { ms: 300 }, 1);
    phone.texts(&code).await;
    redis.command(&["FLUSHALL"]).await;
    phone.texts(&code).await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_slows_a_purchase_and_does_not_stop_it() {
    let world = with_redis().await;
    let (phone, redis) = (world.phone("0854689520"), world.redis.as_ref().unwrap());
    redis.pause();
    let code = phone.asks("ON VIP NAP1").await;
    phone.texts(&code).await;
    redis.resume();
    phone.texts(&code).await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

async fn on_postgres() -> World {
    World::of(Store::postgres().await).set("journal.statement_timeout = \"1s\"").start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_cannot_be_kept_is_sent_again_until_it_can() {
    let world = on_postgres().await;
    let phone = world.phone("0854689520");
    world.store.goes_away().await;
    assert_eq!(phone.tries_to_text("ON VIP NAP1").await, AckStatus::Answered(ESME_RX_T_APPN));
    world.smsc.redeliver(true);
    let (taken, ()) = tokio::join!(phone.tries_to_text("ON VIP NAP1"), world.store.comes_back());
    assert!(taken.is_ok(), "{taken:?}");
    let code = phone.reads_offer().await;
    phone.texts(&code).await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_whose_answer_finds_no_journal_is_written_down_when_it_is_back() {
    let world = on_postgres().await;
    let phone = world.phone("0854689520");
    world.billing_faults(ConfirmPayment, Fault::Slow { ms: 300 }, 1);
    phone.buys("ON VIP NAP1").await;
    world.until("the money has moved", |world| world.books().debits == 1).await;
    world.store.goes_away().await;
    world
        .until("the answer is there", |world| world.billing.requests().iter().any(|(at, _)| *at == RetrievePayment))
        .await;
    assert_eq!(world.books().grants, 0, "nothing leaves before it is written down");
    world.store.comes_back().await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

/// Purchases stand in many states at each crash, and rows that are due are being claimed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_again_and_again_strands_nothing_that_is_due() {
    const PURCHASES: usize = 40;
    let pair = Pair::start();
    let settings = r#"
        engine = { lease = "1s", reply_lease = "1s" }
        journal.statement_timeout = "2s"
        charging.viettel.timeout = "1s"
    "#;
    let mut world = World::of(pair.store().await).set(settings).start().await;
    world.smsc.redeliver(true);
    world.billing_faults(ConfirmPayment, Fault::Silent, 20);
    world.package_faults(Grant, Fault::Lost, 20);
    {
        let phones: Vec<_> = (10..10 + PURCHASES).map(|last| world.phone(&format!("08546895{last}"))).collect();
        let buying = futures_util::future::join_all(phones.iter().map(buys));
        let crashing = async {
            for debits in [1, 10, 20] {
                world.until("money moves", |world| world.books().debits >= debits).await;
                pair.crashes().await;
            }
        };
        tokio::join!(buying, crashing);
    }
    world.stop_daemons().await;
    world.ends_though_killed(&["done"; PURCHASES], Books::bought(PURCHASES as u64)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_nothing_is_taken_and_nothing_leaves_until_there_is_room() {
    let port = free_port();
    let world = World::of(Store::sqlite()).set(&format!("http.listen = \"127.0.0.1:{port}\"")).neighbours().await;
    let daemon = Process::start_on_a_small_disk(&world).await;
    let phone = world.phone("0854689520");
    let code = phone.asks("ON VIP NAP1").await;
    world.replies_stand(&["offer delivered"]).await;
    daemon.fills_its_disk(4_096).await;
    assert_eq!(phone.tries_to_text(&code).await, AckStatus::Answered(ESME_RX_T_APPN));
    assert_eq!(world.billing.requests(), []);
    readiness(port, 503).await;
    world.smsc.redeliver(true);
    let (taken, ()) = tokio::join!(phone.tries_to_text(&code), daemon.has_room_again());
    assert!(taken.is_ok(), "{taken:?}");
    phone.reads_done().await;
    readiness(port, 200).await;
    daemon.stop().await;
    world.ends_though_killed(&["done"], Books::BOUGHT).await;
}

/// Waits until `/readyz` is answered so.
async fn readiness(port: u16, status: u16) {
    let end = Instant::now() + PATIENCE;
    loop {
        let answered = reqwest::get(format!("http://127.0.0.1:{port}/readyz")).await.unwrap();
        if answered.status() == status {
            return;
        }
        let text = answered.text().await.unwrap();
        assert!(Instant::now() < end, "/readyz never came to {status}: {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether it finishes in time or not, it ends well and leaves nothing behind that the next start does not finish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_stopped_with_a_thousand_calls_under_way_loses_none() {
    // Those held at the operator are few: each is looked for in its list, which holds all the others.
    const PURCHASES: usize = 1_000;
    const CHARGING: usize = 50;
    let settings = r#"
        purchase = { otp = "none", checking_after = "5m" }
        engine.drain = "1s"
        charging.viettel = { concurrency = 1000, timeout = "6s", send_within = "5s" }
        package_manager = { concurrency = 1000, timeout = "9s", send_within = "5s" }
    "#;
    let world = World::of(Store::sqlite()).set(settings).neighbours().await;
    world.smsc.redeliver(true);
    let first = Process::start(&world).await;
    world.billing_faults(ConfirmPayment, Fault::Slow { ms: 20_000 }, CHARGING as u32);
    world.package_faults(Grant, Fault::Slow { ms: 20_000 }, (PURCHASES - CHARGING) as u32);
    // On a slow machine the first of those that are held may have been asked about already, and granted.
    let all_left = |books: Books| books.debits == PURCHASES as u64 && books.grants >= (PURCHASES - CHARGING) as u64;
    {
        let phones: Vec<_> = (1_000..1_000 + PURCHASES).map(|last| world.phone(&format!("085468{last}"))).collect();
        futures_util::future::join_all(phones.iter().map(|phone| phone.texts("ON VIP NAP1"))).await;
        world.until("all are under way", |world| all_left(world.books())).await;
        first.stop().await;
        let second = Process::start(&world).await;
        for phone in &phones {
            phone.reads_done().await;
        }
        second.stop().await;
    }
    world.ends_though_killed(&["done"; PURCHASES], Books::bought(PURCHASES as u64)).await;
}
