//! A crowd that dials: all dialogues are open at once, then all agree.

use crate::stores::{both_stores, free_port};
use crate::world::{Books, MENU, Process, World};
use futures_util::future::join_all;
use paygate::sandbox::dialogues::{DialogueId, Stands};
use paygate::sandbox::ussd_http::{HttpGateway, HttpGatewaySettings};
use std::time::Duration;

const PHONES: usize = 200;
/// The gateway waits as long as the menu of these tests may take.
const PATIENT: Duration = Duration::from_secs(90);

both_stores! {
    /// The daemon is a process of its own, or its metrics were those of all tests.
    async fn two_hundred_dialogues_open_at_once_agree_and_each_buys_once(store: Store) {
        let address = format!("127.0.0.1:{}", free_port());
        let plan = World::of(store).set(MENU).set(&format!("http.listen = \"{address}\""));
        let world = plan.neighbours().await;
        let daemon = Process::start(&world).await;
        let gateway = gateway(&address);
        let numbers: Vec<String> = (0..PHONES).map(|at| format!("085468{at:04}")).collect();

        let dialogues = join_all(numbers.iter().map(|number| comes_to_consent(&gateway, number))).await;
        assert_eq!(open(&address).await, PHONES);
        assert_eq!(world.books(), Books::NOTHING, "nobody has agreed yet");
        let agreed = join_all(dialogues.iter().map(|dialogue| gateway.answer(*dialogue, "1"))).await;
        assert!(agreed.iter().all(|shown| *shown), "each has a last screen");
        assert!(gateway.dialogues().iter().all(|dialogue| dialogue.stands == Stands::Ended));
        assert_eq!(open(&address).await, 0);

        for number in &numbers {
            world.phone(number).reads_done().await;
            assert_eq!(world.packages.grants_to(number), 1, "{number}");
        }
        daemon.stop().await;
        world.ends(&["done"; PHONES], Books::bought(PHONES as u64)).await;
    }
}

fn gateway(address: &str) -> HttpGateway {
    let settings = HttpGatewaySettings { name: "aggregator".to_owned(), timeout: PATIENT, ..Default::default() };
    let gateway = HttpGateway::new(settings);
    gateway.is_told_of(&format!("http://{address}"));
    gateway
}

/// Dials, and chooses the first of everything.
async fn comes_to_consent(gateway: &HttpGateway, number: &str) -> DialogueId {
    let dialogue = gateway.dial(&number.replacen('0', "84", 1), "*098#").await;
    for _ in 0..3 {
        assert!(gateway.answer(dialogue, "1").await, "{:?}", gateway.dialogue(dialogue));
    }
    let screens = gateway.dialogue(dialogue).screens;
    assert!(screens.last().unwrap().text.contains("1. Dong y mua"), "{screens:?}");
    dialogue
}

/// Dialogues open, by the daemon's metrics.
async fn open(address: &str) -> usize {
    let page = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    page.lines().find_map(|line| line.strip_prefix("paygate_ussd_dialogues_open ")?.parse().ok()).unwrap()
}
