//! The simulated operator's own books: balances, payments, refunds, and each movement of money as an entry. The counts
//! are exact for ever, so that a test can hold paygate's journal against them; the entries kept are bounded.

use super::request::Milli;
use super::{Endpoint, Settings};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use tokio::sync::broadcast;

/// Entries and requests kept for showing.
const KEPT: usize = 10_000;
/// Entries a slow listener may fall behind.
const BEHIND: usize = 1_024;

/// Who asks: an application, and the subscriber that its token names, if it names one.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub application: usize,
    pub msisdn: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaymentStatus {
    Processing,
    PendingValidation,
    Reserved,
    Denied,
    Succeeded,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefundStatus {
    Processing,
    Denied,
    Succeeded,
}

pub(super) struct Otp {
    pub authorization: String,
    pub code: String,
    pub wrong: u32,
}

pub(super) struct Payment {
    pub number: usize,
    pub application: usize,
    /// clientCorrelator, or referenceCode where that was missing.
    pub key: String,
    pub msisdn: String,
    pub amount: Milli,
    pub currency: String,
    pub tax_included: bool,
    /// Identifiers of `paymentDetails`.
    pub items: Vec<String>,
    pub merchant: Option<String>,
    /// `amountTransaction` as it is shown.
    pub transaction: String,
    pub sink: Option<String>,
    /// Unix microseconds, as all times here.
    pub created: i64,
    pub decided: i64,
    /// Until then it shows as `processing`.
    pub shown_from: i64,
    /// When a reservation lapses.
    pub lapses: i64,
    pub otp: Option<Otp>,
    pub outcome: PaymentStatus,
}

pub(super) struct Refund {
    pub number: usize,
    pub payment: usize,
    pub key: String,
    pub total: bool,
    pub amount: Milli,
    pub reason: Option<String>,
    pub sink: Option<String>,
    pub merchant: Option<String>,
    pub transaction: String,
    pub created: i64,
    pub shown_from: i64,
    pub outcome: RefundStatus,
}

/// One line of the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Unix microseconds.
    pub at: i64,
    pub kind: EntryKind,
    /// The peer's key: what a second debit would stand under too.
    pub key: String,
    pub msisdn: String,
    /// In whole units of the currency.
    pub amount: i64,
    /// paymentId or refundId.
    pub id: String,
    /// The code that was texted, for the sandbox's telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    CodeTexted,
    Reserved,
    Debited,
    Denied,
    Released,
    Refunded,
}

pub(super) struct Books {
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
    payment_keys: HashMap<(usize, String), usize>,
    payment_references: HashMap<(usize, String), usize>,
    refund_keys: HashMap<String, usize>,
    refund_references: HashMap<String, usize>,
    refunds_of_payment: HashMap<usize, Vec<usize>>,
    opening_balance: Milli,
    balances: HashMap<String, Milli>,
    spent: HashMap<String, Milli>,
    given_back: HashMap<String, Milli>,
    debits: HashMap<String, u32>,
    debits_of: HashMap<String, u32>,
    debited: u64,
    refunded: HashMap<String, u32>,
    codes: HashMap<String, String>,
    entries: VecDeque<Entry>,
    requests: VecDeque<(Endpoint, u16)>,
    events: broadcast::Sender<Entry>,
    second: (i64, u32),
}

impl Books {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            payments: Vec::new(),
            refunds: Vec::new(),
            payment_keys: HashMap::new(),
            payment_references: HashMap::new(),
            refund_keys: HashMap::new(),
            refund_references: HashMap::new(),
            refunds_of_payment: HashMap::new(),
            opening_balance: settings.balance.saturating_mul(1000),
            balances: HashMap::new(),
            spent: HashMap::new(),
            given_back: HashMap::new(),
            debits: HashMap::new(),
            debits_of: HashMap::new(),
            debited: 0,
            refunded: HashMap::new(),
            codes: HashMap::new(),
            entries: VecDeque::new(),
            requests: VecDeque::new(),
            events: broadcast::Sender::new(BEHIND),
            second: (0, 0),
        }
    }

    /// Takes a payment in. Its time is never before the last one's, so that the list stays in order.
    pub(super) fn add_payment(&mut self, mut payment: Payment, correlator: Option<&str>, reference: &str) -> usize {
        let number = self.payments.len();
        payment.number = number;
        payment.created = payment.created.max(self.payments.last().map_or(0, |last| last.created));
        if let Some(correlator) = correlator {
            self.payment_keys.insert((payment.application, correlator.to_owned()), number);
        }
        self.payment_references.insert((payment.application, reference.to_owned()), number);
        self.payments.push(payment);
        number
    }

    pub(super) fn payment_under(&self, application: usize, correlator: &str) -> Option<&Payment> {
        self.payment_keys.get(&(application, correlator.to_owned())).and_then(|number| self.payments.get(*number))
    }

    pub(super) fn has_reference(&self, application: usize, reference: &str) -> bool {
        self.payment_references.contains_key(&(application, reference.to_owned()))
    }

    /// By paymentId.
    pub(super) fn payment(&self, id: &str) -> Option<&Payment> {
        self.payments.get(number(id, 'P')?)
    }

    pub(super) fn payment_mut(&mut self, id: &str) -> Option<&mut Payment> {
        self.payments.get_mut(number(id, 'P')?)
    }

    pub(super) fn can_pay(&self, msisdn: &str, amount: Milli) -> bool {
        self.milli(msisdn) >= amount
    }

    pub(super) fn spent(&self, msisdn: &str) -> Milli {
        self.spent.get(msisdn).copied().unwrap_or_default()
    }

    pub(super) fn given_back(&self, msisdn: &str) -> Milli {
        self.given_back.get(msisdn).copied().unwrap_or_default()
    }

    /// Takes the money, if it is there; the one place where a subscriber gets poorer.
    pub(super) fn debit(&mut self, number: usize, denied: bool, settle: i64) {
        let now = now();
        let Some(payment) = self.payments.get(number) else { return };
        let (msisdn, key, amount) = (payment.msisdn.clone(), payment.key.clone(), payment.amount);
        let pays = !denied && self.can_pay(&msisdn, amount);
        if pays {
            *self.balances.entry(msisdn.clone()).or_insert(self.opening_balance) -= amount;
            *self.spent.entry(msisdn.clone()).or_default() += amount;
            *self.debits.entry(key).or_default() += 1;
            *self.debits_of.entry(msisdn).or_default() += 1;
            self.debited += 1;
        }
        let payment = &mut self.payments[number];
        payment.outcome = if pays { PaymentStatus::Succeeded } else { PaymentStatus::Denied };
        (payment.decided, payment.shown_from) = (now, now + settle);
        self.enter_payment(number, if pays { EntryKind::Debited } else { EntryKind::Denied }, None);
    }

    pub(super) fn enter_payment(&mut self, number: usize, kind: EntryKind, code: Option<String>) {
        let Some(payment) = self.payments.get(number) else { return };
        if let Some(code) = &code {
            self.codes.insert(payment.msisdn.clone(), code.clone());
        }
        let (key, msisdn) = (payment.key.clone(), payment.msisdn.clone());
        let entry = Entry { at: now(), kind, key, msisdn, amount: payment.amount / 1000, id: payment.id(), code };
        self.enter(entry);
    }

    /// Takes a refund in and gives the money, unless it ends denied.
    pub(super) fn add_refund(&mut self, mut refund: Refund, correlator: Option<&str>, reference: &str) -> usize {
        let number = self.refunds.len();
        refund.number = number;
        if let Some(correlator) = correlator {
            self.refund_keys.insert(correlator.to_owned(), number);
        }
        self.refund_references.insert(reference.to_owned(), number);
        self.refunds_of_payment.entry(refund.payment).or_default().push(number);
        if refund.outcome == RefundStatus::Succeeded {
            self.give_back(&refund);
        }
        self.refunds.push(refund);
        number
    }

    fn give_back(&mut self, refund: &Refund) {
        let Some(payment) = self.payments.get(refund.payment) else { return };
        let msisdn = payment.msisdn.clone();
        *self.balances.entry(msisdn.clone()).or_insert(self.opening_balance) += refund.amount;
        *self.given_back.entry(msisdn.clone()).or_default() += refund.amount;
        *self.refunded.entry(refund.key.clone()).or_default() += 1;
        let (kind, key, id) = (EntryKind::Refunded, refund.key.clone(), refund.id());
        self.enter(Entry { at: now(), kind, key, msisdn, amount: refund.amount / 1000, id, code: None });
    }

    /// Without anybody's asking: nothing of it stands among the refunds that were asked for.
    pub(super) fn gives_back_by_itself(&mut self, msisdn: &str) {
        let taken = |payment: &&Payment| payment.msisdn == msisdn && payment.outcome == PaymentStatus::Succeeded;
        let Some(payment) = self.payments.iter().rev().find(taken) else { return };
        let (number, amount) = (payment.number, payment.amount);
        *self.balances.entry(msisdn.to_owned()).or_insert(self.opening_balance) += amount;
        *self.given_back.entry(msisdn.to_owned()).or_default() += amount;
        self.enter_payment(number, EntryKind::Refunded, None);
    }

    pub(super) fn refund_under(&self, correlator: &str) -> Option<&Refund> {
        self.refund_keys.get(correlator).and_then(|number| self.refunds.get(*number))
    }

    pub(super) fn has_refund_reference(&self, reference: &str) -> bool {
        self.refund_references.contains_key(reference)
    }

    /// By refundId.
    pub(super) fn refund(&self, id: &str) -> Option<&Refund> {
        self.refunds.get(number(id, 'R')?)
    }

    pub(super) fn refunds_of(&self, payment: usize) -> impl Iterator<Item = &Refund> {
        let numbers = self.refunds_of_payment.get(&payment).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().filter_map(|number| self.refunds.get(*number))
    }

    /// What was neither given back nor is being given back.
    pub(super) fn remaining(&self, payment: &Payment) -> Milli {
        let refunds = self.refunds_of(payment.number).filter(|refund| refund.outcome != RefundStatus::Denied);
        payment.amount - refunds.map(|refund| refund.amount).sum::<Milli>()
    }

    fn enter(&mut self, entry: Entry) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry.clone());
        // Nobody listening is no failure.
        let _ = self.events.send(entry);
    }

    pub(super) fn note(&mut self, endpoint: Endpoint, status: u16) {
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back((endpoint, status));
    }

    /// Counts this second's requests.
    pub(super) fn within_rate(&mut self, rate: u32) -> bool {
        let second = now() / 1_000_000;
        self.second = if self.second.0 == second { (second, self.second.1.saturating_add(1)) } else { (second, 1) };
        self.second.1 <= rate
    }

    fn milli(&self, msisdn: &str) -> Milli {
        self.balances.get(msisdn).copied().unwrap_or(self.opening_balance)
    }

    pub(super) fn balance(&self, msisdn: &str) -> i64 {
        self.milli(msisdn) / 1000
    }

    pub(super) fn set_balance(&mut self, msisdn: &str, balance: i64) {
        self.balances.insert(msisdn.to_owned(), balance.saturating_mul(1000));
    }

    pub(super) fn debits(&self, key: &str) -> u32 {
        self.debits.get(key).copied().unwrap_or_default()
    }

    pub(super) fn debits_of(&self, msisdn: &str) -> u32 {
        self.debits_of.get(msisdn).copied().unwrap_or_default()
    }

    pub(super) const fn debits_in_all(&self) -> u64 {
        self.debited
    }

    pub(super) fn refunds_under(&self, key: &str) -> u32 {
        self.refunded.get(key).copied().unwrap_or_default()
    }

    pub(super) fn code_of(&self, msisdn: &str) -> Option<String> {
        self.codes.get(msisdn).cloned()
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    pub(super) fn requests(&self) -> Vec<(Endpoint, u16)> {
        self.requests.iter().copied().collect()
    }

    pub(super) fn events(&self) -> broadcast::Receiver<Entry> {
        self.events.subscribe()
    }
}

impl Payment {
    pub(super) fn id(&self) -> String {
        format!("P{:012}", self.number)
    }

    pub(super) fn status(&self, now: i64) -> PaymentStatus {
        let open = matches!(self.outcome, PaymentStatus::Reserved | PaymentStatus::PendingValidation);
        if now < self.shown_from {
            PaymentStatus::Processing
        } else if open && now >= self.lapses {
            PaymentStatus::Cancelled
        } else {
            self.outcome
        }
    }

    /// Nothing more will become of it.
    pub(super) fn is_completed(&self, now: i64) -> bool {
        match self.status(now) {
            PaymentStatus::Denied | PaymentStatus::Succeeded | PaymentStatus::Cancelled => true,
            PaymentStatus::Processing | PaymentStatus::PendingValidation | PaymentStatus::Reserved => false,
        }
    }
}

impl Refund {
    pub(super) fn id(&self) -> String {
        format!("R{:012}", self.number)
    }

    pub(super) fn status(&self, now: i64) -> RefundStatus {
        if now < self.shown_from { RefundStatus::Processing } else { self.outcome }
    }
}

impl PaymentStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::PendingValidation => "pending_validation",
            Self::Reserved => "reserved",
            Self::Denied => "denied",
            Self::Succeeded => "succeeded",
            Self::Cancelled => "cancelled",
        }
    }
}

impl RefundStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Denied => "denied",
            Self::Succeeded => "succeeded",
        }
    }
}

fn number(id: &str, letter: char) -> Option<usize> {
    id.strip_prefix(letter)?.parse().ok()
}

pub(super) fn now() -> i64 {
    Timestamp::now().as_microsecond()
}
