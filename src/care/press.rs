//! A form that is sent twice in a moment does what it does once. A convenience beside the journal's own guards, which hold
//! without it.

use crate::idempotency::{Ask, Claim, Keys};
use std::time::Duration;

/// As long as a second press is taken for the first.
const DOUBLE_CLICK: Duration = Duration::from_secs(10);

/// A form that was sent just now.
pub(super) struct Press<'k> {
    keys: &'k Keys,
    key: String,
    owner: String,
}

impl<'k> Press<'k> {
    /// Nothing where the same was sent a moment ago.
    pub(super) async fn first(keys: &'k Keys, key: String) -> Option<Self> {
        let owner = crate::engine::random_hex();
        let ask = Ask { key: &key, fingerprint: "", owner: &owner, life: DOUBLE_CLICK };
        match keys.claim(ask).await {
            Claim::Fresh | Claim::Unavailable => Some(Self { keys, key, owner }),
            Claim::InFlight | Claim::Done(_) | Claim::Mismatch => None,
        }
    }

    /// Nothing came of it, so that it may be sent again at once.
    pub(super) async fn came_to_nothing(self) {
        self.keys.release(&self.key, &self.owner).await;
    }
}
