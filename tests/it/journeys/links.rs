//! Trouble between the gateway and the SMSC, and a gateway that is stopped in the middle: replies come all the same, once.

use crate::stores::both_stores;
use crate::world::{Books, World};
use paygate::sandbox::billing::Endpoint::ConfirmPayment;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::smsc::Receipts;
use paygate_parsers::smpp::status::ESME_RMSGQFUL;
use std::time::Duration;

both_stores! {
    async fn a_link_that_breaks_while_the_charge_is_under_way_brings_the_answer_later(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, Fault::Late { ms: 200 }, 1);
        phone.buys("ON VIP NAP1").await;
        world.smsc.drop_connections();
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_throttled_reply_comes_later(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.smsc.faults(|faults| faults.throttle_next(1));
        phone.buys("ON VIP NAP1").await;
        world.smsc.faults(|faults| faults.refuse_submits = (1, ESME_RMSGQFUL));
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_receipt_that_overtakes_the_answer_to_its_reply_is_filed(store: Store) {
        let world = World::of(store).start().await;
        world.smsc.faults(|faults| {
            faults.receipts = Receipts::Early;
            faults.delay_responses = Duration::from_millis(100);
        });
        let phone = world.phone("0854689520");
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.replies_stand(&["offer delivered", "done delivered"]).await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    /// Those that wait for their turn longer than a lease are not sent once more by whoever claims them then.
    async fn a_link_that_is_slower_than_its_texts_come_sends_each_once(store: Store) {
        const PHONES: usize = 24;
        let slow = r#"
            engine = { reply_lease = "1s", reply_pause = "100ms" }
            smsc = [{ name = "viettel", address = "{smsc}", password = "", short_codes = ["9029"], throughput = 6 }]
        "#;
        let world = World::of(store).set(slow).start().await;
        let phones: Vec<_> = (0..PHONES).map(|last| world.phone(&format!("08546895{last:02}"))).collect();
        futures_util::future::join_all(phones.iter().map(|phone| phone.texts("HD"))).await;
        for phone in &phones {
            phone.reads("ON VIP").await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        world.ends(&[], Books::NOTHING).await;
    }

    /// It may be on the phone: a code is not sent twice.
    async fn an_offer_whose_answer_is_lost_is_not_sent_again(store: Store) {
        let world = World::of(store).set("smsc = [{ name = \"viettel\", address = \"{smsc}\", password = \"\", short_codes = [\"9029\"], response_timeout = \"300ms\" }]").start().await;
        world.smsc.faults(|faults| {
            faults.swallow_responses = 1;
            faults.receipts = Receipts::Off;
        });
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        world.replies_stand(&["offer unknown"]).await;
        phone.texts(&code).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_daemon_stopped_while_a_charge_is_held_finishes_it_and_the_next_one_tells(store: Store) {
        let mut world = World::of(store).start().await;
        world.billing_faults(ConfirmPayment, Fault::Late { ms: 500 }, 1);
        world.phone("0854689520").buys("ON VIP NAP1").await;
        world.stop_daemons().await;
        assert_eq!(world.books(), Books::BOUGHT);
        world.start_daemon().await;
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_daemon_that_may_not_wait_leaves_the_rest_to_the_next_one(store: Store) {
        let settings = "engine.drain = \"1s\"\ncharging.viettel = { send_within = \"500ms\", timeout = \"2s\" }";
        let mut world = World::of(store).set(settings).start().await;
        world.billing_faults(ConfirmPayment, Fault::Late { ms: 1_500 }, 1);
        world.phone("0854689520").buys("ON VIP NAP1").await;
        world.stop_daemons().await;
        world.start_daemon().await;
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }
}
