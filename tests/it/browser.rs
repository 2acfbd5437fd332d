//! A real browser for the pages: headless Chromium, driven over WebDriver as a visitor's hands would.

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

/// What nobody waits for unless something is wrong; the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);
/// Ends chromedriver and every browser it has started when our end of its input closes, in whatever way this process ends.
/// The shell lets go of the output, so that chromedriver's end is seen there.
const GUARD: &str = "chromedriver --port=0 & exec >&-; cat >/dev/null; kill -KILL 0";
/// chromedriver takes a free port for IPv6 and ends where the same is taken for IPv4, by a test beside this one perhaps.
const STARTS: u32 = 5;
/// WebDriver's name of a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window.
pub(crate) struct Browser {
    pub(crate) client: Client,
    /// The session's address.
    pub(crate) session: String,
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    pub(crate) async fn start(width: u32, height: u32) -> Self {
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

    pub(crate) async fn get(&self, path: &str) -> Value {
        ask(&self.client, Method::GET, &format!("{}{path}", self.session), &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        ask(&self.client, Method::POST, &format!("{}{path}", self.session), &body).await
    }

    pub(crate) async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// Waits for the first element that fits.
    pub(crate) async fn sees(&self, selector: &str) -> String {
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

    pub(crate) async fn clicks(&self, selector: &str) {
        // As a visitor would who finds it below the bar on top.
        let script = "arguments[0].scrollIntoView({ block: 'center' })";
        loop {
            let element = self.sees(selector).await;
            let scroll = json!({ "script": script, "args": [{ ELEMENT: element }] });
            let click = format!("/element/{element}/click");
            if self.tries("/execute/sync", scroll).await && self.tries(&click, json!({})).await {
                return;
            }
        }
    }

    /// Whether it was done; not where the element's page was left meanwhile.
    async fn tries(&self, path: &str, body: Value) -> bool {
        let answer = self.client.post(format!("{}{path}", self.session)).json(&body).send().await.unwrap();
        let done = answer.status().is_success();
        let answer: Value = answer.json().await.unwrap();
        assert!(done || answer["value"]["error"] == "stale element reference", "{path}: {answer}");
        done
    }

    pub(crate) async fn types(&self, selector: &str, text: &str) {
        let element = self.sees(selector).await;
        self.post(&format!("/element/{element}/value"), json!({ "text": text })).await;
    }

    pub(crate) async fn reads(&self, selector: &str) -> String {
        let element = self.sees(selector).await;
        self.get(&format!("/element/{element}/text")).await.as_str().unwrap().to_owned()
    }

    pub(crate) async fn runs(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(self.get("/screenshot").await.as_str().unwrap()).unwrap()
    }

    /// What the page's script or its policy complained of.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    pub(crate) async fn close(self) {
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

pub(crate) async fn ask(client: &Client, method: Method, url: &str, body: &Value) -> Value {
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
