//! The model journal: commits units all or nothing, one after the other, under the constraints of the schema. What it holds
//! survives every crash; it never decides anything, and tells nobody that a commit stands before it does.

use super::broken::{Broken, WorldRule};
use paygate::journal::rows::{Committed, EventRow, OwedReply, ReplyRow, ReplyStatus, Seen, Unit};
use paygate::purchase::record::{Attempt, AttemptStatus, Micros, Purchase, State};
use paygate_parsers::msisdn::Msisdn;
use std::collections::BTreeMap;

/// A purchase in a person's hands is asked about for ever; a life ends when it was asked about this often.
const ASKED_IN_REVIEW: u32 = 3;

/// A text and what became of it.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) row: ReplyRow,
    pub(crate) status: ReplyStatus,
    pub(crate) sends: i64,
    due_at: Option<Micros>,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    /// Newest generation of each ingest key.
    pub(crate) messages: BTreeMap<(String, i64), Seen>,
    pub(crate) purchases: BTreeMap<String, Purchase>,
    pub(crate) events: BTreeMap<String, Vec<EventRow>>,
    pub(crate) replies: BTreeMap<String, Owed>,
    /// Charges by key, with the purchase's id.
    charges: BTreeMap<(String, String), AttemptStatus>,
    in_review: BTreeMap<String, u32>,
    pub(crate) stale: u64,
    pub(crate) duplicates: u64,
    pub(crate) refused: u64,
    broken: Broken,
}

impl Store {
    pub(crate) fn new(broken: Broken) -> Self {
        Self { broken, ..Self::default() }
    }

    pub(crate) fn commit(&mut self, units: &[Unit]) -> Vec<Committed> {
        let mut taken = Vec::new();
        units
            .iter()
            .map(|unit| {
                let id = unit.purchase.as_ref().map(|row| row.purchase.id.clone());
                let twice = id.as_ref().is_some_and(|id| taken.contains(id));
                taken.extend(id);
                if twice { Committed::Refused } else { self.commit_one(unit) }
            })
            .collect()
    }

    fn commit_one(&mut self, unit: &Unit) -> Committed {
        if self.is_duplicate(unit) {
            self.duplicates += 1;
            return Committed::Duplicate;
        }
        if self.is_stale(unit) {
            self.stale += 1;
            return Committed::Stale;
        }
        if self.is_forbidden(unit) {
            self.refused += 1;
            return Committed::Refused;
        }
        self.write(unit);
        Committed::Durable
    }

    fn is_duplicate(&self, unit: &Unit) -> bool {
        let key = unit.message.as_ref().map(|row| (row.key.clone(), row.generation));
        !self.broken.is(WorldRule::KeysDecideNothing) && key.is_some_and(|key| self.messages.contains_key(&key))
    }

    fn is_stale(&self, unit: &Unit) -> bool {
        let Some(row) = &unit.purchase else { return false };
        let stands = self.purchases.get(&row.purchase.id).map_or(0, |purchase| purchase.version);
        !self.broken.is(WorldRule::Fence) && stands != row.seen
    }

    /// One live charge for a purchase, a due time while it is open, a reason for each review: as the schema has them.
    fn is_forbidden(&self, unit: &Unit) -> bool {
        let live = |status: AttemptStatus| status != AttemptStatus::Failed;
        let second_charge = unit.charge.as_ref().is_some_and(|row| {
            let failed = |key: &str| unit.former_charges.iter().any(|former| former.attempt.key == key);
            let other =
                |(id, key): &(String, String)| *id == row.purchase_id && *key != row.attempt.key && !failed(key);
            live(row.attempt.status) && self.charges.iter().any(|(key, status)| other(key) && live(*status))
        });
        let forgotten = unit.purchase.as_ref().is_some_and(|row| {
            let purchase = &row.purchase;
            !purchase.state.is_end() && purchase.due_at.is_none()
                || (purchase.state == State::Review) != purchase.review.is_some()
        });
        second_charge || forgotten
    }

    fn write(&mut self, unit: &Unit) {
        if let Some(row) = &unit.message {
            let seen = Seen {
                key: row.key.clone(),
                generation: row.generation,
                at: row.at,
                purchase_id: row.purchase_id.clone(),
            };
            self.messages.insert((row.key.clone(), row.generation), seen);
        }
        if let Some(row) = &unit.purchase {
            self.purchases.insert(row.purchase.id.clone(), row.purchase.clone());
        }
        for row in unit.former_charges.iter().chain(&unit.charge) {
            self.charges.insert((row.purchase_id.clone(), row.attempt.key.clone()), row.attempt.status);
        }
        for event in &unit.events {
            let review = event.kind == "timer" && event.state_from == "review" && event.state_to == "review";
            *self.in_review.entry(event.purchase_id.clone()).or_default() += u32::from(review);
            self.events.entry(event.purchase_id.clone()).or_default().push(event.clone());
        }
        for row in &unit.replies {
            let owed = Owed { row: row.clone(), status: ReplyStatus::Queued, sends: 0, due_at: Some(row.due_at) };
            self.replies.entry(row.key.clone()).or_insert(owed);
        }
        if let Some(update) = &unit.reply_update
            && let Some(owed) = self.replies.get_mut(&update.key)
        {
            (owed.status, owed.due_at) = (update.status, update.due_at);
        }
    }

    pub(crate) fn seen(&self, key: &str) -> Option<Seen> {
        let every = (key.to_owned(), i64::MIN)..=(key.to_owned(), i64::MAX);
        self.messages.range(every).next_back().map(|(_, seen)| seen.clone())
    }

    /// Newest first.
    pub(crate) fn purchases_of(&self, msisdn: &Msisdn) -> Vec<Purchase> {
        let mut own: Vec<Purchase> =
            self.purchases.values().filter(|purchase| purchase.order.msisdn == Some(*msisdn)).cloned().collect();
        own.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
        own
    }

    fn is_at_rest(&self, purchase: &Purchase) -> bool {
        let asked = self.in_review.get(&purchase.id).copied().unwrap_or(0);
        purchase.state == State::Review && asked >= ASKED_IN_REVIEW
    }

    pub(crate) fn next_due(&self) -> Option<Micros> {
        let purchases = self.purchases.values().filter(|purchase| !self.is_at_rest(purchase));
        let replies = self.replies.values().filter_map(|owed| owed.due_at);
        purchases.filter_map(|purchase| purchase.due_at).chain(replies).min()
    }

    pub(crate) fn claim_due(&mut self, now: Micros, lease: Micros) -> Vec<Purchase> {
        let due = |purchase: &Purchase| purchase.due_at.is_some_and(|due| due <= now);
        let ids: Vec<String> = self
            .purchases
            .values()
            .filter(|purchase| due(purchase) && !self.is_at_rest(purchase))
            .map(|purchase| purchase.id.clone())
            .collect();
        ids.iter()
            .filter_map(|id| {
                let purchase = self.purchases.get_mut(id)?;
                purchase.version += 1;
                purchase.due_at = Some(now + lease);
                Some(purchase.clone())
            })
            .collect()
    }

    pub(crate) fn claim_replies(&mut self, now: Micros, lease: Micros) -> Vec<OwedReply> {
        let due = self.replies.values_mut().filter(|owed| owed.due_at.is_some_and(|due| due <= now));
        due.map(|owed| {
            owed.sends += 1;
            owed.due_at = Some(now + lease);
            OwedReply { row: owed.row.clone(), sends: owed.sends - 1 }
        })
        .collect()
    }
}

/// Whether this attempt may have bytes under way or ahead of it.
pub(crate) fn is_intended(attempt: Option<&Attempt>) -> bool {
    attempt.is_some_and(|attempt| attempt.status == AttemptStatus::Intended)
}
