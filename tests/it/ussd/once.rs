//! Steps that come twice: the same screen, and one purchase, at one instance or at two.

use crate::stores::{Store, both_stores};
use crate::world::{Books, Caller, LAST, MENU, Plan, World};
use futures_util::future::join_all;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages::Endpoint::CheckUser;

fn with_menu(store: Store) -> Plan {
    World::of(store).set(MENU)
}

const TO_CONSENT: &[&str] = &["1", "1", "1"];

both_stores! {
    async fn each_step_that_comes_twice_shows_the_same_and_buys_once(store: Store) {
        let world = with_menu(store).start().await;
        let mut caller = world.caller("0854689520", "s-1");
        let begun = caller.dials("*098#").await;
        assert_eq!(caller.dials("*098#").await, begun, "a doubled begin is one begin");
        for answer in ["1", "1", "1", "1"] {
            let shown = caller.answers(answer).await;
            assert_eq!(caller.again().await, shown, "{answer} comes once more");
            assert_ne!(shown, begun);
        }
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn ten_copies_of_each_step_at_once_are_one_dialogue_and_one_purchase(store: Store) {
        let world = with_menu(store).start().await;
        let mut caller = world.caller("0854689520", "s-1");
        let begins = join_all((0..10).map(|_| async { caller.clone().dials("*098#").await })).await;
        assert!(begins.iter().all(|screen| *screen == begins[0]), "{begins:?}");
        for answer in ["1", "1", "1", "1"] {
            let copies = join_all((0..10).map(|_| async { caller.clone().answers(answer).await })).await;
            let shown = caller.answers(answer).await;
            assert!(copies.iter().all(|screen| *screen == shown), "{copies:?}");
        }
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_comes_late_changes_nothing_that_came_after_it() {
    let world = with_menu(Store::sqlite()).start().await;
    let mut late = world.caller("0854689520", "s-1");
    late.dials("*098#").await;
    let mut caller = late.clone();
    late.answers("1").await;
    for answer in TO_CONSENT {
        caller.answers(answer).await;
    }
    let consent = caller.again().await;
    assert!(consent.contains("1. Dong y mua"), "{consent}");
    assert_eq!(late.again().await, consent, "the phone has the consent's screen");
    assert_eq!(world.purchases().await.len(), 0);
    caller.answers("1").await;
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_waits_for_its_answer_overwrites_nothing_that_came_after_it() {
    let world = with_menu(Store::sqlite()).start().await;
    let (mut caller, for_whom) = world.dials("0854689520", "s-1", &["1", "1"]).await;
    world.package_faults(CheckUser, Fault::Slow { ms: 3_000 }, 1);
    let mut slow = caller.clone();
    let slow = tokio::spawn(async move { slow.answers("1").await });
    world.until("it is asked about", |world| world.packages.requests().iter().any(|(at, _)| *at == CheckUser)).await;
    assert!(caller.answers("1").await.contains("1. Dong y mua"), "the other copy is answered");
    assert_eq!(caller.answers("0").await, for_whom);
    assert_eq!(slow.await.unwrap(), for_whom, "what the phone has by now");
    world.ends(&[], Books::NOTHING).await;
}

/// Where steps have no number and bring the last input alone, a doubled "1" is two of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubled_answer_never_agrees_to_a_screen_that_nobody_has_read() {
    let world = with_menu(Store::sqlite()).set(LAST).start().await;
    let mut caller = world.caller("0854689520", "s-1").with_last_inputs();
    caller.dials("*098#").await;
    for answer in TO_CONSENT {
        caller.answers(answer).await;
    }
    for _ in 0..5 {
        assert!(caller.again().await.starts_with("CON Chon chua dung.\nGoi VIP 30 ngay"));
    }
    assert_eq!(world.books(), Books::NOTHING);
    let taken = caller.answers("11").await;
    assert!(taken.starts_with("END Da nhan"), "{taken}");
    assert_eq!(caller.again().await, taken);
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialogue_goes_on_at_any_instance_and_a_consent_at_two_at_once_buys_once() {
    let mut world = with_menu(Store::postgres().await).with_redis().start().await;
    world.start_daemon().await;
    let doors = [0, 1].map(|daemon: usize| format!("http://{}/ussd/aggregator", world.daemons[daemon].address));
    for (round, number) in ["0854689520", "0854689521", "0854689522", "0854689523"].into_iter().enumerate() {
        let mut caller = Caller::new(&doors[0], number, "s-1");
        let begins = join_all(doors.iter().map(|door| async { caller.clone().at(door).dials("*098#").await })).await;
        assert_eq!(begins[0], begins[1]);
        for (step, answer) in TO_CONSENT.iter().enumerate() {
            caller = caller.at(&doors[step % 2]);
            caller.answers(answer).await;
        }
        let copies = doors.iter().cycle().take(6).map(|door| async { caller.clone().at(door).answers("1").await });
        let taken = join_all(copies).await;
        assert!(taken.iter().all(|screen| screen.starts_with("END Da nhan")), "round {round}: {taken:?}");
        world.phone(number).reads_done().await;
    }
    world.ends(&["done"; 4], Books::bought(4)).await;
}
