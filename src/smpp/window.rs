//! Replies on their way out: those that wait, those sent and not answered, and when the next may go. Keeps their order
//! through throttling, sends nothing twice unless the SMSC said it did not take it, and knows neither socket nor clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use paygate_parsers::smpp::message::Message;
use paygate_parsers::smpp::status;

use super::LinkSettings;

/// Which reply, or part of one, an outcome is about; given in the order they are to be sent.
pub(super) type Ticket = u64;

/// The throughput may be exceeded within this long, so that a timer's coarseness does not lower it.
const BURST: Duration = Duration::from_millis(50);

/// One `submit_sm` to be sent.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) ticket: Ticket,
    pub(super) message: Message,
    /// Another part of the reply whose former part was given before it.
    pub(super) follows: bool,
    /// From here on it is worth nothing, unless a former part has left.
    pub(super) not_after: Instant,
    /// Temporary errors of its own that it had.
    pub(super) failures: u32,
}

/// One `submit_sm` sent.
struct InFlight {
    sequence: u32,
    answer_due: Instant,
    outgoing: Outgoing,
}

/// What an answer means for the message.
pub(super) enum Answer {
    /// Taken, or refused for good: this is over.
    Final(Ticket),
    /// Not taken now; it is back among those that wait, before all that came after it.
    Again,
    /// Nothing with this sequence was waiting for an answer.
    Unmatched,
}

pub(super) struct Window {
    max: usize,
    response_timeout: Duration,
    resubmits_max: u32,
    /// In order of their tickets.
    waiting: VecDeque<Outgoing>,
    /// In the order they were sent. All wait equally long, so the front is due first.
    in_flight: VecDeque<InFlight>,
    pace: Pace,
    throttle: Throttle,
}

impl Window {
    pub(super) fn new(settings: &LinkSettings, now: Instant) -> Self {
        Self {
            max: settings.window.max(1),
            response_timeout: settings.response_timeout,
            resubmits_max: settings.resubmits_max,
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            pace: Pace::new(settings.throughput, now),
            throttle: Throttle::new(settings.throttle_min, settings.throttle_max),
        }
    }

    pub(super) fn push(&mut self, outgoing: Outgoing) {
        self.waiting.push_back(outgoing);
    }

    /// Whether more may be taken in: never more than could be sent at once.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() + self.in_flight.len() < self.max
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    pub(super) fn holds(&self, sequence: u32) -> bool {
        self.in_flight.iter().any(|sent| sent.sequence == sequence)
    }

    /// Takes the next message that may be sent now; the caller writes it and says so with [`Self::sent`].
    pub(super) fn next(&mut self, now: Instant) -> Option<Outgoing> {
        let open = self.may_send() && self.send_due().is_some_and(|due| due <= now);
        if open { self.waiting.pop_front() } else { None }
    }

    pub(super) fn sent(&mut self, sequence: u32, outgoing: Outgoing, now: Instant) {
        self.pace.spend(now);
        self.throttle.sent();
        self.in_flight.push_back(InFlight { sequence, answer_due: now + self.response_timeout, outgoing });
    }

    /// Files an answer under its sequence.
    pub(super) fn answered(&mut self, sequence: u32, command_status: u32, now: Instant) -> Answer {
        let Some(index) = self.in_flight.iter().position(|sent| sent.sequence == sequence) else {
            return Answer::Unmatched;
        };
        let Some(InFlight { mut outgoing, .. }) = self.in_flight.remove(index) else { return Answer::Unmatched };
        match Temporary::of_status(command_status) {
            Some(Temporary::Throttled) => {}
            Some(Temporary::Failure) if outgoing.failures < self.resubmits_max => outgoing.failures += 1,
            Some(Temporary::Failure) | None => {
                self.throttle.accepted();
                return Answer::Final(outgoing.ticket);
            }
        }
        self.throttle.refused(now);
        let place = self.waiting.partition_point(|other| other.ticket < outgoing.ticket);
        self.waiting.insert(place, outgoing);
        Answer::Again
    }

    /// Takes the oldest message whose answer no longer comes.
    pub(super) fn unanswered(&mut self, now: Instant) -> Option<Ticket> {
        self.answer_due().filter(|due| *due <= now)?;
        self.in_flight.pop_front().map(|sent| sent.outgoing.ticket)
    }

    /// Takes a message that waited too long to be worth sending; of a reply in parts the last first, so that none is left
    /// that looks begun.
    pub(super) fn expired(&mut self, now: Instant) -> Option<Ticket> {
        let index = self.unbegun().position(|outgoing| outgoing.not_after <= now)?;
        let first = self.waiting.len() - self.unbegun().count() + index;
        let others = self.waiting.iter().skip(first + 1).take_while(|outgoing| outgoing.follows).count();
        self.waiting.remove(first + others).map(|outgoing| outgoing.ticket)
    }

    /// Those that wait, without the rest of a reply whose former part has left: it is sent whole.
    fn unbegun(&self) -> impl Iterator<Item = &Outgoing> {
        self.waiting.iter().skip_while(|outgoing| outgoing.follows)
    }

    pub(super) fn take_waiting(&mut self) -> Option<Ticket> {
        self.waiting.pop_front().map(|outgoing| outgoing.ticket)
    }

    pub(super) fn take_in_flight(&mut self) -> Option<Ticket> {
        self.in_flight.pop_front().map(|sent| sent.outgoing.ticket)
    }

    pub(super) fn answer_due(&self) -> Option<Instant> {
        self.in_flight.front().map(|sent| sent.answer_due)
    }

    /// When something about the waiting messages changes without an answer: one may go, or one expires.
    pub(super) fn next_change(&self) -> Option<Instant> {
        let expires = self.unbegun().map(|outgoing| outgoing.not_after).min();
        let sends = if self.may_send() { self.send_due() } else { None };
        expires.into_iter().chain(sends).min()
    }

    /// After throttling one message alone tries whether the SMSC takes messages again; so the order is kept.
    fn may_send(&self) -> bool {
        let max = if self.throttle.probing { 1 } else { self.max };
        !self.waiting.is_empty() && self.in_flight.len() < max
    }

    fn send_due(&self) -> Option<Instant> {
        Some(self.throttle.until.map_or(self.pace.next, |until| until.max(self.pace.next)))
    }
}

/// A refusal that passes.
enum Temporary {
    /// The SMSC wants less: it will take the same message later.
    Throttled,
    /// It could not do it now. Some SMSCs say so of one message for ever, hence a count.
    Failure,
}

impl Temporary {
    fn of_status(command_status: u32) -> Option<Self> {
        match command_status {
            status::ESME_RTHROTTLED | status::ESME_RMSGQFUL => Some(Self::Throttled),
            status::ESME_RSYSERR | status::ESME_RX_T_APPN | status::VENDOR_FIRST.. => Some(Self::Failure),
            _ => None,
        }
    }
}

/// The throughput: each message moves the earliest moment of the next.
struct Pace {
    /// Between two messages; zero for no limit.
    interval: Duration,
    next: Instant,
}

impl Pace {
    fn new(throughput: u32, now: Instant) -> Self {
        let interval = Duration::from_secs(1).checked_div(throughput).unwrap_or_default();
        Self { interval, next: now }
    }

    fn spend(&mut self, now: Instant) {
        let burst = BURST.min(self.interval * 50);
        let floor = now.checked_sub(burst).unwrap_or(now);
        self.next = self.next.max(floor) + self.interval;
    }
}

/// The pause of a throttled link. It outlives the connection, since the SMSC's reason does.
struct Throttle {
    min: Duration,
    max: Duration,
    /// The last pause, zero when none is in force.
    pause: Duration,
    until: Option<Instant>,
    /// From the first refusal to the first message taken after a pause.
    probing: bool,
    /// Whether a message left since the last refusal. The refusals of one burst make one pause.
    tried: bool,
}

impl Throttle {
    fn new(min: Duration, max: Duration) -> Self {
        let (pause, max) = (Duration::ZERO, max.max(min));
        Self { min, max, pause, until: None, probing: false, tried: true }
    }

    fn sent(&mut self) {
        self.tried = true;
    }

    fn refused(&mut self, now: Instant) {
        if !self.tried {
            return;
        }
        self.pause = (self.pause * 2).clamp(self.min, self.max);
        self.until = Some(now + self.pause);
        self.probing = true;
        self.tried = false;
    }

    /// An answer other than "not now". One to a message of the refused burst itself ends nothing.
    fn accepted(&mut self) {
        if self.tried {
            self.pause = Duration::ZERO;
            self.until = None;
            self.probing = false;
        }
    }
}
