//! Telcos that charge by themselves and tell us (seed 000, R000.3): may this be bought, and it has been paid. An answer that
//! takes a payment means that it is safe in the journal and the package owed; nothing is decided about money here.

mod answer;
mod request;
mod signature;

pub use signature::{hmac_sha256, sha1_of_values};

use crate::config;
use crate::engine::Frozen;
use crate::engine::desk::{Desk, context};
use crate::engine::door::{Delivery, Incoming, PARTNER, PaymentIn, Verdict};
use crate::engine::intake::{payment_key, purchase_id};
use crate::idempotency::{Ask, Claim, Keys};
use crate::package_manager;
use crate::purchase::Purchase;
use crate::purchase::evidence::{CheckAnswer, Decline, Reason};
use crate::purchase::input::Notice;
use crate::purchase::record::Order;
use crate::replies::Replies;
use crate::telemetry::message_ids;
use crate::telemetry::metrics::{NOBODY, PARTNER_REQUESTS};
use crate::telemetry::sparing::Sparing;
use answer::{Answer, Package};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, ConnectInfo};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use paygate_parsers::msisdn::Country;
use paygate_parsers::request::AccountForm;
use request::{Forms, Paid, Sale};
use signature::Unbelieved;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Whose request it is.
const NAME: &str = "x-partner";

/// What the partners' calls share.
#[derive(Clone)]
pub struct State(Arc<Partners>);

struct Partners {
    by_name: BTreeMap<String, Partner>,
    keys: Keys,
    intake: mpsc::Sender<Delivery>,
    frozen: Frozen,
    package_manager: Arc<package_manager::Client>,
    replies: Replies,
    country: Country,
    account: AccountForm,
    /// For what is turned away, which anybody may send.
    sparing: Sparing,
    /// How long a payment waits to be durable.
    ack_within: Duration,
}

struct Partner {
    name: String,
    settings: config::Partner,
    /// Empty where its subscribers are not told.
    link: String,
    short_code: String,
    rate: DefaultDirectRateLimiter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    CheckUser,
    Payments,
}

impl Call {
    const fn as_str(self) -> &'static str {
        match self {
            Self::CheckUser => "check_user",
            Self::Payments => "payments",
        }
    }

    /// Its values, in the order they are summed in.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::CheckUser => request::CHECK_USER,
            Self::Payments => request::PAYMENTS,
        }
    }
}

impl State {
    /// `desk` has what the engine knows of packages and words, `intake` is the engine's bounded queue, and `frozen` who may
    /// begin nothing new.
    #[must_use]
    pub fn new(
        config: &config::Config,
        desk: &Desk,
        keys: Keys,
        intake: mpsc::Sender<Delivery>,
        frozen: Frozen,
    ) -> Self {
        let partner =
            |(name, settings): (&String, &config::Partner)| (name.clone(), Partner::new(name, settings, config));
        Self(Arc::new(Partners {
            by_name: config.partner.iter().map(partner).collect(),
            keys,
            intake,
            frozen,
            package_manager: Arc::clone(&desk.package_manager),
            replies: desk.replies.clone(),
            country: desk.reader.country.clone(),
            account: desk.reader.syntax.account,
            sparing: Sparing::default(),
            ack_within: config.http.ack_within,
        }))
    }
}

impl Partner {
    fn new(name: &str, settings: &config::Partner, config: &config::Config) -> Self {
        let link = settings.link.clone().unwrap_or_default();
        let first_code = || config.smsc.iter().find(|smsc| smsc.name == link)?.short_codes.first().cloned();
        let rate = NonZeroU32::new(settings.rate).unwrap_or(NonZeroU32::MIN);
        Self {
            name: name.to_owned(),
            short_code: settings.short_code.clone().or_else(first_code).unwrap_or_default(),
            settings: settings.clone(),
            link,
            rate: RateLimiter::direct(Quota::per_second(rate)),
        }
    }

    fn order(&self, sale: &Sale) -> Order {
        Order {
            msisdn: Some(sale.msisdn),
            account: sale.account.clone(),
            service: sale.service.clone(),
            package: sale.package.clone(),
            channel: self.name.clone(),
            door: PARTNER.to_owned(),
            link: self.link.clone(),
            short_code: self.short_code.clone(),
            repeat: false,
            app: None,
        }
    }
}

/// The partners' routes, bounded like all others.
pub fn router(state: State, http: &config::Http) -> Router {
    let routes = Router::new()
        .route("/partner/v1/check-user", post(check_user))
        .route("/partner/v1/payments", post(payments))
        .with_state(state);
    super::guarded(routes, http.body_limit, http.request_timeout)
}

async fn check_user(
    extract::State(State(partners)): extract::State<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    partners.answer(Call::CheckUser, peer.ip(), &headers, body).await
}

async fn payments(
    extract::State(State(partners)): extract::State<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    partners.answer(Call::Payments, peer.ip(), &headers, body).await
}

impl Partners {
    async fn answer(
        &self,
        call: Call,
        peer: IpAddr,
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
    ) -> Response {
        let partner = headers.get(NAME).and_then(|name| self.by_name.get(name.to_str().ok()?));
        let answer = match (partner, body) {
            (_, Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Answer::TooLarge,
            (_, Err(rejection)) => Answer::Malformed(vec![rejection.body_text()]),
            (None, Ok(_)) => Answer::Unbelieved(Unbelieved::Partner),
            (Some(partner), Ok(body)) => match turned_away(partner, call, peer, headers, &body) {
                Some(answer) => answer,
                None => self.answer_to(partner, call, &body).await,
            },
        };
        let name = partner.map_or(NOBODY, |partner| partner.name.as_str());
        tell(&self.sparing, name, call, peer, &answer);
        answer.into_response()
    }

    async fn answer_to(&self, partner: &Partner, call: Call, body: &[u8]) -> Answer {
        let forms = Forms { country: &self.country, account: self.account };
        match call {
            Call::CheckUser => match request::check_user(&forms, body) {
                Ok(sale) => self.check_user(partner, sale).await,
                Err(faults) => Answer::Malformed(faults),
            },
            Call::Payments => match request::payment(&forms, body) {
                Ok(paid) if self.is_cut_otherwise(partner, &paid, body).await => Answer::Conflict,
                Ok(paid) => self.paid(partner, paid).await,
                Err(faults) => Answer::Malformed(faults),
            },
        }
    }

    /// Whether this sum was used for a payment under another id: a request that somebody caught, and cut anew. Without a
    /// key store to say so it is not noticed.
    async fn is_cut_otherwise(&self, partner: &Partner, paid: &Paid, body: &[u8]) -> bool {
        let Some(sum) = signature::sum_of(&partner.settings, body) else { return false };
        let (key, reference) = (format!("order:{}:{sum}", partner.name), &paid.payment.reference);
        // For as long as its time is believed, on either side of now.
        let life = partner.settings.max_age * 2;
        let ask = Ask { key: &key, fingerprint: reference, owner: reference, life };
        let cut = self.keys.claim(ask).await == Claim::Mismatch;
        if cut {
            tracing::error!(
                message_id = message_ids::PAYMENT_CONFLICT,
                channel = partner.name,
                payment = reference,
                "the checksum of another payment came with this one: it is caught and cut anew, or the partner sums wrongly"
            );
        }
        cut
    }

    /// Changes nothing. A package manager that cannot say is no yes, and a partner that is frozen is to charge nobody.
    async fn check_user(&self, partner: &Partner, sale: Sale) -> Answer {
        if self.frozen.borrow().contains(&partner.name) {
            return Answer::Later;
        }
        let order = partner.order(&sale);
        match self.check(partner, &sale, &order).await {
            CheckAnswer::Allowed { package_name, price, days } => Answer::Allowed {
                account: sale.account,
                package: Package {
                    service: sale.service,
                    code: sale.package,
                    name: package_name,
                    price: price.amount,
                    currency: price.currency.as_str().to_owned(),
                    days,
                },
            },
            CheckAnswer::Refused { reason: Reason::Busy | Reason::Maintenance | Reason::Config, .. }
            | CheckAnswer::Unavailable { .. } => Answer::Later,
            CheckAnswer::Refused { reason, .. } => {
                let notice = Notice::Refused { decline: Decline::of(reason) };
                let message = self.replies.notice(notice, &Purchase::unasked(String::new(), order, 0));
                Answer::Refused { reason, message }
            }
        }
    }

    /// What the package manager says, within the wait that this partner is given. A wrong account needs no question.
    async fn check(&self, partner: &Partner, sale: &Sale, order: &Order) -> CheckAnswer {
        if let Some(fault) = &sale.account_fault {
            return CheckAnswer::Refused { reason: Reason::NoAccount, heard: fault.clone() };
        }
        let context = context(order);
        let asked = self.package_manager.check(&context, &order.account, &order.service, &order.package, &sale.msisdn);
        let within = partner.settings.check_within;
        tokio::time::timeout(within, asked).await.unwrap_or_else(|_| CheckAnswer::Unavailable {
            heard: format!("check-user: no answer within {} ms", within.as_millis()),
        })
    }

    /// The money is gone: whatever the package manager says, and if it says nothing, the payment is taken.
    async fn paid(&self, partner: &Partner, paid: Paid) -> Answer {
        let order = partner.order(&paid.sale);
        let check = self.check(partner, &paid.sale, &order).await;
        let key = payment_key(&partner.name, &paid.payment.reference);
        let purchase_id = purchase_id(&key, 0);
        let payment = PaymentIn { key, order, payment: paid.payment, check, body: paid.body.into() };
        match Incoming::Payment(payment).hand_in(&self.intake, Instant::now() + self.ack_within).await {
            Verdict::Fresh => Answer::Accepted { purchase_id, review: None },
            Verdict::Review(reason) => Answer::Accepted { purchase_id, review: Some(reason) },
            Verdict::Again => Answer::Already { purchase_id },
            Verdict::Conflict => {
                tracing::error!(
                    message_id = message_ids::PAYMENT_CONFLICT,
                    purchase = purchase_id,
                    channel = partner.name,
                    "a payment came under an id that stands for another one; it was refused, and a person must ask the partner"
                );
                Answer::Conflict
            }
            // No payment is unknown: what is not there is begun.
            Verdict::Later | Verdict::Unknown | Verdict::TooMany => Answer::Later,
        }
    }
}

/// Who calls from where it may not, has not signed it, has a wrong clock, or asks more than it may: in this order, so that
/// nobody else can use up a partner's rate.
fn turned_away(partner: &Partner, call: Call, peer: IpAddr, headers: &HeaderMap, body: &[u8]) -> Option<Answer> {
    let allow = &partner.settings.allow;
    if !allow.is_empty() && !allow.iter().any(|network| network.contains(peer)) {
        return Some(Answer::Unbelieved(Unbelieved::Address));
    }
    let now = jiff::Timestamp::now().as_second();
    match signature::believed(&partner.settings, call.names(), headers, body, now) {
        Err(why) => Some(Answer::Unbelieved(why)),
        Ok(()) => partner.rate.check().is_err().then_some(Answer::TooMany),
    }
}

/// For the operators of both sides: which part was wrong stands here alone.
fn tell(sparing: &Sparing, partner: &str, call: Call, peer: IpAddr, answer: &Answer) {
    let (call, outcome) = (call.as_str(), answer.outcome());
    metrics::counter!(PARTNER_REQUESTS, "partner" => partner.to_owned(), "call" => call, "outcome" => outcome)
        .increment(1);
    match answer {
        Answer::Unbelieved(_) | Answer::TooMany | Answer::TooLarge => {
            if let Some(left_out) = sparing.may_say() {
                tracing::warn!(partner, call, outcome, %peer, left_out, "a partner's request was turned away");
            }
        }
        // Field names and what is wrong with them; a value is never among them.
        Answer::Malformed(faults) => {
            if let Some(left_out) = sparing.may_say() {
                let faults = faults.join(", ");
                tracing::warn!(partner, call, faults, left_out, "a partner's request cannot be read");
            }
        }
        Answer::Allowed { .. }
        | Answer::Refused { .. }
        | Answer::Accepted { .. }
        | Answer::Already { .. }
        | Answer::Conflict
        | Answer::Later => tracing::debug!(partner, call, outcome, "a partner's request was answered"),
    }
}
