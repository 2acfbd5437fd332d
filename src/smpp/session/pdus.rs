//! What each PDU of the SMSC does to a session. Every request is answered here, or opened as an answer the engine owes;
//! what answers nothing of ours is counted and passed over.

use std::time::Instant;

use bytes::Bytes;
use paygate_parsers::smpp::message::Message;
use paygate_parsers::smpp::{Body, Frame, Malformed, Pdu, header, status};
use tracing::{debug, warn};

use super::{Ended, Session, State};
use crate::engine::door::{Incoming, Submitted};
use crate::smpp::acks::Ack;
use crate::smpp::inbound;
use crate::smpp::timers::Timer;
use crate::smpp::ussd;
use crate::smpp::window::Answer;

impl Session {
    pub(super) fn frame(&mut self, frame: Frame, now: Instant) {
        self.meters.count_read(frame.command_id);
        match Pdu::read(frame) {
            Ok(pdu) => self.pdu(pdu, now),
            Err(malformed) => self.malformed(&malformed, now),
        }
    }

    fn pdu(&mut self, pdu: Pdu, now: Instant) {
        let Pdu { status, sequence, body, quirks } = pdu;
        if !quirks.is_empty() {
            debug!(smsc = self.settings.name, ?quirks, "a PDU of odd form was read");
        }
        let command_id = body.command_id();
        match body {
            Body::DeliverSm(message) | Body::DataSm(message) => {
                self.deliver(Ack { command_id, sequence }, &message, now);
            }
            Body::SubmitSmResp(id) | Body::DataSmResp(id) => self.submitted(sequence, status, &id, now),
            Body::GenericNack if self.state == (State::Binding { sequence }) => self.bind_answered(status, now),
            Body::GenericNack => self.submitted(sequence, status, b"", now),
            Body::BindResp(..) if self.state == (State::Binding { sequence }) => self.bind_answered(status, now),
            Body::EnquireLink => self.write(&Pdu::new(sequence, Body::EnquireLinkResp)),
            Body::Unbind => self.peer_unbinds(sequence, now),
            Body::UnbindResp if self.state == State::Unbinding => self.end(Ended::Drained),
            Body::Bind(..) | Body::SubmitSm(_) => self.refuse(sequence),
            Body::Unknown { command_id } if !header::is_response(command_id) => self.refuse(sequence),
            // Signs of life, or answers to nothing: `heard` was all. An outbind on a connection of our own making says
            // nothing new, and alert_notification has no response.
            Body::EnquireLinkResp
            | Body::BindResp(..)
            | Body::UnbindResp
            | Body::DeliverSmResp(_)
            | Body::Outbind(_)
            | Body::AlertNotification { .. }
            | Body::Unknown { .. } => {}
        }
    }

    fn deliver(&mut self, ack: Ack, message: &Message, now: Instant) {
        if let Some(status) = self.refuses_deliveries() {
            return self.acknowledge(ack, status);
        }
        if let Some(asks) = ussd::read(&self.settings, message) {
            return self.hop(ack, asks);
        }
        let incoming = inbound::read(&self.settings, message);
        self.hand_in(ack, incoming, now);
    }

    fn hand_in(&mut self, ack: Ack, incoming: Incoming, now: Instant) {
        let id = self.acks.open(ack, now);
        self.deliveries.push_back((id, incoming));
    }

    fn refuses_deliveries(&self) -> Option<u32> {
        match self.state {
            State::Bound => None,
            State::Closed | State::Binding { .. } | State::Ended(_) => Some(status::ESME_RINVBNDSTS),
            State::Draining | State::Unbinding | State::Unbound => Some(status::ESME_RX_T_APPN),
        }
    }

    /// Answers what cannot be read with what is wrong about it, so that the SMSC can mend it; after `malformed_refusals`
    /// it is taken in unread, because the SMSC evidently cannot.
    fn malformed(&mut self, malformed: &Malformed, now: Instant) {
        let Malformed { command_id, sequence, field, why, ref body } = *malformed;
        self.meters.malformed.increment(1);
        debug!(smsc = self.settings.name, command_id, field, ?why, "a PDU could not be read");
        if !matches!(command_id, header::DELIVER_SM | header::DATA_SM) {
            return self.refuse_malformed(malformed);
        }
        let ack = Ack { command_id, sequence };
        if let Some(status) = self.refuses_deliveries() {
            return self.acknowledge(ack, status);
        }
        if self.repeats.count(body) < self.settings.malformed_refusals {
            return self.acknowledge(ack, malformed.status());
        }
        warn!(smsc = self.settings.name, field, "an unreadable PDU that keeps coming is taken in for a person to see");
        self.hand_in(ack, inbound::unreadable(&self.settings, malformed), now);
    }

    fn refuse_malformed(&mut self, malformed: &Malformed) {
        let silent = matches!(malformed.command_id, header::ALERT_NOTIFICATION | header::OUTBIND);
        if !silent && !header::is_response(malformed.command_id) {
            self.write(&Pdu::with_status(malformed.status(), malformed.sequence, Body::GenericNack));
        }
    }

    /// Answers a request that an ESME does not serve.
    fn refuse(&mut self, sequence: u32) {
        self.write(&Pdu::with_status(status::ESME_RINVCMDID, sequence, Body::GenericNack));
    }

    pub(super) fn acknowledge(&mut self, ack: Ack, status: u32) {
        let body = match ack.command_id {
            header::DATA_SM => Body::DataSmResp(Bytes::new()),
            _ => Body::DeliverSmResp(Bytes::new()),
        };
        self.write(&Pdu::with_status(status, ack.sequence, body));
    }

    fn bind_answered(&mut self, status: u32, now: Instant) {
        self.timers.clear(Timer::BindResponse);
        if status != status::ESME_ROK {
            return self.end(Ended::Refused { status });
        }
        self.state = State::Bound;
        self.timers.set(Timer::EnquireLink, now + self.settings.enquire_link);
        self.meters.show_bound(true);
    }

    fn submitted(&mut self, sequence: u32, status: u32, id: &[u8], now: Instant) {
        match self.window.answered(sequence, status, now) {
            Answer::Final(ticket) => {
                let message_id = String::from_utf8_lossy(id).into_owned();
                let accepted = status == status::ESME_ROK;
                let outcome = if accepted { Submitted::Accepted { message_id } } else { Submitted::Refused { status } };
                self.outcomes.push((ticket, outcome));
            }
            Answer::Again => {
                self.meters.throttled.increment(1);
                if !self.is_bound() {
                    self.refuse_waiting("the link is stopping");
                }
            }
            Answer::Unmatched => self.meters.late.increment(1),
        }
    }

    fn peer_unbinds(&mut self, sequence: u32, now: Instant) {
        self.write(&Pdu::new(sequence, Body::UnbindResp));
        self.refuse_waiting("the SMSC unbound");
        self.timers.clear(Timer::EnquireLink);
        self.timers.clear(Timer::EnquireLinkResponse);
        match self.state {
            // Both unbind at once: each answers, and nothing is left to wait for.
            State::Unbinding => self.end(Ended::Drained),
            State::Ended(_) => {}
            State::Closed | State::Binding { .. } | State::Bound | State::Draining | State::Unbound => {
                self.timers.set(Timer::Linger, now + self.settings.linger);
                self.state = State::Unbound;
            }
        }
        self.meters.show_bound(false);
    }
}
