//! Purchases kept in memory between two of their steps. Bounded; never believed: the journal refuses a stale version.

use crate::purchase::{Purchase, State};
use std::collections::{HashMap, VecDeque};

/// Purchases between two of their steps, so that an answer need not be preceded by a read. A stale entry does no harm:
/// its version is refused by the journal and it is read anew.
pub(in crate::engine) struct Cache {
    purchases: HashMap<String, Purchase>,
    order: VecDeque<String>,
    capacity: usize,
}

impl Cache {
    pub(in crate::engine) fn new(capacity: usize) -> Self {
        Self { purchases: HashMap::new(), order: VecDeque::new(), capacity }
    }

    pub(super) fn get(&self, id: &str) -> Option<Purchase> {
        self.purchases.get(id).cloned()
    }

    /// Kept while a peer is to answer; one that waits for its subscriber is read again when the subscriber writes.
    pub(super) fn keep(&mut self, purchase: &Purchase) {
        if purchase.state.is_end() || purchase.state == State::Offered {
            self.forget(&purchase.id);
            return;
        }
        if self.purchases.insert(purchase.id.clone(), purchase.clone()).is_none() {
            self.order.push_back(purchase.id.clone());
        }
        while self.order.len() > self.capacity.max(1) {
            let Some(oldest) = self.order.pop_front() else { break };
            self.purchases.remove(&oldest);
        }
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.purchases.remove(id);
    }
}
