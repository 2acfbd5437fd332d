//! The stage on which a scenario is played: a simulator of its own, raw requests, and what is held of each answer.

use super::{Check, Edit, Op, Scenario, Step, THREE_LEGGED};
use crate::contract::operator::{SUBSCRIBER, anywhere};
use paygate::sandbox::billing::{Billing, Settings};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// A simulator, and what the last answers said of it.
struct Stage {
    billing: Billing,
    client: Client,
    payment: String,
    refund: String,
    sent: usize,
}

struct Played {
    status: u16,
    correlator: Option<String>,
    kind: String,
    request: Value,
    answer: Value,
}

impl Stage {
    async fn set_up(scenario: &Scenario, client: Client) -> Self {
        let mut settings =
            Settings { fixed_code: Some("123456".to_owned()), balance: 1_000_000, ..Settings::default() };
        settings.texts_codes = scenario.step.op == Op::Validate;
        settings.subscriber_tokens.insert(THREE_LEGGED.to_owned(), SUBSCRIBER.to_owned());
        (scenario.settings)(&mut settings);
        let billing = Billing::start(anywhere(), settings).await.unwrap();
        Self { billing, client, payment: "P999999999999".to_owned(), refund: "R999999999999".to_owned(), sent: 0 }
    }

    async fn play(&mut self, step: &Step) -> Played {
        self.sent += 1;
        let (method, mut path, mut request) = self.template(step.op);
        let (mut token, mut correlator, mut raw) = (Some("secret"), "x-1", None);
        for edit in &step.edits {
            match edit {
                Edit::Set(pointer, value) => place(&mut request, pointer, value.clone()),
                Edit::Without(pointer) => drop(remove(&mut request, pointer)),
                Edit::Body(text) => raw = Some((*text).to_owned()),
                Edit::Token(other) => token = *other,
                Edit::Correlator(other) => correlator = other,
                Edit::Query(query) => path = format!("{path}?{query}"),
                Edit::UnknownId => path = path.replace(&self.payment, "P888888888888"),
            }
        }
        let mut sending = self.client.request(method.clone(), path).header("x-correlator", correlator);
        if let Some(token) = token {
            sending = sending.bearer_auth(token);
        }
        if method == Method::POST {
            sending = sending.body(raw.unwrap_or_else(|| request.to_string()));
        }
        self.hear(sending.send().await.unwrap(), request).await
    }

    async fn hear(&mut self, response: reqwest::Response, request: Value) -> Played {
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, correlator) = (response.status().as_u16(), header("x-correlator"));
        let kind = header("content-type").unwrap_or_default();
        let answer = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
        for (name, kept) in [("paymentId", &mut self.payment), ("refundId", &mut self.refund)] {
            if let Some(id) = Value::as_str(&answer[name]) {
                id.clone_into(kept);
            }
        }
        Played { status, correlator, kind, request, answer }
    }

    /// A request with what is required and no more.
    fn template(&self, op: Op) -> (Method, String, Value) {
        let (base, refunds) = (self.billing.base_url(), self.billing.refund_url());
        let (payment, refund, number) = (&self.payment, &self.refund, self.sent);
        let charging = json!({"amount": 10_000, "currency": "VND", "description": "VIP", "isTaxIncluded": true});
        let opening = json!({"amountTransaction": {
            "phoneNumber": SUBSCRIBER, "referenceCode": format!("ref-{number}"),
            "paymentAmount": {"chargingInformation": charging, "chargingMetaData": {"channel": "SMS"}},
        }});
        let refunding = json!({"type": "total", "amountTransaction": {
            "referenceCode": format!("ref-{number}"), "refundAmount": {},
        }});
        let authorization = payment.replace('P', "A");
        match op {
            Op::Create => (Method::POST, format!("{base}/payments"), opening),
            Op::Prepare => (Method::POST, format!("{base}/payments/prepare"), opening),
            Op::Validate => {
                let body = json!({"authorizationId": authorization, "code": "123456"});
                (Method::POST, format!("{base}/payments/{payment}/validate"), body)
            }
            Op::Confirm => {
                (Method::POST, format!("{base}/payments/{payment}/confirm"), json!({"phoneNumber": SUBSCRIBER}))
            }
            Op::Cancel => {
                (Method::POST, format!("{base}/payments/{payment}/cancel"), json!({"phoneNumber": SUBSCRIBER}))
            }
            Op::Get => (Method::GET, format!("{base}/payments/{payment}"), Value::Null),
            Op::List => (Method::GET, format!("{base}/payments"), Value::Null),
            Op::Refund => (Method::POST, format!("{refunds}/payments/{payment}/refunds"), refunding),
            Op::GetRefund => (Method::GET, format!("{refunds}/payments/{payment}/refunds/{refund}"), Value::Null),
            Op::ListRefunds => (Method::GET, format!("{refunds}/payments/{payment}/refunds"), Value::Null),
            Op::Remaining => {
                (Method::GET, format!("{refunds}/payments/{payment}/refunds/remaining-amount"), Value::Null)
            }
        }
    }
}

/// Sets a value, making the objects on the way to it.
fn place(request: &mut Value, pointer: &str, value: Value) {
    let mut at = request;
    for name in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[name];
    }
    *at = value;
}

fn remove(request: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    request.pointer_mut(parent)?.as_object_mut()?.remove(name)
}

fn check(scenario: &Scenario, played: &Played) {
    let (id, answer) = (&scenario.id, &played.answer);
    for check in &scenario.checks {
        match check {
            Check::Is(pointer, value) => assert_eq!(answer.pointer(pointer), Some(value), "{id}: {pointer}"),
            Check::Echoes(pointer) => {
                assert_eq!(answer.pointer(pointer), played.request.pointer(pointer), "{id}: {pointer}")
            }
            Check::Absent(pointer) => assert_eq!(answer.pointer(pointer), None, "{id}: {pointer}"),
            Check::Present(pointer) => assert!(answer.pointer(pointer).is_some(), "{id}: {pointer}"),
            Check::Length(length) => assert_eq!(answer.as_array().map(Vec::len), Some(*length), "{id}"),
            Check::Each(pointer, value) => {
                assert!(answer.as_array().unwrap().iter().all(|item| item.pointer(pointer) == Some(value)), "{id}");
            }
            Check::Ascending(ascending) => {
                let dates = answer.as_array().unwrap().iter();
                let dates: Vec<&str> = dates.map(|item| date(item).unwrap()).collect();
                assert_eq!(dates.is_sorted(), *ascending, "{id}: {dates:?}");
            }
        }
    }
}

fn date(item: &Value) -> Option<&str> {
    item["paymentCreationDate"].as_str().or(item["refundCreationDate"].as_str())
}

pub(super) async fn play(scenario: Scenario, client: Client) {
    let mut stage = Stage::set_up(&scenario, client).await;
    for step in &scenario.standing {
        stage.play(step).await;
    }
    let mut played = stage.play(&scenario.step).await;
    // How many requests fall into one second is not ours to say: the limit of one is met by the second or a later one.
    for _ in 0..100 {
        if scenario.status != 429 || played.status == 429 {
            break;
        }
        played = stage.play(&scenario.step).await;
    }
    let id = &scenario.id;
    assert_eq!((played.status, played.kind.as_str()), (scenario.status, "application/json"), "{id}: {}", played.answer);
    let correlated = if id.ends_with("invalid_x-correlator") { None } else { Some("x-1") };
    assert_eq!(played.correlator.as_deref(), correlated, "{id}");
    if !scenario.code.is_empty() {
        assert_eq!(played.answer["code"], scenario.code, "{id}");
        assert_eq!(played.answer["status"], scenario.status, "{id}");
        assert!(played.answer["message"].as_str().is_some_and(|message| !message.is_empty()), "{id}");
    }
    check(&scenario, &played);
}
