//! How long to wait before trying a neighbour again. Gives up never; random bits are an argument, so the plan can be
//! tested.

use std::time::Duration;

/// Counts failures since the neighbour was last reached.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The neighbour was reached: the next failure is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure: `min`, and twice as long each time, to `max`. `random` may be any number.
    pub fn wait(&mut self, min: Duration, max: Duration, random: u32) -> Duration {
        let doubled = min.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        jittered(doubled.min(max), random)
    }
}

/// Between half of `wait` and all of it, so that many links cut off at once do not come back at once.
#[must_use]
pub fn jittered(wait: Duration, random: u32) -> Duration {
    let half = wait / 2;
    half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_to_the_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let mut waits = |count: usize| -> Vec<u64> {
            (0..count).map(|_| backoff.wait(SECOND, 60 * SECOND, u32::MAX).as_secs()).collect()
        };
        assert_eq!(waits(8), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits(100).last(), Some(&60), "and never an end");
        backoff.reset();
        assert_eq!(backoff.wait(SECOND, 60 * SECOND, u32::MAX), SECOND);
    }

    #[test]
    fn jitter_takes_at_most_half_of_a_wait() {
        for random in [0, 1, 1 << 31, u32::MAX] {
            let wait = Backoff::default().wait(SECOND, SECOND, random);
            assert!(wait >= SECOND / 2 && wait <= SECOND, "{wait:?}");
        }
    }
}
