//! The notifies of the simulated 123PAY: sent when an order has its outcome, to wherever it was said, and by switch late,
//! doubled, forged, stale, missing or unreadable. Keeps what it was answered, and whether that was signed.

use super::signature::sign;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Answers kept.
const KEPT: usize = 10_000;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What goes wrong with a notify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum NotifyFault {
    /// Sent only after this long, with the time it is sent at.
    Late { ms: u64 },
    /// Sent at once with a time this long past.
    Stale { ms: i64 },
    /// Sent twice, the same octets.
    Doubled,
    /// Signed by somebody without the key.
    Forged,
    /// Never sent.
    Missing,
    /// Something else is sent.
    Garbage,
}

/// What a notify was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyAnswer {
    pub key: String,
    /// `1`, `2`, `-1`, `-3`; the HTTP status where the answer was none of 123PAY's, and empty where none came.
    pub code: String,
    /// Its checksum is right.
    pub signed: bool,
}

/// What is told of an order.
#[derive(Clone)]
pub(super) struct Sent {
    pub key: String,
    pub bank: String,
    pub status: String,
}

/// Cheap to clone; all clones are one sender.
#[derive(Clone)]
pub(super) struct Notifier {
    secret_key: String,
    client: reqwest::Client,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    url: Option<String>,
    faults: VecDeque<(NotifyFault, u32)>,
    answers: VecDeque<NotifyAnswer>,
}

impl Notifier {
    pub(super) fn start(secret_key: String) -> io::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().map_err(io::Error::other)?;
        Ok(Self { secret_key, client, held: Arc::default() })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, url: &str) {
        self.held().url = Some(url.to_owned());
    }

    pub(super) fn fault(&self, fault: NotifyFault, times: u32) {
        self.held().faults.push_back((fault, times));
    }

    pub(super) fn faults(&self) -> Vec<(NotifyFault, u32)> {
        self.held().faults.iter().copied().collect()
    }

    pub(super) fn set_fault(&self, fault: NotifyFault, times: u32) {
        let mut held = self.held();
        held.faults.clear();
        if times > 0 {
            held.faults.push_back((fault, times));
        }
    }

    pub(super) fn fault_left(&self, fault: NotifyFault) -> u32 {
        let held = self.held();
        held.faults.iter().find(|(switched, _)| *switched == fault).map_or(0, |(_, left)| *left)
    }

    pub(super) fn clear_faults(&self) {
        self.held().faults.clear();
    }

    pub(super) fn answers(&self) -> Vec<NotifyAnswer> {
        self.held().answers.iter().cloned().collect()
    }

    /// On a task of its own: an order's outcome waits for nobody.
    pub(super) fn send(&self, sent: Sent) {
        let fault = self.next_fault();
        let Some(url) = self.held().url.clone().filter(|_| fault != Some(NotifyFault::Missing)) else { return };
        let this = self.clone();
        tokio::spawn(async move { this.deliver(&url, &sent, fault).await });
    }

    fn next_fault(&self) -> Option<NotifyFault> {
        let mut held = self.held();
        let (fault, times) = held.faults.front_mut()?;
        let (fault, left) = (*fault, times.saturating_sub(1));
        *times = left;
        if left == 0 {
            held.faults.pop_front();
        }
        Some(fault)
    }

    async fn deliver(&self, url: &str, sent: &Sent, fault: Option<NotifyFault>) {
        if let Some(NotifyFault::Late { ms }) = fault {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let body = match fault {
            Some(NotifyFault::Garbage) => "<html><body>welcome</body></html>".to_owned(),
            _ => self.body(sent, fault),
        };
        let times = if fault == Some(NotifyFault::Doubled) { 2 } else { 1 };
        for _ in 0..times {
            let answer = self.post(url, &sent.key, body.clone()).await;
            let mut held = self.held();
            if held.answers.len() == KEPT {
                held.answers.pop_front();
            }
            held.answers.push_back(answer);
        }
    }

    fn body(&self, sent: &Sent, fault: Option<NotifyFault>) -> String {
        let age = if let Some(NotifyFault::Stale { ms }) = fault { ms } else { 0 };
        let ts = Timestamp::now().as_millisecond().saturating_sub(age).to_string();
        let key = if fault == Some(NotifyFault::Forged) { "somebody else's key" } else { &self.secret_key };
        let sum = sign(&[&sent.key, &sent.bank, &sent.status, &ts], key);
        form_urlencoded::Serializer::new(String::new())
            .append_pair("mTransactionID", &sent.key)
            .append_pair("bankCode", &sent.bank)
            .append_pair("transactionStatus", &sent.status)
            .append_pair("description", "Ket qua thanh toan")
            .append_pair("ts", &ts)
            .append_pair("checksum", &sum)
            .finish()
    }

    async fn post(&self, url: &str, key: &str, body: String) -> NotifyAnswer {
        let kind = "application/x-www-form-urlencoded";
        let request = self.client.post(url).header("content-type", kind).body(body);
        let nothing = NotifyAnswer { key: key.to_owned(), code: String::new(), signed: false };
        let Ok(response) = request.send().await else { return nothing };
        let status = response.status().as_u16().to_string();
        match response.json::<Value>().await {
            Ok(answer) => self.judged(key, status, &answer),
            Err(_) => NotifyAnswer { code: status, ..nothing },
        }
    }

    fn judged(&self, key: &str, status: String, answer: &Value) -> NotifyAnswer {
        let field = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, code, ts) = (field("mTransactionID"), field("returnCode"), field("ts"));
        let signed = !code.is_empty() && field("checksum") == sign(&[id, code, ts], &self.secret_key);
        let code = if code.is_empty() { status } else { code.to_owned() };
        NotifyAnswer { key: key.to_owned(), code, signed }
    }
}
