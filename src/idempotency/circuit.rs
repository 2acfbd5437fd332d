//! When to stop asking a store that does not answer. Pure: time comes in, and nothing waits here.

use std::time::Duration;
use tokio::time::Instant;

/// Closed while the store answers. After a failure it lets nothing through until the pause is over, then one caller as a
/// probe; the others wait for what the probe learns.
#[derive(Debug)]
pub(super) struct Circuit {
    pause: Duration,
    open_until: Option<Instant>,
}

impl Circuit {
    pub(super) const fn new(pause: Duration) -> Self {
        Self { pause, open_until: None }
    }

    /// Whether this caller may ask now.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.open_until = Some(now + self.pause);
                true
            }
        }
    }

    /// Says whether it was closed until now: the first failure of many is the one worth telling.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        self.open_until.replace(now + self.pause).is_none()
    }

    /// Says whether it was open until now.
    pub(super) fn answered(&mut self) -> bool {
        self.open_until.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    #[test]
    fn after_a_failure_nobody_asks_until_the_pause_is_over_and_then_one() {
        let (mut circuit, start) = (Circuit::new(PAUSE), Instant::now());
        assert!(circuit.admits(start));
        assert!(circuit.failed(start));
        assert!(!circuit.admits(start + PAUSE / 2));
        assert!(circuit.admits(start + PAUSE));
        assert!(!circuit.admits(start + PAUSE), "a second probe");
    }

    #[test]
    fn an_answer_lets_everybody_ask_again() {
        let (mut circuit, start) = (Circuit::new(PAUSE), Instant::now());
        circuit.failed(start);
        assert!(circuit.answered());
        assert!(circuit.admits(start) && circuit.admits(start));
        assert!(!circuit.answered(), "told once");
    }
}
