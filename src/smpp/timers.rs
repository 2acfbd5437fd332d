//! The moments at which a session must act if nothing else happens. Knows no clock: now is always an argument.

use std::time::Instant;

/// Everything a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The bind was sent and is not answered (`bind_timeout`). Some SMSCs never answer what they dislike.
    BindResponse,
    /// Nothing was heard for `enquire_link`: ask whether anybody is there.
    EnquireLink,
    /// Nothing was heard since we asked (`response_timeout`): the connection is half open, give it up.
    EnquireLinkResponse,
    /// A PDU began to arrive and did not end (`pdu_read_timeout`).
    PduRead,
    /// The oldest unanswered `submit_sm` gets no answer any more (`response_timeout`).
    SubmitResponse,
    /// The oldest unanswered delivery must be answered now (`ack_within`).
    DeliverAck,
    /// A throttled link may try again, the throughput lets the next message go, or one that waits expires.
    Submit,
    /// We are stopping and the open answers had their time (`drain_timeout`).
    Drain,
    /// Our `unbind` is not answered (`unbind_timeout`).
    UnbindResponse,
    /// The peer unbound and did not hang up (`linger`).
    Linger,
}

const ALL: [Timer; 10] = [
    Timer::BindResponse,
    Timer::EnquireLink,
    Timer::EnquireLinkResponse,
    Timer::PduRead,
    Timer::SubmitResponse,
    Timer::DeliverAck,
    Timer::Submit,
    Timer::Drain,
    Timer::UnbindResponse,
    Timer::Linger,
];

/// When each timer runs out, if it is set.
#[derive(Debug, Default)]
pub(super) struct Timers([Option<Instant>; ALL.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: impl Into<Option<Instant>>) {
        self.0[timer as usize] = at.into();
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(super) fn earliest(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes one timer that has run out.
    pub(super) fn expired(&mut self, now: Instant) -> Option<Timer> {
        let timer = ALL.into_iter().find(|timer| self.0[*timer as usize].is_some_and(|at| at <= now))?;
        self.clear(timer);
        Some(timer)
    }
}
