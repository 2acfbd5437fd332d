//! The simulated 123PAY's own books: orders, and each movement of money as an entry. The counts are exact for ever, so that a
//! test can hold paygate's journal against them; the entries kept are bounded.

use super::Endpoint;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;
use tokio::sync::broadcast;

/// Entries and requests kept for showing.
const KEPT: usize = 10_000;
/// Entries a slow listener may fall behind.
const BEHIND: usize = 1_024;

#[derive(Clone)]
pub(super) struct Order {
    /// The partner's mTransactionID.
    pub key: String,
    /// 123PAY's own.
    pub id: String,
    /// Where it is paid.
    pub url: String,
    pub amount: i64,
    pub bank: String,
    pub phone: String,
    pub description: String,
    /// Where the customer goes afterwards.
    pub return_url: String,
    /// transactionStatus, as it is shown.
    pub status: String,
    /// opAmount.
    pub paid: i64,
    pub wrong_otps: u32,
    pub made_at: Instant,
}

/// One line of the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Unix microseconds.
    pub at: i64,
    pub kind: EntryKind,
    /// mTransactionID: what a second debit would stand under too.
    pub key: String,
    /// As custPhone was given.
    pub phone: String,
    /// In dong.
    pub amount: i64,
    /// 123PAY's id.
    pub id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Ordered,
    Debited,
    /// Cancelled by the customer, or refused by the bank.
    Failed,
}

pub(super) struct Books {
    orders: Vec<Order>,
    keys: HashMap<String, usize>,
    ids: HashMap<String, usize>,
    debits: HashMap<String, u32>,
    debited: u64,
    entries: VecDeque<Entry>,
    requests: VecDeque<(Endpoint, String)>,
    events: broadcast::Sender<Entry>,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            orders: Vec::new(),
            keys: HashMap::new(),
            ids: HashMap::new(),
            debits: HashMap::new(),
            debited: 0,
            entries: VecDeque::new(),
            requests: VecDeque::new(),
            events: broadcast::Sender::new(BEHIND),
        }
    }
}

impl Books {
    pub(super) fn add(&mut self, order: Order) {
        self.keys.insert(order.key.clone(), self.orders.len());
        self.ids.insert(order.id.clone(), self.orders.len());
        self.enter(EntryKind::Ordered, &order);
        self.orders.push(order);
    }

    pub(super) fn by_key(&self, key: &str) -> Option<&Order> {
        self.keys.get(key).and_then(|at| self.orders.get(*at))
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Order> {
        self.ids.get(id).and_then(|at| self.orders.get(*at))
    }

    /// Gives an open order its outcome; the one place where money moves.
    pub(super) fn decide(&mut self, key: &str, status: &str) -> bool {
        let open = self.by_key(key).is_some_and(|order| order.is_open());
        open && self.set_status(key, status)
    }

    /// The order shows this status. Where that is 1 and nothing was paid yet, it is paid.
    pub(super) fn set_status(&mut self, key: &str, status: &str) -> bool {
        let Some(order) = self.keys.get(key).and_then(|at| self.orders.get_mut(*at)) else { return false };
        status.clone_into(&mut order.status);
        let pays = status == "1" && order.paid == 0;
        if pays {
            order.paid = order.amount;
        }
        let order = order.clone();
        if pays {
            *self.debits.entry(order.key.clone()).or_default() += 1;
            self.debited += 1;
            self.enter(EntryKind::Debited, &order);
        } else if !order.is_open() {
            self.enter(EntryKind::Failed, &order);
        }
        true
    }

    /// One more wrong OTP; how many there were.
    pub(super) fn wrong_otp(&mut self, key: &str) -> u32 {
        let order = self.keys.get(key).and_then(|at| self.orders.get_mut(*at));
        order.map_or(0, |order| {
            order.wrong_otps += 1;
            order.wrong_otps
        })
    }

    fn enter(&mut self, kind: EntryKind, order: &Order) {
        let (key, phone, id) = (order.key.clone(), order.phone.clone(), order.id.clone());
        let entry = Entry { at: Timestamp::now().as_microsecond(), kind, key, phone, amount: order.amount, id };
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry.clone());
        // Nobody listening is no failure.
        let _ = self.events.send(entry);
    }

    pub(super) fn note(&mut self, endpoint: Endpoint, code: String) {
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back((endpoint, code));
    }

    pub(super) fn len(&self) -> usize {
        self.orders.len()
    }

    pub(super) fn debits(&self, key: &str) -> u32 {
        self.debits.get(key).copied().unwrap_or_default()
    }

    pub(super) fn debits_by_phone(&self) -> HashMap<String, u32> {
        let mut debits = HashMap::new();
        for order in &self.orders {
            *debits.entry(order.phone.clone()).or_default() += self.debits(&order.key);
        }
        debits
    }

    pub(super) const fn debits_in_all(&self) -> u64 {
        self.debited
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    pub(super) fn requests(&self) -> Vec<(Endpoint, String)> {
        self.requests.iter().cloned().collect()
    }

    pub(super) fn events(&self) -> broadcast::Receiver<Entry> {
        self.events.subscribe()
    }
}

impl Order {
    /// New, at the card's form, or at the OTP's: it can still be paid.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "0" | "10" | "11")
    }
}
