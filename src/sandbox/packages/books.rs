//! The simulated package manager's own books: what stands under each purchase's id, and how often it was added. The
//! counts are exact for ever; the entries kept are bounded.

use super::Endpoint;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};
use tokio::sync::broadcast;

/// Entries and requests kept for showing.
const KEPT: usize = 10_000;
/// Entries a slow listener may fall behind.
const BEHIND: usize = 1_024;

/// What stands, or stood, under a purchase's id.
pub(super) struct Grant {
    number: u64,
    purchase: String,
    pub request: Map<String, Value>,
    pub revoked: bool,
    /// How often the package was added: more than once is what must never be.
    added: u32,
    expires: Timestamp,
}

/// One line of the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Unix microseconds.
    pub at: i64,
    pub kind: EntryKind,
    pub purchase_id: String,
    pub grant_id: String,
    pub account: String,
    pub service: String,
    pub package: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Granted,
    Revoked,
}

pub(super) struct Books {
    grants: HashMap<String, Grant>,
    /// Keys of requests that are being held, with how many.
    held: HashMap<String, u32>,
    added: u64,
    /// By account, whoever asked.
    added_to: HashMap<String, u32>,
    entries: VecDeque<Entry>,
    requests: VecDeque<(Endpoint, u16)>,
    events: broadcast::Sender<Entry>,
}

impl Books {
    pub(super) fn new() -> Self {
        Self {
            grants: HashMap::new(),
            held: HashMap::new(),
            added: 0,
            added_to: HashMap::new(),
            entries: VecDeque::new(),
            requests: VecDeque::new(),
            events: broadcast::Sender::new(BEHIND),
        }
    }

    pub(super) fn grant(&self, purchase: &str) -> Option<&Grant> {
        self.grants.get(purchase)
    }

    pub(super) fn is_full(&self, capacity: usize) -> bool {
        self.grants.len() >= capacity
    }

    /// Adds the package once more. Whether it may is the caller's question.
    pub(super) fn add(&mut self, purchase: &str, request: Map<String, Value>, days: i64) -> &Grant {
        self.added += 1;
        let days = SignedDuration::from_hours(days.saturating_mul(24));
        let grant = Grant {
            number: self.added,
            purchase: purchase.to_owned(),
            request,
            revoked: false,
            added: self.grants_of(purchase) + 1,
            expires: Timestamp::now().checked_add(days).unwrap_or(Timestamp::MAX),
        };
        let entry = grant.entry(EntryKind::Granted);
        *self.added_to.entry(entry.account.clone()).or_default() += 1;
        self.enter(entry);
        self.grants.entry(purchase.to_owned()).insert_entry(grant).into_mut()
    }

    /// Once or twice is the same.
    pub(super) fn revoke(&mut self, purchase: &str) -> Option<&Grant> {
        let grant = self.grants.get_mut(purchase)?;
        let first = !std::mem::replace(&mut grant.revoked, true);
        let entry = grant.entry(EntryKind::Revoked);
        if first {
            self.enter(entry);
        }
        self.grants.get(purchase)
    }

    /// A request under this key is on its way, or no longer.
    pub(super) fn hold(&mut self, key: &str, held: bool) {
        let count = self.held.entry(key.to_owned()).or_default();
        *count = if held { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            self.held.remove(key);
        }
    }

    pub(super) fn is_held(&self, key: &str) -> bool {
        self.held.contains_key(key)
    }

    pub(super) fn grants_of(&self, purchase: &str) -> u32 {
        self.grants.get(purchase).map_or(0, |grant| grant.added)
    }

    pub(super) fn grants_to(&self, account: &str) -> u32 {
        self.added_to.get(account).copied().unwrap_or_default()
    }

    pub(super) const fn grants_in_all(&self) -> u64 {
        self.added
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

impl Grant {
    fn id(&self) -> String {
        format!("G{:012}", self.number)
    }

    pub(super) fn json(&self) -> String {
        let state = if self.revoked { "revoked" } else { "granted" };
        let expires = self.expires.to_string();
        json!({"grantId": self.id(), "purchaseId": self.purchase, "state": state, "expiresAt": expires}).to_string()
    }

    fn entry(&self, kind: EntryKind) -> Entry {
        let text = |name: &str| self.request.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Entry {
            at: Timestamp::now().as_microsecond(),
            kind,
            purchase_id: self.purchase.clone(),
            grant_id: self.id(),
            account: text("account"),
            service: text("service"),
            package: text("package"),
        }
    }
}
