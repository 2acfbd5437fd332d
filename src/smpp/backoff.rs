//! How long to wait before connecting again. Gives up never; random bits are an argument, so the plan can be tested.

use std::time::Duration;

use paygate_parsers::smpp::status;

use super::LinkSettings;

/// Counts failures since the link was last bound.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The link was bound: the next failure is the first again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure; `refused` is the `command_status` of a bind that was answered no. Half of it is
    /// random, so that many links cut off at once do not come back at once. `random` may be any number.
    pub(super) fn wait(&mut self, settings: &LinkSettings, refused: Option<u32>, random: u32) -> Duration {
        if refused == Some(status::ESME_RALYBND) {
            return jittered(settings.already_bound_pause, random);
        }
        let max = if refused.is_some() { settings.refused_max } else { settings.reconnect_max };
        let doubled = settings.reconnect_min.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        jittered(doubled.min(max), random)
    }
}

/// Between half of `wait` and all of it.
fn jittered(wait: Duration, random: u32) -> Duration {
    let half = wait / 2;
    half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> LinkSettings {
        LinkSettings::new("test", "127.0.0.1:0", "paygate", "secret".into())
    }

    #[test]
    fn waits_double_to_a_minute_and_begin_anew_after_a_bind() {
        let (settings, mut backoff) = (settings(), Backoff::default());
        let mut waits = |count: usize| -> Vec<u64> {
            (0..count).map(|_| backoff.wait(&settings, None, u32::MAX).as_secs()).collect()
        };
        assert_eq!(waits(8), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(waits(100).last(), Some(&60), "and never an end");
        backoff.reset();
        assert_eq!(backoff.wait(&settings, None, u32::MAX).as_secs(), 1);
    }

    #[test]
    fn a_refused_bind_waits_up_to_five_minutes() {
        let (settings, mut backoff) = (settings(), Backoff::default());
        let waits: Vec<u64> =
            (0..12).map(|_| backoff.wait(&settings, Some(status::ESME_RINVPASWD), u32::MAX).as_secs()).collect();
        assert_eq!(waits[..7], [1, 2, 4, 8, 16, 32, 64]);
        assert_eq!(waits.last(), Some(&300));
    }

    #[test]
    fn an_already_bound_link_waits_for_the_smsc_to_notice() {
        let (settings, mut backoff) = (settings(), Backoff::default());
        for _ in 0..5 {
            assert_eq!(backoff.wait(&settings, Some(status::ESME_RALYBND), u32::MAX).as_secs(), 30);
        }
    }

    #[test]
    fn jitter_takes_at_most_half_of_a_wait() {
        for random in [0, 1, 1 << 31, u32::MAX] {
            let wait = Backoff::default().wait(&settings(), None, random);
            assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_secs(1), "{wait:?}");
        }
    }
}
