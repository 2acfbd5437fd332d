//! The sandbox as its visitors have it: over HTTP, and in a browser. What is bought there is bought from a real daemon.

mod browser;
mod care;
mod dialled;
mod events;
mod ussd_http;

use events::Events;
use paygate::sandbox::{Options, Sandbox};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// What nobody waits for unless something is wrong; the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);
const LAN: &str = "0854689520";
const HOA_WITHOUT_MONEY: &str = "0850002222";
const TUAN_LOCKED: &str = "0850000423";

/// A sandbox on ports of its own, with a visitor.
struct Visit {
    sandbox: Sandbox,
    client: Client,
    folder: TempDir,
}

impl Visit {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { http: ([127, 0, 0, 1], 0).into(), dir: Some(folder.path().to_owned()) };
        Self { sandbox: Sandbox::start(options).await.unwrap(), client: Client::new(), folder }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.sandbox.address)
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.client.post(self.url(path)).json(&body).send().await.unwrap();
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::OK, "POST {path} {body}: {answer}");
        answer
    }

    async fn texts(&self, from: &str, text: &str) -> Value {
        self.post("/send", json!({ "from": from, "text": text })).await
    }

    async fn texts_the_bank(&self, from: &str, text: &str) -> Value {
        self.post("/send", json!({ "from": from, "to": "9030", "text": text })).await
    }

    /// Why the shop sells nothing to this telephone.
    async fn is_refused_in_the_shop(&self, from: &str) -> String {
        let body = json!({ "from": from, "mishap": "none" });
        let answer = self.client.post(self.url("/shop")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned()
    }

    async fn state(&self) -> Value {
        self.client.get(self.url("/state")).send().await.unwrap().json().await.unwrap()
    }

    /// Waits until the newest purchase is as wanted.
    async fn newest(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let seen = timeout(PATIENCE, async {
            loop {
                last = self.state().await["purchases"][0].clone();
                if wanted(&last) {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(seen.await.is_ok(), "it never came to what was waited for: {last:#}");
        last
    }

    async fn newest_in(&self, state: &str) -> Value {
        self.newest(|purchase| purchase["state"] == state).await
    }

    /// Answers the newest offer with its own code.
    async fn answers_the_code(&self, from: &str) {
        let offered = self.newest(|purchase| purchase["code"].is_string()).await;
        self.texts(from, offered["code"].as_str().unwrap()).await;
    }

    async fn events(&self, seen: Option<&str>) -> Events {
        Events::open(&self.client, &self.url("/events"), seen).await
    }
}

fn verdict(purchase: &Value) -> (&str, &str) {
    let books = &purchase["books"];
    (books["tone"].as_str().unwrap(), books["verdict"].as_str().unwrap())
}

/// The address in the newest text on the first telephone, once there is one.
async fn link_on(visit: &Visit) -> String {
    let seen = timeout(PATIENCE, async {
        loop {
            let state = visit.state().await;
            let text = state["phones"][0]["bubbles"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
            if let Some(link) = text.split_whitespace().find(|word| word.starts_with("http")) {
                return link.to_owned();
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    seen.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_paid_at_the_banks_page_by_the_link_in_a_text() {
    let visit = Visit::start().await;
    visit.post("/faults", json!({ "switch": "notify_missing", "setting": "once" })).await;
    assert_eq!(visit.texts_the_bank(LAN, "ON VIP NAP1").await["taken"], "new");
    crate::world::pays_at(&link_on(&visit).await).await;
    let done = visit.newest_in("done").await;
    assert_eq!(verdict(&done), ("good", "charged once, granted once"));
    assert_eq!(done["books"]["payer"], "bank");
    let who: Vec<&Value> = done["events"].as_array().unwrap().iter().map(|event| &event["who"]).collect();
    assert!(who.contains(&&json!("bank")) && !who.contains(&&json!("telco")), "{who:?}");
    let says: Vec<&str> =
        done["books"]["billing"].as_array().unwrap().iter().map(|line| line["says"].as_str().unwrap()).collect();
    assert_eq!(says, ["ordered 10,000 VND", "debited 10,000 VND"]);
    assert_eq!(visit.state().await["phones"][0]["balance"], 200_000, "the phone pays nothing");
    let nowhere = visit.client.post(visit.url("/send")).json(&json!({ "from": LAN, "to": "1", "text": "KT" }));
    assert_ne!(nowhere.send().await.unwrap().status(), StatusCode::OK);
    visit.sandbox.stop().await;
}

/// The content service's app: its server orders, its customer pays at the bank's page, and its token stays where it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_from_the_app_is_paid_at_the_banks_page_and_granted_once_though_it_is_sent_again() {
    let visit = Visit::start().await;
    let wanted = json!({ "service": "VIP", "package": "NAP1", "account": LAN, "key": "cart-4711" });
    let ordered = visit.post("/order", wanted.clone()).await;
    assert_eq!((&ordered["state"], &ordered["known"]), (&json!("awaiting_user"), &json!(false)), "{ordered}");
    assert!(ordered["qr"]["svg"].as_str().unwrap().contains("<svg"));
    let is_the_same = async || {
        let told = visit.post("/order", wanted.clone()).await;
        let mut first = ordered.clone();
        first["known"] = true.into();
        assert_eq!(told, first);
        visit.newest(|purchase| purchase["id"] == first["purchaseId"]).await;
        assert_eq!(visit.state().await["purchases"].as_array().unwrap().len(), 1);
    };
    is_the_same().await;
    crate::world::pays_at(ordered["paymentUrl"].as_str().unwrap()).await;
    let done = visit.newest_in("done").await;
    assert_eq!((&done["id"], &done["account"]), (&ordered["purchaseId"], &json!(LAN)));
    assert_eq!(verdict(&done), ("good", "charged once, granted once"));
    is_the_same().await;
    assert_eq!(verdict(&visit.newest_in("done").await), ("good", "charged once, granted once"));
    let token = std::fs::read_to_string(visit.folder.path().join("app.token")).unwrap();
    assert!(!visit.state().await.to_string().contains(&token) && !ordered.to_string().contains(&token));
    visit.sandbox.stop().await;
}

/// The telco's own shop: it asks, charges and tells, and the package comes without a message or a code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_bought_in_the_telcos_shop_is_granted_once_though_it_is_told_again() {
    let visit = Visit::start().await;
    for mishap in ["none", "told_again"] {
        let sold = visit.post("/shop", json!({ "from": LAN, "mishap": mishap })).await;
        let words: Vec<&str> =
            sold["answers"].as_array().unwrap().iter().map(|answer| answer["status"].as_str().unwrap()).collect();
        assert_eq!(words[0], "accepted", "{sold}");
        assert!(words[1..].iter().all(|word| *word == "already"), "{sold}");
        let id = &sold["answers"][0]["purchaseId"];
        let done = visit.newest(|purchase| purchase["id"] == *id && purchase["state"] == "done").await;
        assert_eq!(verdict(&done), ("good", "charged once, granted once"));
        assert_eq!(done["books"]["billing"][0]["reference"], sold["payment"]);
        let labels: Vec<&Value> = done["steps"].as_array().unwrap().iter().map(|step| &step["label"]).collect();
        assert_eq!(labels[..3], ["sold", "charged", "asked"]);
    }
    visit.post("/shop", json!({ "from": LAN, "mishap": "wrong_price" })).await;
    let review = visit.newest_in("review").await;
    assert!(verdict(&review).1.starts_with("charged once, not granted"), "{review:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_telcos_shop_takes_nothing_where_nothing_may_be_sold() {
    let visit = Visit::start().await;
    visit.post("/faults", json!({ "switch": "check_fails", "setting": "always" })).await;
    for (from, words) in [(LAN, "cannot say now"), (TUAN_LOCKED, "cannot say now")] {
        assert!(visit.is_refused_in_the_shop(from).await.contains(words));
    }
    visit.post("/faults/off", json!({})).await;
    for (from, words) in [(TUAN_LOCKED, "dang bi khoa"), (HOA_WITHOUT_MONEY, "not enough money")] {
        assert!(visit.is_refused_in_the_shop(from).await.contains(words));
    }
    assert_eq!(visit.state().await["purchases"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_is_watched_from_the_message_to_the_package() {
    let visit = Visit::start().await;
    let mut events = visit.events(None).await;
    assert_eq!(events.next().await.name, "state");
    assert_eq!(visit.texts(LAN, "ON VIP NAP1").await["taken"], "new");
    visit.answers_the_code(LAN).await;
    let mut states = Vec::new();
    let done = loop {
        let event = events.next().await;
        if event.name == "purchase" {
            states.push(event.data["state"].as_str().unwrap().to_owned());
            if event.data["state"] == "done" {
                break event.data;
            }
        }
    };
    assert!(states.contains(&"offered".to_owned()), "{states:?}");
    let kinds: Vec<&str> =
        done["events"].as_array().unwrap().iter().map(|event| event["row"]["kind"].as_str().unwrap()).collect();
    for kind in ["asked", "checked", "code_right", "charge", "grant"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let settled = visit.newest_in("done").await;
    assert_eq!(verdict(&settled), ("good", "charged once, granted once"));
    assert_eq!(visit.state().await["phones"][0]["balance"], 190_000);
    visit.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_delivered_again_starts_nothing() {
    let visit = Visit::start().await;
    let sent = visit.texts(LAN, "ON VIP NAP1").await;
    visit.newest_in("offered").await;
    let again = visit.post("/redeliver", json!({ "from": LAN, "id": sent["id"] })).await;
    assert_eq!((&again["taken"], &again["deliveries"]), (&json!("again"), &json!(2)));
    // The same words typed once more are octet for octet the same.
    assert_eq!(visit.texts(LAN, "ON VIP NAP1").await["taken"], "again");
    let state = visit.state().await;
    assert_eq!(state["purchases"].as_array().unwrap().len(), 1);
    let received =
        state["phones"][0]["bubbles"].as_array().unwrap().iter().filter(|one| one["way"] == "received").count();
    assert_eq!(received, 1, "{state:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_asked_about_and_charges_once() {
    let visit = Visit::start().await;
    visit.post("/faults", json!({ "switch": "charge_answer_lost", "setting": "once" })).await;
    visit.texts(LAN, "ON VIP NAP1").await;
    visit.answers_the_code(LAN).await;
    let unknown = visit.newest_in("charge_unknown").await;
    assert_eq!(verdict(&unknown).0, "unknown");
    assert!(unknown["asksAt"].is_i64(), "{unknown:#}");
    assert_eq!(verdict(&visit.newest_in("done").await), ("good", "charged once, granted once"));
    let switches = visit.state().await["switches"].clone();
    assert!(switches.as_array().unwrap().iter().all(|switch| switch["setting"] == "off"), "{switches:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_grant_gives_the_money_back_until_all_is_switched_off() {
    let visit = Visit::start().await;
    visit.post("/faults", json!({ "switch": "grant_refused", "setting": "always" })).await;
    visit.texts(LAN, "ON VIP NAP1").await;
    visit.answers_the_code(LAN).await;
    assert_eq!(verdict(&visit.newest_in("refunded").await), ("good", "charged once, given back once, not granted"));
    visit.post("/faults/off", json!({})).await;
    visit.texts(LAN, "ON VIP NAP7").await;
    visit.answers_the_code(LAN).await;
    assert_eq!(verdict(&visit.newest_in("done").await), ("good", "charged once, granted once"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_without_money_is_declined_and_a_locked_account_is_offered_nothing() {
    let visit = Visit::start().await;
    visit.texts(HOA_WITHOUT_MONEY, "ON VIP NAP1").await;
    visit.answers_the_code(HOA_WITHOUT_MONEY).await;
    assert_eq!(verdict(&visit.newest_in("declined").await), ("good", "not charged, not granted"));
    visit.texts(TUAN_LOCKED, "ON VIP NAP1").await;
    let refused = visit.newest_in("refused").await;
    assert_eq!(refused["says"], "Not offered: the account is locked");
    assert_eq!(verdict(&refused), ("good", "not charged, not granted"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_hears_only_what_was_missed() {
    let visit = Visit::start().await;
    let seen = visit.state().await["id"].as_str().unwrap().to_owned();
    visit.texts(LAN, "HD").await;
    let event = visit.events(Some(&seen)).await.next().await;
    assert_eq!((event.name.as_str(), &event.data["number"]), ("phone", &json!(LAN)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_cannot_reach_the_page() {
    let visit = Visit::start().await;
    let rebound = visit.client.get(visit.url("/state")).header("host", "rebound.example").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
    let form = visit.client.post(visit.url("/faults/off")).header("content-type", "text/plain").body("{}");
    assert_eq!(form.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_phone_cannot_send_is_refused_in_words() {
    let visit = Visit::start().await;
    for (body, words) in [
        (json!({ "from": LAN, "text": "  " }), "empty"),
        (json!({ "from": LAN, "text": "A".repeat(161) }), "160 letters"),
        (json!({ "from": "0900000000", "text": "KT" }), "no telephone"),
    ] {
        let answer = visit.client.post(visit.url("/send")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["error"].as_str().unwrap().contains(words), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_folder_shows_its_purchases_again_and_claims_nothing_about_books_that_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { http: ([127, 0, 0, 1], 0).into(), dir: Some(folder.path().to_owned()) };
    let first = Visit { sandbox: Sandbox::start(options.clone()).await.unwrap(), client: Client::new(), folder };
    first.texts(LAN, "ON VIP NAP1").await;
    first.answers_the_code(LAN).await;
    first.newest_in("done").await;
    let Visit { sandbox, client, folder } = first;
    sandbox.stop().await;
    let second = Visit { sandbox: Sandbox::start(options).await.unwrap(), client, folder };
    let kept = second.newest_in("done").await;
    assert_eq!(verdict(&kept), ("plain", "from an earlier run, whose simulated books are gone"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_says_where_it_is_and_ends_at_ctrl_c_with_nothing_left_behind() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_paygate"))
        .args(["sandbox", "--http", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut line = async || timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let (address, files) = (line().await, line().await);
    let url = address.strip_prefix("paygate sandbox: ").unwrap();
    let folder = files.split_whitespace().find(|word| word.contains("paygate-sandbox-")).unwrap();
    assert!(std::path::Path::new(folder).join("paygate.toml").is_file(), "{files}");
    // Somebody is still looking on.
    let mut events = Events::open(&Client::new(), &format!("{url}events"), None).await;
    assert_eq!(events.next().await.name, "state");
    let interrupted = Command::new("kill").args(["-INT", &program.id().unwrap().to_string()]).status().await.unwrap();
    assert!(interrupted.success());
    let ended = timeout(PATIENCE, program.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
    assert!(!std::path::Path::new(folder).exists(), "{folder} is left behind");
}
