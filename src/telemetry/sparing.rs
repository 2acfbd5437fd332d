//! A line that strangers can provoke is said a few times a minute, and then with how many more there were: whoever floods a
//! door fills no journal and hides nothing else in it. Counts nothing for `/metrics`, where each has its count.

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lines a minute; so many may also come at once.
const LINES: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// The leave to say one kind of line.
#[derive(Debug)]
pub struct Sparing {
    quota: DefaultDirectRateLimiter,
    left_out: AtomicU64,
}

impl Default for Sparing {
    fn default() -> Self {
        Self { quota: RateLimiter::direct(Quota::per_minute(LINES)), left_out: AtomicU64::new(0) }
    }
}

impl Sparing {
    /// `Some` if it may be said now, with how many were left out since it was said last.
    pub fn may_say(&self) -> Option<u64> {
        if self.quota.check().is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.left_out.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_ten_lines_and_a_count() {
        let sparing = Sparing::default();
        let said = (0..1_000).filter_map(|_| sparing.may_say()).count();
        assert!((10..=12).contains(&said), "{said}");
        assert_eq!(sparing.left_out.load(Ordering::Relaxed), 1_000 - said as u64);
    }
}
