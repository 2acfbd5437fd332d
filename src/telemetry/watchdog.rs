//! Proof of progress. A timer alone proves only that timers work, so systemd is fed only when the engine has got on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Grows on each round of the engine's loop, an idle one included.
pub type Heartbeat = Arc<AtomicU64>;

/// Calls `alive` once for each `every` in which the heart has beaten. Runs until it is dropped.
pub async fn feed(heartbeat: Heartbeat, every: Duration, alive: impl Fn()) {
    let mut seen = heartbeat.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(every).await;
        let beats = heartbeat.load(Ordering::Relaxed);
        if beats != seen {
            alive();
        }
        seen = beats;
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
        let feeding = tokio::spawn(feed(Arc::clone(&heartbeat), every, move || {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        tokio::time::sleep(Duration::from_secs(1)).await;
        for (beats, expected) in [(1, 1), (0, 1), (0, 1), (500, 2), (1, 3)] {
            heartbeat.fetch_add(beats, Ordering::Relaxed);
            tokio::time::sleep(every).await;
            assert_eq!(fed.load(Ordering::Relaxed), expected);
        }
        feeding.abort();
    }
}
