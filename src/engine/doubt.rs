//! What the journal may have lost in a failover or a restore: whether something is done at once, or asked about first. Pure.
//!
//! Keys are derived from the message, so that what is done a second time stands under the key of the first. A purchase
//! that began before, or from words that were written before and heard again, is asked about at its peer before it is
//! charged, granted or given back; and what a peer does not find is believed only when nothing that was lost can be in
//! flight any more.
//! An offer that began before does not simply expire: its code, and the charge on it, may be what was lost.
//!
//! Not covered: the same words, written once more long after a purchase by them was lost whole, meet that purchase's key.

use crate::journal::Changed;
use crate::purchase::record::Micros;
use crate::purchase::rules::Flight;
use std::time::Duration;
use tokio::time::Instant;

/// How long a loss matters.
#[derive(Clone, Copy, Debug)]
pub struct Doubt {
    /// From meeting the new server until the old one has taken its last commit.
    pub max_lag: Duration,
    /// How long the same words are the same message.
    pub redelivery: Duration,
}

/// What the journal's silence about an earlier send means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// There was none.
    Sure,
    /// There may have been one. Its peer says what became of it.
    Ask,
    /// There may have been one, and it may be in flight: its peer may not have heard of it yet.
    AskLater,
}

impl Doubt {
    /// For a purchase that began at `created_at`, at a peer whose requests land within `flight`.
    #[must_use]
    pub fn about(&self, changed: Option<Changed>, created_at: Micros, flight: &Flight, now: Instant) -> Trust {
        let Some(changed) = changed else { return Trust::Sure };
        let landing = self.max_lag.saturating_add(landing(flight));
        let passed = changed.since.map_or(Duration::MAX, |since| now.saturating_duration_since(since));
        let reach = landing.saturating_add(self.redelivery);
        let last = changed.at.saturating_add(Micros::try_from(reach.as_micros()).unwrap_or(Micros::MAX));
        if passed <= landing {
            Trust::AskLater
        } else if passed <= reach || created_at <= last {
            Trust::Ask
        } else {
            Trust::Sure
        }
    }
}

impl Doubt {
    /// The journal may have lost steps of purchases that began before this moment. `landing` is the longest of all peers.
    #[must_use]
    pub fn lost_before(&self, changed: Changed, landing: Duration) -> Micros {
        changed.at.saturating_add(self.reach(landing))
    }

    /// The earliest time at which something that was lost about this purchase may have been sent.
    #[must_use]
    pub fn lost_since(&self, changed: Changed, created_at: Micros, landing: Duration) -> Micros {
        created_at.min(changed.at.saturating_sub(self.reach(landing)))
    }

    fn reach(&self, landing: Duration) -> Micros {
        let reach = self.max_lag.saturating_add(landing).saturating_add(self.redelivery);
        Micros::try_from(reach.as_micros()).unwrap_or(Micros::MAX)
    }
}

/// From the intent until the request can take effect no more.
fn landing(flight: &Flight) -> Duration {
    Duration::from_micros(u64::try_from(flight.send_within.saturating_add(flight.max_flight)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;
    const AT: Micros = 1_780_000_000 * SECOND;
    const DOUBT: Doubt = Doubt { max_lag: Duration::from_secs(60), redelivery: Duration::from_secs(20) };
    const FLIGHT: Flight =
        Flight { send_within: 10 * SECOND, max_flight: 30 * SECOND, answer_within: 15 * SECOND, plan: Vec::new() };

    /// Asked that many seconds after the change, about a purchase that began that many seconds after it.
    fn about(asked: u64, began: Micros) -> Trust {
        let since = Instant::now();
        let changed = Changed { at: AT, since: Some(since) };
        DOUBT.about(Some(changed), AT + began * SECOND, &FLIGHT, since + Duration::from_secs(asked))
    }

    #[test]
    fn a_journal_that_is_where_it_was_is_believed() {
        assert_eq!(DOUBT.about(None, AT, &FLIGHT, Instant::now()), Trust::Sure);
    }

    #[test]
    fn nothing_is_done_until_what_may_be_lost_has_landed() {
        assert_eq!([about(0, -5), about(100, -5), about(100, 99)], [Trust::AskLater; 3]);
    }

    #[test]
    fn what_began_before_is_asked_about_however_late_it_goes_on_and_what_began_after_is_not() {
        assert_eq!([about(101, -5), about(86_400, -5), about(86_400, 120)], [Trust::Ask; 3]);
        assert_eq!(about(121, 121), Trust::Sure);
    }

    #[test]
    fn a_new_server_whose_clock_is_behind_cuts_no_doubt_short() {
        assert_eq!([about(50, 3_600), about(110, 3_600)], [Trust::AskLater, Trust::Ask]);
    }

    #[test]
    fn a_change_that_the_steady_clock_does_not_reach_back_to_has_landed() {
        let changed = Changed { at: AT, since: None };
        assert_eq!(DOUBT.about(Some(changed), AT - 1, &FLIGHT, Instant::now()), Trust::Ask);
    }
}
