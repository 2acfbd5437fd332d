//! A telco's billing, simulated: CAMARA Carrier Billing 0.5 and Refund 0.3 as their Gherkin wants them, with balances and
//! books of its own. A price's last two digits choose the advice that it is refused with (`advice.rs`). Holds all in
//! memory, and knows nothing of paygate's journal.

mod advice;
mod answer;
mod books;
mod payments;
mod refunds;
mod request;

use super::faults::{FaultRule, Faults};
use super::server::{Call, Peer, Reply, Serving, serve};
use answer::refusal;
use axum::http::Method;
use books::{Books, Caller};
pub use books::{Entry, EntryKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Subscribers that are not like the others.
pub mod numbers {
    /// Has no money: preparing is refused with PAYMENT_DENIED.
    pub const NO_MONEY: &str = "+84850001402";
    /// Barred from paying: PAYMENT_DENIED, whatever the balance.
    pub const BARRED: &str = "+84850001403";
    /// Can be reserved for, and its confirmation is refused with PAYMENT_DENIED.
    pub const CONFIRM_REFUSED: &str = "+84850001410";
    /// Nobody's number: IDENTIFIER_NOT_FOUND.
    pub const NOBODY: &str = "+84850001404";
    /// Can be reserved for, and is denied when it is confirmed.
    pub const DENIED_LATE: &str = "+84850001409";
    /// A kind of subscription that cannot pay so: SERVICE_NOT_APPLICABLE.
    pub const NOT_APPLICABLE: &str = "+84850001422";
    /// Is charged, and its refunds are refused with REFUND_DENIED.
    pub const REFUND_DENIED: &str = "+84850001413";
    /// Is charged, and is not eligible for refunds.
    pub const NOT_REFUNDABLE: &str = "+84850001414";
    /// Is charged, and its refunds are taken and end denied.
    pub const REFUND_FAILS: &str = "+84850001415";
}

/// How this operator works, which CAMARA leaves to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Tokens of applications (2-legged); each sees its own payments only.
    pub tokens: Vec<String>,
    /// Tokens of one subscriber (3-legged), with the number.
    pub subscriber_tokens: BTreeMap<String, String>,
    /// A token that is valid and may do nothing.
    pub unscoped_token: String,
    /// What each subscriber starts with, in whole units of the currency.
    pub balance: i64,
    /// The operator texts a code and waits for it before it reserves.
    pub texts_codes: bool,
    /// The code it texts; without it six random digits.
    pub fixed_code: Option<String>,
    /// Wrong codes until the payment is lost.
    pub code_attempts: u32,
    /// How long a payment stays `processing` before its outcome shows; 0 is a synchronous operator.
    pub settle_ms: u64,
    /// The same for refunds.
    pub refund_settle_ms: u64,
    /// How long a reservation stands.
    pub reservation_ms: u64,
    /// The largest amount that may be charged at once (UNAUTHORIZED_AMOUNT).
    pub amount_limit: i64,
    /// The most one subscriber may spend in all (AMOUNT_THRESHOLD_OVERPASSED).
    pub spending_limit: i64,
    /// The most one subscriber may be given back in all.
    pub refund_limit: i64,
    /// The code for a missing phone number: the Gherkin has two.
    pub missing_number_code: String,
    /// Takes a number that the token names already.
    pub takes_known_number: bool,
    /// Requests in a second; 0 is no limit.
    pub rate: u32,
    /// Records a list may match.
    pub match_limit: usize,
    /// Records on one page, whatever is asked for.
    pub page_limit: usize,
    pub duplicates: Duplicates,
    /// Payments held; more are answered 503.
    pub capacity: usize,
}

/// What happens to a clientCorrelator that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// As the Gherkin says: 400 while the first is not completed, and after that a second payment, which is the trap.
    Refuse,
    /// 409 ALREADY_EXISTS for ever.
    Conflict,
    /// The first payment is shown again.
    Replay,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tokens: vec!["secret".to_owned()],
            subscriber_tokens: BTreeMap::new(),
            unscoped_token: "unscoped".to_owned(),
            balance: 50_000,
            texts_codes: false,
            fixed_code: None,
            code_attempts: 3,
            settle_ms: 0,
            refund_settle_ms: 0,
            reservation_ms: 15 * 60 * 1000,
            amount_limit: 1_000_000,
            spending_limit: 10_000_000,
            refund_limit: 10_000_000,
            missing_number_code: "MISSING_IDENTIFIER".to_owned(),
            takes_known_number: false,
            rate: 0,
            match_limit: 100_000,
            page_limit: 1_000,
            duplicates: Duplicates::Refuse,
            capacity: 5_000_000,
        }
    }
}

/// By CAMARA's operationId.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Endpoint {
    CreatePayment,
    PreparePayment,
    ValidatePayment,
    ConfirmPayment,
    CancelPayment,
    RetrievePayment,
    RetrievePayments,
    CreateRefund,
    RetrieveRefund,
    RetrieveRefunds,
    RetrievePaymentRemainingAmount,
}

/// The simulator, running. Dropped, it is gone from the network.
pub struct Billing {
    office: Arc<Office>,
    serving: Serving,
}

/// What answers the requests.
struct Office {
    settings: Settings,
    books: Mutex<Books>,
    faults: Faults<Endpoint>,
}

impl Billing {
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let books = Mutex::new(Books::new(&settings));
        let office = Arc::new(Office { settings, books, faults: Faults::default() });
        let serving = serve(address, Arc::clone(&office)).await?;
        Ok(Self { office, serving })
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.serving.address
    }

    /// `base_url` for the configuration.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/carrier-billing/v0.5", self.address())
    }

    /// `refund_url` for the configuration.
    #[must_use]
    pub fn refund_url(&self) -> String {
        format!("http://{}/carrier-billing-refund/v0.3", self.address())
    }

    /// Switches a fault on; false when too many are on.
    #[must_use]
    pub fn fault(&self, rule: FaultRule<Endpoint>) -> bool {
        self.office.faults.set(rule)
    }

    /// For one subscriber alone, by the last digits of the number; false when too many are on.
    pub(super) fn fault_for(&self, who: &str, rule: FaultRule<Endpoint>) -> bool {
        self.office.faults.set_for(who, rule)
    }

    pub(super) fn clear_faults_for(&self, who: &str) {
        self.office.faults.clear_for(who);
    }

    /// Gives what was last taken of a subscriber back, as an operator does by itself after an error of its own.
    pub(super) fn gives_back_by_itself(&self, msisdn: &str) {
        self.office.books().gives_back_by_itself(msisdn);
    }

    #[must_use]
    pub fn faults(&self) -> Vec<FaultRule<Endpoint>> {
        self.office.faults.list()
    }

    pub fn clear_faults(&self) {
        self.office.faults.clear();
    }

    /// Debits under a key: clientCorrelator, or referenceCode where that was missing.
    #[must_use]
    pub fn debits(&self, key: &str) -> u32 {
        self.office.books().debits(key)
    }

    #[must_use]
    pub fn debits_of(&self, msisdn: &str) -> u32 {
        self.office.books().debits_of(msisdn)
    }

    /// All debits.
    #[must_use]
    pub fn debits_in_all(&self) -> u64 {
        self.office.books().debits_in_all()
    }

    /// Refunds done under a key.
    #[must_use]
    pub fn refunds(&self, key: &str) -> u32 {
        self.office.books().refunds_under(key)
    }

    /// In whole units of the currency.
    #[must_use]
    pub fn balance(&self, msisdn: &str) -> i64 {
        self.office.books().balance(msisdn)
    }

    pub fn set_balance(&self, msisdn: &str, balance: i64) {
        self.office.books().set_balance(msisdn, balance);
    }

    /// The code last texted to a subscriber.
    #[must_use]
    pub fn code_of(&self, msisdn: &str) -> Option<String> {
        self.office.books().code_of(msisdn)
    }

    /// The latest entries, oldest first; the books keep a bounded number of them, the counts are exact.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.office.books().entries()
    }

    /// The latest requests, oldest first, as `operation status`.
    #[must_use]
    pub fn requests(&self) -> Vec<(Endpoint, u16)> {
        self.office.books().requests()
    }

    /// Entries from now on. A listener that is too slow misses some.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Entry> {
        self.office.books().events()
    }
}

impl Office {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who calls, or why nobody who may.
    fn caller(&self, call: &Call) -> Result<Caller, Reply> {
        let token = call.bearer().unwrap_or_default();
        if let Some(application) = self.settings.tokens.iter().position(|known| known == token) {
            return Ok(Caller { application, msisdn: None });
        }
        if let Some(msisdn) = self.settings.subscriber_tokens.get(token) {
            return Ok(Caller { application: 0, msisdn: Some(msisdn.clone()) });
        }
        if token == self.settings.unscoped_token {
            return Err(refusal(403, "PERMISSION_DENIED"));
        }
        Err(refusal(401, "UNAUTHENTICATED"))
    }

    fn admitted(&self, call: &Call) -> Result<Caller, Reply> {
        if call.headers.contains_key("x-correlator") && !call.header("x-correlator").is_some_and(is_correlator) {
            return Err(refusal(400, "INVALID_ARGUMENT"));
        }
        let caller = self.caller(call)?;
        if self.settings.rate > 0 && !self.books().within_rate(self.settings.rate) {
            return Err(refusal(429, "TOO_MANY_REQUESTS"));
        }
        Ok(caller)
    }

    fn dispatch(&self, endpoint: Endpoint, caller: &Caller, call: &Call) -> Result<Reply, Reply> {
        let segments = call.segments();
        let payment = segments.get(3).copied().unwrap_or_default();
        match endpoint {
            Endpoint::CreatePayment => self.open(caller, call, true),
            Endpoint::PreparePayment => self.open(caller, call, false),
            Endpoint::ValidatePayment => self.validate(payment, call),
            Endpoint::ConfirmPayment => self.confirm(caller, payment, call),
            Endpoint::CancelPayment => self.cancel(caller, payment, call),
            Endpoint::RetrievePayment => self.retrieve(caller, payment),
            Endpoint::RetrievePayments => self.list(caller, call),
            Endpoint::CreateRefund => self.create_refund(payment, call),
            Endpoint::RetrieveRefund => self.retrieve_refund(payment, segments.get(5).copied().unwrap_or_default()),
            Endpoint::RetrieveRefunds => self.list_refunds(payment, call),
            Endpoint::RetrievePaymentRemainingAmount => self.remaining_amount(payment),
        }
    }
}

impl Peer for Office {
    type Endpoint = Endpoint;

    fn endpoint(method: &Method, path: &[&str]) -> Option<Endpoint> {
        let post = method == Method::POST;
        if !post && method != Method::GET {
            return None;
        }
        match (post, path) {
            (true, ["carrier-billing", "v0.5", "payments"]) => Some(Endpoint::CreatePayment),
            (true, ["carrier-billing", "v0.5", "payments", "prepare"]) => Some(Endpoint::PreparePayment),
            (true, ["carrier-billing", "v0.5", "payments", _, "validate"]) => Some(Endpoint::ValidatePayment),
            (true, ["carrier-billing", "v0.5", "payments", _, "confirm"]) => Some(Endpoint::ConfirmPayment),
            (true, ["carrier-billing", "v0.5", "payments", _, "cancel"]) => Some(Endpoint::CancelPayment),
            (false, ["carrier-billing", "v0.5", "payments"]) => Some(Endpoint::RetrievePayments),
            (false, ["carrier-billing", "v0.5", "payments", _]) => Some(Endpoint::RetrievePayment),
            (true, ["carrier-billing-refund", "v0.3", "payments", _, "refunds"]) => Some(Endpoint::CreateRefund),
            (false, ["carrier-billing-refund", "v0.3", "payments", _, "refunds"]) => Some(Endpoint::RetrieveRefunds),
            (false, ["carrier-billing-refund", "v0.3", "payments", _, "refunds", "remaining-amount"]) => {
                Some(Endpoint::RetrievePaymentRemainingAmount)
            }
            (false, ["carrier-billing-refund", "v0.3", "payments", _, "refunds", _]) => Some(Endpoint::RetrieveRefund),
            _ => None,
        }
    }

    fn faults(&self) -> &Faults<Endpoint> {
        &self.faults
    }

    fn act(&self, endpoint: Endpoint, call: &Call) -> Reply {
        let reply = self.admitted(call).and_then(|caller| self.dispatch(endpoint, &caller, call));
        let mut reply = reply.unwrap_or_else(|refused| refused);
        self.books().note(endpoint, reply.status);
        if let Some(correlator) = call.header("x-correlator").filter(|text| is_correlator(text)) {
            reply.headers.push(("x-correlator", correlator.to_owned()));
        }
        reply
    }

    fn refusal(status: u16, code: &str) -> Reply {
        refusal(status, code)
    }

    fn held(&self, _: Endpoint, _: &Call, _: bool) {}

    /// After the first request only the payment is named.
    fn is_about(&self, call: &Call, who: &str) -> bool {
        let segments = call.segments();
        let books = self.books();
        let payment = segments.get(3).and_then(|id| books.payment(id));
        payment.map_or_else(|| call.mentions(who), |payment| payment.msisdn.ends_with(who))
    }
}

/// `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$`.
fn is_correlator(text: &str) -> bool {
    text.len() <= 256 && text.chars().all(|char| char.is_ascii_alphanumeric() || "-_:;./<>{}".contains(char))
}
