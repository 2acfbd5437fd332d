//! A simulated telco that charges by itself: it asks check-user, debits its own subscriber, and tells of the payment until it
//! is taken. Its books are the truth about that money; the daemon's word is only what it was answered.

use crate::config::Signature;
use crate::http::partner::{hmac_sha256, sha1_of_values};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The values of each call, in the order that they are summed in.
const CHECK_USER: &[&str] = &["requestId", "msisdn", "account", "service", "package"];
const PAYMENTS: &[&str] =
    &["paymentId", "requestId", "msisdn", "account", "service", "package", "amount", "currency", "chargedAt"];

#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    pub secret: String,
    pub signature: Signature,
    /// How often a payment is told until it is taken; then it goes to compensation (charging.md §1.4, MO notifier).
    pub tries: u32,
    /// Between two of them.
    pub pause: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "vinaphone".to_owned(),
            secret: "secret".to_owned(),
            signature: Signature::HmacSha256,
            tries: 3,
            pause: Duration::from_millis(500),
            timeout: Duration::from_secs(10),
        }
    }
}

/// What a subscriber of the partner's wants, and what the partner takes for it.
#[derive(Clone, Debug)]
pub struct Sale {
    pub msisdn: String,
    pub account: Option<String>,
    pub service: String,
    pub package: String,
    pub amount: i64,
    pub currency: String,
}

/// A debit in the partner's books.
#[derive(Clone, Debug)]
pub struct Payment {
    pub id: String,
    pub sale: Sale,
    pub charged_at: Timestamp,
}

/// What was answered; status 0 where nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub status: u16,
    pub body: Value,
}

/// How a request is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    None,
    /// Signed with another secret.
    Forged,
    /// Without any signature.
    Unsigned,
    /// Signed rightly, with a clock that is so many seconds off.
    ClockOff(i64),
    /// In the name of a partner that nobody knows.
    Stranger,
}

#[derive(Default)]
struct Books {
    /// By its id, each debit that was made. They are as many as the sales of one life of a simulator.
    payments: HashMap<String, Payment>,
}

pub struct Partner {
    settings: Settings,
    client: reqwest::Client,
    books: Mutex<Books>,
}

impl Partner {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, client: reqwest::Client::new(), books: Mutex::default() }
    }

    /// Its section of the configuration; keys may follow.
    #[must_use]
    pub fn toml(&self) -> String {
        let Settings { name, secret, signature, .. } = &self.settings;
        let signature = match signature {
            Signature::HmacSha256 => "hmac-sha256",
            Signature::Sha1 => "sha1",
        };
        format!("[partner.{name}]\nsecret = {secret:?}\nsignature = \"{signature}\"\n")
    }

    /// The whole of a sale: asks, debits what is named, and tells it until it is taken. Nothing is debited without a yes.
    pub async fn sells(&self, door: &str, sale: &Sale) -> (Option<Payment>, Heard) {
        let checked = self.checks(door, sale).await;
        if checked.body["status"] != "ok" {
            return (None, checked);
        }
        let amount = checked.body["package"]["price"].as_i64().unwrap_or(sale.amount);
        let payment = self.charges(&Sale { amount, ..sale.clone() });
        let heard = self.tells(door, &payment).await;
        (Some(payment), heard)
    }

    /// check-user, once.
    pub async fn checks(&self, door: &str, sale: &Sale) -> Heard {
        let Sale { msisdn, account, service, package, .. } = sale;
        let body =
            json!({ "requestId": "r-1", "msisdn": msisdn, "account": account, "service": service, "package": package });
        self.sends(door, "check-user", &body, Trick::None).await
    }

    /// Takes the subscriber's money.
    pub fn charges(&self, sale: &Sale) -> Payment {
        let mut books = self.books();
        let id = format!("{}-{}", self.settings.name, books.payments.len() + 1);
        let payment = Payment { id, sale: sale.clone(), charged_at: Timestamp::now() };
        books.payments.insert(payment.id.clone(), payment.clone());
        payment
    }

    /// Tells of a payment until it is taken or known to be there, or refused for good; then it gives up.
    pub async fn tells(&self, door: &str, payment: &Payment) -> Heard {
        for _ in 1..self.settings.tries {
            let heard = self.tells_once(door, payment).await;
            if heard.is_final() {
                return heard;
            }
            tokio::time::sleep(self.settings.pause).await;
        }
        self.tells_once(door, payment).await
    }

    pub async fn tells_once(&self, door: &str, payment: &Payment) -> Heard {
        self.sends(door, "payments", &payment.body(), Trick::None).await
    }

    /// One request, signed as it is agreed, or not.
    pub async fn sends(&self, door: &str, call: &str, body: &Value, trick: Trick) -> Heard {
        let off = if let Trick::ClockOff(seconds) = trick { seconds } else { 0 };
        let now = Timestamp::now().as_second() + off;
        let secret = if trick == Trick::Forged { "another" } else { &self.settings.secret };
        let name = if trick == Trick::Stranger { "stranger" } else { &self.settings.name };
        let request = self.client.post(format!("{door}/partner/v1/{call}")).header("x-partner", name);
        let request = match self.settings.signature {
            _ if trick == Trick::Unsigned => request.body(body.to_string()),
            Signature::HmacSha256 => {
                let (body, now) = (body.to_string(), now.to_string());
                let signature = hmac_sha256(secret, &now, body.as_bytes());
                request.header("x-timestamp", now).header("x-signature", signature).body(body)
            }
            Signature::Sha1 => request.body(summed(body, call, now, secret).to_string()),
        };
        let request = request.header("content-type", "application/json").timeout(self.settings.timeout);
        match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                // An answer that broke off is none.
                answer.bytes().await.map_or(NOTHING_HEARD, |body| Heard {
                    status,
                    body: serde_json::from_slice(&body).unwrap_or_default(),
                })
            }
            Err(_) => NOTHING_HEARD,
        }
    }

    /// The debit that was made under this id.
    #[must_use]
    pub fn payment(&self, id: &str) -> Option<Payment> {
        self.books().payments.get(id).cloned()
    }

    #[must_use]
    pub fn debits_in_all(&self) -> u64 {
        self.books().payments.len() as u64
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Payment {
    /// As it is told, without what it is signed with.
    #[must_use]
    pub fn body(&self) -> Value {
        let Sale { msisdn, account, service, package, amount, currency } = &self.sale;
        json!({ "paymentId": self.id, "msisdn": msisdn, "account": account, "service": service, "package": package,
            "amount": amount, "currency": currency, "chargedAt": self.charged_at.to_string() })
    }
}

/// No answer came, or not the whole of it.
const NOTHING_HEARD: Heard = Heard { status: 0, body: Value::Null };

impl Heard {
    /// Another try would hear the same.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self.status, 200 | 401 | 409 | 422)
    }

    /// The word of the answer, empty where there is none.
    #[must_use]
    pub fn word(&self) -> &str {
        self.body["status"].as_str().unwrap_or_default()
    }
}

/// The same with `ts` and `checksum`, in the manner of seed 004.
fn summed(body: &Value, call: &str, ts: i64, secret: &str) -> Value {
    let mut fields: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    let names = if call == "payments" { PAYMENTS } else { CHECK_USER };
    let value = |name: &&str| match fields.get(*name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let values: Vec<String> = names.iter().map(value).collect();
    fields.insert("checksum".to_owned(), sha1_of_values(&values, &ts.to_string(), secret).into());
    fields.insert("ts".to_owned(), ts.into());
    Value::Object(fields)
}
