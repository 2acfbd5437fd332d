//! A journal that refuses a step: a rule of ours has failed, and the database held. Nothing may leave by it, and nothing
//! that was heard may be lost for it.

use crate::stores::both_stores;
use crate::world::{Books, World};
use paygate::journal::rows::MessageFilter;
use std::time::Duration;
use tokio::time::sleep;

both_stores! {
    async fn a_message_whose_step_is_refused_is_kept_for_a_person_and_taken_from_its_peer(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        world.store.keeps_no("charge").await;
        phone.texts(&code).await;
        let filter = MessageFilter { verdict: Some("refused".to_owned()), limit: 9, ..MessageFilter::default() };
        let kept = world.journal().await.messages(&filter).await.unwrap();
        assert_eq!((kept.len(), kept[0].raw.as_slice()), (1, code.as_bytes()));
        assert_eq!(world.books(), Books::NOTHING);
        world.store.keeps_again("charge").await;
        phone.texts(&format!("OTP {code}")).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn an_answer_whose_step_is_refused_is_written_down_when_it_can_be(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        world.store.keeps_no("grant").await;
        phone.texts(&code).await;
        world.until("the money has moved", |world| world.books().debits == 1).await;
        // Time for the answer to be heard and refused; with less of it the test proves less, and is as green.
        sleep(Duration::from_millis(300)).await;
        world.store.keeps_again("grant").await;
        phone.reads_done().await;
        let journal = world.journal().await;
        let story = journal.story(&world.purchases().await[0].purchase.id).await.unwrap().unwrap();
        let asked = story.events.iter().any(|event| event.kind == "inquire_charge");
        assert!(!asked, "the answer was there all the time");
        world.ends(&["done"], Books::BOUGHT).await;
    }
}
