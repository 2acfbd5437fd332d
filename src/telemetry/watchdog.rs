//! Proof of progress. A timer alone proves only that timers work, so systemd is fed only when the engine has got on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bumped by the engine on each round of its loop, an idle one included.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Calls `alive` once for each `every` in which the heart has beaten. Runs until it is dropped.
pub async fn feed(heartbeat: Heartbeat, every: Duration, alive: impl Fn()) {
    let mut seen = heartbeat.count();
    loop {
        tokio::time::sleep(every).await;
        let count = heartbeat.count();
        if count != seen {
            alive();
        }
        seen = count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn systemd_is_fed_only_while_the_engine_gets_on() {
        let (heartbeat, fed) = (Heartbeat::default(), Arc::new(AtomicU64::new(0)));
        let count = Arc::clone(&fed);
        let every = Duration::from_secs(15);
        let feeding = tokio::spawn(feed(heartbeat.clone(), every, move || {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        tokio::time::sleep(Duration::from_secs(1)).await;
        for (beats, expected) in [(1, 1), (0, 1), (0, 1), (500, 2), (1, 3)] {
            (0..beats).for_each(|_| heartbeat.beat());
            tokio::time::sleep(every).await;
            assert_eq!(fed.load(Ordering::Relaxed), expected);
        }
        feeding.abort();
    }
}
