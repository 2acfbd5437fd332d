//! The real page in a real browser: headless Chromium, driven over WebDriver as a visitor's hands would.

use super::{LAN, PATIENCE, Visit, verdict};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::process::{Command as Program, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Ends chromedriver and every browser it has started when our end of its input closes, in whatever way this process ends.
/// The shell lets go of the output, so that chromedriver's end is seen there.
const GUARD: &str = "chromedriver --port=0 & exec >&-; cat >/dev/null; kill -KILL 0";
/// chromedriver takes a free port for IPv6 and ends where the same is taken for IPv4, by a test beside this one perhaps.
const STARTS: u32 = 5;
/// WebDriver's name of a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window.
struct Browser {
    client: Client,
    /// The session's address.
    session: String,
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    async fn start(width: u32, height: u32) -> Self {
        for program in ["chromium", "chromedriver"] {
            let found = Program::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(found.is_ok(), "{program} is not on this machine; tests/run installs it");
        }
        let (driver, address) = driver().await;
        let profile = tempfile::tempdir().unwrap();
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        let arguments = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
            format!("--window-size={width},{height}"),
        ];
        let wanted = json!({ "goog:loggingPrefs": { "browser": "ALL" }, "goog:chromeOptions": { "args": arguments } });
        let body = json!({ "capabilities": { "alwaysMatch": wanted } });
        let opened = ask(&client, Method::POST, &format!("{address}/session"), &body).await;
        let session = format!("{address}/session/{}", opened["sessionId"].as_str().unwrap());
        Self { client, session, _driver: driver, _profile: profile }
    }

    async fn get(&self, path: &str) -> Value {
        ask(&self.client, Method::GET, &format!("{}{path}", self.session), &Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        ask(&self.client, Method::POST, &format!("{}{path}", self.session), &body).await
    }

    async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// Waits for the first element that fits.
    async fn sees(&self, selector: &str) -> String {
        let found = timeout(PATIENCE, async {
            loop {
                let body = json!({ "using": "css selector", "value": selector });
                let elements = self.post("/elements", body).await;
                if let Some(element) = elements[0][ELEMENT].as_str() {
                    return element.to_owned();
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
        found.await.unwrap_or_else(|_| panic!("the page never shows {selector}"))
    }

    async fn clicks(&self, selector: &str) {
        let element = self.sees(selector).await;
        // As a visitor would who finds it below the bar on top.
        let script = "arguments[0].scrollIntoView({ block: 'center' })";
        self.post("/execute/sync", json!({ "script": script, "args": [{ ELEMENT: element }] })).await;
        self.post(&format!("/element/{element}/click"), json!({})).await;
    }

    async fn types(&self, selector: &str, text: &str) {
        let element = self.sees(selector).await;
        self.post(&format!("/element/{element}/value"), json!({ "text": text })).await;
    }

    async fn reads(&self, selector: &str) -> String {
        let element = self.sees(selector).await;
        self.get(&format!("/element/{element}/text")).await.as_str().unwrap().to_owned()
    }

    async fn runs(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// PNG.
    async fn screenshot(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(self.get("/screenshot").await.as_str().unwrap()).unwrap()
    }

    /// What the page's script or its policy complained of.
    async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    async fn close(self) {
        ask(&self.client, Method::DELETE, &self.session, &Value::Null).await;
    }
}

/// chromedriver on a port that it has chosen itself.
async fn driver() -> (Child, String) {
    for _ in 0..STARTS {
        if let Some(started) = started_driver().await {
            return started;
        }
    }
    panic!("chromedriver ended {STARTS} times before it said where it listens")
}

async fn started_driver() -> Option<(Child, String)> {
    let mut driver = Command::new("sh")
        .args(["-c", GUARD])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return Some(port.trim_end_matches('.').to_owned());
            }
        }
        None
    });
    let port = port.await.expect("chromedriver starts")?;
    Some((driver, format!("http://127.0.0.1:{port}")))
}

async fn ask(client: &Client, method: Method, url: &str, body: &Value) -> Value {
    let mut request = client.request(method, url);
    if !body.is_null() {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let mut answer: Value = answer.json().await.unwrap();
    assert!(status.is_success(), "{url}: {answer}");
    answer["value"].take()
}

/// Width and height by the header (PNG, 11.2.2), after its signature.
fn png_size(image: &[u8]) -> (u32, u32) {
    assert_eq!(&image[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(image[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_buys_a_package_with_a_few_clicks() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#empty:not([hidden])").await;
    browser.types("#text", "ON VIP NAP1").await;
    browser.clicks("#send").await;
    browser.clicks(".chip.code").await;
    let card = browser.reads(".card[data-state=done]").await;
    assert!(card.contains("done"), "{card}");
    assert_eq!(browser.reads(".card[data-state=done] .verdict").await, "Books agree: charged once, granted once");
    let image = browser.screenshot().await;
    let (width, height) = png_size(&image);
    // Of one colour it would be a few thousand octets.
    assert!(width >= 1200 && height >= 600 && image.len() > 30_000, "{width}x{height}, {} octets", image.len());
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_switched_on_is_plain_to_see_and_switched_off_with_one_click() {
    let visit = Visit::start().await;
    let browser = Browser::start(420, 900).await;
    browser.open(&visit.url("/")).await;
    browser.clicks("input[name=charge_answer_lost][value=once]").await;
    browser.sees("fieldset[data-setting=once]").await;
    assert!(browser.reads("#banner").await.contains("its answer is lost (once)"));
    browser.clicks("#banner-off").await;
    browser.sees("#banner[hidden]").await;
    browser.clicks("input[name=charge_answer_lost][value=once]").await;
    browser.sees("fieldset[data-setting=once]").await;
    browser.clicks("#begin").await;
    browser.clicks(".chip.code").await;
    browser.sees(".card[data-state=charge_unknown] [data-mark=unknown]").await;
    browser.sees(".card[data-state=done]").await;
    // A message that the SMSC delivers again starts nothing.
    browser.clicks(".again").await;
    browser.sees("[data-taken=again]").await;
    let newest = visit.newest_in("done").await;
    assert_eq!((verdict(&newest).1, &newest["number"]), ("charged once, granted once", &json!(LAN)));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

/// Pays on the bank's page, which the page's link opens in a window of its own, and comes back.
async fn pays_by(browser: &Browser, link: &str) {
    let ours = browser.get("/window").await;
    browser.clicks(link).await;
    let opened = timeout(PATIENCE, async {
        loop {
            let windows = browser.get("/window/handles").await;
            if let Some(other) = windows.as_array().unwrap().iter().find(|window| **window != ours) {
                return other.clone();
            }
            sleep(Duration::from_millis(50)).await;
        }
    });
    browser.post("/window", json!({ "handle": opened.await.unwrap() })).await;
    browser.clicks("button[value=card]").await;
    browser.types("input[name=otp]", paygate::sandbox::pay123::card::OTP).await;
    browser.clicks("button[value=otp]").await;
    browser.sees("main a").await;
    ask(&browser.client, Method::DELETE, &format!("{}/window", browser.session), &Value::Null).await;
    browser.post("/window", json!({ "handle": ours })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_orders_in_the_app_pays_at_the_bank_and_orders_again_for_nothing() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#order-account option").await;
    browser.clicks("#order-send").await;
    browser.sees("#ordered .qr").await;
    pays_by(&browser, "#order-pay").await;
    browser.sees(".card[data-state=done]").await;
    browser.sees("#ordered .pill[data-tone=good]").await;
    browser.clicks("#order-again").await;
    assert!(browser.reads("#order-note").await.contains("nothing second happened"));
    assert_eq!(verdict(&only_purchase(&visit).await), ("good", "charged once, granted once"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_click_orders_once_and_so_does_a_second_click_after_a_lost_answer() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#order-account option").await;
    // The request is answered, and the page never hears of it.
    let lossy = "const kept = window.fetch; window.asked = 0; window.fetch = (...request) => {
        window.asked += 1;
        const answer = kept(...request);
        return window.asked > 1 ? answer : answer.then(() => { throw new TypeError('lost'); });
    };";
    browser.runs(lossy).await;
    browser.clicks("#order-send").await;
    browser.sees("#order-trouble:not([hidden])").await;
    visit.newest_in("awaiting_user").await;
    browser.runs("const order = document.getElementById('order-send'); order.click(); order.click();").await;
    browser.sees("#ordered .qr").await;
    browser.sees("#order-send:not(:disabled)").await;
    assert_eq!(browser.runs("return window.asked").await, 2);
    only_purchase(&visit).await;
    // What is meant after an answer is another order.
    browser.clicks("#order-send").await;
    browser.sees(".card + .card").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_buys_in_the_telcos_shop_and_a_payment_told_three_times_is_granted_once() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.clicks("[data-mishap=told_again]").await;
    browser.sees(".card[data-state=done]").await;
    assert!(browser.reads("#sold:not([hidden])").await.contains("accepted, already, already"));
    assert_eq!(browser.reads(".card[data-state=done] .verdict").await, "Books agree: charged once, granted once");
    browser.clicks("[data-mishap=wrong_price]").await;
    browser.sees(".card[data-state=review]").await;
    browser.clicks(".contact:nth-child(3)").await;
    browser.clicks("[data-mishap=none]").await;
    assert!(browser.reads("#shop-trouble:not([hidden])").await.contains("not enough money"));
    browser.close().await;
}

async fn only_purchase(visit: &Visit) -> Value {
    let purchases = visit.state().await["purchases"].clone();
    assert_eq!(purchases.as_array().unwrap().len(), 1, "{purchases:#}");
    purchases[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_dials_chooses_agrees_and_gets_the_package_and_the_text() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#through option").await;
    browser.clicks("#open-dialler").await;
    browser.clicks("#call").await;
    for (step, shows) in ["Chon dich vu", "chon goi", "Mua cho", "Dong y mua"].into_iter().enumerate() {
        // A screen shows its own step alone: the answer to the one before is keyed in once.
        let at = format!("#ussd[data-step='{step}'][data-is=asking]");
        browser.sees(&at).await;
        let screen = browser.reads("#ussd-text").await;
        assert!(screen.contains(shows), "{screen}");
        browser.types("#ussd-answer", "1").await;
        browser.clicks("#ussd-send").await;
    }
    browser.sees("#ussd[data-is=over]").await;
    assert!(browser.reads("#ussd-text").await.contains("SMS"));
    browser.clicks("#ussd-cancel").await;
    browser.sees("#ussd[hidden]").await;
    browser.sees(".card[data-state=done]").await;
    assert_eq!(browser.reads(".card[data-state=done] .verdict").await, "Books agree: charged once, granted once");
    assert!(browser.reads(".bubble.received").await.contains("Thanh cong: goi NAP1"));
    only_purchase(&visit).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
