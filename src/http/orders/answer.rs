//! What an app reads: the answer to an order, how it stands, and every refusal with its code. A stored answer is written from
//! the journal's facts alone, so that it is the same to the last byte whenever it is given.

use super::{private, qr};
use crate::engine::order::Answered;
use crate::purchase::Purchase;
use crate::purchase::evidence::{Decline, Reason};
use crate::purchase::record::Micros;
use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, header::WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// Seconds after which an app may ask again for what is under way.
const ASK_AGAIN: u32 = 2;

/// The answer to an order. The keys are a promise.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    purchase_id: String,
    state: &'static str,
    payment_url: Option<String>,
    qr: Option<qr::Pictures>,
    expires_at: Option<String>,
    decline: Option<Declined>,
}

/// How an order stands: the answer's keys, and what has become known since.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Standing<'p> {
    #[serde(flatten)]
    told: Told,
    service: &'p str,
    package: &'p str,
    account: &'p str,
    channel: &'p str,
    /// In minor units; null until the package manager has named the price.
    amount: Option<i64>,
    currency: Option<String>,
    paid: &'static str,
    granted: &'static str,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
pub(super) struct Declined {
    reason: Reason,
    /// Seed 001's number, 1 to 6.
    advice: u8,
}

impl From<Decline> for Declined {
    fn from(decline: Decline) -> Self {
        Self { reason: decline.reason, advice: decline.advice.number() }
    }
}

impl Told {
    pub(super) fn new(id: &str, answered: &Answered) -> Self {
        Self {
            purchase_id: id.to_owned(),
            state: answered.state.as_str(),
            qr: answered.pay_url.as_deref().and_then(qr::pictures),
            payment_url: answered.pay_url.clone(),
            expires_at: answered.expires_at.map(utc),
            decline: answered.decline.map(Declined::from),
        }
    }

    /// The first answer.
    pub(super) fn created(&self) -> Response {
        let mut response = private(StatusCode::CREATED, written(self));
        if let Ok(place) = HeaderValue::try_from(format!("/v1/orders/{}", self.purchase_id)) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        response
    }

    /// The same to whoever asks again.
    pub(super) fn again(&self) -> Response {
        private(StatusCode::OK, written(self))
    }
}

/// How a purchase stands now.
pub(super) fn standing(purchase: &Purchase) -> Response {
    private(StatusCode::OK, written(&view(purchase)))
}

/// The same as a value, with what an event has beside.
pub(super) fn standing_text(purchase: &Purchase) -> String {
    written(&view(purchase))
}

fn view(purchase: &Purchase) -> Standing<'_> {
    let (order, offer, price) = (&purchase.order, purchase.offer.as_ref(), purchase.price());
    let now = Answered {
        state: purchase.state,
        pay_url: offer.and_then(|offer| offer.pay_url.clone()),
        expires_at: offer.map(|offer| offer.expires_at),
        decline: purchase.decline,
    };
    Standing {
        told: Told::new(&purchase.id, &now),
        service: &order.service,
        package: &order.package,
        account: &order.account,
        channel: &order.channel,
        amount: price.map(|price| price.amount),
        currency: price.map(|price| price.currency.as_str().to_owned()),
        paid: purchase.paid().as_str(),
        granted: purchase.granted(),
        created_at: utc(purchase.created_at),
        updated_at: utc(purchase.updated_at),
    }
}

fn written(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("words and numbers under text keys are always JSON")
}

/// RFC 3339, UTC.
pub(super) fn utc(at: Micros) -> String {
    Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// A parameter and what is wrong with it.
#[derive(Debug, Serialize)]
pub(super) struct Fault {
    pub parameter: &'static str,
    pub message: String,
}

impl Fault {
    pub(super) fn new(parameter: &'static str, message: impl Into<String>) -> Self {
        Self { parameter, message: message.into() }
    }
}

/// Why an order, or a question about one, is not answered as was wished.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    body: Value,
    ask_again: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, body: json!({ "code": code, "message": message.into() }), ask_again: false }
    }

    fn with(mut self, key: &str, value: impl Serialize) -> Self {
        self.body[key] = json!(value);
        self
    }

    const fn and_ask_again(mut self) -> Self {
        self.ask_again = true;
        self
    }

    /// The same whatever was wrong, so that nothing can be learnt by trying.
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "the token is missing or wrong")
    }

    pub(super) fn too_fast() -> Self {
        let message = "more requests a second than this app may send";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_FAST", message).and_ask_again()
    }

    pub(super) fn too_many_streams() -> Self {
        let message = "as many streams of events are open as this app may have";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_STREAMS", message).and_ask_again()
    }

    pub(super) fn too_many_codes() -> Self {
        let message = "this phone was sent as many codes as an hour allows";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_CODES", message)
    }

    pub(super) fn key(fault: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "IDEMPOTENCY_KEY", format!("the header Idempotency-Key {fault}"))
    }

    pub(super) fn key_reused() -> Self {
        let message = "this Idempotency-Key stands for another order";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "KEY_REUSED", message)
    }

    pub(super) fn incomplete(missing: Vec<&'static str>, faults: Vec<Fault>) -> Self {
        if missing.is_empty() {
            return Self::wrong(faults);
        }
        let message = format!("parameters are missing: {}", missing.join(", "));
        let refusal = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "MISSING_PARAMETER", message);
        let refusal = refusal.with("missing", missing);
        if faults.is_empty() { refusal } else { refusal.with("faults", faults) }
    }

    pub(super) fn wrong(faults: Vec<Fault>) -> Self {
        let told: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.parameter, fault.message)).collect();
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_PARAMETER", told.join("; ")).with("faults", faults)
    }

    pub(super) fn under_way(id: &str) -> Self {
        let message = "the order under this Idempotency-Key is under way";
        Self::new(StatusCode::CONFLICT, "UNDER_WAY", message).with("purchaseId", id).and_ask_again()
    }

    /// The order is durable, and only its answer is not known yet.
    pub(super) fn not_yet(id: &str) -> Self {
        let message = "the order is taken and not ready yet: send it again under the same Idempotency-Key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "NOT_YET", message).with("purchaseId", id).and_ask_again()
    }

    pub(super) fn later() -> Self {
        let message =
            "this cannot be made safe or looked up now; send it again, an order under the same Idempotency-Key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "LATER", message).and_ask_again()
    }

    pub(super) fn unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "UNKNOWN_ORDER", "this app has made no such order")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        metrics::counter!("paygate_http_refused_total", "status" => self.status.as_u16().to_string()).increment(1);
        let mut response = private(self.status, self.body.to_string());
        if self.ask_again {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ASK_AGAIN));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
