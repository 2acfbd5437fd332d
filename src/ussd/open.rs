//! How many dialogues this instance has open, for `/metrics`. A dialogue that ends without a word is open until it would be
//! forgotten; of one that goes on at another instance both know.

use crate::telemetry::metrics::USSD_OPEN;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Open(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    ends: HashMap<Arc<str>, Instant>,
    by_end: BTreeSet<(Instant, Arc<str>)>,
}

impl Open {
    /// The dialogue waits for an answer, for so long.
    pub(super) fn waits(&self, key: &str, life: Duration) {
        self.change(key, Some(life));
    }

    pub(super) fn is_over(&self, key: &str) {
        self.change(key, None);
    }

    fn change(&self, key: &str, life: Option<Duration>) {
        let now = Instant::now();
        // A thread that panicked here left whole entries.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((key, ends)) = known.ends.remove_entry(key) {
            known.by_end.remove(&(ends, key));
        }
        if let Some(life) = life {
            let key = Arc::<str>::from(key);
            known.by_end.insert((now + life, Arc::clone(&key)));
            known.ends.insert(key, now + life);
        }
        while known.by_end.first().is_some_and(|(ends, _)| *ends <= now) {
            if let Some((_, key)) = known.by_end.pop_first() {
                known.ends.remove(&key);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "no machine has 2^52 dialogues")]
        metrics::gauge!(USSD_OPEN).set(known.ends.len() as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(open: &Open) -> usize {
        open.0.lock().map_or(0, |known| known.ends.len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_dialogue_is_open_until_it_ends_or_is_forgotten() {
        let open = Open::default();
        for key in ["a", "b", "a"] {
            open.waits(key, Duration::from_mins(3));
        }
        assert_eq!(count(&open), 2);
        open.is_over("a");
        assert_eq!(count(&open), 1);
        tokio::time::advance(Duration::from_mins(4)).await;
        open.waits("c", Duration::from_mins(3));
        assert_eq!(count(&open), 1, "b was forgotten");
    }
}
