//! A PostgreSQL that fails over to a standby that was behind, and has lost what had already left. Money moves once all the
//! same: whatever may have been lost is asked about before it is done.

use crate::journal::samples::first;
use crate::pair::Pair;
use crate::world::{Books, Plan, Process, World};
use paygate::sandbox::billing::Duplicates;
use paygate::sandbox::billing::Endpoint::CreatePayment;
use paygate::sandbox::faults::Fault;

/// An operator and a package manager that do everything again that they are asked again.
async fn plan(pair: &Pair) -> Plan {
    let settings = r#"
        journal = { max_lag = "0s", statement_timeout = "2s" }
        charging.viettel = { one_step = true, timeout = "2s", send_within = "1s" }
        package_manager = { idempotent_grants = false, timeout = "2s", send_within = "1s" }
    "#;
    let plan = World::of(pair.store().await).set(settings);
    plan.billing(|settings| settings.duplicates = Duplicates::Refuse).packages(|settings| settings.idempotent = false)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_lost_in_a_failover_is_charged_and_granted_once() {
    let mut pair = Pair::start();
    let mut world = plan(&pair).await.start().await;
    world.smsc.redeliver(true);
    let code = world.phone("0854689520").asks("ON VIP NAP1").await;
    world.replies_stand(&["offer delivered"]).await;
    pair.falls_behind();
    world.phone("0854689520").texts(&code).await;
    world.phone("0854689520").reads_done().await;
    assert_eq!(world.books(), Books::BOUGHT);
    pair.fails_over().await;
    // The journal knows an offer and no more, and the code that was answered comes once more.
    world.comes_to("offered").await;
    world.phone("0854689520").texts(&code).await;
    world.phone("0854689520").reads_done().await;
    world.stop_daemons().await;
    world.ends_though_killed(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_lost_in_a_failover_and_still_in_flight_is_waited_for() {
    let mut pair = Pair::start();
    let world = plan(&pair).await.set("charging.viettel.max_flight = \"9s\"").neighbours().await;
    world.smsc.redeliver(true);
    let first = Process::start(&world).await;
    let phone = world.phone("0854689520");
    let code = phone.asks("ON VIP NAP1").await;
    world.replies_stand(&["offer delivered"]).await;
    pair.falls_behind();
    world.billing_faults(CreatePayment, Fault::Late { ms: 7_000 }, 1);
    phone.texts(&code).await;
    let sent = |world: &World| world.billing.requests().iter().any(|(at, _)| *at == CreatePayment);
    world.until("the charge has left", sent).await;
    first.kill(&world).await;
    pair.fails_over().await;
    let second = Process::start(&world).await;
    world.phone("0854689520").texts(&code).await;
    world.phone("0854689520").reads_done().await;
    second.stop().await;
    world.ends_though_killed(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_whose_answer_was_lost_in_a_failover_is_asked_about_before_it_expires() {
    let mut pair = Pair::start();
    let mut world = plan(&pair).await.set("purchase.otp_ttl = \"15s\"").start().await;
    world.smsc.redeliver(true);
    let code = world.phone("0854689520").asks("ON VIP NAP1").await;
    world.replies_stand(&["offer delivered"]).await;
    pair.falls_behind();
    world.phone("0854689520").texts(&code).await;
    world.phone("0854689520").reads_done().await;
    pair.fails_over().await;
    world.comes_to("offered").await;
    // Nobody writes any more: the offer's time runs out.
    world.phone("0854689520").reads_done().await;
    world.comes_to("done").await;
    world.stop_daemons().await;
    // The code itself is lost, and with it more than a failover without loss would have cost: but nothing of the money.
    assert_eq!(world.books(), Books::BOUGHT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_was_decided_for_another_server_is_decided_anew() {
    let mut pair = Pair::start();
    let journal = pair.store().await.open().await;
    journal.commit(vec![first("p1")]).await.unwrap();
    pair.falls_behind();
    pair.fails_over().await;
    let mut refused = Vec::new();
    while let Err(error) = journal.commit(vec![first("p2")]).await {
        assert!(error.transient() && journal.story("p2").await.ok().flatten().is_none(), "{error}");
        refused.push(format!("{error:?}"));
    }
    assert!(refused.iter().any(|why| why.contains("it is decided anew")), "{refused:?}");
    assert!(journal.changed().is_some());
}
