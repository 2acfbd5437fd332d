//! Long messages: parts out of order, twice, mixed, late and alone; and messages in other alphabets.

use crate::stores::both_stores;
use crate::world::{Books, World};
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// A request that takes three messages.
fn long_request() -> String {
    format!("ON VIP NAP1{}0912345678", " ".repeat(400))
}

both_stores! {
    async fn parts_in_any_order_and_twice_are_one_message(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let parts = phone.parts(&long_request(), 7);
        assert_eq!(parts.len(), 3);
        for at in [2, 0, 0, 2, 1, 1, 0] {
            phone.sends_part(&parts[at]).await;
        }
        let code = phone.reads_offer().await;
        phone.texts(&code).await;
        phone.reads("cho 0912345678").await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_long_message_is_understood_while_others_go_on_coming(store: Store) {
        // More messages wait at any time than a commit takes, so that the next is always there when one ends.
        let world = World::of(store).set("engine.batch = 16").start().await;
        let others: Vec<_> = (100..228).map(|n| world.phone(&format!("0854689{n}"))).collect();
        let crowd = join_all(others.iter().map(async |phone| {
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(6) {
                phone.texts("HD").await;
            }
        }));
        let phone = world.phone("0854689520");
        let request = async {
            for part in phone.parts(&long_request(), 7) {
                phone.sends_part(&part).await;
            }
            phone.reads_offer().await
        };
        tokio::select! {
            _ = request => {}
            _ = crowd => panic!("it was taken up only when no commit was under way any more"),
        }
    }

    async fn parts_of_two_senders_under_one_reference_are_not_mixed(store: Store) {
        let world = World::of(store).start().await;
        let (phone, other) = (world.phone("0854689520"), world.phone("0854689521"));
        let (mine, theirs) = (phone.parts(&long_request(), 7), other.parts(&long_request().replace("NAP1", "NAP7"), 7));
        for at in [1, 0, 2] {
            phone.sends_part(&mine[at]).await;
            other.sends_part(&theirs[at]).await;
        }
        phone.reads("mua goi NAP1").await;
        other.reads("mua goi NAP7").await;
        world.ends(&["offered", "offered"], Books::NOTHING).await;
    }

    async fn parts_on_both_sides_of_a_restart_are_one_message(store: Store) {
        let mut world = World::of(store).set("purchase.parts_window = \"1m\"").start().await;
        let parts = world.phone("0854689520").parts(&long_request(), 7);
        world.phone("0854689520").sends_part(&parts[2]).await;
        world.stop_daemons().await;
        world.start_daemon().await;
        let phone = world.phone("0854689520");
        phone.sends_part(&parts[0]).await;
        phone.sends_part(&parts[1]).await;
        phone.reads_offer().await;
        world.ends(&["offered"], Books::NOTHING).await;
    }

    async fn a_lone_fragment_buys_nothing_and_is_asked_for_again(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        // By itself it reads like a whole request.
        let text = format!("ON VIP NAP1 0912345678{}", " ".repeat(300));
        phone.sends_part(&phone.parts(&text, 7)[0]).await;
        phone.reads("Tin nhan den khong day du").await;
        world.ends(&[], Books::NOTHING).await;
    }

    async fn a_reference_used_again_later_is_another_message(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.sends_part(&phone.parts(&long_request(), 7)[0]).await;
        phone.reads("Tin nhan den khong day du").await;
        for part in phone.parts(&long_request(), 7) {
            phone.sends_part(&part).await;
        }
        phone.reads_offer().await;
        world.ends(&["offered"], Books::NOTHING).await;
    }

    async fn accented_words_in_ucs2_are_understood(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.buys("ĐK VIP NAP1 0912345678").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_message_in_no_known_alphabet_is_taken_and_leads_to_nothing(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let mut message = phone.parts("ON VIP NAP1", 0).remove(0);
        message.message.data_coding = 0x0A;
        phone.sends_part(&message).await;
        let mut empty = phone.parts("", 0).remove(0);
        empty.message.data_coding = 0;
        phone.sends_part(&empty).await;
        world.ends(&[], Books::NOTHING).await;
    }
}
