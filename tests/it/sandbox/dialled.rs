//! A telephone of the sandbox that dials a menu: through each kind of gateway, and with what may go wrong on the way.

use super::{LAN, PATIENCE, Visit, verdict};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// What the telephone at `place` shows.
async fn call(visit: &Visit, place: usize) -> Value {
    visit.state().await["phones"][place]["call"].clone()
}

impl Visit {
    async fn dials(&self, gateway: &str, code: &str) -> String {
        self.post("/dial", json!({ "from": LAN, "gateway": gateway, "code": code })).await;
        self.screen_after(0).await
    }

    /// Keys an answer in, as the telephone's `step`th.
    async fn keys(&self, step: u32, text: &str) -> String {
        self.post("/key", json!({ "from": LAN, "text": text })).await;
        self.screen_after(step).await
    }

    async fn screen_after(&self, step: u32) -> String {
        let shown = timeout(PATIENCE, async {
            loop {
                let call = call(self, 0).await;
                if call["step"] == step && call["is"] != "waiting" {
                    return call["text"].as_str().unwrap().to_owned();
                }
                sleep(Duration::from_millis(20)).await;
            }
        });
        shown.await.expect("a screen comes")
    }

    /// Goes through the menu to the consent for `account`, and says what is to be keyed in for it.
    async fn is_asked_for_consent(&self, gateway: &str, account: &str) -> String {
        assert!(self.dials(gateway, "*098#").await.contains("1. VIP"), "{gateway}");
        self.keys(1, "1").await;
        self.keys(2, "1").await;
        self.keys(3, "2").await;
        let consent = self.keys(4, account).await;
        assert!(consent.contains(account) && consent.contains("10.000d"), "{gateway}: {consent}");
        let line = consent.lines().find(|line| line.contains("Dong y")).unwrap();
        line.split('.').next().unwrap().to_owned()
    }

    /// The purchase for `account`, once it is as wanted.
    async fn purchase_for(&self, account: &str, state: &str) -> Value {
        self.newest(|purchase| purchase["account"] == account && purchase["state"] == state).await
    }

    async fn texts_received(&self) -> Vec<String> {
        let bubbles = self.state().await["phones"][0]["bubbles"].clone();
        let received = bubbles.as_array().unwrap().iter().filter(|bubble| bubble["way"] == "received");
        received.map(|bubble| bubble["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits for the text that says of `account` that it has its package.
    async fn is_told_of(&self, account: &str) {
        let told = timeout(PATIENCE, async {
            while !self.texts_received().await.iter().any(|text| text.contains("Thanh cong") && text.contains(account))
            {
                sleep(Duration::from_millis(20)).await;
            }
        });
        told.await.expect("the result is texted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_bought_from_the_menu_through_each_kind_of_gateway() {
    let visit = Visit::start().await;
    let gateways = visit.state().await["about"]["gateways"].clone();
    let names: Vec<&str> = gateways.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let each = ["http-whole", "http-last", "smpp-standard", "smpp-mica", "smpp-6d", "smpp-msisdn", "line"];
    assert_eq!(names, each);
    for (place, gateway) in each.into_iter().enumerate() {
        let account = format!("091234567{place}");
        let agree = visit.is_asked_for_consent(gateway, &account).await;
        let last = visit.keys(5, &agree).await;
        assert!(last.contains("SMS"), "{gateway}: {last}");
        let done = visit.purchase_for(&account, "done").await;
        assert_eq!(verdict(&done), ("good", "charged once, granted once"), "{gateway}");
        visit.is_told_of(&account).await;
        assert_eq!(call(&visit, 0).await["is"], "over");
        visit.post("/hang-up", json!({ "from": LAN })).await;
    }
    assert_eq!(visit.state().await["purchases"].as_array().unwrap().len(), each.len());
    visit.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_that_comes_twice_or_whose_screen_is_never_shown_buys_once() {
    let visit = Visit::start().await;
    let gateways = ["http-whole", "http-last", "smpp-standard", "line"];
    let each = |fault| gateways.map(|gateway| (fault, gateway));
    // One is enough of those that the network waits for.
    let faults = each("hop_doubled").into_iter().chain(each("dialogue_dropped")).chain([("screen_lost", "line")]);
    for (place, (fault, gateway)) in faults.enumerate() {
        let account = format!("09123456{place:02}");
        let agree = visit.is_asked_for_consent(gateway, &account).await;
        visit.post("/faults", json!({ "switch": fault, "setting": "once" })).await;
        let last = visit.keys(5, &agree).await;
        let broke_off = last.contains("broke off") || last.contains("gave the dialogue up");
        assert_eq!(broke_off, fault != "hop_doubled", "{fault}, {gateway}: {last}");
        let done = visit.purchase_for(&account, "done").await;
        assert_eq!(verdict(&done), ("good", "charged once, granted once"), "{fault}, {gateway}");
        visit.is_told_of(&account).await;
        let state = visit.state().await;
        assert_eq!(state["purchases"].as_array().unwrap().len(), place + 1, "{fault}, {gateway}");
        let switches = state["switches"].as_array().unwrap();
        assert!(switches.iter().all(|switch| switch["setting"] == "off"), "{fault} was not met by {gateway}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialogue_that_dies_before_the_consent_buys_nothing() {
    let visit = Visit::start().await;
    visit.is_asked_for_consent("http-whole", "0912345678").await;
    visit.post("/hang-up", json!({ "from": LAN })).await;
    visit.post("/faults", json!({ "switch": "screen_lost", "setting": "once" })).await;
    let lost = visit.dials("line", "*098#").await;
    assert!(lost.contains("gave the dialogue up"), "{lost}");
    let again = visit.dials("line", "*098#").await;
    assert!(again.contains("1. VIP"), "{again}");
    assert_eq!(visit.state().await["purchases"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_dialled_or_keyed_in_is_refused_in_words() {
    let visit = Visit::start().await;
    for (path, body, words) in [
        ("/dial", json!({ "from": LAN, "gateway": "line", "code": "9029" }), "begins with *"),
        ("/dial", json!({ "from": LAN, "gateway": "pigeon", "code": "*098#" }), "no gateway pigeon"),
        ("/dial", json!({ "from": "0900000000", "gateway": "line", "code": "*098#" }), "no telephone"),
        ("/key", json!({ "from": LAN, "text": " " }), "key something in"),
        ("/key", json!({ "from": LAN, "text": "1" }), "no screen waits"),
    ] {
        let answer: Value = visit.client.post(visit.url(path)).json(&body).send().await.unwrap().json().await.unwrap();
        assert!(answer["error"].as_str().unwrap().contains(words), "{answer}");
    }
    assert_eq!(call(&visit, 0).await, Value::Null);
}
