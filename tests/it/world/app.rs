//! The content service's app in a test: orders by HTTP and follows what becomes of them.

use super::{PATIENCE, World};
use futures_util::StreamExt;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{timeout, timeout_at};

pub(crate) const TOKEN: &str = "app-secret";

/// Lets the app of these tests order, and text its customers. Whatever a daemon does itself is heard of, and not found by
/// looking: no test waits for that.
pub(crate) const APP: &str =
    "[app.web]\ntoken = \"app-secret\"\nlink = \"viettel\"\npoll = \"1m\"\nkeep_alive = \"100ms\"\nrate = 1000\n";

/// What other instances do is found by looking.
pub(crate) const LOOKS: &str = "app.web.poll = \"50ms\"";

/// 123PAY beside the telco's billing.
pub(crate) const BANK: &str = r#"
[[smsc]]
name = "viettel"
address = "{smsc}"
system_id = "paygate"
password = "secret"
short_codes = ["9029"]
charging = "viettel"
[charging.bank]
kind = "123pay"
base_url = "{pay123}"
merchant_code = "MICODE"
passcode = "MIPASSCODE"
secret_key = "MIKEY"
send_within = "10s"
max_flight = "0s"
inquiry_plan = ["30ms", "60ms", "120ms", "250ms", "500ms", "1s", "1s", "1s", "1s", "1s", "1s"]
"#;

/// The app, at one daemon.
pub(crate) struct AppClient {
    base: String,
    token: String,
    client: Client,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: bool,
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// An open stream of events.
pub(crate) struct Events {
    response: std::pin::Pin<Box<dyn futures_util::Stream<Item = String> + Send>>,
    buffer: String,
}

/// One event: its id and its data.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: i64,
    pub(crate) data: Value,
}

/// What an app sends, whole and right.
pub(crate) fn order() -> Value {
    json!({
        "account": "0854689520", "service": "VIP", "package": "NAP1", "channel": "viettel", "msisdn": "0854689520",
        "platform": "app", "dtId": "thudo", "type": "purchase", "deviceType": "phone", "deviceId": "ios-7",
        "payType": "telco", "payPartner": "viettel",
    })
}

/// One to be paid at the bank's page, by whomever.
pub(crate) fn bank_order() -> Value {
    let mut order = order_with(json!({ "channel": "bank", "msisdn": null, "payType": "bank", "payPartner": "bank" }));
    order["returnUrl"] = json!("https://app.example/done?cart=4711");
    order
}

/// The same with other values; null takes one away.
pub(crate) fn order_with(changes: Value) -> Value {
    let mut order = order();
    for (name, value) in changes.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

impl World {
    /// The app at the daemon of this number.
    pub(crate) fn app_at(&self, daemon: usize) -> AppClient {
        AppClient::new(&format!("http://{}", self.daemons[daemon].address), TOKEN)
    }

    pub(crate) fn app(&self) -> AppClient {
        self.app_at(0)
    }
}

impl AppClient {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        Self { base: base.to_owned(), token: token.to_owned(), client: Client::new() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn orders(&self, key: &str, body: &Value) -> Answered {
        self.posts(Some(key), body.to_string()).await
    }

    pub(crate) async fn posts(&self, key: Option<&str>, body: String) -> Answered {
        let mut request = self.client.post(self.url("/v1/orders")).bearer_auth(&self.token).body(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answered::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn shows(&self, id: &str) -> Answered {
        let request = self.client.get(self.url(&format!("/v1/orders/{id}"))).bearer_auth(&self.token);
        Answered::of(request.send().await.unwrap()).await
    }

    /// Opens a stream, or hears why not.
    pub(crate) async fn follows(&self, id: &str, last: Option<i64>) -> Result<Events, StatusCode> {
        let mut request = self.client.get(self.url(&format!("/v1/orders/{id}/events"))).bearer_auth(&self.token);
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        if response.status() != StatusCode::OK {
            return Err(response.status());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let chunks = futures_util::stream::unfold(response, |mut response| async {
            let chunk = response.chunk().await.ok()??;
            Some((String::from_utf8(chunk.to_vec()).unwrap(), response))
        });
        Ok(Events { response: Box::pin(chunks), buffer: String::new() })
    }
}

impl Answered {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, retry_after) = (response.status(), response.headers().contains_key("retry-after"));
        let text = response.text().await.unwrap();
        Self { status, retry_after, json: serde_json::from_str(&text).unwrap_or_default(), text }
    }
}

impl Events {
    /// The next event; `None` when the stream has ended. Comments alone do not keep a test waiting.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                if let Some(event) = read(&block) {
                    return Some(event);
                }
                continue;
            }
            let chunk = timeout_at(end, self.response.next()).await.expect("an event, or the end, comes in time");
            self.buffer += &chunk?;
        }
    }

    /// A silent stream says that it lives.
    pub(crate) async fn hears_a_comment(&mut self) {
        while !self.buffer.starts_with(':') {
            let chunk = timeout(PATIENCE, self.response.next()).await.expect("a comment comes in time");
            self.buffer += &chunk.expect("the stream is open");
        }
    }

    /// The states to the end of the stream.
    pub(crate) async fn states(&mut self) -> Vec<String> {
        let mut states = Vec::new();
        while let Some(event) = self.next().await {
            states.push(event.data["state"].as_str().unwrap().to_owned());
        }
        states
    }
}

/// A comment is no event.
fn read(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = field("data")?;
    assert_eq!(field("event"), Some("state"));
    Some(Event { id: field("id").unwrap().parse().unwrap(), data: serde_json::from_str(data).unwrap() })
}
