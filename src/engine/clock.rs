//! What time it is for the engine: the journal's clock, which all instances share, carried on between two readings by
//! this machine's steady one. Never the wall clock of this machine, and never backwards.
//!
//! A journal's clock that is set back is not followed: here it goes on as before. One that is set forward is followed at
//! once, so that instances agree; but what is asked then counts as asked by the clock before, until everything that was
//! intended by that clock has landed. Otherwise a leap would turn an early "not found" into proof. While what is shown
//! here is ahead of the journal's clock, what is asked counts as asked by that one: another instance may go by it. And
//! nothing that is asked soon after the start proves that what was sent before it did not happen: nobody knows what the
//! clock did in between.
//!
//! Not covered: a machine that slept dates what it does by its old time until its next reading; and an instance that
//! starts in the seconds between a clock's being set and another instance's next reading of it.

use crate::journal::{Journal, JournalError};
use crate::law::{Rule, holds};
use crate::purchase::record::{Attempt, Micros};
use crate::purchase::rules::Flight;
use crate::telemetry::message_ids;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often the journal is asked for the time.
pub const READ_EVERY: Duration = Duration::from_secs(10);
/// Steps up to this are drift, or a reading whose answer took its time; ten seconds of either hide no flight bound.
const DRIFT: Micros = 100_000;
/// Earlier than anything that was ever intended.
const BEFORE_ALL: Micros = 0;
/// A clock that is off by more than this is worth an operator's look.
const WORTH_TELLING: Micros = 1_000_000;

/// One moment by the journal's clock and by the steady one: deadlines are written down by the first and kept by the
/// second.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Unix microseconds.
    pub now: Micros,
    pub at: Instant,
    /// What a call let out at this moment may give as its time, where its answer is to prove that something did not
    /// happen: never later than `now`.
    pub called_at: Micros,
    /// When this instance began, by both clocks.
    pub began: (Micros, Instant),
}

impl Moment {
    /// What a call about this attempt may give as its time. An attempt that was sent before this instance began is dated
    /// by a clock that nobody here has seen: until it has landed by the steady one, its absence proves nothing.
    #[must_use]
    pub fn asked_at(&self, attempt: Option<&Attempt>, flight: &Flight) -> Micros {
        let (began, began_at) = self.began;
        let was_there = attempt.is_some_and(|attempt| attempt.send_by.saturating_sub(flight.send_within) < began);
        // A link that was handed out can be paid at for longer than any request is under way.
        let landing = attempt.map_or(0, |it| it.in_flight_until.saturating_sub(it.send_by - flight.send_within));
        let landing = u64::try_from(landing).unwrap_or(0);
        let may_be_under_way = was_there && self.at < began_at + Duration::from_micros(landing);
        if may_be_under_way && holds(Rule::StartProvesNothing) { BEFORE_ALL } else { self.called_at }
    }

    /// When the journal's clock will say `then`, on the steady clock.
    #[must_use]
    pub fn instant_of(&self, then: Micros) -> Instant {
        let ahead = u64::try_from(then.saturating_sub(self.now)).unwrap_or(0);
        self.at + Duration::from_micros(ahead)
    }
}

/// The one clock of an engine. Cheap to clone; all clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    face: Arc<Mutex<Face>>,
}

impl Clock {
    /// Reads the journal's clock for the first time. `landing` is how long after its intent a request may at most still
    /// take effect, over all peers.
    ///
    /// # Errors
    /// The journal could not be read.
    pub async fn start(journal: &Journal, landing: Duration) -> Result<Self, JournalError> {
        let face = Face::new(journal.now().await?, Instant::now(), landing);
        Ok(Self { face: Arc::new(Mutex::new(face)) })
    }

    #[must_use]
    pub fn moment(&self) -> Moment {
        let face = self.face();
        face.show(Instant::now())
    }

    #[must_use]
    pub fn now(&self) -> Micros {
        self.moment().now
    }

    /// Keeps it right until `stop`. While the journal cannot be read the steady clock carries on alone.
    pub(super) async fn keep(self, journal: Journal, stop: CancellationToken) {
        let mut is_off = false;
        while stop.run_until_cancelled(tokio::time::sleep(READ_EVERY)).await.is_some() {
            match journal.now().await {
                // Stamped when it is there: a reading that took its time is behind, and those are not followed.
                Ok(reading) => is_off = self.follow(reading, is_off),
                Err(error) => tracing::debug!(%error, "the journal's clock could not be read; going on without it"),
            }
        }
    }

    /// Whether the reading was far off; said once for as long as it lasts.
    fn follow(&self, reading: Micros, was_off: bool) -> bool {
        let step = self.face().set(reading, Instant::now());
        let is_off = step.abs() > WORTH_TELLING;
        if is_off && !was_off {
            let ahead_ms = step / 1_000;
            tracing::warn!(
                message_id = message_ids::CLOCK_SET,
                ahead_ms,
                "the journal's clock was set, or this machine slept; no answer counts for more by it"
            );
        }
        is_off
    }

    fn face(&self) -> MutexGuard<'_, Face> {
        // A face is replaced as a whole, so that one left behind by a panic is as good as any.
        self.face.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest reading and what it means; pure.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    base: Micros,
    at: Instant,
    landing: Duration,
    /// By how much it was set forward lately, and until when that counts: another instance may intend something by the
    /// old time until its own next reading.
    leapt: Micros,
    leapt_until: Instant,
    /// How far what is shown is ahead of the journal's clock, which was set back.
    ahead: Micros,
    began: (Micros, Instant),
}

impl Face {
    #[must_use]
    pub const fn new(reading: Micros, at: Instant, landing: Duration) -> Self {
        Self { base: reading, at, landing, leapt: 0, leapt_until: at, ahead: 0, began: (reading, at) }
    }

    #[must_use]
    pub fn show(&self, at: Instant) -> Moment {
        let passed = at.saturating_duration_since(self.at).as_micros();
        let now = self.base.saturating_add(Micros::try_from(passed).unwrap_or(Micros::MAX));
        let leapt = if at < self.leapt_until { self.leapt } else { 0 };
        Moment { now, at, called_at: now - leapt.max(self.ahead), began: self.began }
    }

    /// Takes over a reading made at `at`, unless it is behind; says how far ahead it was of what is shown.
    pub fn set(&mut self, reading: Micros, at: Instant) -> Micros {
        let shown = self.show(at);
        let step = reading.saturating_sub(shown.now);
        // By how far the journal's own clock leapt, which may have been behind what is shown.
        if step + self.ahead > DRIFT && holds(Rule::LeapProvesNothing) {
            self.leapt = shown.now.max(reading) - shown.called_at;
            self.leapt_until = at + READ_EVERY + self.landing;
        }
        self.ahead = if -step > DRIFT && holds(Rule::SetBackProvesNothing) { -step } else { 0 };
        (self.base, self.at) = (shown.now.max(reading), at);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::money::{Currency, Money};
    use crate::purchase::record::AttemptStatus;

    const SECOND: Micros = 1_000_000;
    const HOUR: Micros = 3_600 * SECOND;
    const START: Micros = 1_780_000_000 * SECOND;
    const LANDING: Duration = Duration::from_secs(40);

    /// A face that showed `START` when the steady clock stood at the instant.
    fn face() -> (Face, Instant) {
        let began = Instant::now();
        (Face::new(START, began, LANDING), began)
    }

    /// What is shown that many seconds after the beginning: `now` and `called_at`, in seconds after `START`.
    fn shown(face: &Face, began: Instant, seconds: u64) -> (Micros, Micros) {
        let moment = face.show(began + Duration::from_secs(seconds));
        ((moment.now - START) / SECOND, (moment.called_at - START) / SECOND)
    }

    fn read(face: &mut Face, began: Instant, seconds: u64, reading: Micros) {
        face.set(reading, began + Duration::from_secs(seconds));
    }

    #[test]
    fn between_two_readings_time_passes_by_the_steady_clock_alone() {
        let (face, began) = face();
        for seconds in [0, 1, 9, 86_400] {
            let passed = Micros::try_from(seconds).unwrap_or(0);
            assert_eq!(shown(&face, began, seconds), (passed, passed), "no wall clock is asked");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_is_not_followed_and_what_is_asked_counts_by_it() {
        let (mut face, began) = face();
        read(&mut face, began, 10, START + 10 * SECOND - HOUR);
        assert_eq!(shown(&face, began, 10), (10, 10 - 3_600), "another instance may go by the clock as it is now");
        assert_eq!(shown(&face, began, 20), (20, 20 - 3_600));
        read(&mut face, began, 20, START + 20 * SECOND + 50_000);
        assert_eq!(face.show(began + Duration::from_secs(20)).now, START + 20 * SECOND + 50_000);
    }

    #[test]
    fn a_question_after_a_leap_forward_counts_as_asked_before_it_until_all_that_was_sent_has_landed() {
        let (mut face, began) = face();
        read(&mut face, began, 10, START + 10 * SECOND + HOUR);
        assert_eq!(shown(&face, began, 10), (10 + 3_600, 10));
        // Another instance reads its clock at second 19 and intends something just before, in flight until second 59.
        assert_eq!(shown(&face, began, 59), (59 + 3_600, 59), "it would prove what is still in flight absent");
        assert_eq!(shown(&face, began, 60), (60 + 3_600, 60 + 3_600));
    }

    #[test]
    fn nothing_that_is_asked_soon_after_the_start_proves_absent_what_was_sent_before_it() {
        let (face, began) = face();
        let flight = Flight { send_within: 10 * SECOND, max_flight: 30 * SECOND, answer_within: 0, plan: Vec::new() };
        let sent = |at| Attempt {
            key: "key".to_owned(),
            sends: 1,
            status: AttemptStatus::Unknown,
            amount: Money::new(1, Currency::VND),
            intended_at: at,
            send_by: at + flight.send_within,
            in_flight_until: at + flight.send_within + flight.max_flight,
            handle: None,
            peer_reference: None,
        };
        let (before, since) = (sent(START - HOUR), sent(START));
        let asked_at = |attempt, seconds| face.show(began + Duration::from_secs(seconds)).asked_at(attempt, &flight);
        assert_eq!(asked_at(Some(&before), 39), BEFORE_ALL, "the clock may have leapt while it was under way");
        assert_eq!(asked_at(Some(&before), 40), START + 40 * SECOND);
        assert_eq!(asked_at(Some(&since), 1), START + SECOND);
    }

    #[test]
    fn a_leap_of_a_clock_that_had_been_set_back_counts_from_where_it_was() {
        let (mut face, began) = face();
        read(&mut face, began, 10, START + 10 * SECOND - HOUR);
        // Another instance starts and intends by that clock.
        read(&mut face, began, 20, START + 20 * SECOND + HOUR);
        assert_eq!(shown(&face, began, 20), (20 + 3_600, 20 - 3_600));
        read(&mut face, began, 30, START + 30 * SECOND + HOUR);
        assert_eq!(shown(&face, began, 69), (69 + 3_600, 69 - 3_600));
        assert_eq!(shown(&face, began, 70), (70 + 3_600, 70 + 3_600));
        // One that comes back only as far as what is shown is a leap, too.
        let (mut face, began) = self::face();
        read(&mut face, began, 10, START + 10 * SECOND - HOUR);
        read(&mut face, began, 20, START + 20 * SECOND);
        assert_eq!(shown(&face, began, 69), (69, 69 - 3_600));
        assert_eq!(shown(&face, began, 70), (70, 70));
    }

    #[test]
    fn two_leaps_count_together() {
        let (mut face, began) = face();
        read(&mut face, began, 10, START + 10 * SECOND + HOUR);
        read(&mut face, began, 20, START + 20 * SECOND + 2 * HOUR);
        assert_eq!(shown(&face, began, 69), (69 + 7_200, 69));
        assert_eq!(shown(&face, began, 70), (70 + 7_200, 70 + 7_200));
    }

    #[test]
    fn drift_is_followed_and_holds_nothing_back() {
        let (mut face, began) = face();
        read(&mut face, began, 10, START + 10 * SECOND + DRIFT);
        let moment = face.show(began + Duration::from_secs(10));
        assert_eq!((moment.now, moment.called_at), (START + 10 * SECOND + DRIFT, START + 10 * SECOND + DRIFT));
    }
}
