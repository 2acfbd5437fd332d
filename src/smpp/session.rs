//! An ESME's side of SMPP 3.4 as a pure machine: octets, moments, replies and verdicts in; octets, deliveries and outcomes
//! out. Knows no socket, task or clock. One session serves a link through all its connections.
//!
//! Its law: whatever comes in, [`Session::advance`] follows before anything else does; so what may be sent is sent, and
//! [`Session::wake_at`] is right.

mod dialogues;
mod pdus;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use paygate_parsers::smpp::bind::Bind;
use paygate_parsers::smpp::ussd::Back;
use paygate_parsers::smpp::{BadLength, Body, Pdu, frame, status};
use secrecy::ExposeSecret;

use super::LinkSettings;
use super::acks::{AckId, Acks};
use super::meters::Meters;
use super::repeats::Repeats;
use super::timers::{Timer, Timers};
use super::window::{Outgoing, Ticket, Window};
use crate::engine::door::{Incoming, Submitted, Verdict};
use crate::ussd::InTurn;

/// The highest sequence number we give (SMPP 3.4 §5.1.4).
const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// Why a connection is to be closed, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The SMSC answered our bind with this `command_status`.
    Refused { status: u32 },
    /// It gave no answer to what is named here.
    Silent(&'static str),
    /// The stream can no longer be read.
    BadLength(BadLength),
    /// The SMSC unbound.
    PeerUnbound,
    /// We stopped; all open answers were given or had their time.
    Drained,
}

impl fmt::Display for Ended {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status } => {
                let (name, advice) = (status::name(*status), advice(*status));
                write!(out, "the SMSC refused the bind with 0x{status:02x} ({name}), {advice}")
            }
            Self::Silent(what) => write!(out, "the SMSC did not give {what} in time"),
            Self::BadLength(bad) => bad.fmt(out),
            Self::PeerUnbound => out.write_str("the SMSC unbound"),
            Self::Drained => out.write_str("we unbound"),
        }
    }
}

/// Whose turn it is after a refused bind.
fn advice(status: u32) -> &'static str {
    match status {
        status::ESME_RINVPASWD | status::ESME_RINVSYSID | status::ESME_RINVSYSTYP => {
            "check system_id, password and system_type with the telco"
        }
        status::ESME_RALYBND => {
            "as it has not yet noticed the end of our former connection, or somebody else uses the account"
        }
        _ => "which is for the telco to explain",
    }
}

/// Where the session stands with the SMSC (§2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no connection.
    Closed,
    /// Our bind is out.
    Binding {
        sequence: u32,
    },
    Bound,
    /// We are stopping: nothing new in either direction, answers only.
    Draining,
    /// Our unbind is out.
    Unbinding,
    /// The SMSC unbound; its late answers are still read.
    Unbound,
    /// Nothing more is said on this connection.
    Ended(Ended),
}

pub(super) struct Session {
    settings: Arc<LinkSettings>,
    meters: Meters,
    state: State,
    /// The last sequence number given.
    sequence: u32,
    window: Window,
    acks: Acks,
    repeats: Repeats,
    timers: Timers,
    /// Read and not yet taken by the engine.
    deliveries: VecDeque<(AckId, Incoming)>,
    outcomes: Vec<(Ticket, Submitted)>,
    /// Hops of dialogues that are not answered yet.
    hops: InTurn<Back>,
    /// Octets to be written.
    pub(super) out: BytesMut,
}

impl Session {
    pub(super) fn new(settings: Arc<LinkSettings>, now: Instant) -> Self {
        Self {
            meters: Meters::new(&settings.name),
            state: State::Closed,
            sequence: 0,
            window: Window::new(&settings, now),
            acks: Acks::new(settings.ack_within, settings.unacked_max.max(1)),
            repeats: Repeats::new(settings.malformed_remembered),
            timers: Timers::default(),
            deliveries: VecDeque::new(),
            outcomes: Vec::new(),
            hops: InTurn::default(),
            out: BytesMut::new(),
            settings,
        }
    }

    // What may be asked of a session at any time.

    pub(super) fn is_bound(&self) -> bool {
        self.state == State::Bound
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        match self.state {
            State::Ended(ended) => Some(ended),
            State::Closed
            | State::Binding { .. }
            | State::Bound
            | State::Draining
            | State::Unbinding
            | State::Unbound => None,
        }
    }

    /// When [`Self::advance`] must be called at the latest.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.timers.earliest()
    }

    /// Whether more octets can be taken: the engine and the peer keep up with those before.
    pub(super) fn wants_octets(&self) -> bool {
        self.deliveries.is_empty() && !self.acks.is_full() && self.out.len() < self.settings.write_buffer_max
    }

    /// Whether a reply handed in now could be sent at once.
    pub(super) fn wants_replies(&self) -> bool {
        self.is_bound() && self.window.has_room() && self.out.len() < self.settings.write_buffer_max
    }

    pub(super) fn has_deliveries(&self) -> bool {
        !self.deliveries.is_empty()
    }

    // What comes out.

    /// The next delivery for the engine, oldest first. One that was answered meanwhile (`ack_within`) is left out: the
    /// SMSC will send it again.
    pub(super) fn next_delivery(&mut self) -> Option<(AckId, Incoming)> {
        while let Some((id, incoming)) = self.deliveries.pop_front() {
            if self.acks.is_open(id) {
                return Some((id, incoming));
            }
        }
        None
    }

    pub(super) fn take_outcomes(&mut self) -> Vec<(Ticket, Submitted)> {
        std::mem::take(&mut self.outcomes)
    }

    // What comes in.

    /// A connection stands: bind.
    pub(super) fn connected(&mut self, now: Instant) {
        let sequence = self.next_sequence();
        let settings = &self.settings;
        let octets = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let bind = Bind {
            system_id: octets(&settings.system_id),
            password: octets(settings.password.expose_secret()),
            system_type: octets(&settings.system_type),
            interface_version: settings.interface_version,
            ..Bind::default()
        };
        let body = Body::Bind(settings.bind, bind);
        self.timers.set(Timer::BindResponse, now + settings.bind_timeout);
        self.state = State::Binding { sequence };
        self.write(&Pdu::new(sequence, body));
    }

    /// The connection is gone. What was sent and not answered may or may not have been taken.
    pub(super) fn closed(&mut self) {
        while let Some(ticket) = self.window.take_in_flight() {
            self.outcomes.push((ticket, Submitted::Unknown("the link was lost before the answer")));
        }
        self.refuse_waiting("the link is down");
        self.acks.clear();
        self.deliveries.clear();
        self.hops.clear();
        self.out.clear();
        self.timers = Timers::default();
        self.state = State::Closed;
        self.meters.show_bound(false);
        self.meters.show_inflight(0);
    }

    /// Octets came. Leaves in `input` what is not a whole PDU yet, or more than can be taken now.
    pub(super) fn receive(&mut self, input: &mut BytesMut, now: Instant) {
        while !self.acks.is_full() && self.ended().is_none() {
            match frame(input, self.settings.pdu_max) {
                Ok(Some(frame)) => {
                    self.heard(now);
                    self.frame(frame, now);
                }
                Ok(None) => return self.watch_for_rest(input, now),
                Err(bad) => return self.lose_sync(bad, input),
            }
        }
        self.timers.clear(Timer::PduRead);
    }

    /// A reply's messages, in order.
    pub(super) fn submit(&mut self, outgoing: impl IntoIterator<Item = Outgoing>) {
        for outgoing in outgoing {
            self.window.push(outgoing);
        }
    }

    /// The engine's word on a delivery; too late a word changes nothing.
    pub(super) fn verdict(&mut self, id: AckId, verdict: Verdict) {
        let Some(ack) = self.acks.close(id) else { return };
        let status = match verdict {
            Verdict::Fresh | Verdict::Again => status::ESME_ROK,
            // No message hears the last four.
            Verdict::Later | Verdict::Unknown | Verdict::Review(_) | Verdict::Conflict | Verdict::TooMany => {
                status::ESME_RX_T_APPN
            }
        };
        self.acknowledge(ack, status);
    }

    /// We are to stop: open answers are given and awaited, then the link unbinds.
    pub(super) fn shutdown(&mut self, now: Instant) {
        match self.state {
            State::Bound => {
                self.refuse_waiting("the gateway is stopping");
                self.timers.clear(Timer::EnquireLink);
                self.timers.set(Timer::Drain, now + self.settings.drain_timeout);
                self.state = State::Draining;
            }
            State::Closed | State::Binding { .. } | State::Unbound => self.end(Ended::Drained),
            State::Draining | State::Unbinding | State::Ended(_) => {}
        }
    }

    /// Does what is due by `now` and what has become possible. Follows everything that comes in.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expired(now) {
            self.expire(timer, now);
        }
        self.send(now);
        if self.state == State::Draining && self.owes_nothing() {
            self.unbind(now);
        }
        self.timers.set(Timer::SubmitResponse, self.window.answer_due());
        self.timers.set(Timer::DeliverAck, self.acks.due());
        let submit = if self.sends() { self.window.next_change() } else { None };
        self.timers.set(Timer::Submit, submit);
        self.meters.show_inflight(self.window.in_flight());
    }

    // Timers.

    fn expire(&mut self, timer: Timer, now: Instant) {
        match timer {
            Timer::BindResponse => self.end(Ended::Silent("an answer to the bind")),
            Timer::EnquireLink => {
                let sequence = self.next_sequence();
                self.timers.set(Timer::EnquireLinkResponse, now + self.settings.response_timeout);
                self.write(&Pdu::new(sequence, Body::EnquireLink));
            }
            Timer::EnquireLinkResponse => self.end(Ended::Silent("an answer to enquire_link")),
            Timer::PduRead => self.end(Ended::Silent("the rest of a PDU")),
            Timer::SubmitResponse => {
                while let Some(ticket) = self.window.unanswered(now) {
                    self.outcomes.push((ticket, Submitted::Unknown("no answer to submit_sm in time")));
                }
            }
            Timer::DeliverAck => {
                while let Some(ack) = self.acks.expired(now) {
                    self.acknowledge(ack, status::ESME_RX_T_APPN);
                }
                let acks = &self.acks;
                self.deliveries.retain(|(id, _)| acks.is_open(*id));
            }
            // Only wakes us: sending and expiry follow in `advance`.
            Timer::Submit => {}
            Timer::Drain => self.unbind(now),
            Timer::UnbindResponse => self.end(Ended::Drained),
            Timer::Linger => self.end(Ended::PeerUnbound),
        }
    }

    /// A sign of life: asks again only after the next silence.
    fn heard(&mut self, now: Instant) {
        if self.timers.is_set(Timer::EnquireLink) || self.timers.is_set(Timer::EnquireLinkResponse) {
            self.timers.clear(Timer::EnquireLinkResponse);
            self.timers.set(Timer::EnquireLink, now + self.settings.enquire_link);
        }
        self.timers.clear(Timer::PduRead);
    }

    fn watch_for_rest(&mut self, input: &BytesMut, now: Instant) {
        if input.is_empty() {
            self.timers.clear(Timer::PduRead);
        } else if !self.timers.is_set(Timer::PduRead) {
            self.timers.set(Timer::PduRead, now + self.settings.pdu_read_timeout);
        }
    }

    fn lose_sync(&mut self, bad: BadLength, input: &mut BytesMut) {
        self.meters.malformed.increment(1);
        input.clear();
        self.write(&Pdu::with_status(status::ESME_RINVCMDLEN, 0, Body::GenericNack));
        self.end(Ended::BadLength(bad));
    }

    // Sending.

    fn send(&mut self, now: Instant) {
        while let Some(ticket) = self.window.expired(now) {
            self.outcomes.push((ticket, Submitted::NotSent("expired")));
        }
        while self.sends()
            && let Some(mut outgoing) = self.window.next(now)
        {
            let sequence = self.next_sequence();
            let message = std::mem::take(&mut outgoing.message);
            let pdu = Pdu::new(sequence, Body::SubmitSm(message));
            self.write(&pdu);
            if let Body::SubmitSm(message) = pdu.body {
                outgoing.message = message;
            }
            self.window.sent(sequence, outgoing, now);
        }
    }

    /// While draining it sends the screens of hops that were taken, and nothing else is handed in.
    fn sends(&self) -> bool {
        matches!(self.state, State::Bound | State::Draining)
    }

    fn owes_nothing(&self) -> bool {
        self.hops.is_empty() && !self.window.has_waiting() && self.window.in_flight() == 0 && self.acks.is_empty()
    }

    fn refuse_waiting(&mut self, reason: &'static str) {
        while let Some(ticket) = self.window.take_waiting() {
            self.outcomes.push((ticket, Submitted::NotSent(reason)));
        }
    }

    fn unbind(&mut self, now: Instant) {
        let sequence = self.next_sequence();
        self.timers = Timers::default();
        self.timers.set(Timer::UnbindResponse, now + self.settings.unbind_timeout);
        self.state = State::Unbinding;
        self.write(&Pdu::new(sequence, Body::Unbind));
    }

    fn end(&mut self, ended: Ended) {
        self.timers = Timers::default();
        self.state = State::Ended(ended);
    }

    fn write(&mut self, pdu: &Pdu) {
        self.meters.count_written(pdu.body.command_id());
        pdu.write(&mut self.out);
    }

    /// 1 to 0x7FFFFFFF and round again, past those still unanswered.
    fn next_sequence(&mut self) -> u32 {
        loop {
            self.sequence = if self.sequence >= SEQUENCE_MAX { 1 } else { self.sequence + 1 };
            if !self.window.holds(self.sequence) {
                return self.sequence;
            }
        }
    }
}
