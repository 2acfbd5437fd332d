//! Dialogues that die, are forgotten, or wait for somebody who does not answer: a screen comes in time, and money moves only for
//! a consent that is safe.

use crate::stores::Store;
use crate::world::{Books, MENU, Plan, Process, World};
use paygate::journal::rows::{Deed, NewAct};
use paygate::sandbox::billing::Endpoint::{ConfirmPayment, CreatePayment, PreparePayment};
use paygate::sandbox::faults::{Fault, FaultRule};
use paygate::sandbox::packages::Endpoint::{CheckUser, ListPackages};

fn with_menu(store: Store) -> Plan {
    World::of(store).set(MENU)
}

const TO_CONSENT: &[&str] = &["1", "1", "1"];
const BUSY: &str = "END He thong dang ban, ban chua mua gi. Vui long thu lai sau.";
const TOO_LATE: &str =
    "END He thong dang ban. Neu ban da dong y mua, ket qua se bao qua SMS. Neu chua, vui long thu lai sau.";
const LOST: &str = "END Phien da het. Vui long bam lai tu dau.";

/// Far less than the package manager's own wait, which is longer than this test's patience.
const SHORT: &str = "menu.answer_within = \"500ms\"\npackage_manager.timeout = \"5m\"";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_manager_that_hangs_keeps_nobody_waiting() {
    let world = with_menu(Store::sqlite()).set(SHORT).start().await;
    assert!(world.packages.fault(FaultRule { endpoint: Some(CheckUser), fault: Fault::Silent, times: None }));
    // A slow machine may be late with a screen before it, and says busy all the same.
    let (_, screen) = world.dials("0854689520", "s-1", TO_CONSENT).await;
    assert!(screen.starts_with("END He thong dang ban"), "{screen}");
    world.ends(&[], Books::NOTHING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_menu_whose_list_was_never_read_says_so_in_time_and_has_it_later() {
    let world = with_menu(Store::sqlite()).set("menu.answer_within = \"500ms\"").neighbours().await;
    assert!(world.packages.fault(FaultRule {
        endpoint: Some(ListPackages),
        fault: Fault::Failed { status: 503 },
        times: None
    }));
    let mut world = world;
    world.start_daemon().await;
    let mut caller = world.caller("0854689520", "s-1");
    let screen = caller.dials("*098#").await;
    assert!(screen.starts_with("END He thong dang ban"), "{screen}");
    world.packages.clear_faults();
    while !caller.dials("*098#").await.starts_with("CON Chon dich vu") {}
    assert_eq!(world.books(), Books::NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_cannot_be_read_anew_leaves_the_menu_as_it_was() {
    let world = with_menu(Store::sqlite()).set("menu.list_max_age = \"100ms\"").start().await;
    let first = world.caller("0854689520", "s-1").dials("*098#").await;
    assert!(world.packages.fault(FaultRule { endpoint: Some(ListPackages), fault: Fault::Garbage, times: None }));
    let read = |world: &World| world.packages.requests().iter().filter(|(at, _)| *at == ListPackages).count();
    let before = read(&world);
    world.until("the list is asked for again", |world| read(world) > before + 2).await;
    assert_eq!(world.caller("0854689520", "s-2").dials("*098#").await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dialogue_is_over_before_the_charge_begins_and_does_not_wait_for_it() {
    let world = with_menu(Store::sqlite()).start().await;
    for endpoint in [CreatePayment, PreparePayment, ConfirmPayment] {
        world.billing_faults(endpoint, Fault::Late { ms: 3_000 }, 1);
    }
    let (_, screen) = world.dials("0854689520", "s-1", &["1", "1", "1", "1"]).await;
    assert!(screen.starts_with("END Da nhan"), "{screen}");
    assert_eq!(world.books(), Books::NOTHING, "the operator has not done it yet");
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialogue_that_dies_after_its_consent_buys_once_and_one_that_dies_before_it_buys_nothing() {
    let world = with_menu(Store::sqlite()).start().await;
    let (mut early, _) = world.dials("0854689521", "s-1", TO_CONSENT).await;
    early.ends("Incomplete").await;
    assert_eq!(early.answers("1").await, LOST, "too late to agree");
    let (mut caller, _) = world.dials("0854689520", "s-1", TO_CONSENT).await;
    let taken = caller.answers("1").await;
    for status in ["Failed", "Incomplete", "Success"] {
        caller.ends(status).await;
        assert_eq!(caller.again().await, taken);
    }
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_forgets_the_dialogue_makes_it_start_again_and_charges_nothing() {
    let world = with_menu(Store::postgres().await).with_redis().start().await;
    let redis = world.redis.as_ref().unwrap();
    for (at, answers) in [&[] as &[&str], &["1"], &["1", "1"], TO_CONSENT].into_iter().enumerate() {
        let (mut caller, _) = world.dials("0854689520", &format!("s-{at}"), answers).await;
        redis.command(&["FLUSHALL"]).await;
        assert_eq!(caller.answers("1").await, LOST, "after {answers:?}");
    }
    assert_eq!(world.books(), Books::NOTHING);
    let (mut caller, _) = world.dials("0854689520", "s-9", TO_CONSENT).await;
    caller.answers("1").await;
    redis.command(&["FLUSHALL"]).await;
    assert_eq!(caller.again().await, LOST, "what was agreed to is the journal's");
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

/// Redis has its own time to answer, which may be longer than a phone waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_ends_a_dialogue_in_time_and_charges_nothing() {
    for settings in ["redis.timeout = \"1s\"", "redis.timeout = \"10s\"\nmenu.answer_within = \"2s\""] {
        let world = with_menu(Store::postgres().await).with_redis().set(settings).start().await;
        let (mut caller, _) = world.dials("0854689520", "s-1", TO_CONSENT).await;
        let redis = world.redis.as_ref().unwrap();
        redis.pause();
        assert_eq!(caller.answers("1").await, TOO_LATE, "it may have agreed before, for all that is known");
        redis.resume();
        world.ends(&[], Books::NOTHING).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialogue_of_more_steps_than_it_may_have_is_over() {
    let world = with_menu(Store::sqlite()).set("menu.hops = 4").start().await;
    let (mut caller, screen) = world.dials("0854689520", "s-1", &["7", "7", "7"]).await;
    assert!(screen.starts_with("CON Chon chua dung."), "{screen}");
    assert_eq!(caller.answers("1").await, LOST);
    assert_eq!(caller.answers("1").await, LOST, "and stays so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_agreed_to_where_an_operator_has_frozen_the_channel() {
    let mut world = with_menu(Store::sqlite()).neighbours().await;
    let freeze = NewAct {
        operator: "lan".to_owned(),
        deed: Deed::Freeze { channel: "viettel".to_owned() },
        reason: "maintenance".to_owned(),
        evidence: None,
    };
    world.store.open().await.act(&freeze).await.unwrap();
    world.start_daemon().await;
    let (_, screen) = world.dials("0854689520", "s-1", TO_CONSENT).await;
    assert_eq!(screen, BUSY);
    world.ends(&[], Books::NOTHING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_that_is_not_safe_in_time_may_be_given_again_and_buys_once() {
    let world = with_menu(Store::postgres().await).set("menu.answer_within = \"10s\"").start().await;
    let (mut caller, _) = world.dials("0854689520", "s-1", TO_CONSENT).await;
    let held = world.store.hold().await;
    let later = caller.answers("1").await;
    assert!(later.starts_with("CON He thong ban, moi thu lai, khong bi tru tien 2 lan.\nGoi VIP"), "{later}");
    assert_eq!(world.books(), Books::NOTHING);
    drop(held);
    let taken = caller.answers("1").await;
    assert!(taken.starts_with("END Da nhan"), "{taken}");
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_killed_at_the_consent_buys_once_however_it_is_repeated() {
    let address = format!("127.0.0.1:{}", crate::stores::free_port());
    let plan = with_menu(Store::postgres().await)
        .with_redis()
        .set(&format!("http.listen = \"{address}\"\nredis.timeout = \"10s\""));
    let world = plan.neighbours().await;
    let door = format!("http://{address}/ussd/aggregator");
    let mut daemon = Process::start(&world).await;
    for (number, is_answered) in [("0854689520", true), ("0854689521", false)] {
        let mut caller = crate::world::Caller::new(&door, number, "s-1");
        caller.dials("*098#").await;
        for answer in TO_CONSENT {
            caller.answers(answer).await;
        }
        let mut agreeing = caller.clone();
        let agreed = tokio::spawn(async move { agreeing.answers("1").await });
        if is_answered {
            assert!(agreed.await.unwrap().starts_with("END Da nhan"));
        }
        daemon.kill(&world).await;
        daemon = Process::start(&world).await;
        let taken = caller.answers("1").await;
        assert!(taken.starts_with("END Da nhan"), "{taken}");
        world.phone(number).reads_done().await;
    }
    daemon.stop().await;
    world.ends_though_killed(&["done", "done"], Books::bought(2)).await;
}
